// SPDX-License-Identifier: Apache-2.0
//! What a run has to tell: plain facts, filled by the pipeline and rendered by [`crate::report`].
//!
//! Nothing here knows a pipeline type, and nothing here decides anything but the exit code.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ambisign_host::{Class, Failure, Warning};
use serde::Serialize;

use super::exit::{End, batch_exit};
use super::form::{MaybePath, MaybeTime, Millis, Time};

/// A whole run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// Whether nothing was to be published.
    pub dry_run: bool,
    /// When it began.
    #[serde(rename = "started_at", with = "Time")]
    pub started: SystemTime,
    /// How long it took, in milliseconds.
    #[serde(rename = "duration_ms", with = "Millis")]
    pub took: Duration,
    /// Who signs; known once the token is there.
    pub identity: Option<Identity>,
    /// Which services were used; known once the trust material is there.
    pub instance: Option<Instance>,
    /// The annotations in the signed statement.
    pub annotations: BTreeMap<String, String>,
    /// How the registries are reached.
    #[serde(skip)]
    pub access: RegistryAccess,
    /// One for each digest of each repository, in the order of the command line, an index before
    /// what it lists.
    #[serde(skip)]
    pub images: Vec<Outcome>,
    /// What did not stop the run.
    #[serde(skip)]
    pub warnings: Vec<Warning>,
    /// How the run as a whole ended.
    #[serde(skip)]
    pub end: End,
}

/// How the registries are reached, as far as others must reach them in the same way.
#[derive(Clone, Debug, Default)]
pub struct RegistryAccess {
    /// The repository that has the signatures of all images, instead of that of each.
    pub signatures: Option<String>,
    /// The file of CA certificates that the run adds to those of the machine.
    pub ca_file: Option<PathBuf>,
    /// The registries that may use plain HTTP, as values of `--allow-http-registry`.
    pub plain_http: Vec<String>,
}

/// Who signs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Identity {
    /// The provider of the token.
    pub provider: String,
    /// The `sub` of the token.
    pub token_subject: String,
    /// The SAN that the certificate will carry; `null` where Fulcio's own rules decide it.
    pub subject: Option<String>,
    /// The issuer that the certificate carries, or will.
    pub issuer: String,
    /// What the token says of the repository: `public`, `private`, `internal`.
    pub repository_visibility: Option<String>,
}

/// Which services were used.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Instance {
    /// A name for people, `public-good` for the public one.
    pub name: String,
    /// The certificate authority.
    pub fulcio: Option<String>,
    /// The logs.
    pub rekor: Vec<String>,
    /// The API version of the logs.
    pub rekor_version: Option<u32>,
    /// The timestamp authorities.
    pub tsa: Vec<String>,
    /// The trusted root when it was a file: verifiers need it too.
    #[serde(skip)]
    pub trusted_root: Option<PathBuf>,
    /// SHA-256 of the trusted root, in hex.
    pub trusted_root_sha256: Option<String>,
    /// Whether certificates need no promise of a certificate transparency log, because the trusted
    /// root names none.
    #[serde(skip)]
    pub no_ct_log: bool,
    /// The TUF mirror that was asked.
    pub tuf: Option<Tuf>,
}

/// A TUF mirror that was asked.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "MirrorUsed"))]
pub struct Tuf {
    /// The base of its metadata.
    pub mirror: String,
    /// The version of its latest root.
    pub root_version: u64,
    /// What another verifier must know to use it.
    #[serde(skip)]
    pub known: Known,
}

/// Who knows a TUF mirror.
#[derive(Clone, Debug)]
pub enum Known {
    /// Every verifier: it is the default.
    Everywhere,
    /// Verifiers that use the staging instance.
    AsStaging,
    /// Verifiers with its URL and this root.
    WithRoot(PathBuf),
}

