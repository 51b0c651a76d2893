// SPDX-License-Identifier: Apache-2.0
//! Requests to one repository: proof, redirects, and what the run has learned about it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ambisign_host::{Answer, CallLimits, Host, Warning};
use ambisign_sigstore::digest::Digest;
use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION};
use reqwest::{Method, Request, StatusCode};
use tokio::sync::{Mutex as AsyncMutex, OnceCell, Semaphore};
use tokio::time::Instant;
use url::Url;

use super::address;
use super::auth::{Access, origin};
use super::challenge::Challenge;
use super::credentials::{Credential, Secret};
use super::error::Error;
use super::referrer::Method as AttachMethod;
use super::shared_tag::Ours;
use super::sources::{Lookup, Plan};

/// How many redirects of one request are followed.
const MOST_REDIRECTS: u32 = 10;

/// How many requests may be under way to one registry.
const IN_FLIGHT: usize = 32;

/// What is known about one registry.
#[derive(Debug)]
pub(super) struct Peer {
    in_flight: Semaphore,
    challenge: Mutex<Option<Challenge>>,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            in_flight: Semaphore::new(IN_FLIGHT),
            challenge: Mutex::default(),
        }
    }
}

/// What is known about one repository.
#[derive(Debug)]
pub(super) struct Repository {
    /// Host and port.
    pub(super) registry: String,
    /// The path below the registry.
    pub(super) name: String,
    /// `https://<registry>/v2/<name>/`.
    pub(super) base: Url,
    /// How signatures are found in it, once known. Locked while somebody finds out.
    pub(super) method: AsyncMutex<Option<AttachMethod>>,
    /// Whether the config blob is there.
    pub(super) config: OnceCell<()>,
    /// What we ask to be allowed.
    pub(super) right: Right,
    peer: Arc<Peer>,
    /// Where the credential may be.
    pub(super) plan: Plan,
    /// What the plan came to. Whoever asks holds `asking`.
    found: Mutex<Option<Lookup>>,
    asking: AsyncMutex<()>,
    access: AsyncMutex<Access>,
    subjects: Mutex<BTreeMap<Digest, Arc<AsyncMutex<Ours>>>>,
}

impl Repository {
    pub(super) fn new(
        base: Url,
        name: [&str; 2],
        right: Right,
        peer: Arc<Peer>,
        plan: Plan,
    ) -> Self {
        let [registry, name] = name.map(str::to_owned);
        Self {
            registry,
            name,
            base,
            method: AsyncMutex::default(),
            config: OnceCell::default(),
            right,
            peer,
            plan,
            found: Mutex::default(),
            asking: AsyncMutex::default(),
            access: AsyncMutex::default(),
            subjects: Mutex::default(),
        }
    }

    /// What the reader should know about how the credential was found; nothing before it was.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        self.found().map_or_else(Vec::new, |found| found.warnings)
    }

    /// What the plan came to; nothing before it was asked for.
    pub(super) fn found(&self) -> Option<Lookup> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }

    /// What this run lists under the fallback tag of `subject`. Locked while it is written.
    pub(super) fn subject(&self, subject: &Digest) -> Arc<AsyncMutex<Ours>> {
        let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(subjects.entry(*subject).or_default())
    }
}

/// What is asked of the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// To read.
    Pull,
    /// To read and to write.
    PullAndPush,
}

impl Right {
    /// As a scope names it (token authentication of the OCI registries, "Token Scope").
    pub(super) fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::PullAndPush => "pull,push",
        }
    }
}

/// Whose rules a redirect follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Blobs live in storage of other hosts.
    Blob,
    /// A blob, but only whether it is there: that the registry names another host says so, and a job
    /// need not be allowed to reach that host.
    BlobLookup,
    /// Manifests, tags and lists come from the registry alone.
    Manifest,
}

/// One request, before proof is added.
#[derive(Debug)]
pub(super) struct Call {
    /// The request method.
    pub(super) method: Method,
    /// Where to.
    pub(super) url: Url,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: Option<Vec<u8>>,
    /// The limits.
    pub(super) hop: CallLimits,
    /// Whose rules redirects follow.
    pub(super) content: Content,
}

/// One repository and the way to it.
#[derive(Clone, Debug)]
pub(super) struct Connection<'a> {
    /// The outside.
    pub(super) host: &'a Host,
    /// The repository.
    pub(super) repository: Arc<Repository>,
}

