// SPDX-License-Identifier: Apache-2.0
//! `trust create`, `trust show` and `trust update`.

use std::sync::Arc;

use ambisign_host::{Clock, Env, Failure, Host};
use ambisign_sigstore::trust::create::Deployment;
use ambisign_sigstore::trust::{self, Trust, update};

use super::session::{self, no_net, supervise};
use super::written::written;
use crate::cli::{CreateArgs, ShowArgs, UpdateArgs};
use crate::outcome::End;
use crate::outcome::exit::exit;
use crate::outcome::trust::{Overview, Update};
use crate::report::trust::Told;
use crate::report::{Block, Console, Reporter};
use crate::settings::{self, MaterialSettings, Output, SettingsError};

/// Makes trust material.
pub fn create(args: CreateArgs, reporter: Reporter<'_>) -> u8 {
    let deployment = Deployment {
        fulcio: args.fulcio,
        ctfe: args.ctfe,
        rekor: args.rekor,
        tsa: args.tsa,
        oidc: args.oidc_provider,
    };
    let made = deployment.documents(Clock::system().now());
    let made = made.and_then(|made| Ok((made.write(&args.out_dir)?, made.lines)));
    let (paths, lines) = match made {
        Ok(made) => made,
        Err(error) => {
            let failure = Failure::of(&error);
            let code = exit(failure.class);
            let last = format!("exit {code}; no file was overwritten");
            reporter.failures(&[Block { failure, last }]);
            return code;
        }
    };
    lines.iter().for_each(|line| reporter.line(line));
    let paths = paths.iter().map(|path| format!("{}\n", path.display()));
    written(reporter, reporter.text(&paths.collect::<String>()), 0)
}

/// Shows trust material.
pub fn show(args: ShowArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.run, &env);
    with_host(MaterialSettings::of_show(args, &env), output, env, console, async |run| {
        let options = run.settings.trust.options(Some(&run.settings.services));
        let trust = Trust::load(run.host, &options).await?;
        trust.warnings().iter().for_each(|warning| run.reporter.warning(warning));
        Ok(Overview::new(&trust, run.host.clock.now()))
    })
}

/// Updates what is kept of a mirror.
pub fn update_mirror(args: UpdateArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.run, &env);
    with_host(MaterialSettings::of_update(args, &env), output, env, console, async |run| {
        let updated = update(run.host, &run.settings.trust.mirror).await?;
        updated.warnings.iter().for_each(|warning| run.reporter.warning(warning));
        Ok(Update::from(updated))
    })
}

/// What the commands that ask a mirror work with.
struct Asking<'a> {
    host: &'a Host,
    settings: &'a MaterialSettings,
    reporter: Reporter<'a>,
}

/// Runs `work`, and prints what comes of it.
fn with_host<T: Told>(
    settings: Result<MaterialSettings, SettingsError>,
    output: Output,
    env: Env,
    console: &Arc<Console>,
    work: impl AsyncFnOnce(Asking<'_>) -> Result<T, trust::Error>,
) -> u8 {
    let mut settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            let net = no_net(&env);
            return blame(
                Reporter::new(console, &net),
                (T::SCHEMA, output),
                End::Failed(Failure::of(&error)),
            );
        }
    };
    let host = session::host(env, &settings.trust, &settings.run, console);
    let reporter = Reporter::new(console, &host.net);
    if let Err(error) = session::check(&host, &mut settings.run) {
        return blame(reporter, (T::SCHEMA, output), End::Failed(Failure::of(&error)));
    }
    let run = &settings.run;
    reporter.begin("trust", &run.overrides, &run.warnings);
    let asking = Asking { host: &host, settings: &settings, reporter };
    let mut told = None;
    let end = supervise(settings.run.timeout, async {
        told = Some(work(asking).await?);
        Ok::<_, trust::Error>(())
    });
    match told {
        Some(told) => written(reporter, reporter.told(&told, output), 0),
        None => blame(reporter, (T::SCHEMA, output), end),
    }
}

/// Tells why nothing is shown.
fn blame(reporter: Reporter<'_>, (schema, output): (&'static str, Output), end: End) -> u8 {
    let code = end.exit();
    let Some(failure) = end.failure("run again") else {
        return code;
    };
    let results = match output {
        Output::Json => reporter.failed(schema, &failure, code),
        Output::Text => Ok(()),
    };
    let last = format!("exit {code}; no trust material is shown");
    reporter.failures(&[Block { failure, last }]);
    written(reporter, results, code)
}
