// SPDX-License-Identifier: Apache-2.0
//! Each image: whether it is there, whether a signature may be pushed beside it, and how it would be
//! found.

use ambisign_host::Failure;

use super::diagnosis::{Finding, Stage};
use crate::image::Reference;
use crate::registry::{Examined, Found, Method, Registry};

/// What the registry says to one image.
pub(super) async fn examine(
    registry: &Registry<'_>,
    (at, reference): (usize, &Reference),
) -> Vec<Finding> {
    let about = reference.to_string();
    let examined = registry.examine(reference).await;
    let findings = match examined {
        Ok(examined) => found(&about, reference, &examined),
        Err(error) => vec![Finding::fail(Stage::Registry, about, Failure::of(&error))],
    };
    let of_image = findings.into_iter().map(|finding| finding.of_image(at));
    of_image.collect()
}

fn found(about: &str, reference: &Reference, examined: &Examined) -> Vec<Finding> {
    let stage = Stage::Registry;
    let mut findings = Vec::new();
    match &examined.image {
        Ok(found) => findings.extend(image(about, reference, found)),
        Err(error) => findings.push(Finding::fail(stage, about, Failure::of(error))),
    }
    match &examined.push {
        None => {
            let text = "needs to take no pushes: nothing is attached";
            findings.push(Finding::ok(stage, about, text));
        }
        Some(Ok(())) => {
            let text = format!("takes pushes, {}", examined.credential);
            findings.push(Finding::ok(stage, about, text));
        }
        Some(Err(error)) => {
            let failure = Failure::of(error);
            // One refusal is told once, also where both requests met it.
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
        Method::FallbackTag => "the fallback tag: this registry has no referrers API",
        Method::Referrers => "the referrers API",
    };
    let text = format!("is there, {}", found.media_type);
    findings.push(Finding::ok(stage, about, text));
    if reference.digest().is_none() {
        let text = format!("is a tag, which can move, and is {} now", found.digest);
        let tag = Finding::warn(stage, about, text).with_code("registry/tag");
        findings.push(tag.with_fix("name the image by the digest that the push printed"));
    }
    let text = format!("signatures are found by {method}");
    findings.push(Finding::ok(stage, about, text));
    findings
}