impl Connection<'_> {
    /// The URL of `path` below the repository. Digests, tags and fixed words make a path.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.repository.base.clone();
        let joined = format!("{}{path}", url.path());
        url.set_path(&joined);
        url
    }

    /// Registry and repository, for messages.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.repository.registry, self.repository.name)
    }

    /// The credential of this repository, asked for once, and again when it is one that wears out.
    ///
    /// # Errors
    /// A credential helper fails, or the metadata server.
    pub(super) async fn credential(&self) -> Result<Option<Arc<Credential>>, Error> {
        let repository = &self.repository;
        let _turn = repository.asking.lock().await;
        let fresh = |found: &Lookup| found.until.is_none_or(|until| Instant::now() < until);
        if let Some(found) = repository.found().filter(fresh) {
            return Ok(found.credential);
        }
        let found = repository.plan.resolve(self.host).await?;
        let credential = found.credential.clone();
        let mut known = repository
            .found
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known = Some(found);
        Ok(credential)
    }

    /// Makes a request with the proof that is known. When the registry refuses it, the proof is
    /// renewed once and the request made again; a second refusal is the answer.
    ///
    /// # Errors
    /// No answer, no token, or a redirect that is not followed.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, Error> {
        let is_read = matches!(call.method, Method::GET | Method::HEAD);
        if self.repository.right == Right::Pull && !is_read {
            let repository = self.name();
            return Err(Error::ReadOnly { repository });
        }
        let access = self.access().await?;
        let answer = self.follow(call, &access).await?;
        // A refusal by storage elsewhere is not about our proof.
        let ours = answer.url.origin() == self.repository.base.origin();
        if answer.status != StatusCode::UNAUTHORIZED || !ours {
            return Ok(answer);
        }
        match self.renew(access.round, &answer.headers).await? {
            Some(access) => self.follow(call, &access).await,
            None => Ok(answer),
        }
    }

    async fn access(&self) -> Result<Access, Error> {
        let mut access = self.repository.access.lock().await;
        let worn = access.until.is_some_and(|until| Instant::now() >= until);
        if access.header.is_some() && !worn {
            return Ok(access.clone());
        }
        if let Some(token) = self.repository.plan.registry_token() {
            access.header = Some(self.bearer(token.expose())?);
            return Ok(access.clone());
        }
        // Once one repository was challenged, the others need not be.
        let known = self.challenge().clone();
        if let Some(challenge) = known {
            let credential = self.credential().await?;
            let met = self.meet(&challenge, credential.as_deref()).await?;
            (access.header, access.until) = met.map_or((None, None), |(h, u)| (Some(h), u));
            access.round += 1;
        }
        Ok(access.clone())
    }

    /// New proof after a refusal; `None` when there is nothing new to try.
    async fn renew(&self, round: u64, headers: &HeaderMap) -> Result<Option<Access>, Error> {
        let mut access = self.repository.access.lock().await;
        if access.round != round {
            return Ok(Some(access.clone()));
        }
        let Some(challenge) = Challenge::of(headers) else {
            return Ok(None);
        };
        let credential = self.credential().await?;
        let credential = credential.as_deref();
        let fixed = matches!(credential.map(|c| &c.secret), Some(Secret::Registry(_)));
        if fixed && access.header.is_some() {
            return Ok(None);
        }
        let Some((header, until)) = self.meet(&challenge, credential).await? else {
            return Ok(None);
        };
        *self.challenge() = Some(challenge);
        *access = Access {
            header: Some(header),
            until,
            round: round + 1,
        };
        Ok(Some(access.clone()))
    }

    fn challenge(&self) -> std::sync::MutexGuard<'_, Option<Challenge>> {
        let challenge = &self.repository.peer.challenge;
        challenge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows redirects by the rules of the content. Proof goes to the registry's own origin only,
    /// and not back to it once the way has led elsewhere.
    async fn follow(&self, call: &Call, access: &Access) -> Result<Answer, Error> {
        let home = self.repository.base.origin();
        let mut url = call.url.clone();
        let mut strayed = false;
        for _ in 0..=MOST_REDIRECTS {
            if url.origin() != home {
                self.permit(&url, call.content).await?;
                strayed = true;
            }
            let mut request = Request::new(call.method.clone(), url);
            *request.headers_mut() = call.headers.clone();
            if let Some(proof) = access.header.as_ref().filter(|_| !strayed) {
                request.headers_mut().insert(AUTHORIZATION, proof.clone());
            }
            if let Some(body) = &call.body {
                *request.body_mut() = Some(body.clone().into());
            }
            let permit = self.repository.peer.in_flight.acquire().await;
            let answer = self.host.net.send_unfollowed(&call.hop, request).await?;
            drop(permit);
            match self.redirect(&call.method, &answer)? {
                Some(next) if call.content == Content::BlobLookup && next.origin() != home => {
                    return Ok(answer);
                }
                Some(next) => url = next,
                None => return Ok(answer),
            }
        }
        Err(self.lost(&call.url, "redirects without end"))
    }

    /// Where an answer leads; `None` when it is no redirect.
    fn redirect(&self, method: &Method, answer: &Answer) -> Result<Option<Url>, Error> {
        let keeps_method = match answer.status.as_u16() {
            301..=303 => matches!(*method, Method::GET | Method::HEAD),
            307 | 308 => true,
            _ => return Ok(None),
        };
        if !keeps_method {
            return Err(self.lost(&answer.url, "redirects a write with a status for reads"));
        }
        let location = answer.header(LOCATION);
        match location.and_then(|location| answer.url.join(location).ok()) {
            Some(next) => Ok(Some(next)),
            None => Err(self.lost(&answer.url, "redirects without saying where")),
        }
    }

    /// Whether a request may leave the registry for `url`.
    async fn permit(&self, url: &Url, content: Content) -> Result<(), Error> {
        match content {
            Content::Manifest => return Err(self.lost(url, "is another host than the registry")),
            Content::Blob | Content::BlobLookup => {}
        }
        address::permit(&self.repository.base, url)
            .await
            .map_err(|why| self.lost(url, why))
    }

    fn lost(&self, url: &Url, why: &'static str) -> Error {
        Error::Redirect {
            registry: self.repository.registry.clone(),
            to: origin(url),
            why,
        }
    }
}
