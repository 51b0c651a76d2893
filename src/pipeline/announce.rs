// SPDX-License-Identifier: Apache-2.0
//! Events at the beginning of a run, and warnings of its parts.

use std::time::SystemTime;

use ambisign_host::{Warning, codes, excerpt};
use ambisign_providers::{Choice, NOTE};
use ambisign_registry::reference::Reference;
use ambisign_registry::warnings::REMOVED;
use ambisign_registry::{Attached, PlainHttp};
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::identity::prediction::Prediction;
use ambisign_sigstore::trust::Trust;

use super::context::Context;
use super::error::Error;
use super::job::Job;
use crate::images::{self, Named};
use crate::outcome::event::{Event, ImageEvent};
use crate::outcome::from::{identity, instance, repository};
use crate::outcome::{Outcome, RegistryAccess, State};
use crate::report::Recorder;
use crate::settings::{RunSettings, Settings};

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
        /// Another Fulcio than the public one gets a token that the public one takes too.
        SHARED_AUDIENCE = "identity/shared-audience" {
            what: "A Fulcio that is not the public one gets a token that the public Fulcio takes too.",
            why: "The audience of the token is `sigstore`, which is the default of every Fulcio. As long as the token is valid, the operators of this Fulcio can get a public certificate for the identity of the job.",
            advice: "Give your Fulcio an audience of its own (the `client-id` of the issuer in its configuration), and pass it with `--audience`.",
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

/// The audience that the public Fulcio wants, and every other one by default.
const PUBLIC_AUDIENCE: &str = "sigstore";

/// The warning that a Fulcio which is not the public one could use the token there. The audience that such a Fulcio
/// names in its configuration is not requested unasked: it could name that of any other service.
pub(crate) fn shared_audience(
    signer: &Identity,
    trust: &Trust,
    now: SystemTime,
) -> Option<Warning> {
    let is_for_both = signer.audiences().iter().any(|one| one == PUBLIC_AUDIENCE);
    let is_known = matches!(signer.prediction(), Prediction::Known { .. });
    if !is_for_both || !is_known || trust.asks_public_fulcio(now) {
        return None;
    }
    let message = format!(
        "{} gets a token for the audience `{PUBLIC_AUDIENCE}`, which the public Fulcio accepts from {} too: its \
         operators can sign as this job at the public Fulcio while the token is valid",
        trust.services().fulcio.url,
        excerpt(signer.issuer())
    );
    Some(Warning { code: SHARED_AUDIENCE, message })
}

/// Reports the identity, the services, and warnings before signing.
pub(crate) fn beginning(ctx: Context<'_>, choice: &Choice, signer: &Identity, trust: &Trust) {
    let Context { host, settings, recorder } = ctx;
    recorder.record(&Event::IdentityChosen(identity(choice.provider, signer)));
    recorder.record(&Event::InstanceChosen(instance(trust, settings)));
    let notes = choice.notes.iter().map(|note| self::note(note));
    let warnings = notes.chain(trust.warnings().iter().cloned());
    let warnings = warnings.chain(shared_audience(signer, trust, host.clock.now()));
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use ambisign_host::{Clock, Env, Host, Net, NetOptions, Token};
    use ambisign_sigstore::trust::{Trust, TrustOptions};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::{Identity, shared_audience};

    /// 25 November 2026, when the vectors are good.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_564_800)
    }

    /// The trust material of an instance, by the name of its folder.
    async fn trust(instance: &str) -> Trust {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/roots");
        let file = |name: &str| Some(folder.join(instance).join(name));
        let options = TrustOptions {
            trusted_root: file("trusted_root.json"),
            signing_config: file("signing_config.v0.2.json"),
            ..TrustOptions::default()
        };
        let (env, clock) = (Env::default(), Clock::fixed(now()));
        let net = Net::new(&env, clock, NetOptions::default());
        let host = Host { env, net, clock, root: PathBuf::from("/nowhere") };
        Trust::load(&host, &options).await.unwrap()
    }

    fn identity(issuer: &str, audience: &str) -> Identity {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({"iss": issuer, "aud": audience, "sub": "s", "exp": 9_000_000_000_u64,
            "email": "a@b.example", "email_verified": true});
        let token = format!("{}.{}.c2ln", part(json!({"alg": "RS256"})), part(claims));
        Identity::parse(Token::new(&token).unwrap(), audience, now()).unwrap()
    }

    #[tokio::test]
    async fn a_fulcio_of_others_gets_no_token_for_the_public_one_unsaid() {
        let (staging, public) = (trust("staging").await, trust("production").await);
        let google = "https://accounts.google.com";
        for (trust, issuer, audience, warned) in [
            (&staging, google, "sigstore", true),
            (&staging, google, "fulcio.example", false),
            // The public Fulcio does not take tokens of this issuer.
            (&staging, "https://issuer.example", "sigstore", false),
            (&public, google, "sigstore", false),
        ] {
            let warning = shared_audience(&identity(issuer, audience), trust, now());
            assert_eq!(warning.is_some(), warned, "{issuer} {audience}");
        }
    }

    /// Everybody can read the log of the staging instance too.
    #[tokio::test]
    async fn staging_publishes_too() {
        let staging = trust("staging").await;
        assert!(staging.publishes() && !staging.is_public());
        assert!(trust("production").await.publishes());
    }
}
