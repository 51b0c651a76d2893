// SPDX-License-Identifier: Apache-2.0
//! The code, fix and class of every error in the workspace, and their explanations.

use std::borrow::Cow;

use serde::Serialize;

/// Who can act on an error, and whether running again can help.
///
/// A program maps each class to one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A defect in this program, or a request that a service rejects as malformed.
    Bug,
    /// There is no usable identity.
    Identity,
    /// A registry refuses permanently.
    Registry,
    /// Verification rejects the artifact or its signature.
    Rejected,
    /// A service is unreachable or refuses temporarily: running again is safe and may help.
    Temporary,
    /// Trust material is invalid, expired or missing.
    Trust,
    /// A service's answer does not verify. Do not retry; investigate.
    Untrusted,
    /// The command line or a setting is wrong, or a proxy refuses to connect.
    Usage,
}

/// An error with a stable code, a fix and a class.
///
/// `Display` says what happened: one line, lower case, no full stop, and without the text of its
/// sources.
pub trait Explain: std::error::Error {
    /// The stable name of the error, `stage/variant`.
    fn code(&self) -> Cow<'static, str>;

    /// One imperative sentence, or `None` if the reader cannot do anything about it.
    fn fix(&self) -> Option<Cow<'static, str>>;

    /// The fix for someone who only verifies, and may not change what is published.
    fn verifier_fix(&self) -> Option<Cow<'static, str>> {
        self.fix()
    }

    /// Who can act on it.
    fn class(&self) -> Class;
}

/// The explanation of a code, independent of any one run.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// The code, `stage/what`.
    pub name: &'static str,
    /// The classes that an error with this code can have. Warnings and signals have none.
    pub classes: &'static [Class],
    /// What happened.
    pub what: &'static str,
    /// Possible reasons.
    pub why: &'static str,
    /// What to do.
    pub advice: &'static str,
}

/// The explanations of one enum of errors, or of some warnings.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its codes.
    pub codes: &'static [Code],
    /// The stages in which a request can fail; the explanations of
    /// [`HttpReason`](crate::HttpReason) apply to each of them.
    pub requests: &'static [&'static str],
}

/// A value that a row of [`errors!`](crate::errors) can use as its fix.
pub trait Fix {
    /// Converts it to the type that [`Explain::fix`] returns.
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

/// Turns a sentence of advice into a fix: `Run again.` becomes `run again`.
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
