// SPDX-License-Identifier: Apache-2.0
//! The errors and warnings of attaching bundles from files.

use std::io;
use std::path::PathBuf;

use ambisign_host::{codes, errors};
use ambisign_sigstore::{trust, verify};

use crate::pipeline;

errors! {
    /// A bundle from a file cannot be attached.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("none of the bundles belongs to {image}")]
        NoBundle { image: String } = "attach/no-bundle", Usage {
            what: "None of the bundles belongs to this image.",
            why: "A bundle belongs to the digest that was signed; a tag may point to another one now.",
            advice: "Name the image by the digest that was signed, or pass the folder with its bundle.",
        },
        #[error("the bundle `{}` does not match any of the given images", path.display())]
        NoImage { path: PathBuf } = "attach/no-image", Usage {
            what: "A bundle does not belong to any of the given images.",
            why: "An image is missing on the command line, or a tag has moved.",
            advice: "Name every image by the digest that was signed.",
        },
        #[error("`{}` cannot be read", path.display())]
        Read {
            path: PathBuf,
            #[source]
            source: io::Error,
        } = "attach/read", Usage {
            what: "A bundle could not be read.",
            why: "The path is wrong, or an earlier job did not pass the file on.",
            advice: "Check the path and the artifacts of the earlier job.",
        },
        /// The images, the registry or the trust material fail.
        #[error(transparent)]
        Pipeline(#[from] error: pipeline::Error) = of error,
        /// A bundle is not acceptable.
        #[error("the bundle `{}` is not acceptable", path.display())]
        Rejected { path: PathBuf, source: verify::Error } = of source as Rejected {
            fix: matches!(source, verify::Error::KeySigned).then_some(OF_IDENTITIES),
        },
        /// The trusted root is not usable.
        #[error(transparent)]
        Trust(#[from] error: trust::Error) = of error { fix: error.verifier_fix() },
    }
}

/// `verify` accepts a key with `--key`; `attach` requires an identity.
const OF_IDENTITIES: &str = "have it signed with an identity: a signature with a bare key does not name its signer, and is not attached";

codes! {
    /// The warnings about bundles in files.
    pub(crate) WARNINGS {
        pub(super) PASSED_OVER = "attach/passed-over" {
            what: "Bundles in the folder do not belong to the given images and were skipped.",
            why: "The folder also contains bundles of other images or with other predicate types.",
            advice: "Nothing; or to attach one, name its image or pass its `--predicate-type`.",
        },
    }
}

#[cfg(test)]
mod tests {
    use ambisign_host::Explain as _;

    use super::{Error, verify};

    /// `--key` is a flag of `verify` alone.
    #[test]
    fn what_a_key_signed_has_a_fix_that_attach_can_follow() {
        let source = verify::Error::KeySigned;
        assert!(source.fix().unwrap().contains("--key"));
        let path = "app.sigstore.json".into();
        let fix = Error::Rejected { path, source }.fix();
        assert!(fix.is_some_and(|fix| !fix.contains("--")));
    }
}
