// SPDX-License-Identifier: Apache-2.0
//! A CI job that signs: the program with the stack's services, and the secrets that it holds.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use crate::common::{Finished, Image, Log, Program, Stack, assert_no_canary};

/// The issuer and the identity of the stack's metadata server.
pub(crate) const MACHINE: (&str, &str) = ("google", "ci@demo.iam.gserviceaccount.com");
/// The request token of the stack's GitHub endpoint.
const REQUEST_TOKEN: &str = "realstack-request-token";
/// The access token of the stack's Google.
const ACCESS_TOKEN: &str = "realstack-access-token";

/// `ambisign sign`, about to run. It talks as much as it can, and whatever it says is searched for
/// the secrets of the job.
pub(crate) struct Job {
    program: Program,
    secrets: Vec<String>,
}

impl Job {
    /// Signs with the stack's services and the log that is named; without any identity.
    pub(crate) fn new(stack: &Stack, log: Log) -> Self {
        Self::with_config(stack, log.signing_config(stack))
    }

    /// Signs with the services of `signing_config`, believed as the stack's are.
    pub(crate) fn with_config(stack: &Stack, signing_config: &Path) -> Self {
        Self::with_trust(Path::new(stack.var("TRUSTED_ROOT")), signing_config)
    }

    /// Signs with the services of `signing_config`, and believes `trusted_root`.
    pub(crate) fn with_trust(trusted_root: &Path, signing_config: &Path) -> Self {
        let program = Program::ambisign()
            .args(["sign", "--verbose", "--trusted-root"])
            .arg(trusted_root)
            .arg("--signing-config")
            .arg(signing_config);
        Self { program, secrets: vec![REQUEST_TOKEN.to_owned(), ACCESS_TOKEN.to_owned()] }
    }

    /// Signs with what the TUF mirror at `url` says, judged by `root`; remembers nothing.
    pub(crate) fn by_mirror(url: &str, root: impl AsRef<OsStr>) -> Self {
        let program = Program::ambisign()
            .args(["sign", "--verbose", "--tuf-mirror", url, "--tuf-root"])
            .arg(root);
        Self { program, secrets: vec![REQUEST_TOKEN.to_owned(), ACCESS_TOKEN.to_owned()] }
    }

    /// A job with a fresh token of the stack's `github` in `SIGSTORE_ID_TOKEN`.
    pub(crate) fn ready(stack: &Stack, log: Log) -> Self {
        Self::new(stack, log).token(&stack.token("github", &[]))
    }

    /// The token in `SIGSTORE_ID_TOKEN`.
    pub(crate) fn token(self, token: &str) -> Self {
        self.secret(token).env("SIGSTORE_ID_TOKEN", token)
    }

    /// A job of GitHub Actions that may request tokens.
    pub(crate) fn github(self, stack: &Stack) -> Self {
        self.github_at(stack.var("GITHUB_TOKEN_URL"))
    }

    /// A job of GitHub Actions that may request tokens, at another place.
    pub(crate) fn github_at(self, url: &str) -> Self {
        self.env("GITHUB_ACTIONS", "true")
            .env("CI", "true")
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", url)
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
    }

    /// A machine with a metadata server.
    pub(crate) fn machine(self, stack: &Stack) -> Self {
        self.env("GCE_METADATA_HOST", stack.var("GCE_METADATA"))
    }

    /// Public names are answered by the stack.
    pub(crate) fn proxy(self, stack: &Stack) -> Self {
        self.env("HTTPS_PROXY", stack.var("PROXY")).env("SSL_CERT_FILE", stack.var("PROXY_CA"))
    }

    /// Must not be seen in anything that the program says or writes.
    pub(crate) fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    /// One environment variable.
    pub(crate) fn env(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.map(|program| program.env(name, value))
    }

    /// Several arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        self.map(|program| program.args(args))
    }

    /// An image to sign, by its digest.
    pub(crate) fn image(self, image: &Image) -> Self {
        self.args([image.reference()])
    }

    /// Whatever else [`Program`] can do.
    pub(crate) fn map(self, change: impl FnOnce(Program) -> Program) -> Self {
        Self { program: change(self.program), ..self }
    }

    /// Runs it to its end, and stops the test when a secret is in what it said or wrote.
    #[track_caller]
    pub(crate) fn run(self) -> Finished {
        let run = self.program.run();
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        assert_no_canary(&secrets, &run.outputs());
        // The second part of any token, the test's or not: a point and an object in base64.
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(!said.contains(".eyJ"), "a token is in {run}");
        run
    }

    /// Runs it with one document as its result.
    #[track_caller]
    pub(crate) fn document(self, code: i32) -> Value {
        self.args(["--output", "json"]).run().expect(code).json()
    }

    /// Runs it and expects a failure of the whole run: its exit code and its code.
    #[track_caller]
    pub(crate) fn refused(self, exit: i32, code: &str) -> Finished {
        let run = self.run().expect(exit);
        let line = format!("ambisign: code: {code}; exit {exit}; ");
        assert!(run.stderr.contains(&line), "no `{line}` in {run}");
        assert!(run.stdout.is_empty(), "nothing was signed: {run}");
        run
    }
}
