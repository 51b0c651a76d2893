// SPDX-License-Identifier: Apache-2.0
//! The errors of creating trust material.

use std::io;
use std::path::PathBuf;

use ambisign_host::errors;

errors! {
    /// Creating trust material failed.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("`{}` does not contain the required certificate chain: {why}", path.display())]
        Chain { path: PathBuf, why: &'static str } = "create/chain", Trust {
            fix: "write PEM certificates up to the root into the file; for `--tsa`, its own certificate first",
            what: "A file does not contain the certificate chain that this service needs.",
            why: "An authority needs its chain from the issuing certificate to the root, in PEM.",
            advice: "Write the certificates in that order into one file.",
        },
        #[error("`{}` already exists", path.display())]
        Exists { path: PathBuf } = "create/exists", Usage {
            fix: "move it away, or choose another folder with `--out-dir`",
            what: "A file would be overwritten.",
            why: "Pipelines rely on trust material, so it is never overwritten.",
            advice: "Choose another folder, or move the file away.",
        },
        #[error("`{}` holds no public key of a known kind", path.display())]
        Key { path: PathBuf } = "create/key", Trust {
            fix: "give a PEM public key: ECDSA, Ed25519 or RSA",
            what: "A file does not contain a usable public key.",
            why: "It may contain a private key, or a kind of key that logs do not use.",
            advice: "Write the log's public key in PEM or DER.",
        },
        #[error("`{}` cannot be read", path.display())]
        Read {
            path: PathBuf,
            #[source]
            source: io::Error,
        } = "create/read", Usage {
            fix: "check the path in the description",
            what: "A file of the deployment could not be read.",
            why: "Its name is wrong, or you may not read it.",
            advice: "Check the path.",
        },
        #[error("`--{flag} {description}`: {why}")]
        Spec {
            /// The flag, without dashes.
            flag: &'static str,
            description: String,
            why: String,
        } = "create/spec", Usage {
            what: "The description of a service cannot be read.",
            why: "A part is missing, misspelled or repeated.",
            advice: "Read `ambisign trust create --help`.",
        },
        #[error("the named services are not enough to sign")]
        Unusable(#[from] source: crate::trust::Error) = "create/unusable", Usage {
            fix: "name at least `--fulcio` and `--rekor`, `--ctfe` if Fulcio has a CT log, and `--tsa` for Rekor v2",
            what: "These services are not enough to sign and verify.",
            why: "A kind of service is missing, or none is valid now.",
            advice: "Add the service that the message names.",
        },
        #[error("`{}` cannot be written", path.display())]
        Write {
            path: PathBuf,
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
