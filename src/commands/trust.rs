// SPDX-License-Identifier: Apache-2.0
//! `trust create`, `trust show` and `trust update`.

use std::sync::Arc;

use ambisign_host::{Clock, Env, Failure, Host};
use ambisign_sigstore::trust::create::Deployment;
use ambisign_sigstore::trust::{self, Trust, Updated, update};
use serde_json::json;

use super::session::{self, no_net, supervise};
use super::written::written;
use crate::cli::{CreateArgs, ShowArgs, UpdateArgs};
use crate::outcome::End;
use crate::outcome::exit::exit;
use crate::report::trust::{Overview, SCHEMA};
use crate::report::{Block, Console, Reporter};
use crate::settings::{self, MaterialSettings, Output, SettingsError};

/// Names the form of the document of `trust update`; not a place to fetch it from.
const UPDATE_SCHEMA: &str = "urn:ambisign:update:v1";

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
    written(reporter, reporter.document(&paths.collect::<String>()), 0)
}

/// Shows trust material.
pub fn show(args: ShowArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.run, &env);
    with_host(
        MaterialSettings::of_show(args, &env),
        (SCHEMA, output),
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
    let output = settings::output(&args.run, &env);
    with_host(
        MaterialSettings::of_update(args, &env),
        (UPDATE_SCHEMA, output),
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
    document: (&str, Output),
    env: Env,
    console: &Arc<Console>,
    work: impl AsyncFnOnce(Asking<'_>) -> Result<String, trust::Error>,
) -> u8 {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            let net = no_net(&env);
            return blame(
                Reporter::new(console, &net),
                document,
                End::Failed(Failure::of(&error)),
            );
        }
    };
    let host = session::host(env, &settings.trust, &settings.run, console);
    let reporter = Reporter::new(console, &host.net);
    let run = &settings.run;
    reporter.begin("trust", &run.overrides, &run.warnings);
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
        Ok::<_, trust::Error>(())
    });
    match end {
        End::Complete => written(reporter, reporter.document(&text), 0),
        End::Failed(_) | End::Interrupted(_) => blame(reporter, document, end),
    }
}

/// Tells why nothing is shown.
fn blame(reporter: Reporter<'_>, (schema, output): (&str, Output), end: End) -> u8 {
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

fn told(updated: &Updated, output: Output) -> String {
    let (url, versions) = (&updated.mirror.url, updated.mirror.versions);
    let folder = updated
        .folder
        .as_ref()
        .map(|folder| folder.display().to_string());
    match output {
        Output::Json => json!({
            "schema": UPDATE_SCHEMA,
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
