// SPDX-License-Identifier: Apache-2.0
//! Whether the trusted root is the one of the services, by what they show of themselves and by a
//! timestamp of random bytes.

use ambisign_host::{Failure, Host};
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::preflight::{self, Answers};
use ambisign_sigstore::trust::Trust;
use ambisign_sigstore::witness::Trial;
use getrandom::SysRng;
use rand_core::UnwrapErr;

use crate::outcome::diagnosis::{Finding, Stage};

/// Compares the services of `trust` with its trusted root. The public instance sees to that itself.
pub(super) async fn examine(host: &Host, trust: &Trust) -> Vec<Finding> {
    let (stage, about, now) = (Stage::Services, "trusted root", host.clock.now());
    if trust.is_of_public_services(now) {
        return Vec::new();
    }
    let trial = Trial::draw(&mut UnwrapErr(SysRng));
    let mut answers = Answers::ask(host, trust, &trial).await;
    let mut findings: Vec<_> = match answers.verify_described(trust, now) {
        Ok(warnings) => {
            let text = "nothing that Fulcio and the logs show of themselves contradicts it";
            let ok = Finding::ok(stage, about, text);
            let odd = warnings.iter();
            let odd = odd.map(|warning| Finding::of_warning(stage, about, warning));
            std::iter::once(ok).chain(odd).collect()
        }
        Err(error) => failure(about, &error).into_iter().collect(),
    };
    let about = "timestamps";
    match answers.verify_stamps(trust) {
        // An unreachable authority is reported by the check of the services.
        Ok(0) => {}
        Ok(_) => {
            let text = "the trusted root verifies a timestamp of random bytes";
            findings.push(Finding::ok(stage, about, text));
        }
        Err(error) => findings.extend(failure(about, &error)),
    }
    findings
}

/// The finding of `error`; `None` without a connection, which the check of the services reports.
fn failure(about: &str, error: &preflight::Error) -> Option<Finding> {
    let finding = || Finding::fail(Stage::Services, about, Failure::of(error));
    (!error.is_of_connection()).then(finding)
}

/// Whether the trusted root's authorities may issue for `identity`; `None` if nothing forbids it.
pub(super) fn name(host: &Host, trust: &Trust, identity: &Identity) -> Option<Finding> {
    let permitted = preflight::permit(trust.root(), identity, host.clock.now());
    let error = permitted.err()?;
    Some(Finding::fail(Stage::Identity, "name", Failure::of(&error)))
}
