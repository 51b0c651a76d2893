// SPDX-License-Identifier: Apache-2.0
//! What people get wrong, one row each.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::fault::{At, Fault, FaultProxy, Rule};
use crate::common::{
    Finished, Image, Log, Mirror, Registry, Service, Stack, closed_url, signing_config_with,
};
use crate::patient::{Patient, an_image, assert_nothing_made, path};

const PUBLIC: &str = include_str!("../vectors/roots/production/trusted_root.json");
const ACCOUNT: &str = "@demo.iam.gserviceaccount.com";

/// One misconfiguration and what is said of it.
struct Row {
    name: &'static str,
    patient: Patient,
    /// A part of the line that names it, behind its mark and its stage.
    line: &'static str,
    /// A part of its fix.
    fix: &'static str,
    /// `mark stage code`.
    told: [&'static str; 3],
    exit: i32,
    /// Whether `sign --dry-run` meets it too.
    sign: Sign,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// It ends with the same exit code and the same code.
    Same,
    /// It is met after the certificate is asked for, or is a warning.
    Later,
}

/// The part of the output that begins with `mark stage` and holds `line`, to the next finding.
fn finding<'a>(run: &'a Finished, [mark, stage, code]: [&str; 3], line: &str) -> Vec<&'a str> {
    let start = format!("{mark:<4}  {stage:<8}  ");
    let code = format!("code: {code}");
    let lines: Vec<&str> = run.stdout.lines().collect();
    for (at, first) in lines.iter().enumerate() {
        let below = lines.iter().skip(at + 1);
        let below: Vec<&str> =
            below.take_while(|line| line.starts_with("      ")).copied().collect();
        let coded = below.iter().any(|line| line.trim() == code);
        if first.starts_with(&start) && first.contains(line) && coded {
            return [vec![*first], below].concat();
        }
    }
    panic!("no `{start}...{line}` with `{code}` in {run}");
}

impl Row {
    #[track_caller]
    fn assert(&self, stack: &Stack) {
        stack.reset_journal();
        let run = self.patient.doctor(&[]);
        assert_eq!(run.code, Some(self.exit), "{}: {run}", self.name);
        assert_nothing_made(stack, &run);
        let found = finding(&run, self.told, self.line);
        let fixed = |line: &&str| line.trim().starts_with("fix: ") && line.contains(self.fix);
        assert!(found.iter().any(fixed), "{}: {found:?}", self.name);
        let verdict = run.stdout.lines().last().unwrap();
        let end = match self.exit {
            0 => "`ambisign sign` would sign".to_owned(),
            exit => format!("`ambisign sign` would end with exit {exit}"),
        };
        assert!(verdict.starts_with("doctor found "), "{run}");
        assert!(verdict.ends_with(&end), "{}: {verdict}", self.name);
        let document = self.patient.doctor(&["--output", "json"]).expect(self.exit).json();
        assert_eq!(document["exit_code"], self.exit, "{}", self.name);
        let codes = document["findings"].as_array().unwrap();
        assert!(codes.iter().any(|one| one["code"] == self.told[2]), "{document}");
        if self.sign == Sign::Same {
            let run = self.patient.sign(&["--dry-run"]).expect(self.exit);
            let code = format!("ambisign: code: {}; exit {}; ", self.told[2], self.exit);
            assert!(run.stderr.contains(&code), "{}: no `{code}` in {run}", self.name);
        }
    }
}

fn assert_all(stack: &Stack, rows: &[Row]) {
    for row in rows {
        row.assert(stack);
    }
}

