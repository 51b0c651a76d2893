// SPDX-License-Identifier: Apache-2.0
//! The registries of one run: which image is signed, whether we may push, and its signatures.

pub(crate) mod children;
mod contains;
pub(crate) mod inspect;
mod prepare;
mod signatures;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ambisign_host::{Host, Warning, is_loopback};
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
use crate::login::error::CredentialError;
use crate::login::keychain::Keychain;
use crate::options::{PlainHttp, RegistryOptions};
use crate::read::Puller;
use crate::reference::Reference;
use crate::right::Right;
use crate::target::Target;
use crate::write::referrer::ReferrerManifest;
use crate::write::{Pusher, State};

/// The registries of one run: tokens, and what was learned about each repository.
#[derive(Debug)]
pub struct Registry<'a> {
    host: &'a Host,
    /// Taken up by the first use, so that making one cannot fail.
    explicit: Result<Option<Arc<Credential>>, NoPassword>,
    signatures: Option<Reference>,
    plain_http: PlainHttp,
    right: Right,
    delivery: Delivery,
    peers: Mutex<BTreeMap<String, Arc<Peer>>>,
    repositories: Mutex<BTreeMap<[String; 2], Known>>,
}

/// What is known about one repository.
#[derive(Clone, Debug)]
struct Known {
    repository: Arc<Repository>,
    discovery: Arc<AsyncMutex<Option<Discovery>>>,
    written: Arc<State>,
}

/// Where bundles go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// To the registry.
    Attach,
    /// To a place of their own.
    Keep,
}

/// What holds a place for every bundle of a run, so that none needs the registry.
///
/// Implement it only for a value that cannot be made before that is certain: [`Registry::detached`]
/// takes one in place of the right to push.
pub trait KeepsBundles {}

/// A user name was given without a password.
#[derive(Clone, Copy, Debug)]
struct NoPassword;

/// A signature that readers find.
///
/// Made only by [`Registry::attach`]: pushed, read back by digest with equal bytes, and listed; and by
/// [`Registry::carries`]: found listed, with the same bundle.
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

    /// How readers find it.
    pub fn method(&self) -> Discovery {
        self.method
    }

    /// The manifest in full: `repository@digest`.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// Manifests that the fallback tag listed and the registry has no more. It takes no list with
    /// them, so that their lines were removed.
    pub fn removed(&self) -> &[Digest] {
        &self.removed
    }
}

impl<'a> Registry<'a> {
    /// To sign: asks for the right to read and to write. Opens nothing and reads nothing.
    pub fn new(host: &'a Host, options: RegistryOptions) -> Self {
        Self::with_right(host, options, (Right::PullAndPush, Delivery::Attach))
    }

    /// To verify: asks for the right to read alone, and writes nothing. Opens nothing and reads
    /// nothing.
    pub fn reader(host: &'a Host, options: RegistryOptions) -> Self {
        Self::with_right(host, options, (Right::Pull, Delivery::Attach))
    }

    /// To sign without attaching: as [`Registry::reader`], and the bundles go to `_place`.
    pub fn detached(host: &'a Host, options: RegistryOptions, _place: &impl KeepsBundles) -> Self {
        Self::with_right(host, options, (Right::Pull, Delivery::Keep))
    }

    /// Whether bundles are attached by it.
    pub fn attaches(&self) -> bool {
        self.delivery == Delivery::Attach
    }

    fn with_right(
        host: &'a Host,
        mut options: RegistryOptions,
        (right, delivery): (Right, Delivery),
    ) -> Self {
        Self {
            host,
            signatures: options.signatures.take(),
            plain_http: std::mem::take(&mut options.plain_http),
            explicit: credential::explicit(host, options).map_err(|_only_one| NoPassword),
            right,
            delivery,
            peers: Mutex::default(),
            repositories: Mutex::default(),
        }
    }

    /// Resolves `reference` to the bytes that will be signed, and sees that a signature may be pushed
    /// beside them, or to the repository that has the signatures, and will be found: an upload session
    /// is opened and stays open. Where bundles have a place of their own, it is resolved only.
    ///
    /// # Errors
    /// The image is not there, not an image or not what its digest says; the registry denies reading
    /// or pushing; a credential cannot be read; the list of referrers cannot be read.
    pub async fn prepare(&self, reference: &Reference) -> Result<Target, Error> {
        let place = self.place(reference);
        let puller = self.connect(reference)?.puller;
        if self.delivery == Delivery::Keep {
            let manifest = puller.resolve_pushed(reference).await?;
            return Ok(Target::new([reference, place], manifest, None));
        }
        let beside = self.connect(place)?;
        let (image, session) = prepare::gather(&puller, reference, &beside).await;
        // A missing image says more than what follows from it.
        let (image, session) = (image?.0, session?);
        Ok(Target::new([reference, place], image, Some(session)))
    }

    /// Pushes the config blob `{}` that every signature's manifest has. It may run beside other
    /// steps; [`Registry::attach`] does it when it was not done.
    ///
    /// # Errors
    /// The registry refuses or is out of reach.
    pub async fn push_config(&self, target: &Target) -> Result<(), Error> {
        self.connect(target.place())?.push_config().await
    }

    /// What the reader should know about how the credentials were found that were asked for until now.
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

    /// One for each registry that is spoken to in plain HTTP over a network.
    fn plain_http_warnings(&self) -> Vec<Warning> {
        let peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let open = peers
            .iter()
            .filter(|(_, peer)| peer.transport() == Transport::AllowedHttp);
        open.map(|(registry, _)| transport::warning(registry))
            .collect()
    }

