// SPDX-License-Identifier: Apache-2.0
//! The one credential that all images of a run share, renewed before it is too old.

use std::sync::Arc;

use ambisign_providers::Source;
use rand_core::CryptoRng;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::credential::Credential;
use crate::error::Error;
use crate::fulcio::Fulcio;
use crate::identity::{self, Identity};
use crate::plan::Job;
use crate::registry::Target;
use crate::run::Run;
use crate::settings::Settings;
use crate::told;

/// Gives every image a credential that is young enough.
pub(crate) struct Credentials<'a> {
    run: Run<'a>,
    source: &'a dyn Source,
    fulcio: Fulcio<'a>,
    current: Mutex<Option<Arc<Credential>>>,
}

impl<'a> Credentials<'a> {
    /// None is issued yet; `source` gives the tokens of later ones.
    pub(crate) fn new(run: Run<'a>, source: &'a dyn Source, fulcio: Fulcio<'a>) -> Self {
        Self {
            run,
            source,
            fulcio,
            current: Mutex::default(),
        }
    }

    /// The certificate with which the run begins.
    pub(crate) async fn issue<R: CryptoRng>(
        &self,
        identity: &Identity,
        jobs: &[Job],
        rng: &mut R,
    ) -> Result<(), Error> {
        let started = Instant::now();
        let targets: Vec<&Target> = jobs.iter().map(Job::target).collect();
        let credential = self.fulcio.issue(identity, &targets, rng).await?;
        let told = told::certificate(credential.certificate());
        for (at, _) in jobs.iter().flat_map(Job::targets) {
            self.run
                .progress
                .image(*at, |image| image.certificate = Some(told.clone()));
        }
        let step = told::issued(credential.certificate(), started.elapsed());
        self.run.progress.step(&step);
        require(self.run.settings, &credential)?;
        *self.current.lock().await = Some(Arc::new(credential));
        Ok(())
    }

    /// The credential for `target`. A new token is asked for only when the certificate is too old:
    /// long batches outlive it.
    pub(crate) async fn current<R: CryptoRng>(
        &self,
        target: &Target,
        rng: &mut R,
    ) -> Result<Arc<Credential>, Error> {
        let mut current = self.current.lock().await;
        if let Some(credential) = current.as_ref().filter(|credential| credential.is_fresh()) {
            return Ok(Arc::clone(credential));
        }
        let Run { host, settings, .. } = self.run;
        let identity = self
            .run
            .identify(self.source.token(host, &settings.identity.audience).await?)?;
        let credential = Arc::new(self.fulcio.issue(&identity, &[target], rng).await?);
        require(settings, &credential)?;
        *current = Some(Arc::clone(&credential));
        Ok(credential)
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
