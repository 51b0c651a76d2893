// SPDX-License-Identifier: Apache-2.0
//! Whether the trusted root is the one of the services, by what they show of themselves and by a
//! timestamp of random bytes.

use ambisign_host::{Class, Failure, Host};
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::preflight::{self, Answers};
use ambisign_sigstore::trust::Trust;
use ambisign_sigstore::witness::{self, Witnesses};
use getrandom::SysRng;
use rand_core::UnwrapErr;

use crate::outcome::diagnosis::{Finding, Stage};

/// Compares the services of `trust` with its trusted root. The public instance sees to that itself.
pub(super) async fn examine(host: &Host, trust: &Trust) -> Vec<Finding> {
    let (stage, about, now) = (Stage::Services, "trusted root", host.clock.now());
    if trust.is_of_public_services(now) {
        return Vec::new();
    }
    let mut answers = Answers::ask(host, trust).await;
    let mut findings = match answers.verify(trust, now) {
        Ok(warnings) => {
            let text = "nothing that Fulcio and the logs show of themselves contradicts it";
            let ok = Finding::ok(stage, about, text);
            let odd = warnings.iter();
            let odd = odd.map(|warning| Finding::of_warning(stage, about, warning));
            std::iter::once(ok).chain(odd).collect()
        }
        Err(error) => vec![Finding::fail(stage, about, Failure::of(&error))],
    };
    // Where something else answers, a stamp would only say so again.
    let is_mistaken = findings.iter().any(|finding| finding.code.is_some());
    if !trust.services().authorities.is_empty() && !is_mistaken {
        findings.extend(stamps(host, trust).await);
    }
    findings
}

/// Whether the trusted root's authorities may issue for `identity`; `None` if nothing forbids it.
pub(super) fn name(host: &Host, trust: &Trust, identity: &Identity) -> Option<Finding> {
    let permitted = preflight::permit(trust.root(), identity, host.clock.now());
    let error = permitted.err()?;
    Some(Finding::fail(Stage::Identity, "name", Failure::of(&error)))
}

async fn stamps(host: &Host, trust: &Trust) -> Option<Finding> {
    let (stage, about) = (Stage::Services, "timestamps");
    let witnesses = Witnesses::new(host, trust);
    match witnesses.try_stamps(&mut UnwrapErr(SysRng)).await {
        Ok(()) => {
            Some(Finding::ok(stage, about, "the trusted root verifies a timestamp of random bytes"))
        }
        // An unreachable authority is reported by the check of the services.
        Err(witness::Error::Timestamp(error)) if error.class() == Class::Temporary => None,
        Err(error) => Some(Finding::fail(stage, about, Failure::of(&error))),
    }
}
