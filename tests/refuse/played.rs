// SPDX-License-Identifier: Apache-2.0
//! What a run left: what it said, what it asked the services, what is in the registry.

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::fault::Seen;
use crate::common::{Finished, Image, assert_no_canary};
use crate::scene::Peer;

/// How identity tokens begin: `{"alg": "RS256"` and `{"alg":"RS256"` in base64.
const TOKEN_STARTS: [&str; 2] = ["eyJhbGciOiAiUlMyNTYi", "eyJhbGciOiJSUzI1NiI"];
/// How much longer than `--timeout` a run may take: to end, on a busy machine.
pub(crate) const GRACE: Duration = Duration::from_secs(8);

/// A run that is over.
pub(crate) struct Played {
    /// The program.
    pub(crate) run: Finished,
    /// The image, at the registry itself.
    pub(crate) image: Image,
    pub(crate) seen: Vec<(Peer, Vec<Seen>)>,
    /// The secrets that it had.
    pub(crate) canaries: Vec<String>,
    pub(crate) timeout: Duration,
    /// The folder of its signing config.
    pub(crate) _config: TempDir,
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
        assert!(self.image.legacy_signature().is_none(), "attached: {}", self.run);
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
        assert_eq!(tags(&self.image), ["latest"], "other tags than before: {}", self.run);
    }

    /// There is a log entry, which the result names, with the bundle kept in a file; or neither.
    #[track_caller]
    pub(crate) fn left(&self, logged: bool) {
        let run = &self.run;
        let entries = run.json()["images"][0]["log"].as_array().map_or(0, Vec::len);
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

    /// It ended by itself and in time, without a panic and without a secret in what it said; and no
    /// request, repeated or not, had a header twice.
    #[track_caller]
    pub(crate) fn is_decent(&self) {
        let run = &self.run;
        assert!(!run.hung && run.signal.is_none(), "it hung: {run}");
        assert!(run.took < self.timeout + GRACE, "too late: {run}");
        assert!(!run.stderr.contains("panicked"), "{run}");
        let outputs = run.outputs();
        let mut canaries: Vec<_> = self.canaries.iter().map(String::as_str).collect();
        canaries.extend(TOKEN_STARTS);
        assert_no_canary(&canaries, &outputs);
        for seen in self.seen.iter().flat_map(|(_, seen)| seen) {
            assert!(seen.twice.is_empty(), "{:?} in {seen:?}", seen.twice);
        }
    }
}

/// The error of a result: of the run, else of its image.
fn error(document: &Value) -> &Value {
    let of_run = &document["error"];
    if of_run.is_null() {
        return &document["images"][0]["error"];
    }
    of_run
}

fn tags(image: &Image) -> Vec<String> {
    let list = image.get("tags/list").json();
    let tags = list["tags"].as_array().unwrap().iter();
    tags.map(|tag| tag.as_str().unwrap().to_owned()).collect()
}
