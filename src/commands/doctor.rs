// SPDX-License-Identifier: Apache-2.0
//! `doctor`.

use std::sync::Arc;

use ambisign_host::{Clock, Env, Failure};
use tokio::time::Instant;

use super::session::{self, no_net, supervise};
use super::written::written;
use crate::cli::SignArgs;
use crate::doctor::{Diagnosis, Doctor, Finding, Resolved, Stage, check, resolve};
use crate::outcome::End;
use crate::report::{Console, Reporter};
use crate::settings::{self, Output};

/// Looks at everything that `sign` would need.
pub fn examine(args: SignArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.signing.run, &env);
    let Resolved { settings, env, findings } = resolve(args, env);
    let mut diagnosis = Diagnosis::new(Clock::system().now());
    diagnosis.findings = findings;
    let Some(settings) = settings else {
        diagnosis.without_settings();
        let net = no_net(&env);
        return conclude(Reporter::new(console, &net), &diagnosis, output);
    };
    let signing = &settings.signing;
    let host = session::host(env, &signing.trust, &signing.run, console);
    settings.registry.guard_login(&host.net);
    let reporter = Reporter::new(console, &host.net);
    reporter.line(&format!("ambisign {} | doctor", env!("CARGO_PKG_VERSION")));
    match check(&host) {
        Ok(findings) => diagnosis.findings.extend(findings),
        Err(error) => {
            let failure = Failure::of(&error);
            let finding = Finding::fail(Stage::Settings, "", failure);
            diagnosis.findings.push(finding);
            diagnosis.without_settings();
            return conclude(reporter, &diagnosis, output);
        }
    }
    let started = Instant::now();
    let doctor = Doctor::new(&host, &settings, diagnosis);
    let end = supervise(signing.run.timeout, doctor.run());
    let mut diagnosis = doctor.diagnosis();
    diagnosis.took = started.elapsed();
    diagnosis.end = end;
    conclude(reporter, &diagnosis, signing.run.output)
}

/// A command line that cannot be read.
pub(super) fn unreadable(failure: Failure, output: Output, reporter: Reporter<'_>) -> u8 {
    let mut diagnosis = Diagnosis::new(Clock::system().now());
    diagnosis.end = End::Failed(failure);
    conclude(reporter, &diagnosis, output)
}

fn conclude(reporter: Reporter<'_>, diagnosis: &Diagnosis, output: Output) -> u8 {
    let code = diagnosis.exit();
    written(reporter, reporter.diagnosis(diagnosis, output), code)
}
