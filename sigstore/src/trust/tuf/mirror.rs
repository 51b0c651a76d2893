// SPDX-License-Identifier: Apache-2.0
//! Asking a mirror for a file.

use ambisign_host::request::{below, get_json};
use ambisign_host::{Answer, CallLimits, Host};
use tough::schema::{Metafile, Role};
use url::Url;

use super::error::Error;
use super::role::{self, Verified};

/// A mirror: where its files are.
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
    /// A metadata file that must be there.
    pub(super) async fn metadata(&self, limits: &CallLimits, file: &str) -> Result<Vec<u8>, Error> {
        present(file, self.ask(limits, file).await?)
    }

    /// The file that `meta` speaks of, verified by `signed`: what was kept, when it is that file, or
    /// else what the mirror has (TUF 5.5, 5.6).
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

    /// A root that need not be there. Statuses that say so are the end of the chain (TUF 5.3.3), and
    /// nothing else is: a connection that breaks must not hide a newer root.
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

    /// The target `path`, which may have folders in front.
    pub(super) async fn target(&self, limits: &CallLimits, path: &str) -> Result<Vec<u8>, Error> {
        let request = get_json(below(&self.targets, path));
        let answer = self.host.net.send(limits, request).await;
        present(path, answer.map_err(Error::Http)?)
    }

    /// Names are one segment of the URL, whatever is in them: that of a delegated role comes from
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

fn present(file: &str, answer: Answer) -> Result<Vec<u8>, Error> {
    match answer.status.as_u16() {
        200 => Ok(answer.body),
        status => Err(Error::Status {
            file: file.to_owned(),
            status,
        }),
    }
}
