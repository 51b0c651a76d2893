// SPDX-License-Identifier: Apache-2.0
//! Runs all checks of `sign` before the point of no return. `sign` stops at the first problem; `doctor`
//! reports all of them.
//!
//! It uses the same code as `sign`. Nothing becomes public: it requests Fulcio's configuration but no
//! certificate, the state of the log but no entry, and from a registry only an upload session, which
//! expires.

mod environment;
mod fit;
mod images;
mod services;
pub mod settings;
mod token;
mod trust;
mod warnings;

use std::sync::{Mutex, MutexGuard, PoisonError};

use ambisign_host::{Failure, Host};
use ambisign_providers::Choice;
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::trust::Trust;
use futures_util::stream::{self, StreamExt as _};

pub use self::settings::{Resolved, check, resolve};
pub(crate) use self::warnings::WARNINGS;
pub use crate::outcome::diagnosis::{Diagnosis, Finding, Mark, Stage};

use self::services::Asked;
use crate::images::{Reading, named};
use crate::outcome::from;
use crate::pipeline::Error;
use crate::pipeline::plan;
use crate::settings::{Mode, Settings, check_login};
use ambisign_registry::reference::Reference;

/// One examination.
#[derive(Debug)]
pub struct Doctor<'a> {
    host: &'a Host,
    settings: &'a Settings,
    diagnosis: Mutex<Diagnosis>,
}

impl<'a> Doctor<'a> {
    /// Continues `diagnosis`, which has the findings about the settings.
    pub fn new(host: &'a Host, settings: &'a Settings, diagnosis: Diagnosis) -> Self {
        Self { host, settings, diagnosis: Mutex::new(diagnosis) }
    }

    /// The findings so far.
    pub fn diagnosis(&self) -> Diagnosis {
        self.lock().clone()
    }

    /// Runs all checks. [`Doctor::diagnosis`] has the findings.
    ///
    /// # Errors
    /// Never: problems are findings.
    pub async fn run(&self) -> Result<(), Error> {
        let references = self.references().await;
        let (choice, findings) = environment::examine(self.host, &self.settings.signing.identity);
        self.note(findings);
        let ((), believed, identity) = tokio::join!(
            self.images(&references),
            self.trust(&references),
            self.identity(choice.as_ref())
        );
        self.judge(choice.as_ref(), believed.as_ref(), identity.as_ref());
        Ok(())
    }

    /// The images that are named properly.
    async fn references(&self) -> Vec<(usize, Reference)> {
        let settings = &self.settings.images;
        let named = named(settings).await;
        let read = named.and_then(|named| Ok((named, Reading::new(settings)?)));
        let (named, reading) = match read {
            Ok(read) => read,
            Err(error) => {
                let failure = Failure::of(&error);
                self.note([Finding::fail(Stage::Settings, "", failure)]);
                return Vec::new();
            }
        };
        self.lock().images = named.len();
        let mut references = Vec::new();
        for (at, named) in named.into_iter().enumerate() {
            let text = named.text().to_owned();
            match reading.reference(named) {
                Ok((reference, warning)) => {
                    let odd = warning.map(|one| Finding::of_warning(Stage::Settings, &text, &one));
                    self.note(odd);
                    references.push((at, reference));
                }
                Err(error) => {
                    let failure = Failure::of(&error);
                    let finding = Finding::fail(Stage::Settings, text, failure);
                    self.note([finding.of_image(at)]);
                }
            }
        }
        references
    }

