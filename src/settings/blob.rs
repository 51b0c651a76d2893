// SPDX-License-Identifier: Apache-2.0
//! The settings of `sign-blob`.

use std::path::{Path, PathBuf};

use ambisign_host::Env;

use super::groups::Groups;
use super::{BlobPaths, BlobSettings, SettingsError};
use crate::cli::SignBlobArgs;

/// The suffix of a bundle, after the name of its file. Other Sigstore clients use the same one.
const SUFFIX: &str = ".sigstore.json";

impl BlobSettings {
    /// Reads the flags and the variables of `env`.
    ///
    /// # Errors
    /// Those of [`super::Settings::resolve`]; one bundle for several files, or none for standard input.
    pub fn resolve(args: SignBlobArgs, env: &Env) -> Result<Self, SettingsError> {
        let mut groups = Groups::new(env, &args.signing.trust)?;
        groups.bind(args.signing.identity.require_issuer.as_deref());
        Ok(Self { blobs: paths(args.files, args.bundle)?, signing: groups.signing(args.signing)? })
    }
}

/// The default path of the bundle of `file`.
///
/// # Errors
/// `file` is standard input, which has no name.
pub(crate) fn default_bundle(file: &Path) -> Result<PathBuf, SettingsError> {
    if file == Path::new("-") {
        return Err(SettingsError::Incomplete { given: "-".to_owned(), missing: "--bundle" });
    }
    let mut path = file.to_owned().into_os_string();
    path.push(SUFFIX);
    Ok(path.into())
}

fn paths(files: Vec<PathBuf>, bundle: Option<PathBuf>) -> Result<Vec<BlobPaths>, SettingsError> {
    let mut blobs: Vec<BlobPaths> = Vec::with_capacity(files.len());
    for file in files {
        if blobs.iter().any(|known| known.blob == file) {
            continue;
        }
        let bundle = bundle.clone().map_or_else(|| default_bundle(&file), Ok)?;
        blobs.push(BlobPaths { blob: file, bundle });
    }
    match (blobs.len(), bundle) {
        (0, _) => Err(SettingsError::NoFiles),
        (2.., Some(_)) => Err(SettingsError::Conflict {
            one: "--bundle".to_owned(),
            other: "several files".to_owned(),
        }),
        _ => Ok(blobs),
    }
}
