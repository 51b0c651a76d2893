// SPDX-License-Identifier: Apache-2.0
//! Which images are signed: names from wherever the settings say, and the digests that belong to
//! them (gate G0).
//!
//! Nothing here uses the network. A name is never repaired into another one than was meant: what is
//! not a reference is refused, with the place where it was found.

mod artifacts;
mod error;
mod file;
mod spelling;

use std::collections::HashSet;

pub use self::error::Error;

use crate::digest::Digest;
use crate::error::Error as RunError;
use crate::image::Reference;
use crate::outcome::Warning;
use crate::settings::{Built, ImageSettings, Listed, Names, SettingsError, Source, Tags};

/// An image as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// What is written there.
    text: String,
    place: Place,
    /// The digest that belongs to it, when that is written elsewhere.
    digest: Option<Digest>,
}

/// Where an image is named.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    writer: Writer,
    /// As a message calls it: `image 2 of the command line`.
    name: String,
}

/// Who wrote a name, which decides how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    /// A person or a tool that knows what a reference is.
    Careful,
    /// An expression of a workflow: the owner may have upper-case letters.
    Workflow,
    /// The same, and what counts is the repository: the tag is one of many for one digest.
    Tagger,
}

/// The images that the settings name.
///
/// # Errors
/// A file cannot be read, or names no image.
pub(crate) async fn named(settings: &ImageSettings) -> Result<Vec<Named>, Error> {
    match &settings.names {
        Names::Artifacts(path) => artifacts::read(path).await,
        Names::File(path) => file::read(path).await,
        Names::Given(lists) => Ok(lists.iter().flat_map(listed).collect()),
        Names::Metadata => built(settings),
    }
}

/// Where they are named, as the log says it; `None` for the command line.
pub(crate) fn origin(settings: &ImageSettings) -> Option<String> {
    Some(match &settings.names {
        Names::Artifacts(_) => {
            "of `GITHUB_ARTIFACTS_LIST`, because nothing else names one".to_owned()
        }
        Names::File(path) => format!("of {}", path.display()),
        Names::Given(lists) => {
            let others = lists.iter().filter_map(|list| match list.source {
                Source::CommandLine => None,
                Source::Tags(name) => Some(name),
                Source::Variable => Some("AMBISIGN_IMAGES"),
            });
            let others: Vec<_> = others.map(|name| format!("`{name}`")).collect();
            return (!others.is_empty()).then(|| format!("of {}", others.join(" and ")));
        }
        Names::Metadata => "of the metadata of a build".to_owned(),
    })
}

/// The references that `named` means, each once, and what is odd about them.
///
/// # Errors
/// One is no reference, has another digest than the one that is given, or a tag where a digest is
/// due.
pub(crate) fn references(
    named: Vec<Named>,
    settings: &ImageSettings,
) -> Result<(Vec<Reference>, Vec<Warning>), RunError> {
    let given = Given::of(settings)?;
    let (mut references, mut warnings) = (Vec::with_capacity(named.len()), Vec::new());
    let mut seen = HashSet::new();
    for image in named {
        let (image, warning) = image.spelt();
        warnings.extend(warning);
        let reference = reference(&image, &given)?;
        if settings.tags == Tags::Refused && reference.digest().is_none() {
            return Err(SettingsError::Tag { image: image.text }.into());
        }
        if seen.insert(reference.to_string()) {
            references.push(reference);
        }
    }
    Ok((references, warnings))
}

/// The digest for what is named without one.
enum Given {
    Nothing,
    One {
        digest: Digest,
        /// What gave it.
        name: String,
    },
    /// Several things were built: which of them an image is, only its own digest can say.
    Several,
}

