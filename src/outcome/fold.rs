// SPDX-License-Identifier: Apache-2.0
//! The report of a run, from its events.

use super::event::{Event, ImageEvent, ImageId};
use super::{Outcome, Report};

impl Report {
    /// The image `id`, if there is one.
    pub fn image(&self, id: ImageId) -> Option<&Outcome> {
        self.images.get(id.index())
    }

    /// Takes in what happened. An event about an image that is not in the list changes nothing.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Began { warnings, .. } => self.warnings.extend(warnings.iter().cloned()),
            Event::AnnotationsGiven(annotations) => self.annotations.clone_from(annotations),
            Event::RegistryAccessGiven(access) => self.access.clone_from(access),
            Event::ImagesRequested(images) | Event::ImagesResolved(images) => {
                self.images.clone_from(images);
            }
            Event::IdentityChosen(identity) => self.identity = Some(identity.clone()),
            Event::InstanceChosen(instance) => self.instance = Some(instance.clone()),
            Event::Image(id, event) => {
                if let Some(image) = self.images.get_mut(id.index()) {
                    image.apply(event);
                }
            }
            Event::Warned(warning) => self.warnings.push(warning.clone()),
            // Lines of the log alone.
            Event::ImagesNamed(_)
            | Event::IndexResolved { .. }
            | Event::CertificateIssued { .. } => {}
        }
    }
}

impl Outcome {
    /// Takes in what happened to this image.
    fn apply(&mut self, event: &ImageEvent) {
        self.steps.extend(event.step());
        match event {
            // Assume that it happened unless the answer says otherwise.
            ImageEvent::CertificateRequested => self.certificate_requested = true,
            ImageEvent::CertificateRefused => self.certificate_requested = false,
            ImageEvent::CertificateUsed(certificate) => {
                self.certificate = Some(certificate.clone());
            }
            ImageEvent::Timestamped { timestamps, .. } => self.timestamps.clone_from(timestamps),
            ImageEvent::LogRequested => self.submitted = true,
            ImageEvent::LogRefused => self.submitted = false,
            ImageEvent::Logged { entries, .. } => self.log.clone_from(entries),
            ImageEvent::BundleVerified { bundle, .. } => self.bundle = Some(bundle.clone()),
            ImageEvent::KeptBundleVerified { bundle, certificate, timestamps, entries, .. } => {
                self.bundle = Some(bundle.clone());
                self.certificate = Some(certificate.clone());
                self.timestamps.clone_from(timestamps);
                self.log.clone_from(entries);
            }
            ImageEvent::BundleKept { path, .. } | ImageEvent::BundleWritten(path) => {
                if let Some(bundle) = &mut self.bundle {
                    bundle.path = Some(path.clone());
                }
            }
            ImageEvent::SignatureFound { certificate, timestamps, .. } => {
                self.certificate.clone_from(certificate);
                self.timestamps.clone_from(timestamps);
            }
            ImageEvent::Attached { attached, .. } => self.attached = Some(attached.clone()),
            ImageEvent::Finished(state) => self.state = state.clone(),
        }
    }
}