    /// Whether the tag by which the image was asked for names another digest now, and which. `None`
    /// when it does not, or when no tag was given.
    ///
    /// # Errors
    /// The registry refuses, or the tag is gone.
    pub async fn drift(&self, target: &Target) -> Result<Option<Digest>, Error> {
        let Some(tag) = target.tag() else {
            return Ok(None);
        };
        let puller = self.connect(target.reference())?.puller;
        let now = puller.digest_of(tag).await?;
        Ok((now != *target.digest()).then_some(now))
    }

    /// Pushes `bundle` and a manifest that points to the image, makes the manifest findable, and
    /// reads everything back. `created` is written into the manifest, in whole seconds.
    ///
    /// # Errors
    /// The bundle is for another artifact; the registry refuses or is out of reach; what it serves
    /// is not what was pushed; other writers of the fallback tag keep winning.
    pub async fn attach(
        &self,
        target: &Target,
        bundle: &VerifiedBundle,
        created: SystemTime,
    ) -> Result<Attached, Error> {
        let other = || Error::OtherArtifact {
            bundle: *bundle.digest(),
            target: *target.digest(),
        };
        if bundle.digest() != target.digest() {
            return Err(other());
        }
        let predicate_type = bundle.predicate_type().unwrap_or_default();
        let referrer = ReferrerManifest::new(target, (bundle.bytes(), predicate_type), created)
            .map_err(|_never| other())?;
        let pusher = self.connect(target.place())?;
        let session = target.take_session();
        let (config, blob) = tokio::join!(
            pusher.push_config(),
            pusher.push_blob(session, bundle.bytes())
        );
        config.and(blob)?;
        let media_type = oci_client::manifest::OCI_IMAGE_MEDIA_TYPE;
        let (pushed, blob) = tokio::join!(
            pusher.push_manifest(media_type, &referrer.bytes),
            pusher.read_back_blob(bundle.bytes())
        );
        let processed = pushed?;
        blob?;
        // Both ways of reading back go together; what others read waits for the manifest itself.
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

    /// Where signatures of `reference` are: its registry and repository count.
    fn place<'r>(&'r self, reference: &'r Reference) -> &'r Reference {
        self.signatures.as_ref().unwrap_or(reference)
    }

    /// What is asked of the repository of `reference`: no more than to read where no signature goes.
    fn right(&self, reference: &Reference) -> Right {
        let place = self.place(reference);
        if place.is_beside(reference) {
            self.right
        } else {
            Right::Pull
        }
    }

    /// The way to the repository of `reference`; made at its first use.
    pub(crate) fn connect(&self, reference: &Reference) -> Result<Pusher<'a>, Error> {
        let (registry, name) = (reference.registry(), reference.repository());
        let key = [registry.to_owned(), name.to_owned()];
        let mut repositories = self
            .repositories
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = repositories.get(&key) {
            return Ok(self.pusher(known.clone()));
        }
        let right = self.right(reference);
        let keychain = match &self.explicit {
            Ok(Some(credential)) => Keychain::only(Arc::clone(credential)),
            Ok(None) => Keychain::new(self.host, [registry, name], right)?,
            Err(NoPassword) => return Err(CredentialError::Password.into()),
        };
        let (transport, plain_http) = self.transport(registry)?;
        let base = (base(reference)?, plain_http);
        let peer = {
            let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Peer::new(transport));
            Arc::clone(peers.entry(registry.to_owned()).or_insert_with(new))
        };
        let repository = Arc::new(Repository::new(
            base,
            [registry, name],
            right,
            peer,
            keychain,
        ));
        let known = Known {
            repository,
            discovery: Arc::default(),
            written: Arc::default(),
        };
        repositories.insert(key, known.clone());
        Ok(self.pusher(known))
    }

    fn pusher(&self, known: Known) -> Pusher<'a> {
        let connection = Connection {
            host: self.host,
            repository: known.repository,
        };
        let puller = Puller {
            connection,
            discovery: known.discovery,
        };
        Pusher::new(puller, known.written)
    }

    /// How `registry` is spoken to at first, and whether plain HTTP is allowed when it does not speak
    /// TLS. What the platform gives the job never goes over a network in plain HTTP.
    pub(crate) fn transport(&self, registry: &str) -> Result<(Transport, bool), Error> {
        let (transport, plain_http) = Transport::allowed(&self.plain_http, registry);
        match transport {
            _ if !hosts::is_of_platform(self.host, registry) => Ok((transport, plain_http)),
            Transport::Default => Ok((Transport::Default, false)),
            Transport::AllowedHttp | Transport::LoopbackHttp => Err(Error::PlainHttp {
                registry: registry.to_owned(),
            }),
        }
    }
}

/// `https://<registry>/v2/<name>/`; plain http for an IP literal of the machine itself.
fn base(reference: &Reference) -> Result<Url, Error> {
    let (registry, name) = (reference.registry(), reference.repository());
    let no_url = || Error::NotFound {
        reference: reference.to_string(),
    };
    let https =
        Url::parse(&format!("https://{registry}/v2/{name}/")).map_err(|_syntax| no_url())?;
    if !is_loopback(&https) {
        return Ok(https);
    }
    Url::parse(&format!("http://{registry}/v2/{name}/")).map_err(|_syntax| no_url())
}
