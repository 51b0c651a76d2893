// SPDX-License-Identifier: Apache-2.0
//! From settings to jobs: the requests to each part of the pipeline, and the images that continue.

use std::num::NonZeroUsize;

use ambisign_host::{Failure, Host, Warning};
use ambisign_sigstore::identity::{Identity, IdentityError};
use ambisign_sigstore::limits::FULCIO;
use ambisign_sigstore::preflight::Answers;
use ambisign_sigstore::trust::{self, Trust};
use ambisign_sigstore::witness::Trial;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use url::Url;

use super::announce;
use super::blob::Blob;
use super::bundle_dir::{self, BundleDir};
use super::context::Context;
use super::error::Error;
use super::job::{Job, SharedDigest};
use crate::outcome::event::{Event, ImageEvent, ImageId};
use crate::outcome::from;
use crate::outcome::{Outcome, State, Step};
use crate::report::Recorder;
use crate::settings::{BlobSettings, BundleSettings, Consent, Delivery, Extent, Mode, Signing};
use ambisign_registry::reference::Reference;
use ambisign_registry::warnings::TAG;
use ambisign_registry::{IndexEntry, Registry, RegistryOptions, Target};

/// A resolved reference, with everything to sign for it.
pub(crate) struct Prepared {
    reference: Reference,
    result: Result<Vec<IndexEntry>, ambisign_registry::Error>,
}

/// The folder or file for bundles, if the user wants one.
///
/// # Errors
/// It is not usable.
pub(crate) fn open_bundle_dir(
    settings: &BundleSettings,
    images: usize,
    mode: Mode,
) -> Result<Option<BundleDir>, Error> {
    let place = settings.place.as_ref();
    let opened = place.map(|place| BundleDir::open(place, images, mode));
    Ok(opened.transpose()?)
}

/// The registries of a signing run. If bundles are only written to files, registries are only read.
pub(crate) fn registry<'a>(
    host: &'a Host,
    options: &RegistryOptions,
    (settings, bundle_dir): (&BundleSettings, Option<&BundleDir>),
) -> Registry<'a> {
    match (settings.delivery, bundle_dir) {
        (Delivery::Keep, Some(bundle_dir)) => Registry::detached(host, options, bundle_dir),
        (Delivery::Keep, None) | (Delivery::Attach, _) => Registry::new(host, options),
    }
}

/// The jobs that can continue, each with its bundle file. The report has the others.
///
/// # Errors
/// There is a single file for several bundle_dir.
pub(crate) fn with_bundle_files<'a>(
    bundle_dir: Option<&BundleDir>,
    jobs: Vec<Job<'a>>,
    recorder: &Recorder<'_>,
) -> Result<Vec<Job<'a>>, Error> {
    let Some(bundle_dir) = bundle_dir else {
        return Ok(jobs);
    };
    let mut left = Vec::with_capacity(jobs.len());
    for mut job in jobs {
        if let Job::Image(images) = &mut job {
            let target = images.target();
            match bundle_dir.bundle_file(target.reference(), target.digest()) {
                Ok(bundle_file) => images.keep_in(bundle_file),
                Err(error @ bundle_dir::Error::Settings(_)) => return Err(error.into()),
                Err(error) => {
                    let state = State::Failed(Failure::of(&error));
                    recorder.record_each(&job.images(), &ImageEvent::Finished(state));
                    continue;
                }
            }
        }
        left.push(job);
    }
    Ok(left)
}

/// Trust material, and what the services of a private instance tell about themselves, with a timestamp of
/// the `trial`. While the registry and the token endpoint still answer there is time for that, and to
/// connect.
pub(crate) async fn trust(
    host: &Host,
    settings: &Signing,
    trial: &Trial,
) -> Result<(Trust, Answers), trust::Error> {
    let trust = Trust::load(host, &settings.trust.options(Some(&settings.services))).await?;
    if settings.mode != Mode::Publish {
        return Ok((trust, Answers::default()));
    }
    if !trust.is_of_public_services(host.clock.now()) {
        // On the heap, because the requests to all services together are large.
        let answers = Box::pin(Answers::ask(host, &trust, trial)).await;
        return Ok((trust, answers));
    }
    let services = trust.services();
    let others = services.authorities.iter().chain(&services.logs);
    let services = std::iter::once(&services.fulcio).chain(others);
    let mut urls: Vec<&Url> = services.map(|service| &service.url).collect();
    // One connection for each host.
    urls.sort_by_key(|url| url.origin().ascii_serialization());
    urls.dedup_by_key(|url| url.origin());
    join_all(urls.into_iter().map(|url| host.net.preconnect(&FULCIO.profile, url))).await;
    Ok((trust, Answers::default()))
}

/// Gates G1 and G8 for every reference and the images below it. They run in parallel; the results are in
/// the order of the references.
pub(crate) async fn prepare(
    registry: &Registry<'_>,
    references: &[Reference],
    (extent, jobs): (Extent, NonZeroUsize),
) -> Vec<Prepared> {
    let prepare = |reference: Reference| async move {
        let result = match extent {
            Extent::Named => registry.prepare_alone(&reference).await,
            Extent::WithChildren => registry.prepare_with_children(&reference, jobs).await,
        };
        Prepared { reference, result }
    };
    stream::iter(references.to_vec()).map(prepare).buffered(jobs.get()).collect().await
}

