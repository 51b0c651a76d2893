// SPDX-License-Identifier: Apache-2.0
//! What the JSON documents of all commands have in common: an error, a warning.
//!
//! Every text from outside passes `redact` before it is escaped: afterwards a secret with a quote in
//! it would not be recognised.

use ambisign_host::{Class, Failure};
use serde::Serialize;

use crate::outcome;
use crate::outcome::exit::class_name;

#[derive(Serialize)]
pub(crate) struct Error {
    message: String,
    because: Vec<String>,
    fix: Option<String>,
    code: String,
    class: &'static str,
    retryable: bool,
}

impl Error {
    pub(crate) fn of(failure: &Failure, redact: &dyn Fn(&str) -> String) -> Self {
        Self {
            message: redact(&failure.what),
            because: failure.because.iter().map(|text| redact(text)).collect(),
            fix: failure.fix.as_deref().map(redact),
            code: redact(&failure.code),
            class: class_name(failure.class),
            retryable: failure.class == Class::Temporary,
        }
    }
}

/// Who signs.
#[derive(Serialize)]
pub(crate) struct Identity {
    provider: String,
    token_subject: String,
    subject: Option<String>,
    issuer: String,
    repository_visibility: Option<String>,
}

impl Identity {
    pub(crate) fn of(identity: &outcome::Identity, redact: &dyn Fn(&str) -> String) -> Self {
        let visibility = identity.repository_visibility.as_deref();
        Self {
            provider: redact(&identity.provider),
            token_subject: redact(&identity.token_subject),
            subject: identity.subject.as_deref().map(redact),
            issuer: redact(&identity.issuer),
            repository_visibility: visibility.map(redact),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Warning {
    code: &'static str,
    message: String,
}

impl Warning {
    pub(crate) fn of(warning: &ambisign_host::Warning, redact: &dyn Fn(&str) -> String) -> Self {
        Self {
            code: warning.code,
            message: redact(&warning.message),
        }
    }
}
