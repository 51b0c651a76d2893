// SPDX-License-Identifier: Apache-2.0
//! An image as it was named, and how it is read.

use ambisign_registry::reference::Reference;
use ambisign_sigstore::digest::Digest;

use super::{Error, spelling};

/// An image as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// What is written there.
    pub(super) text: String,
    pub(super) place: Place,
    /// The digest that belongs to it, when that is written elsewhere.
    pub(super) digest: Option<Digest>,
}

/// Where an image is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) writer: Writer,
    /// As a message calls it: `image 2 of the command line`.
    pub(super) name: String,
}

/// Who wrote a name, which decides how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// A person or a tool that knows what a reference is.
    Careful,
    /// An expression of a workflow: the owner may have upper-case letters.
    Workflow,
    /// The same, and what counts is the repository: the tag is one of many for one digest.
    Tagger,
}

/// Whether a name is used as it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// It is in lower case now.
    Changed,
    Kept,
}

impl Named {
    /// What is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Reads `text`, which is what is written or follows from it.
    pub(super) fn parse(&self, text: &str) -> Result<Reference, Error> {
        let place = self.place.name.clone();
        // It would be read as a tag of an image called `sha256`.
        if Digest::parse(text).is_some() {
            return Err(Error::NoRepository { place });
        }
        Reference::parse(text).map_err(|source| Error::Reference { place, source })
    }

    /// As a registry spells it.
    pub(super) fn spelt(self) -> (Self, Spelling) {
        let text = match self.place.writer {
            Writer::Careful => None,
            Writer::Tagger | Writer::Workflow => spelling::lower(&self.text),
        };
        match text {
            Some(text) => (Self { text, ..self }, Spelling::Changed),
            None => (self, Spelling::Kept),
        }
    }
}
