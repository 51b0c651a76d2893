// SPDX-License-Identifier: Apache-2.0
//! `sign` and `sign-blob`.

use std::sync::Arc;

use ambisign_host::{Clock, Env, Failure, Host};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use tokio::time::Instant;

use super::session::{self, no_net, supervise};
use super::written::written;
use crate::cli::{SignArgs, SignBlobArgs};
use crate::outcome::{End, Report};
use crate::pipeline::Context;
use crate::pipeline::Error;
use crate::report::{Console, Recorder, Reporter};
use crate::settings::{self, BlobSettings, Mode, Output, Settings, SettingsError, Signing};

/// Signs images.
pub fn images(args: SignArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.signing.run, &env);
    let mut settings = match Settings::resolve(args, &env) {
        Ok(settings) => settings,
        Err(error) => return refused(&error, output, &env, console),
    };
    let host = session::host(env, &settings.signing.trust, &settings.signing.run, console);
    if let Err(error) = session::check(&host, &mut settings.signing.run) {
        return refused(&error, output, &host.env, console);
    }
    settings.registry.guard_login(&host.net);
    signed(&host, &settings.signing, console, async |run| {
        run.sign(&settings, &mut UnwrapErr(SysRng)).await
    })
}

/// Signs files.
pub fn blobs(args: SignBlobArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.signing.run, &env);
    let mut settings = match BlobSettings::resolve(args, &env) {
        Ok(settings) => settings,
        Err(error) => return refused(&error, output, &env, console),
    };
    let host = session::host(env, &settings.signing.trust, &settings.signing.run, console);
    if let Err(error) = session::check(&host, &mut settings.signing.run) {
        return refused(&error, output, &host.env, console);
    }
    signed(&host, &settings.signing, console, async |run| {
        run.sign_blobs(&settings, &mut UnwrapErr(SysRng)).await
    })
}

/// Settings that cannot be used.
pub(super) fn refused(error: &SettingsError, output: Output, env: &Env, console: &Console) -> u8 {
    let net = no_net(env);
    unreadable(Failure::of(error), output, Reporter::new(console, &net))
}

/// Signs by `work`, and reports.
fn signed(
    host: &Host,
    signing: &Signing,
    console: &Console,
    work: impl AsyncFnOnce(Context<'_>) -> Result<(), Error>,
) -> u8 {
    let reporter = Reporter::new(console, &host.net);
    let mut report = Report::new(host.clock.now());
    report.dry_run = signing.mode == Mode::DryRun;
    let started = Instant::now();
    let recorder = Recorder::new(reporter, report);
    let run = Context { host, settings: signing, recorder: &recorder };
    let end = supervise(signing.run.timeout, work(run));
    let mut report = recorder.report();
    report.took = started.elapsed();
    report.end = end;
    finish(reporter, &report, signing.run.output)
}

/// A command line that cannot be read, or settings that cannot be used.
pub(super) fn unreadable(failure: Failure, output: Output, reporter: Reporter<'_>) -> u8 {
    let mut report = Report::new(Clock::system().now());
    report.end = End::Failed(failure);
    finish(reporter, &report, output)
}

/// The end of a command that signs, or never began to.
pub(super) fn finish(reporter: Reporter<'_>, report: &Report, output: Output) -> u8 {
    written(reporter, reporter.finish(report, output), report.exit())
}
