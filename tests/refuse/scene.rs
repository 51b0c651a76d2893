// SPDX-License-Identifier: Apache-2.0
//! One run of the program, with a proxy before every service that it talks to, and what it left.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::fault::{At, Fault, FaultProxy, Rule, Seen, Turn};
use crate::common::{
    Finished, Image, Log, Program, Registry, Reply, Service, Stack, assert_no_canary, exchange,
    get, signing_config_with, unique,
};

/// What the stack's GitHub endpoint wants to see before it gives a token.
const REQUEST_TOKEN: &str = "realstack-request-token";
/// How every identity token of the stack begins: `{"alg": "RS256"` in base64.
const TOKEN_START: &str = "eyJhbGciOiAiUlMyNTYi";
/// A shorter text is found by chance.
const SHORTEST_CANARY: usize = 8;
/// How much longer than `--timeout` a run may take: to end, on a busy machine.
const GRACE: Duration = Duration::from_secs(8);

/// Somebody on the other side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    Fulcio,
    Registry,
    Rekor,
    /// GitHub's token endpoint.
    Token,
    Tsa,
}

impl Peer {
    pub(crate) const ALL: [Self; 5] = [
        Self::Fulcio,
        Self::Registry,
        Self::Rekor,
        Self::Token,
        Self::Tsa,
    ];
}

/// A run that is being prepared.
pub(crate) struct Scene {
    log: Log,
    registry: Registry,
    rules: Vec<(Peer, Rule)>,
    elsewhere: Vec<(Peer, String)>,
    env: Vec<(String, String)>,
    args: Vec<String>,
    canaries: Vec<String>,
    timeout: Duration,
    trust: [Option<PathBuf>; 2],
    image: Named,
}

/// How the image is named.
enum Named {
    ByDigest,
    ByTag,
    /// `HOST` stands for the registry, `IMAGE` for the repository.
    Otherwise(String),
}

/// A run that is over.
pub(crate) struct Played {
    /// The program.
    pub(crate) run: Finished,
    /// The image, at the registry itself.
    pub(crate) image: Image,
    seen: Vec<(Peer, Vec<Seen>)>,
    canaries: Vec<String>,
    timeout: Duration,
    _config: TempDir,
}

impl Scene {
    /// Everything is well.
    pub(crate) fn new(log: Log, registry: Registry) -> Self {
        Self {
            log,
            registry,
            rules: Vec::new(),
            elsewhere: Vec::new(),
            env: Vec::new(),
            args: Vec::new(),
            canaries: vec![REQUEST_TOKEN.to_owned()],
            timeout: Duration::from_secs(60),
            trust: [None, None],
            image: Named::ByDigest,
        }
    }

    /// `peer` does this to every request.
    pub(crate) fn always(self, peer: Peer, fault: Fault) -> Self {
        let rule = Rule {
            method: None,
            at: At::Any,
            turn: Turn::Every,
            fault,
        };
        self.rule(peer, rule)
    }

    /// One more row of the table of `peer`.
    pub(crate) fn rule(mut self, peer: Peer, rule: Rule) -> Self {
        self.rules.push((peer, rule));
        self
    }

    /// Behind the proxy of `peer` is another server, at `url`.
    pub(crate) fn elsewhere(mut self, peer: Peer, url: &str) -> Self {
        self.elsewhere.push((peer, url.to_owned()));
        self
    }

    /// A variable; one of GitHub's is replaced.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The token comes from `SIGSTORE_ID_TOKEN`, and is a secret.
    pub(crate) fn token(self, token: &str) -> Self {
        self.env("SIGSTORE_ID_TOKEN", token).canary(token)
    }

    /// One more secret: the whole of it, and each of its parts that is not found by chance.
    pub(crate) fn canary(mut self, canary: &str) -> Self {
        let whole = canary.trim();
        let last = whole.rsplit('.').next().unwrap_or_default();
        let whole = Some(whole).filter(|_| last.len() >= SHORTEST_CANARY);
        let parts = canary.split('.').map(str::trim);
        let parts = parts.filter(|part| part.len() >= SHORTEST_CANARY);
        self.canaries.extend(parts.chain(whole).map(str::to_owned));
        self
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// The time of the run.
    pub(crate) fn seconds(mut self, seconds: u64) -> Self {
        self.timeout = Duration::from_secs(seconds);
        self
    }

    /// Another trusted root.
    pub(crate) fn trusted_root(mut self, path: &Path) -> Self {
        self.trust[0] = Some(path.to_owned());
        self
    }

    /// Another signing config, as it is: without the proxies.
    pub(crate) fn signing_config(mut self, path: &Path) -> Self {
        self.trust[1] = Some(path.to_owned());
        self
    }

    /// The image is named by its tag.
    pub(crate) fn by_tag(mut self) -> Self {
        self.image = Named::ByTag;
        self
    }

    /// The image is named like this: `HOST` stands for the registry, `IMAGE` for the repository.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.image = Named::Otherwise(name.to_owned());
        self
    }

