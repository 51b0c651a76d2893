// SPDX-License-Identifier: Apache-2.0
//! The context that all parts of the pipeline share.

use ambisign_host::{Host, Token};
use ambisign_providers::{Choice, job};
use ambisign_sigstore::identity::{Identity, IdentityError, TokenPlace};
use tokio::time::timeout_at;

use super::error::Error;
use crate::outcome::exit::RunError;
use crate::report::Recorder;
use crate::settings::{IdentitySettings, Signing};

/// The host, the settings and the recorder of a run.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The outside world.
    pub host: &'a Host,
    /// The settings of signing.
    pub settings: &'a Signing,
    /// Records events.
    pub recorder: &'a Recorder<'a>,
}

/// Providers that make the token when they are asked: one that is over already was over at once, so the
/// clock of this machine is ahead.
const MADE_WHEN_ASKED: [&str; 4] =
    ["github-actions", "google-adc", "google-impersonate", "google-workload-identity"];

/// Where somebody put the token of `choice`; `None` if its provider requests it.
fn place(choice: &Choice) -> Option<TokenPlace> {
    let name = choice.source.place()?;
    Some(TokenPlace::new(name, choice.provider))
}

/// Reads a token of `choice` that was just received.
pub(crate) fn identify(
    (host, wanted): (&Host, &IdentitySettings),
    choice: &Choice,
    token: Token,
) -> Result<Identity, IdentityError> {
    host.net.guard(token.expose());
    let identity = Identity::parse(token, &wanted.options.audience, host.clock.now());
    let identity = identity.map_err(|error| {
        let is_fresh = MADE_WHEN_ASKED.contains(&choice.provider);
        let error = if is_fresh { error.of_fresh_token() } else { error };
        error.of_place(place(choice))
    })?;
    is_of_this_job(host, choice.provider, &identity)?;
    let (san, issuer) = (&wanted.require_identity, &wanted.require_issuer);
    Ok(identity.of_place(place(choice)).insisting(san.as_deref(), issuer.as_deref()))
}

impl Context<'_> {
    /// Reads a token of `choice` that was just received.
    pub(crate) fn identify(self, choice: &Choice, token: Token) -> Result<Identity, IdentityError> {
        identify((self.host, &self.settings.identity), choice, token)
    }
}

/// Checks that the token of `provider` is of the job that runs here, as far as the platform says which that is.
///
/// # Errors
/// [`IdentityError::OtherJob`]
fn is_of_this_job(host: &Host, provider: &str, identity: &Identity) -> Result<(), IdentityError> {
    let facts = job::facts(host, provider, identity.issuer());
    facts.iter().try_for_each(|fact| identity.is_of_job((fact.claim, fact.variable), &fact.value))
}

/// Waits for an attachment until shortly before the deadline of the run, so that its result can still
/// be reported.
///
/// # Errors
/// The registry fails, or the time is up.
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
