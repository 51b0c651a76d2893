// SPDX-License-Identifier: Apache-2.0
//! Trust material in files.

use std::io;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::Error;
use super::options::TrustOptions;
use super::root::TrustedRoot;
use super::services::SigningConfig;

/// The longest file that may hold a trusted root, in bytes.
const LONGEST_ROOT: u64 = 1024 * 1024;
/// The longest file that may hold a signing config alone, in bytes.
const LONGEST_CONFIG: u64 = 256 * 1024;

/// The media type of a file that holds both.
pub(super) const CLIENT_TRUST_CONFIG: &str =
    "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";

/// The content of the given files.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) root: Option<TrustedRoot>,
    pub(super) config: Option<SigningConfig>,
}

/// A file that contains both. Each half is read by its own rules.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Both {
    media_type: String,
    trusted_root: Box<RawValue>,
    signing_config: Box<RawValue>,
}

impl Files {
    /// Reads the files. One that contains both also stands for the flag that was not given.
    pub(super) async fn read(options: &TrustOptions) -> Result<Self, Error> {
        let mut files = Self::default();
        let mut spare = Self::default();
        if let Some(path) = &options.trusted_root {
            let bytes = read(path, LONGEST_ROOT).await?;
            match split(&bytes) {
                Some(both) => {
                    files.root = Some(TrustedRoot::parse(both.trusted_root.get().as_bytes())?);
                    spare.config =
                        Some(SigningConfig::parse(both.signing_config.get().as_bytes())?);
                }
                None => files.root = Some(TrustedRoot::parse(&bytes)?),
            }
        }
        if let Some(path) = &options.signing_config {
            let bytes = read(path, LONGEST_ROOT).await?;
            match split(&bytes) {
                Some(both) => {
                    files.config =
                        Some(SigningConfig::parse(both.signing_config.get().as_bytes())?);
                    spare.root = Some(TrustedRoot::parse(both.trusted_root.get().as_bytes())?);
                }
                None => {
                    fits(path, bytes.len(), LONGEST_CONFIG)?;
                    files.config = Some(SigningConfig::parse(&bytes)?);
                }
            }
        }
        files.root = files.root.or(spare.root);
        files.config = files.config.or(spare.config);
        Ok(files)
    }
}

fn split(bytes: &[u8]) -> Option<Both> {
    let both: Both = ambisign_host::json::parse(bytes).ok()?;
    (both.media_type == CLIENT_TRUST_CONFIG).then_some(both)
}

pub(super) async fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let path = path.to_owned();
    let bytes = ambisign_host::file::read_in_run(&path, limit).await;
    bytes.map_err(|source| {
        if source.kind() == io::ErrorKind::FileTooLarge {
            Error::FileSize { path, limit }
        } else {
            Error::Read { path, source }
        }
    })
}

fn fits(path: &Path, length: usize, limit: u64) -> Result<(), Error> {
    match u64::try_from(length) {
        Ok(length) if length <= limit => Ok(()),
        Ok(_) | Err(_) => Err(Error::FileSize { path: path.to_owned(), limit }),
    }
}
