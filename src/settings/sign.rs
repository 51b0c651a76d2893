// SPDX-License-Identifier: Apache-2.0
//! The settings of `sign`.

use std::collections::HashSet;

use ambisign_providers::Env;

use super::given::flag;
use super::groups::Groups;
use super::{Settings, SettingsError, Tags};
use crate::cli::SignArgs;

impl Settings {
    /// Reads the flags and the variables of `env`.
    ///
    /// # Errors
    /// A value that cannot be read, settings that contradict each other, a misspelt `AMBISIGN_*`
    /// variable, no image, or with `--public-instance` a variable that decides who gets the token.
    pub fn resolve(args: SignArgs, env: &Env) -> Result<Self, SettingsError> {
        let settings = Self::with_or_without_images(args, env)?;
        if settings.images.is_empty() {
            return Err(SettingsError::NoImages);
        }
        Ok(settings)
    }

    /// As [`Settings::resolve`], for `doctor`, which may be asked about no image.
    ///
    /// # Errors
    /// As [`Settings::resolve`], but that no image is named is none.
    pub fn with_or_without_images(args: SignArgs, env: &Env) -> Result<Self, SettingsError> {
        let groups = Groups::new(env, &args.signing.trust)?;
        let digests_only = flag(
            "require-digest",
            args.require_digest,
            groups.variables.require_digest.as_deref(),
        )?;
        Ok(Self {
            images: distinct(&args.images)?,
            tags: if digests_only {
                Tags::Refused
            } else {
                Tags::Resolved
            },
            registry: groups.registry(args.registry)?,
            signing: groups.signing(args.signing)?,
        })
    }
}

/// The images of the command line, each once; at least one.
pub(super) fn images(given: &[String]) -> Result<Vec<String>, SettingsError> {
    let images = distinct(given)?;
    if images.is_empty() {
        return Err(SettingsError::NoImages);
    }
    Ok(images)
}

fn distinct(given: &[String]) -> Result<Vec<String>, SettingsError> {
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
    Ok(images)
}
