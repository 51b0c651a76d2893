// SPDX-License-Identifier: Apache-2.0
//! `attach`.

use std::sync::Arc;

use ambisign_host::Env;
use tokio::time::Instant;

use super::session::{self, supervise};
use super::sign::{finish, refused};
use crate::attach::Attaching;
use crate::cli::AttachArgs;
use crate::outcome::Report;
use crate::report::{Console, Recorder, Reporter};
use crate::settings::{self, AttachSettings};

/// Attaches bundles that were kept.
pub fn bundles(args: AttachArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.run, &env);
    let mut settings = match AttachSettings::resolve(args, &env) {
        Ok(settings) => settings,
        Err(error) => return refused(&error, output, &env, console),
    };
    let host = session::host(env, &settings.trust, &settings.run, console);
    if let Err(error) = session::check(&host, &mut settings.run) {
        return refused(&error, output, &host.env, console);
    }
    settings.registry.guard_login(&host.net);
    let reporter = Reporter::new(console, &host.net);
    let started = Instant::now();
    let recorder = Recorder::new(reporter, Report::new(host.clock.now()));
    let attaching = Attaching { host: &host, settings: &settings, recorder: &recorder };
    let end = supervise(settings.run.timeout, attaching.run());
    let mut report = recorder.report();
    report.took = started.elapsed();
    report.end = end;
    finish(reporter, &report, settings.run.output)
}
