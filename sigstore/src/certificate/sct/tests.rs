// SPDX-License-Identifier: Apache-2.0
//! Promises of a log whose key the tests have, so that what is wrong is signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::Encode as _;
use serde_json::{Value, json};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::SignedCertificateTimestampList;
use x509_cert::ext::pkix::sct::{
    DigitallySigned, HashAlgorithm, LogId, SerializedSct, SignatureAlgorithm,
    SignatureAndHashAlgorithm, SignedCertificateTimestamp, Version,
};

use super::{precertificate, signed, verify};
use crate::certificate::testing::{good, order};
use crate::certificate::{CertificateError, SigningCertificate};
use crate::pki::testing::{Order, public_key, raw, second, sign};
use crate::pki::x509::Certificate;
use crate::trust::TrustedRoot;

const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";
/// The number of the key of the log, and its ID.
const LOG: u8 = 9;
const ID: [u8; 32] = [LOG; 32];

/// What an SCT is made of.
#[derive(Clone)]
struct Draft {
    log: [u8; 32],
    /// In milliseconds.
    time: u64,
    extensions: &'static [u8],
    algorithm: fn() -> (HashAlgorithm, SignatureAlgorithm),
    /// The number of the key.
    key: u8,
}

impl Draft {
    fn at(time: u64) -> Self {
        let algorithm = || (HashAlgorithm::Sha256, SignatureAlgorithm::Ecdsa);
        Self { log: ID, time, extensions: b"", algorithm, key: LOG }
    }

    fn make(&self, precertificate: &[u8]) -> SerializedSct {
        let (hash, signature) = (self.algorithm)();
        let algorithm = SignatureAndHashAlgorithm { hash, signature };
        let mut sct = SignedCertificateTimestamp {
            version: Version::V1,
            log_id: LogId { key_id: self.log },
            timestamp: self.time,
            extensions: self.extensions.into(),
            signature: DigitallySigned { algorithm, signature: Vec::new().into() },
        };
        let signed = signed(&sct, precertificate).unwrap();
        sct.signature.signature = sign(self.key, &signed).into();
        SerializedSct::new(sct).unwrap()
    }
}

fn issuer() -> Certificate {
    Order { subject: 2, issuer: 2, seconds: (1, 1000), extensions: Vec::new() }.make()
}

/// A certificate from second 100 to 700 with this list of SCTs.
fn with(list: Option<Extension>) -> SigningCertificate {
    let extensions = good().into_iter().chain(list).collect();
    SigningCertificate::parse(&order(extensions).der()).unwrap()
}

fn promised(drafts: &[Draft]) -> SigningCertificate {
    let certificate = with(None);
    let precertificate = precertificate(certificate.certificate(), &issuer()).unwrap();
    let all: Vec<_> = drafts.iter().map(|draft| draft.make(&precertificate)).collect();
    let list = SignedCertificateTimestampList::new(&all).unwrap();
    with(Some(raw(SCT_LIST, false, &list.to_der().unwrap())))
}

