// SPDX-License-Identifier: Apache-2.0
//! The name of an image as it was given, and how to parse it.

use ambisign_registry::reference::Reference;
use ambisign_sigstore::digest::Digest;

use super::{Error, spelling};

/// The name of an image as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The text.
    pub(super) text: String,
    pub(super) place: Place,
    /// Its digest, if another setting has it.
    pub(super) digest: Option<Digest>,
}

/// Where an image is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) writer: Writer,
    /// Its description in messages: `image 2 of the command line`.
    pub(super) name: String,
}

/// The author of a name, which determines how it is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// A person, or a tool that writes valid references.
    Careful,
    /// An expression in a workflow, in which the owner may have upper-case letters.
    Workflow,
    /// The same, for tags. Only the repository counts, because one digest can have many tags.
    Tagger,
}

/// Whether a name was changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// It was converted to lower case.
    Changed,
    Unchanged,
}

impl Named {
    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Parses `text`, which is the given text or derived from it.
    pub(super) fn parse(&self, text: &str) -> Result<Reference, Error> {
        let place = self.place.name.clone();
        parse(text, place)
    }

    /// Converts it to the spelling of registries.
    pub(super) fn spelt(self) -> (Self, Spelling) {
        let text = match self.place.writer {
            Writer::Careful => None,
            Writer::Tagger | Writer::Workflow => spelling::lower(&self.text),
        };
        match text {
            Some(text) => (Self { text, ..self }, Spelling::Changed),
            None => (self, Spelling::Unchanged),
        }
    }
}

/// The reference that `text` is; `place` says where it is written.
///
/// # Errors
/// It is not a reference, or a digest alone.
pub(super) fn parse(text: &str, place: String) -> Result<Reference, Error> {
    if is_digest_alone(text) {
        return Err(Error::NoRepository { place });
    }
    Reference::parse(text).map_err(|source| Error::Reference { place, source })
}

/// Whether `text` is a digest, with its algorithm or without: an image ID is one, too. It would be read
/// as a tag of an image called `sha256`, or as the name of an image, which Docker refuses as well.
fn is_digest_alone(text: &str) -> bool {
    let text = text.trim_start_matches("sha256:");
    Digest::parse(&format!("sha256:{text}")).is_some()
}
