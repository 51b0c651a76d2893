// SPDX-License-Identifier: Apache-2.0
//! Why something could not be judged, or is not acceptable.

use std::path::PathBuf;

use ambisign_host::errors;
use ambisign_sigstore::{trust, verify};

use crate::images;
use crate::settings::SettingsError;

errors! {
    /// Why an artifact has no acceptable signature, or why nobody can tell.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// An image is not named properly.
        #[error(transparent)]
        Images(#[from] error: images::Error) = of error,
        /// The key that was given is not one.
        #[error("`{}` holds no public key in PEM", path.display())]
        KeyFile {
            /// The file.
            path: PathBuf,
        } = "verify/key-file", Usage {
            fix: "give the public key to `--key`, as `-----BEGIN PUBLIC KEY-----`",
            what: "The file holds no public key.",
            why: "It may be the private one, a certificate, or in another form than PEM.",
            advice: "Write the public key in PEM.",
        },
        /// There are signatures, but none that is acceptable. Their reasons stand beside this.
        #[error("{} found for {artifact}, {}", signatures(*found), if *found == 1 { "and it is not acceptable" } else { "none is acceptable" })]
        NoneAcceptable {
            /// The artifact.
            artifact: String,
            /// How many.
            found: usize,
        } = "verify/none-acceptable", Rejected {
            what: "There are signatures, and none of them is what you require.",
            why: "The reason of each one is told.",
            advice: "Compare the reasons with what you require.",
        },
        /// The registry has no signature of the image.
        #[error("{image} has no signature{}", if *others == 0 { String::new() } else { format!(", and {others} attachments that are none") })]
        NoSignatures {
            /// The image.
            image: String,
            /// How many other things are attached to it.
            others: usize,
        } = "verify/no-signatures", Rejected {
            fix: "sign it with `ambisign sign`; if it was signed elsewhere, copy the signatures with the image",
            what: "The image has no signature at all.",
            why: "It was never signed, signed in another repository, or copied without its signatures.",
            advice: "Sign it; copy images together with what refers to them.",
        },
        /// A file cannot be read.
        #[error("`{}` cannot be read", path.display())]
        Read {
            /// The file.
            path: PathBuf,
            /// What the system says.
            #[source]
            source: std::io::Error,
        } = "verify/read", Usage {
            fix: "check the path, and who may read the file",
            what: "A file for the verification could not be read.",
            why: "Its name is wrong, or the bundle is not beside the file.",
            advice: "Check the path, or name the bundle with `--bundle`.",
        },
        /// The login is for another registry.
        #[error(transparent)]
        Settings(#[from] error: SettingsError) = of error,
        /// The trust material is not usable.
        #[error(transparent)]
        Trust(#[from] error: trust::Error) = of error,
        /// The image has more attachments than are read, and none of those that were is an acceptable
        /// signature.
        #[error("none of the {looked_at} attachments of {image} that were read is an acceptable signature, and there are more")]
        Unfinished {
            /// The image.
            image: String,
            /// How many were looked at.
            looked_at: usize,
        } = "verify/unfinished", Untrusted {
            fix: "give the signature's bundle to `--bundle`, or remove attachments that nobody needs from the image",
            what: "The image has so many attachments that not all of them were read.",
            why: "An account that may push can attach any number of things, so of one image at most 1000 attachments are read, 256 MiB, for 120 s. Those that the list calls signatures of the accepted kind come first.",
            advice: "Verify with the file of the bundle, or delete attachments that nobody needs.",
        },
        /// The one signature that was given is not acceptable.
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
