// SPDX-License-Identifier: Apache-2.0
//! Requests files from a mirror.

use ambisign_host::request::{below, get_json};
use ambisign_host::{Answer, CallLimits, Host};
use tough::schema::{Metafile, Role};
use url::Url;

use super::error::Error;
use super::role::{self, Verified};

/// The locations of the files of a mirror.
#[derive(Clone, Debug)]
pub(super) struct Mirror<'a> {
    /// The outside world.
    pub(super) host: &'a Host,
    /// The base of the metadata.
    pub(super) metadata: Url,
    /// The base of the targets.
    pub(super) targets: Url,
}

impl Mirror<'_> {
    /// Gets a required metadata file.
    pub(super) async fn metadata(&self, limits: &CallLimits, file: &str) -> Result<Vec<u8>, Error> {
        present(file, self.ask(limits, file).await?)
    }

    /// The file that `meta` lists, verified by `signed`: the cached one if it matches, otherwise the
    /// mirror's (TUF 5.5, 5.6).
    pub(super) async fn listed<R: Role>(
        &self,
        limits: &CallLimits,
        (file, meta): (&str, &Metafile),
        kept: Option<&String>,
        signed: impl Fn(&[u8]) -> Result<Verified<R>, Error>,
    ) -> Result<Verified<R>, Error> {
        let verify = |bytes: &[u8]| {
            role::pinned(file, meta, bytes)?;
            let found = signed(bytes)?;
            role::versioned(file, meta, &found.role)?;
            Ok(found)
        };
        match kept.and_then(|text| verify(text.as_bytes()).ok()) {
            Some(kept) => Ok(kept),
            None => verify(&self.metadata(limits, file).await?),
        }
    }

    /// Gets a root that may not exist. Only a status that says so ends the chain (TUF 5.3.3); a broken
    /// connection must not hide a newer root.
    pub(super) async fn root(
        &self,
        limits: &CallLimits,
        version: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let file = format!("{version}.root.json");
        let answer = self.ask(limits, &file).await?;
        match answer.status.as_u16() {
            403 | 404 | 410 => Ok(None),
            _ => present(&file, answer).map(Some),
        }
    }

    /// Gets the target `path`, which may include folders.
    pub(super) async fn target(&self, limits: &CallLimits, path: &str) -> Result<Vec<u8>, Error> {
        let request = get_json(below(&self.targets, path));
        let answer = self.host.net.send(limits, request).await;
        present(path, answer.map_err(Error::Http)?)
    }

    /// A name is always a single segment of the URL, because the name of a delegated role comes from
    /// the mirror.
    async fn ask(&self, limits: &CallLimits, file: &str) -> Result<Answer, Error> {
        let mut url = self.metadata.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(file);
        }
        let answer = self.host.net.send(limits, get_json(url)).await;
        answer.map_err(Error::Http)
    }
}

fn present(file: &str, mut answer: Answer) -> Result<Vec<u8>, Error> {
    match answer.status.as_u16() {
        200 => Ok(std::mem::take(&mut answer.body)),
        status => Err(Error::Status { file: file.to_owned(), status }),
    }
}
