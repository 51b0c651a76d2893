// SPDX-License-Identifier: Apache-2.0
//! The errors and warnings of the TUF client.

use ambisign_host::{HttpError, codes, errors};

use crate::network_hint;

errors! {
    /// A TUF mirror is unusable. Files have their names on the mirror.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("the TUF root to start from cannot be used: {why}")]
        Anchor { why: String } = "tuf/anchor", Trust {
            fix: "name a `root.json` of the mirror with `--tuf-root`",
            what: "The TUF root to start from is unusable.",
            why: "It is not a TUF root, or it belongs to another mirror.",
            advice: "Get `root.json` from the operators of the mirror in a way that you trust.",
        },
        #[error("`{file}` of the TUF mirror expired at {at}")]
        Expired {
            file: String,
            /// The end of its validity, in the form of RFC 3339.
            at: String,
        } = "tuf/expired", Trust {
            fix: "check the clock; if it is right, inform the operators of the mirror",
            what: "The metadata of the mirror has expired.",
            why: "It was not renewed, the mirror serves an old copy, or the clock is wrong.",
            advice: "Check the clock; then inform the operators of the mirror.",
        },
        /// A request to the mirror failed.
        #[error("the TUF mirror gave no usable answer")]
        Http(#[source] http: HttpError) = request http in "tuf" {
            fix: network_hint::fix(http),
            verifier: network_hint::mirror_alone(http),
        },
        #[error("`{file}` of the TUF mirror is malformed: {why}")]
        Malformed { file: String, why: String } = "tuf/malformed", Trust {
            fix: "check that the URL belongs to a TUF mirror and that no proxy changes its answers",
            what: "A file of the mirror is malformed.",
            why: "It was truncated or changed, or it has a form that this client does not accept.",
            advice: "Check the URL of the mirror.",
        },
        #[error("`{file}` of the TUF mirror has another {what} than in the signed metadata")]
        Mismatch { file: String, what: &'static str } = "tuf/mismatch", Trust {
            fix: "run again, because the mirror may be updating; if that fails too, do not trust it and inform its operators",
            what: "A file of the mirror differs from the signed metadata.",
            why: "The mirror is being updated, or the file was tampered with.",
            advice: "Run again in a few minutes; if that fails too, inform the operators of the mirror.",
        },
        #[error("the TUF mirror has no target `{name}`")]
        NoTarget { name: String } = "tuf/no-target", Trust {
            fix: "check `--tuf-mirror`, or give the trust material in files, first of all with `--trusted-root`",
            what: "The mirror lacks a required file.",
            why: "It does not mirror Sigstore's trust material, or it is an older one.",
            advice: "Check the URL of the mirror, or pass the file itself.",
        },
        #[error("the TUF mirror rolled `{file}` back from version {had} to {got}")]
        RolledBack {
            file: String,
            had: u64,
            /// The version now; 0 if the file is missing.
            got: u64,
        } = "tuf/rolled-back", Trust {
            fix: "do not trust the mirror, and inform its operators",
            what: "The mirror serves an older version than before.",
            why: "It serves an old copy by mistake, or to hide a change.",
            advice: "Inform the operators of the mirror; do not delete the cache before you know the reason.",
        },
        #[error("`{file}` of the TUF mirror is signed with keys of a kind that is not supported: {kinds}")]
        KeyKind { file: String, kinds: String } = "tuf/key-kind", Trust {
            fix: "have the mirror sign with ECDSA P-256, Ed25519 or RSA-PSS keys, or pass the trust material in files, first of all with `--trusted-root`",
            what: "The mirror signs a file with keys of a kind that this client does not use.",
            why: "It uses ECDSA P-256, Ed25519 and RSA-PSS with SHA-256, each in one form; too few of the keys are of these.",
            advice: "Give the mirror other keys, or take the trusted root from a file.",
        },
        #[error("`{file}` of the TUF mirror is not correctly signed: {why}")]
        Signature { file: String, why: String } = "tuf/signature", Trust {
            fix: "check that no proxy answers in place of the mirror, and that `--tuf-root`, if given, is one of its roots",
            what: "A file of the mirror lacks required signatures.",
            why: "The root to start from belongs to another mirror, or the file was tampered with.",
            advice: "Compare `--tuf-root` with the mirror.",
        },
        #[error("the TUF mirror answered HTTP {status} for `{file}`")]
        Status { file: String, status: u16 } = "tuf/status", Trust {
            fix: "check `--tuf-mirror`, or give the trust material in files, first of all with `--trusted-root`",
            what: "The mirror refuses a file.",
            why: "The file does not exist, or the mirror requires a login.",
            advice: "Check the URL of the mirror.",
        },
        #[error("the TUF mirror has more than {limit} {what}")]
        TooMany { what: &'static str, limit: usize } = "tuf/too-many", Trust {
            fix: "do not trust the mirror, and inform its operators",
            what: "The mirror has more roots or roles than allowed.",
            why: "It is broken or malicious.",
            advice: "Inform the operators of the mirror.",
        },
    }
}

codes! {
    /// The warnings of the TUF client.
    pub WARNINGS {
        pub(super) CACHE = "tuf/cache" {
            what: "The TUF cache is damaged, or it cannot be written.",
            why: "The folder is not writable, or another program changed the file. The run continues without the cache.",
            advice: "Set `TUF_ROOT` to a writable folder to avoid repeated downloads.",
        },
    }
}
