// SPDX-License-Identifier: Apache-2.0
//! Signs one digest and delivers the bundle, once there is a credential.

use std::sync::Arc;

use ambisign_host::{Failure, Warning};
use ambisign_sigstore::credential::{Credential, SignError};
use ambisign_sigstore::statement::{Payload, SIGN};
use ambisign_sigstore::trust::Trust;
use ambisign_sigstore::verify::{self, Expected};
use ambisign_sigstore::witness::{NotLogged, Timestamped, Witnessed, Witnesses};
use futures_util::future::{join, join_all};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use tokio::time::Instant;

use super::announce;
use super::artifact::Artifact;
use super::blob::Blob;
use super::context::{Context, within_run};
use super::error::Error;
use super::job::Job;
use super::renewal::CertificateRenewal;
use super::undelivered::Undelivered;
use crate::outcome;
use crate::outcome::State;
use crate::outcome::event::{Event, ImageEvent, ImageId};
use crate::outcome::from;
use ambisign_registry::warnings::DRIFT;
use ambisign_registry::{Registry, Target};

/// The random seed of one signature. Seeds are drawn in the order of the images, so that a run with a
/// fixed generator always makes the same signatures.
pub(crate) struct Seed([u8; 32]);

impl Seed {
    pub(crate) fn draw<R: CryptoRng>(rng: &mut R) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        Self(seed)
    }

    fn rng(self) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.0)
    }
}

/// Signs a digest, gets timestamps and log entries, verifies the bundle and delivers it.
pub(crate) struct Signer<'a> {
    ctx: Context<'a>,
    trust: &'a Trust,
    credentials: &'a CertificateRenewal<'a>,
    witnesses: Witnesses<'a>,
}

impl<'a> Signer<'a> {
    pub(crate) fn new(
        ctx: Context<'a>,
        trust: &'a Trust,
        credentials: &'a CertificateRenewal<'a>,
    ) -> Self {
        let witnesses = Witnesses::new(ctx.host, trust);
        Self { ctx, trust, credentials, witnesses }
    }

    /// Signs the digest of `job` once and delivers the bundle to each of its places. The report has the
    /// results.
    pub(crate) async fn sign(&self, job: Job<'_>, seed: Seed) {
        let (bundle, ()) = join(self.bundle(&job, seed), make_way(&job)).await;
        let unattached = match bundle {
            Ok(unattached) => unattached,
            Err(error) => {
                let failed = State::Failed(Failure::of(&error));
                return self.each(&job, ImageEvent::Finished(failed));
            }
        };
        match job {
            Job::Blob(id, blob) => self.store(id, blob, &unattached),
            Job::Image(images) if images.registry.attaches() => {
                let places = images
                    .targets()
                    .map(|(id, target)| self.attach(images.registry, (*id, target), &unattached));
                join_all(places).await;
            }
            Job::Image(images) => images.targets().for_each(|(id, _)| {
                if let State::Signed = unattached.end() {
                    unattached.attached(*id);
                }
                self.finish(*id, unattached.end());
            }),
        }
    }

