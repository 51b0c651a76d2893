// SPDX-License-Identifier: Apache-2.0
//! The one credential that all images of a run share, renewed before it is too old.

use std::sync::Arc;

use ambisign_providers::{Host, Source, Token};
use rand_core::CryptoRng;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::credential::Credential;
use crate::error::Error;
use crate::fulcio::Fulcio;
use crate::identity::{self, Identity};
use crate::plan::Job;
use crate::registry::Target;
use crate::report::Progress;
use crate::settings::Settings;
use crate::told;
use crate::trust::Trust;

/// Gives every image a credential that is young enough.
pub(crate) struct Credentials<'a> {
    host: &'a Host,
    settings: &'a Settings,
    source: &'a dyn Source,
    fulcio: Fulcio<'a>,
    current: Mutex<Arc<Credential>>,
}

impl<'a> Credentials<'a> {
    /// The first certificate of the run, for `identity`, which `token` proves.
    pub(crate) async fn issue<R: CryptoRng>(
        (host, settings, source, trust): (&'a Host, &'a Settings, &'a dyn Source, &'a Trust),
        (token, identity): (&Token, &Identity),
        jobs: &[Job],
        (rng, progress): (&mut R, &Progress<'_>),
    ) -> Result<Self, Error> {
        let started = Instant::now();
        let fulcio = Fulcio::new(host, trust);
        let targets: Vec<&Target> = jobs.iter().map(Job::target).collect();
        let credential = fulcio.issue((token, identity), &targets, rng).await?;
        let certificate = credential.certificate();
        for (at, _) in jobs.iter().flat_map(Job::targets) {
            progress.image(*at, |image| {
                image.certificate = Some(told::certificate(certificate))
            });
        }
        progress.step(&told::issued(certificate, started.elapsed()));
        require(settings, &credential)?;
        let current = Mutex::new(Arc::new(credential));
        Ok(Self {
            host,
            settings,
            source,
            fulcio,
            current,
        })
    }

    /// The credential for `target`. A new token is asked for only when the certificate is too old:
    /// long batches outlive it.
    pub(crate) async fn current<R: CryptoRng>(
        &self,
        target: &Target,
        rng: &mut R,
    ) -> Result<Arc<Credential>, Error> {
        let mut current = self.current.lock().await;
        if !current.is_fresh() {
            let audience = &self.settings.identity.audience;
            let token = self.source.token(self.host, audience).await?;
            let identity = Identity::parse(&token, audience, self.host.clock.now())?;
            let credential = self
                .fulcio
                .issue((&token, &identity), &[target], rng)
                .await?;
            require(self.settings, &credential)?;
            *current = Arc::new(credential);
        }
        Ok(Arc::clone(&current))
    }
}

/// What the user insists on holds for the certificate itself too: the prediction may be unknown.
fn require(settings: &Settings, credential: &Credential) -> Result<(), Error> {
    let certificate = credential.certificate();
    let (wanted, issuer) = (
        &settings.identity.require_identity,
        &settings.identity.require_issuer,
    );
    let wanted = (wanted.as_deref(), issuer.as_deref());
    Ok(identity::require(
        (certificate.san(), certificate.issuer()),
        wanted,
    )?)
}
