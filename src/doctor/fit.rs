// SPDX-License-Identifier: Apache-2.0
//! Whether the trusted root is the one of the services, by what they show of themselves and by a
//! timestamp of random bytes.

use ambisign_host::{Failure, Host};
use ambisign_sigstore::preflight::Answers;
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
    let mut findings = match answers.verify_described(trust, now) {
        Ok(warnings) => {
            let text = "nothing that Fulcio and the logs show of themselves contradicts it";
            let ok = Finding::ok(stage, about, text);
            let odd = warnings.iter();
            let odd = odd.map(|warning| Finding::of_warning(stage, about, warning));
            std::iter::once(ok).chain(odd).collect()
        }
        Err(error) => vec![Finding::fail(stage, about, Failure::of(&error))],
    };
    let about = "timestamps";
    match answers.verify_stamps(trust) {
        // An unreachable authority is reported by the check of the services.
        Ok(0) => {}
        Ok(_) => {
            let text = "the trusted root verifies a timestamp of random bytes";
            findings.push(Finding::ok(stage, about, text));
        }
        Err(error) => findings.push(Finding::fail(stage, about, Failure::of(&error))),
    }
    findings
}
