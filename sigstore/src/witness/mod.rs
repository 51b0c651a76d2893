// SPDX-License-Identifier: Apache-2.0
//! Witnesses: timestamp authorities and logs that vouch for a signature.

mod answer;
mod error;
mod rekor_v1;
mod rekor_v2;
mod trial;
mod tsa;

use ambisign_host::{CallLimits, Host};
use futures_util::future::{join_all, try_join_all};
use rand_core::CryptoRng;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::bundle::Bundle;
use crate::certificate::Verifier;
use crate::content::ContentRef;
use crate::credential::Signed;
use crate::digest::Digest;
use crate::limits::{REKOR, TSA};
use crate::log::{LogEntry, Logged};
use crate::timestamp::Timestamp;
use crate::trust::{Service, Trust};
pub use error::{Error, NotLogged};
use rekor_v1::RekorV1;
use rekor_v2::RekorV2;
use trial::TRIAL;
pub use trial::Trial;
use tsa::{Nonce, TimestampAuthority};

/// The number of signatures that may be witnessed at the same time. Each sends one request to every
/// authority and log, so this is also the limit of simultaneous requests to each.
const IN_FLIGHT: usize = 64;

/// The witnesses that the signing config selects for this run.
pub struct Witnesses<'a> {
    permits: Semaphore,
    authorities: Vec<TimestampAuthority<'a>>,
    logs: Vec<Log<'a>>,
    trust: &'a Trust,
}

/// One transparency log of this run, by the version in the signing config.
enum Log<'a> {
    V1(RekorV1<'a>),
    V2(RekorV2<'a>),
}

impl<'a> Log<'a> {
    fn new(host: &'a Host, service: &'a Service, trust: &'a Trust) -> Self {
        match service.version {
            2 => Self::V2(RekorV2 { host, service, root: trust.root() }),
            _ => Self::V1(RekorV1 { host, service }),
        }
    }

    async fn submit(&self, logged: &Logged<'_>, limits: &CallLimits) -> Result<LogEntry, Error> {
        match self {
            Self::V1(log) => log.submit(logged, limits).await,
            Self::V2(log) => log.submit(logged, limits).await,
        }
    }
}

impl<'a> Witnesses<'a> {
    /// The witnesses of `trust`.
    pub fn new(host: &'a Host, trust: &'a Trust) -> Self {
        let services = trust.services();
        let authority = |service| TimestampAuthority { host, service, root: trust.root() };
        let authorities = services.authorities.iter().map(authority).collect();
        let logs = services.logs.iter().map(|service| Log::new(host, service, trust)).collect();
        Self { permits: Semaphore::new(IN_FLIGHT), authorities, logs, trust }
    }

    /// Has each authority timestamp the bytes of `trial`, which say nothing to anybody, and verifies
    /// the answer with the trusted root. The results are in the order of the signing config; there are
    /// none if the trusted root has no log.
    ///
    /// Each authority is asked once, for two seconds at most.
    pub(crate) async fn try_stamps(&self, trial: &Trial) -> Vec<Result<(), Error>> {
        let (logs, _) = self.trust.root().logs();
        // A key is valid at any time; which one it is does not matter for the timestamp.
        let Some(key) = logs.first().map(|log| log.key()) else {
            return Vec::new();
        };
        let content =
            ContentRef::Message { digest: &Digest::of(&trial.bytes), signature: &trial.bytes };
        let logged = Logged { verifier: Verifier::Key(key), content };
        let calls = self.authorities.iter();
        let calls = calls.map(|authority| authority.stamp(&logged, &trial.nonce, &TRIAL));
        join_all(calls).await.into_iter().map(|stamp| stamp.map(drop)).collect()
    }

    /// Waits until one more signature may be witnessed. Hold the permit until that is done. Acquire it
    /// before signing, because a certificate would expire in the queue.
    pub async fn acquire_permit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so this always returns a permit.
        self.permits.acquire().await.ok()
    }

    /// Gets a timestamp for `signed` from every authority.
    ///
    /// This precedes logging, because a timestamp can be discarded and a log entry is permanent.
    ///
    /// # Errors
    /// An authority refuses, is unreachable, or returns a timestamp that does not verify.
    pub async fn stamp<R: CryptoRng>(
        &self,
        signed: Signed,
        rng: &mut R,
    ) -> Result<Timestamped, Error> {
        let logged = signed.logged();
        let nonces: Vec<_> = self.authorities.iter().map(|_| Nonce::draw(rng)).collect();
        let calls = self.authorities.iter().zip(&nonces);
        let calls = calls.map(|(authority, nonce)| authority.stamp(&logged, nonce, &TSA));
        let timestamps = try_join_all(calls).await?;
        Ok(Timestamped { signed, timestamps })
    }

    /// Logs `stamped` in every log and verifies each entry (gate G9).
    ///
    /// A log entry is permanent, and useless if the certificate expired before it. So entries are
    /// requested only if [`Timestamped::is_in_time`], and only for as long as the certificate is valid.
    ///
    /// # Errors
    /// It is too late, or a log refuses, is unreachable, or returns an entry that is not for this
    /// signature or not proven.
    pub async fn log(&self, stamped: Timestamped) -> Result<Witnessed, NotLogged> {
        let Timestamped { signed, timestamps } = stamped;
        let Some(all) = signed.log_time() else {
            let (error, may_exist) = (Error::Late, false);
            return Err(NotLogged { error, may_exist });
        };
        let limits = CallLimits { all, ..REKOR };
        let logged = signed.logged();
        // A submission cannot be withdrawn when another log fails, so wait for every log.
        let answers = join_all(self.logs.iter().map(|log| log.submit(&logged, &limits))).await;
        let may_exist = |answer: &Result<_, Error>| {
            answer.as_ref().map_or_else(Error::may_be_logged, |_entry| true)
        };
        let may_exist = answers.iter().any(may_exist);
        let entries: Result<Vec<_>, _> = answers.into_iter().collect();
        let witnessed = Witnessed {
            signed,
            timestamps,
            entries: entries.map_err(|error| NotLogged { error, may_exist })?,
        };
        match witnessed.verify(self.trust) {
            Ok(()) => Ok(witnessed),
            Err(error) => Err(NotLogged { error, may_exist }),
        }
    }
}

