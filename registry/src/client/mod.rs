// SPDX-License-Identifier: Apache-2.0
//! The registries of a run: resolving images, checking push permission, and attaching signatures.

pub(crate) mod children;
mod contains;
pub(crate) mod inspect;
mod prepare;
mod signatures;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ambisign_host::{Host, Warning, is_loopback};
use ambisign_providers::Realm;
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::verify::VerifiedBundle;
use tokio::sync::{Mutex as AsyncMutex, OnceCell};
use url::Url;

use crate::discovery::Discovery;
use crate::error::Error;
use crate::hosts;
use crate::http::connection::{Connection, Peer, Repository};
use crate::http::transport::{self, Transport};
use crate::login::credential::{self, Credential};
use crate::login::keychain::Keychain;
use crate::options::{PlainHttp, RegistryOptions};
use crate::read::Puller;
use crate::reference::Reference;
use crate::right::Right;
use crate::target::Target;
use crate::write::referrer::ReferrerManifest;
use crate::write::{Pusher, State};

/// The registries of a run, with their tokens and the known facts about each repository.
#[derive(Debug)]
pub struct Registry<'a> {
    host: &'a Host,
    explicit: Option<Arc<Credential>>,
    signatures: Option<Reference>,
    plain_http: PlainHttp,
    realm: Realm,
    right: Right,
    delivery: Delivery,
    peers: Mutex<BTreeMap<String, Arc<Peer>>>,
    repositories: Mutex<BTreeMap<[String; 2], Known>>,
}

/// The known facts about a repository.
#[derive(Clone, Debug)]
struct Known {
    repository: Arc<Repository>,
    discovery: Arc<AsyncMutex<Option<Discovery>>>,
    written: Arc<State>,
}

/// Where bundles are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// To the registry.
    Attach,
    /// To another place, such as files.
    Keep,
}

/// A place for every bundle of a run, so that none needs the registry.
///
/// Implement it only for types whose construction checks that place: [`Registry::detached`] accepts one
/// instead of push permission.
pub trait KeepsBundles {}

/// A signature that verifiers can find.
///
/// Only [`Registry::attach`] makes one, after it was pushed, read back by digest with equal bytes, and
/// listed; and [`Registry::carries`], which found it listed with the same bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Attached {
    digest: Digest,
    method: Discovery,
    reference: String,
    removed: Vec<Digest>,
}

impl Attached {
    /// The digest of the manifest of the signature.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The way in which verifiers find it.
    pub fn method(&self) -> Discovery {
        self.method
    }

    /// The full reference of the manifest: `repository@digest`.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// Manifests that the fallback tag listed but the registry no longer has. Their entries were
    /// removed, because the registry refuses a list with them.
    pub fn removed(&self) -> &[Digest] {
        &self.removed
    }
}

impl<'a> Registry<'a> {
    /// For signing: requests the right to read and write. Opens and reads nothing yet.
    pub fn new(host: &'a Host, options: &RegistryOptions) -> Self {
        Self::with_right(host, options, (Right::PullAndPush, Delivery::Attach))
    }

    /// For verifying: requests only the right to read, and writes nothing. Opens and reads nothing yet.
    pub fn reader(host: &'a Host, options: &RegistryOptions) -> Self {
        Self::with_right(host, options, (Right::Pull, Delivery::Attach))
    }

    /// For signing without attaching: like [`Registry::reader`]; the bundles are delivered to `_place`.
    pub fn detached(host: &'a Host, options: &RegistryOptions, _place: &impl KeepsBundles) -> Self {
        Self::with_right(host, options, (Right::Pull, Delivery::Keep))
    }

    /// Returns `true` if bundles are attached.
    pub fn attaches(&self) -> bool {
        self.delivery == Delivery::Attach
    }

