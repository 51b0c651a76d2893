// SPDX-License-Identifier: Apache-2.0
//! What every part of the pipeline works with.

use ambisign_host::{Host, Token};
use ambisign_sigstore::identity::{Identity, IdentityError};
use tokio::time::timeout_at;

use super::error::Error;
use crate::outcome::exit::RunError;
use crate::report::Recorder;
use crate::settings::Signing;

/// What every part of a run works with.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The outside world.
    pub host: &'a Host,
    /// What signing takes.
    pub settings: &'a Signing,
    /// Where it is told what comes to exist.
    pub recorder: &'a Recorder<'a>,
}

/// Providers that make the token when they are asked: one that is over already was over at once, so the
/// clock of this machine is ahead.
const MADE_WHEN_ASKED: [&str; 4] = [
    "github-actions",
    "google-adc",
    "google-impersonate",
    "google-workload-identity",
];

/// What `error` means for a token that `provider` gave just now.
pub(crate) fn of_provider(provider: &str, error: IdentityError) -> IdentityError {
    if MADE_WHEN_ASKED.contains(&provider) {
        error.of_fresh_token()
    } else {
        error
    }
}

impl Context<'_> {
    /// Reads a token that was just handed over.
    pub(crate) fn identify(self, token: Token) -> Result<Identity, IdentityError> {
        self.host.net.guard(token.expose());
        let wanted = &self.settings.identity;
        let identity = Identity::parse(token, &wanted.audience, self.host.clock.now())?;
        let (san, issuer) = (&wanted.require_identity, &wanted.require_issuer);
        Ok(identity.insisting(san.as_deref(), issuer.as_deref()))
    }
}

/// What attaching comes to before the run is over: afterwards nobody would be left to tell.
///
/// # Errors
/// The registry is in the way, or the time is over.
pub(crate) async fn within_run<T>(
    host: &Host,
    attaching: impl Future<Output = Result<T, ambisign_registry::Error>>,
) -> Result<T, Error> {
    match host.net.deadline() {
        Some(end) => match timeout_at(end, attaching).await {
            Ok(attached) => Ok(attached?),
            Err(_elapsed) => Err(RunError::Deadline.into()),
        },
        None => Ok(attaching.await?),
    }
}
