// SPDX-License-Identifier: Apache-2.0
//! `verify` and `verify-blob`.

use std::sync::Arc;

use ambisign_host::{Clock, Env, Failure};
use tokio::time::Instant;

use super::session::{self, no_net, supervise};
use super::written::written;
use crate::cli::{VerifyArgs, VerifyBlobArgs};
use crate::outcome::End;
use crate::outcome::verification::Verdicts;
use crate::report::{Console, Reporter};
use crate::settings::{self, Output, SettingsError, VerifySettings};
use crate::verification::Verification;

/// Verifies images.
pub fn images(args: VerifyArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.run, &env);
    verify(VerifySettings::of_images(args, &env), output, env, console)
}

/// Verifies a file.
pub fn blob(args: VerifyBlobArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.run, &env);
    verify(VerifySettings::of_blob(args, &env), output, env, console)
}

fn verify(
    settings: Result<VerifySettings, SettingsError>,
    output: Output,
    env: Env,
    console: &Arc<Console>,
) -> u8 {
    let mut settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            let net = no_net(&env);
            return unreadable(Failure::of(&error), output, Reporter::new(console, &net));
        }
    };
    let host = session::host(env, &settings.trust, &settings.run, console);
    settings.registry.guard_login(&host.net);
    let reporter = Reporter::new(console, &host.net);
    let checked =
        if settings.is_offline() { Ok(()) } else { session::check(&host, &mut settings.run) };
    if let Err(error) = checked {
        return unreadable(Failure::of(&error), output, reporter);
    }
    let started = Instant::now();
    let verification = Verification::new(&host, &settings, reporter);
    let end = supervise(settings.run.timeout, verification.run());
    let mut verdicts = verification.verdicts();
    verdicts.took = started.elapsed();
    verdicts.end = end;
    conclude(reporter, &verdicts, output)
}

/// A command line that cannot be read, or settings that cannot be used.
pub(super) fn unreadable(failure: Failure, output: Output, reporter: Reporter<'_>) -> u8 {
    let mut verdicts = Verdicts::new(Clock::system().now());
    verdicts.end = End::Failed(failure);
    conclude(reporter, &verdicts, output)
}

fn conclude(reporter: Reporter<'_>, verdicts: &Verdicts, output: Output) -> u8 {
    written(reporter, reporter.verdicts(verdicts, output), verdicts.exit())
}
