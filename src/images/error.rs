// SPDX-License-Identifier: Apache-2.0
//! The errors and warnings about the names of images.

use std::io;

use ambisign_host::{codes, errors};
use ambisign_registry::reference::ReferenceError;
use ambisign_sigstore::digest::Digest;

use crate::settings::WAYS;

errors! {
    /// An error of the stage `images`, which does not use the network.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("{place} has the digest {own}, but {name} has {given}")]
        Digest { place: String, own: Digest, name: String, given: Digest } = "images/digest", Usage {
            what: "One image has two different digests.",
            why: "The name of one build was combined with the digest of another.",
            advice: "Pass the digest once, from the step that pushed the image.",
        },
        #[error("{what} cannot be read: {why}")]
        Malformed { what: String, why: String } = "images/malformed", Usage {
            fix: "write one `repository@sha256:...` per line, or pass the output of `ambisign sign --output json`",
            what: "The file that should name images has an unknown form.",
            why: "It is truncated, or it is another kind of file.",
            advice: "Write one reference per line, or pass the JSON of an earlier run.",
        },
        #[error("{place} is a digest without a repository")]
        NoRepository { place: String } = "images/no-repository", Usage {
            what: "A digest or an image ID is given instead of an image.",
            why: "Some tools write only the digest to a file. An image ID, as `docker images` shows it, is not the digest of an image in a registry.",
            advice: "Write `repository@` in front of the digest that the push printed.",
        },
        #[error("no image is named in {what}")]
        Nothing { what: String } = "images/nothing", Usage {
            fix: format!("name at least one image: `repository@sha256:...`{WAYS}"),
            what: "The setting or file that should name images does not name any.",
            why: "An earlier step built or pushed nothing, or wrote its list elsewhere.",
            advice: "Check the step that writes it.",
        },
        #[error("{what} cannot be read")]
        Read { what: String, source: io::Error } = "images/read", Usage {
            what: "The file that should name images could not be read.",
            why: "The path is wrong, the file is too long or not text, or an earlier job did not pass it on.",
            advice: "Check the path and the artifacts of the earlier job.",
        },
        /// The name of an image is invalid.
        #[error("{place} is invalid")]
        Reference {
            /// Where it is named: `image 2 of the command line`.
            place: String,
            source: ReferenceError,
        } = of source,
        #[error("{place} has no digest, and the metadata has several")]
        SeveralDigests { place: String } = "images/several-digests", Usage {
            fix: "write `repository@sha256:...` for each image",
            what: "The build has several digests, and an image does not name one.",
            why: "`docker buildx bake` has one digest for each target.",
            advice: "Write the digest after the image, or let the metadata name the images.",
        },
        #[error("`{image}` is named by tag, which `--require-digest` refuses")]
        Tag { image: String } = "settings/tag", Usage {
            fix: "write `repository@sha256:...`, or pass the digest that the push printed with `--digest`",
            what: "An image is named by tag, but only digests are accepted.",
            why: "`--require-digest` is set, which is the default of the GitHub Action.",
            advice: "Use the digest that the push printed.",
        },
    }
}

codes! {
    /// The warnings about the names of images.
    pub(crate) WARNINGS {
        pub(super) LOWER_CASE = "images/lower-case" {
            what: "The name of an image has upper-case letters and was converted to lower case.",
            why: "Owners on GitHub may have upper-case letters, but repositories in a registry may not.",
            advice: "Nothing; or write the name in lower case.",
        },
    }
}
