// SPDX-License-Identifier: Apache-2.0
//! A provider: its row in the table, and the source of tokens that detection returns.

use std::fmt;

use ambisign_host::{Host, Table, Token};
use futures_util::future::BoxFuture;

use crate::{Error, Options};

/// A source of identity tokens. It already contains everything that a request needs, so nothing is read
/// twice.
pub trait Source: Send + Sync {
    /// Requests a token for `audience`.
    ///
    /// # Errors
    /// There is no token. The failure is final: callers do not try another source.
    fn token<'a>(
        &'a self,
        host: &'a Host,
        audience: &'a str,
    ) -> BoxFuture<'a, Result<Token, Error>>;

    /// Returns `true` if a later call returns a new token instead of the same one.
    fn renewable(&self) -> bool;

    /// Where somebody put the token, as messages name it: a variable, a setting, a file or standard
    /// input. `None` if the platform creates the token for this call.
    fn place(&self) -> Option<String> {
        None
    }
}

/// The state of a provider according to the environment and files, without using the network.
pub enum Detection {
    /// It is not detected.
    Absent,
    /// It is detected, but its credentials are missing or unusable.
    Broken(Error),
    /// It can provide a token.
    Ready(Box<dyn Source>),
    /// A platform that does not provide such a token by itself.
    Recognised(PlatformHint),
}

impl fmt::Debug for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Broken(error) => f.debug_tuple("Broken").field(error).finish(),
            Self::Ready(_) => f.write_str("Ready"),
            Self::Recognised(platform) => f.debug_tuple("Recognised").field(platform).finish(),
        }
    }
}

/// A recognised platform that provides no token by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformHint {
    /// Its display name.
    pub name: &'static str,
    /// One imperative sentence about how to provide a token anyway.
    pub fix: String,
}

/// The kinds of identities, from the most to the least deliberate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An explicit token, from a flag or a dedicated variable.
    Explicit,
    /// The identity of a CI job.
    Ci,
    /// A workload identity that was configured here.
    Asked,
    /// The identity of this machine or pod.
    Machine,
}

/// What the value of a variable decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decides {
    /// None of the things below.
    Nothing,
    /// Which identity is used.
    Identity,
    /// Which server gets a credential of the platform. The provider takes servers of the platform alone, by
    /// [`Realm`](crate::Realm).
    Receiver,
    /// Which server says who this machine is. These values name the server that the platform has on every
    /// machine, so they decide nothing.
    Voucher(&'static [&'static str]),
}

/// An environment variable that a provider reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The exact name.
    pub name: &'static str,
    /// A value, or a description of one in angle brackets.
    pub example: &'static str,
    /// Its meaning, on one line that begins with its platform.
    pub meaning: &'static str,
    /// `true` if it identifies the provider.
    pub is_mark: bool,
    /// `true` if its value is a secret, which is never shown and which child processes do not see.
    pub is_secret: bool,
    /// What its value decides.
    pub decides: Decides,
}

impl Variable {
    /// A variable that identifies the provider.
    pub(crate) const fn mark(
        name: &'static str,
        example: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { is_mark: true, decides: Decides::Identity, ..Self::read(name, example, meaning) }
    }

    /// Another variable that the provider reads.
    pub(crate) const fn read(
        name: &'static str,
        example: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { name, example, meaning, is_mark: false, is_secret: false, decides: Decides::Nothing }
    }

    /// States what its value decides.
    pub(crate) const fn decides(self, decides: Decides) -> Self {
        Self { decides, ..self }
    }

    /// Marks its value as secret.
    pub(crate) const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }
}

/// A provider of tokens.
#[derive(Clone, Copy, Debug)]
pub struct Provider {
    /// Its name, with which it can be requested.
    pub name: &'static str,
    /// Every environment variable that it reads.
    pub variables: &'static [Variable],
    /// Other variables with credentials of its platform. Child processes do not see them, like the secret ones
    /// in `variables`.
    pub secrets: &'static [&'static str],
    /// What there is to know about its errors.
    pub errors: &'static [Table],
    /// The kind of its identity.
    pub kind: Kind,
    /// Detects it, without the network and in less than a millisecond.
    pub detect: fn(&Host, &Options) -> Detection,
}

impl Provider {
    /// The names of the variables that identify it.
    pub fn marks(&self) -> impl Iterator<Item = &'static str> {
        let marks = self.variables.iter().filter(|variable| variable.is_mark);
        marks.map(|variable| variable.name)
    }
}
