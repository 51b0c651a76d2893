// SPDX-License-Identifier: Apache-2.0
//! Somebody who verifies.

use std::ffi::OsStr;

use serde_json::Value;

use crate::common::{Finished, GITHUB_IDENTITY, Image, Program, Stack};

/// `ambisign verify` or `verify-blob`, about to run.
pub(crate) struct Reader(Program);

impl Reader {
    /// The command alone.
    pub(crate) fn of(command: &str) -> Self {
        Self(Program::ambisign().arg(command))
    }

    /// `verify` with the trusted root of `stack`.
    pub(crate) fn believing(stack: &Stack) -> Self {
        Self::of("verify").args(["--trusted-root", stack.var("TRUSTED_ROOT")])
    }

    /// `verify` for the identity of the stack's `github` token.
    pub(crate) fn ready(stack: &Stack) -> Self {
        Self::believing(stack).signed_by_github(stack)
    }

    /// By the stack's `github` token.
    pub(crate) fn signed_by_github(self, stack: &Stack) -> Self {
        self.signed_by(&stack.issuer("github"), GITHUB_IDENTITY)
    }

    /// By exactly this identity.
    pub(crate) fn signed_by(self, issuer: &str, identity: &str) -> Self {
        self.args(["--certificate-identity", identity]).args(["--certificate-oidc-issuer", issuer])
    }

    /// Several arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        Self(self.0.args(args))
    }

    /// An image, by its digest.
    pub(crate) fn image(self, image: &Image) -> Self {
        self.args([image.reference()])
    }

    /// Whatever else [`Program`] can do.
    pub(crate) fn map(self, change: impl FnOnce(Program) -> Program) -> Self {
        Self(change(self.0))
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Finished {
        self.0.run()
    }

    /// Runs it and expects that everything is verified: these are the lines of standard output.
    #[track_caller]
    pub(crate) fn accepted(self, lines: &[&str]) -> Finished {
        let run = self.run().expect(0);
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(run.stdout, lines, "{run}");
        run
    }

    /// Runs it and expects a failure: its exit code, its code, and nothing on standard output.
    #[track_caller]
    pub(crate) fn refused(self, exit: i32, code: &str) -> Finished {
        let run = self.run().expect(exit);
        let line = format!("ambisign: code: {code}; exit {exit}; nothing was verified");
        assert!(run.stderr.contains(&line), "no `{line}` in {run}");
        assert!(run.stdout.is_empty(), "nothing was verified: {run}");
        run
    }

    /// Runs it and expects that no signature is acceptable, for these reasons.
    #[track_caller]
    pub(crate) fn rejected(self, reasons: &[&str]) -> Finished {
        let run = self.refused(8, "verify/none-acceptable");
        for (number, reason) in (1..).zip(reasons) {
            let told = run.stderr.lines().any(|line| {
                line.starts_with(&format!("ambisign: because: #{number} "))
                    && line.ends_with(&format!(" ({reason})"))
            });
            assert!(told, "no #{number} for {reason} in {run}");
        }
        run
    }

    /// Runs it with one document as its result.
    #[track_caller]
    pub(crate) fn document(self, code: i32) -> Value {
        self.args(["--output", "json"]).run().expect(code).json()
    }
}