    async fn images(&self, references: &[(usize, Reference)]) {
        if references.is_empty() {
            let text = "no image was named: nothing was asked";
            self.note([Finding::skip(Stage::Registry, "", text)]);
            return;
        }
        let named: Vec<_> = references.iter().map(|(_, named)| named.clone()).collect();
        let Settings { registry, bundles, .. } = self.settings;
        let checked = check_login(registry, &named).map_err(Error::from);
        let opened =
            checked.and_then(|()| plan::open_bundle_dir(bundles, named.len(), Mode::DryRun));
        let bundle_dir = match opened {
            Ok(bundle_dir) => bundle_dir,
            Err(error) => {
                self.note([Finding::fail(Stage::Settings, "", Failure::of(&error))]);
                return;
            }
        };
        let registry = plan::registry(self.host, registry, (bundles, bundle_dir.as_ref()));
        let examine = |(at, reference): &(usize, Reference)| {
            let (at, reference, registry) = (*at, reference.clone(), &registry);
            async move { images::examine(registry, (at, &reference)).await }
        };
        let pending: Vec<_> = references.iter().map(examine).collect();
        stream::iter(pending)
            .buffered(self.settings.signing.jobs.get())
            .for_each(|findings| async { self.note(findings) })
            .await;
        let warnings = registry.warnings().into_iter();
        self.note(warnings.map(|warning| Finding::of_warning(Stage::Registry, "", &warning)));
    }

    /// The trust material, and the answers of its services.
    async fn trust(&self, references: &[(usize, Reference)]) -> Option<(Trust, Vec<Asked>)> {
        let (host, signing) = (self.host, &self.settings.signing);
        let (trust, findings) = trust::examine(host, signing).await;
        self.note(findings);
        let Some(trust) = trust else {
            let text = "not asked: without trust material it is not known which they are";
            self.note([Finding::skip(Stage::Services, "", text)]);
            return None;
        };
        let (asked, fit) = tokio::join!(services::ask(host, &trust), fit::examine(host, &trust));
        let mut hosts = trust::hosts(&trust);
        hosts.extend(references.iter().map(|(_, named)| named.registry().to_owned()));
        hosts.sort();
        hosts.dedup();
        let reached = services::reached(&asked, &hosts, &signing.run);
        self.note(reached);
        self.note(fit);
        Some((trust, asked))
    }

    async fn identity(&self, choice: Option<&Choice>) -> Option<Identity> {
        let (identity, findings) = token::examine(self.host, &self.settings.signing, choice).await;
        self.note(findings);
        identity
    }

    /// The checks that need both the identity and the trust material; and the clock, so that findings about
    /// the identity have the same order in every run.
    fn judge(
        &self,
        choice: Option<&Choice>,
        believed: Option<&(Trust, Vec<Asked>)>,
        identity: Option<&Identity>,
    ) {
        if let (Some(choice), Some(identity)) = (choice, identity) {
            self.lock().identity = Some(from::identity(choice.provider, identity));
        }
        let clock = believed.map(|(_, asked)| services::clock(asked));
        self.note(clock);
        let findings: Vec<Finding> = match (believed, identity) {
            (Some((trust, asked)), Some(identity)) => {
                let issuer = services::issuer(asked, identity, trust);
                let disclosure = token::disclosure(&self.settings.signing, identity, trust);
                let name = fit::name(self.host, trust, identity).into_iter();
                let shared = token::shared_audience(self.host, identity, trust);
                name.chain([issuer, disclosure]).chain(shared).collect()
            }
            (None, _) | (_, None) => ["issuer", "repository"]
                .map(|about| {
                    let text = "unknown without identity and trust material";
                    Finding::skip(Stage::Identity, about, text)
                })
                .into(),
        };
        self.note(findings);
    }

    fn note(&self, findings: impl IntoIterator<Item = Finding>) {
        self.lock().findings.extend(findings);
    }

    fn lock(&self) -> MutexGuard<'_, Diagnosis> {
        // The data stays valid if another thread panicked.
        self.diagnosis.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Diagnosis {
    /// Records that nothing more can be checked, because a flag is wrong.
    pub fn without_settings(&mut self) {
        let text = "not looked at: first the settings must be right";
        let stages =
            [Stage::Provider, Stage::Registry, Stage::Trust, Stage::Identity, Stage::Services];
        let skipped = stages.map(|stage| Finding::skip(stage, "", text));
        self.findings.extend(skipped);
    }
}
