// SPDX-License-Identifier: Apache-2.0
//! The credential that all images of a run share, renewed before it is too old.

use std::sync::Arc;

use ambisign_providers::Choice;
use ambisign_sigstore::certificate::SigningCertificate;
use ambisign_sigstore::credential::Credential;
use ambisign_sigstore::fulcio::Fulcio;
use ambisign_sigstore::identity::prediction::Prediction;
use ambisign_sigstore::identity::{self, Identity, IdentityError};
use rand_core::CryptoRng;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::artifact::Artifact;
use super::context::Context;
use super::error::Error;
use super::job::Job;
use crate::outcome;
use crate::outcome::event::{Event, ImageEvent};
use crate::settings::Signing;

/// Provides a fresh credential for every image.
pub(crate) struct CertificateRenewal<'a> {
    ctx: Context<'a>,
    choice: &'a Choice,
    fulcio: Fulcio<'a>,
    current: Mutex<Option<Arc<Credential>>>,
}

impl<'a> CertificateRenewal<'a> {
    /// Starts without a certificate; the provider of `choice` gives tokens for later ones.
    pub(crate) fn new(ctx: Context<'a>, choice: &'a Choice, fulcio: Fulcio<'a>) -> Self {
        Self { ctx, choice, fulcio, current: Mutex::default() }
    }