/// The root with the log, once for each of these windows.
fn root(windows: &[(u64, u64)]) -> TrustedRoot {
    let time = |seconds| humantime::format_rfc3339_seconds(second(seconds)).to_string();
    let log = |(start, end): &(u64, u64)| {
        json!({"baseUrl": "https://ct.example.test", "hashAlgorithm": "SHA2_256",
            "logId": {"keyId": STANDARD.encode(ID)},
            "publicKey": {"rawBytes": STANDARD.encode(public_key(LOG).spki()),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": time(*start), "end": time(*end)}}})
    };
    let logs: Vec<Value> = windows.iter().map(log).collect();
    let json = json!({"mediaType": "application/vnd.dev.sigstore.trustedroot.v0.2+json",
        "ctlogs": logs});
    TrustedRoot::parse(json.to_string().as_bytes()).unwrap()
}

/// The time of the promise in milliseconds, or the reason.
fn judge(
    certificate: &SigningCertificate,
    windows: &[(u64, u64)],
    used: Option<u64>,
) -> Result<u64, &'static str> {
    match verify(certificate, &issuer(), &root(windows), used.map(second)) {
        Ok(Some(time)) => {
            Ok(u64::try_from(time.duration_since(second(0)).unwrap().as_millis()).unwrap())
        }
        Ok(None) => Err("none is required"),
        Err(CertificateError::Sct { why }) => Err(why),
        Err(other) => panic!("{other}"),
    }
}

const ALWAYS: &[(u64, u64)] = &[(0, 1000)];
const OLD: &str = "an SCT is older than the certificate";
const YOUNG: &str = "an SCT is younger than the signature";
const UNTRUSTED: &str = "the log of an SCT was not trusted at that time";

/// The log promises at most a minute before the certificate begins, and at most a minute after it was
/// used.
#[test]
fn the_time_of_a_promise_fits_log_certificate_and_signature() {
    for (time, windows, used, expected) in [
        (40_000, ALWAYS, Some(300), Ok(())),
        (39_999, ALWAYS, Some(300), Err(OLD)),
        (360_000, ALWAYS, Some(300), Ok(())),
        (360_001, ALWAYS, Some(300), Err(YOUNG)),
        (360_001, ALWAYS, None, Ok(())),
        (100_000, &[(100, 200)], None, Ok(())),
        (99_999, &[(100, 200)], None, Err(UNTRUSTED)),
        (200_000, &[(100, 200)], None, Ok(())),
        (200_001, &[(100, 200)], None, Err(UNTRUSTED)),
        // A log may be listed several times.
        (200_000, &[(10, 20), (100, 200)], None, Ok(())),
    ] {
        let certificate = promised(&[Draft::at(time)]);
        assert_eq!(judge(&certificate, windows, used), expected.map(|()| time), "{time} {used:?}");
    }
    let never = promised(&[Draft::at(u64::MAX)]);
    assert!(judge(&never, ALWAYS, None).is_err());
}

/// RFC 6962 2.1.4, 3.2 and 3.3.
#[test]
fn a_promise_is_of_one_log_and_one_certificate() {
    const WAY: &str = "an SCT is signed in another way than its log signs";
    const WRONG: &str = "the signature of an SCT does not verify";
    const UNKNOWN: &str = "its SCTs are of unknown logs";
    let good = || Draft::at(100_000);
    let by = |algorithm: fn() -> _| Draft { algorithm, ..good() };
    let stranger = || Draft { log: [8; 32], ..good() };
    let forged = || Draft { key: 8, ..good() };
    for (what, drafts, expected) in [
        ("good", vec![good()], Ok(100_000)),
        ("with extensions", vec![Draft { extensions: b"any", ..good() }], Ok(100_000)),
        ("SHA-384", vec![by(|| (HashAlgorithm::Sha384, SignatureAlgorithm::Ecdsa))], Err(WAY)),
        ("RSA", vec![by(|| (HashAlgorithm::Sha256, SignatureAlgorithm::Rsa))], Err(WAY)),
        ("another log", vec![stranger()], Err(UNKNOWN)),
        ("another key", vec![forged()], Err(WRONG)),
        ("another log and a good one", vec![stranger(), good()], Ok(100_000)),
        ("another key and a good one", vec![forged(), good()], Ok(100_000)),
        ("none", vec![], Err(UNKNOWN)),
    ] {
        assert_eq!(judge(&promised(&drafts), ALWAYS, None), expected, "{what}");
    }
    // Of a certificate that began a second earlier.
    let other = order(good_extensions_of(&promised(&[good()])));
    let other = Order { seconds: (99, 700), ..other };
    let other = SigningCertificate::parse(&other.der()).unwrap();
    assert_eq!(judge(&other, ALWAYS, None), Err(WRONG));
    assert_eq!(judge(&with(None), ALWAYS, None), Err("it holds no SCT"));
    let odd = with(Some(raw(SCT_LIST, false, b"\x04\x01\x00")));
    assert_eq!(judge(&odd, ALWAYS, None), Err("its SCTs cannot be read"));
    assert_eq!(judge(&with(None), &[], None), Err("none is required"));
}

fn good_extensions_of(certificate: &SigningCertificate) -> Vec<Extension> {
    certificate.certificate().extensions().to_vec()
}
