// SPDX-License-Identifier: Apache-2.0
//! The path from a certificate to an anchor of the trusted root, judged at an instant.
//!
//! The authorities come from the trusted root in their order, so there is nothing to search: each
//! certificate is signed by the next one, and the last is the anchor.

use std::time::SystemTime;

use der::asn1::ObjectIdentifier;

use super::x509::Certificate;

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const ANY_EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// The extensions that are understood here, so that they may be critical.
pub(crate) const UNDERSTOOD: [ObjectIdentifier; 3] =
    [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE];

/// Why a path does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A critical extension is not understood.
    #[error("an authority has a critical extension that is not understood")]
    Extension,
    /// A certificate that is not an authority's issued another one.
    #[error("a certificate that is not an authority's issued another one")]
    NotAuthority,
    /// A certificate or the trust in it had not begun, or was over.
    #[error("a certificate of the path was not valid at that time")]
    OutsideValidity,
    /// There are more authorities in the path than one of them allows.
    #[error("the path is longer than an authority allows")]
    PathLength,
    /// A signature does not verify, or names another issuer.
    #[error("a certificate of the path is not signed by the next one")]
    Signature,
    /// No authority of the trusted root issued the certificate.
    #[error("no authority of the trusted root issued the certificate")]
    Unknown,
    /// An authority may not issue for this purpose.
    #[error("an authority may not issue certificates of this purpose")]
    Usage,
}

/// Verifies that `authorities`, from the issuer of `leaf` to the anchor, vouch for `leaf` and were
/// all valid at `at`, as was `leaf` (the hybrid model of the Sigstore client specification, 4.2).
///
/// What `leaf` itself may be used for is the caller's to judge.
///
/// # Errors
/// The first flaw that is found.
pub fn verify(
    leaf: &Certificate,
    authorities: &[Certificate],
    purpose: ObjectIdentifier,
    at: SystemTime,
) -> Result<(), PathError> {
    if authorities.is_empty() {
        return Err(PathError::Unknown);
    }
    if !leaf.validity().contains(at) {
        return Err(PathError::OutsideValidity);
    }
    let mut issued = leaf;
    for (below, authority) in authorities.iter().enumerate() {
        if !issued.is_signed_by(authority) {
            return Err(PathError::Signature);
        }
        may_issue(authority, purpose, below)?;
        if !authority.validity().contains(at) {
            return Err(PathError::OutsideValidity);
        }
        issued = authority;
    }
    Ok(())
}

/// Whether `authority` may issue for `purpose` with `below` authorities between it and the leaf.
fn may_issue(
    authority: &Certificate,
    purpose: ObjectIdentifier,
    below: usize,
) -> Result<(), PathError> {
    let usage = authority.usage();
    if !usage.ca || usage.key.is_some_and(|key| !key.key_cert_sign()) {
        return Err(PathError::NotAuthority);
    }
    if usage
        .path_length
        .is_some_and(|most| usize::from(most) < below)
    {
        return Err(PathError::PathLength);
    }
    // No standard says that extended key usage is inherited, but everybody treats it so.
    let allowed = |uses: &[ObjectIdentifier]| {
        uses.iter()
            .any(|found| *found == purpose || *found == ANY_EXTENDED_KEY_USAGE)
    };
    if let Some((_, uses)) = &usage.extended
        && !allowed(uses)
    {
        return Err(PathError::Usage);
    }
    if authority.has_critical_beside(&UNDERSTOOD) {
        return Err(PathError::Extension);
    }
    Ok(())
}