impl Given {
    fn of(settings: &ImageSettings) -> Result<Self, Error> {
        let given = settings.digest.as_ref();
        let given = given.map(|(digest, from)| (*digest, from.to_string()));
        // Without other names, what was built goes by its own.
        let others = !matches!(settings.names, Names::Metadata);
        let built = settings.built.as_ref().filter(|_| others);
        let mut digests = built.iter().flat_map(|(built, _)| built);
        let first = digests.next().map(|built| built.digest);
        if digests.any(|other| Some(other.digest) != first) && given.is_none() {
            return Ok(Self::Several);
        }
        let built = first.zip(built.map(|(_, from)| from.to_string()));
        match (given, built) {
            (Some((given, name)), Some((own, place))) if given != own => Err(Error::Digest {
                place,
                own,
                name,
                given,
            }),
            (Some((digest, name)), _) | (None, Some((digest, name))) => {
                Ok(Self::One { digest, name })
            }
            (None, None) => Ok(Self::Nothing),
        }
    }
}

/// The reference that `named` means, with the digest that belongs to it.
fn reference(named: &Named, given: &Given) -> Result<Reference, RunError> {
    let place = || named.place.name.clone();
    if Digest::parse(&named.text).is_some() {
        return Err(Error::NoRepository { place: place() }.into());
    }
    let parse = |text: &str| {
        Reference::parse(text).map_err(|source| RunError::Reference {
            place: place(),
            source,
        })
    };
    let parsed = parse(&named.text)?;
    let mut digests = Vec::new();
    digests.extend(named.digest.map(|digest| (digest, place())));
    match given {
        Given::One { digest, name } => digests.push((*digest, name.clone())),
        Given::Several if parsed.digest().or(named.digest.as_ref()).is_none() => {
            return Err(Error::SeveralDigests { place: place() }.into());
        }
        Given::Nothing | Given::Several => {}
    }
    let mut own = parsed.digest().copied();
    for (given, name) in digests {
        match own {
            Some(own) if own != given => {
                let place = place();
                return Err(Error::Digest {
                    place,
                    own,
                    name,
                    given,
                }
                .into());
            }
            Some(_) | None => own = Some(given),
        }
    }
    match own {
        Some(digest) if named.place.writer == Writer::Tagger => Ok(parsed.with_digest(digest)),
        Some(digest) if parsed.digest().is_none() => parse(&format!("{}@{digest}", named.text)),
        Some(_) | None => Ok(parsed),
    }
}

impl Named {
    /// As the registry spells it.
    fn spelt(self) -> (Self, Option<Warning>) {
        match self.place.writer {
            Writer::Careful => (self, None),
            Writer::Tagger | Writer::Workflow => {
                let (text, warning) = spelling::lower(self.text, &self.place.name);
                (Self { text, ..self }, warning)
            }
        }
    }
}

fn listed(list: &Listed) -> impl Iterator<Item = Named> + '_ {
    let (writer, kind, setting) = match list.source {
        Source::CommandLine => (Writer::Careful, "image", "the command line"),
        Source::Tags(name) => (Writer::Tagger, "tag", name),
        Source::Variable => (Writer::Workflow, "image", "AMBISIGN_IMAGES"),
    };
    let setting = match list.source {
        Source::CommandLine => setting.to_owned(),
        Source::Tags(_) | Source::Variable => format!("`{setting}`"),
    };
    list.texts
        .iter()
        .zip(1..)
        .map(move |(text, at): (_, usize)| Named {
            text: text.clone(),
            place: Place {
                writer,
                name: format!("{kind} {at} of {setting}"),
            },
            digest: None,
        })
}

/// What was built, under the names that it was pushed by.
fn built(settings: &ImageSettings) -> Result<Vec<Named>, Error> {
    let (built, from) = match &settings.built {
        Some((built, from)) => (built.as_slice(), from.to_string()),
        None => (&[] as &[Built], String::new()),
    };
    let names = built.iter().flat_map(|built| {
        let named = built.names.iter().map(|name| (name, built.digest));
        named.collect::<Vec<_>>()
    });
    let named = |((text, digest), at): ((&String, Digest), usize)| Named {
        text: text.clone(),
        place: Place {
            writer: Writer::Tagger,
            name: format!("name {at} of `{from}`"),
        },
        digest: Some(digest),
    };
    let all: Vec<Named> = names.zip(1..).map(named).collect();
    if all.is_empty() {
        let what = format!("`{from}`");
        return Err(Error::Nothing { what });
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
