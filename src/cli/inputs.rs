// SPDX-License-Identifier: Apache-2.0
//! The flags that select the images to sign.

use std::path::PathBuf;

use clap::Args;

/// The images to sign, and their annotations.
#[derive(Args, Clone, Debug, Default)]
pub struct InputArgs {
    /// The images to sign, preferably as `registry/repository@sha256:...` ($AMBISIGN_IMAGES)
    ///
    /// A tag is resolved once, and the digest is printed and signed. Without arguments, the images in
    /// `--images-file` are signed, otherwise those in `--metadata`, otherwise those in
    /// `GITHUB_ARTIFACTS_LIST`. In the variable, newlines, blanks or commas separate images.
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,

    /// The digest for all images that are named without one ($AMBISIGN_DIGEST)
    #[arg(long, value_name = "DIGEST", help_heading = "Images")]
    pub digest: Option<String>,

    /// A file with one image per line and `#` before comments, or the JSON from `--output json`
    /// ($AMBISIGN_IMAGES_FILE)
    ///
    /// ko, apko and crane write such a file with `--image-refs`, and kaniko with
    /// `--image-name-with-digest-file`.
    #[arg(long, value_name = "PATH", help_heading = "Images")]
    pub images_file: Option<PathBuf>,

    /// The `metadata` output of docker/build-push-action or docker/bake-action, as JSON: the digest,
    /// and the names if nothing else names an image ($AMBISIGN_METADATA)
    #[arg(long, value_name = "JSON", help_heading = "Images")]
    pub metadata: Option<String>,

    /// The `tags` output of docker/metadata-action; in each of their repositories, the digest from
    /// `--digest` or `--metadata` is signed ($AMBISIGN_TAGS)
    #[arg(long, value_name = "TAGS", help_heading = "Images")]
    pub tags: Option<String>,

    /// Also sign every image and index that an index lists ($AMBISIGN_RECURSIVE)
    #[arg(long, short, help_heading = "Images")]
    pub recursive: bool,

    /// Annotation to include in the signed statement; may be repeated
    /// ($AMBISIGN_ANNOTATIONS)
    ///
    /// The variable has one per line. `cosign verify -a` and `ambisign verify -a` can require it.
    #[arg(long, short, value_name = "KEY=VALUE", help_heading = "Images")]
    pub annotations: Vec<String>,

    /// Refuse images that are named by tag ($AMBISIGN_REQUIRE_DIGEST)
    #[arg(long, help_heading = "Images")]
    pub require_digest: bool,
}
