// SPDX-License-Identifier: Apache-2.0
//! Why a TUF mirror gives no trust material, and the warnings of its client.

use ambisign_host::{HttpError, codes, errors};

use crate::network_hint;

errors! {
    /// Why a TUF mirror gives no trust material. Files are named as on the mirror.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// The root to start from is none.
        #[error("the TUF root to start from cannot be used: {why}")]
        Anchor {
            /// What is wrong.
            why: String,
        } = "tuf/anchor", Trust {
            fix: "name a `root.json` of the mirror with `--tuf-root`",
            what: "The root to begin with cannot be used.",
            why: "It is no TUF root, or not of this mirror.",
            advice: "Get `root.json` from whoever runs the mirror, by a way that you trust.",
        },
        /// Metadata is over: the mirror is not kept up, or somebody holds newer metadata back.
        #[error("`{file}` of the TUF mirror expired at {at}")]
        Expired {
            /// The file.
            file: String,
            /// The end of its validity, as RFC 3339.
            at: String,
        } = "tuf/expired", Trust {
            fix: "check the clock; if it is right, tell those who run the mirror",
            what: "The mirror's statements are over.",
            why: "Nobody renewed them, an old copy is served, or the clock is wrong.",
            advice: "Check the clock; then tell whoever runs the mirror.",
        },
        /// The mirror cannot be asked.
        #[error("the TUF mirror gives no answer that can be used")]
        Http(#[source] http: HttpError) = request http in "tuf" { fix: network_hint::fix(http) },
        /// A file has not the form that it should have.
        #[error("`{file}` of the TUF mirror is malformed: {why}")]
        Malformed {
            /// The file.
            file: String,
            /// What is wrong.
            why: String,
        } = "tuf/malformed", Trust {
            fix: "check that the URL is that of a TUF mirror, and that nothing on the way rewrites its answers",
            what: "A file of the mirror is not built as it should be.",
            why: "It was cut or changed, or uses a form that this client does not accept.",
            advice: "Check the URL of the mirror.",
        },
        /// A file is another than the one that signed metadata speaks of.
        #[error("`{file}` of the TUF mirror has another {what} than the signed metadata says")]
        Mismatch {
            /// The file.
            file: String,
            /// What differs.
            what: &'static str,
        } = "tuf/mismatch", Trust {
            fix: "run again: the mirror may be changing; if it stays, do not trust it, and tell those who run it",
            what: "A file of the mirror is another than the signed one.",
            why: "The mirror is in the middle of an update, or somebody changed the file.",
            advice: "Run again in some minutes; then look at the mirror.",
        },
        /// The mirror has no such target.
        #[error("the TUF mirror has no target `{name}`")]
        NoTarget {
            /// The name of the target.
            name: String,
        } = "tuf/no-target", Trust {
            fix: "check `--tuf-mirror`, or pass `--trusted-root FILE` and `--signing-config FILE`",
            what: "The mirror lacks a file that is needed.",
            why: "It is a mirror of something else, or an older one.",
            advice: "Check the URL of the mirror, or give the file itself.",
        },
        /// The mirror has, or had, a newer version of the file.
        #[error("the TUF mirror went back from version {had} of `{file}` to {got}")]
        RolledBack {
            /// The file.
            file: String,
            /// The version that was there before.
            had: u64,
            /// The version that is there now; 0 for none.
            got: u64,
        } = "tuf/rolled-back", Trust {
            fix: "do not trust the mirror, and tell those who run it",
            what: "The mirror shows something older than before.",
            why: "An old copy is served: by mistake, or to hide a change.",
            advice: "Look at the mirror; do not remove what was kept before you know why.",
        },
        /// A file is signed with keys that cannot be used.
        #[error("`{file}` of the TUF mirror is signed with keys of a kind that is not supported: {kinds}")]
        KeyKind {
            /// The file.
            file: String,
            /// Types and schemes of the keys.
            kinds: String,
        } = "tuf/key-kind", Trust {
            fix: "have the mirror sign with ECDSA P-256, Ed25519 or RSA-PSS keys, or give the material in files: `--trusted-root` and `--signing-config`",
            what: "The mirror signs a file with keys of a kind that this client does not use.",
            why: "It uses ECDSA P-256, Ed25519 and RSA-PSS with SHA-256, each in one form; too few of the keys are of these.",
            advice: "Give the mirror other keys, or take the trusted root from a file.",
        },
        /// A file lacks valid signatures.
        #[error("`{file}` of the TUF mirror is not signed as it should be: {why}")]
        Signature {
            /// The file.
            file: String,
            /// What is wrong.
            why: String,
        } = "tuf/signature", Trust {
            fix: "check that nothing answers in place of the mirror, and that `--tuf-root`, where it is given, is a root of it",
            what: "A file of the mirror lacks the signatures that it needs.",
            why: "The root that you begin with is of another mirror, or somebody changed the file.",
            advice: "Compare `--tuf-root` with the mirror.",
        },
        /// A file that must be there is not, or not for us.
        #[error("the TUF mirror answered HTTP {status} for `{file}`")]
        Status {
            /// The file.
            file: String,
            /// The status.
            status: u16,
        } = "tuf/status", Trust {
            fix: "check `--tuf-mirror`, or pass `--trusted-root FILE` and `--signing-config FILE`",
            what: "The mirror refuses a file.",
            why: "It is not there, or a login is needed.",
            advice: "Check the URL of the mirror.",
        },
        /// Signed metadata speaks of more than is ever taken.
        #[error("the TUF mirror has more than {limit} {what}")]
        TooMany {
            /// Of what.
            what: &'static str,
            /// The limit.
            limit: usize,
        } = "tuf/too-many", Trust {
            fix: "do not trust the mirror, and tell those who run it",
            what: "The mirror has more files or roles than any real one.",
            why: "Either it is broken, or it means harm.",
            advice: "Look at the mirror.",
        },
    }
}

codes! {
    /// The warnings of the TUF client.
    pub WARNINGS {
        /// What was kept cannot be used, or nothing can be kept.
        pub(super) CACHE = "tuf/cache" {
            what: "What the mirror said could not be kept, or what was kept is damaged.",
            why: "The folder cannot be written, or another program changed it. The run goes on without it.",
            advice: "Give the job a folder by `TUF_ROOT`, if the downloads matter.",
        },
    }
}