    /// Gates G6 to G10. The returned bundle is verified.
    async fn bundle(&self, job: &Job<'_>, seed: Seed) -> Result<Undelivered<'_>, Error> {
        let mut rng = seed.rng();
        let artifact = job.artifact();
        let permit = self.witnesses.acquire_permit().await;
        let (credential, stamped) = self.stamped_in_time(job, &mut rng).await?;
        let witnessed = self.logged(job, stamped).await?;
        drop(permit);
        let certificate = credential.certificate();
        let expected = Expected {
            artifact: artifact.digest(),
            identity: certificate.san(),
            issuer: certificate.issuer(),
            predicate_type: match artifact {
                Artifact::Blob(_) => None,
                Artifact::Image(_) => Some(SIGN),
            },
            public_key: Some(certificate.spki_der()),
            entries: witnessed.entries().len(),
            timestamps: witnessed.timestamps().len(),
        };
        let started = Instant::now();
        let bundle = verify::bundle(witnessed.into_bytes()?, self.trust.root(), &expected)?;
        let (timestamps, entries) = (expected.timestamps > 0, expected.entries > 0);
        let parts = [
            Some("certificate"),
            self.trust.root().requires_sct().then_some("SCT"),
            timestamps.then_some("timestamp"),
            entries.then_some("log entry"),
            Some("signature"),
            Some("digest"),
        ];
        let verified = ImageEvent::BundleVerified {
            bundle: outcome::Bundle::from(&bundle),
            checked: parts.into_iter().flatten().collect(),
            took: started.elapsed(),
        };
        self.each(job, verified);
        let mut unattached = Undelivered::new(self.ctx, job.images(), bundle);
        if let Some(bundle_file) = job.bundle_file() {
            unattached.keep(bundle_file);
        }
        Ok(unattached)
    }

    /// A signature with its timestamps, whose certificate is valid for long enough to log it. If the
    /// authorities took too long, the signature, which is not public, is discarded and made again.
    async fn stamped_in_time(
        &self,
        job: &Job<'_>,
        rng: &mut ChaCha20Rng,
    ) -> Result<(Arc<Credential>, Timestamped), Error> {
        let first = self.stamped(job, rng).await?;
        if first.1.is_in_time() {
            return Ok(first);
        }
        self.stamped(job, rng).await
    }

    /// Gets timestamps before log entries, because they can be discarded and log entries cannot.
    async fn stamped(
        &self,
        job: &Job<'_>,
        rng: &mut ChaCha20Rng,
    ) -> Result<(Arc<Credential>, Timestamped), Error> {
        let artifact = job.artifact();
        let credential = self.credentials.current(artifact, rng).await?;
        // The certificate may be a renewed one.
        let certificate = outcome::Certificate::from(credential.certificate());
        self.each(job, ImageEvent::CertificateUsed(certificate));
        let signed = match artifact {
            Artifact::Blob(blob) => credential.sign_message(blob.digest(), rng)?,
            Artifact::Image(target) => {
                let said = &self.ctx.settings.annotations;
                let payload = Payload::about(target.digest(), said);
                credential.sign_statement(payload.map_err(|_json| SignError::Payload)?, rng)?
            }
        };
        let started = Instant::now();
        let stamped = self.witnesses.stamp(signed, rng).await?;
        let timestamped = ImageEvent::Timestamped {
            timestamps: from::timestamps(stamped.timestamps()),
            took: started.elapsed(),
        };
        self.each(job, timestamped);
        Ok((credential, stamped))
    }

    async fn logged(&self, job: &Job<'_>, stamped: Timestamped) -> Result<Witnessed, Error> {
        let started = Instant::now();
        self.each(job, ImageEvent::LogRequested);
        let witnessed = match self.witnesses.log(stamped).await {
            Ok(witnessed) => witnessed,
            Err(NotLogged { error, may_exist }) => {
                if !may_exist {
                    self.each(job, ImageEvent::LogRefused);
                }
                return Err(error.into());
            }
        };
        let logged = ImageEvent::Logged {
            entries: from::log(&witnessed, self.trust),
            took: started.elapsed(),
        };
        self.each(job, logged);
        Ok(witnessed)
    }

    /// Writes the bundle of a file.
    fn store(&self, id: ImageId, blob: Blob, unattached: &Undelivered<'_>) {
        match blob.deliver(unattached.bundle().bytes()) {
            Ok(path) => {
                unattached.attached(id);
                let written = ImageEvent::BundleWritten(path);
                self.ctx.recorder.record(&Event::Image(id, written));
                self.finish(id, State::Signed);
            }
            Err(error) => self.fail(id, &error.into()),
        }
    }

    async fn attach(
        &self,
        registry: &Registry<'_>,
        (id, target): (ImageId, &Target),
        unattached: &Undelivered<'_>,
    ) {
        let (started, recorder) = (Instant::now(), self.ctx.recorder);
        self.look_at_tag(registry, target).await;
        let (bundle, now) = (unattached.bundle(), self.ctx.host.clock.now());
        let attaching = registry.attach(target, bundle, now);
        match within_run(self.ctx.host, attaching).await {
            Ok(attached) => {
                unattached.attached(id);
                announce::removed(&attached).into_iter().for_each(|warning| recorder.warn(warning));
                let attached = ImageEvent::Attached {
                    attached: outcome::Attached::from(&attached),
                    before: false,
                    took: started.elapsed(),
                };
                recorder.record(&Event::Image(id, attached));
                self.finish(id, unattached.end());
            }
            Err(error) => self.fail(id, &error),
        }
    }

    /// Gate G11: warns if a tag moved during the run. That does not change what is signed.
    async fn look_at_tag(&self, registry: &Registry<'_>, target: &Target) {
        if let Ok(Some(now)) = registry.drift(target).await {
            let (tag, then) = (target.tag().unwrap_or_default(), target.digest());
            let message = format!("the tag `{tag}` moved from {then}, which is signed, to {now}");
            self.ctx.recorder.warn(Warning { code: DRIFT, message });
        }
    }

    fn fail(&self, id: ImageId, error: &Error) {
        self.finish(id, State::Failed(Failure::of(error)));
    }

    fn finish(&self, id: ImageId, state: State) {
        let finished = ImageEvent::Finished(state);
        self.ctx.recorder.record(&Event::Image(id, finished));
    }

    fn each(&self, job: &Job<'_>, event: ImageEvent) {
        self.ctx.recorder.record_each(&job.images(), &event);
    }
}

/// Prepares the repositories of `job` in the meantime: pushes the configs, which do not depend on the
/// bundle. Attaching tries again and reports a failure.
async fn make_way(job: &Job<'_>) {
    if let Job::Image(images) = job
        && images.registry.attaches()
    {
        let configs = images.targets().map(|(_, target)| images.registry.push_config(target));
        let _configs = join_all(configs).await;
    }
}
