// SPDX-License-Identifier: Apache-2.0
//! How to attach what is kept in files and not attached.

use std::collections::BTreeSet;

use super::text::joined;
use super::verify_command::{access, trust};
use crate::outcome::{Outcome, Report};

/// The command that attaches what the report says is not attached, as lines for people.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let images: Vec<_> = report.images.iter().collect();
    let Some(words) = command(report, &images) else {
        return Vec::new();
    };
    vec!["Attach what is not attached with".to_owned(), format!("  {}", joined(&words))]
}

/// The command that attaches the bundles of those of `images` that have one and lack it, as words.
pub(super) fn command(report: &Report, images: &[&Outcome]) -> Option<Vec<String>> {
    let lacking = images.iter().filter_map(|image| Some((*image, image.unattached()?)));
    let lacking: Vec<_> = lacking.collect();
    let (first, _) = lacking.first()?;
    let mut words = vec!["ambisign".to_owned(), "attach".to_owned()];
    let bundles: BTreeSet<_> = lacking.iter().map(|(_, path)| *path).collect();
    for path in bundles {
        words.extend(["--bundle".to_owned(), path.display().to_string()]);
    }
    if let Some(certificate) = &first.certificate {
        let (identity, issuer) = (&certificate.identity, &certificate.issuer);
        words.extend(["--certificate-identity".to_owned(), identity.clone()]);
        words.extend(["--certificate-oidc-issuer".to_owned(), issuer.clone()]);
    }
    words.extend(access(report));
    words.extend(trust(report));
    words.extend(lacking.iter().map(|(image, _)| image.name()));
    Some(words)
}
