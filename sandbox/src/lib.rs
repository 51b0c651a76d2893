// SPDX-License-Identifier: Apache-2.0
//! A small but complete Sigstore and an OCI registry in one process, on loopback: for newcomers, and
//! for tests of services that lie and sign their lies.
//!
//! It shares no code with the signer, because one misreading of a specification would then be on both
//! sides. cosign signs and verifies against it (`tests/cosign.rs`). Its README lists what it omits.

mod der;
mod files;
pub mod forge;
mod fulcio;
mod http;
mod keys;
mod lie;
mod log;
mod login;
mod merkle;
mod note;
mod oidc;
mod proxy;
mod push;
mod registry;
mod rekor1;
mod rekor2;
mod services;
mod store;
mod tsa;
mod x509;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::sync::oneshot;

pub use files::mint;
pub use http::Record;
pub use lie::Lie;
pub use oidc::{IDENTITY, REQUEST_TOKEN};
pub use push::push;

use http::Journal;
use keys::Seed;
use lie::Lies;
use oidc::Times;
use proxy::Proxy;
use registry::Registry;
use services::{Serve, Services, bind};

/// Why a sandbox could not start, or a token not be minted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A port of 127.0.0.1 could not be had.
    #[error("cannot listen on port {port} of 127.0.0.1: {source}")]
    Bind {
        /// The port; 0 is any.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// A file of the sandbox's folder could not be read or written.
    #[error("cannot use `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no such issuer.
    #[error("no issuer is named `{0}`; there are email, google, dex and github")]
    Issuer(String),
    /// A key could not be made or read.
    #[error("a key could not be made or read ({0}); another seed may do")]
    Key(String),
    /// The registry of a sandbox that runs in another process did not take an image.
    #[error("the registry of the sandbox at {address} took no image: {why}")]
    Push {
        /// Its `host:port`.
        address: String,
        /// Why.
        why: String,
    },
    /// The thread of the services could not be started.
    #[error("cannot start the services: {0}")]
    Thread(std::io::Error),
}

impl Error {
    fn key(error: impl std::fmt::Display) -> Self {
        Self::Key(error.to_string())
    }
}

/// What time it is.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the sandbox is a program of its own; its time enters here"
        )]
        Self(Arc::new(SystemTime::now))
    }

    /// One that always says `time`, which is between 1971 and 2049: UTCTime knows no others.
    #[must_use]
    pub fn fixed(time: SystemTime) -> Self {
        Self(Arc::new(move || time))
    }

    fn now(&self) -> SystemTime {
        (self.0)()
    }

    /// Seconds since 1970.
    fn seconds(&self) -> u64 {
        self.now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

/// How to start a sandbox.
#[derive(Clone)]
pub struct Options {
    /// What all keys are made of, but for the two RSA keys, which are the same in every sandbox.
    pub seed: u64,
    /// What the services are wrong about; nothing by default.
    pub lies: Vec<Lie>,
    /// The first of nine ports in a row; any free ones by default.
    pub port: Option<u16>,
    /// Where `trusted_root.json`, the signing configs and `env.sh` are written; nowhere by default.
    pub dir: Option<PathBuf>,
    /// The time of certificates, timestamps, entries and tokens.
    pub clock: Clock,
    /// How long Fulcio's certificates live: ten minutes by default.
    pub life: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            lies: Vec::new(),
            port: None,
            dir: None,
            clock: Clock::system(),
            life: Duration::from_secs(600),
        }
    }
}

/// A running sandbox. Dropping it ends it.
pub struct Sandbox {
    urls: Urls,
    files: files::Files,
    services: Services,
    journal: Arc<Journal>,
    dir: Option<PathBuf>,
    /// What stops the thread by being dropped, and the thread.
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// What every service is made with.
#[derive(Clone)]
struct World {
    seed: Seed,
    clock: Clock,
    lies: Lies,
    life: Duration,
}

impl World {
    /// Returns `true` if the sandbox should lie in this way.
    fn tell(&self, lie: Lie) -> bool {
        self.lies.0.contains(&lie)
    }
}

/// Where the services are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Urls {
    /// Base URL; the issuers are `{oidc}/github`, `/email`, `/google`, `/dex`.
    pub oidc: String,
    /// Base URL of Fulcio.
    pub fulcio: String,
    /// Base URL of Rekor v1.
    pub rekor: String,
    /// Base URL of Rekor v2.
    pub rekor2: String,
    /// The endpoint of the timestamp authority.
    pub tsa: String,
    /// `host:port` of the registry without the referrers API.
    pub registry: String,
    /// `host:port` of the registry with it.
    pub registry_referrers: String,
    /// `host:port` of the registry that wants a login and has the API; see `docker/config.json`.
    pub registry_login: String,
    /// The HTTPS proxy.
    pub proxy: String,
}