/// A signature with its timestamps. It is not logged yet, so nothing about it is public.
#[must_use]
pub struct Timestamped {
    signed: Signed,
    timestamps: Vec<Timestamp>,
}

impl Timestamped {
    /// The timestamps.
    pub fn timestamps(&self) -> &[Timestamp] {
        &self.timestamps
    }

    /// Returns `true` if the certificate is valid for longer than logging may take.
    pub fn is_in_time(&self) -> bool {
        self.signed.log_time().is_some()
    }
}

/// A signature with all timestamps and log entries that the signing config requires, each verified.
#[must_use]
pub struct Witnessed {
    signed: Signed,
    timestamps: Vec<Timestamp>,
    entries: Vec<LogEntry>,
}

impl Witnessed {
    fn verify(&self, trust: &Trust) -> Result<(), Error> {
        for entry in &self.entries {
            let verified = entry.verify_submitted(&self.signed.logged(), trust.root())?;
            if verified.time().is_none() && self.timestamps.is_empty() {
                return Err(Error::Untimed);
            }
        }
        Ok(())
    }

    /// The log entries.
    pub fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    /// The timestamps.
    pub fn timestamps(&self) -> &[Timestamp] {
        &self.timestamps
    }

    /// Writes the Sigstore bundle (v0.3). Later checks use only these bytes.
    ///
    /// # Errors
    /// Never in practice, because the members are text and numbers.
    pub fn into_bytes(self) -> Result<Vec<u8>, Error> {
        let certificate = self.signed.certificate().der().to_vec();
        let timestamps = self.timestamps.into_iter().map(|stamp| stamp.der().to_vec()).collect();
        let content = self.signed.content().clone();
        Bundle::new(certificate, content, self.entries, timestamps)
            .to_json()
            .map_err(|_json| Error::Encoding)
    }
}
