// SPDX-License-Identifier: Apache-2.0
//! Events at the beginning of a run, and warnings of its parts.

use ambisign_host::{Warning, codes};
use ambisign_providers::{Choice, NOTE};
use ambisign_registry::reference::Reference;
use ambisign_registry::warnings::REMOVED;
use ambisign_registry::{Attached, PlainHttp};
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::trust::Trust;

use super::error::Error;
use super::job::Job;
use crate::images::{self, Named};
use crate::outcome::event::{Event, ImageEvent};
use crate::outcome::from::{identity, instance, repository};
use crate::outcome::{Outcome, RegistryAccess, State};
use crate::report::Recorder;
use crate::settings::{RunSettings, Settings, Signing};

/// The references that `named` means. Also reports their origin and the annotations.
///
/// # Errors
/// Those of [`images::references`].
pub(crate) fn references(
    recorder: &Recorder<'_>,
    named: Vec<Named>,
    settings: &Settings,
) -> Result<Vec<Reference>, Error> {
    if let Some(origin) = images::origin(&settings.images) {
        recorder.record(&Event::ImagesNamed(origin));
    }
    recorder.record(&Event::AnnotationsGiven(settings.signing.annotations.clone()));
    recorder.record(&Event::RegistryAccessGiven(registry_access(settings)));
    let (references, warnings) = images::references(named, &settings.images)?;
    warnings.into_iter().for_each(|warning| recorder.warn(warning));
    Ok(references)
}

fn registry_access(settings: &Settings) -> RegistryAccess {
    RegistryAccess {
        signatures: settings.registry.signatures.as_ref().map(repository),
        ca_file: settings.signing.trust.ca_file.clone(),
        plain_http: match &settings.registry.plain_http {
            PlainHttp::IfNoTls => vec!["true".to_owned()],
            PlainHttp::Named(hosts) => hosts.iter().cloned().collect(),
            PlainHttp::Never => Vec::new(),
        },
    }
}

/// The requested images.
pub(crate) fn requested(references: &[Reference]) -> Vec<Outcome> {
    let asked = |reference: &Reference| Outcome {
        requested: vec![reference.to_string()],
        repository: repository(reference),
        digest: reference.digest().map(ToString::to_string),
        ..Outcome::default()
    };
    references.iter().map(asked).collect()
}

codes! {
    /// The warnings about what becomes public.
    pub(crate) WARNINGS {
        DISCLOSURE = "identity/disclosure" {
            what: "This signature publishes facts of a private repository.",
            why: "The certificate and the log name the repository and the workflow permanently. You consented.",
            advice: "Nothing, if that is intended.",
        },
    }
}

/// The warning that facts of a repository with `visibility` become public.
pub(crate) fn disclosure(visibility: &str) -> Warning {
    let message = format!(
        "the repository is {visibility}, and signing puts its name, workflow, commit and the digests \
         of the images into a public log permanently"
    );
    Warning { code: DISCLOSURE, message }
}

/// Reports the identity, the services, and warnings before signing.
pub(crate) fn beginning(
    recorder: &Recorder<'_>,
    choice: &Choice,
    signer: &Identity,
    trust: &Trust,
    settings: &Signing,
) {
    recorder.record(&Event::IdentityChosen(identity(choice.provider, signer)));
    recorder.record(&Event::InstanceChosen(instance(trust, settings)));
    let notes = choice.notes.iter().map(|note| self::note(note));
    let warnings = notes.chain(trust.warnings().iter().cloned());
    warnings.for_each(|warning| recorder.warn(warning));
}

/// A note about the choice of the provider.
fn note(note: &str) -> Warning {
    Warning { code: NOTE, message: note.to_owned() }
}

/// Ends a dry run.
pub(crate) fn would_sign(recorder: &Recorder<'_>, jobs: &[Job<'_>]) {
    for job in jobs {
        recorder.record_each(&job.images(), &ImageEvent::Finished(State::WouldSign));
    }
}

/// The event at the start of a run with `count` artifacts of the kind `noun`.
pub(crate) fn began(count: usize, noun: &'static str, settings: &RunSettings) -> Event {
    Event::Began {
        count,
        noun,
        overrides: settings.overrides.clone(),
        warnings: settings.warnings.clone(),
    }
}

/// A warning for each entry that was removed from a list of signatures.
pub(crate) fn removed(attached: &Attached) -> Vec<Warning> {
    let warning = |gone| Warning {
        code: REMOVED,
        message: format!(
            "the list of signatures named {gone}, which the registry no longer has: the entry was \
             removed"
        ),
    };
    attached.removed().iter().map(warning).collect()
}
