// SPDX-License-Identifier: Apache-2.0
//! The settings of `sign` for storing and pushing bundles.

use std::path::PathBuf;

use super::SettingsError;
use super::groups::Groups;
use super::value::{choice, exclusive};
use crate::cli::BundleArgs;

/// Where bundles are stored, and what to do with images that are already signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleSettings {
    /// Where every bundle is written, in addition to being attached or instead.
    pub place: Option<BundlePlace>,
    /// Whether bundles are attached.
    pub delivery: Delivery,
    /// What to do with an image that has a valid signature by the same identity.
    pub if_signed: IfSigned,
}

/// Where bundles are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundlePlace {
    /// A single bundle, to this file.
    File(PathBuf),
    /// A file for each digest, to this folder.
    Folder(PathBuf),
}

/// Whether bundles are attached to their images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// They are attached.
    Attach,
    /// They are only written to files.
    Keep,
}

/// What to do with an image that has a valid signature by the same identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfSigned {
    /// Sign it again.
    Add,
    /// Refuse it.
    Fail,
    /// Skip it.
    Skip,
}

impl Groups {
    /// # Errors
    /// Two places for one bundle, no place for bundles that are not attached, or an invalid value.
    pub(super) fn bundles(&self, args: BundleArgs) -> Result<BundleSettings, SettingsError> {
        let variables = &self.variables;
        let folder = variables.path("bundle-dir", args.bundle_dir);
        let file = variables.path("bundle", args.bundle);
        exclusive(file.as_ref(), folder.as_ref())?;
        let file = file.map(|given| BundlePlace::File(given.value));
        let folder = folder.map(|given| BundlePlace::Folder(given.value));
        let place = file.or(folder);
        let keep = variables.switch("no-push", args.no_push)?;
        if keep && place.is_none() {
            return Err(SettingsError::Incomplete {
                given: "--no-push".to_owned(),
                missing: "--bundle-dir",
            });
        }
        let words = &[("add", IfSigned::Add), ("fail", IfSigned::Fail), ("skip", IfSigned::Skip)];
        let if_signed = variables.text("if-signed", args.if_signed)?;
        Ok(BundleSettings {
            place,
            delivery: if keep { Delivery::Keep } else { Delivery::Attach },
            if_signed: choice(if_signed, IfSigned::Add, words)?,
        })
    }
}
