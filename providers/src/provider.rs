// SPDX-License-Identifier: Apache-2.0
//! What a provider is: a row of one table, and the source of tokens that its detection yields.

use std::fmt;

use ambisign_host::{Host, Table, Token};
use futures_util::future::BoxFuture;

use crate::{Error, Options};

/// Gives identity tokens. Everything that is needed to ask for one is already inside: nothing is
/// read twice.
pub trait Source: Send + Sync {
    /// Asks for a token for `audience`.
    ///
    /// # Errors
    /// No token was given, for the reason that the error tells. The failure is final: the caller
    /// asks nobody else instead.
    fn token<'a>(
        &'a self,
        host: &'a Host,
        audience: &'a str,
    ) -> BoxFuture<'a, Result<Token, Error>>;

    /// Whether a later call gives a fresh token, rather than the same one again.
    fn renewable(&self) -> bool;
}

/// What the environment and the files say about one provider. The network was not used.
pub enum Detection {
    /// It is not here.
    Absent,
    /// It is here for certain, but its credential channel is not, or cannot be used.
    Broken(Error),
    /// It can be asked for a token.
    Ready(Box<dyn Source>),
    /// A platform that has no token of this kind to give by itself.
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

/// A platform that was recognised, but gives no token by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformHint {
    /// Its name, as people write it.
    pub name: &'static str,
    /// One imperative sentence: how to give it an identity all the same.
    pub fix: String,
}

/// What an identity says about who runs, from the most to the least deliberate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A token that somebody handed over, by a flag or by a variable made for it.
    Explicit,
    /// The identity of a CI job.
    Ci,
    /// A workload identity that somebody configured here.
    Asked,
    /// Whatever this machine or pod is allowed to be.
    Machine,
}

/// An environment variable that a provider reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The exact name.
    pub name: &'static str,
    /// A value, or a description of one in angle brackets.
    pub example: &'static str,
    /// What it does, on one line that begins with its platform.
    pub meaning: &'static str,
    /// Whether the provider is found by it.
    pub is_mark: bool,
    /// Whether its value is a secret, which is never shown, and which child processes do not see.
    pub is_secret: bool,
}

impl Variable {
    /// A variable by which the provider is found.
    pub(crate) const fn mark(
        name: &'static str,
        example: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self {
            is_mark: true,
            ..Self::read(name, example, meaning)
        }
    }

    /// A variable that the provider reads when it is there.
    pub(crate) const fn read(
        name: &'static str,
        example: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            example,
            meaning,
            is_mark: false,
            is_secret: false,
        }
    }

    /// The same with a secret value.
    pub(crate) const fn secret(self) -> Self {
        Self {
            is_secret: true,
            ..self
        }
    }
}

/// One way to a token.
#[derive(Clone, Copy, Debug)]
pub struct Provider {
    /// Its name, the one by which it can be requested.
    pub name: &'static str,
    /// Every environment variable that it reads.
    pub variables: &'static [Variable],
    /// Credentials of its platform that it does not read. Like the secret ones of `variables`, child
    /// processes do not see them.
    pub secrets: &'static [&'static str],
    /// What there is to know about its errors.
    pub errors: &'static [Table],
    /// How deliberate its identity is.
    pub kind: Kind,
    /// Looks for it, without the network and in less than a millisecond.
    pub detect: fn(&Host, &Options) -> Detection,
}

impl Provider {
    /// The names of the variables by which it is found.
    pub fn marks(&self) -> impl Iterator<Item = &'static str> {
        let marks = self.variables.iter().filter(|variable| variable.is_mark);
        marks.map(|variable| variable.name)
    }
}
