// SPDX-License-Identifier: Apache-2.0
//! The settings that name images. Files are only named here; [`crate::images`] reads them.

use std::collections::HashSet;
use std::path::PathBuf;

use ambisign_host::{Env, Warning};
use ambisign_sigstore::digest::Digest;

use super::SettingsError;
use super::metadata::{self, Built};
use super::value::{Origin, Sourced};
use super::variables::Variables;
use crate::cli::InputArgs;
use crate::cli::warnings::UNUSED;

/// The settings that name images.
#[derive(Debug)]
pub struct ImageSettings {
    /// Where they are named.
    pub names: Names,
    /// The digest for images that are named without one, and its origin.
    pub digest: Option<(Digest, Origin)>,
    /// The metadata of a build and its origin, if other settings name the images. It has the digest for
    /// images without one.
    pub built: Option<(Vec<Built>, Origin)>,
    /// Whether an image may be named by tag.
    pub tags: Tags,
    /// How much of an index is signed.
    pub extent: Extent,
}

/// Where images are named.
#[derive(Debug)]
pub enum Names {
    /// In this file, written by GitHub's runner.
    Artifacts(PathBuf),
    /// In this file.
    File(PathBuf),
    /// In these texts, which are not yet parsed as references and may be empty.
    Given(Vec<Listed>),
    /// In the metadata of a build, from this setting.
    Metadata(Vec<Built>, Origin),
}

/// The images in one setting.
#[derive(Debug)]
pub struct Listed {
    /// Where they are named.
    pub source: Source,
    /// The texts, each once, in order.
    pub texts: Vec<String>,
}

/// A setting that names images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The arguments of the command.
    CommandLine,
    /// Tags, of which only the repository counts, with the name of the setting.
    Tags(&'static str),
    /// `AMBISIGN_IMAGES`.
    Variable,
}

/// Whether an image may be named by tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    /// It is resolved once, with a warning.
    Resolved,
    /// Only digests are accepted.
    Refused,
}

/// How much of an index is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Only the named image or index.
    Named,
    /// Also everything that an index lists, recursively.
    WithChildren,
}

impl ImageSettings {
    /// Reads the flags and variables. Unused settings are added to `warnings`.
    ///
    /// # Errors
    /// An empty image, an invalid value, or tags without a digest.
    pub(super) fn resolve(
        args: InputArgs,
        (variables, env): (&Variables, &Env),
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, SettingsError> {
        let digest = variables.text("digest", args.digest)?;
        let digest = digest.map(parse_digest).transpose()?;
        let built = variables.text("metadata", args.metadata)?;
        let mut built = built.map(parse_metadata).transpose()?;
        let tags = variables.text("tags", args.tags)?;
        if let (Some(tags), None, None) = (&tags, &digest, &built) {
            return Err(tags.incomplete("--digest"));
        }
        let file = variables.path("images-file", args.images_file);
        let mut listed = listed(&args.images, variables.get("images"))?;
        listed.extend(tags.map(tagged).transpose()?);
        let artifacts = env.get("GITHUB_ARTIFACTS_LIST");
        let artifacts = artifacts.filter(|path| !path.is_empty());
        let names = if !listed.is_empty() {
            warnings.extend(file.map(|file| unused(&file.from)));
            Names::Given(listed)
        } else if let Some(file) = file {
            Names::File(file.value)
        } else if let Some(built) = built.take() {
            Names::Metadata(built.value, built.from)
        } else if let Some(path) = artifacts {
            Names::Artifacts(path.into())
        } else {
            Names::Given(listed)
        };
        let recursive = variables.switch("recursive", args.recursive)?;
        let digests_only = variables.switch("require-digest", args.require_digest)?;
        Ok(Self {
            names,
            digest: digest.map(|given| (given.value, given.from)),
            built: built.map(|given| (given.value, given.from)),
            tags: if digests_only { Tags::Refused } else { Tags::Resolved },
            extent: if recursive { Extent::WithChildren } else { Extent::Named },
        })
    }
}

/// The other ways to name images, as the end of a sentence.
pub(crate) const WAYS: &str =
    ", or set `AMBISIGN_IMAGES`, `--images-file`, `--metadata`, or `--tags` with `--digest`";

/// The images of the command line, otherwise those of the variable.
fn listed(given: &[String], variable: Option<&str>) -> Result<Vec<Listed>, SettingsError> {
    if !given.is_empty() {
        return Ok(vec![Listed { source: Source::CommandLine, texts: each_once(given)? }]);
    }
    let Some(text) = variable else {
        return Ok(Vec::new());
    };
    let from = Origin::Variable("images");
    let texts = split(text, &from)?;
    Ok(vec![Listed { source: Source::Variable, texts }])
}

fn tagged(tags: Sourced<String>) -> Result<Listed, SettingsError> {
    let source = Source::Tags(match tags.from {
        Origin::Flag(_) => "--tags",
        Origin::Variable(_) | Origin::Foreign(_) | Origin::Policy(_) => "AMBISIGN_TAGS",
    });
    let texts = split(&tags.value, &tags.from)?;
    Ok(Listed { source, texts })
}

/// Splits at newlines, blanks and commas, which no reference contains. Each text is returned once.
fn split(text: &str, from: &Origin) -> Result<Vec<String>, SettingsError> {
    let mut seen = HashSet::new();
    let texts = text.split([' ', '\t', '\r', '\n', ',']);
    let texts = texts.filter(|text| !text.is_empty() && seen.insert(*text));
    let texts: Vec<String> = texts.map(str::to_owned).collect();
    if texts.is_empty() {
        let name = from.to_string();
        return Err(SettingsError::Empty { name });
    }
    Ok(texts)
}

/// The images of a command line, each once.
pub(super) fn each_once(given: &[String]) -> Result<Vec<String>, SettingsError> {
    let mut images: Vec<String> = Vec::with_capacity(given.len());
    let mut seen = HashSet::new();
    for (at, image) in given.iter().enumerate() {
        let image = image.trim();
        if image.is_empty() {
            return Err(SettingsError::EmptyImage { at: at + 1 });
        }
        if seen.insert(image) {
            images.push(image.to_owned());
        }
    }
    Ok(images)
}

fn parse_digest(given: Sourced<String>) -> Result<Sourced<Digest>, SettingsError> {
    match Digest::parse(&given.value) {
        Some(value) => Ok(Sourced { value, from: given.from }),
        None => Err(given.wrong("`sha256:` and 64 lower-case hexadecimal digits")),
    }
}

fn parse_metadata(given: Sourced<String>) -> Result<Sourced<Vec<Built>>, SettingsError> {
    match metadata::read(&given.value) {
        Some(value) => Ok(Sourced { value, from: given.from }),
        None => Err(given.wrong("the JSON of a pushed build, with its `containerimage.digest`")),
    }
}

fn unused(given: &Origin) -> Warning {
    Warning {
        code: UNUSED,
        message: format!("`{given}` is not read, because other settings name the images"),
    }
}
