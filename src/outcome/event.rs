// SPDX-License-Identifier: Apache-2.0
//! What happens in a run that signs or attaches, one value for each thing.
//!
//! The pipeline emits events and nothing else. What is known of the run is a fold over them
//! ([`Report::apply`](super::Report::apply)), and so are the lines of the log; JSON, the job summary and
//! what is said after a signal or a panic are made from the report.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ambisign_host::Warning;

use super::{
    Attached, Bundle, Certificate, Identity, Instance, LogEntry, Outcome, RegistryAccess, State,
    Step, Timestamp,
};
use crate::settings::Override;

/// An image or file of a run, by its place in the list that [`Event::ImagesResolved`] gave last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageId(usize);

impl ImageId {
    /// The image at `index` of the list, from 0.
    pub fn new(index: usize) -> Self {
        Self(index)
    }

    /// Its place in the list, from 0.
    pub fn index(self) -> usize {
        self.0
    }
}

/// Something that happened to a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// It begins.
    Began {
        /// How many artifacts it is about.
        count: usize,
        /// What one of them is called: `image` or `file`.
        noun: &'static str,
        /// Destinations and trust inputs that are not the default.
        overrides: Vec<Override>,
        /// What is odd about the settings.
        warnings: Vec<Warning>,
    },
    /// The images are named elsewhere than on the command line: `of images.txt`.
    ImagesNamed(String),
    /// These annotations are signed with the images.
    AnnotationsGiven(BTreeMap<String, String>),
    /// How the registries are reached.
    RegistryAccessGiven(RegistryAccess),
    /// The images as they were asked for.
    ImagesRequested(Vec<Outcome>),
    /// A reference turned out to be an index, and what it lists is signed too.
    IndexResolved {
        /// The reference.
        reference: String,
        /// How many manifests there are, the index included.
        manifests: usize,
    },
    /// The images that the registry has for what was asked. They have an [`ImageId`] from here on.
    ImagesResolved(Vec<Outcome>),
    /// It is known who signs.
    IdentityChosen(Identity),
    /// It is known which services are used.
    InstanceChosen(Instance),
    /// The certificate with which the run begins is issued and checked.
    CertificateIssued {
        /// The certificate.
        certificate: Certificate,
        /// How long it took.
        took: Duration,
    },
    /// Something happened to one image.
    Image(ImageId, ImageEvent),
    /// Something is odd and stops nothing.
    Warned(Warning),
}

/// Something that happened to one image or file.
#[derive(Clone, Debug)]
pub enum ImageEvent {
    /// Fulcio is sent a request for it: there may be a certificate, whatever comes back.
    CertificateRequested,
    /// Fulcio's answer says that there is no certificate.
    CertificateRefused,
    /// It is signed with this certificate, which may be a renewed one.
    CertificateUsed(Certificate),
    /// Its signature has its timestamps; none where there is no authority.
    Timestamped {
        /// The timestamps.
        timestamps: Vec<Timestamp>,
        /// How long it took.
        took: Duration,
    },
    /// The log is sent the signature: it may have an entry, whatever comes back.
    LogRequested,
    /// The log's answer says that there is no entry.
    LogRefused,
    /// The log has the signature, for good.
    Logged {
        /// The entries, one for each log.
        entries: Vec<LogEntry>,
        /// How long it took.
        took: Duration,
    },
    /// The finished bundle was verified from its bytes.
    BundleVerified {
        /// The bundle.
        bundle: Bundle,
        /// What was verified of it.
        checked: Vec<&'static str>,
        /// How long it took.
        took: Duration,
    },
    /// A bundle that an earlier run kept was verified.
    KeptBundleVerified {
        /// The bundle, and its file.
        bundle: Bundle,
        /// Who signed.
        certificate: Certificate,
        /// The timestamps.
        timestamps: Vec<Timestamp>,
        /// The log entries.
        entries: Vec<LogEntry>,
        /// How long it took.
        took: Duration,
    },
    /// The bundle was written to the file that the user wants.
    BundleKept {
        /// The file.
        path: PathBuf,
        /// How long it took.
        took: Duration,
    },
    /// The finished bundle is in this file: the place where a file's bundle goes, or a rescue when it
    /// could not be attached.
    BundleWritten(PathBuf),
    /// The same identity has signed the image before.
    SignatureFound {
        /// Who signed.
        certificate: Option<Certificate>,
        /// The timestamps of that signature.
        timestamps: Vec<Timestamp>,
        /// Where it is.
        place: String,
        /// How long the search took.
        took: Duration,
    },
    /// The bundle is attached to the image and was read back.
    Attached {
        /// Where it is.
        attached: Attached,
        /// Whether it was there before.
        before: bool,
        /// How long it took.
        took: Duration,
    },
    /// Nothing more happens to it; this is how far it came.
    Finished(State),
}

impl Event {
    /// The step of the run that the event ends, if it ends one.
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::CertificateIssued { certificate, took } => Some(Step {
                name: "certificate",
                took: *took,
                detail: format!("for {}", certificate.identity),
            }),
            Self::Began { .. }
            | Self::ImagesNamed(_)
            | Self::AnnotationsGiven(_)
            | Self::RegistryAccessGiven(_)
            | Self::ImagesRequested(_)
            | Self::IndexResolved { .. }
            | Self::ImagesResolved(_)
            | Self::IdentityChosen(_)
            | Self::InstanceChosen(_)
            | Self::Image(..)
            | Self::Warned(_) => None,
        }
    }
}

impl ImageEvent {
    /// The step of the image that the event ends, if it ends one.
    pub fn step(&self) -> Option<Step> {
        let (name, took, detail) = match self {
            // Without an authority there is no such step.
            Self::Timestamped { timestamps, took } if !timestamps.is_empty() => {
                let authorities = timestamps.iter().map(|one| one.authority.as_str());
                ("timestamp", took, list(authorities))
            }
            Self::Logged { entries, took } => {
                ("log entry", took, list(entries.iter().map(LogEntry::name)))
            }
            Self::BundleVerified { checked, took, .. } => ("checked", took, list(checked)),
            Self::KeptBundleVerified { bundle, certificate, took, .. } => {
                let path = bundle.path.clone().unwrap_or_default();
                let (identity, issuer) = (&certificate.identity, &certificate.issuer);
                let detail = format!("{}: by {identity}, issuer {issuer}", path.display());
                ("verified", took, detail)
            }
            Self::BundleKept { path, took } => ("kept", took, path.display().to_string()),
            Self::SignatureFound { certificate, place, took, .. } => {
                let who = certificate.as_ref().map(|found| found.identity.as_str());
                let detail = format!("before, by {}: {place}", who.unwrap_or_default());
                ("signed", took, detail)
            }
            Self::Attached { attached, before, took } => {
                let before = if *before { ", and was before" } else { "" };
                let detail = format!("{} ({}){before}", attached.reference, attached.method);
                ("attached", took, detail)
            }
            Self::CertificateRequested
            | Self::CertificateRefused
            | Self::CertificateUsed(_)
            | Self::Timestamped { .. }
            | Self::LogRequested
            | Self::LogRefused
            | Self::BundleWritten(_)
            | Self::Finished(_) => return None,
        };
        let took = *took;
        Some(Step { name, took, detail })
    }
}

/// Several things on one line.
fn list(items: impl IntoIterator<Item: AsRef<str>>) -> String {
    let mut line = String::new();
    for item in items {
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(item.as_ref());
    }
    line
}