/// A row about the provider or the token, met by `sign` too.
fn identity(
    name: &'static str,
    patient: Patient,
    told: [&'static str; 3],
    [line, fix]: [&'static str; 2],
) -> Row {
    Row { name, patient, line, fix, told, exit: 3, sign: Sign::Same }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn a_job_without_an_identity() {
    let stack = Stack::alone();
    let (image, dir) = (an_image(&stack), TempDir::new().unwrap());
    let job = || Patient::of(&stack).image(&image);
    let event = dir.path().join("event.json");
    let fork = json!({"pull_request": {"head": {"repo": {"full_name": "eve/app"}}, "base": {"repo": {"full_name": "acme/app"}}}});
    std::fs::write(&event, fork.to_string()).unwrap();
    let pull_request = job().env("GITHUB_ACTIONS", "true").env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", path(&event));
    let provider = |code| ["fail", "provider", code];
    let rows = [
        identity("GitHub without id-token: write", job().env("GITHUB_ACTIONS", "true"), provider("github/not-permitted"),
            ["this GitHub job may not request identity tokens", "add `permissions: {id-token: write}`"]),
        identity("Dependabot", job().env("GITHUB_ACTIONS", "true").env("GITHUB_ACTOR", "dependabot[bot]"), provider("github/dependabot"),
            ["runs that Dependabot started get no identity token", "skip this step for Dependabot"]),
        identity("a fork", pull_request, provider("github/fork"),
            ["pull requests from forks get no identity token", "skip this step with `if:"]),
        identity("GitLab without id_tokens", job().env("GITLAB_CI", "true"), provider("gitlab/no-token"),
            ["this GitLab job has no `SIGSTORE_ID_TOKEN`", "add `id_tokens: {SIGSTORE_ID_TOKEN: {aud: sigstore}}`"]),
        identity("a platform of which no token can be fetched", job().env("BUILDKITE", "true"), provider("buildkite/unsupported"),
            ["Buildkite", "SIGSTORE_ID_TOKEN"]),
        identity("two identities that somebody asked for",
            job().env("GOOGLE_SERVICE_ACCOUNT_NAME", &format!("signer{ACCOUNT}")).env("SPIFFE_ENDPOINT_SOCKET", "unix:///none"),
            provider("provider/ambiguous"), ["more than one identity can be used here", "--oidc-provider google-impersonate"]),
        identity("an empty variable", job().env("SIGSTORE_ID_TOKEN", ""), provider("env-var/empty"),
            ["`SIGSTORE_ID_TOKEN` is set but empty", "SIGSTORE_ID_TOKEN"]),
        identity("nothing at all", job(), provider("provider/no-identity"), ["no identity was found", "set `SIGSTORE_ID_TOKEN`"]),
        identity("a provider that is not here", job().args(&["--oidc-provider", "github-actions"]), provider("provider/not-detected"),
            ["`github-actions` is requested but not available", "remove `--oidc-provider`"]),
        identity("an account that is no e-mail address", job().env("GOOGLE_SERVICE_ACCOUNT_NAME", "signer"), provider("impersonation/name"),
            ["signer", "NAME@PROJECT.iam.gserviceaccount.com"]),
    ];
    assert_all(&stack, &rows);
}

/// What Cloud Build's metadata server says to a build without an account of its own.
fn default_build_account(stack: &Stack) -> FaultProxy {
    const FLAVOR: &[(&str, &str)] = &[("metadata-flavor", "Google")];
    let rules = vec![
        Rule::on("GET", At::Contains("/default/identity"), Fault::Status(404, FLAVOR, "Not Found")),
        Rule::on(
            "GET",
            At::Contains("/default/email"),
            Fault::Status(200, FLAVOR, "1088@cloudbuild.gserviceaccount.com"),
        ),
    ];
    FaultProxy::start(stack.var("GCE_METADATA"), rules)
}

#[test]
#[ignore = "needs the real stack: tests/run"]
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn a_token_that_is_not_given_or_not_usable() {
    let stack = Stack::alone();
    let image = an_image(&stack);
    let job = || Patient::of(&stack).image(&image);
    let token = |claims: &[&str]| job().token(&stack.token("github", claims));
    let ahead = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 400;
    let build = default_build_account(&stack);
    let denied = format!("denied{ACCOUNT}");
    let denied = job().env("GOOGLE_SERVICE_ACCOUNT_NAME", &denied).env("GCE_METADATA_HOST", stack.var("GCE_METADATA"))
        .env("HTTPS_PROXY", stack.var("PROXY")).env("SSL_CERT_FILE", stack.var("PROXY_CA"));
    let build_job = job().env("BUILDER_OUTPUT", "/builder/outputs").env("GCE_METADATA_HOST", &build.host()).keep(build);
    let refused = |code| ["fail", "identity", code];
    let rows = [
        identity("a wrong audience", token(&["--aud=pypi"]), refused("identity/audience"),
            ["the identity token is for audience [\"pypi\"]", "mint the token with audience \"sigstore\""]),
        identity("a token that is over", token(&["--ttl=-100"]), refused("identity/expired"),
            ["the identity token expired ", "mint the token for `SIGSTORE_ID_TOKEN` in the step that signs"]),
        identity("a clock that is behind", token(&[&format!("iat={ahead}"), &format!("nbf={ahead}")]), refused("identity/not-yet-valid"),
            ["is not valid for another", "set the clock"]),
        identity("no token at all", job().token("s3cr3t-s3cr3t"), refused("identity/not-a-jwt"),
            ["is not a JSON Web Token", "pass the raw token"]),
        identity("a missing role", denied, refused("impersonation/denied"),
            ["token: ", "grant ci@demo.iam.gserviceaccount.com `roles/iam.serviceAccountOpenIdTokenCreator` on denied@"]),
        identity("Cloud Build's default account", build_job, refused("gce/default-build-account"),
            ["Cloud Build's default service account", "give the build its own `serviceAccount:`"]),
        identity("another identity than is required", token(&["iss=https://agent.buildkite.com", "organization_slug=acme", "pipeline_slug=app"])
            .args(&["--require-identity", "https://buildkite.com/acme/other"]), refused("identity/not-required"),
            ["certificate: the identity of this run is \"https://buildkite.com/acme/app\"", "--require-identity"]),
    ];
    assert_all(&stack, &rows);
}

/// A trusted root of the stack, changed, in a file.
fn changed_root(stack: &Stack, dir: &Path, name: &str, change: impl Fn(&mut Value)) -> PathBuf {
    let text = std::fs::read(stack.var("TRUSTED_ROOT")).unwrap();
    let mut root: Value = serde_json::from_slice(&text).unwrap();
    change(&mut root);
    let path = dir.join(name);
    std::fs::write(&path, root.to_string()).unwrap();
    path
}

fn with_public_log(root: &mut Value) {
    let public: Value = serde_json::from_str(PUBLIC).unwrap();
    let logs = root["tlogs"].as_array_mut().unwrap();
    logs.push(public["tlogs"][0].clone());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn a_private_repository_and_an_issuer_that_is_not_trusted() {
    let stack = Stack::alone();
    let (image, dir) = (an_image(&stack), TempDir::new().unwrap());
    let root = changed_root(&stack, dir.path(), "public.json", with_public_log);
    let config = Log::V2.signing_config(&stack).display().to_string();
    let job = |issuer, claims: &[&str]| Patient::by_files(path(&root), &config).token(&stack.token(issuer, claims)).image(&image);
    let private = ["repository: the repository is private, and signing puts its name, workflow, commit", "--allow-private-repository"];
    let guard = ["fail", "identity", "identity/private"];
    let claims = ["iss=https://gitlab.acme.example"];
    let mut rows = vec![
        identity("a private repository of GitHub", job("github", &["repository_visibility=private"]), guard, private),
        identity("a private project of GitLab", job("gitlab", &["project_visibility=private"]), guard, private),
        Row {
            sign: Sign::Later,
            ..identity("a GitLab that the public instance does not trust", job("gitlab", &claims), ["fail", "identity", "fulcio/refused"],
                ["takes no tokens of https://gitlab.acme.example", "use a Fulcio that accepts tokens of https://gitlab.acme.example"])
        },
    ];
    assert_all(&stack, &rows);
    // By consent it is a warning, and the same is said of what becomes public.
    rows.truncate(1);
    let patient = rows.remove(0).patient.args(&["--yes"]);
    let run = patient.doctor(&[]).expect(0);
    finding(&run, ["warn", "identity", "identity/disclosure"], "into a public log permanently");
}

fn row(
    name: &'static str,
    patient: Patient,
    told: [&'static str; 3],
    exit: i32,
    [line, fix]: [&'static str; 2],
) -> Row {
    Row { name, patient, line, fix, told, exit, sign: Sign::Same }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn trust_that_does_not_fit() {
    let stack = Stack::alone();
    let (image, dir) = (an_image(&stack), TempDir::new().unwrap());
    let token = stack.token("github", &[]);
    let config = Log::V2.signing_config(&stack).display().to_string();
    let over = changed_root(&stack, dir.path(), "over.json", |root| {
        for authority in root["certificateAuthorities"].as_array_mut().unwrap() {
            authority["validFor"] = json!({"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"});
        }
    });
    let mirror = || Patient::by_mirror(stack.var("TUF_MIRROR_URL"), stack.var("TUF_ROOT_FILE"));
    let targets = [("trusted_root.json", Path::new(stack.var("TRUSTED_ROOT"))), ("signing_config.v0.2.json", Log::V2.signing_config(&stack))];
    let late = Mirror::valid(&stack, &targets, &[("timestamp", -1)]);
    let soon = Mirror::valid(&stack, &targets, &[("root", 3)]);
    let by = |mirror: &Mirror| Patient::by_mirror(&mirror.url(), path(&mirror.root()));
    let fail = |code| ["fail", "trust", code];
    let rows = [
        row("another Fulcio without trusted root", mirror().args(&["--fulcio-url", "https://fulcio.acme.example"]), fail("trust/unknown"), 4,
            ["the trusted root of the TUF mirror does not list the Fulcio https://fulcio.acme.example/", "`ambisign trust create` makes one"]),
        row("a trusted root that is over", Patient::by_files(path(&over), &config), fail("trust/insufficient"), 4,
            ["the trusted root has no certificate authority that is valid now", "pass a newer trusted root"]),
        row("a signing config without trusted root", Patient::default().args(&["--signing-config", "/none.json", "--trusted-root", "/none.json"]),
            fail("trust/read"), 4, ["`/none.json` cannot be read", "check the file"]),
        row("TUF metadata that is over", by(&late), fail("tuf/expired"), 4, ["`timestamp.json` of the TUF mirror expired", ""]),
        row("a mirror that is out of reach", Patient::by_mirror(&closed_url(), stack.var("TUF_ROOT_FILE")).args(&["--timeout", "20s"]),
            fail("tuf/unreachable"), 75, ["the TUF mirror gave no usable answer", "let this machine reach that host"]),
        Row { sign: Sign::Later, ..row("TUF metadata that ends soon", by(&soon), ["warn", "trust", "trust/ends-soon"], 0,
            ["root.json: valid until", "inform the operators of the instance"]) },
    ];
    let rows = rows.map(|row| Row { patient: row.patient.token(&token).image(&image), ..row });
    assert_all(&stack, &rows);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn a_registry_that_says_no() {
    const BASIC: &[(&str, &str)] = &[("www-authenticate", "Basic realm=\"registry\"")];
    const DENIED: &str = r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    let stack = Stack::alone();
    let (image, dir) = (an_image(&stack), TempDir::new().unwrap());
    let token = stack.token("github", &[]);
    let job = || Patient::of(&stack).token(&token);
    let rule = |method, fault| vec![Rule::on(method, At::Any, fault)];
    let closed = [rule("GET", Fault::Status(401, BASIC, DENIED)), rule("POST", Fault::Status(401, BASIC, DENIED))].concat();
    let missing = Image { digest: format!("sha256:{}", "0".repeat(64)), ..image.clone() };
    std::fs::write(dir.path().join("config.json"), "{\"auths\":").unwrap();
    let broken = job().env("DOCKER_CONFIG", path(dir.path())).image(&image);
    let no = |code| ["fail", "registry", code];
    let rows = [
        row("no credentials", job().env("DOCKER_CONFIG", "/none").image_behind(&image, closed), no("registry/unauthorized"), 6,
            ["denied access (HTTP 401: `{\"errors\"", "log in before this step: `docker login "]),
        row("no push right", job().image_behind(&image, rule("POST", Fault::Status(403, &[], DENIED))), no("registry/push-denied"), 6,
            ["does not accept pushes (HTTP 403: `{\"errors\"", "log in before this step: `docker login "]),
        row("an image that is not pushed yet", job().image(&missing), no("registry/not-found"), 6, ["is not in the registry", "push the image before this step"]),
        row("a file of logins that is broken", broken, no("registry/credentials"), 2, ["cannot be used", "correct the file"]),
        row("one image of two", job().image(&image).image(&missing), no("registry/not-found"), 7, ["is not in the registry", "push the image before this step"]),
        row("a tag where a digest is due", job().args(&["--require-digest", &image.tagged()]), ["fail", "settings", "settings/tag"], 2,
            ["is named by tag", "write `repository@sha256:...`"]),
    ];
    assert_all(&stack, &rows);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn services_that_cannot_be_used() {
    const HOUR_AGO: Fault = Fault::Status(200, &[("date", "Wed, 01 Jan 2025 00:00:00 GMT")], "{\"issuers\":[]}");
    let stack = Stack::alone();
    let (image, dir, other) = (an_image(&stack), TempDir::new().unwrap(), TempDir::new().unwrap());
    let token = stack.token("github", &[]);
    let down = closed_url();
    let config = signing_config_with(Log::V2.signing_config(&stack), dir.path(), Service::Fulcio, "https://fulcio.sigstore.dev");
    let untrusted = Patient::by_files(stack.var("TRUSTED_ROOT"), path(&config)).env("HTTPS_PROXY", &stack.var("PROXY").replace("://", "://user:c4n4ry-c4n4ry@")).secret("c4n4ry-c4n4ry");
    let old = |name, service| {
        let proxy = FaultProxy::start(stack.var(name), vec![Rule::on("GET", At::Any, HOUR_AGO)]);
        (service, proxy)
    };
    let clocks = [old("FULCIO_URL", Service::Fulcio), old("REKOR2_URL", Service::Rekor), old("TSA_URL", Service::Tsa)];
    let config = clocks.iter().fold(Log::V2.signing_config(&stack).to_owned(), |config, (service, proxy)| {
        signing_config_with(&config, other.path(), *service, &proxy.url())
    });
    let behind = Patient::by_files(stack.var("TRUSTED_ROOT"), path(&config)).keep(clocks);
    let hangs = FaultProxy::start(stack.var("FULCIO_URL"), vec![Rule::on("GET", At::Any, Fault::Hang)]);
    let hanging = Patient::with_service(&stack, Service::Fulcio, &hangs.url()).keep(hangs).args(&["--timeout", "3s"]);
    let rows = [
        row("a Fulcio that does not answer", hanging, ["fail", "services", "fulcio/unreachable"], 75,
            ["gives no usable answer", "raise `--timeout`"]),
        row("TLS without its CA", untrusted, ["fail", "services", "fulcio/tls"], 5,
            ["the Fulcio https://fulcio.sigstore.dev/ gives no usable answer", "--ca-file"]),
        row("a log that is down", Patient::with_service(&stack, Service::Rekor, &down), ["fail", "services", "rekor/unreachable"], 75,
            ["cannot be reached", "let this machine reach 127.0.0.1:"]),
        row("a timestamp authority that is down", Patient::with_service(&stack, Service::Tsa, &down), ["fail", "services", "timestamp/unreachable"], 75,
            ["cannot be reached", "let this machine reach 127.0.0.1:"]),
        row("a clock that is wrong", behind, ["warn", "identity", "identity/clock"], 3, ["the clock of this machine is ", "set the clock of the machine (NTP)"]),
    ];
    let rows = rows.map(|row| Row { patient: row.patient.token(&token).image(&image), sign: Sign::Later, ..row });
    assert_all(&stack, &rows);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn settings_that_are_wrong() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Referrers, "doctor/app", 1);
    let token = stack.token("github", &[]);
    let job = || Patient::of(&stack).token(&token).image(&image);
    let no = |code| ["fail", "settings", code];
    let rows = [
        row("a misspelt variable", job().env("AMBISIGN_REKOR_ULR", "https://rekor.acme.example"), no("settings/unknown-variable"), 2,
            ["`AMBISIGN_REKOR_ULR` is not a variable of ambisign", "did you mean `AMBISIGN_REKOR_URL`?"]),
        row("a variable that must not decide", job().args(&["--public-instance"]).env("SSL_CERT_FILE", stack.var("PROXY_CA")),
            no("settings/decides"), 2, ["`SSL_CERT_FILE` decides who gets the identity token", "unset `SSL_CERT_FILE`"]),
        row("plain http", job().args(&["--tsa-url", "http://tsa.acme.example"]), no("settings/value"), 2,
            ["the value of `--tsa-url` is not an https URL", "set `--tsa-url` to an https URL"]),
        row("an image that cannot be read", job().args(&["ghcr.io/acme/App@sha256:12"]), no("reference/digest"), 2, ["ghcr.io/acme/App@sha256:12", ""]),
        Row { sign: Sign::Later, ..row("a variable of cosign", job().env("COSIGN_TIMEOUT", "3m"), ["warn", "settings", "settings/unread-variable"], 0,
            ["`COSIGN_TIMEOUT` has no effect", "set `AMBISIGN_TIMEOUT` in its place"]) },
    ];
    assert_all(&stack, &rows);
}
