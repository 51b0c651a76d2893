// SPDX-License-Identifier: Apache-2.0
//! Checks for each image that it exists, that a signature may be pushed to its repository, and how the
//! signature would be found.

use ambisign_host::Failure;

use crate::outcome::diagnosis::{Finding, Stage};
use ambisign_registry::reference::Reference;
use ambisign_registry::warnings::TAG;
use ambisign_registry::{Discovery, Found, Inspection, Registry};

/// Examines one image in its registry.
pub(super) async fn examine(
    registry: &Registry<'_>,
    (at, reference): (usize, &Reference),
) -> Vec<Finding> {
    let about = reference.to_string();
    let inspection = registry.inspect(reference).await;
    let findings = match inspection {
        Ok(inspection) => found(&about, reference, &inspection),
        Err(error) => vec![Finding::fail(Stage::Registry, about, Failure::of(&error))],
    };
    let of_image = findings.into_iter().map(|finding| finding.of_image(at));
    of_image.collect()
}

fn found(about: &str, reference: &Reference, inspection: &Inspection) -> Vec<Finding> {
    let stage = Stage::Registry;
    let mut findings = Vec::new();
    match &inspection.image {
        Ok(found) => findings.extend(image(about, reference, found)),
        Err(error) => findings.push(Finding::fail(stage, about, Failure::of(error))),
    }
    match &inspection.push {
        None => {
            let text = "needs to take no pushes: nothing is attached";
            findings.push(Finding::ok(stage, about, text));
        }
        Some(Ok(())) => {
            let text = format!("takes pushes, {}", inspection.credential);
            findings.push(Finding::ok(stage, about, text));
        }
        Some(Err(error)) => {
            let failure = Failure::of(error);
            // Report a refusal once, even if both requests met it.
            let same = |found: &Finding| found.text == failure.what;
            if !findings.iter().any(same) {
                findings.push(Finding::fail(stage, about, failure));
            }
        }
    }
    findings
}

fn image(about: &str, reference: &Reference, found: &Found) -> Vec<Finding> {
    let stage = Stage::Registry;
    let mut findings = Vec::new();
    let method = match found.method {
        Discovery::FallbackTag => "the fallback tag: this registry has no referrers API",
        Discovery::Referrers => "the referrers API",
    };
    let text = format!("is there, {}", found.media_type);
    findings.push(Finding::ok(stage, about, text));
    if reference.digest().is_none() {
        let text = format!("is a tag, which can move, and is {} now", found.digest);
        let tag = Finding::warn(stage, about, text).with_code(TAG);
        findings.push(tag.with_fix("name the image by the digest that the push printed"));
    }
    let text = format!("signatures are found by {method}");
    findings.push(Finding::ok(stage, about, text));
    findings
}
