// SPDX-License-Identifier: Apache-2.0
//! The client under test, as many processes one after the other: what one knows of the one before is
//! in the folder of its cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ambisign_host::{Clock, Env, Explain as _, Host, Net, NetOptions};
use ambisign_sigstore::trust::tuf::{Repository as Tuf, Source, Versions};
use serde_json::Value;
use tempfile::TempDir;

use super::repository::{ROOT, Repository, TOP_LEVEL, time};
use super::server::Server;

/// The code of an error.
pub(crate) type Refused = String;

pub(crate) struct Client {
    pub(crate) source: Source,
    pub(crate) now: SystemTime,
    folder: TempDir,
}

impl Client {
    /// Knows the first root of `repository`, on day 0.
    pub(crate) fn of(repository: &Repository) -> Self {
        Self::new(&repository.server, repository.served(ROOT, 1), time(0))
    }

    pub(crate) fn new(server: &Server, root: Vec<u8>, now: SystemTime) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = Source {
            metadata: server.url("metadata/"),
            targets: server.url("targets/"),
            root,
            cache: Some(folder.path().to_owned()),
        };
        Self { source, now, folder }
    }

    pub(crate) async fn refresh(&self) -> Result<Versions, Refused> {
        let host = self.host();
        let result = Tuf::refresh(&host, &self.source).await;
        result.map(|tuf| tuf.versions()).map_err(|error| error.code().into_owned())
    }

    /// Code and message of a refresh that ends in an error.
    pub(crate) async fn error(&self) -> String {
        let host = self.host();
        let result = Tuf::refresh(&host, &self.source).await;
        let error = result.map(|tuf| tuf.versions()).unwrap_err();
        format!("{}: {error}", error.code())
    }

    /// What is odd about a refresh that goes well.
    pub(crate) async fn warnings(&self) -> Vec<&'static str> {
        let host = self.host();
        let tuf = Tuf::refresh(&host, &self.source).await.unwrap();
        tuf.warnings().iter().map(|warning| warning.code).collect()
    }

    /// When each file expires, after a refresh that goes well.
    pub(crate) async fn ends(&self) -> Vec<(&'static str, SystemTime)> {
        let host = self.host();
        Tuf::refresh(&host, &self.source).await.unwrap().ends()
    }

    /// The folder in which a refresh keeps what it learned.
    pub(crate) async fn keeps_in(&self) -> Option<PathBuf> {
        let host = self.host();
        let tuf = Tuf::refresh(&host, &self.source).await.unwrap();
        tuf.folder().await
    }

    /// A refresh and these targets, one after the other.
    pub(crate) async fn download(&self, names: &[&str]) -> Vec<Result<Vec<u8>, Refused>> {
        let host = self.host();
        let tuf = match Tuf::refresh(&host, &self.source).await {
            Ok(tuf) => tuf,
            Err(error) => return vec![Err(error.code().into_owned())],
        };
        let mut results = Vec::new();
        for name in names {
            let result = tuf.target(name).await;
            results.push(result.map_err(|error| error.code().into_owned()));
        }
        results
    }

    /// A refresh and one target.
    pub(crate) async fn download_one(&self, name: &str) -> Result<Vec<u8>, Refused> {
        self.download(&[name]).await.remove(0)
    }

    /// What is said of a target that cannot be had, as [`Client::error`].
    pub(crate) async fn error_of(&self, name: &str) -> String {
        let host = self.host();
        let tuf = Tuf::refresh(&host, &self.source).await.unwrap();
        let error = tuf.target(name).await.unwrap_err();
        format!("{}: {error}", error.code())
    }

    fn host(&self) -> Host {
        let (env, clock) = (Env::default(), Clock::fixed(self.now));
        let net = Net::new(&env, clock, NetOptions::default());
        let root = "/".into();
        Host { env, net, clock, root }
    }

    /// The same client with its cache in this folder.
    pub(crate) fn in_folder(mut self, cache: &Path) -> Self {
        self.source.cache = Some(cache.to_owned());
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What is kept, or nothing.
    pub(crate) fn state(&self) -> Value {
        let state = fs::read(self.folder().join("state.json"));
        state.map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap())
    }

    /// Versions of root, timestamp, snapshot and targets that the next process knows; 0 for none.
    pub(crate) fn keeps(&self) -> [u64; 4] {
        let state = self.state();
        // The first root is brought along by every process.
        let roots = state["roots"].as_object();
        let roots = roots.into_iter().flat_map(|roots| roots.values());
        let latest = roots.map(version).max();
        let brought = serde_json::from_slice(&self.source.root).unwrap_or_default();
        let root = latest.unwrap_or_else(|| number(&brought));
        let [_, timestamp, snapshot, targets] = TOP_LEVEL.map(|role| version(&state[role]));
        [root, timestamp, snapshot, targets]
    }
}

/// The version of metadata that is kept as text; 0 for none.
fn version(kept: &Value) -> u64 {
    let document = serde_json::from_str(kept.as_str().unwrap_or_default());
    number(&document.unwrap_or_default())
}

fn number(document: &Value) -> u64 {
    document["signed"]["version"].as_u64().unwrap_or(0)
}

/// A result with the code of an error.
pub(crate) fn refused<T>(code: &str) -> Result<T, Refused> {
    Err(code.to_owned())
}

/// The versions as a row: root, timestamp, snapshot, targets.
pub(crate) fn row(versions: Versions) -> [u64; 4] {
    let Versions { root, timestamp, snapshot, targets } = versions;
    [root, timestamp, snapshot, targets]
}
