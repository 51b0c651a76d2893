// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with the names of images.

use std::io;

use ambisign_host::{codes, errors};
use ambisign_registry::reference::ReferenceError;
use ambisign_sigstore::digest::Digest;

use crate::settings::WAYS;

errors! {
    /// An error of the stage `images`. Nothing was asked of the network.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// Two places say different digests of one image.
        #[error("{place} has the digest {own}, and {name} says {given}")]
        Digest {
            /// Where the image is named.
            place: String,
            /// The digest there.
            own: Digest,
            /// What says the other one.
            name: String,
            /// The other one.
            given: Digest,
        } = "images/digest", Usage {
            what: "Two digests are given for one image.",
            why: "The digest of one build was put beside the name of another.",
            advice: "Give the digest once, from the step that pushed.",
        },
        /// A file is not what it should be.
        #[error("{what} cannot be read: {why}")]
        Malformed {
            /// The file.
            what: String,
            /// The reason.
            why: String,
        } = "images/malformed", Usage {
            fix: "write one `repository@sha256:...` a line, or give the document that `ambisign sign --output json` printed",
            what: "The file that should name images is not in a form that is known.",
            why: "It is cut, or the file of something else.",
            advice: "Write one reference a line, or give the JSON of an earlier run.",
        },
        /// A digest without the repository that it is in.
        #[error("{place} is a digest without a repository")]
        NoRepository {
            /// Where it is.
            place: String,
        } = "images/no-repository", Usage {
            what: "There is a digest where an image is due.",
            why: "Tools write the digest alone into some of their files.",
            advice: "Write `repository@` in front of it, or name the repository and give `--digest`.",
        },
        /// What should name images names none.
        #[error("no image is named in {what}")]
        Nothing {
            /// The setting or file.
            what: String,
        } = "images/nothing", Usage {
            fix: format!("name at least one image: `repository@sha256:...`{WAYS}"),
            what: "What should name images names none.",
            why: "The step before built or pushed nothing, or wrote its list elsewhere.",
            advice: "Look at the step that writes it.",
        },
        /// A file cannot be read.
        #[error("{what} cannot be read")]
        Read {
            /// The file.
            what: String,
            /// The reason.
            source: io::Error,
        } = "images/read", Usage {
            what: "The file that should name images could not be read.",
            why: "The path is wrong, the file is too long or no text, or it was not handed over from the job before.",
            advice: "Check the path and the artifacts of the jobs.",
        },
        /// An image is not named properly.
        #[error("{place} cannot be used")]
        Reference {
            /// Where it is named: `image 2 of the command line`.
            place: String,
            /// What is wrong with it.
            source: ReferenceError,
        } = of source,
        /// An image has no digest, and there are several that it could have.
        #[error("{place} has no digest, and the metadata has several")]
        SeveralDigests {
            /// Where the image is named.
            place: String,
        } = "images/several-digests", Usage {
            fix: "write `repository@sha256:...` for each image",
            what: "Several things were built, and an image has no digest of its own.",
            why: "A bake has one digest for each of its targets.",
            advice: "Write the digest behind the image, or leave the name to the metadata.",
        },
        /// A tag, and only digests are accepted.
        #[error("`{image}` is named by a tag, and `--require-digest` refuses that")]
        Tag {
            /// The image.
            image: String,
        } = "settings/tag", Usage {
            fix: "write `repository@sha256:...`, or give the digest that the push printed as `--digest`",
            what: "An image is named by a tag, and only digests are accepted.",
            why: "`--require-digest` is set, as the action sets it.",
            advice: "Use the digest that the push printed.",
        },
    }
}

codes! {
    /// The warnings about the names of images.
    pub(crate) WARNINGS {
        /// A name is read in lower case.
        pub(super) LOWER_CASE = "images/lower-case" {
            what: "The name of an image has capital letters and is read in lower case.",
            why: "Owners on GitHub may have capital letters; repositories of a registry may not.",
            advice: "Nothing; or write the name in lower case.",
        },
    }
}
