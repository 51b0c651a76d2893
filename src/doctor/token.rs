// SPDX-License-Identifier: Apache-2.0
//! The token, the certificate that it stands for, and what becomes public by it.

use std::time::{Duration, SystemTime};

use ambisign_host::{Failure, Host, excerpt};
use ambisign_providers::Choice;
use ambisign_sigstore::identity::prediction::Prediction;
use ambisign_sigstore::identity::{Identity, IdentityError};
use ambisign_sigstore::trust::Trust;
use humantime::format_duration;
use tokio::time::Instant;

use crate::outcome::diagnosis::{Finding, Stage};
use crate::outcome::from;
use crate::outcome::time::rfc3339;
use crate::pipeline::announce;
use crate::pipeline::identify;
use crate::pipeline::plan;
use crate::settings::Signing;

/// A token that lives longer is a secret worth stealing.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);
/// A token with less left may end while a run waits.
const SHORT: Duration = Duration::from_secs(120);

/// Asks `choice` for a token, and reads it.
pub(super) async fn examine(
    host: &Host,
    signing: &Signing,
    choice: Option<&Choice>,
) -> (Option<Identity>, Vec<Finding>) {
    let Some(choice) = choice else {
        let text = "not asked for: no provider is chosen";
        return (None, vec![Finding::skip(Stage::Identity, "token", text)]);
    };
    let audience = &signing.identity.options.audience;
    let started = Instant::now();
    let token = match choice.source.token(host, audience).await {
        Ok(token) => token,
        Err(error) => return (None, vec![refused(Failure::of(&error))]),
    };
    let took = started.elapsed().as_secs_f64();
    let now = host.clock.now();
    let from = format!("{} gave one in {took:.2}s", choice.provider);
    match identify((host, &signing.identity), choice, token) {
        Ok(identity) => {
            let mut findings = vec![Finding::ok(Stage::Identity, "token", from)];
            findings.extend(claims(&identity, now));
            findings.extend(certificate(&identity, signing));
            (Some(identity), findings)
        }
        Err(error) => (None, vec![refused(Failure::of(&error))]),
    }
}

fn refused(failure: Failure) -> Finding {
    Finding::fail(Stage::Identity, "token", failure)
}

/// The relevant claims. They do not include names of people.
fn claims(identity: &Identity, now: SystemTime) -> Vec<Finding> {
    let (stage, about) = (Stage::Identity, "claims");
    let left = identity.expires().unwrap_or(now);
    let left = left.duration_since(now).unwrap_or_default();
    let audiences = from::list(identity.audiences().iter().map(|one| excerpt(one)));
    let end = identity.expires().map(rfc3339).unwrap_or_default();
    let text = format!(
        "iss {}, sub {}, aud {audiences}, exp {end} ({} left)",
        excerpt(identity.issuer()),
        excerpt(identity.sub()),
        whole(left)
    );
    let mut findings = vec![Finding::ok(stage, about, text)];
    let life = identity.expires().zip(identity.issued());
    let life = life.and_then(|(end, start)| end.duration_since(start).ok());
    if let Some(life) = life.filter(|life| *life > LONG) {
        let text = format!("the token lives {}: a long-lived secret", whole(life));
        let fix = "have it minted for the step that signs";
        findings.push(Finding::warn(stage, about, text).with_fix(fix));
    }
    if identity.issued().is_none() {
        let text = "the token does not say when it was made (`iat`)";
        let fix = "check what mints it";
        findings.push(Finding::warn(stage, about, text).with_fix(fix));
    }
    if left < SHORT {
        let text = format!("the token ends in {}", whole(left));
        let fix = "have it minted in the step that signs, or let ambisign ask for it";
        findings.push(Finding::warn(stage, about, text).with_fix(fix));
    }
    if identity.audiences().len() > 1 {
        let text = "the token is for others too, who could use it as the job";
        let fix = "have it minted for one audience";
        findings.push(Finding::warn(stage, about, text).with_fix(fix));
    }
    findings
}

/// What the certificate will say, and whether that is what the user insists on.
fn certificate(identity: &Identity, signing: &Signing) -> Vec<Finding> {
    let (stage, about) = (Stage::Identity, "certificate");
    let wanted = &signing.identity;
    let required =
        identity.require(wanted.require_identity.as_deref(), wanted.require_issuer.as_deref());
    let insists = wanted.require_identity.is_some() || wanted.require_issuer.is_some();
    let first = match identity.prediction() {
        Prediction::Known { san, issuer } => {
            Finding::ok(stage, about, format!("{san}, issuer {issuer}"))
        }
        Prediction::Unknown if insists => {
            let text = "Fulcio's own rules decide who it is for: only the certificate tells \
                        whether it is what is required";
            Finding::warn(stage, about, text)
        }
        Prediction::Unknown => {
            let issuer = excerpt(identity.issuer());
            let text = format!("Fulcio's own rules decide who it is for, issuer {issuer}");
            Finding::ok(stage, about, text)
        }
    };
    let refused = |error: IdentityError| Finding::fail(stage, about, Failure::of(&error));
    let required = required.err().map(refused);
    [Some(first), required].into_iter().flatten().collect()
}

/// The warning that another Fulcio gets a token for the public one.
pub(super) fn shared_audience(host: &Host, identity: &Identity, trust: &Trust) -> Option<Finding> {
    let warning = announce::shared_audience(identity, trust, host.clock.now())?;
    Some(Finding::of_warning(Stage::Identity, "audience", &warning))
}

/// What would become public of the repository, and whether somebody consented.
pub(super) fn disclosure(signing: &Signing, identity: &Identity, trust: &Trust) -> Finding {
    let (stage, about) = (Stage::Identity, "repository");
    match plan::disclosed(signing, identity, trust) {
        Err(error) => Finding::fail(stage, about, Failure::of(&error)),
        Ok(Some(visibility)) => {
            Finding::of_warning(stage, about, &announce::disclosure(&visibility))
        }
        Ok(None) => {
            let visibility = identity.visibility().map(excerpt);
            let visibility = visibility.as_deref().unwrap_or("of unknown visibility");
            let text = if trust.publishes() {
                format!(
                    "it is {visibility}: identity, digests and time go into a public log permanently"
                )
            } else {
                format!("it is {visibility}, and no log of the public instance is used")
            };
            Finding::ok(stage, about, text)
        }
    }
}

/// `duration` in whole seconds.
pub(super) fn whole(duration: Duration) -> String {
    format_duration(Duration::from_secs(duration.as_secs())).to_string()
}