impl Sandbox {
    /// Starts every service in a thread of its own, and writes the files.
    ///
    /// # Errors
    /// No port, no file, or no key.
    pub fn start(mut options: Options) -> Result<Self, Error> {
        if let Some(dir) = &mut options.dir {
            // A client may run in another folder.
            *dir = std::path::absolute(&*dir).map_err(file(dir))?;
        }
        let (seed, lies) = (Seed(options.seed), Lies(options.lies));
        let world = World { seed, clock: options.clock, lies, life: options.life };
        let (ports, listeners) = bind(options.port)?;
        let urls = Urls::new(ports);
        let services = Services::new(&world, &urls)?;
        let files = files::Files::new(&urls, &services, world.clock.now());
        let mut journal = Journal::default();
        if let Some(dir) = &options.dir {
            files.write(dir, &urls)?;
            journal.file = Some(files::journal(dir)?.into());
        }
        let journal = Arc::new(journal);
        let (all, proxied) = (services.all(), Arc::clone(&journal));
        let proxy = Arc::new(Proxy::new(&world, &services.tls, all.clone(), proxied)?);
        let (stop, stopped) = oneshot::channel();
        let running = Arc::clone(&journal);
        let serve = Serve { listeners, services: all, proxy, journal: running };
        let running = Some((stop, serve.run(stopped)?));
        Ok(Self { urls, files, services, journal, dir: options.dir, running })
    }

    /// Where the services are.
    #[must_use]
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// The trusted root, as JSON.
    #[must_use]
    pub fn trusted_root(&self) -> &str {
        &self.files.trusted_root
    }

    /// The variables of `env.sh`; those that name files are there only when there is a folder.
    #[must_use]
    pub fn env(&self) -> Vec<(&'static str, String)> {
        files::env(&self.urls, self.dir.as_deref())
    }

    /// The value of one of them, or nothing.
    #[must_use]
    pub fn var(&self, name: &str) -> String {
        let found = self.env().into_iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value).unwrap_or_default()
    }

    /// A token of the issuer `name` for `audience`, of ten minutes; `changes` replace its claims, and
    /// null removes one.
    ///
    /// # Errors
    /// There is no such issuer.
    pub fn token(
        &self,
        name: &str,
        audience: &str,
        changes: serde_json::Map<String, serde_json::Value>,
    ) -> Result<String, Error> {
        self.services.issuer.mint(name, changes, Times { audience, ttl: 600 })
    }

    /// Every request until now, in the order of the answers.
    #[must_use]
    pub fn journal(&self) -> Vec<Record> {
        self.journal.records()
    }

    /// Puts a tiny image into a registry (its `host:port`), and returns `sha256:...`. No lie applies.
    #[must_use]
    pub fn push_image(&self, registry: &str, name: &str, tag: &str) -> Option<String> {
        Some(self.registry(registry)?.state().push_image(name, tag))
    }

    /// The bundles that a registry holds for an image.
    #[must_use]
    pub fn attached(&self, registry: &str, name: &str, digest: &str) -> Vec<Vec<u8>> {
        self.registry(registry).map(|one| one.state().attached(name, digest)).unwrap_or_default()
    }

    fn registry(&self, address: &str) -> Option<&Registry> {
        let all = [&self.urls.registry, &self.urls.registry_referrers, &self.urls.registry_login];
        let mut pairs = all.into_iter().zip(&self.services.registries);
        pairs.find(|(known, _)| *known == address).map(|(_, registry)| &**registry)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            // What a thread that panicked says is of no use to anybody now.
            let _ = thread.join();
        }
    }
}

impl Urls {
    fn new(ports: [u16; 9]) -> Self {
        let [oidc, fulcio, rekor, rekor2, tsa, registry, referrers, login, proxy] =
            ports.map(|port| format!("127.0.0.1:{port}"));
        Self {
            oidc: format!("http://{oidc}"),
            fulcio: format!("http://{fulcio}"),
            rekor: format!("http://{rekor}"),
            rekor2: format!("http://{rekor2}"),
            tsa: format!("http://{tsa}{}", tsa::PATH),
            registry,
            registry_referrers: referrers,
            registry_login: login,
            proxy: format!("http://{proxy}"),
        }
    }
}

/// Standard base64 with padding.
fn b64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// What that stands for.
fn unb64(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    |source| Error::File { path: path.to_owned(), source }
}
