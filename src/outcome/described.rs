// SPDX-License-Identifier: Apache-2.0
//! What the schema says of the types of `ambisign-host`, which knows no schema.
#![expect(dead_code, reason = "only the schema reads them")]

use schemars::JsonSchema;

/// What went wrong.
#[derive(JsonSchema)]
pub(crate) struct Error {
    /// What happened, on one line.
    message: String,
    /// Why: the causes, outermost first.
    because: Vec<String>,
    /// What the reader can do.
    fix: Option<String>,
    /// A stable name; `ambisign explain` knows it.
    code: String,
    /// Who can do something about it.
    class: Class,
    /// Whether it may work when run again.
    retryable: bool,
}

/// Who can do something about an error, and whether trying again can help.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(crate) enum Class {
    /// A defect of ambisign, or a request of it that a service calls malformed.
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

/// Something that did not stop the run.
#[derive(JsonSchema)]
pub(crate) struct Warning {
    /// A stable name; `ambisign explain` knows it.
    code: String,
    /// One line for people.
    message: String,
}
