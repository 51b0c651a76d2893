// SPDX-License-Identifier: Apache-2.0
//! Finds everything that may be a signature, verifies each with [`ambisign_sigstore::verify`], and
//! reports for each artifact whether one is acceptable.
//!
//! Only the registry of an image is contacted, because everything else that a signature needs is stored
//! with it or in the trusted root.

mod budget;
mod error;
mod judge;
mod warnings;

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ambisign_host::{Failure, Host, Warning, file};
use ambisign_sigstore::bundle::{self, LONGEST};
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::pki::keys::PublicKey;
use ambisign_sigstore::statement::OtherDigests;
use ambisign_sigstore::trust::Trust;
use ambisign_sigstore::verify::policy::{Signer, latest};
use ambisign_sigstore::verify::{self, Policy};
use futures_util::FutureExt as _;
use futures_util::future::{join, try_join};
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::{Semaphore, SetOnce};

pub use self::error::Error;

use self::budget::{FIRST, WHOLE};
pub(crate) use self::judge::{FETCHES, ImageFindings, Judge, cut, image};
use self::judge::{about, finding};
pub(crate) use self::warnings::WARNINGS;
use crate::images::of_command_line as reference;
use crate::outcome::verification::{Finding, Layout, Signature, Verdict, Verdicts};
use crate::report::Reporter;
use crate::settings::{SignerSettings, Subject, VerifySettings, check_login};
use ambisign_registry::Registry;
use ambisign_registry::reference::Reference;

/// The number of images that are verified at the same time.
const JOBS: usize = 16;
/// The longest accepted key file, in bytes.
const LONGEST_KEY: u64 = 64 * 1024;

/// One run of `verify` or `verify-blob`.
pub struct Verification<'a> {
    host: &'a Host,
    settings: &'a VerifySettings,
    reporter: Reporter<'a>,
    fetches: Semaphore,
    verdicts: Mutex<Verdicts>,
}

impl<'a> Verification<'a> {
    /// Starts a run, which shows its results with `reporter`.
    pub fn new(host: &'a Host, settings: &'a VerifySettings, reporter: Reporter<'a>) -> Self {
        Self {
            host,
            settings,
            reporter,
            fetches: Semaphore::new(FETCHES),
            verdicts: Mutex::new(Verdicts::new(host.clock.now())),
        }
    }

    /// The results so far.
    pub fn verdicts(&self) -> Verdicts {
        self.lock().clone()
    }

    /// Verifies the artifacts in the settings. [`Self::verdicts`] has the results.
    ///
    /// # Errors
    /// The run as a whole cannot continue: a file, a reference or trust material is unusable.
    pub async fn run(&self) -> Result<(), Error> {
        let run = &self.settings.run;
        let subject = self.settings.subject.to_string();
        self.reporter.begin(&subject, &run.overrides, &run.warnings);
        self.lock().warnings.extend(run.warnings.iter().cloned());
        let signer = signer(&self.settings.signer).await?;
        match &self.settings.subject {
            Subject::Blob { artifact, bundle } => {
                let digest = digest_of(artifact).await?;
                let bundle = SuppliedBundle::read(bundle).await?;
                let others = other_digests(artifact, &bundle).await?;
                let judge = self.judge(signer).await?;
                let verdict = Verdict {
                    requested: artifact.display().to_string(),
                    digest: Some(digest.to_string()),
                    ..Verdict::default()
                };
                self.given(verdict, &judge, (&digest, &others), &bundle);
            }
            Subject::Detached { image, bundle } => {
                let reference = reference(0, image)?;
                let bundle = SuppliedBundle::read(bundle).await?;
                let judge = self.judge(signer).await?;
                // The settings allow only references with a digest.
                if let Some(digest) = reference.digest() {
                    let verdict = about(&reference, digest);
                    let digests = (digest, &OtherDigests::default());
                    self.given(verdict, &judge, digests, &bundle);
                }
            }
            Subject::Images(images) => {
                let references = images.iter().enumerate();
                let references = references.map(|(at, image)| reference(at, image));
                let references: Vec<_> = references.collect::<Result<_, _>>()?;
                // The mirror and the registries are contacted in parallel. Files are read first, so that an
                // unusable one ends the run before any request.
                let judge = SetOnce::new();
                let believe = async {
                    let _first = judge.set(self.judge(signer).await?);
                    Ok::<_, Error>(())
                };
                check_login(&self.settings.registry, &references)?;
                let registry = Registry::reader(self.host, &self.settings.registry);
                let look = self.images(references, &registry, &judge).map(Ok);
                let both = try_join(believe, look).await;
                let warnings = registry.warnings().into_iter();
                warnings.for_each(|warning| self.warn(warning));
                both?;
            }
        }
        Ok(())
    }