    fn with_right(
        host: &'a Host,
        options: &RegistryOptions,
        (right, delivery): (Right, Delivery),
    ) -> Self {
        options.guard_login(&host.net);
        Self {
            host,
            signatures: options.signatures.clone(),
            plain_http: options.plain_http.clone(),
            realm: options.realm.clone(),
            explicit: options.login.as_ref().map(credential::explicit),
            right,
            delivery,
            peers: Mutex::default(),
            repositories: Mutex::default(),
        }
    }

    /// Resolves `reference` to the bytes to sign, and checks that a signature can be pushed to its
    /// repository, or to the repository for signatures, and will be found. This opens an upload session,
    /// which stays open. If bundles are delivered to another place, it only resolves the reference.
    ///
    /// # Errors
    /// The image does not exist, is not an image or does not match its digest; the registry denies
    /// reading or pushing; a credential cannot be read; the list of referrers cannot be read.
    pub async fn prepare(&self, reference: &Reference) -> Result<Target, Error> {
        let place = self.place(reference);
        let puller = self.connect(reference)?.puller;
        if self.delivery == Delivery::Keep {
            let manifest = puller.resolve_pushed(reference).await?;
            return Ok(Target::new([reference, place], manifest, None));
        }
        let beside = self.connect(place)?;
        let (image, session) = prepare::gather(&puller, reference, &beside).await;
        // Report a missing image rather than its consequences.
        let (image, session) = (image?.0, session?);
        Ok(Target::new([reference, place], image, Some(session)))
    }

    /// Pushes the config blob `{}` that every signature's manifest has. It may run in parallel with other
    /// steps; otherwise [`Registry::attach`] does it.
    ///
    /// # Errors
    /// The registry refuses or is unreachable.
    pub async fn push_config(&self, target: &Target) -> Result<(), Error> {
        self.connect(target.place())?.push_config().await
    }

