// SPDX-License-Identifier: Apache-2.0
//! The errors of `verify` and `verify-blob`.

use std::path::PathBuf;

use ambisign_host::errors;
use ambisign_sigstore::{trust, verify};

use crate::images;
use crate::settings::SettingsError;

errors! {
    /// An artifact has no acceptable signature, or verification could not finish.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("it is not in the format that `--format {wanted}` requires")]
        Format { wanted: &'static str } = "verify/format", Rejected {
            what: "The signature has another format than the required one.",
            why: "`--format` was given, and the account that attached the signature chose the other format.",
            advice: "Have the image signed in the required format, or accept both with `--format any`.",
        },
        /// The name of an image is invalid.
        #[error(transparent)]
        Images(#[from] error: images::Error) = of error,
        #[error("`{}` does not contain a public key in PEM", path.display())]
        KeyFile { path: PathBuf } = "verify/key-file", Usage {
            fix: "pass the public key with `--key`, in a file that begins with `-----BEGIN PUBLIC KEY-----`",
            what: "The file does not contain a public key.",
            why: "It may contain the private key or a certificate, or have another form than PEM.",
            advice: "Write the public key in PEM.",
        },
        #[error("{} found for {artifact}, {}", signatures(*found), if *found == 1 { "and it is not acceptable" } else { "none is acceptable" })]
        NoneAcceptable { artifact: String, found: usize } = "verify/none-acceptable", Rejected {
            what: "There are signatures, but none meets your requirements.",
            why: "The reason for each one is printed.",
            advice: "Compare the reasons with your requirements.",
        },
        #[error("{image} has no signature{}", if *others == 0 { String::new() } else { format!("; {others} other attachments are not signatures") })]
        NoSignatures {
            image: String,
            /// The number of other things that are attached to it.
            others: usize,
        } = "verify/no-signatures", Rejected {
            fix: "compare the digest with the signed one, name the repository of the signatures with `--signature-repository` if it is another one, or have the image signed",
            what: "The image has no signature.",
            why: "It was never signed, it was signed in another repository, or it was copied without its signatures.",
            advice: "Have it signed; copy images together with their referrers.",
        },
        #[error("`{}` cannot be read", path.display())]
        Read {
            path: PathBuf,
            #[source]
            source: std::io::Error,
        } = "verify/read", Usage {
            fix: "check the path and the permissions of the file",
            what: "A file for the verification could not be read.",
            why: "Its name is wrong, or the bundle is not next to the file.",
            advice: "Check the path, or name the bundle with `--bundle`.",
        },
        /// The login is for another registry.
        #[error(transparent)]
        Settings(#[from] error: SettingsError) = of error,
        /// The trust material is not usable.
        #[error(transparent)]
        Trust(#[from] error: trust::Error) = of error { fix: error.verifier_fix() },
        #[error("none of the {looked_at} attachments of {image} that were read is an acceptable signature, and there are more")]
        Unfinished { image: String, looked_at: usize } = "verify/unfinished", Untrusted {
            fix: "pass the signature's bundle with `--bundle`, or remove attachments that are not needed from the image",
            what: "The image has so many attachments that not all of them were read.",
            why: "An account that may push can attach any number of things, so at most 1000 attachments of an image are read, 256 MiB, within 120 s. Attachments that the list describes as signatures of the accepted kind are read first.",
            advice: "Verify with the bundle in a file, or delete attachments that are not needed.",
        },
        /// The given signature is not acceptable.
        #[error(transparent)]
        Rejected(#[from] error: verify::Error) = of error as Rejected,
    }
}

fn signatures(count: usize) -> String {
    match count {
        1 => "1 signature was".to_owned(),
        count => format!("{count} signatures were"),
    }
}