    /// Issues the first certificate of the run.
    pub(crate) async fn issue<R: CryptoRng>(
        &self,
        identity: &Identity,
        jobs: &[Job<'_>],
        rng: &mut R,
    ) -> Result<(), Error> {
        let started = Instant::now();
        let artifacts: Vec<_> = jobs.iter().map(Job::artifact).collect();
        let Some((first, rest)) = artifacts.split_first() else {
            return Ok(());
        };
        let images: Vec<_> = jobs.iter().flat_map(Job::images).collect();
        let each = |event| self.ctx.recorder.record_each(&images, &event);
        each(ImageEvent::CertificateRequested);
        let issued = self.fulcio.issue(identity, first, rest, rng).await;
        let credential = issued.inspect_err(|error| {
            if !error.may_have_issued() {
                each(ImageEvent::CertificateRefused);
            }
        })?;
        let certificate = outcome::Certificate::from(credential.certificate());
        each(ImageEvent::CertificateUsed(certificate.clone()));
        self.ctx
            .recorder
            .record(&Event::CertificateIssued { certificate, took: started.elapsed() });
        require(self.ctx.settings, &credential)?;
        *self.current.lock().await = Some(Arc::new(credential));
        Ok(())
    }

    /// The credential for `artifact`. If the certificate is too old, as in long batches, this requests a
    /// new token, which must have the identity with which the run began.
    pub(crate) async fn current<R: CryptoRng>(
        &self,
        artifact: Artifact<'_>,
        rng: &mut R,
    ) -> Result<Arc<Credential>, Error> {
        let mut current = self.current.lock().await;
        if let Some(credential) = current.as_ref().filter(|credential| credential.is_fresh()) {
            return Ok(Arc::clone(credential));
        }
        let identity = renewed(self.ctx, self.choice).await?;
        if let Prediction::Known { san, issuer } = identity.prediction() {
            same(certificate(current.as_ref()), (san, issuer))?;
        }
        let issued = self.fulcio.issue(&identity, &artifact, &[], rng).await;
        let credential = Arc::new(issued?);
        let issued = credential.certificate();
        same(certificate(current.as_ref()), (issued.san(), issued.issuer()))?;
        require(self.ctx.settings, &credential)?;
        *current = Some(Arc::clone(&credential));
        Ok(credential)
    }
}

/// Gets the identity again. A token that cannot be renewed may still be valid or have expired.
async fn renewed(ctx: Context<'_>, choice: &Choice) -> Result<Identity, Error> {
    let source = choice.source.as_ref();
    let again = async {
        let audience = &ctx.settings.identity.options.audience;
        Ok(ctx.identify(choice, source.token(ctx.host, audience).await?)?)
    };
    match again.await {
        Err(_it_is_over) if !source.renewable() => Err(IdentityError::Outlived.into()),
        again => again,
    }
}

fn certificate(credential: Option<&Arc<Credential>>) -> Option<&SigningCertificate> {
    credential.map(|credential| credential.certificate())
}

/// A later certificate must have the same identity as the first.
fn same(before: Option<&SigningCertificate>, found: (&str, &str)) -> Result<(), IdentityError> {
    before.map_or(Ok(()), |before| identity::unchanged(found, (before.san(), before.issuer())))
}

/// Checks the certificate for the required identity too, because there may be no prediction.
fn require(settings: &Signing, credential: &Credential) -> Result<(), Error> {
    let certificate = credential.certificate();
    let (wanted, issuer) = (&settings.identity.require_identity, &settings.identity.require_issuer);
    let wanted = (wanted.as_deref(), issuer.as_deref());
    Ok(identity::require((certificate.san(), certificate.issuer()), wanted)?)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::{Duration, UNIX_EPOCH};

    use ambisign_host::{Clock, Env, Explain, Host, Net, NetOptions};
    use ambisign_providers::choose;
    use ambisign_sigstore::bundle::Bundle;
    use ambisign_sigstore::certificate::SigningCertificate;
    use clap::Parser;

    use super::super::context::Context;
    use super::{renewed, same};
    use crate::cli::{Cli, Command};
    use crate::outcome::Report;
    use crate::report::{Console, Recorder, Reporter, Style};
    use crate::settings::Settings;

    /// `{"alg":"RS256"}`, then issuer `https://issuer.example`, `sub`, audience `sigstore`, and the
    /// end at second 1000.
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoicyIsImF1ZCI6InNpZ3N0b3JlIiwiZXhwIjoxMDAwfQ.c2ln";

    /// The code of the error when the token is asked for again at `second`, or `ok`.
    fn again(flag: &str, value: &str, second: u64) -> String {
        let arguments = ["ambisign", "sign", flag, value, "r.example/a"];
        let Command::Sign(args) = Cli::try_parse_from(arguments).unwrap().command else {
            panic!("not the command `sign`");
        };
        let settings = Settings::resolve(*args, &Env::default()).unwrap();
        let clock = Clock::fixed(UNIX_EPOCH + Duration::from_secs(second));
        let host = Host {
            env: Env::default(),
            net: Net::new(&Env::default(), clock, NetOptions::default()),
            clock,
            root: "/nowhere".into(),
        };
        let look = Style::default();
        let console = Console::new(Box::new(io::sink()), Box::new(io::sink()), look);
        let reporter = Reporter::new(&console, &host.net);
        let recorder = Recorder::new(reporter, Report::new(clock.now()));
        let ctx = Context { host: &host, settings: &settings.signing, recorder: &recorder };
        let choice = choose(&host, &settings.signing.identity.options).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        match runtime.block_on(renewed(ctx, &choice)) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.code().into_owned(),
        }
    }

    #[test]
    fn a_token_that_was_given_does_until_it_is_over() {
        assert_eq!(again("--identity-token", TOKEN, 900), "ok");
        assert_eq!(again("--identity-token", TOKEN, 1100), "identity/outlived");
        // A file may hold another token next time, so what is in it now is to blame.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, TOKEN).unwrap();
        let file = file.to_str().unwrap();
        assert_eq!(again("--identity-token-file", file, 900), "ok");
        let late = again("--identity-token-file", file, 1100);
        assert_eq!(late, "identity/expired");
    }

    #[test]
    fn a_later_certificate_is_for_the_same_identity() {
        let real = include_bytes!(
            "../../tests/vectors/bundle-verify/happy-path-v0.3/bundle.sigstore.json"
        );
        let real = Bundle::parse(real).unwrap();
        let certificate = SigningCertificate::parse(real.certificate().unwrap()).unwrap();
        let (san, issuer) = (certificate.san(), certificate.issuer());
        let before = Some(&certificate);
        assert!(same(before, (san, issuer)).is_ok());
        assert!(same(None, ("other", issuer)).is_ok());
        for found in [("other", issuer), (san, "https://other.example")] {
            let error = same(before, found).unwrap_err();
            assert_eq!(error.code(), "identity/changed");
        }
    }
}
