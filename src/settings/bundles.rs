// SPDX-License-Identifier: Apache-2.0
//! The settings of `sign` that say what becomes of the bundles.

use std::path::PathBuf;

use super::SettingsError;
use super::groups::Groups;
use super::value::{choice, exclusive, flag, path, pick};
use crate::cli::BundleArgs;

/// Where bundles are stored, and what happens to images that are signed already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleSettings {
    /// Where every bundle is kept, beside being attached or instead of it.
    pub place: Option<BundlePlace>,
    /// Whether bundles are attached.
    pub delivery: Delivery,
    /// What to do with an image that has a valid signature of the same identity.
    pub if_signed: IfSigned,
}

/// Where bundles are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundlePlace {
    /// The one bundle, in this file.
    File(PathBuf),
    /// A file for each digest, in this folder.
    Folder(PathBuf),
}

/// Whether bundles are attached to their images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// They are.
    Attach,
    /// They are kept only.
    Keep,
}

/// What to do with an image that has a valid signature of the same identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfSigned {
    /// Sign it once more.
    Add,
    /// Refuse it.
    Fail,
    /// Leave it alone.
    Skip,
}

impl Groups {
    /// # Errors
    /// Two places for one bundle, no place for bundles that are not attached, or a value that cannot
    /// be read.
    pub(super) fn bundles(&self, args: BundleArgs) -> Result<BundleSettings, SettingsError> {
        let variables = &self.variables;
        let folder = path("bundle-dir", args.bundle_dir, variables.bundle_dir.clone());
        let file = path("bundle", args.bundle, variables.bundle.clone());
        exclusive(file.as_ref(), folder.as_ref())?;
        let file = file.map(|given| BundlePlace::File(given.value));
        let folder = folder.map(|given| BundlePlace::Folder(given.value));
        let place = file.or(folder);
        let keep = flag("no-push", args.no_push, variables.no_push.as_deref())?;
        if keep && place.is_none() {
            return Err(SettingsError::Incomplete {
                given: "--no-push".to_owned(),
                missing: "--bundle-dir",
            });
        }
        let words = &[
            ("add", IfSigned::Add),
            ("fail", IfSigned::Fail),
            ("skip", IfSigned::Skip),
        ];
        let if_signed = pick("if-signed", args.if_signed, variables.if_signed.clone())?;
        Ok(BundleSettings {
            place,
            delivery: if keep {
                Delivery::Keep
            } else {
                Delivery::Attach
            },
            if_signed: choice(if_signed, IfSigned::Add, words)?,
        })
    }
}
