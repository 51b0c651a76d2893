// SPDX-License-Identifier: Apache-2.0
//! How long a signing certificate may be valid.
//!
//! Nothing here asks whether a certificate was revoked, so only short-lived ones are accepted.

use std::time::Duration;

use super::signing::{CertificateError, SigningCertificate};
use crate::trust::TrustedRoot;

/// Of a new certificate of the public instance, which issues them for ten minutes.
const NEW_OF_PUBLIC: Duration = Duration::from_secs(15 * 60);

/// Of any certificate of the public instance. It may have had other lives in its first year.
const OF_PUBLIC: Duration = Duration::from_secs(60 * 60);

/// Of other instances: the CA/Browser Forum's Baseline Requirements (1.6.1, "Short-lived Subscriber
/// Certificate") dispense with revocation up to seven days. Fulcio issues for ten minutes everywhere.
const OF_OTHERS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The age of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// It was just issued.
    New,
    /// It has signed something, at any time.
    Any,
}

/// Verifies that `certificate`, of an authority of `root`, is valid for a short time.
///
/// # Errors
/// [`CertificateError::Lifetime`]
pub(super) fn verify(
    certificate: &SigningCertificate,
    root: &TrustedRoot,
    age: Age,
) -> Result<(), CertificateError> {
    let longest = match (root.is_public(), age) {
        (true, Age::New) => NEW_OF_PUBLIC,
        (true, Age::Any) => OF_PUBLIC,
        (false, Age::New | Age::Any) => OF_OTHERS,
    };
    let life = certificate.not_after().duration_since(certificate.not_before());
    match life.unwrap_or_default() {
        life if life > longest => Err(CertificateError::Lifetime { life, longest }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Age, verify};
    use crate::certificate::CertificateError;
    use crate::certificate::testing::certificate;
    use crate::trust::TrustedRoot;

    const PRODUCTION: &[u8] =
        include_bytes!("../../../tests/vectors/roots/production/trusted_root.json");
    const STAGING: &[u8] = include_bytes!("../../../tests/vectors/roots/staging/trusted_root.json");

    /// cosign accepts certificates of any life.
    #[test]
    fn what_cannot_be_revoked_is_short_lived() {
        let days = 24 * 60 * 60;
        for (root, age, seconds) in [
            (PRODUCTION, Age::New, 900),
            (PRODUCTION, Age::Any, 3600),
            (STAGING, Age::New, 7 * days),
            (STAGING, Age::Any, 7 * days),
        ] {
            let root = TrustedRoot::parse(root).unwrap();
            assert_eq!(verify(&certificate((100, 100 + seconds)), &root, age), Ok(()));
            let (life, longest) = (Duration::from_secs(seconds + 1), Duration::from_secs(seconds));
            let found = verify(&certificate((100, 101 + seconds)), &root, age);
            assert_eq!(found, Err(CertificateError::Lifetime { life, longest }));
        }
    }
}