    /// Runs the program.
    pub(crate) fn play(self, stack: &Stack) -> Played {
        let image = fresh_image(self.registry.host(stack));
        let proxies = Peer::ALL.map(|peer| {
            let rules = self.rules.iter().filter(|(of, _)| *of == peer);
            let rules = rules.map(|(_, rule)| rule.clone()).collect();
            (peer, FaultProxy::start(&self.address(stack, peer), rules))
        });
        let at = |peer| &proxies.iter().find(|(of, _)| *of == peer).unwrap().1;
        let config = TempDir::new().unwrap();
        let services = match &self.trust[1] {
            Some(path) => path.clone(),
            None => {
                let kinds = [
                    (Service::Fulcio, Peer::Fulcio),
                    (Service::Rekor, Peer::Rekor),
                    (Service::Tsa, Peer::Tsa),
                ];
                let original = self.log.signing_config(stack).to_owned();
                kinds.iter().fold(original, |path, (service, peer)| {
                    signing_config_with(&path, config.path(), *service, &at(*peer).url())
                })
            }
        };
        let root = self.trust[0].clone();
        let root = root.unwrap_or_else(|| stack.var("TRUSTED_ROOT").into());
        let registry = at(Peer::Registry).host();
        let named = match &self.image {
            Named::ByDigest => image.through(&registry).reference(),
            Named::ByTag => image.through(&registry).tagged(),
            Named::Otherwise(name) => name
                .replace("HOST", &registry)
                .replace("IMAGE", &image.repository),
        };
        let timeout = format!("{}s", self.timeout.as_secs());
        let mut program = Program::ambisign()
            .args(["sign", "-v", "--output", "json", "--timeout", &timeout])
            .arg("--trusted-root")
            .arg(root)
            .arg("--signing-config")
            .arg(services)
            .args(&self.args)
            .arg(named)
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", at(Peer::Token).url());
        for (name, value) in &self.env {
            program = program.env(name, value.replace("HOST", &registry));
        }
        let run = program.limit(self.timeout + GRACE * 4).run();
        let seen = proxies
            .iter()
            .map(|(peer, proxy)| (*peer, proxy.seen()))
            .collect();
        Played {
            run,
            image,
            seen,
            canaries: self.canaries,
            timeout: self.timeout,
            _config: config,
        }
    }

    fn address(&self, stack: &Stack, peer: Peer) -> String {
        if let Some((_, url)) = self.elsewhere.iter().find(|(of, _)| *of == peer) {
            return url.clone();
        }
        let name = match (peer, self.log) {
            (Peer::Fulcio, _) => "FULCIO_URL",
            (Peer::Registry, _) => return self.registry.host(stack).to_owned(),
            (Peer::Rekor, Log::V1) => "REKOR_URL",
            (Peer::Rekor, Log::V2) => "REKOR2_URL",
            (Peer::Token, _) => "GITHUB_TOKEN_URL",
            (Peer::Tsa, _) => "TSA_URL",
        };
        stack.var(name).to_owned()
    }
}

impl Played {
    /// What came to the proxy of `peer`.
    pub(crate) fn seen(&self, peer: Peer) -> &[Seen] {
        let found = self.seen.iter().find(|(of, _)| *of == peer);
        found.map_or(&[], |(_, seen)| seen)
    }

    /// How many requests with `method` came to `peer`.
    pub(crate) fn asked(&self, peer: Peer, method: &str) -> usize {
        let seen = self.seen(peer).iter();
        seen.filter(|seen| seen.method == method).count()
    }

    /// How many requests a rule has struck.
    pub(crate) fn struck(&self) -> usize {
        let all = self.seen.iter().flat_map(|(_, seen)| seen);
        all.filter(|seen| seen.rule.is_some()).count()
    }

