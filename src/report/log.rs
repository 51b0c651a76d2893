// SPDX-License-Identifier: Apache-2.0
//! The log of a run, from its events.

use super::reporter::Reporter;
use crate::outcome::event::{Event, ImageEvent, ImageId};
use crate::outcome::{Identity, Instance, Outcome, Report};

/// Writes what `event` is in the log. `report` has it already.
pub(super) fn show(reporter: &Reporter<'_>, event: &Event, report: &Report) {
    match event {
        Event::Began { count, noun, overrides, warnings } => {
            let plural = if *count == 1 { "" } else { "s" };
            reporter.begin(&format!("{count} {noun}{plural}"), overrides, warnings);
        }
        Event::ImagesNamed(origin) => reporter.fact("images", origin),
        Event::AnnotationsGiven(annotations) => {
            for (key, value) in annotations {
                reporter.fact("annotation", &format!("{key}={value}"));
            }
        }
        Event::IndexResolved { reference, manifests } => {
            reporter.fact("recursive", &format!("{manifests} manifests of {reference}"))
        }
        Event::IdentityChosen(identity) => show_identity(reporter, identity),
        Event::InstanceChosen(instance) => show_instance(reporter, instance),
        Event::CertificateIssued { .. } => {
            event.step().iter().for_each(|step| reporter.step(step));
        }
        Event::Image(id, event) => show_image(reporter, (*id, event), report),
        Event::Warned(warning) => reporter.warning(warning),
        Event::RegistryAccessGiven(_) | Event::ImagesRequested(_) | Event::ImagesResolved(_) => {}
    }
}

fn show_identity(reporter: &Reporter<'_>, identity: &Identity) {
    reporter.fact("provider", &identity.provider);
    let subject = identity
        .subject
        .clone()
        .unwrap_or_else(|| format!("decided by Fulcio, for sub {}", identity.token_subject));
    reporter.fact("identity", &subject);
    reporter.fact("issuer", &identity.issuer);
}

fn show_instance(reporter: &Reporter<'_>, instance: &Instance) {
    reporter.fact("instance", &instance.name);
    if let Some(tuf) = &instance.tuf {
        let trust = format!("{}, root version {}", tuf.mirror, tuf.root_version);
        reporter.fact("trust", &trust);
    }
}

/// With one image, a step is shown at once. With several, the steps of an image are shown when it is
/// finished, so that its lines stay together.
fn show_image(reporter: &Reporter<'_>, (id, event): (ImageId, &ImageEvent), report: &Report) {
    let Some(image) = report.image(id) else {
        return;
    };
    if report.images.len() == 1 {
        let Some(step) = event.step() else { return };
        if image.steps.len() == 1 {
            reporter.line(&heading(image));
        }
        reporter.step(&step);
    } else if let ImageEvent::Finished(_) = event {
        let heading = match image.failure() {
            Some(_) => format!("{}  (failed)", heading(image)),
            None => heading(image),
        };
        reporter.group(report.images.len(), &heading, || {
            image.steps.iter().for_each(|step| reporter.step(step));
        });
    }
}

fn heading(image: &Outcome) -> String {
    let Some(digest) = &image.digest else {
        return image.name();
    };
    if let (Some(parent), true) = (&image.parent, image.requested.is_empty()) {
        return format!("{}  (listed by {parent})", image.name());
    }
    let asked: Vec<_> = image.requested.iter().filter(|asked| !asked.ends_with(digest)).collect();
    if asked.is_empty() {
        return image.name();
    }
    let asked = asked.into_iter().cloned().collect::<Vec<_>>().join(", ");
    format!("{}  (asked for: {asked})", image.name())
}
