// SPDX-License-Identifier: Apache-2.0
//! The policy of a team: a JSON file with requirements on signatures, which `verify --policy` reads. Its members
//! have the names of the flags. A flag can only narrow what the file accepts.
//!
//! Only a flag names the file, because a variable must not decide which signers are accepted.

use std::collections::BTreeMap;
use std::path::Path;

use ambisign_host::{file, json};
use ambisign_sigstore::verify::policy::{Claim, Match};
use serde::Deserialize;

use super::SettingsError;
use super::requirements::{claim, one};
use super::value::{Origin, Sourced, given};

/// The longest policy, in bytes.
const LONGEST: u64 = 64 * 1024;

/// The document. An unknown member is an error, because a requirement would be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Policy {
    certificate_identity: Option<String>,
    certificate_identity_regexp: Option<String>,
    certificate_oidc_issuer: Option<String>,
    certificate_oidc_issuer_regexp: Option<String>,
    certificate_claim: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    predicate_type: Vec<String>,
    min_log_entries: Option<usize>,
    min_timestamps: Option<usize>,
    format: Option<String>,
}

impl Policy {
    /// Reads the file at `path`; without one, nothing is required.
    ///
    /// # Errors
    /// The file cannot be read, is longer than 64 KiB, or is not a JSON object with these members alone.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, SettingsError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let unusable = |why: String| SettingsError::Policy { path: path.to_owned(), why };
        let bytes = file::read_regular(path, LONGEST);
        let bytes = bytes.map_err(|error| unusable(error.to_string()))?;
        json::parse(&bytes).map_err(|error| unusable(error.to_string()))
    }

    /// The required name in the certificate.
    pub(super) fn identity(&self) -> Result<Option<Sourced<Match>>, SettingsError> {
        one(
            text("certificate-identity", self.certificate_identity.as_ref())?,
            text("certificate-identity-regexp", self.certificate_identity_regexp.as_ref())?,
        )
    }

    /// The required issuer.
    pub(super) fn issuer(&self) -> Result<Option<Sourced<Match>>, SettingsError> {
        one(
            text("certificate-oidc-issuer", self.certificate_oidc_issuer.as_ref())?,
            text("certificate-oidc-issuer-regexp", self.certificate_oidc_issuer_regexp.as_ref())?,
        )
    }

    /// The required claims.
    pub(super) fn claims(&self) -> Result<Vec<Sourced<(Claim, Match)>>, SettingsError> {
        let from = || Origin::Policy("certificate-claim");
        let rows = self.certificate_claim.iter();
        rows.map(|(name, value)| claim(Some((name, value)), from())).collect()
    }

    /// The required annotations.
    pub(super) fn annotations(&self) -> Vec<(String, String)> {
        self.annotations.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The accepted predicate types: those of the flags, if the policy accepts each of them.
    pub(super) fn predicate_types(&self, flags: Vec<String>) -> Result<Vec<String>, SettingsError> {
        let accepted = &self.predicate_type;
        if accepted.iter().any(String::is_empty) {
            let name = Origin::Policy("predicate-type").to_string();
            return Err(SettingsError::Empty { name });
        }
        if flags.is_empty() {
            return Ok(accepted.clone());
        }
        if !accepted.is_empty() && flags.iter().any(|flag| !accepted.contains(flag)) {
            return Err(SettingsError::Wider { flag: Origin::Flag("predicate-type").to_string() });
        }
        Ok(flags)
    }

    /// The required numbers of logs and of timestamp authorities.
    pub(super) fn numbers(&self) -> [Option<usize>; 2] {
        [self.min_log_entries, self.min_timestamps]
    }

    /// The accepted format.
    pub(super) fn format(&self) -> Result<Option<Sourced<String>>, SettingsError> {
        text("format", self.format.as_ref())
    }
}

/// A member of the policy.
fn text(
    name: &'static str,
    value: Option<&String>,
) -> Result<Option<Sourced<String>>, SettingsError> {
    given(Origin::Policy(name), value.cloned())
}

/// The requirement of a flag, if it accepts nothing that the policy does not: the same, or one of the texts
/// that the policy accepts. Without a flag, that of the policy.
pub(super) fn narrowed(
    flag: Option<Sourced<Match>>,
    policy: Option<Sourced<Match>>,
) -> Result<Option<Sourced<Match>>, SettingsError> {
    let (flag, policy) = match (flag, policy) {
        (Some(flag), Some(policy)) => (flag, policy),
        (flag, policy) => return Ok(flag.or(policy)),
    };
    let is_one_of = matches!(&flag.value, Match::Exact(text) if policy.value.accepts(text));
    if is_one_of || flag.value == policy.value {
        Ok(Some(flag))
    } else {
        Err(SettingsError::Wider { flag: flag.from.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::Policy;

    const PAGE: &str = include_str!("../../docs/verify.md");

    /// It has every member, so the help and the page name none that does not exist.
    #[test]
    fn the_example_of_the_documentation_is_a_policy() {
        let example = PAGE.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
        let policy: Policy = ambisign_host::json::parse(example.unwrap().as_bytes()).unwrap();
        assert!(policy.identity().unwrap().is_some() && policy.issuer().unwrap().is_some());
        assert_eq!(policy.claims().unwrap().len(), 2);
        assert_eq!(policy.annotations().len(), 1);
        assert_eq!(policy.numbers(), [Some(1), Some(1)]);
        assert_eq!(policy.format().unwrap().map(|found| found.value).as_deref(), Some("bundle"));
    }
}
