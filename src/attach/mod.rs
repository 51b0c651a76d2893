// SPDX-License-Identifier: Apache-2.0
//! `attach`: attaches bundles in files to their images. They are verified as any verifier would, and
//! attached by the same code as in `sign`.

mod error;
mod files;

use std::num::NonZeroUsize;

use ambisign_host::{Failure, Host};
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::trust::{Trust, TrustedRoot};
use ambisign_sigstore::verify::policy::{Identity, Match, Signer, latest};
use ambisign_sigstore::verify::{self, Policy, VerifiedBundle};
use futures_util::future::join;
use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

pub use self::error::Error;
pub(crate) use self::error::WARNINGS;

use self::files::StoredBundle;
use crate::images;
use crate::outcome;
use crate::outcome::event::{Event, ImageEvent, ImageId};
use crate::outcome::from;
use crate::outcome::{Instance, Outcome, State};
use crate::pipeline::announce;
use crate::pipeline::context::within_run;
use crate::pipeline::job::{Job, SharedDigest};
use crate::pipeline::{self, plan};
use crate::report::Recorder;
use crate::settings::{AttachSettings, Extent, check_login};
use crate::verification;
use ambisign_registry::{Registry, Target};

/// The number of bundles that are attached at the same time.
const JOBS: usize = 32;

/// The parts of a run.
#[derive(Clone, Copy, Debug)]
pub struct Attaching<'a> {
    /// The outside world.
    pub host: &'a Host,
    /// The settings.
    pub settings: &'a AttachSettings,
    /// Records events.
    pub recorder: &'a Recorder<'a>,
}

/// One bundle for one image.
struct Pair<'a> {
    id: ImageId,
    registry: &'a Registry<'a>,
    target: &'a Target,
    stored: &'a StoredBundle,
}

