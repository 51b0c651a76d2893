// SPDX-License-Identifier: Apache-2.0
//! Which platform this is, and which provider is chosen of those that are here. The network is not
//! used.

use ambisign_host::{Failure, Host};
use ambisign_providers::{Choice, Detection, Kind, PROVIDERS, ProviderStatus, choose, survey};

use crate::outcome::diagnosis::{Finding, Stage};
use crate::settings::IdentitySettings;

/// GitLab's token is in the token variable: they are one and the same.
const SAME: [&str; 2] = ["envvar", "gitlab"];

/// The state of every provider, and the one that is chosen.
pub(super) fn examine(host: &Host, settings: &IdentitySettings) -> (Option<Choice>, Vec<Finding>) {
    let seen = survey(host, &settings.options);
    match choose(host, &settings.options) {
        Ok(choice) => {
            let mut findings = taken(&choice, &seen, settings);
            findings.extend(others(&seen, choice.provider, ""));
            (Some(choice), findings)
        }
        Err(error) => {
            let failure = Failure::of(&error);
            let told = failure.code.clone();
            let mut findings = vec![Finding::fail(Stage::Provider, "", failure)];
            findings.extend(others(&seen, "", &told));
            (None, findings)
        }
    }
}

fn taken(
    choice: &Choice,
    statuses: &[ProviderStatus],
    settings: &IdentitySettings,
) -> Vec<Finding> {
    let name = choice.provider;
    let kind = statuses.iter().find(|status| status.name == name);
    let kind = kind.map_or(Kind::Explicit, |status| status.kind);
    let why = match kind {
        _ if settings.options.provider.is_some() => "`--oidc-provider` asks for it",
        Kind::Explicit => "a token was handed over",
        Kind::Ci => "it is the identity of this CI job",
        Kind::Asked => "it is configured here, and no CI job comes before it",
        Kind::Machine => "nothing more definite is here",
    };
    let text = format!("ready, and taken: {why}");
    let mut findings = vec![Finding::ok(Stage::Provider, name, text)];
    if kind == Kind::Machine && settings.require_identity.is_none() {
        let text = "it is the identity of this machine, not of a job";
        let machine = Finding::warn(Stage::Provider, name, text);
        findings.push(machine.with_fix("insist on it with `--require-identity`"));
    }
    findings
}

/// The providers that were not taken, and the platforms. What is `told` already ends the run.
fn others(statuses: &[ProviderStatus], chosen: &str, told: &str) -> Vec<Finding> {
    let is_chosen = |name| name == chosen || (SAME.contains(&chosen) && SAME.contains(&name));
    let mut findings: Vec<_> = statuses
        .iter()
        .filter(|status| !is_chosen(status.name))
        .filter_map(other)
        .filter(|finding| finding.code.as_deref() != Some(told))
        .collect();
    let absent = |status: &&ProviderStatus| matches!(status.detection, Detection::Absent);
    let named = |status: &&ProviderStatus| PROVIDERS.iter().any(|row| row.name == status.name);
    let absent = statuses.iter().filter(absent).filter(named);
    let absent: Vec<_> = absent.map(|status| status.name).collect();
    if !absent.is_empty() {
        let text = absent.join(", ");
        findings.push(Finding::skip(Stage::Provider, "not here", text));
    }
    findings
}

fn other(status: &ProviderStatus) -> Option<Finding> {
    let (stage, name) = (Stage::Provider, status.name);
    match &status.detection {
        Detection::Absent => None,
        Detection::Broken(error) => {
            let mut finding = Finding::harmless(stage, name, Failure::of(error));
            finding.text = format!("here, and cannot be used: {}", finding.text);
            Some(finding)
        }
        Detection::Ready(_) => {
            let text = format!("ready, and not taken: request it with `--oidc-provider {name}`");
            Some(Finding::ok(stage, name, text))
        }
        Detection::Recognised(platform) => {
            let text = "recognised: it gives a job no token by itself";
            Some(Finding::skip(stage, name, text).with_fix(&platform.fix))
        }
    }
}
