// SPDX-License-Identifier: Apache-2.0
//! Why no trust material was created.

use std::io;
use std::path::PathBuf;

use ambisign_host::errors;

errors! {
    /// Why no trust material was created.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// A file of certificates does not hold what it should.
        #[error("`{}` is no certificate chain for this: {why}", path.display())]
        Chain {
            /// The file.
            path: PathBuf,
            /// What is wrong with it.
            why: &'static str,
        } = "create/chain", Trust {
            fix: "give PEM certificates up to the root; for `--tsa` its own certificate first",
            what: "A file of certificates is not what this service needs.",
            why: "An authority needs its chain from the issuing certificate to the root, in PEM.",
            advice: "Write the certificates in that order into one file.",
        },
        /// A file is there already. What other people's pipelines believe is not overwritten.
        #[error("`{}` exists already", path.display())]
        Exists {
            /// The file.
            path: PathBuf,
        } = "create/exists", Usage {
            fix: "move it away, or choose another folder with `--out-dir`",
            what: "A file would be overwritten.",
            why: "Trust material is too precious to be replaced silently.",
            advice: "Choose another folder, or move the file away.",
        },
        /// A file of a key does not hold what it should.
        #[error("`{}` holds no public key of a known kind", path.display())]
        Key {
            /// The file.
            path: PathBuf,
        } = "create/key", Trust {
            fix: "give a PEM public key: ECDSA, Ed25519 or RSA",
            what: "A file holds no public key that can be used.",
            why: "It may be a private one, or of a kind that logs do not have.",
            advice: "Write the log's public key in PEM or DER.",
        },
        /// A file cannot be read.
        #[error("`{}` cannot be read", path.display())]
        Read {
            /// The file.
            path: PathBuf,
            /// What the system says.
            #[source]
            source: io::Error,
        } = "create/read", Usage {
            fix: "check the path in the description",
            what: "A file of the deployment could not be read.",
            why: "Its name is wrong, or it belongs to somebody else.",
            advice: "Check the path.",
        },
        /// The description of a service cannot be read.
        #[error("`--{flag} {description}`: {why}")]
        Spec {
            /// The flag, without dashes.
            flag: &'static str,
            /// What was given.
            description: String,
            /// What is wrong with it.
            why: String,
        } = "create/spec", Usage {
            what: "The description of a service cannot be read.",
            why: "A part is missing, misspelt or given twice.",
            advice: "Read `ambisign trust create --help`.",
        },
        /// A run could not use the result.
        #[error("the services that are named are not enough to sign")]
        Unusable(#[from] source: crate::trust::Error) = "create/unusable", Usage {
            fix: "name at least `--fulcio` and `--rekor`, `--ctfe` if Fulcio has a CT log, and `--tsa` for Rekor v2",
            what: "With these services nobody could sign or verify.",
            why: "A kind of service is missing, or none is valid now.",
            advice: "Add the service that the message names.",
        },
        /// A file cannot be written.
        #[error("`{}` cannot be written", path.display())]
        Write {
            /// The file.
            path: PathBuf,
            /// What the system says.
            #[source]
            source: io::Error,
        } = "create/write", Usage {
            fix: "check the folder that `--out-dir` names",
            what: "The trust material could not be written.",
            why: "The folder does not exist or is not yours.",
            advice: "Choose another folder.",
        },
    }
}
