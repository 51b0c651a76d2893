// SPDX-License-Identifier: Apache-2.0
//! A job that may be misconfigured: the same command line and environment for `doctor` and for `sign`.

use std::any::Any;
use std::path::Path;

use crate::common::fault::{FaultProxy, Rule};
use crate::common::{
    Finished, Image, Log, Program, Registry, Service, Stack, assert_no_canary, signing_config_with,
};

/// The request token of the stack's GitHub endpoint.
const REQUEST_TOKEN: &str = "realstack-request-token";

/// A job, about to run.
#[derive(Default)]
pub(crate) struct Patient {
    args: Vec<String>,
    env: Vec<(String, String)>,
    secrets: Vec<String>,
    kept: Vec<Box<dyn Any>>,
}

impl Patient {
    /// Believes and uses what the stack has; without any identity and image.
    pub(crate) fn of(stack: &Stack) -> Self {
        Self::by_files(
            stack.var("TRUSTED_ROOT"),
            &Log::V2.signing_config(stack).display().to_string(),
        )
    }

    /// Believes and uses what these files say.
    pub(crate) fn by_files(trusted_root: &str, signing_config: &str) -> Self {
        let patient = Self::default().args(&["--trusted-root", trusted_root]);
        patient.args(&["--signing-config", signing_config])
    }

    /// Believes and uses what the TUF mirror says.
    pub(crate) fn by_mirror(url: &str, root: &str) -> Self {
        Self::default().args(&["--tuf-mirror", url, "--tuf-root", root])
    }

    /// As [`Patient::of`], with `url` in place of one service.
    pub(crate) fn with_service(stack: &Stack, service: Service, url: &str) -> Self {
        let dir = tempfile::TempDir::new().unwrap();
        let config = Log::V2.signing_config(stack);
        let config = signing_config_with(config, dir.path(), service, url);
        let patient = Self::by_files(stack.var("TRUSTED_ROOT"), path(&config));
        patient.keep(dir)
    }

    /// A job of GitHub Actions that may request tokens.
    pub(crate) fn github(self, stack: &Stack) -> Self {
        let url = stack.var("GITHUB_TOKEN_URL");
        self.env("GITHUB_ACTIONS", "true")
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", url)
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
            .secret(REQUEST_TOKEN)
    }

    /// The token in `SIGSTORE_ID_TOKEN`.
    pub(crate) fn token(self, token: &str) -> Self {
        self.env("SIGSTORE_ID_TOKEN", token).secret(token)
    }

    /// Must not be seen in anything that is said.
    pub(crate) fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|arg| (*arg).to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn image(self, image: &Image) -> Self {
        self.args(&[&image.reference()])
    }

    /// The image through a proxy that does this to its registry.
    pub(crate) fn image_behind(self, image: &Image, rules: Vec<Rule>) -> Self {
        let proxy = FaultProxy::start(&image.host, rules);
        self.image(&image.through(&proxy.host())).keep(proxy)
    }

    /// What must live as long as the job.
    pub(crate) fn keep(mut self, kept: impl Any) -> Self {
        self.kept.push(Box::new(kept));
        self
    }

    /// `ambisign doctor`.
    #[track_caller]
    pub(crate) fn doctor(&self, more: &[&str]) -> Finished {
        self.run("doctor", more)
    }

    /// `ambisign sign`, with `more` arguments.
    #[track_caller]
    pub(crate) fn sign(&self, more: &[&str]) -> Finished {
        self.run("sign", more)
    }

    #[track_caller]
    fn run(&self, command: &str, more: &[&str]) -> Finished {
        let mut program = Program::ambisign().args([command]).args(more);
        program = program.args(&self.args);
        for (name, value) in &self.env {
            program = program.env(name, value);
        }
        let run = program.run();
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        assert_no_canary(&secrets, &run.outputs());
        assert!(!run.stdout.contains(".eyJ"), "a token is in {run}");
        run
    }
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An image that nobody signed.
pub(crate) fn an_image(stack: &Stack) -> Image {
    stack.push(Registry::Fallback, "doctor/app", 1)
}

/// Stops the test when a service was asked to make anything, or a registry to keep anything.
#[track_caller]
pub(crate) fn assert_nothing_made(stack: &Stack, run: &Finished) {
    let made = stack.journal().into_iter().filter(|asked| {
        let is_service = ["fulcio", "rekor", "rekor2", "tsa"].contains(&asked.service.as_str());
        // A timestamp of random bytes is nobody's.
        let is_stamp = asked.service == "tsa" && asked.method == "POST";
        (is_service && !is_stamp && !["GET", "CONNECT"].contains(&asked.method.as_str()))
            || ["PUT", "PATCH", "DELETE"].contains(&asked.method.as_str())
    });
    let made: Vec<_> = made.collect();
    assert!(made.is_empty(), "{made:?} by {run}");
}
