// SPDX-License-Identifier: Apache-2.0
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Bundle, Error, LONGEST, MEDIA_TYPE};
use crate::pki::testing::Order;

const ENVELOPE: &str = include_str!(
    "../../../tests/vectors/bundle-verify/rekor2-dsse-happy-path/bundle.sigstore.json"
);
const KEY: &str = include_str!(
    "../../../tests/vectors/bundle-verify/managed-key-happy-path/bundle.sigstore.json"
);
const MESSAGE: &str =
    include_str!("../../../tests/vectors/bundle-verify/rekor2-happy-path/bundle.sigstore.json");

const V0_1: &str =
    include_str!("../../../tests/vectors/bundle-verify/happy-path-v0.1/bundle.sigstore.json");
const V0_2: &str =
    include_str!("../../../tests/vectors/bundle-verify/happy-path-v0.2/bundle.sigstore.json");
const V0_3: &str =
    include_str!("../../../tests/vectors/bundle-verify/happy-path-v0.3/bundle.sigstore.json");

#[test]
fn writes_what_it_reads() {
    for text in [ENVELOPE, KEY, MESSAGE, V0_3] {
        let written = Bundle::parse(text.as_bytes()).unwrap().to_json().unwrap();
        let mut expected: Value = serde_json::from_str(text).unwrap();
        expected["mediaType"] = MEDIA_TYPE.into();
        let found: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(found, expected);
        assert!(!written.contains(&b'\n') || text.contains("\\n"));
    }
}

#[test]
fn refuses_other_forms() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 9] = [
        (|b| b["dsseEnvelope"] = Value::Null, "exactly one"),
        (|b| b["verificationMaterial"]["certificate"] = Value::Null, "certificate of its version"),
        (|b| b["messageSignature"] = json!({"signature": "AA=="}), "exactly one"),
        (|b| b["dsseEnvelope"]["signatures"] = json!([]), "one signature"),
        (
            |b| {
                let again = b["dsseEnvelope"]["signatures"][0].clone();
                b["dsseEnvelope"]["signatures"].as_array_mut().unwrap().push(again);
            },
            "one signature",
        ),
        (|b| b["verificationMaterial"]["publicKey"] = json!({}), "a key"),
        (
            |b| b["verificationMaterial"]["x509CertificateChain"] = json!({}),
            "certificate of its version",
        ),
        (
            |b| {
                let again = b["verificationMaterial"]["tlogEntries"][0].clone();
                let entries = &mut b["verificationMaterial"]["tlogEntries"];
                entries.as_array_mut().unwrap().push(again);
            },
            "log entries",
        ),
        (
            |b| b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1".into(),
            "promise",
        ),
    ];
    for (change, words) in changes {
        let mut bundle = serde_json::from_str(ENVELOPE).unwrap();
        change(&mut bundle);
        let error = Bundle::parse(bundle.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}: {words}");
    }
}

/// The index of an entry of Rekor v1 without a promise is not signed.
#[test]
fn one_leaf_is_one_entry() {
    let mut bundle: Value = serde_json::from_str(MESSAGE).unwrap();
    let entries = &mut bundle["verificationMaterial"]["tlogEntries"];
    let mut again = entries[0].clone();
    again["logIndex"] = "77".into();
    entries.as_array_mut().unwrap().push(again);
    let found = Bundle::parse(bundle.to_string().as_bytes());
    assert_eq!(found, Err(Error::TooMany { what: "log entries" }));
}

#[test]
fn has_limits() {
    let mut bundle: Value = serde_json::from_str(MESSAGE).unwrap();
    let entry = bundle["verificationMaterial"]["tlogEntries"][0].clone();
    let numbered = |index: usize| {
        let mut entry = entry.clone();
        entry["logIndex"] = index.to_string().into();
        entry["canonicalizedBody"] = STANDARD.encode(index.to_string()).into();
        entry
    };
    for (count, good) in [(32, true), (33, false)] {
        let entries: Vec<_> = (0..count).map(numbered).collect();
        bundle["verificationMaterial"]["tlogEntries"] = entries.into();
        let found = Bundle::parse(bundle.to_string().as_bytes());
        assert_eq!(found.is_ok(), good, "{count}");
        assert!(good || matches!(found, Err(Error::TooMany { .. })));
    }
}

fn with(text: &str, change: impl FnOnce(&mut Value)) -> Result<Bundle, Error> {
    let mut bundle = serde_json::from_str(text).unwrap();
    change(&mut bundle);
    Bundle::parse(bundle.to_string().as_bytes())
}

/// Until version 0.2 the certificate is the first of a chain, and since 0.3 it is alone. No chain has a
/// root (client specification 4.1).
#[test]
fn each_version_has_its_place_for_the_certificate() {
    let leaf = json!({"rawBytes": STANDARD.encode("leaf")});
    let made = |subject, issuer| {
        let order = Order { subject, issuer, seconds: (1, 2), extensions: Vec::new() };
        json!({"rawBytes": STANDARD.encode(order.der())})
    };
    let (between, root) = (made(1, 2), made(2, 2));
    let chain = |certificates: &[&Value]| json!({"certificates": certificates});
    let place = |text, name: &str, value: Value| {
        let found = with(text, |bundle| {
            let material = &mut bundle["verificationMaterial"];
            material["certificate"] = Value::Null;
            material["x509CertificateChain"] = Value::Null;
            material[name] = value;
        });
        found.map(|bundle| bundle.certificate().map(<[u8]>::to_vec))
    };
    const CHAIN: &str = "x509CertificateChain";
    for text in [V0_1, V0_2] {
        for good in [chain(&[&leaf]), chain(&[&leaf, &between])] {
            assert_eq!(place(text, CHAIN, good), Ok(Some(b"leaf".to_vec())));
        }
        assert_eq!(place(text, CHAIN, chain(&[&leaf, &root])), Err(Error::RootCertificate));
        for (bad, words) in [
            (place(text, CHAIN, chain(&[])), "empty certificate chain"),
            (place(text, CHAIN, chain(&[&leaf, &leaf])), "cannot be read"),
            (place(text, "certificate", leaf.clone()), "certificate of its version"),
        ] {
            let error = bad.unwrap_err().to_string();
            assert!(error.contains(words), "{error}: {words}");
        }
    }
    for media_type in [MEDIA_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.3"] {
        assert!(with(V0_3, |bundle| bundle["mediaType"] = media_type.into()).is_ok());
    }
    assert_eq!(place(V0_3, "certificate", leaf.clone()), Ok(Some(b"leaf".to_vec())));
    let error = place(V0_3, CHAIN, chain(&[&leaf])).unwrap_err().to_string();
    assert!(error.contains("certificate of its version"), "{error}");
}

/// A digest by another algorithm, or of another length, makes the bundle malformed.
#[test]
fn the_digest_of_a_message_is_sha256() {
    for (member, value) in [("algorithm", "SHA2_512"), ("digest", "AAAA")] {
        let found = with(MESSAGE, |bundle| {
            bundle["messageSignature"]["messageDigest"][member] = value.into();
        });
        assert!(matches!(found, Err(Error::Malformed { .. })), "{member}: {found:?}");
    }
}

#[test]
fn has_a_longest_form() {
    assert_eq!(LONGEST, 16_777_216);
    let mut text = MESSAGE.trim_end().to_owned();
    text.extend(std::iter::repeat_n(' ', LONGEST - text.len()));
    assert!(Bundle::parse(text.as_bytes()).is_ok());
    text.push(' ');
    assert_eq!(Bundle::parse(text.as_bytes()), Err(Error::TooMany { what: "bytes" }));
}
