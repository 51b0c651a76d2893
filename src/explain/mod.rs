// SPDX-License-Identifier: Apache-2.0
//! The explanations of all codes of errors and warnings, for `ambisign explain`.
//!
//! A message says what happened in one run; an explanation says what it means in general. Both are in the
//! row of the error. This module lists the tables that the rows make.

mod stages;

use ambisign_host::{Class, Code, HttpReason, NETWORK_WARNINGS, Table};
use ambisign_registry::{CredentialError, ReferenceError};
use ambisign_sigstore::certificate::CertificateError;
use ambisign_sigstore::credential::SignError;
use ambisign_sigstore::identity::IdentityError;
use ambisign_sigstore::log::EntryError;
use ambisign_sigstore::timestamp::TimestampError;
use ambisign_sigstore::trust::{create, tuf};
use ambisign_sigstore::{bundle, fulcio, preflight, service, trust, verify, witness};

use self::stages::STAGES;
use crate::cli::{self, cosign, warnings};
use crate::outcome::exit::{self, RunError, exit as exit_code};
use crate::pipeline::{announce, blob, bundle_dir, undelivered};
use crate::settings::SettingsError;
use crate::{attach, doctor, images, report, verification};

/// What each enum of errors explains, and each list of warnings.
const TABLES: &[Table] = &[
    SignError::TABLE,
    CertificateError::TABLE,
    IdentityError::TABLE,
    EntryError::TABLE,
    TimestampError::TABLE,
    bundle::Error::TABLE,
    create::Error::TABLE,
    fulcio::Error::TABLE,
    service::Error::TABLE,
    preflight::Error::TABLE,
    preflight::WARNINGS,
    trust::Error::TABLE,
    trust::WARNINGS,
    tuf::Error::TABLE,
    tuf::WARNINGS,
    verify::Error::TABLE,
    witness::Error::TABLE,
    CredentialError::TABLE,
    ReferenceError::TABLE,
    ambisign_registry::Error::TABLE,
    ambisign_registry::warnings::WARNINGS,
    attach::Error::TABLE,
    attach::WARNINGS,
    blob::Error::TABLE,
    cli::CODES,
    cosign::Error::TABLE,
    doctor::WARNINGS,
    RunError::TABLE,
    images::Error::TABLE,
    images::WARNINGS,
    NETWORK_WARNINGS,
    exit::CODES,
    report::WARNINGS,
    undelivered::WARNINGS,
    SettingsError::TABLE,
    warnings::WARNINGS,
    bundle_dir::Error::TABLE,
    announce::WARNINGS,
    verification::Error::TABLE,
    verification::WARNINGS,
];

/// These, and those of the providers.
fn tables() -> impl Iterator<Item = Table> {
    TABLES.iter().copied().chain(ambisign_providers::explanations())
}

/// Every code with what there is to know, in the order of the names.
pub fn codes() -> Vec<(String, Code)> {
    let own = tables().flat_map(|table| table.codes);
    let own = own.map(|code| (code.name.to_owned(), *code));
    let of_requests = tables().flat_map(|table| table.requests).flat_map(|stage| {
        let codes = HttpReason::TABLE.codes.iter();
        codes.map(move |code| (format!("{stage}/{}", code.name), *code))
    });
    // What a stage says of its own is nearer.
    let mut all: Vec<_> = own.chain(of_requests).collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all.dedup_by(|(later, _), (first, _)| later == first);
    all
}

/// One line for each code, with a heading for each stage.
pub fn list() -> String {
    let lists = STAGES.iter().map(|(stage, about)| of_stage(stage, about));
    lists.collect::<Vec<_>>().join("\n")
}

/// The codes of `stage`, the part of a code before its slash, below their heading.
fn of_stage(stage: &str, about: &str) -> String {
    let codes = codes().into_iter();
    let codes = codes.filter(|(name, _)| stage_of(name) == stage);
    let lines = codes.map(|(name, code)| format!("  {name:<32} {}\n", code.what));
    format!("{stage}: {about}\n{}", lines.collect::<String>())
}

/// The stage of the code `name`.
fn stage_of(name: &str) -> &str {
    name.split_once('/').map_or(name, |(stage, _)| stage)
}

/// What there is to know about the code `name`, or the codes of the stage `name`.
///
/// # Errors
/// There is no such code or stage; the nearest one, if one is near.
pub fn text(name: &str) -> Result<String, Option<String>> {
    if let Some((stage, about)) = STAGES.iter().find(|(stage, _)| *stage == name) {
        return Ok(of_stage(stage, about));
    }
    let codes = codes();
    match codes.iter().find(|(known, _)| known == name) {
        Some((name, code)) => Ok(format!(
            "{name}\n\nWhat happened: {}\nWhy: {}\nWhat to do: {}\n{}\n",
            code.what,
            code.why,
            code.advice,
            end(code)
        )),
        None => {
            let stages = STAGES.iter().map(|(stage, _)| (*stage).to_owned());
            let names = codes.into_iter().map(|(known, _)| known);
            Err(nearest(name, names.chain(stages)))
        }
    }
}

/// How a run with `code` ends.
fn end(code: &Code) -> String {
    let ends: Vec<_> = code
        .classes
        .iter()
        .map(|class| format!("{} ({})", exit_code(*class), meaning(*class)))
        .collect();
    match (ends.is_empty(), code.name) {
        (true, "run/interrupted") => "Exit code: 128 and the number of the signal".to_owned(),
        (true, _) => "This is a warning: the run goes on.".to_owned(),
        (false, _) => format!("Exit code: {}", ends.join(", or ")),
    }
}

fn meaning(class: Class) -> &'static str {
    match class {
        Class::Bug => "a bug in ambisign",
        Class::Usage => "usage or settings",
        Class::Identity => "no usable identity",
        Class::Trust => "trust material",
        Class::Untrusted => "something that came back does not verify",
        Class::Registry => "the registry says no",
        Class::Rejected => "when verifying: no acceptable signature",
        Class::Temporary => "safe to run again",
    }
}

/// The one of `names` that `name` is most like, when it is like one at all.
fn nearest(name: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    let best = names.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    best.filter(|best| likeness(best) > 0.8)
}

#[cfg(test)]
mod tests;