impl Attaching<'_> {
    /// Attaches every bundle to its images. The report has the results.
    ///
    /// # Errors
    /// The run as a whole cannot continue: a bundle, a reference or trust material is unusable.
    pub async fn run(self) -> Result<(), Error> {
        let (settings, recorder) = (self.settings, self.recorder);
        recorder.record(&announce::began(settings.images.len(), "image", &settings.run));
        let references = settings.images.iter().enumerate();
        let references = references.map(|(at, image)| images::of_command_line(at, image));
        let references: Vec<_> =
            references.collect::<Result<_, _>>().map_err(pipeline::Error::from)?;
        check_login(&settings.registry, &references).map_err(pipeline::Error::from)?;
        let signer = match &settings.signer {
            Some(signer) => verification::signer(signer).await.map_err(pipeline::Error::from)?,
            None => any_signer(),
        };
        let stored = files::all(settings, recorder).await?;
        recorder.record(&Event::ImagesRequested(announce::requested(&references)));

        let registry = Registry::new(self.host, &settings.registry);
        let trust = settings.trust.options(None);
        let (prepared, root) = join(
            plan::prepare(&registry, &references, (Extent::Named, jobs())),
            Trust::load_root(self.host, &trust),
        )
        .await;
        let jobs = plan::jobs(&registry, prepared, recorder);
        if jobs.is_empty() {
            return Ok(());
        }
        let (root, warnings) = root?;
        warnings.into_iter().for_each(|warning| recorder.warn(warning));
        self.tell_instance(&root);
        let policy = Policy {
            predicate_types: settings.predicate_types.clone(),
            latest: latest(self.host.clock.now()),
            ..Policy::of(signer)
        };
        if let Some(stored) = self.without_image(&stored) {
            let path = stored.path.clone();
            return Err(Error::NoImage { path });
        }
        let pairs = self.pairs(&jobs, &stored);
        let judge = (&root, &policy);
        let attach = |pair| self.attach(pair, judge);
        let all = stream::iter(pairs).map(attach).buffer_unordered(JOBS);
        all.collect::<()>().await;
        Ok(())
    }

    fn tell_instance(self, root: &TrustedRoot) {
        self.recorder.record(&Event::InstanceChosen(Instance {
            name: "the trusted root only".to_owned(),
            trusted_root: self.settings.trust.trusted_root.clone(),
            trusted_root_sha256: Some(root.digest().hex()),
            no_ct_log: !root.requires_sct(),
            ..Instance::default()
        }));
    }

    /// Each image with each of its bundles. The report has an entry for each pair.
    fn pairs<'a>(self, jobs: &'a [Job<'_>], stored: &'a [StoredBundle]) -> Vec<Pair<'a>> {
        let images: Vec<&SharedDigest<'_>> = jobs.iter().filter_map(image).collect();
        let asked = self.recorder.report().images;
        let (mut outcomes, mut pairs) = (Vec::new(), Vec::new());
        for (at, outcome) in asked.into_iter().enumerate() {
            let targets = images.iter().find_map(|images| {
                let (_, target) = images.targets().find(|(id, _)| id.index() == at)?;
                Some((images.registry, target))
            });
            let Some((registry, target)) = targets else {
                outcomes.push(outcome);
                continue;
            };
            let before = pairs.len();
            for stored in stored.iter().filter(|stored| stored.is_about(target.digest())) {
                pairs.push(Pair { id: ImageId::new(outcomes.len()), registry, target, stored });
                outcomes.push(outcome.clone());
            }
            if pairs.len() == before {
                let image = outcome.name();
                let state = State::Failed(Failure::of(&Error::NoBundle { image }));
                outcomes.push(Outcome { state, ..outcome });
            }
        }
        self.recorder.record(&Event::ImagesResolved(outcomes));
        pairs
    }

    /// A named bundle that does not belong to any of the images.
    fn without_image(self, stored: &[StoredBundle]) -> Option<&StoredBundle> {
        let asked = self.recorder.report().images;
        // The bundles of an image that could not be resolved are unknown.
        if asked.iter().any(|image| image.digest.is_none()) {
            return None;
        }
        let digests: Vec<_> =
            asked.iter().filter_map(|image| Digest::parse(image.digest.as_deref()?)).collect();
        stored
            .iter()
            .find(|stored| stored.named && !digests.iter().any(|digest| stored.is_about(digest)))
    }

    async fn attach(self, pair: Pair<'_>, judge: (&TrustedRoot, &Policy)) {
        let state = match self.attached(&pair, judge).await {
            Ok(state) => state,
            Err(error) => State::Failed(Failure::of(&error)),
        };
        self.record(&pair, ImageEvent::Finished(state));
    }

    async fn attached(
        self,
        pair: &Pair<'_>,
        (root, policy): (&TrustedRoot, &Policy),
    ) -> Result<State, Error> {
        let Pair { registry, target, stored, .. } = *pair;
        let started = Instant::now();
        let bytes = files::read(&stored.path).await?;
        let bundle = verify::verify_bundle(bytes, root, target.digest(), policy);
        let bundle =
            bundle.map_err(|source| Error::Rejected { path: stored.path.clone(), source })?;
        self.verified(pair, &bundle, (root, started));
        let started = Instant::now();
        let there = within_run(self.host, registry.carries(target, &bundle)).await?;
        let (attached, state, before) = match there {
            Some(attached) => (attached, State::AlreadyAttached, true),
            None => {
                let signed = first_time(&bundle).unwrap_or_else(|| self.host.clock.now());
                let attaching = registry.attach(target, &bundle, signed);
                (within_run(self.host, attaching).await?, State::Attached, false)
            }
        };
        announce::removed(&attached).into_iter().for_each(|warning| self.recorder.warn(warning));
        let attached = ImageEvent::Attached {
            attached: outcome::Attached::from(&attached),
            before,
            took: started.elapsed(),
        };
        self.record(pair, attached);
        Ok(state)
    }

    /// Reports the facts of a verified bundle.
    fn verified(
        self,
        pair: &Pair<'_>,
        bundle: &VerifiedBundle,
        (root, started): (&TrustedRoot, Instant),
    ) {
        let mut found = outcome::Bundle::from(bundle);
        found.path = Some(pair.stored.path.clone());
        let verified = ImageEvent::KeptBundleVerified {
            bundle: found,
            certificate: outcome::Certificate::from(bundle.certificate()),
            timestamps: from::timestamps(bundle.timestamps()),
            entries: from::entries(bundle.entries(), root),
            took: started.elapsed(),
        };
        self.record(pair, verified);
    }

    fn record(self, pair: &Pair<'_>, event: ImageEvent) {
        self.recorder.record(&Event::Image(pair.id, event));
    }
}

fn jobs() -> NonZeroUsize {
    NonZeroUsize::new(JOBS).unwrap_or(NonZeroUsize::MIN)
}

fn image<'a, 'j>(job: &'a Job<'j>) -> Option<&'a SharedDigest<'j>> {
    match job {
        Job::Blob(..) => None,
        Job::Image(images) => Some(images),
    }
}

/// The earliest proven time. With it, attaching a bundle again gives the same manifest.
fn first_time(bundle: &VerifiedBundle) -> Option<std::time::SystemTime> {
    let stamps = bundle.timestamps().iter().map(ambisign_sigstore::timestamp::Timestamp::time);
    let logged = bundle.entries().iter().filter_map(ambisign_sigstore::log::VerifiedEntry::time);
    stamps.chain(logged).min()
}

/// Any signer with a valid certificate.
fn any_signer() -> Signer {
    Signer::Identity(Identity { san: Match::Any, issuer: Match::Any, claims: Vec::new() })
}