    /// It ended with this error and this exit code, said so in both forms, in time, and nothing is
    /// attached to the image.
    #[track_caller]
    pub(crate) fn refused(&self, code: &str, exit: i32) {
        self.ended(code, exit);
        assert!(self.image.signatures().is_empty(), "attached: {}", self.run);
        assert!(
            self.image.legacy_signature().is_none(),
            "attached: {}",
            self.run
        );
    }

    /// It ended with this error and this exit code, said so in both forms, in time, and claims no
    /// signature.
    #[track_caller]
    pub(crate) fn ended(&self, code: &str, exit: i32) {
        let run = &self.run;
        self.is_decent();
        assert_eq!(run.code, Some(exit), "expected {code}, exit {exit}: {run}");
        let last = run.stderr.lines().last().unwrap_or_default();
        let expected = format!("ambisign: code: {code}; exit {exit}; ");
        assert!(last.starts_with(&expected), "expected `{expected}`: {run}");
        let document = run.json();
        let error = error(&document);
        assert_eq!(error["code"], code, "{run}");
        for exit_code in [&error["exit_code"], &document["exit_code"]] {
            assert_eq!(exit_code, exit, "{run}");
        }
        let said = last.strip_prefix(&expected).unwrap_or_default();
        assert_eq!(error["exists"], said, "{run}");
        assert!(!error["message"].as_str().unwrap_or_default().is_empty());
        assert!(document["images"].as_array().unwrap().len() <= 1, "{run}");
        assert!(document["images"][0]["attached"].is_null(), "{run}");
    }

    /// Neither the log was asked nor a manifest written.
    #[track_caller]
    pub(crate) fn published_nothing(&self) {
        assert_eq!(self.asked(Peer::Rekor, "POST"), 0, "logged: {}", self.run);
        let written = |seen: &&Seen| seen.method == "PUT" && seen.path.contains("/manifests/");
        let registry = self.seen(Peer::Registry).iter();
        assert_eq!(registry.filter(written).count(), 0, "{}", self.run);
        assert_eq!(
            tags(&self.image),
            ["latest"],
            "other tags than before: {}",
            self.run
        );
    }

    /// There is a log entry, which the result names, with the bundle kept in a file; or neither.
    #[track_caller]
    pub(crate) fn left(&self, logged: bool) {
        let run = &self.run;
        let entries = run.json()["images"][0]["log"]
            .as_array()
            .map_or(0, Vec::len);
        assert_eq!(entries, usize::from(logged), "log entries: {run}");
        let kept = std::fs::read_dir(&run.dir).unwrap().count();
        assert_eq!(kept, usize::from(logged), "bundles kept: {run}");
        let said = run.stderr.lines().last().unwrap_or_default();
        assert_eq!(said.contains("a log entry exists at"), logged, "{run}");
        assert_eq!(said.contains("the bundle is in"), logged, "{run}");
        let tags = tags(&self.image);
        assert_eq!(tags, ["latest"], "other tags than before: {run}");
    }

    /// It signed: one signature, with one log entry.
    #[track_caller]
    pub(crate) fn signed(&self) {
        let run = &self.run;
        self.is_decent();
        assert_eq!(run.code, Some(0), "{run}");
        let document = run.json();
        assert_eq!(document["images"][0]["status"], "signed", "{run}");
        assert_eq!(document["images"][0]["log"].as_array().unwrap().len(), 1);
        let signatures = self.image.signatures();
        assert_eq!(signatures.len(), 1, "signatures: {run}");
        let attached = document["images"][0]["attached"]["reference"].as_str();
        let digest = &signatures[0].digest;
        assert!(attached.unwrap_or_default().ends_with(digest), "{run}");
    }

    /// It ended by itself and in time, without a panic and without a secret in what it said.
    #[track_caller]
    pub(crate) fn is_decent(&self) {
        let run = &self.run;
        assert!(!run.hung && run.signal.is_none(), "it hung: {run}");
        assert!(run.took < self.timeout + GRACE, "too late: {run}");
        assert!(!run.stderr.contains("panicked"), "{run}");
        let outputs = run.outputs();
        let mut canaries: Vec<_> = self.canaries.iter().map(String::as_str).collect();
        canaries.push(TOKEN_START);
        assert_no_canary(&canaries, &outputs);
    }
}

