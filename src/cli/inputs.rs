// SPDX-License-Identifier: Apache-2.0
//! The flags that say what is signed.

use std::path::PathBuf;

use clap::Args;

/// What is signed, and what is said about it.
#[derive(Args, Clone, Debug, Default)]
pub struct InputArgs {
    /// The images to sign, best as `registry/repository@sha256:...` ($AMBISIGN_IMAGES)
    ///
    /// A tag is resolved once, printed as a digest and signed. Without any, the images of
    /// `--images-file` are signed, else those of `--metadata`, else those of `GITHUB_ARTIFACTS_LIST`.
    /// In the variable they are separated by newlines, blanks or commas.
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// The digest of all images that are named without one ($AMBISIGN_DIGEST)
    #[arg(long, value_name = "DIGEST", help_heading = "Images")]
    pub digest: Option<String>,

    /// A file with one image a line, `#` before comments, or the JSON that `--output json` prints
    /// ($AMBISIGN_IMAGES_FILE)
    ///
    /// What ko, apko and crane write with `--image-refs`, and kaniko with
    /// `--image-name-with-digest-file`.
    #[arg(long, value_name = "PATH", help_heading = "Images")]
    pub images_file: Option<PathBuf>,

    /// The `metadata` output of docker/build-push-action or docker/bake-action, as JSON: the digest,
    /// and the names where nothing else names an image ($AMBISIGN_METADATA)
    #[arg(long, value_name = "JSON", help_heading = "Images")]
    pub metadata: Option<String>,

    /// The `tags` output of docker/metadata-action: their repositories are signed at the digest of
    /// `--digest` or `--metadata` ($AMBISIGN_TAGS)
    #[arg(long, value_name = "TAGS", help_heading = "Images")]
    pub tags: Option<String>,

    /// Of an index, also sign every image and index that it lists ($AMBISIGN_RECURSIVE)
    #[arg(long, short, help_heading = "Images")]
    pub recursive: bool,

    /// Annotation to include in the signed statement; may be given several times
    /// ($AMBISIGN_ANNOTATIONS)
    ///
    /// In the variable there is one a line. `cosign verify -a` and `ambisign verify -a` insist on it.
    #[arg(long, short, value_name = "KEY=VALUE", help_heading = "Images")]
    pub annotations: Vec<String>,

    /// Refuse images that are named by a tag ($AMBISIGN_REQUIRE_DIGEST)
    #[arg(long, help_heading = "Images")]
    pub require_digest: bool,
}
