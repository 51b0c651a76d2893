// SPDX-License-Identifier: Apache-2.0
//! The trust material of a run, its remaining validity, and the services that the run would use.

use std::time::{Duration, SystemTime};

use ambisign_host::{Class, Failure, Host};
use ambisign_sigstore::pki::x509::Certificate;
use ambisign_sigstore::trust::root::Authority;
use ambisign_sigstore::trust::{self, Service, Trust};
use url::Url;

use super::token::whole;
use super::warnings::ENDS_SOON;
use crate::outcome::diagnosis::{Finding, Stage};
use crate::outcome::from;
use crate::outcome::time::rfc3339;
use crate::settings::Signing;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The warning time for certificates and TUF files that people renew, so that they have enough time.
const PEOPLE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Of TUF people sign these; the others are renewed by a machine, shortly before their end.
const SIGNED_BY_PEOPLE: [&str; 2] = ["root.json", "targets.json"];

/// Loads the trust material.
pub(super) async fn examine(host: &Host, signing: &Signing) -> (Option<Trust>, Vec<Finding>) {
    let options = signing.trust.options(Some(&signing.services));
    match Trust::load(host, &options).await {
        Ok(trust) => {
            let findings = found(&trust, signing, host.clock.now());
            (Some(trust), findings)
        }
        Err(error) => {
            let failure = Failure::of(&error);
            let mirror = matches!(error, trust::Error::Tuf(_));
            let is_away = mirror && failure.class == Class::Temporary;
            let mut finding = Finding::fail(Stage::Trust, "", failure);
            if is_away {
                finding = finding.with_fix(
                    "let this machine reach that host, or give the material in files: \
                     `--trusted-root` and `--signing-config`",
                );
            }
            (None, vec![finding])
        }
    }
}

fn found(trust: &Trust, signing: &Signing, now: SystemTime) -> Vec<Finding> {
    let stage = Stage::Trust;
    let digest = trust.root().digest();
    let text = match (&signing.trust.trusted_root, trust.mirror()) {
        (Some(path), _) => format!("of the file {}, {digest}", path.display()),
        (None, Some(used)) => {
            format!("of the TUF mirror {}, root version {}, {digest}", used.url, used.versions.root)
        }
        (None, None) => digest.to_string(),
    };
    let mut findings = vec![Finding::ok(stage, "trusted root", text)];
    if let Some(used) = trust.mirror() {
        findings.extend(used.ends.iter().map(|(file, end)| {
            let people = SIGNED_BY_PEOPLE.contains(file);
            let soon = if people { PEOPLE } else { DAY };
            ending(file, *end, now, soon)
        }));
    }
    findings.extend(authorities(trust, now));
    let services = trust.services();
    let others = services.logs.iter().chain(&services.authorities);
    for service in std::iter::once(&services.fulcio).chain(others) {
        let end = trust.config().and_then(|config| config.end_of(service));
        if let Some(end) = end {
            let about = format!("signing config, {}", service.url);
            findings.push(ending(&about, end, now, PEOPLE));
        }
    }
    let logs = from::list(services.logs.iter().map(log));
    let stamps = services.authorities.iter().map(|one| one.url.to_string());
    let stamps = match from::list(stamps) {
        none if none.is_empty() => "no timestamp authority".to_owned(),
        some => format!("timestamps of {some}"),
    };
    let text = format!("Fulcio {}, {logs}, {stamps}", services.fulcio.url);
    findings.push(Finding::ok(stage, "services", text));
    findings.extend(trust.root().skipped().iter().map(|skipped| {
        let text = format!("an entry of the trusted root is not understood: {skipped}");
        Finding::warn(stage, "trusted root", text)
    }));
    let warnings = trust.warnings().iter();
    findings.extend(warnings.map(|warning| Finding::of_warning(stage, "", warning)));
    findings
}

fn log(log: &Service) -> String {
    format!("Rekor v{} {}", log.version, log.url)
}

/// How long there is still a certificate authority, and a timestamp authority where one is used.
fn authorities(trust: &Trust, now: SystemTime) -> Vec<Finding> {
    let (root, services) = (trust.root(), trust.services());
    let kinds = [
        ("certificate authority", root.authorities(), true),
        ("timestamp authority", root.timestamp_authorities(), !services.authorities.is_empty()),
    ];
    let used = kinds.into_iter().filter(|(.., used)| *used);
    let findings = used.filter_map(|(name, all, _)| {
        let valid = all.iter().filter(|one| one.is_valid_at(now));
        let last = valid.filter_map(end_of).max()?;
        Some(ending(name, last, now, PEOPLE))
    });
    findings.collect()
}

/// When the authority or a certificate of its chain ends first.
fn end_of(authority: &Authority) -> Option<SystemTime> {
    let chain = authority.chain().iter().map(Certificate::not_after);
    chain.chain(authority.window().end()).min()
}

/// When something ends, and whether that is nearer than `soon`.
fn ending(what: &str, end: SystemTime, now: SystemTime, soon: Duration) -> Finding {
    let left = end.duration_since(now).unwrap_or_default();
    let text = format!("valid until {} ({} left)", rfc3339(end), rough(left));
    if left >= soon {
        return Finding::ok(Stage::Trust, what, text);
    }
    let fix = "get the newer one in time, or inform the operators of the instance";
    let finding = Finding::warn(Stage::Trust, what, text).with_fix(fix);
    finding.with_code(ENDS_SOON)
}

/// Whole days, or less where there is no whole one.
fn rough(left: Duration) -> String {
    match left.as_secs() / DAY.as_secs() {
        0 => whole(left),
        days => format!("{days} days"),
    }
}

/// The hosts that a run talks to, but for registries and providers.
pub(super) fn hosts(trust: &Trust) -> Vec<String> {
    let services = trust.services();
    let others = services.logs.iter().chain(&services.authorities);
    let urls = std::iter::once(&services.fulcio).chain(others);
    let mirror = trust.mirror().map(|used| &used.url);
    let hosts = urls.map(|service| &service.url).chain(mirror);
    hosts.filter_map(host_of).collect()
}

fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}
