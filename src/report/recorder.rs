// SPDX-License-Identifier: Apache-2.0
//! Where the pipeline says what happens: the report and the log are made of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ambisign_host::Warning;

use super::log;
use super::reporter::Reporter;
use crate::outcome::event::{Event, ImageEvent, ImageId};
use crate::outcome::{Outcome, Report};

/// Sees every event before anybody else.
pub type Watch = Box<dyn Fn(&Event) + Send + Sync>;

/// The events of a run in progress, folded into its report. If the run is dropped, the report still says
/// what exists.
pub struct Recorder<'a> {
    reporter: Reporter<'a>,
    report: Mutex<Report>,
    watch: Option<Watch>,
}

impl<'a> Recorder<'a> {
    /// Begins with `report`, and writes the log to `reporter`.
    pub fn new(reporter: Reporter<'a>, report: Report) -> Self {
        Self { reporter, report: Mutex::new(report), watch: None }
    }

    /// Shows every event to `watch` too.
    #[must_use]
    pub fn watched(self, watch: Watch) -> Self {
        let watch = Some(watch);
        Self { watch, ..self }
    }

    /// Takes in what happened: call it as soon as it did.
    pub fn record(&self, event: &Event) {
        if let Some(watch) = &self.watch {
            watch(event);
        }
        let mut report = self.lock();
        report.apply(event);
        log::show(&self.reporter, event, &report);
    }

    /// Takes in what happened to each of `images`.
    pub fn record_each(&self, images: &[ImageId], event: &ImageEvent) {
        for image in images {
            self.record(&Event::Image(*image, event.clone()));
        }
    }

    /// Takes in something that is odd and stops nothing.
    pub fn warn(&self, warning: Warning) {
        self.record(&Event::Warned(warning));
    }

    /// What is known of one image now.
    pub fn image(&self, id: ImageId) -> Option<Outcome> {
        self.lock().image(id).cloned()
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

impl std::fmt::Debug for Recorder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("report", &self.report).finish_non_exhaustive()
    }
}
