// SPDX-License-Identifier: Apache-2.0
//! Where a transcript plays: a folder, an environment, and peers on loopback.
//!
//! | line | sets |
//! |---|---|
//! | `in FOLDER` | where the commands run, if not in the folder of the transcript |
//! | `interrupt` | `[SILENT]`, a peer that answers nothing: the first command that asks it gets SIGINT |
//! | `mirror FAULT` | `[MIRROR]`, a TUF mirror of a sandbox's documents, and its `root.json` |
//! | `pem` | the certificates and keys of the sandbox as files |
//! | `sandbox LIE...` | a sandbox in the folder `sandbox`, that tells these lies |
//! | `github` | the variables of a GitHub job that may ask for tokens, and the files of its runner |
//! | `token ISSUER claim=value...` | `[TOKEN]`, with changed claims |
//! | `peer STATUS <Name: value> BODY` | `[PEER]`, which answers everything so; the header may lack |
//! | `env NAME=VALUE` | a variable; there are no others |
//! | `file NAME`, then lines that begin with a bar | a file |
//! | `before ambisign ...` | a command that goes well and is not shown |
//! | `replace FILE OLD => NEW` | other text in a file |
//! | `unordered` | nothing, but the order of lines does not count |
//! | `show FILE` | nothing, but the file is shown after a command that writes it |

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ambisign_sandbox::{Lie, Options, REQUEST_TOKEN, Sandbox};
use serde_json::{Map, Value};
use snapbox::Redactions;
use tempfile::TempDir;

use crate::mirror::Mirror;
use crate::peer;
use crate::redact;
use crate::script;

/// The repositories that every registry of a sandbox has, each with one image.
const IMAGES: [(&str, &str); 2] = [("acme/app", "[DIGEST]"), ("acme/web", "[OTHER_DIGEST]")];

/// The services of a sandbox: the word in a transcript, and the name of the sandbox's variable.
const SERVICES: [(&str, &str); 9] = [
    ("[FULCIO]", "FULCIO_URL"),
    ("[OIDC]", "OIDC_URL"),
    ("[PROXY]", "PROXY"),
    ("[REGISTRY]", "REGISTRY_REFERRERS"),
    ("[REGISTRY_LOGIN]", "REGISTRY_LOGIN"),
    ("[REGISTRY_TAGS]", "REGISTRY"),
    ("[REKOR]", "REKOR_URL"),
    ("[REKOR_TWO]", "REKOR2_URL"),
    ("[TSA]", "TSA_URL"),
];

/// Trust material of the public instance, among other things.
const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

/// The line of a transcript in which the order of lines does not count.
pub(crate) const UNORDERED: &str = "unordered";

/// The login of a sandbox's registry, as in the file of Docker.
const LOGIN: &str = "c2FuZGJveDpzYW5kYm94LXBhc3N3b3Jk";

/// The job of a GitHub workflow, without what asks for tokens.
const GITHUB: [(&str, &str); 8] = [
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_OUTPUT", "[DIR]/GITHUB_OUTPUT"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_REPOSITORY", "acme/app"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_STEP_SUMMARY", "[DIR]/GITHUB_STEP_SUMMARY"),
    ("GITHUB_WORKFLOW_REF", "acme/app/.github/workflows/release.yml@refs/heads/main"),
    ("RUNNER_TEMP", "[DIR]/runner"),
];

/// The files of a runner, which it empties for each step.
const RUNNER_FILES: [&str; 2] = ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"];

/// The files of an operator: the name, the kind, and where in the trusted root the content is.
const PEM: [(&str, &str, &[&str]); 4] = [
    ("ctfe.pub", "PUBLIC KEY", &["/ctlogs/0/publicKey/rawBytes"]),
    (
        "fulcio.pem",
        "CERTIFICATE",
        &[
            "/certificateAuthorities/0/certChain/certificates/0/rawBytes",
            "/certificateAuthorities/0/certChain/certificates/1/rawBytes",
        ],
    ),
    ("rekor.pub", "PUBLIC KEY", &["/tlogs/0/publicKey/rawBytes"]),
    (
        "tsa.pem",
        "CERTIFICATE",
        &[
            "/timestampAuthorities/0/certChain/certificates/0/rawBytes",
            "/timestampAuthorities/0/certChain/certificates/1/rawBytes",
        ],
    ),
];

