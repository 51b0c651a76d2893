// SPDX-License-Identifier: Apache-2.0
//! The errors of creating trust material.

use std::io;
use std::path::PathBuf;

use ambisign_host::errors;

errors! {
    /// Creating trust material failed.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// A file does not contain the required certificate chain.
        #[error("`{}` does not contain the required certificate chain: {why}", path.display())]
        Chain {
            /// The file.
            path: PathBuf,
            /// The problem.
            why: &'static str,
        } = "create/chain", Trust {
            fix: "write PEM certificates up to the root into the file; for `--tsa`, its own certificate first",
            what: "A file does not contain the certificate chain that this service needs.",
            why: "An authority needs its chain from the issuing certificate to the root, in PEM.",
            advice: "Write the certificates in that order into one file.",
        },
        /// A file exists already. Trust material that pipelines rely on is not overwritten.
        #[error("`{}` already exists", path.display())]
        Exists {
            /// The file.
            path: PathBuf,
        } = "create/exists", Usage {
            fix: "move it away, or choose another folder with `--out-dir`",
            what: "A file would be overwritten.",
            why: "Pipelines rely on trust material, so it is never overwritten.",
            advice: "Choose another folder, or move the file away.",
        },
        /// A file does not contain a usable public key.
        #[error("`{}` holds no public key of a known kind", path.display())]
        Key {
            /// The file.
            path: PathBuf,
        } = "create/key", Trust {
            fix: "give a PEM public key: ECDSA, Ed25519 or RSA",
            what: "A file does not contain a usable public key.",
            why: "It may contain a private key, or a kind of key that logs do not use.",
            advice: "Write the log's public key in PEM or DER.",
        },
        /// A file cannot be read.
        #[error("`{}` cannot be read", path.display())]
        Read {
            /// The file.
            path: PathBuf,
            /// The error of the operating system.
            #[source]
            source: io::Error,
        } = "create/read", Usage {
            fix: "check the path in the description",
            what: "A file of the deployment could not be read.",
            why: "Its name is wrong, or you may not read it.",
            advice: "Check the path.",
        },
        /// The description of a service cannot be read.
        #[error("`--{flag} {description}`: {why}")]
        Spec {
            /// The flag, without dashes.
            flag: &'static str,
            /// The description.
            description: String,
            /// The problem.
            why: String,
        } = "create/spec", Usage {
            what: "The description of a service cannot be read.",
            why: "A part is missing, misspelled or repeated.",
            advice: "Read `ambisign trust create --help`.",
        },
        /// The result would not be usable.
        #[error("the named services are not enough to sign")]
        Unusable(#[from] source: crate::trust::Error) = "create/unusable", Usage {
            fix: "name at least `--fulcio` and `--rekor`, `--ctfe` if Fulcio has a CT log, and `--tsa` for Rekor v2",
            what: "These services are not enough to sign and verify.",
            why: "A kind of service is missing, or none is valid now.",
            advice: "Add the service that the message names.",
        },
        /// A file cannot be written.
        #[error("`{}` cannot be written", path.display())]
        Write {
            /// The file.
            path: PathBuf,
            /// The error of the operating system.
            #[source]
            source: io::Error,
        } = "create/write", Usage {
            fix: "check the folder that `--out-dir` names",
            what: "The trust material could not be written.",
            why: "The folder cannot be created, or you may not write to it.",
            advice: "Choose another folder.",
        },
    }
}
