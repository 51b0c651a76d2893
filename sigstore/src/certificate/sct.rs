// SPDX-License-Identifier: Apache-2.0
//! Signed certificate timestamps inside a certificate (RFC 6962 3.2 and 3.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use der::Decode;
use der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::SignedCertificateTimestampList;
use x509_cert::ext::pkix::sct::{
    HashAlgorithm, SignatureAlgorithm, SignedCertificateTimestamp, Version,
};

use super::signing::{CertificateError, SigningCertificate};
use crate::digest::Digest;
use crate::pki::keys::{Hash, Kind};
use crate::pki::x509::Certificate;
use crate::trust::TrustedRoot;
use crate::trust::root::Log;

const SCT_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// How far the clocks of a certificate transparency log, of Fulcio and of what proves the time of a
/// signature may differ. In the vectors, which are of four years and four instances, a promise is 0 to
/// 1.1 s younger than its certificate. A minute is room for instances without a common clock.
const SKEW: Duration = Duration::from_secs(60);

/// Verifies that a certificate transparency log of `root` promised to publish `certificate`, which
/// `issuer` issued, and returns the time of the promise, to the millisecond; `None` when `root` does
/// not require one. Signing and verifying use the same check.
///
/// Only the key of the log is needed for a promise of any time, so its time must fit: it is in the window
/// of the log, not before the certificate begins, and not after `used`, when the certificate was in use.
///
/// Promises of logs that are not in `root` are ignored; one valid promise is enough.
///
/// # Errors
/// [`CertificateError::Sct`] if a promise is required and none is valid.
pub fn verify(
    certificate: &SigningCertificate,
    issuer: &Certificate,
    root: &TrustedRoot,
    used: Option<SystemTime>,
) -> Result<Option<SystemTime>, CertificateError> {
    if !root.requires_sct() {
        return Ok(None);
    }
    let begin = certificate.not_before();
    let latest = used.map(|used| used.checked_add(SKEW).unwrap_or(used));
    let times = (begin.checked_sub(SKEW).unwrap_or(begin), latest);
    promise(certificate, issuer, root, times).map(Some)
}

fn promise(
    certificate: &SigningCertificate,
    issuer: &Certificate,
    root: &TrustedRoot,
    times: (SystemTime, Option<SystemTime>),
) -> Result<SystemTime, CertificateError> {
    let bad = |why| CertificateError::Sct { why };
    let leaf = certificate.certificate();
    let list = leaf.extension(SCT_LIST).ok_or_else(|| bad("it holds no SCT"))?;
    let list = SignedCertificateTimestampList::from_der(list)
        .ok()
        .and_then(|list| list.parse_timestamps().ok())
        .ok_or_else(|| bad("its SCTs cannot be read"))?;
    let precertificate = precertificate(leaf, issuer).ok_or_else(|| bad("it cannot be rebuilt"))?;
    let mut why = "its SCTs are of unknown logs";
    for serialized in list {
        // SCTs of later versions or algorithms are skipped; the certificate may also have a known one.
        let Ok(sct) = serialized.parse_timestamp() else {
            continue;
        };
        for log in root.ct_logs(&sct.log_id.key_id) {
            match promised(&sct, &precertificate, log, times) {
                Ok(time) => return Ok(time),
                Err(found) => why = found,
            }
        }
    }
    Err(bad(why))
}

/// The entry that was logged before the SCT could be put into the certificate: the hash of the
/// issuer's key and the signed part of the certificate without SCTs (RFC 6962 3.2, `PreCert`).
fn precertificate(leaf: &Certificate, issuer: &Certificate) -> Option<Vec<u8>> {
    let tbs = leaf.tbs_without(SCT_LIST).ok()?;
    let mut entry = Digest::of(issuer.key().spki()).bytes().to_vec();
    let length = u32::try_from(tbs.len()).ok()?.to_be_bytes();
    let [0, length @ ..] = length else {
        return None;
    };
    entry.extend(length);
    entry.extend(tbs);
    Some(entry)
}

fn promised(
    sct: &SignedCertificateTimestamp,
    precertificate: &[u8],
    log: &Log,
    (earliest, latest): (SystemTime, Option<SystemTime>),
) -> Result<SystemTime, &'static str> {
    let time = UNIX_EPOCH.checked_add(Duration::from_millis(sct.timestamp));
    let time = time.ok_or("the time of an SCT is out of range")?;
    if !log.window().contains(time) {
        return Err("the log of an SCT was not trusted at that time");
    }
    if time < earliest {
        return Err("an SCT is older than the certificate");
    }
    if latest.is_some_and(|latest| time > latest) {
        return Err("an SCT is younger than the signature");
    }
    let algorithm = &sct.signature.algorithm;
    let fits = match log.key().kind() {
        Kind::P256 | Kind::P384 | Kind::P521 => SignatureAlgorithm::Ecdsa,
        Kind::Rsa => SignatureAlgorithm::Rsa,
        Kind::Ed25519 => SignatureAlgorithm::Ed25519,
    };
    if algorithm.hash != HashAlgorithm::Sha256 || algorithm.signature != fits {
        return Err("an SCT is signed in another way than its log signs");
    }
    let signed = signed(sct, precertificate).ok_or("an SCT is too long")?;
    let signature = sct.signature.signature.as_slice();
    if log.key().verify(Hash::Sha256, &signed, signature) {
        Ok(time)
    } else {
        Err("the signature of an SCT does not verify")
    }
}

/// What the log signed (RFC 6962 3.2, `digitally-signed struct`).
fn signed(sct: &SignedCertificateTimestamp, precertificate: &[u8]) -> Option<Vec<u8>> {
    const CERTIFICATE_TIMESTAMP: u8 = 0;
    const PRECERT_ENTRY: [u8; 2] = [0, 1];
    let Version::V1 = sct.version;
    let mut signed = vec![0, CERTIFICATE_TIMESTAMP];
    signed.extend(sct.timestamp.to_be_bytes());
    signed.extend(PRECERT_ENTRY);
    signed.extend(precertificate);
    let extensions = sct.extensions.as_slice();
    signed.extend(u16::try_from(extensions.len()).ok()?.to_be_bytes());
    signed.extend(extensions);
    Some(signed)
}

#[cfg(test)]
mod tests;
