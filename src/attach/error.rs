// SPDX-License-Identifier: Apache-2.0
//! Why a kept bundle is not attached.

use std::io;
use std::path::PathBuf;

use ambisign_host::{codes, errors};
use ambisign_sigstore::verify;

use crate::pipeline;

errors! {
    /// Why a kept bundle is not attached.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// No bundle is of this image.
        #[error("none of the bundles is of {image}")]
        NoBundle {
            /// The image.
            image: String,
        } = "attach/no-bundle", Usage {
            what: "None of the bundles is about this image.",
            why: "A bundle names the digest that it signs; a tag may mean another one now.",
            advice: "Name the image by the digest that was signed, or give the folder with its bundle.",
        },
        /// A bundle does not match any of the images.
        #[error("the bundle `{}` does not match any of the given images", path.display())]
        NoImage {
            /// The bundle.
            path: PathBuf,
        } = "attach/no-image", Usage {
            what: "A bundle is about none of the images that were named.",
            why: "An image is missing on the command line, or a tag has moved since.",
            advice: "Name every image by the digest that was signed.",
        },
        /// A file or a folder cannot be read.
        #[error("`{}` cannot be read", path.display())]
        Read {
            /// The file.
            path: PathBuf,
            /// What the system says.
            #[source]
            source: io::Error,
        } = "attach/read", Usage {
            what: "A bundle could not be read.",
            why: "The path is wrong, or the file was not handed over from the job before.",
            advice: "Check the path and the artifacts of the jobs.",
        },
        /// The images, the registry or the trust material are in the way.
        #[error(transparent)]
        Pipeline(#[from] error: pipeline::Error) = of error,
        /// A bundle is not acceptable.
        #[error("the bundle `{}` is not acceptable", path.display())]
        Rejected {
            /// The bundle.
            path: PathBuf,
            /// What is wrong with it.
            source: verify::Error,
        } = of source as Rejected,
    }
}

codes! {
    /// The warnings about kept bundles.
    pub(crate) WARNINGS {
        /// Bundles of the folder were left alone.
        pub(super) PASSED_OVER = "attach/passed-over" {
            what: "Bundles of the folder are not of the images that were named, and were left alone.",
            why: "The folder has the bundles of other images too, or of another kind.",
            advice: "Nothing, unless one was meant: then name its image, or its `--predicate-type`.",
        },
    }
}
