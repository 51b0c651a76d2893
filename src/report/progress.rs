// SPDX-License-Identifier: Apache-2.0
//! What is known of a run so far: filled by the run, read by whoever ends it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ambisign_host::Warning;

use super::reporter::Reporter;
use crate::outcome::{Identity, Instance, Outcome, Report, Step};
use crate::settings::RunSettings;

/// The report of a run that goes on. When the run is dropped in the middle, it still tells what
/// exists.
#[derive(Debug)]
pub struct Progress<'a> {
    reporter: Reporter<'a>,
    report: Mutex<Report>,
}

impl<'a> Progress<'a> {
    /// Begins with `report`, and shows on `reporter` what comes in.
    pub fn new(reporter: Reporter<'a>, report: Report) -> Self {
        Self {
            reporter,
            report: Mutex::new(report),
        }
    }

    /// The first lines of a run: how many of `what` it is about, whatever is not the default, what
    /// is odd.
    pub fn begin(&self, count: usize, what: &str, settings: &RunSettings) {
        let plural = if count == 1 { "" } else { "s" };
        let what = format!("{count} {what}{plural}");
        self.reporter.begin(&what, settings);
        self.lock()
            .warnings
            .extend(settings.warnings.iter().cloned());
    }

    /// A line of the beginning of a run: a word and what it is.
    pub fn fact(&self, label: &str, text: &str) {
        self.reporter.fact(label, text);
    }

    /// What is said about the images, and signed with them.
    pub fn annotations(&self, annotations: &BTreeMap<String, String>) {
        for (key, value) in annotations {
            self.fact("annotation", &format!("{key}={value}"));
        }
        self.lock().annotations.clone_from(annotations);
    }

    /// The repository that has the signatures of all images, if there is one.
    pub fn signatures(&self, repository: Option<String>) {
        self.lock().signatures = repository;
    }

    /// Who signs.
    pub fn identity(&self, identity: Identity) {
        self.reporter.fact("provider", &identity.provider);
        let subject = identity
            .subject
            .clone()
            .unwrap_or_else(|| format!("decided by Fulcio, for sub {}", identity.token_subject));
        self.reporter.fact("identity", &subject);
        self.reporter.fact("issuer", &identity.issuer);
        self.lock().identity = Some(identity);
    }

    /// Which services are used.
    pub fn instance(&self, instance: Instance) {
        self.reporter.fact("instance", &instance.name);
        if let Some(tuf) = &instance.tuf {
            let trust = format!("{}, root version {}", tuf.mirror, tuf.root_version);
            self.reporter.fact("trust", &trust);
        }
        self.lock().instance = Some(instance);
    }

    /// Something that does not stop the run.
    pub fn warning(&self, warning: Warning) {
        self.reporter.warning(&warning);
        self.lock().warnings.push(warning);
    }

    /// A step for all images.
    pub fn step(&self, step: &Step) {
        self.reporter.step(step);
    }

    /// The images of the run. From here on they are known by their place in this list.
    pub fn images(&self, images: Vec<Outcome>) {
        self.lock().images = images;
    }

    /// Changes what is known of image `at`: call it as soon as something exists. Nothing happens
    /// when there is no such image.
    pub fn image(&self, at: usize, change: impl FnOnce(&mut Outcome)) {
        if let Some(image) = self.lock().images.get_mut(at) {
            change(image);
        }
    }

    /// A step of image `at`. With one image it is shown at once, with several when the image is
    /// over: the lines of one image stay together.
    pub fn image_step(&self, at: usize, step: Step) {
        let mut report = self.lock();
        let alone = report.images.len() == 1;
        let Some(image) = report.images.get_mut(at) else {
            return;
        };
        if alone {
            if image.steps.is_empty() {
                self.reporter.line(&heading(image));
            }
            self.reporter.step(&step);
        }
        image.steps.push(step);
    }

    /// Image `at` is over, whichever way.
    pub fn image_over(&self, at: usize) {
        let report = self.lock();
        if report.images.len() == 1 {
            return;
        }
        let Some(image) = report.images.get(at) else {
            return;
        };
        let heading = match image.failure() {
            Some(_) => format!("{}  (failed)", heading(image)),
            None => heading(image),
        };
        self.reporter.group(report.images.len(), &heading, || {
            image.steps.iter().for_each(|step| self.reporter.step(step));
        });
    }

    /// What is known now.
    pub fn report(&self) -> Report {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Report> {
        // The data stays valid if another thread panicked.
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn heading(image: &Outcome) -> String {
    let Some(digest) = &image.digest else {
        return image.name();
    };
    if let (Some(parent), true) = (&image.parent, image.requested.is_empty()) {
        return format!("{}  (listed by {parent})", image.name());
    }
    let asked: Vec<_> = image
        .requested
        .iter()
        .filter(|asked| !asked.ends_with(digest))
        .collect();
    if asked.is_empty() {
        return image.name();
    }
    let asked = asked.into_iter().cloned().collect::<Vec<_>>().join(", ");
    format!("{}  (asked for: {asked})", image.name())
}
