// SPDX-License-Identifier: Apache-2.0
//! From settings to jobs: what each part of the pipeline is asked for, and which images go on.

use std::num::NonZeroUsize;

use ambisign_host::{Failure, Host, Token, Warning};
use ambisign_providers::{GivenToken, Names, Options};
use ambisign_sigstore::identity::{Identity, IdentityError};
use ambisign_sigstore::limits::FULCIO;
use ambisign_sigstore::trust::{self, Trust};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use secrecy::ExposeSecret;

use url::Url;

use crate::blob::Blob;
use crate::error::Error;
use crate::job::{Images, Job};
use crate::outcome::{Outcome, State, Step};
use crate::report::Progress;
use crate::run::Run;
use crate::settings::{
    Ambient, BlobSettings, BundleSettings, Consent, Delivery, Extent, IdentitySettings, Mode,
    RegistryLogin, RegistrySettings, SettingsError, Signing, TokenSource,
};
use crate::shelf::Shelf;
use crate::told;
use ambisign_registry::reference::Reference;
use ambisign_registry::{IndexEntry, Registry, RegistryOptions, Target};

/// Variables that hold an identity token; the first is the one that messages recommend.
const TOKEN_VARIABLES: [&str; 2] = ["SIGSTORE_ID_TOKEN", "SIGSTORE_IDENTITY_TOKEN"];
/// Where operators mount a token, as cosign has it.
const TOKEN_FILE: &str = "/var/run/sigstore/cosign/oidc-token";

/// The flags that messages of providers name.
const NAMES: Names = Names {
    provider: "--oidc-provider",
    token: "--identity-token",
    token_file: "--identity-token-file",
    disable_ambient: "--oidc-disable-ambient-providers",
    require_identity: Some("--require-identity"),
};

/// A reference that was looked up, with all that is signed of it.
pub(crate) struct Prepared {
    reference: Reference,
    result: Result<Vec<IndexEntry>, ambisign_registry::Error>,
}

/// The reference of the command line that has so many `before` it.
pub(crate) fn reference(before: usize, text: &str) -> Result<Reference, Error> {
    let place = format!("image {} of the command line", before.saturating_add(1));
    Reference::parse(text).map_err(|source| Error::Reference { place, source })
}

/// What the providers look for.
pub(crate) fn identity_options(given: &IdentitySettings) -> Options {
    let token = given.token.as_ref().map(|token| match token {
        TokenSource::File(path) => GivenToken::File(path.clone()),
        TokenSource::Value(value) => GivenToken::Value(value.clone()),
    });
    Options {
        audience: given.audience.clone(),
        token_variables: TOKEN_VARIABLES.map(str::to_owned).to_vec(),
        token_file: TOKEN_FILE.into(),
        token,
        provider: given.provider.clone(),
        disable_ambient: given.ambient == Ambient::Disabled,
        names: &NAMES,
    }
}

/// How the registry of `references` is talked to.
///
/// # Errors
/// There is a login, which is for one registry, and they are of several.
pub(crate) fn registry_options(
    settings: &RegistrySettings,
    references: &[Reference],
) -> Result<RegistryOptions, SettingsError> {
    let registries = references.iter().chain(&settings.signatures);
    let mut registries = registries.map(Reference::registry);
    if let (Some(_), Some(one)) = (&settings.login, registries.next())
        && let Some(other) = registries.find(|other| *other != one)
    {
        let (one, other) = (one.to_owned(), other.to_owned());
        return Err(SettingsError::Login { one, other });
    }
    let copy = |token: &Token| Token::new(token.expose());
    let options = RegistryOptions {
        signatures: settings.signatures.clone(),
        plain_http: settings.plain_http.clone(),
        ..RegistryOptions::default()
    };
    Ok(match &settings.login {
        Some(RegistryLogin::Password { username, password }) => RegistryOptions {
            username: Some(username.clone()),
            password: Token::new(password.expose_secret()),
            ..options
        },
        Some(RegistryLogin::Token(token)) => RegistryOptions {
            token: copy(token),
            ..options
        },
        None => options,
    })
}

