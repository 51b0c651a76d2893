// SPDX-License-Identifier: Apache-2.0
//! The images to sign: their names from the settings, with their digests (gate G0).
//!
//! Nothing here uses the network. Names are not repaired: text that is not a reference is refused, and
//! the error says where it was found.

mod artifacts;
mod command_line;
mod error;
mod file;
#[doc(hidden)]
pub mod fuzzing;
mod named;
mod spelling;

use std::collections::{BTreeSet, HashSet};

use ambisign_host::Warning;
use ambisign_sigstore::digest::Digest;

pub(crate) use self::command_line::reference as of_command_line;
pub use self::error::Error;
pub(crate) use self::error::WARNINGS;

pub(crate) use self::named::Named;

use self::error::LOWER_CASE;
use self::named::{Place, Spelling, Writer};
use crate::settings::{Built, ImageSettings, Listed, Names, Origin, Source, Tags};
use ambisign_registry::reference::Reference;

/// The images that the settings name.
///
/// # Errors
/// A file cannot be read, or names no image.
pub(crate) async fn named(settings: &ImageSettings) -> Result<Vec<Named>, Error> {
    match &settings.names {
        Names::Artifacts(path) => artifacts::read(path).await,
        Names::File(path) => file::read(path).await,
        Names::Given(lists) => Ok(lists.iter().flat_map(listed).collect()),
        Names::Metadata(things, from) => built(things, from),
    }
}

/// Where the images are named, for the log; `None` for the command line.
pub(crate) fn origin(settings: &ImageSettings) -> Option<String> {
    Some(match &settings.names {
        Names::Artifacts(_) => {
            "from `GITHUB_ARTIFACTS_LIST`, because nothing else names an image".to_owned()
        }
        Names::File(path) => format!("from {}", path.display()),
        Names::Given(lists) => {
            let others = lists.iter().filter_map(|list| match list.source {
                Source::CommandLine => None,
                Source::Tags(name) => Some(name),
                Source::Variable => Some("AMBISIGN_IMAGES"),
            });
            let others: Vec<_> = others.map(|name| format!("`{name}`")).collect();
            return (!others.is_empty()).then(|| format!("from {}", others.join(" and ")));
        }
        Names::Metadata(..) => "from the metadata of a build".to_owned(),
    })
}

/// The references that `named` means, each once, with warnings.
///
/// # Errors
/// One is not a reference, has another digest than the given one, or has only a tag although a digest
/// is required.
pub(crate) fn references(
    named: Vec<Named>,
    settings: &ImageSettings,
) -> Result<(Vec<Reference>, Vec<Warning>), Error> {
    let reading = Reading::new(settings)?;
    let (mut references, mut warnings) = (Vec::with_capacity(named.len()), Vec::new());
    let mut seen = HashSet::new();
    for image in named {
        let (reference, warning) = reading.reference(image)?;
        warnings.extend(warning);
        if seen.insert(reference.to_string()) {
            references.push(reference);
        }
    }
    Ok((references, warnings))
}

/// Converts names to references.
pub(crate) struct Reading {
    common: Common,
    tags: Tags,
}

impl Reading {
    /// Uses the digests of `settings`.
    ///
    /// # Errors
    /// They contradict each other.
    pub(crate) fn new(settings: &ImageSettings) -> Result<Self, Error> {
        Ok(Self { common: Common::of(settings)?, tags: settings.tags })
    }

    /// The reference that `named` means, with a warning if needed.
    ///
    /// # Errors
    /// Those of [`references`].
    pub(crate) fn reference(&self, named: Named) -> Result<(Reference, Option<Warning>), Error> {
        let (named, spelling) = named.spelt();
        let reference = reference(&named, &self.common)?;
        if self.tags == Tags::Refused && reference.digest().is_none() {
            return Err(Error::Tag { image: named.text });
        }
        // Only after parsing: an invalid reference may contain a password.
        let warning = match spelling {
            Spelling::Changed => Some(lowered(&named.place, &reference)),
            Spelling::Unchanged => None,
        };
        Ok((reference, warning))
    }
}

/// The digest for images that are named without one.
enum Common {
    Nothing,
    One(NamedDigest),
    /// The build has several digests, so each image must name its own.
    Several,
}

/// A digest and its origin.
#[derive(Clone)]
struct NamedDigest {
    digest: Digest,
    by: String,
}

impl Common {
    fn of(settings: &ImageSettings) -> Result<Self, Error> {
        let source =
            |digest: &Digest, by: &Origin| NamedDigest { digest: *digest, by: by.to_string() };
        let common = settings.digest.as_ref();
        let common = common.map(|(digest, from)| source(digest, from));
        let Some((built, from)) = &settings.built else {
            return Ok(common.map_or(Self::Nothing, Self::One));
        };
        let digests: BTreeSet<Digest> = built.iter().map(|built| built.digest).collect();
        match (common, digests.first()) {
            (Some(common), Some(own)) if !digests.contains(&common.digest) => {
                Err(source(own, from).differs(&common))
            }
            (Some(common), _) => Ok(Self::One(common)),
            (None, Some(own)) if digests.len() == 1 => Ok(Self::One(source(own, from))),
            (None, _) => Ok(Self::Several),
        }
    }
}

impl NamedDigest {
    fn differs(&self, other: &Self) -> Error {
        Error::Digest {
            place: self.by.clone(),
            own: self.digest,
            name: other.by.clone(),
            given: other.digest,
        }
    }
}

/// The reference that `named` means, with its digest.
fn reference(named: &Named, common: &Common) -> Result<Reference, Error> {
    let by = &named.place.name;
    let parsed = named.parse(&named.text)?;
    let own = [parsed.digest(), named.digest.as_ref()].into_iter().flatten();
    let mut sources: Vec<NamedDigest> =
        own.map(|digest| NamedDigest { digest: *digest, by: by.clone() }).collect();
    match common {
        Common::One(common) => sources.push(common.clone()),
        Common::Several if sources.is_empty() => {
            let place = by.clone();
            return Err(Error::SeveralDigests { place });
        }
        Common::Nothing | Common::Several => {}
    }
    let Some((own, others)) = sources.split_first() else {
        return Ok(parsed);
    };
    if let Some(other) = others.iter().find(|other| other.digest != own.digest) {
        return Err(own.differs(other));
    }
    match named.place.writer {
        Writer::Tagger => Ok(parsed.with_digest(own.digest)),
        Writer::Careful | Writer::Workflow if parsed.digest().is_some() => Ok(parsed),
        // Keep the tag, because a later step checks whether it still points to the image.
        Writer::Careful | Writer::Workflow => {
            named.parse(&format!("{}@{}", named.text, own.digest))
        }
    }
}

fn lowered(place: &Place, reference: &Reference) -> Warning {
    let name = &place.name;
    Warning {
        code: LOWER_CASE,
        message: format!(
            "{name} was converted to lower case, because repositories must be: `{reference}`"
        ),
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
    list.texts.iter().zip(1..).map(move |(text, at): (_, usize)| Named {
        text: text.clone(),
        place: Place { writer, name: format!("{kind} {at} of {setting}") },
        digest: None,
    })
}

/// The built images, with the names under which they were pushed.
fn built(built: &[Built], from: &Origin) -> Result<Vec<Named>, Error> {
    let names = built.iter().flat_map(|built| {
        let named = built.names.iter().map(|name| (name, built.digest));
        named.collect::<Vec<_>>()
    });
    let named = |((text, digest), at): ((&String, Digest), usize)| Named {
        text: text.clone(),
        place: Place { writer: Writer::Tagger, name: format!("name {at} of `{from}`") },
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