    /// The warnings about the credentials that were used so far.
    pub fn warnings(&self) -> Vec<Warning> {
        let repositories = self.repositories.lock();
        let repositories = repositories.unwrap_or_else(PoisonError::into_inner);
        let mut warnings: Vec<Warning> = Vec::new();
        let found = repositories.values();
        let found = found.flat_map(|known| known.repository.warnings());
        for warning in found.chain(self.plain_http_warnings()) {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        warnings
    }

    /// A warning for each registry that is used over plain HTTP on a network.
    fn plain_http_warnings(&self) -> Vec<Warning> {
        let peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let open = peers.iter().filter(|(_, peer)| peer.transport() == Transport::AllowedHttp);
        open.map(|(registry, _)| transport::warning(registry)).collect()
    }

    /// The new digest of the requested tag if it moved; `None` if it did not, or if there was no tag.
    ///
    /// # Errors
    /// The registry refuses, or the tag no longer exists.
    pub async fn drift(&self, target: &Target) -> Result<Option<Digest>, Error> {
        let Some(tag) = target.tag() else {
            return Ok(None);
        };
        let puller = self.connect(target.reference())?.puller;
        let now = puller.digest_of(tag).await?;
        Ok((now != *target.digest()).then_some(now))
    }

    /// Pushes `bundle` and a manifest that points to the image, lists the manifest, and reads
    /// everything back. The manifest contains `created`, in whole seconds.
    ///
    /// # Errors
    /// The bundle is for another artifact; the registry refuses or is unreachable; it serves other bytes
    /// than it received; other writers of the fallback tag keep overwriting it.
    pub async fn attach(
        &self,
        target: &Target,
        bundle: &VerifiedBundle,
        created: SystemTime,
    ) -> Result<Attached, Error> {
        let other = || Error::OtherArtifact { bundle: *bundle.digest(), target: *target.digest() };
        if bundle.digest() != target.digest() {
            return Err(other());
        }
        let predicate_type = bundle.predicate_type().unwrap_or_default();
        let referrer = ReferrerManifest::new(target, (bundle.bytes(), predicate_type), created)
            .map_err(|_never| other())?;
        let pusher = self.connect(target.place())?;
        let session = target.take_session();
        let (config, blob) =
            tokio::join!(pusher.push_config(), pusher.push_blob(session, bundle.bytes()));
        config.and(blob)?;
        let media_type = oci_client::manifest::OCI_IMAGE_MEDIA_TYPE;
        let (pushed, blob) = tokio::join!(
            pusher.push_manifest(media_type, &referrer.bytes),
            pusher.read_back_blob(bundle.bytes())
        );
        let processed = pushed?;
        blob?;
        // The manifest and the blob are read back in parallel; the list waits for the manifest.
        let read_back = OnceCell::new();
        let stored = async || {
            let read = || pusher.read_back_manifest(&referrer.bytes);
            read_back.get_or_try_init(read).await.copied()
        };
        let ((), (method, removed)) = tokio::try_join!(
            stored(),
            pusher.publish(target.digest(), (&referrer.entry, &stored), processed)
        )?;
        let digest = referrer.entry.digest;
        Ok(Attached {
            digest,
            method,
            reference: format!("{}@{digest}", pusher.puller.connection.name()),
            removed: removed.into_iter().collect(),
        })
    }

    /// The reference whose registry and repository have the signatures of `reference`.
    fn place<'r>(&'r self, reference: &'r Reference) -> &'r Reference {
        self.signatures.as_ref().unwrap_or(reference)
    }

    /// The right to request for the repository of `reference`: only reading if it receives no signature.
    fn right(&self, reference: &Reference) -> Right {
        let place = self.place(reference);
        if place.is_beside(reference) { self.right } else { Right::Pull }
    }

    /// The client for the repository of `reference`, created at its first use.
    pub(crate) fn connect(&self, reference: &Reference) -> Result<Pusher<'a>, Error> {
        let (registry, name) = (reference.registry(), reference.repository());
        let key = [registry.to_owned(), name.to_owned()];
        let mut repositories = self.repositories.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = repositories.get(&key) {
            return Ok(self.pusher(known.clone()));
        }
        let right = self.right(reference);
        let keychain = match &self.explicit {
            Some(credential) => Keychain::only(Arc::clone(credential)),
            None => Keychain::new(self.host, &self.realm, [registry, name], right)?,
        };
        let (transport, plain_http) = self.transport(registry)?;
        let base = (base(reference)?, plain_http);
        let peer = {
            let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Peer::new(transport));
            Arc::clone(peers.entry(registry.to_owned()).or_insert_with(new))
        };
        let repository = Arc::new(Repository::new(base, [registry, name], right, peer, keychain));
        let known = Known { repository, discovery: Arc::default(), written: Arc::default() };
        repositories.insert(key, known.clone());
        Ok(self.pusher(known))
    }

    fn pusher(&self, known: Known) -> Pusher<'a> {
        let connection = Connection { host: self.host, repository: known.repository };
        let puller = Puller { connection, discovery: known.discovery };
        Pusher::new(puller, known.written)
    }

    /// The initial transport for `registry`, and whether plain HTTP is allowed if it does not support
    /// TLS. The platform's login of a job is never sent over a network in plain HTTP.
    pub(crate) fn transport(&self, registry: &str) -> Result<(Transport, bool), Error> {
        let (transport, plain_http) = Transport::allowed(&self.plain_http, registry);
        match transport {
            _ if !hosts::is_of_platform(self.host, registry) => Ok((transport, plain_http)),
            Transport::Default => Ok((Transport::Default, false)),
            Transport::AllowedHttp | Transport::LoopbackHttp => {
                Err(Error::PlainHttp { registry: registry.to_owned() })
            }
        }
    }
}

/// `https://<registry>/v2/<name>/`, or plain http for a loopback IP literal.
fn base(reference: &Reference) -> Result<Url, Error> {
    let (registry, name) = (reference.registry(), reference.repository());
    let no_url = || Error::NotFound { reference: reference.to_string() };
    let https =
        Url::parse(&format!("https://{registry}/v2/{name}/")).map_err(|_syntax| no_url())?;
    if !is_loopback(&https) {
        return Ok(https);
    }
    Url::parse(&format!("http://{registry}/v2/{name}/")).map_err(|_syntax| no_url())
}