/// One digest in one repository, or one file.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcome {
    /// The references that were asked for and mean it; none of what only an index lists.
    pub requested: Vec<String>,
    /// The file, when it is one.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// Registry and repository; empty until the reference is parsed, and of a file.
    pub repository: String,
    /// `sha256:...`, once resolved.
    pub digest: Option<String>,
    /// The media type of the manifest, once read.
    pub media_type: Option<String>,
    /// The digest of the index that led to it, if it was not asked for itself.
    pub parent: Option<String>,
    /// How far it came.
    #[serde(rename = "status")]
    pub state: State,
    /// The bundle, once verified.
    pub bundle: Option<Bundle>,
    /// Where the bundle is attached, once it is.
    pub attached: Option<Attached>,
    /// The log entries, once made. They stay for good.
    pub log: Vec<LogEntry>,
    /// The timestamps, once made.
    pub timestamps: Vec<Timestamp>,
    /// The certificate, once issued and checked.
    pub certificate: Option<Certificate>,
    /// Whether Fulcio was sent a request: there may be a certificate, whatever came back.
    #[serde(skip)]
    pub certificate_requested: bool,
    /// Whether a log was sent the signature: it may have an entry, whatever came back.
    #[serde(skip)]
    pub submitted: bool,
    /// The steps that are done, in order.
    #[serde(skip)]
    pub steps: Vec<Step>,
}

/// How far an image came.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It had exactly this bundle.
    AlreadyAttached,
    /// It has a signature of the same identity, and was left alone.
    AlreadySigned,
    /// Its bundle, which was kept, is attached.
    Attached,
    /// It is not signed.
    #[cfg_attr(test, schemars(with = "()"))]
    Failed(#[serde(skip)] Failure),
    /// Its turn did not come, or it was not over.
    #[default]
    Pending,
    /// It is signed.
    Signed,
    /// A dry run found nothing against it.
    WouldSign,
}

/// A signing certificate.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Certificate {
    /// The SAN.
    pub identity: String,
    /// The OIDC issuer.
    pub issuer: String,
    /// SHA-256 of the DER form, in hex.
    pub sha256: String,
    /// The beginning of its validity.
    #[serde(with = "Time")]
    pub not_before: SystemTime,
    /// The end of its validity.
    #[serde(with = "Time")]
    pub not_after: SystemTime,
    /// The PEM form.
    pub pem: String,
}

/// A timestamp of RFC 3161.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Timestamp {
    /// The URL of the authority.
    pub authority: String,
    /// The time it states.
    #[serde(with = "Time")]
    pub time: SystemTime,
}

/// An entry of a transparency log.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogEntry {
    /// The URL of the log.
    pub url: String,
    /// Its API version.
    pub version: u32,
    /// The log index, if the log signed it; it may be larger than a double holds exactly.
    pub index: Option<u64>,
    /// The log ID, in hex.
    pub log_id: String,
    /// When the entry was made, as far as the log says it (v1); a time of RFC 3339 in UTC.
    #[serde(with = "MaybeTime")]
    pub integrated_time: Option<SystemTime>,
    /// Where a person, or at least a program, can look at it.
    pub link: Option<String>,
}

/// A verified bundle.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Bundle {
    /// The file it is in, if it was written to one.
    #[serde(with = "MaybePath")]
    pub path: Option<PathBuf>,
    /// The media type.
    pub media_type: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// Where a bundle is attached.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attached {
    /// `referrers` or `tag`.
    #[cfg_attr(test, schemars(extend("enum" = ["referrers", "tag"])))]
    pub method: String,
    /// `repository@sha256:...` of the manifest that carries the bundle.
    pub reference: String,
}

/// A step that is done.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name in the log: `manifest`, `certificate`, `timestamp`, `log entry` ...
    pub name: &'static str,
    /// How long it took.
    pub took: Duration,
    /// What came of it, on one line.
    pub detail: String,
}

impl LogEntry {
    /// The log and the index, on one line.
    pub fn name(&self) -> String {
        let index = self.index.map_or_else(String::new, |index| format!(" index {index}"));
        format!("Rekor v{}{index}", self.version)
    }
}

impl Outcome {
    /// `repository@digest`, or what was asked for: of a file, and as long as that is not known.
    pub fn name(&self) -> String {
        match (&self.digest, &self.file) {
            (Some(digest), None) => format!("{}@{digest}", self.repository),
            (None, _) | (_, Some(_)) => self.requested.join(", "),
        }
    }