/// The error of a result: of the run, else of its image.
fn error(document: &Value) -> &Value {
    match &document["error"] {
        Value::Null => &document["images"][0]["error"],
        error => error,
    }
}

fn tags(image: &Image) -> Vec<String> {
    let list = image.get("tags/list").json();
    let tags = list["tags"].as_array().unwrap().iter();
    tags.map(|tag| tag.as_str().unwrap().to_owned()).collect()
}

/// An image that nobody has signed, in a repository of its own: a config without layers.
pub(crate) fn fresh_image(host: &str) -> Image {
    let repository = format!("refuse/{}", unique());
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[]}},"author":"{repository}"}}"#
    );
    let session = send(
        host,
        ("POST", &format!("/v2/{repository}/blobs/uploads/")),
        "",
        "",
    );
    let session = session.header("location").unwrap().to_owned();
    let session = match session.split_once(host) {
        Some((_, path)) => path.to_owned(),
        None => session,
    };
    let digest = sha256(config.as_bytes());
    let glue = if session.contains('?') { '&' } else { '?' };
    let path = format!("{session}{glue}digest={digest}");
    let stored = send(host, ("PUT", &path), "application/octet-stream", &config);
    assert_eq!(stored.status, 201, "the config");
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}},"layers":[]}}"#,
        config.len()
    );
    let path = format!("/v2/{repository}/manifests/latest");
    let stored = send(host, ("PUT", &path), media_type, &manifest);
    assert_eq!(stored.status, 201, "the manifest");
    Image {
        host: host.to_owned(),
        repository,
        digest: sha256(manifest.as_bytes()),
    }
}

/// One request with a body, by hand.
pub(crate) fn send(host: &str, (method, path): (&str, &str), kind: &str, body: &str) -> Reply {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let raw = exchange(host, &request).unwrap();
    Reply::parse(&raw).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    format!("sha256:{}", hex::encode(sha2::Sha256::digest(bytes)))
}

/// How many entries the log has.
pub(crate) fn entries(stack: &Stack, log: Log) -> u64 {
    match log {
        Log::V1 => {
            let host = stack.var("REKOR_URL").trim_start_matches("http://");
            get(host, "/api/v1/log", &[]).json()["treeSize"]
                .as_u64()
                .unwrap()
        }
        Log::V2 => {
            // The checkpoint is published a moment after the answer.
            std::thread::sleep(Duration::from_millis(600));
            let host = stack.var("REKOR2_URL").trim_start_matches("http://");
            let note = get(host, "/api/v2/checkpoint", &[]).body;
            let note = String::from_utf8(note).unwrap();
            note.lines().nth(1).unwrap().parse().unwrap()
        }
    }
}

/// A look at the logs before runs that must not reach them.
pub(crate) struct Watch<'a> {
    stack: &'a Stack,
    before: [u64; 2],
}

impl<'a> Watch<'a> {
    /// The stack must be alone.
    pub(crate) fn start(stack: &'a Stack) -> Self {
        let before = Log::ALL.map(|log| entries(stack, log));
        Self { stack, before }
    }

    /// The logs are as they were, and were asked for nothing.
    #[track_caller]
    pub(crate) fn nothing_logged(self) {
        let after = Log::ALL.map(|log| entries(self.stack, log));
        assert_eq!(after, self.before, "log entries");
        let journal = self.stack.journal().into_iter();
        let asked = journal.filter(|asked| asked.method == "POST");
        let asked = asked.filter(|asked| asked.service.starts_with("rekor"));
        assert_eq!(asked.count(), 0, "requests to the logs");
    }
}

/// Runs `play` for each of `rows`, several at a time, and tells at the end which of them failed.
pub(crate) fn each<R: Sync>(
    at_once: usize,
    rows: &[R],
    name: impl Fn(&R) -> String + Sync,
    play: impl Fn(&R) + Sync,
) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let began = Instant::now();
    let work = || {
        while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
            let once = std::panic::AssertUnwindSafe(|| play(row));
            if std::panic::catch_unwind(once).is_err() {
                let name = name(row);
                println!("^^^ {name}");
                failed.lock().unwrap().push(name);
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|one| one.join().unwrap());
    });
    let failed = failed.into_inner().unwrap();
    println!("{} rows in {:?}", rows.len(), began.elapsed());
    assert!(
        failed.is_empty(),
        "{} of {} rows failed:\n  {}",
        failed.len(),
        rows.len(),
        failed.join("\n  ")
    );
}
