// SPDX-License-Identifier: Apache-2.0
//! The settings of `sign`.

use std::collections::HashSet;
use std::num::NonZeroUsize;

use ambisign_providers::Env;

use super::given::{Given, flag, pick};
use super::groups::Groups;
use super::{Mode, Settings, SettingsError, Tags};
use crate::cli::SignArgs;

/// How many images are signed at the same time.
const JOBS: usize = 64;
/// More jobs than this are a typing mistake.
const MOST_JOBS: usize = 1000;

impl Settings {
    /// Reads the flags and the variables of `env`.
    ///
    /// # Errors
    /// A value that cannot be read, settings that contradict each other, a misspelt `AMBISIGN_*`
    /// variable, no image, or with `--public-instance` a variable that decides who gets the token.
    pub fn resolve(args: SignArgs, env: &Env) -> Result<Self, SettingsError> {
        let mut groups = Groups::new(env, &args.trust)?;
        let variables = &groups.variables;
        let dry_run = flag("dry-run", args.dry_run, variables.dry_run.as_deref())?;
        let digests_only = flag(
            "require-digest",
            args.require_digest,
            variables.require_digest.as_deref(),
        )?;
        let jobs = jobs(pick("jobs", args.jobs, variables.jobs.clone())?)?;
        Ok(Self {
            images: images(&args.images)?,
            consent: groups.consent(&args.identity)?,
            identity: groups.identity(args.identity)?,
            services: groups.services(args.services)?,
            trust: groups.trust(args.trust),
            registry: groups.registry(args.registry)?,
            tags: if digests_only {
                Tags::Refused
            } else {
                Tags::Resolved
            },
            mode: if dry_run { Mode::DryRun } else { Mode::Publish },
            jobs,
            run: groups.run(args.run)?,
        })
    }
}

/// The images of the command line, each once.
pub(super) fn images(given: &[String]) -> Result<Vec<String>, SettingsError> {
    let mut images: Vec<String> = Vec::with_capacity(given.len());
    let mut seen = HashSet::new();
    for (at, image) in given.iter().enumerate() {
        let image = image.trim();
        if image.is_empty() {
            return Err(SettingsError::EmptyImage { at: at + 1 });
        }
        if seen.insert(image) {
            images.push(image.to_owned());
        }
    }
    if images.is_empty() {
        return Err(SettingsError::NoImages);
    }
    Ok(images)
}

fn jobs(given: Option<Given<String>>) -> Result<NonZeroUsize, SettingsError> {
    let default = NonZeroUsize::new(JOBS).unwrap_or(NonZeroUsize::MIN);
    let Some(given) = given else {
        return Ok(default);
    };
    let jobs = given
        .value
        .parse()
        .ok()
        .filter(|jobs: &NonZeroUsize| jobs.get() <= MOST_JOBS);
    jobs.ok_or_else(|| given.wrong("a number from 1 to 1000"))
}
