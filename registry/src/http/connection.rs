// SPDX-License-Identifier: Apache-2.0
//! Requests to one repository: authorization, redirects, and the known facts about it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ambisign_host::{
    Answer, CallLimits, Host, HttpError, HttpReason, Reach, Warning, resolves_to_loopback,
};
use reqwest::header::{AUTHORIZATION, LOCATION};
use reqwest::{Method, Request, StatusCode};
use tokio::sync::{Mutex as AsyncMutex, OnceCell, Semaphore};
use tokio::time::Instant;
use url::Url;

use crate::error::Error;
use crate::http::access::{Access, origin};
use crate::http::address::Place;
use crate::http::call::{Call, Elsewhere};
use crate::http::challenge::Challenge;
use crate::http::transport::{Transport, with_tls_of};
use crate::http::{address, transport};
use crate::limits::REGISTRY_READ;
use crate::login::credential::{Credential, Secret};
use crate::login::keychain::{Keychain, Resolved};
use crate::right::Right;

/// The most redirects of one request.
const MOST_REDIRECTS: u32 = 10;

/// The most simultaneous requests to one registry.
const IN_FLIGHT: usize = 32;

/// The known facts about a registry.
#[derive(Debug)]
pub(crate) struct Peer {
    in_flight: Semaphore,
    challenge: Mutex<Option<Challenge>>,
    transport: Mutex<Transport>,
    /// The addresses that answered as the registry.
    seen: Mutex<BTreeSet<IpAddr>>,
    /// Set once it is known whether the registry is on this machine.
    settled: OnceCell<()>,
}

impl Peer {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            in_flight: Semaphore::new(IN_FLIGHT),
            challenge: Mutex::default(),
            transport: Mutex::new(transport),
            seen: Mutex::default(),
            settled: OnceCell::default(),
        }
    }

    /// The transport of the registry, as far as it is known.
    pub(crate) fn transport(&self) -> Transport {
        *self.lock_transport()
    }

    /// Remembers the transport of the registry.
    pub(crate) fn speak(&self, transport: Transport) {
        *self.lock_transport() = transport;
    }

    /// Remembers the address that gave `answer`, which is the registry's.
    fn see(&self, answer: &Answer) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(answer.from);
    }

    fn lock_transport(&self) -> MutexGuard<'_, Transport> {
        self.transport.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The known facts about a repository.
#[derive(Debug)]
pub(crate) struct Repository {
    /// Host and port.
    pub(crate) registry: String,
    /// The path below the registry.
    pub(crate) name: String,
    /// `https://<registry>/v2/<name>/`, or with `http` for a loopback IP literal.
    base: Url,
    /// Whether plain HTTP is allowed if the registry does not support TLS.
    pub(crate) plain_http: bool,
    /// The right to request.
    pub(crate) right: Right,
    /// The registry.
    pub(crate) peer: Arc<Peer>,
    /// The places where the credential may be.
    pub(crate) plan: Keychain,
    /// The result of searching them. A search holds `asking`.
    found: Mutex<Option<Resolved>>,
    asking: AsyncMutex<()>,
    /// `true` if a request used the login that was found.
    used_login: AtomicBool,
    access: AsyncMutex<Access>,
}

impl Repository {
    pub(crate) fn new(
        (base, plain_http): (Url, bool),
        name: [&str; 2],
        right: Right,
        peer: Arc<Peer>,
        plan: Keychain,
    ) -> Self {
        let [registry, name] = name.map(str::to_owned);
        Self {
            registry,
            name,
            base,
            plain_http,
            right,
            peer,
            plan,
            found: Mutex::default(),
            asking: AsyncMutex::default(),
            used_login: AtomicBool::new(false),
            access: AsyncMutex::default(),
        }
    }

    /// The base URL of the repository, with the scheme of the registry.
    pub(crate) fn base(&self) -> Url {
        self.peer.transport().applied_to(self.base.clone())
    }

    /// The warnings about the credential, once it was found.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        self.found().map_or_else(Vec::new, |found| found.warnings)
    }

    /// The result of the search for a credential, if there was one.
    pub(crate) fn found(&self) -> Option<Resolved> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }

    /// Returns `true` if a request used the login that was found.
    pub(crate) fn used_login(&self) -> bool {
        self.used_login.load(Ordering::Relaxed)
    }
}

