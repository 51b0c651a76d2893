// SPDX-License-Identifier: Apache-2.0
//! The path from a signing certificate to a certificate authority of the trusted root.

use std::time::SystemTime;

use super::signing::{CODE_SIGNING, CertificateError, SigningCertificate};
use crate::pki::path::{self, PathError};
use crate::pki::x509::Certificate;
use crate::trust::TrustedRoot;
use crate::trust::root::Authority;

/// The authority certificate whose key signed `certificate`. Validity is not checked.
///
/// # Errors
/// [`CertificateError::UntrustedChain`] if `root` does not contain it.
pub fn issuer<'r>(
    certificate: &SigningCertificate,
    root: &'r TrustedRoot,
) -> Result<&'r Certificate, CertificateError> {
    let leaf = certificate.certificate();
    let mut issuers = root.authorities().iter().filter_map(|found| found.chain().first());
    issuers
        .find(|issuer| leaf.is_signed_by(issuer))
        .ok_or(CertificateError::UntrustedChain { flaw: PathError::Unknown })
}

/// Verifies that an authority of `root` vouches for `certificate`, and that the certificate, every
/// authority above it and the trust in them were valid at `at` (client specification, 4.2). Returns
/// the certificate of the issuer.
///
/// # Errors
/// [`CertificateError::OutsideValidity`] if the signing certificate itself was not valid at `at`;
/// otherwise [`CertificateError::UntrustedChain`].
pub fn verify<'r>(
    certificate: &SigningCertificate,
    root: &'r TrustedRoot,
    at: SystemTime,
) -> Result<&'r Certificate, CertificateError> {
    if !certificate.is_valid_at(at) {
        return Err(CertificateError::OutsideValidity);
    }
    let leaf = certificate.certificate();
    let mut flaw = PathError::Unknown;
    for authority in root.authorities() {
        let Some(issuer) = authority.chain().first() else {
            continue;
        };
        // An authority can be listed several times with different windows, so try the next one.
        if leaf.is_signed_by(issuer) {
            match vouches(authority, leaf, at) {
                Ok(()) => return Ok(issuer),
                Err(found) => flaw = found,
            }
        }
    }
    Err(CertificateError::UntrustedChain { flaw })
}

fn vouches(authority: &Authority, leaf: &Certificate, at: SystemTime) -> Result<(), PathError> {
    path::verify(leaf, authority.chain(), CODE_SIGNING, at)?;
    if authority.window().contains(at) { Ok(()) } else { Err(PathError::OutsideValidity) }
}
