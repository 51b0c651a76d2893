// SPDX-License-Identifier: Apache-2.0
//! The pipeline on one screen: the only file that knows the order.

use ambisign_host::{Host, Token};
use ambisign_providers::{Choice, Source, choose};
use ambisign_sigstore::fulcio::Fulcio;
use ambisign_sigstore::identity::{Identity, IdentityError};
use ambisign_sigstore::trust::{self, Trust};
use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use rand_core::CryptoRng;

use crate::already;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::images;
use crate::job::Job;
use crate::plan;
use crate::report::Progress;
use crate::settings::{BlobSettings, Mode, Settings, Signing};
use crate::signer::{Seed, Signer};
use crate::told;

/// What every part of a run works with.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The outside world.
    pub host: &'a Host,
    /// What signing takes.
    pub settings: &'a Signing,
    /// Where it is told what comes to exist.
    pub progress: &'a Progress<'a>,
}

/// Who signs, and whom is believed: nothing is public yet.
struct Begun {
    source: Box<dyn Source>,
    trust: Trust,
    identity: Identity,
}

/// What every run asks for before it knows what it may do with it; each fails on its own.
struct Asked {
    trust: Result<Trust, trust::Error>,
    token: Result<Token, ambisign_providers::Error>,
}

impl Run<'_> {
    /// Signs every image of the settings.
    ///
    /// Nothing public happens before the join and the checks behind it: the certificate and the log
    /// entries stay for good, so they come only when little but the upload is left to fail. An image
    /// that cannot be signed does not stop the others; its failure is in the report.
    ///
    /// # Errors
    /// The run as a whole cannot go on. When several parts of the beginning fail, it is the first of
    /// settings, registry, trust, identity, whichever answered first.
    pub async fn sign<R: CryptoRng>(self, images: &Settings, rng: &mut R) -> Result<(), Error> {
        let Self {
            host,
            settings,
            progress,
        } = self;
        let named = images::named(&images.images).await?;
        progress.begin(named.len(), "image", &settings.run);
        let references = told::references(progress, named, images)?;
        let options = plan::registry_options(&images.registry, &references)?;
        let choice = choose(host, &plan::identity_options(&settings.identity))?;
        let shelf = plan::shelf(&images.bundles, references.len(), settings.mode)?;
        progress.images(told::requested(&references));

        let registry = plan::registry(host, options, (&images.bundles, shelf.as_ref()));
        let (prepared, asked) = join(
            plan::prepare(
                &registry,
                &references,
                (images.images.extent, settings.jobs),
            ),
            self.ask(&choice),
        )
        .await;
        let jobs = plan::jobs(&registry, prepared, progress);
        if jobs.is_empty() {
            return Ok(());
        }
        let begun = self.begin(choice, asked)?;
        let who = (&begun.identity, &begun.trust);
        let jobs = already::leave(self, images.bundles.if_signed, who, jobs).await?;
        let jobs = plan::slots(shelf.as_ref(), jobs, progress)?;
        self.publish(begun, jobs, rng).await
    }

    /// Signs every file of the settings, in the same way.
    ///
    /// # Errors
    /// As [`Run::sign`].
    pub async fn sign_blobs<R: CryptoRng>(
        self,
        blobs: &BlobSettings,
        rng: &mut R,
    ) -> Result<(), Error> {
        let Self {
            host,
            settings,
            progress,
        } = self;
        progress.begin(blobs.blobs.len(), "file", &settings.run);
        let choice = choose(host, &plan::identity_options(&settings.identity))?;
        let jobs = plan::blobs(blobs, progress).await;
        let asked = self.ask(&choice).await;
        if jobs.is_empty() {
            return Ok(());
        }
        let begun = self.begin(choice, asked)?;
        self.publish(begun, jobs, rng).await
    }

    /// Whom to believe, and the token: together.
    async fn ask(self, choice: &Choice) -> Asked {
        let (host, settings) = (self.host, self.settings);
        let (trust, token) = join(
            plan::trust(host, settings),
            choice.source.token(host, &settings.identity.audience),
        )
        .await;
        Asked { trust, token }
    }

    /// Joins what was asked for: the last checks before Fulcio.
    fn begin(self, choice: Choice, asked: Asked) -> Result<Begun, Error> {
        let trust = asked.trust?;
        let identity = self.identify(asked.token?)?;
        told::beginning(self.progress, &choice, &identity, &trust, self.settings);
        plan::permit(self, &identity, &trust)?;
        Ok(Begun {
            source: choice.source,
            trust,
            identity,
        })
    }

    /// From the certificate on.
    async fn publish<R: CryptoRng>(
        self,
        begun: Begun,
        jobs: Vec<Job<'_>>,
        rng: &mut R,
    ) -> Result<(), Error> {
        let Self { host, settings, .. } = self;
        let Begun {
            source,
            trust,
            identity,
        } = begun;
        if settings.mode == Mode::DryRun {
            told::would_sign(self.progress, &jobs);
            return Ok(());
        }
        if jobs.is_empty() {
            return Ok(());
        }

        let credentials = Credentials::new(self, source.as_ref(), Fulcio::new(host, &trust));
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

    /// Reads a token that was just handed over.
    pub(crate) fn identify(self, token: Token) -> Result<Identity, IdentityError> {
        self.host.net.guard(token.expose());
        Identity::parse(
            token,
            &self.settings.identity.audience,
            self.host.clock.now(),
        )
    }
}
