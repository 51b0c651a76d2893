// SPDX-License-Identifier: Apache-2.0
//! What every error of the workspace can say beyond its message.

use std::borrow::Cow;

use serde::Serialize;

/// Who can do something about an error, and whether trying again can help.
///
/// A program maps each class to one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A defect of ours, or a request of ours that a service calls malformed.
    Bug,
    /// There is no usable identity.
    Identity,
    /// A registry says no, for good.
    Registry,
    /// What was to be verified is not acceptable.
    Rejected,
    /// A service is out of reach or refuses for now: running again is safe and may help.
    Temporary,
    /// Trust material is bad, expired or missing.
    Trust,
    /// Something that came back does not verify. Do not retry: look.
    Untrusted,
    /// The command line or a setting is wrong; the network was not used.
    Usage,
}

/// An error that names itself, its fix and its class.
///
/// `Display` says what happened in one line, lower case, without full stop and without the text of
/// its sources.
pub trait Explain: std::error::Error {
    /// The stable name of the error, `stage/variant`.
    fn code(&self) -> Cow<'static, str>;

    /// One imperative sentence, or `None` when there is nothing that the reader can do.
    fn fix(&self) -> Option<Cow<'static, str>>;

    /// Who can do something about it.
    fn class(&self) -> Class;
}

/// What there is to know about a code, beyond the message of one run.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// The code, `stage/what`.
    pub name: &'static str,
    /// What an error with it can be; nothing for a warning, and for what ends a run by a signal.
    pub classes: &'static [Class],
    /// What happened.
    pub what: &'static str,
    /// Why that can be.
    pub why: &'static str,
    /// What to do.
    pub advice: &'static str,
}

/// The explanations of one enum of errors, or of some warnings.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its codes.
    pub codes: &'static [Code],
    /// The stages whose failed requests are among the errors: what is explained for
    /// [`HttpReason`](crate::HttpReason) holds for each of them.
    pub requests: &'static [&'static str],
}

/// What the row of an error may give as its fix.
pub trait Fix {
    /// The fix as [`Explain`] gives it.
    fn fix(self) -> Option<Cow<'static, str>>;
}

impl Fix for &'static str {
    fn fix(self) -> Option<Cow<'static, str>> {
        Some(self.into())
    }
}

impl Fix for String {
    fn fix(self) -> Option<Cow<'static, str>> {
        Some(self.into())
    }
}

impl Fix for Cow<'static, str> {
    fn fix(self) -> Option<Cow<'static, str>> {
        Some(self)
    }
}

impl<T: Fix> Fix for Option<T> {
    fn fix(self) -> Option<Cow<'static, str>> {
        self.and_then(Fix::fix)
    }
}

/// A sentence of advice in the form of a fix: `Run again.` is `run again`.
pub fn imperative(advice: &'static str) -> Cow<'static, str> {
    let advice = advice.strip_suffix('.').unwrap_or(advice);
    let mut chars = advice.chars();
    let Some(first) = chars.next() else {
        return advice.into();
    };
    format!("{}{}", first.to_ascii_lowercase(), chars.as_str()).into()
}

/// The messages of `error` and of all its sources.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        source = error.source();
    }
    text
}
