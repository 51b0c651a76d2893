// SPDX-License-Identifier: Apache-2.0
//! One image digest through the pipeline, once there is a credential.

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
use crate::outcome::from;
use crate::outcome::{State, Step};
use ambisign_registry::{Registry, Target};

/// Where the randomness of one signature comes from: drawn in the order of the images, so that a
/// run with a fixed generator makes the same signatures every time.
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

/// Signs, has it witnessed, verifies, delivers.
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
        Self {
            ctx,
            trust,
            credentials,
            witnesses,
        }
    }

    /// Signs the digest of `job` once and brings the bundle to each of its places. What comes of it
    /// is in the report.
    pub(crate) async fn sign(&self, job: Job<'_>, seed: Seed) {
        let (bundle, ()) = join(self.bundle(&job, seed), make_way(&job)).await;
        let unattached = match bundle {
            Ok(unattached) => unattached,
            Err(error) => {
                return job
                    .places()
                    .into_iter()
                    .for_each(|at| self.fail(at, &error));
            }
        };
        match job {
            Job::Blob(at, blob) => self.store(at, blob, &unattached),
            Job::Image(images) if images.registry.attaches() => {
                let places = images
                    .targets()
                    .map(|(at, target)| self.attach(images.registry, *at, target, &unattached));
                join_all(places).await;
            }
            Job::Image(images) => images.targets().for_each(|(at, _)| {
                if let State::Signed = unattached.end() {
                    unattached.attached(*at);
                }
                self.end(*at, unattached.end());
            }),
        }
    }

    /// Gates G6 to G10: nothing that comes out of here is unverified.
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
        let detail = from::list(parts.into_iter().flatten().map(str::to_owned));
        self.each(job, |image| {
            image.bundle = Some(outcome::Bundle::from(&bundle))
        });
        self.step(
            job,
            &Step {
                name: "checked",
                took: started.elapsed(),
                detail,
            },
        );
        let mut unattached = Undelivered::new(self.ctx, job.places(), bundle);
        if let Some(slot) = job.slot() {
            unattached.keep(slot);
        }
        Ok(unattached)
    }

    /// A signature with its timestamps, whose certificate lives long enough for the logs. Nothing of
    /// it is public, so it is thrown away when the authorities took too long, and made once more.
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

    /// Timestamps come before the logs: they can be thrown away, a log entry cannot.
    async fn stamped(
        &self,
        job: &Job<'_>,
        rng: &mut ChaCha20Rng,
    ) -> Result<(Arc<Credential>, Timestamped), Error> {
        let artifact = job.artifact();
        let credential = self.credentials.current(artifact, rng).await?;
        // It may be a renewed one.
        let certificate = outcome::Certificate::from(credential.certificate());
        self.each(job, |image| image.certificate = Some(certificate.clone()));
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
        let stamps = from::timestamps(stamped.timestamps());
        let detail = from::list(stamps.iter().map(|stamp| stamp.authority.clone()));
        self.each(job, |image| image.timestamps.clone_from(&stamps));
        // Without an authority there is no such step.
        if !stamps.is_empty() {
            self.step(
                job,
                &Step {
                    name: "timestamp",
                    took: started.elapsed(),
                    detail,
                },
            );
        }
        Ok((credential, stamped))
    }

    async fn logged(&self, job: &Job<'_>, stamped: Timestamped) -> Result<Witnessed, Error> {
        let started = Instant::now();
        // Assume that it happened unless the answer says otherwise.
        self.each(job, |image| image.submitted = true);
        let witnessed = match self.witnesses.log(stamped).await {
            Ok(witnessed) => witnessed,
            Err(NotLogged { error, may_exist }) => {
                self.each(job, |image| image.submitted = may_exist);
                return Err(error.into());
            }
        };
        let entries = from::log(&witnessed, self.trust);
        let detail = from::list(entries.iter().map(from::entry));
        self.each(job, |image| image.log.clone_from(&entries));
        self.step(
            job,
            &Step {
                name: "log entry",
                took: started.elapsed(),
                detail,
            },
        );
        Ok(witnessed)
    }

    /// Puts the bundle of a file into its place.
    fn store(&self, at: usize, blob: Blob, unattached: &Undelivered<'_>) {
        match blob.deliver(unattached.bundle().bytes()) {
            Ok(path) => {
                unattached.attached(at);
                self.ctx.progress.image(at, |image| {
                    if let Some(bundle) = &mut image.bundle {
                        bundle.path = Some(path);
                    }
                    image.state = State::Signed;
                });
                self.ctx.progress.image_over(at);
            }
            Err(error) => self.fail(at, &error.into()),
        }
    }

    async fn attach(
        &self,
        registry: &Registry<'_>,
        at: usize,
        target: &Target,
        unattached: &Undelivered<'_>,
    ) {
        let started = Instant::now();
        self.look_at_tag(registry, target).await;
        let (bundle, now) = (unattached.bundle(), self.ctx.host.clock.now());
        let attaching = registry.attach(target, bundle, now);
        match within_run(self.ctx.host, attaching).await {
            Ok(attached) => {
                unattached.attached(at);
                announce::removed(&attached)
                    .into_iter()
                    .for_each(|warning| self.ctx.progress.warning(warning));
                let attached = outcome::Attached::from(&attached);
                let detail = format!("{} ({})", attached.reference, attached.method);
                self.ctx.progress.image_step(
                    at,
                    Step {
                        name: "attached",
                        took: started.elapsed(),
                        detail,
                    },
                );
                self.ctx
                    .progress
                    .image(at, |image| image.attached = Some(attached));
                self.end(at, unattached.end());
            }
            Err(error) => self.fail(at, &error),
        }
    }

    /// Gate G11: a tag that moved meanwhile does not change what is signed, but the reader should
    /// know.
    async fn look_at_tag(&self, registry: &Registry<'_>, target: &Target) {
        if let Ok(Some(now)) = registry.drift(target).await {
            let (tag, then) = (target.tag().unwrap_or_default(), target.digest());
            let message = format!("the tag `{tag}` moved from {then}, which is signed, to {now}");
            self.ctx.progress.warning(Warning {
                code: "registry/drift",
                message,
            });
        }
    }

    fn fail(&self, at: usize, error: &Error) {
        self.end(at, State::Failed(Failure::of(error)));
    }

    fn end(&self, at: usize, state: State) {
        self.ctx.progress.image(at, |image| image.state = state);
        self.ctx.progress.image_over(at);
    }

    fn each(&self, job: &Job<'_>, change: impl Fn(&mut outcome::Outcome)) {
        for at in job.places() {
            self.ctx.progress.image(at, &change);
        }
    }

    fn step(&self, job: &Job<'_>, step: &Step) {
        for at in job.places() {
            self.ctx.progress.image_step(at, step.clone());
        }
    }
}

/// What can be done meanwhile at the places of `job`. Configs need no bundle, so they are pushed;
/// their failure shows at the attaching, which tries again.
async fn make_way(job: &Job<'_>) {
    if let Job::Image(images) = job
        && images.registry.attaches()
    {
        let configs = images
            .targets()
            .map(|(_, target)| images.registry.push_config(target));
        let _configs = join_all(configs).await;
    }
}