/// Where a transcript plays.
pub(crate) struct Stage {
    dir: TempDir,
    env: Vec<(String, String)>,
    /// What the words in brackets stand for.
    words: Vec<(&'static str, String)>,
    sandbox: Option<Sandbox>,
    /// Files that are shown when a command changes them, with their last content.
    shown: Vec<(String, String)>,
    /// The file that lines with a bar go to.
    file: String,
    /// Where commands run, if not in `dir`.
    folder: Option<PathBuf>,
    /// Whether somebody has asked the silent peer, after which the command gets a signal.
    interrupter: Option<Arc<AtomicBool>>,
}

impl Default for Stage {
    fn default() -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().to_str().unwrap().to_owned();
        Self {
            dir,
            env: Vec::new(),
            words: vec![
                ("[DIR]", path),
                ("[VECTORS]", VECTORS.to_owned()),
                ("[LOGIN]", LOGIN.to_owned()),
                ("[SOON]", redact::soon()),
            ],
            folder: None,
            interrupter: None,
            sandbox: None,
            shown: Vec::new(),
            file: String::new(),
        }
    }
}

impl Stage {
    /// Does what the head of a transcript says.
    pub(crate) fn set(&mut self, head: &[String]) {
        for line in head.iter().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
            match verb {
                "|" => self.append(rest),
                "before" => self.before(rest),
                "env" => self.variable(rest),
                "file" => self.file = self.expand(rest),
                "github" => self.github(),
                "in" => self.folder = Some(PathBuf::from(rest)),
                "interrupt" => self.interrupt(),
                "mirror" => self.mirror(rest),
                "pem" => self.pem(),
                "peer" => self.peer(rest),
                "replace" => self.replace(rest),
                "sandbox" => self.sandbox(rest),
                "show" => self.shown.push((rest.to_owned(), String::new())),
                "token" => self.token(rest),
                UNORDERED => {}
                _ => panic!("a transcript has no line `{verb}`"),
            }
        }
    }

    /// Runs the program as `command` says: words, of which some may be in single quotes.
    pub(crate) fn run(&mut self, command: &str) -> Output {
        let mut words = script::words(&self.expand(command)).into_iter();
        assert_eq!(words.next().as_deref(), Some("ambisign"), "{command}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ambisign"));
        command
            .args(words)
            .env_clear()
            .envs(self.env.iter().cloned())
            .current_dir(self.folder.as_deref().unwrap_or_else(|| self.dir.path()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        if let Some(asked) = self.interrupter.take() {
            while !asked.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(5));
            }
            let signal = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status();
            assert!(signal.unwrap().success(), "the signal could not be sent");
        }
        child.wait_with_output().unwrap()
    }

    /// The files to show that were written since the last call, with their content. A runner empties
    /// its own for each step.
    pub(crate) fn written(&mut self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for (name, last) in &mut self.shown {
            let path = self.dir.path().join(&name);
            let content = std::fs::read_to_string(&path).unwrap_or_default();
            if content != *last {
                files.push((name.clone(), content.clone()));
            }
            if RUNNER_FILES.contains(&name.as_str()) {
                std::fs::write(path, "").unwrap();
            } else {
                *last = content;
            }
        }
        files
    }

    /// `text` with words in the place of what differs from run to run.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut own = Redactions::new();
        for (word, value) in &self.words {
            own.insert(word, value.clone()).unwrap();
        }
        redact::common(&own.redact(text))
    }

    /// `text` with what its words stand for.
    fn expand(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (word, value) in &self.words {
            text = text.replace(word, value);
        }
        text
    }

    /// The file `name`. A star stands for the one folder that is there.
    fn path(&self, name: &str) -> PathBuf {
        let Some((above, below)) = name.split_once("/*/") else {
            return self.dir.path().join(name);
        };
        let mut folders = std::fs::read_dir(self.dir.path().join(above)).unwrap();
        folders.next().unwrap().unwrap().path().join(below)
    }

    fn append(&self, line: &str) {
        let path = self.dir.path().join(&self.file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, format!("{text}{}\n", self.expand(line))).unwrap();
        // Whatever the umask is: a token that others may write is refused.
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    fn before(&mut self, command: &str) {
        let output = self.run(command);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {told}");
    }

    fn variable(&mut self, assignment: &str) {
        let (name, value) = assignment.split_once('=').unwrap();
        let value = self.expand(value);
        self.env.push((name.to_owned(), value));
    }

    fn github(&mut self) {
        for (name, value) in GITHUB {
            self.variable(&format!("{name}={value}"));
        }
        std::fs::create_dir(self.dir.path().join("runner")).unwrap();
        for name in RUNNER_FILES {
            std::fs::write(self.dir.path().join(name), "").unwrap();
            self.shown.push((name.to_owned(), String::new()));
        }
        if let Some(sandbox) = &self.sandbox {
            let url = sandbox.var("GITHUB_TOKEN_URL");
            self.variable(&format!("ACTIONS_ID_TOKEN_REQUEST_URL={url}"));
            self.variable(&format!("ACTIONS_ID_TOKEN_REQUEST_TOKEN={REQUEST_TOKEN}"));
        }
    }

    fn interrupt(&mut self) {
        let (address, asked) = peer::silent();
        self.words.push(("[SILENT]", address));
        self.interrupter = Some(asked);
    }

    /// Serves the documents of the sandbox, which needs not be on the stage itself.
    fn mirror(&mut self, fault: &str) {
        if self.sandbox.is_none() {
            self.sandbox("");
        }
        let read = |name: &str| std::fs::read(self.dir.path().join("sandbox").join(name)).unwrap();
        let (root, config) = (read("trusted_root.json"), read("signing_config.v1.json"));
        let mirror = Mirror::start(&root, &config, fault);
        std::fs::write(self.dir.path().join("root.json"), mirror.root()).unwrap();
        self.words.push(("[MIRROR]", mirror.url()));
    }

    /// What an operator of the sandbox's services would have.
    fn pem(&self) {
        let root = self.sandbox.as_ref().expect("a sandbox comes before its files").trusted_root();
        let root: Value = serde_json::from_str(root).unwrap();
        for (name, kind, pointers) in PEM {
            let blocks = pointers.iter().map(|pointer| {
                let bytes = root.pointer(pointer).and_then(Value::as_str).unwrap().as_bytes();
                let lines = bytes.chunks(64).map(|line| std::str::from_utf8(line).unwrap());
                let lines = lines.collect::<Vec<_>>().join("\n");
                format!("-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n")
            });
            std::fs::write(self.dir.path().join(name), blocks.collect::<String>()).unwrap();
        }
    }

    fn peer(&mut self, rest: &str) {
        let (status, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let header = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (header, body) = header.map_or((None, rest), |(header, body)| (Some(header), body));
        let body = body.trim_start();
        let (status, header, body) =
            (status.to_owned(), header.map(str::to_owned), body.to_owned());
        let address = peer::start(move |own| {
            peer::answer(&status, header.as_deref(), &body).replace("[PEER]", own)
        });
        self.words.push(("[PEER]", address));
    }

    fn replace(&self, rest: &str) {
        let rest = &self.expand(rest);
        let (path, change) = rest.split_once(' ').unwrap();
        let (old, new) = change.split_once(" => ").unwrap();
        let path = self.path(path);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "no `{old}` in {text}");
        std::fs::write(path, text.replace(old, new)).unwrap();
    }

    fn sandbox(&mut self, lies: &str) {
        let lies = lies.split_whitespace().map(|name| name.parse::<Lie>().unwrap());
        let options = Options {
            lies: lies.collect(),
            dir: Some(self.dir.path().join("sandbox")),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).unwrap();
        for (word, name) in SERVICES {
            self.words.push((word, sandbox.var(name)));
        }
        let urls = sandbox.urls();
        let registries = [&urls.registry, &urls.registry_referrers, &urls.registry_login];
        for (name, word) in IMAGES {
            let pushed = registries.map(|registry| sandbox.push_image(registry, name, "1"));
            self.words.extend(pushed[0].clone().map(|digest| (word, digest)));
        }
        self.sandbox = Some(sandbox);
        self.token("github");
    }

    fn token(&mut self, rest: &str) {
        let mut words = rest.split(' ');
        let (issuer, mut claims) = (words.next().unwrap(), Map::new());
        for (name, text) in words.filter_map(|word| word.split_once('=')) {
            let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
            claims.insert(name.to_owned(), value);
        }
        let sandbox = self.sandbox.as_ref().expect("a sandbox comes before a token");
        let token = sandbox.token(issuer, "sigstore", claims).unwrap();
        self.words.retain(|(word, _)| *word != "[TOKEN]");
        self.words.push(("[TOKEN]", token));
    }
}