    /// Whether it carries a signature of ours now.
    pub fn is_done(&self) -> bool {
        match self.state {
            State::AlreadyAttached
            | State::AlreadySigned
            | State::Attached
            | State::Signed
            | State::WouldSign => true,
            State::Failed(_) | State::Pending => false,
        }
    }

    fn is_pending(&self) -> bool {
        !self.is_done() && self.failure().is_none()
    }

    /// Why it is not signed.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.state {
            State::Failed(failure) => Some(failure),
            State::AlreadyAttached
            | State::AlreadySigned
            | State::Attached
            | State::Pending
            | State::Signed
            | State::WouldSign => None,
        }
    }

    /// The file with its bundle, when it lacks it for all that is known.
    pub fn unattached(&self) -> Option<&PathBuf> {
        let bundle = self.bundle.as_ref()?.path.as_ref()?;
        match self.state {
            State::AlreadyAttached | State::AlreadySigned | State::Attached => None,
            State::Failed(_) | State::Pending | State::Signed | State::WouldSign => {
                (self.attached.is_none() && self.file.is_none()).then_some(bundle)
            }
        }
    }
}

impl Report {
    /// A run that begins now.
    pub fn new(started: SystemTime) -> Self {
        Self {
            dry_run: false,
            started,
            took: Duration::ZERO,
            identity: None,
            instance: None,
            annotations: BTreeMap::new(),
            access: RegistryAccess::default(),
            images: Vec::new(),
            warnings: Vec::new(),
            end: End::Complete,
        }
    }

    /// How many images are in a state that is `wanted`.
    pub fn count(&self, wanted: fn(&State) -> bool) -> usize {
        let images = self.images.iter();
        images.filter(|image| wanted(&image.state)).count()
    }

    /// How many images are done.
    pub fn done(&self) -> usize {
        self.images.iter().filter(|image| image.is_done()).count()
    }

    /// The failure of the run, then those of its images.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        let run = match &self.end {
            End::Failed(failure) => Some(failure),
            End::Complete | End::Interrupted(_) => None,
        };
        run.into_iter().chain(self.images.iter().filter_map(Outcome::failure))
    }

    /// The exit code: that of the signal, else that of the batch.
    pub fn exit(&self) -> u8 {
        let mut classes: Vec<_> = self.failures().map(|failure| failure.class).collect();
        match self.end {
            End::Interrupted(signal) => return signal.exit(),
            // An image that was forgotten must not look like success.
            End::Complete if self.images.iter().any(Outcome::is_pending) => {
                classes.push(Class::Bug);
            }
            End::Complete | End::Failed(_) => {}
        }
        // What is attached is done, also when its file could not be written.
        let done = |image: &&Outcome| image.is_done() || image.attached.is_some();
        batch_exit(self.images.iter().filter(done).count(), &classes)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use ambisign_host::{Class, Failure};

    use super::{End, Outcome, Report, State};
    use crate::outcome::Signal;
    use crate::outcome::exit::RunError;

    fn failed(class: Class) -> Outcome {
        let mut failure = Failure::of(&RunError::Deadline);
        failure.class = class;
        Outcome { state: State::Failed(failure), ..Outcome::default() }
    }

    #[test]
    fn exits_with_the_signal_or_with_what_the_batch_says() {
        let signed = Outcome { state: State::Signed, ..Outcome::default() };
        let mut report = Report::new(SystemTime::UNIX_EPOCH);
        assert_eq!(report.exit(), 0);
        report.images = vec![signed.clone(), failed(Class::Registry)];
        assert_eq!(report.exit(), 7);
        report.images = vec![signed, Outcome::default()];
        assert_eq!(report.exit(), 7);
        report.images = vec![Outcome::default()];
        assert_eq!(report.exit(), 1);
        report.end = End::Interrupted(Signal::Terminate);
        assert_eq!(report.exit(), 143);
        report.images = vec![failed(Class::Registry)];
        report.end = End::Failed(Failure::of(&RunError::Panicked));
        assert_eq!(report.exit(), 1);
    }
}