/// Where the user wants the bundles, if anywhere.
///
/// # Errors
/// That place cannot be used.
pub(crate) fn shelf(
    settings: &BundleSettings,
    images: usize,
    mode: Mode,
) -> Result<Option<Shelf>, Error> {
    let place = settings.place.as_ref();
    place
        .map(|place| Shelf::open(place, images, mode))
        .transpose()
}

/// The registries of a run that signs: where bundles go to the shelf alone, they are only read.
pub(crate) fn registry<'a>(
    host: &'a Host,
    options: RegistryOptions,
    (settings, shelf): (&BundleSettings, Option<&Shelf>),
) -> Registry<'a> {
    match (settings.delivery, shelf) {
        (Delivery::Keep, Some(shelf)) => Registry::detached(host, options, shelf),
        (Delivery::Keep, None) | (Delivery::Attach, _) => Registry::new(host, options),
    }
}

/// The jobs that can go on, each with its place on `shelf`. What cannot is in the report.
///
/// # Errors
/// There is one place, and more than one bundle.
pub(crate) fn slots<'a>(
    shelf: Option<&Shelf>,
    jobs: Vec<Job<'a>>,
    progress: &Progress<'_>,
) -> Result<Vec<Job<'a>>, Error> {
    let Some(shelf) = shelf else {
        return Ok(jobs);
    };
    let mut left = Vec::with_capacity(jobs.len());
    for mut job in jobs {
        if let Job::Image(images) = &mut job {
            let target = images.target();
            match shelf.slot(target.reference(), target.digest()) {
                Ok(slot) => images.keep_in(slot),
                Err(error @ Error::Shelf(_)) => {
                    let state = State::Failed(Failure::of(&error));
                    for at in job.places() {
                        progress.image(at, |image| image.state = state.clone());
                        progress.image_over(at);
                    }
                    continue;
                }
                Err(error) => return Err(error),
            }
        }
        left.push(job);
    }
    Ok(left)
}

/// Trust material. While the registry and the token endpoint still answer there is time to connect to
/// the services that it names.
pub(crate) async fn trust(host: &Host, settings: &Signing) -> Result<Trust, trust::Error> {
    let trust = Trust::load(host, &settings.trust.options(Some(&settings.services))).await?;
    if settings.mode == Mode::Publish {
        let services = trust.services();
        let others = services.authorities.iter().chain(&services.logs);
        let services = std::iter::once(&services.fulcio).chain(others);
        let mut urls: Vec<&Url> = services.map(|service| &service.url).collect();
        // One connection for each host.
        urls.sort_by_key(|url| url.origin().ascii_serialization());
        urls.dedup_by_key(|url| url.origin());
        join_all(
            urls.into_iter()
                .map(|url| host.net.preconnect(&FULCIO.profile, url)),
        )
        .await;
    }
    Ok(trust)
}

/// Gates G1 and G8 for every reference and what is signed with it, in parallel; in the order of the
/// references.
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
    stream::iter(references.to_vec())
        .map(prepare)
        .buffered(jobs.get())
        .collect()
        .await
}

/// The jobs that can go on. What cannot is put into the report of `progress`, and so is what was
/// asked for twice.
pub(crate) fn jobs<'a>(
    registry: &'a Registry<'a>,
    prepared: Vec<Prepared>,
    progress: &Progress<'_>,
) -> Vec<Job<'a>> {
    let warnings = registry.warnings().into_iter();
    warnings.for_each(|warning| progress.warning(warning));
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
            let all = format!("{} manifests of {requested}", members.len());
            progress.fact("recursive", &all);
        }
        for member in members {
            if member.parent.is_none()
                && let Some(warning) = resolved(&reference, &member.target)
            {
                progress.warning(warning);
            }
            found.add(registry, &requested, member);
        }
    }
    progress.images(found.outcomes);
    let jobs = found.jobs.into_iter();
    jobs.map(|job| Job::Image(Box::new(job))).collect()
}

