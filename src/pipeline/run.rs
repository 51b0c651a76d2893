// SPDX-License-Identifier: Apache-2.0
//! The pipeline on one screen. Only this file knows the order.

use ambisign_host::Token;
use ambisign_providers::{Choice, choose};
use ambisign_sigstore::fulcio::Fulcio;
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::preflight::{self, Answers};
use ambisign_sigstore::trust::{self, Trust};
use ambisign_sigstore::witness::Trial;
use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use rand_core::CryptoRng;

use super::announce;
use super::context::Context;
use super::error::Error;
use super::if_signed;
use super::job::Job;
use super::plan;
use super::renewal::CertificateRenewal;
use super::signer::{Seed, Signer};
use crate::images;
use crate::outcome::event::Event;
use crate::settings::{BlobSettings, Mode, Settings, check_login};

/// The identity and the trust material. Nothing is public yet.
struct Preflight {
    choice: Choice,
    trust: Trust,
    identity: Identity,
}

/// The results of parallel requests at the start of a run; each can fail separately.
struct PreflightResults {
    trust: Result<(Trust, Answers), trust::Error>,
    token: Result<Token, ambisign_providers::Error>,
}

impl Context<'_> {
    /// Signs every image of the settings.
    ///
    /// Nothing is public before the join and the checks after it: the certificate and the log entries
    /// are permanent, so they come last, when little except the upload can fail. An image that cannot be
    /// signed does not stop the others; its failure is in the report.
    ///
    /// # Errors
    /// The run as a whole cannot continue. If several parts of the start fail, the error is the first in
    /// the order settings, registry, trust, identity, independent of their timing.
    pub async fn sign<R: CryptoRng>(self, images: &Settings, rng: &mut R) -> Result<(), Error> {
        let Self { host, settings, recorder } = self;
        let named = images::named(&images.images).await?;
        recorder.record(&announce::began(named.len(), "image", &settings.run));
        let references = announce::references(recorder, named, images)?;
        check_login(&images.registry, &references)?;
        let choice = choose(host, &settings.identity.options)?;
        let bundle_dir = plan::open_bundle_dir(&images.bundles, references.len(), settings.mode)?;
        recorder.record(&Event::ImagesRequested(announce::requested(&references)));

        let registry =
            plan::registry(host, &images.registry, (&images.bundles, bundle_dir.as_ref()));
        let trial = Trial::draw(rng);
        let (prepared, asked) = join(
            plan::prepare(&registry, &references, (images.images.extent, settings.jobs)),
            self.ask(&choice, &trial),
        )
        .await;
        let jobs = plan::jobs(&registry, prepared, recorder);
        if jobs.is_empty() {
            return Ok(());
        }
        let begun = self.begin(choice, asked)?;
        let who = (&begun.identity, &begun.trust);
        let jobs = if_signed::skip_signed(self, images.bundles.if_signed, who, jobs).await?;
        let jobs = plan::with_bundle_files(bundle_dir.as_ref(), jobs, recorder)?;
        self.publish(begun, jobs, rng).await
    }

    /// Signs every file of the settings, in the same way.
    ///
    /// # Errors
    /// Those of [`Context::sign`].
    pub async fn sign_blobs<R: CryptoRng>(
        self,
        blobs: &BlobSettings,
        rng: &mut R,
    ) -> Result<(), Error> {
        let Self { host, settings, recorder } = self;
        recorder.record(&announce::began(blobs.blobs.len(), "file", &settings.run));
        let choice = choose(host, &settings.identity.options)?;
        let jobs = plan::blobs(blobs, recorder).await;
        if jobs.is_empty() {
            return Ok(());
        }
        let trial = Trial::draw(rng);
        let asked = self.ask(&choice, &trial).await;
        let begun = self.begin(choice, asked)?;
        self.publish(begun, jobs, rng).await
    }

    /// Gets the trust material and the token in parallel.
    async fn ask(self, choice: &Choice, trial: &Trial) -> PreflightResults {
        let (host, settings) = (self.host, self.settings);
        let (trust, token) = join(
            plan::trust(host, settings, trial),
            choice.source.token(host, &settings.identity.options.audience),
        )
        .await;
        PreflightResults { trust, token }
    }

    /// Joins the results; the last checks before Fulcio.
    fn begin(self, choice: Choice, asked: PreflightResults) -> Result<Preflight, Error> {
        let (trust, mut answers) = asked.trust?;
        let odd = answers.verify(&trust, self.host.clock.now())?;
        let identity = self.identify(&choice, asked.token?)?;
        announce::beginning(self, &choice, &identity, &trust);
        for warning in odd {
            self.recorder.warn(warning);
        }
        plan::permit(self, &identity, &trust)?;
        preflight::permit(trust.root(), &identity, self.host.clock.now())?;
        answers.accept(&identity)?;
        Ok(Preflight { choice, trust, identity })
    }

    /// The steps from the certificate on.
    async fn publish<R: CryptoRng>(
        self,
        begun: Preflight,
        jobs: Vec<Job<'_>>,
        rng: &mut R,
    ) -> Result<(), Error> {
        let Self { host, settings, .. } = self;
        let Preflight { choice, trust, identity } = begun;
        if settings.mode == Mode::DryRun {
            announce::would_sign(self.recorder, &jobs);
            return Ok(());
        }
        if jobs.is_empty() {
            return Ok(());
        }

        let credentials = CertificateRenewal::new(self, &choice, Fulcio::new(host, &trust));
        credentials.issue(&identity, &jobs, rng).await?;
        drop(identity);
        let signer = Signer::new(self, &trust, &credentials);
        let seeded: Vec<_> = jobs.into_iter().map(|job| (job, Seed::draw(rng))).collect();
        stream::iter(seeded)
            .map(|(job, seed)| signer.sign(job, seed))
            .buffer_unordered(settings.jobs.get())
            .collect::<()>()
            .await;
        Ok(())
    }
}
