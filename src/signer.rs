// SPDX-License-Identifier: Apache-2.0
//! One image digest through the pipeline, once there is a credential.

use futures_util::future::{join, join_all};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use tokio::time::{Instant, timeout_at};

use crate::credential::Signed;
use crate::credentials::Credentials;
use crate::error::{Error, RunError};
use crate::outcome::{Failure, State, Step, Warning};
use crate::payload::{Payload, SIGN};
use crate::plan::Job;
use crate::registry::{self, Attached, Registry, Target};
use crate::run::Run;
use crate::saved::Unattached;
use crate::told;
use crate::trust::Trust;
use crate::verify::{self, Expected, VerifiedBundle};
use crate::witness::{Witnessed, Witnesses};

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

/// Signs, has it witnessed, verifies, attaches.
pub(crate) struct Signer<'a> {
    run: Run<'a>,
    trust: &'a Trust,
    registry: &'a Registry<'a>,
    credentials: &'a Credentials<'a>,
    witnesses: Witnesses<'a>,
}

impl<'a> Signer<'a> {
    pub(crate) fn new(
        run: Run<'a>,
        trust: &'a Trust,
        registry: &'a Registry<'a>,
        credentials: &'a Credentials<'a>,
    ) -> Self {
        let witnesses = Witnesses::new(run.host, trust);
        Self {
            run,
            trust,
            registry,
            credentials,
            witnesses,
        }
    }

    /// Signs the digest of `job` once and attaches the bundle to each of its places. What comes of
    /// it is in the report.
    pub(crate) async fn sign(&self, job: Job, seed: Seed) {
        // Configs need no bundle yet, so they are pushed meanwhile. Their failure shows at the
        // attaching, which tries again.
        let configs = job
            .targets()
            .map(|(_, target)| self.registry.push_config(target));
        let (bundle, _configs) = join(self.bundle(&job, seed), join_all(configs)).await;
        match bundle {
            Ok(bundle) => {
                let places = job
                    .targets()
                    .map(|(at, target)| self.attach(*at, target, &bundle));
                join_all(places).await;
            }
            Err(error) => {
                for (at, _) in job.targets() {
                    self.fail(*at, &error);
                }
            }
        }
    }

    /// Gates G6 to G10: nothing that comes out of here is unverified.
    async fn bundle(&self, job: &Job, seed: Seed) -> Result<VerifiedBundle, Error> {
        let mut rng = seed.rng();
        let target = job.target();
        let turn = self.witnesses.turn().await;
        let credential = self.credentials.current(target, &mut rng).await?;
        let signed = credential.sign_statement(Payload::for_image(target)?, &mut rng)?;
        let witnessed = self.witness(job, signed, &mut rng).await?;
        drop(turn);
        let certificate = credential.certificate();
        let expected = Expected {
            artifact: target.digest(),
            identity: certificate.san(),
            issuer: certificate.issuer(),
            predicate_type: Some(SIGN),
            public_key: Some(certificate.spki_der()),
            entries: witnessed.entries().len(),
            timestamps: witnessed.timestamps().len(),
        };
        let started = Instant::now();
        let bundle = verify::bundle(witnessed.into_bytes()?, self.trust.root(), &expected)?;
        let detail = "certificate, SCT, timestamp, log entry, signature, digest".to_owned();
        self.each(job, |image| image.bundle = Some(told::bundle(&bundle)));
        self.step(
            job,
            &Step {
                name: "checked",
                took: started.elapsed(),
                detail,
            },
        );
        Ok(bundle)
    }

    /// Timestamps first: they can be thrown away, a log entry cannot.
    async fn witness(
        &self,
        job: &Job,
        signed: Signed,
        rng: &mut ChaCha20Rng,
    ) -> Result<Witnessed, Error> {
        let started = Instant::now();
        let stamped = self.witnesses.stamp(signed, rng).await?;
        let stamps = told::timestamps(stamped.timestamps());
        let detail = told::list(stamps.iter().map(|stamp| stamp.authority.clone()));
        self.each(job, |image| image.timestamps.clone_from(&stamps));
        self.step(
            job,
            &Step {
                name: "timestamp",
                took: started.elapsed(),
                detail,
            },
        );

        let started = Instant::now();
        let witnessed = self.witnesses.log(stamped).await?;
        let entries = told::log(&witnessed, self.trust);
        let detail = told::list(entries.iter().map(told::entry));
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

    async fn attach(&self, at: usize, target: &Target, bundle: &VerifiedBundle) {
        let started = Instant::now();
        self.look_at_tag(target).await;
        let unattached = Unattached::new(self.run.progress, at, bundle);
        let attaching = self
            .registry
            .attach(target, bundle, self.run.host.clock.now());
        match self.within_run(attaching).await {
            Ok(attached) => {
                unattached.attached();
                let attached = told::attached(&attached);
                let detail = format!("{} ({})", attached.reference, attached.method);
                self.run.progress.image_step(
                    at,
                    Step {
                        name: "attached",
                        took: started.elapsed(),
                        detail,
                    },
                );
                self.run.progress.image(at, |image| {
                    image.attached = Some(attached);
                    image.state = State::Signed;
                });
                self.run.progress.image_over(at);
            }
            Err(error) => {
                drop(unattached);
                self.fail(at, &error);
            }
        }
    }

    /// What attaching comes to before the run is over: afterwards nobody would be left to keep the
    /// bundle.
    async fn within_run(
        &self,
        attaching: impl Future<Output = Result<Attached, registry::Error>>,
    ) -> Result<Attached, Error> {
        match self.run.host.net.deadline() {
            Some(end) => match timeout_at(end, attaching).await {
                Ok(attached) => Ok(attached?),
                Err(_elapsed) => Err(RunError::Deadline.into()),
            },
            None => Ok(attaching.await?),
        }
    }

    /// Gate G11: a tag that moved meanwhile does not change what is signed, but the reader should
    /// know.
    async fn look_at_tag(&self, target: &Target) {
        if let Ok(Some(now)) = self.registry.drift(target).await {
            let (tag, then) = (target.tag().unwrap_or_default(), target.digest());
            let message = format!("the tag `{tag}` moved from {then}, which is signed, to {now}");
            self.run.progress.warning(Warning {
                code: "registry/drift",
                message,
            });
        }
    }

    fn fail(&self, at: usize, error: &Error) {
        self.run
            .progress
            .image(at, |image| image.state = State::Failed(Failure::of(error)));
        self.run.progress.image_over(at);
    }

    fn each(&self, job: &Job, change: impl Fn(&mut crate::outcome::Outcome)) {
        for (at, _) in job.targets() {
            self.run.progress.image(*at, &change);
        }
    }

    fn step(&self, job: &Job, step: &Step) {
        for (at, _) in job.targets() {
            self.run.progress.image_step(*at, step.clone());
        }
    }
}
