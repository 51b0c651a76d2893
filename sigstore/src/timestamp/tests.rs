// SPDX-License-Identifier: Apache-2.0
mod draft;

use std::str::FromStr as _;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use der::Encode as _;
use der::asn1::{Ia5String, ObjectIdentifier, OctetString};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::name::Name;

use self::draft::{
    ABOVE, Draft, OWN, attribute, certificate_id, certificate_id_v1, element, oid, sequence,
};
use super::{Stamped, TIME_STAMPING, Timestamp, TimestampError, integer};
use crate::bundle::Bundle;
use crate::certificate::{CODE_SIGNING, SigningCertificate, Verifier, testing};
use crate::pki::keys::Hash;
use crate::pki::path::PathError;
use crate::pki::testing::{extension, public_key, raw, second};
use crate::trust::TrustedRoot;

const BUNDLE: &[u8] = include_bytes!(
    "../../../tests/vectors/bundle-verify/rekor2-timestamp-with-embedded-cert/bundle.sigstore.json"
);
const ROOT: &str = include_str!(
    "../../../tests/vectors/bundle-verify/rekor2-timestamp-with-embedded-cert/trusted_root.json"
);

fn verify(root: &str, change: impl FnOnce(&mut Stamped<'_>)) -> Result<(), TimestampError> {
    let bundle = Bundle::parse(BUNDLE).unwrap();
    let certificate = SigningCertificate::parse(bundle.certificate().unwrap()).unwrap();
    let mut stamped = Stamped {
        signature: bundle.content().signature(),
        nonce: None,
        verifier: (&certificate).into(),
    };
    change(&mut stamped);
    let root = TrustedRoot::parse(root.as_bytes()).unwrap();
    let timestamp = Timestamp::verify(&bundle.timestamps()[0], &stamped, &root)?;
    assert_eq!(timestamp.der(), bundle.timestamps()[0]);
    assert!(timestamp.authority().starts_with("https://"));
    Ok(())
}

#[test]
fn is_of_one_signature_and_one_request() {
    assert_eq!(verify(ROOT, |_| {}), Ok(()));
    let imprint = verify(ROOT, |stamped| stamped.signature = b"other");
    assert_eq!(imprint, Err(TimestampError::Imprint));
    let own = b"\x00\x82\xff\x98\x23\x8f\x02\x58\x92";
    for nonce in [&own[..], &own[1..]] {
        assert_eq!(verify(ROOT, |stamped| stamped.nonce = Some(nonce)), Ok(()));
    }
    for nonce in [&[1, 2][..], &[], &own[2..]] {
        let found = verify(ROOT, |stamped| stamped.nonce = Some(nonce));
        assert_eq!(found, Err(TimestampError::Nonce));
    }
}

#[test]
fn is_of_a_trusted_authority() {
    let without = ROOT.replace("\"timestampAuthorities\"", "\"others\"");
    let found = verify(&without, |_| {});
    assert!(matches!(found, Err(TimestampError::UntrustedChain { .. })));
}

#[test]
fn integers_have_one_form() {
    for (bytes, form) in [
        (&[][..], &[0][..]),
        (&[0, 0], &[0]),
        (&[0, 5], &[5]),
        (&[0x80], &[0, 0x80]),
        (&[0, 0x7f, 1], &[0x7f, 1]),
    ] {
        assert_eq!(integer(bytes), form);
    }
}

type Change = fn(&mut Draft);

/// Each draft after a change, as a timestamp of a signature by a bare key.
fn judge(rows: &[(&str, Change, Result<(), TimestampError>)]) {
    let key = public_key(1);
    for (what, change, expected) in rows {
        let mut draft = Draft::new();
        change(&mut draft);
        let stamped =
            Stamped { signature: b"signature", nonce: None, verifier: Verifier::Key(&key) };
        let found = Timestamp::verify(&draft.response(), &stamped, &draft.root());
        assert_eq!(found.map(drop), *expected, "{what}");
    }
}

fn malformed(why: &'static str) -> Result<(), TimestampError> {
    Err(TimestampError::Malformed { why })
}

fn untrusted(flaw: PathError) -> Result<(), TimestampError> {
    Err(TimestampError::UntrustedChain { flaw })
}

const SHA1: &str = "1.3.14.3.2.26";
const SHA384: &str = "2.16.840.1.101.3.4.2.2";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";
const DATA: &str = "1.2.840.113549.1.7.1";

/// RFC 3161 2.4.2, RFC 5652 5.
#[test]
fn has_the_form_of_a_timestamp() {
    const TOKEN: &str = "its token is not signed data";
    const VERSION: &str = "its content is of another version";
    const TIME: &str = "its time cannot be read";
    fn extend(draft: &mut Draft, critical: bool) {
        let der = raw("1.2.3.4", critical, b"").to_der().unwrap();
        draft.rest[1] = element(0xa1, &[&der]);
    }
    judge(&[
        ("as it is", |_| {}, Ok(())),
        ("a status", |it| it.status = 1, Err(TimestampError::Refused { status: 1 })),
        ("no token", |it| it.has_token = false, malformed("it has no token")),
        ("other data", |it| it.types[0] = DATA, malformed(TOKEN)),
        ("other content", |it| it.types[1] = DATA, malformed(TOKEN)),
        ("no signer", |it| it.signers = 0, malformed(TOKEN)),
        ("two signers", |it| it.signers = 2, malformed(TOKEN)),
        ("revocation lists", |it| it.lists = element(0xa1, &[&it.above.der()]), Ok(())),
        ("other fields", |it| it.lists = element(0x04, &[]), malformed(TOKEN)),
        ("unsigned attributes", |it| it.tag = 0xa1, malformed("its signer cannot be read")),
        ("primitive attributes", |it| it.tag = 0x80, malformed("its signer cannot be read")),
        ("version 0", |it| it.version = 0, malformed(VERSION)),
        ("version 2", |it| it.version = 2, malformed(VERSION)),
        ("a critical extension", |it| extend(it, true), malformed(VERSION)),
        ("another extension", |it| extend(it, false), Ok(())),
        ("SHA-1", |it| it.imprint.2 = SHA1, malformed("it uses another hash")),
        ("SHA-384", |it| (it.imprint.1, it.imprint.2) = (Hash::Sha384, SHA384), Ok(())),
        ("SHA-512", |it| (it.imprint.1, it.imprint.2) = (Hash::Sha512, SHA512), Ok(())),
        ("another stamp", |it| it.imprint.0 = b"other", Err(TimestampError::Imprint)),
        ("UTCTime", |it| it.time = (0x17, "700101000230Z"), malformed(TIME)),
        ("a text", |it| it.time.0 = 0x0c, malformed(TIME)),
        ("a fraction", |it| it.time.1 = "19700101000230.25Z", Ok(())),
        ("a sign", |it| it.time.1 = "19700101000230.-5Z", malformed(TIME)),
        ("no fraction", |it| it.time.1 = "19700101000230.Z", malformed(TIME)),
        ("another zone", |it| it.time.1 = "19700101000230+0100", malformed(TIME)),
    ]);
}

/// RFC 5652 5.3, 5.4 and 11.
#[test]
fn the_signed_attributes_name_the_content() {
    const CONTENT: &str = "its signed attributes do not name its content";
    judge(&[
        ("no type", |it| it.attributes = |all| drop(all.remove(0)), malformed(CONTENT)),
        ("two types", |it| it.attributes = |all| all.push(all[0].clone()), malformed(CONTENT)),
        (
            "another type",
            |it| it.attributes = |all| all[0] = attribute("1.2.840.113549.1.9.3", &oid(DATA)),
            malformed(CONTENT),
        ),
        ("no digest", |it| it.attributes = |all| drop(all.remove(1)), malformed(CONTENT)),
        ("two digests", |it| it.attributes = |all| all.push(all[1].clone()), malformed(CONTENT)),
        (
            "another digest",
            |it| {
                it.attributes = |all| {
                    all[1] = attribute("1.2.840.113549.1.9.4", &element(0x04, &[&[0; 32]]));
                }
            },
            malformed(CONTENT),
        ),
        // An algorithm that names the kind of key alone leaves the hash to the digest.
        ("a kind of key", |it| it.signed.0 = "1.2.840.10045.2.1", Ok(())),
        ("ECDSA with SHA-384", |it| it.signed.0 = "1.2.840.10045.4.3.3", UNSIGNED),
        ("another key", |it| it.signed.1 = ABOVE, UNSIGNED),
    ]);
}

const UNSIGNED: Result<(), TimestampError> = Err(TimestampError::Signature);

/// RFC 3161 2.4.2, RFC 5816: the signed attributes have the digest of the authority's certificate.
#[test]
fn names_the_certificate_of_the_authority() {
    const NO_ID: &str = "its signed attributes do not name the authority's certificate";
    let unknown = untrusted(PathError::Unknown);
    judge(&[
        ("no digest", |it| it.attributes = |all| drop(all.pop()), malformed(NO_ID)),
        ("two digests", |it| it.attributes = |all| all.push(all[2].clone()), malformed(NO_ID)),
        ("another", |it| it.id = |_| certificate_id(None, &[0; 32]), unknown),
        (
            "by SHA-384",
            |it| it.id = |own| certificate_id(Some(SHA384), &Hash::Sha384.digest(own)),
            Ok(()),
        ),
        (
            "by MD5",
            |it| it.id = |own| certificate_id(Some("1.2.840.113549.2.5"), own),
            malformed(NO_ID),
        ),
        ("by SHA-1", |it| it.id = |own| certificate_id_v1(&sha1(own)), Ok(())),
        ("another by SHA-1", |it| it.id = |_| certificate_id_v1(&[0; 20]), unknown),
        (
            "both versions, of which one is another",
            |it| it.attributes = |all| all.push(certificate_id_v1(&[0; 20])),
            unknown,
        ),
    ]);
}

/// RFC 3161 2.4.2: signer identifier, name of the authority and certificates are all of one authority.
#[test]
fn names_one_authority() {
    let unknown = untrusted(PathError::Unknown);
    fn authority(draft: &mut Draft, name: &GeneralName) {
        draft.rest[0] = element(0xa0, &[&name.to_der().unwrap()]);
    }
    fn named(number: u8) -> GeneralName {
        GeneralName::DirectoryName(Name::from_str(&format!("CN=number {number}")).unwrap())
    }
    fn host(text: &str) -> GeneralName {
        GeneralName::DnsName(Ia5String::new(text).unwrap())
    }
    fn with_key_id(draft: &mut Draft, id: u8) {
        let known = SubjectKeyIdentifier(OctetString::new([5]).unwrap());
        draft.own.extensions.push(extension(known));
        draft.signer = Some(element(0x80, &[&[id]]));
    }
    judge(&[
        ("its subject", |it| authority(it, &named(OWN)), Ok(())),
        ("another subject", |it| authority(it, &named(ABOVE)), unknown),
        (
            "its alternative name",
            |it| {
                let names = SubjectAltName(vec![host("tsa.example.test")]);
                let mut names = extension(names);
                names.critical = false;
                it.own.extensions.push(names);
                authority(it, &host("tsa.example.test"));
            },
            Ok(()),
        ),
        ("another name", |it| authority(it, &host("tsa.example.test")), unknown),
        ("its key identifier", |it| with_key_id(it, 5), Ok(())),
        ("another key identifier", |it| with_key_id(it, 6), unknown),
        (
            "another serial number",
            |it| {
                let issuer = it.own.make().issuer().to_der().unwrap();
                it.signer = Some(sequence(&[&issuer, &element(0x02, &[&[9]])]));
            },
            unknown,
        ),
        (
            "another issuer",
            |it| {
                let (own, serial) = (it.own.make(), it.own.make());
                let serial = element(0x02, &[serial.serial().as_bytes()]);
                it.signer = Some(sequence(&[&own.subject().to_der().unwrap(), &serial]));
            },
            unknown,
        ),
        ("its certificate", |it| it.certificates = &[OWN], Ok(())),
        ("both certificates", |it| it.certificates = &[ABOVE, OWN], Ok(())),
        ("another certificate", |it| it.certificates = &[ABOVE], unknown),
    ]);
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}

/// RFC 3161 2.3: the certificate is for timestamps alone, by a critical extension.
#[test]
fn the_certificate_is_for_timestamps_alone() {
    fn uses(draft: &mut Draft, uses: Vec<ObjectIdentifier>, critical: bool) {
        let mut extension = extension(ExtendedKeyUsage(uses));
        extension.critical = critical;
        draft.own.extensions[0] = extension;
    }
    fn add(draft: &mut Draft, extension: Extension) {
        draft.own.extensions.push(extension);
    }
    let usage = untrusted(PathError::Usage);
    judge(&[
        ("no purpose", |it| it.own.extensions.clear(), usage),
        ("another", |it| uses(it, vec![CODE_SIGNING], true), usage),
        ("two", |it| uses(it, vec![TIME_STAMPING, CODE_SIGNING], true), usage),
        ("not critical", |it| uses(it, vec![TIME_STAMPING], false), usage),
        (
            "an authority",
            |it| add(it, extension(BasicConstraints { ca: true, path_len_constraint: None })),
            usage,
        ),
        ("signs", |it| add(it, extension(KeyUsage(KeyUsages::DigitalSignature.into()))), Ok(())),
        (
            "does not repudiate",
            |it| add(it, extension(KeyUsage(KeyUsages::NonRepudiation.into()))),
            Ok(()),
        ),
        (
            "agrees on keys",
            |it| add(it, extension(KeyUsage(KeyUsages::KeyAgreement.into()))),
            usage,
        ),
        ("a critical extension", |it| add(it, raw("1.2.3.4", true, b"")), usage),
        ("another extension", |it| add(it, raw("1.2.3.4", false, b"")), Ok(())),
    ]);
}

/// The authority was trusted and its certificates were valid, both ends included.
#[test]
fn the_authority_was_trusted_at_that_time() {
    let late = untrusted(PathError::OutsideValidity);
    judge(&[
        ("first second of the window", |it| it.window = (150, 160), Ok(())),
        ("last second of the window", |it| it.window = (140, 150), Ok(())),
        ("after the window", |it| it.window = (140, 149), late),
        ("before the window", |it| it.window = (151, 160), late),
        ("after the certificate", |it| it.own.seconds = (100, 149), late),
        ("after the issuer's", |it| it.above.seconds = (100, 149), late),
        ("another issuer", |it| it.own.issuer = 7, untrusted(PathError::Signature)),
    ]);
}

/// The time is within the validity of the certificate that made the signature.
#[test]
fn is_within_the_validity_of_the_signing_certificate() {
    let draft = Draft::new();
    for (seconds, expected) in [
        ((150, 150), Ok(second(150))),
        ((151, 700), Err(TimestampError::OutsideValidity)),
        ((100, 149), Err(TimestampError::OutsideValidity)),
    ] {
        let certificate = testing::certificate(seconds);
        let stamped =
            Stamped { signature: b"signature", nonce: None, verifier: (&certificate).into() };
        let found = Timestamp::verify(&draft.response(), &stamped, &draft.root());
        assert_eq!(found.map(|found| found.time()), expected, "{seconds:?}");
    }
}

#[test]
fn timestamps_are_the_same_by_what_was_signed() {
    let key = public_key(1);
    let made = |change: Change| {
        let mut draft = Draft::new();
        change(&mut draft);
        let stamped =
            Stamped { signature: b"signature", nonce: None, verifier: Verifier::Key(&key) };
        Timestamp::verify(&draft.response(), &stamped, &draft.root()).unwrap()
    };
    let one = made(|_| {});
    assert_eq!((one.operator(), one.authority()), ("example.test", "https://tsa.example.test"));
    let framed = made(|it| it.certificates = &[OWN]);
    assert!(one.is(&framed) && one.der() != framed.der());
    assert!(!one.is(&made(|it| it.time.1 = "19700101000231Z")));
}