    async fn judge(&self, signer: Signer) -> Result<Judge, Error> {
        let options = self.settings.trust.options(None);
        let (root, warnings) = Trust::load_root(self.host, &options).await?;
        warnings.into_iter().for_each(|warning| self.warn(warning));
        self.lock().trusted_root_sha256 = Some(root.digest().hex());
        Ok(Judge {
            root,
            policy: Policy {
                signer,
                predicate_types: self.settings.predicate_types.clone(),
                annotations: self.settings.annotations.clone(),
                entries: self.settings.evidence.entries,
                timestamps: self.settings.evidence.timestamps,
                latest: latest(self.host.clock.now()),
            },
            format: self.settings.format,
        })
    }

    /// Verifies one artifact with its given bundle.
    fn given(
        &self,
        mut verdict: Verdict,
        judge: &Judge,
        digests: (&Digest, &OtherDigests),
        bundle: &SuppliedBundle,
    ) {
        let result = match &bundle.bytes {
            Ok(bytes) => judge.bundle(bytes, digests),
            Err(error) => Err(error.clone().into()),
        };
        let finding = finding(result, Layout::Bundle);
        if let Finding::Rejected(failure) = &finding {
            verdict.failure = Some(failure.clone());
        }
        verdict.signatures.push(Signature { place: bundle.name.clone(), finding });
        self.conclude(verdict);
    }

    async fn images(
        &self,
        references: Vec<Reference>,
        registry: &Registry<'_>,
        judge: &SetOnce<Judge>,
    ) {
        let image = |reference| self.image(reference, registry, judge);
        let verdicts = stream::iter(references).map(image).buffered(JOBS);
        verdicts.for_each(|verdict| async { self.conclude(verdict) }).await;
    }

    async fn image(
        &self,
        asked: Reference,
        registry: &Registry<'_>,
        judge: &SetOnce<Judge>,
    ) -> Verdict {
        let wanted = &self.settings.predicate_types;
        let listing = registry.signatures(&asked, wanted);
        let (listing, judge) = join(listing, judge.wait()).await;
        let (places, judge) = ((registry, &asked), (judge, &self.fetches));
        match listing {
            Ok(listing) => {
                let budget = if self.settings.all { &WHOLE } else { &FIRST };
                judge::places(places, listing, judge, budget).await.verdict
            }
            Err(error) => Verdict {
                requested: asked.to_string(),
                failure: Some(Failure::for_verifier(&error)),
                ..Verdict::default()
            },
        }
    }

    fn warn(&self, warning: Warning) {
        self.reporter.warning(&warning);
        self.lock().warnings.push(warning);
    }

    fn conclude(&self, verdict: Verdict) {
        self.reporter.verdict(&verdict);
        if let SignerSettings::Identity(wanted) = &self.settings.signer
            && let Some(warning) = warnings::reusable_workflow(&verdict, wanted)
        {
            self.warn(warning);
        }
        self.lock().artifacts.push(verdict);
    }

    fn lock(&self) -> MutexGuard<'_, Verdicts> {
        // The data stays valid if another thread panicked.
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bundle from a file.
struct SuppliedBundle {
    name: String,
    bytes: Result<Vec<u8>, bundle::Error>,
}

impl SuppliedBundle {
    async fn read(path: &Path) -> Result<Self, Error> {
        let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let bytes = match file::read_in_run(path, limit).await {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(bundle::Error::TooMany { what: "bytes" })
            }
            Err(source) => {
                let path = path.to_owned();
                return Err(Error::Read { path, source });
            }
        };
        let name = path.display().to_string();
        Ok(Self { name, bytes })
    }
}

/// The required signer, with the key read from its file.
///
/// # Errors
/// The file cannot be read, or is not a key.
pub(crate) async fn signer(settings: &SignerSettings) -> Result<Signer, Error> {
    let path = match settings {
        SignerSettings::Identity(identity) => return Ok(Signer::Identity(identity.clone())),
        SignerSettings::Key(path) => path,
    };
    let pem = file::read_in_run(path, LONGEST_KEY).await;
    let pem = pem.map_err(|source| {
        let path = path.clone();
        Error::Read { path, source }
    })?;
    let key = std::str::from_utf8(&pem).ok().and_then(PublicKey::from_pem);
    key.map(Signer::Key).ok_or_else(|| {
        let path = path.clone();
        Error::KeyFile { path }
    })
}

/// The digests of the file by other algorithms, where the signed statement names one.
async fn other_digests(artifact: &Path, bundle: &SuppliedBundle) -> Result<OtherDigests, Error> {
    let is_digest = artifact.to_str().and_then(Digest::parse).is_some();
    if is_digest || !bundle.bytes.as_deref().is_ok_and(verify::has_other_digests) {
        return Ok(OtherDigests::default());
    }
    let read = |source| Error::Read { path: artifact.to_owned(), source };
    OtherDigests::of_file(artifact).await.map_err(read)
}

/// The digest that `artifact` is, otherwise that of the file. A file with the name of a digest does not
/// change what is verified.
async fn digest_of(artifact: &Path) -> Result<Digest, Error> {
    if let Some(digest) = artifact.to_str().and_then(Digest::parse) {
        return Ok(digest);
    }
    let digest = Digest::of_file(artifact).await;
    digest.map_err(|source| Error::Read { path: artifact.to_owned(), source })
}