/// The jobs that can continue. Failures and repeated images are recorded with `recorder`.
pub(crate) fn jobs<'a>(
    registry: &'a Registry<'a>,
    prepared: Vec<Prepared>,
    recorder: &Recorder<'_>,
) -> Vec<Job<'a>> {
    let warnings = registry.warnings().into_iter();
    warnings.for_each(|warning| recorder.warn(warning));
    let mut found = Found::default();
    for Prepared { reference, result } in prepared {
        let members = match result {
            Ok(members) => members,
            Err(error) => {
                found.outcomes.push(failed(&reference, &error.into()));
                continue;
            }
        };
        let requested = reference.to_string();
        if members.len() > 1 {
            recorder.record(&Event::IndexResolved {
                reference: requested.clone(),
                manifests: members.len(),
            });
        }
        for member in members {
            if member.parent.is_none()
                && let Some(warning) = resolved(&reference, &member.target)
            {
                recorder.warn(warning);
            }
            found.add(registry, &requested, member);
        }
    }
    recorder.record(&Event::ImagesResolved(found.outcomes));
    let jobs = found.jobs.into_iter();
    jobs.map(|job| Job::Image(Box::new(job))).collect()
}

/// The jobs so far, and their places in the report.
#[derive(Default)]
struct Found<'a> {
    outcomes: Vec<Outcome>,
    jobs: Vec<SharedDigest<'a>>,
}

impl<'a> Found<'a> {
    /// Adds `member`, which belongs to `requested`.
    fn add(&mut self, registry: &'a Registry<'a>, requested: &str, member: IndexEntry) {
        let target = &member.target;
        let requested = member.parent.is_none().then(|| requested.to_owned());
        let of_digest = |job: &&mut SharedDigest<'_>| job.target().digest() == target.digest();
        // The statement names no repository, so one signature serves every repository with the digest.
        let job = self.jobs.iter_mut().find(of_digest);
        let known = job
            .as_ref()
            .and_then(|job| job.targets().find(|(_, known)| known.place() == target.place()));
        if let Some(image) = known.and_then(|(id, _)| self.outcomes.get_mut(id.index())) {
            image.requested.extend(requested);
            return;
        }
        let id = ImageId::new(self.outcomes.len());
        self.outcomes.push(outcome(requested, &member));
        match job {
            Some(job) => job.add_repository(id, member.target),
            None => self.jobs.push(SharedDigest::new(registry, id, member.target)),
        }
    }
}

/// The files that can be signed. Failures are recorded with `recorder`.
pub(crate) async fn blobs(settings: &BlobSettings, recorder: &Recorder<'_>) -> Vec<Job<'static>> {
    let mut outcomes = Vec::new();
    let mut jobs = Vec::new();
    for paths in &settings.blobs {
        let mut outcome = from::file(paths);
        match Blob::prepare(paths).await {
            Ok(blob) => {
                outcome.digest = Some(blob.digest().to_string());
                jobs.push(Job::Blob(ImageId::new(outcomes.len()), blob));
            }
            Err(error) => outcome.state = State::Failed(Failure::of(&error)),
        }
        outcomes.push(outcome);
    }
    recorder.record(&Event::ImagesResolved(outcomes));
    jobs
}

/// The last checks before Fulcio: the required identity, and consent to publishing private facts, which
/// is reported.
pub(crate) fn permit(
    ctx: Context<'_>,
    identity: &Identity,
    trust: &Trust,
) -> Result<(), IdentityError> {
    let wanted = &ctx.settings.identity;
    identity.require(wanted.require_identity.as_deref(), wanted.require_issuer.as_deref())?;
    if let Some(visibility) = disclosed(ctx.settings, identity, trust)? {
        ctx.recorder.warn(announce::disclosure(&visibility));
    }
    Ok(())
}

/// The visibility of a repository that is published with consent.
///
/// # Errors
/// [`IdentityError::Private`] without consent.
pub(crate) fn disclosed(
    settings: &Signing,
    identity: &Identity,
    trust: &Trust,
) -> Result<Option<String>, IdentityError> {
    let consent = settings.consent == Consent::Given;
    identity.guard_privacy(trust.publishes(), consent)
}

fn failed(reference: &Reference, error: &Error) -> Outcome {
    Outcome {
        requested: vec![reference.to_string()],
        repository: from::repository(reference),
        digest: reference.digest().map(ToString::to_string),
        state: State::Failed(Failure::of(error)),
        ..Outcome::default()
    }
}

fn outcome(requested: Option<String>, member: &IndexEntry) -> Outcome {
    let target = &member.target;
    let detail = target.media_type().to_owned();
    Outcome {
        requested: requested.into_iter().collect(),
        repository: from::repository(target.reference()),
        digest: Some(target.digest().to_string()),
        parent: member.parent.map(|parent| parent.to_string()),
        media_type: Some(target.media_type().to_owned()),
        steps: vec![Step { name: "manifest", took: member.took, detail }],
        ..Outcome::default()
    }
}

/// Warns about a tag, which can move, with the digest that is signed.
fn resolved(requested: &Reference, target: &Target) -> Option<Warning> {
    if requested.digest().is_some() {
        return None;
    }
    let digest = target.digest();
    let message = format!("`{requested}` is a tag; its digest {digest} is signed");
    Some(Warning { code: TAG, message })
}