/// A client for one repository.
#[derive(Clone, Debug)]
pub(crate) struct Connection<'a> {
    /// The outside world.
    pub(crate) host: &'a Host,
    /// The repository.
    pub(crate) repository: Arc<Repository>,
}

impl Connection<'_> {
    /// The URL of `path` below the repository. A path consists of digests, tags and fixed words.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.repository.base();
        let joined = format!("{}{path}", url.path());
        url.set_path(&joined);
        url
    }

    /// Registry and repository, for messages.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.repository.registry, self.repository.name)
    }

    /// The credential for this repository. It is searched once, and again if it expires.
    ///
    /// # Errors
    /// A credential helper or the metadata server fails.
    pub(crate) async fn credential(&self) -> Result<Option<Arc<Credential>>, Error> {
        let repository = &self.repository;
        let _turn = repository.asking.lock().await;
        let fresh = |found: &Resolved| found.until.is_none_or(|until| Instant::now() < until);
        if let Some(found) = repository.found().filter(fresh) {
            return Ok(found.credential);
        }
        let found = repository.plan.resolve(self.host).await?;
        let credential = found.credential.clone();
        let mut known = repository.found.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(found);
        Ok(credential)
    }

    /// Sends a request with the known authorization. If the registry refuses it, the authorization is
    /// renewed once and the request sent again; a second refusal is the answer. If the registry does not
    /// support TLS, the request is sent again over plain HTTP if that is allowed.
    ///
    /// # Errors
    /// There is no answer or no token, or a redirect is not followed.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Error> {
        let is_read = matches!(call.method, Method::GET | Method::HEAD);
        if self.repository.right == Right::Pull && !is_read {
            let repository = self.name();
            return Err(Error::ReadOnly { repository });
        }
        self.settle_transport().await;
        match self.send_with_proof(call).await {
            // Boxed, so that a rare case does not make every future larger.
            Err(Error::Http(error)) if self.can_leave_tls(&error).await => {
                Box::pin(self.send_with_proof(call)).await
            }
            sent => sent,
        }
    }

    async fn send_with_proof(&self, call: &Call) -> Result<Answer, Error> {
        let access = self.access().await?;
        let answer = self.follow(call, &access).await?;
        // A refusal by another host is not about our authorization.
        if !self.is_home(&answer.url) {
            return Ok(answer);
        }
        let challenge = match answer.status {
            StatusCode::UNAUTHORIZED => Challenge::of(&answer.headers),
            StatusCode::FORBIDDEN => None,
            _ => return Ok(answer),
        };
        let challenge = match challenge {
            None if access.header.is_none() => Box::pin(self.ask_for_challenge()).await?,
            challenge => challenge,
        };
        let renewed = match challenge {
            Some(challenge) => self.renew(access.round, challenge).await?,
            None => None,
        };
        match renewed {
            Some(access) => self.follow(call, &access).await,
            None => Ok(answer),
        }
    }

    /// Requests a challenge if there is a login but the registry refused without a challenge (OCI
    /// distribution specification, "Determining Support").
    async fn ask_for_challenge(&self) -> Result<Option<Challenge>, Error> {
        if self.credential().await?.is_none() {
            return Ok(None);
        }
        let answer = self.ask_root(REGISTRY_READ.tries).await?;
        let refused = answer.status == StatusCode::UNAUTHORIZED;
        Ok(Challenge::of(&answer.headers).filter(|_| refused))
    }

    /// Finds out, once for each registry with a name of this machine, whether it uses plain HTTP. This
    /// is tried before TLS, because a server without TLS may wait for more bytes of the handshake.
    async fn settle_transport(&self) {
        let Repository { base, peer, .. } = &*self.repository;
        let settle = || async {
            if peer.transport() == Transport::Default && transport::may_be_local(base).await {
                peer.speak(Transport::LoopbackHttp);
                if !self.speaks_plain_http().await {
                    peer.speak(Transport::Default);
                }
            }
        };
        peer.settled.get_or_init(|| Box::pin(settle())).await;
    }

    /// Returns `true` if the registry answers over plain HTTP. One with TLS answers 400, or something
    /// that is not HTTP.
    async fn speaks_plain_http(&self) -> bool {
        match self.ask_root(1).await {
            Ok(answer) => answer.status != StatusCode::BAD_REQUEST,
            // If nothing listens, TLS would not help.
            Err(error) => !error.sent,
        }
    }

    /// Requests the root of the registry's API, without authorization.
    async fn ask_root(&self, tries: u32) -> Result<Answer, HttpError> {
        let mut url = self.repository.base();
        url.set_path("/v2/");
        let hop = CallLimits { tries, ..self.hop(&REGISTRY_READ, &url) };
        let request = Request::new(Method::GET, url);
        self.host.net.send_unfollowed(&hop, request).await
    }

    /// Returns `true` if `error` means that the registry does not support TLS, and plain HTTP is allowed
    /// from now on, because its name is one of this machine or because the user allows it.
    async fn can_leave_tls(&self, error: &HttpError) -> bool {
        let Repository { base, peer, plain_http, .. } = &*self.repository;
        let of_registry = Url::parse(&error.url).is_ok_and(|url| url.origin() == base.origin());
        if !matches!(error.reason, HttpReason::NotTls) || !of_registry {
            return false;
        }
        if resolves_to_loopback(base).await {
            peer.speak(Transport::LoopbackHttp);
        } else if *plain_http {
            peer.speak(Transport::AllowedHttp);
        }
        peer.transport() != Transport::Default
    }

    /// Returns `true` if `url` belongs to the registry itself.
    pub(crate) fn is_home(&self, url: &Url) -> bool {
        url.origin() == self.repository.base().origin()
    }

    /// `hop` for a request to `url`, with the transport of the registry.
    pub(crate) fn hop(&self, hop: &CallLimits, url: &Url) -> CallLimits {
        let transport = self.repository.peer.transport();
        CallLimits { profile: transport.profile(hop.profile, url), ..*hop }
    }

    async fn access(&self) -> Result<Access, Error> {
        let mut access = self.repository.access.lock().await;
        let worn = access.until.is_some_and(|until| Instant::now() >= until);
        if access.header.is_some() && !worn {
            return Ok(access.clone());
        }
        if let Some(token) = self.repository.plan.registry_token() {
            access.header = Some(self.bearer(token.expose())?);
            access.with_login = true;
            return Ok(access.clone());
        }
        // A challenge for one repository applies to the others too.
        let known = self.challenge().clone();
        if let Some(challenge) = known {
            let credential = self.credential().await?;
            let met = self.meet(&challenge, credential.as_deref()).await?;
            access.with_login = met.is_some() && credential.is_some();
            (access.header, access.until) = met.map_or((None, None), |(h, u)| (Some(h), u));
            access.round += 1;
        }
        Ok(access.clone())
    }

    /// Renews the authorization after a refusal; `None` if there is nothing new to try.
    async fn renew(&self, round: u64, challenge: Challenge) -> Result<Option<Access>, Error> {
        let mut access = self.repository.access.lock().await;
        if access.round != round {
            return Ok(Some(access.clone()));
        }
        let credential = self.credential().await?;
        let credential = credential.as_deref();
        let fixed = matches!(credential.map(|c| &c.secret), Some(Secret::Registry(_)));
        if fixed && access.header.is_some() {
            return Ok(None);
        }
        let Some((header, until)) = self.meet(&challenge, credential).await? else {
            return Ok(None);
        };
        *self.challenge() = Some(challenge.of_registry());
        *access = Access {
            header: Some(header),
            until,
            with_login: credential.is_some(),
            round: round + 1,
        };
        Ok(Some(access.clone()))
    }

    fn challenge(&self) -> MutexGuard<'_, Option<Challenge>> {
        let challenge = &self.repository.peer.challenge;
        challenge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows redirects by the rules of the call. Authorization is only sent to the registry's own
    /// origin, and not after a redirect has left it.
    async fn follow(&self, call: &Call, access: &Access) -> Result<Answer, Error> {
        let mut url = self.as_spoken(call.url.clone());
        let (mut strayed, mut reach) = (false, Reach::Anywhere);
        for _ in 0..=MOST_REDIRECTS {
            if !self.is_home(&url) {
                match call.elsewhere {
                    Elsewhere::Follow => reach = self.permit(&url).await?,
                    Elsewhere::FollowDigest => reach = self.permit_content(&url).await?,
                    Elsewhere::Answer | Elsewhere::Refuse => return Err(self.away(&url)),
                }
                strayed = true;
            }
            let mut request = Request::new(call.method.clone(), url);
            *request.headers_mut() = call.headers.clone();
            if let Some(proof) = access.header.as_ref().filter(|_| !strayed) {
                request.headers_mut().insert(AUTHORIZATION, proof.clone());
                let used = &self.repository.used_login;
                used.fetch_or(access.with_login, Ordering::Relaxed);
            }
            if let Some(body) = &call.body {
                *request.body_mut() = Some(body.clone().into());
            }
            let permit = self.repository.peer.in_flight.acquire().await;
            let mut hop = self.hop(&call.hop, request.url());
            if strayed && call.elsewhere == Elsewhere::FollowDigest {
                hop.profile = transport::of_storage(hop.profile, request.url());
            }
            hop.profile.reach = reach;
            let answer = self.host.net.send_unfollowed(&hop, request).await?;
            drop(permit);
            if self.is_home(&answer.url) {
                self.repository.peer.see(&answer);
            }
            match self.redirect(call, &answer)? {
                Some(next) => url = next,
                None => return Ok(answer),
            }
        }
        Err(self.lost(&call.url, "redirects without end"))
    }

    /// `url` with the scheme of the registry, if it belongs to the registry.
    fn as_spoken(&self, url: Url) -> Url {
        let Repository { base, peer, .. } = &*self.repository;
        if url.origin() == base.origin() { peer.transport().applied_to(url) } else { url }
    }

    /// The target of a redirect; `None` if `answer` is the answer to the call.
    fn redirect(&self, call: &Call, answer: &Answer) -> Result<Option<Url>, Error> {
        let keeps_method = match answer.status.as_u16() {
            301..=303 => matches!(call.method, Method::GET | Method::HEAD),
            307 | 308 => true,
            _ => return Ok(None),
        };
        if !keeps_method {
            return Err(self.lost(&answer.url, "redirects a write with a status for reads"));
        }
        match (self.location(answer), call.elsewhere) {
            (Some(next), _) if self.is_home(&next) => Ok(Some(next)),
            (_, Elsewhere::Answer) => Ok(None),
            (Some(next), Elsewhere::Follow | Elsewhere::FollowDigest) => Ok(Some(next)),
            (Some(next), Elsewhere::Refuse) => Err(self.away(&next)),
            (None, _) => Err(self.lost(&answer.url, "redirects without saying where")),
        }
    }

    /// The `Location` of `answer`.
    pub(crate) fn location(&self, answer: &Answer) -> Option<Url> {
        let location = answer.url.join(answer.header(LOCATION)?).ok()?;
        Some(with_tls_of(&self.repository.base(), location))
    }

    /// Where the registry is.
    pub(crate) fn place(&self) -> Place {
        let seen = self.repository.peer.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Place { url: self.repository.base(), seen: seen.iter().copied().collect() }
    }

    /// Checks that a request may be sent to `url` outside of the registry, and tells where it may connect to.
    pub(crate) async fn permit(&self, url: &Url) -> Result<Reach, Error> {
        let permitted = address::permit(&self.host.net, &self.place(), url).await;
        permitted.map_err(|why| self.lost(url, why))
    }

    /// Whether content that its digest proves may be read from `url`.
    async fn permit_content(&self, url: &Url) -> Result<Reach, Error> {
        let permitted = address::permit_content(&self.host.net, &self.place(), url).await;
        permitted.map_err(|why| self.lost(url, why))
    }

    /// The error of a redirect to another host, where the registry itself must answer.
    fn away(&self, url: &Url) -> Error {
        Error::RedirectAway { registry: self.repository.registry.clone(), to: origin(url) }
    }

    /// The error of a redirect that is not followed.
    pub(crate) fn lost(&self, url: &Url, why: impl Into<Cow<'static, str>>) -> Error {
        Error::Redirect {
            registry: self.repository.registry.clone(),
            to: origin(url),
            why: why.into(),
        }
    }
}