/// What there is to sign, and its places in the report.
#[derive(Default)]
struct Found<'a> {
    outcomes: Vec<Outcome>,
    jobs: Vec<Images<'a>>,
}

impl<'a> Found<'a> {
    /// Adds `member`, which was found by asking for `requested`.
    fn add(&mut self, registry: &'a Registry<'a>, requested: &str, member: IndexEntry) {
        let target = &member.target;
        let requested = member.parent.is_none().then(|| requested.to_owned());
        let of_digest = |job: &&mut Images<'_>| job.target().digest() == target.digest();
        // The statement names no repository, so one signature serves all places of a digest.
        let job = self.jobs.iter_mut().find(of_digest);
        let known = job.as_ref().and_then(|job| {
            job.targets()
                .find(|(_, known)| known.place() == target.place())
        });
        if let Some(image) = known.and_then(|(at, _)| self.outcomes.get_mut(*at)) {
            image.requested.extend(requested);
            return;
        }
        let at = self.outcomes.len();
        self.outcomes.push(outcome(requested, &member));
        match job {
            Some(job) => job.also(at, member.target),
            None => self.jobs.push(Images::new(registry, at, member.target)),
        }
    }
}

/// The files that can be signed. What cannot is put into the report of `progress`.
pub(crate) async fn blobs(settings: &BlobSettings, progress: &Progress<'_>) -> Vec<Job<'static>> {
    let mut outcomes = Vec::new();
    let mut jobs = Vec::new();
    for paths in &settings.blobs {
        let mut outcome = told::file(paths);
        match Blob::prepare(paths).await {
            Ok(blob) => {
                outcome.digest = Some(blob.digest().to_string());
                jobs.push(Job::Blob(outcomes.len(), blob));
            }
            Err(error) => outcome.state = State::Failed(Failure::of(&error)),
        }
        outcomes.push(outcome);
    }
    progress.images(outcomes);
    jobs
}

/// What the user insists on, and consent to what becomes public: the last checks before Fulcio. What
/// becomes public by consent is told.
pub(crate) fn permit(
    run: Run<'_>,
    identity: &Identity,
    trust: &Trust,
) -> Result<(), IdentityError> {
    let wanted = &run.settings.identity;
    identity.require(
        wanted.require_identity.as_deref(),
        wanted.require_issuer.as_deref(),
    )?;
    if let Some(visibility) = disclosed(run.settings, identity, trust)? {
        run.progress.warning(told::disclosure(&visibility));
    }
    Ok(())
}

/// The visibility of a repository that becomes known by consent.
///
/// # Errors
/// [`IdentityError::Private`]: without consent.
pub(crate) fn disclosed(
    settings: &Signing,
    identity: &Identity,
    trust: &Trust,
) -> Result<Option<String>, IdentityError> {
    let consent = settings.consent == Consent::Given;
    identity.guard_privacy(trust.is_public(), consent)
}

fn failed(reference: &Reference, error: &Error) -> Outcome {
    Outcome {
        requested: vec![reference.to_string()],
        repository: told::repository(reference),
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
        repository: told::repository(target.reference()),
        digest: Some(target.digest().to_string()),
        parent: member.parent.map(|parent| parent.to_string()),
        media_type: Some(target.media_type().to_owned()),
        steps: vec![Step {
            name: "manifest",
            took: member.took,
            detail,
        }],
        ..Outcome::default()
    }
}

/// A tag can move: the reader is told what it meant when it was signed.
fn resolved(requested: &Reference, target: &Target) -> Option<Warning> {
    if requested.digest().is_some() {
        return None;
    }
    let digest = target.digest();
    let message = format!("`{requested}` is a tag, and is signed as {digest}");
    Some(Warning {
        code: "registry/tag",
        message,
    })
}
