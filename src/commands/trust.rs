// SPDX-License-Identifier: Apache-2.0
//! `trust create`, `trust show` and `trust update`.

use std::sync::Arc;

use ambisign_providers::{Clock, Env, Explain, Host};
use serde_json::json;

use super::written;
use crate::cli::{CreateArgs, ShowArgs, UpdateArgs};
use crate::error::exit;
use crate::outcome::Failure;
use crate::report::{Block, Console, Reporter};
use crate::session::{self, no_net, supervise};
use crate::settings::{MaterialSettings, Output, SettingsError};
use crate::trust::create::Deployment;
use crate::trust::overview::Overview;
use crate::trust::{self, Trust, Updated, update};

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
        Err(error) => return failed(reporter, &error, "no file was overwritten"),
    };
    lines.iter().for_each(|line| reporter.line(line));
    let paths = paths.iter().map(|path| format!("{}\n", path.display()));
    written(reporter, reporter.document(&paths.collect::<String>()), 0)
}

/// Shows trust material.
pub fn show(args: ShowArgs, env: Env, console: &Arc<Console>) -> u8 {
    with_host(
        MaterialSettings::of_show(args, &env),
        env,
        console,
        async |run| {
            let options = run.settings.trust.options(Some(&run.settings.services));
            let trust = Trust::load(run.host, &options).await?;
            trust
                .warnings()
                .iter()
                .for_each(|warning| run.reporter.warning(warning));
            let overview = Overview::new(&trust, run.host.clock.now());
            Ok(match run.settings.run.output {
                Output::Json => overview.document().unwrap_or_default(),
                Output::Text => overview.text(),
            })
        },
    )
}

/// Updates what is kept of a mirror.
pub fn update_mirror(args: UpdateArgs, env: Env, console: &Arc<Console>) -> u8 {
    with_host(
        MaterialSettings::of_update(args, &env),
        env,
        console,
        async |run| {
            let updated = update(run.host, &run.settings.trust.mirror).await?;
            updated
                .warnings
                .iter()
                .for_each(|warning| run.reporter.warning(warning));
            Ok(told(&updated, run.settings.run.output))
        },
    )
}

/// What the commands that ask a mirror work with.
struct Asking<'a> {
    host: &'a Host,
    settings: &'a MaterialSettings,
    reporter: Reporter<'a>,
}

/// Runs `work`, and prints the text that comes of it.
fn with_host(
    settings: Result<MaterialSettings, SettingsError>,
    env: Env,
    console: &Arc<Console>,
    work: impl AsyncFnOnce(Asking<'_>) -> Result<String, trust::Error>,
) -> u8 {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return failed(Reporter::new(console, &no_net(&env)), &error, NOTHING),
    };
    let host = session::host(env, &settings.trust, &settings.run, console);
    let reporter = Reporter::new(console, &host.net);
    reporter.begin("trust", &settings.run);
    let (asking, mut text) = (
        Asking {
            host: &host,
            settings: &settings,
            reporter,
        },
        String::new(),
    );
    let end = supervise(settings.run.timeout, async {
        text = work(asking).await?;
        Ok(())
    });
    match end.failure("run again") {
        Some(failure) => blame(reporter, failure, end.exit(), NOTHING),
        None => written(reporter, reporter.document(&text), 0),
    }
}

/// What is left behind by a command that only looks.
const NOTHING: &str = "nothing was signed or uploaded";

fn failed(reporter: Reporter<'_>, error: &dyn Explain, exists: &str) -> u8 {
    let failure = Failure::of(error);
    let code = exit(failure.class);
    blame(reporter, failure, code, exists)
}

fn blame(reporter: Reporter<'_>, failure: Failure, code: u8, exists: &str) -> u8 {
    let last = format!("exit {code}; {exists}");
    reporter.failures(&[Block { failure, last }]);
    code
}

fn told(updated: &Updated, output: Output) -> String {
    let (url, versions) = (&updated.mirror.url, updated.mirror.versions);
    let folder = updated
        .folder
        .as_ref()
        .map(|folder| folder.display().to_string());
    match output {
        Output::Json => json!({
            "schema": "urn:ambisign:update:v1",
            "version": env!("CARGO_PKG_VERSION"),
            "url": url.as_str(),
            "root": versions.root,
            "timestamp": versions.timestamp,
            "snapshot": versions.snapshot,
            "targets": versions.targets,
            "folder": folder,
        })
        .to_string(),
        Output::Text => format!(
            "{url}\n  root {}, timestamp {}, snapshot {}, targets {}\n  kept {}",
            versions.root,
            versions.timestamp,
            versions.snapshot,
            versions.targets,
            folder.map_or_else(
                || "nowhere: there is no folder that can be written".to_owned(),
                |folder| format!("in {folder}")
            ),
        ),
    }
}
