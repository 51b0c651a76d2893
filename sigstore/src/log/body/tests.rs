// SPDX-License-Identifier: Apache-2.0
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Kind, PAYLOAD, SIGNATURE, VERIFIER, canonical, compare, record_v2};
use crate::certificate::Verifier;
use crate::content::ContentRef;
use crate::digest::Digest;
use crate::dsse::{Envelope, IN_TOTO};
use crate::log::Logged;
use crate::log::merkle::leaf_hash;
use crate::pki::keys::PublicKey;
use crate::pki::testing::public_key;
use crate::trust::TrustedRoot;

const P384: &[u8] = include_bytes!("../../../../tests/vectors/own/rekor-p384/trusted_root.json");

const FORM: &str = "it does not have the form of its kind";
const KIND: &str = "its kind differs from that of the entry";
const DIGEST: &str = "it names another digest";
const COUNT: &str = "it does not name exactly one signature";

/// A signature over `artifact`, and one over an envelope. Nothing here verifies them.
struct Signed {
    key: PublicKey,
    digest: Digest,
    envelope: Envelope,
}

impl Signed {
    fn new() -> Self {
        Self {
            key: public_key(1),
            digest: Digest::of(b"artifact"),
            envelope: Envelope {
                payload_type: IN_TOTO.to_owned(),
                payload: b"{}".to_vec(),
                signature: b"signature".to_vec(),
            },
        }
    }

    fn message(&self) -> Logged<'_> {
        let content = ContentRef::Message { digest: &self.digest, signature: b"signature" };
        Logged { verifier: Verifier::Key(&self.key), content }
    }

    fn envelope(&self) -> Logged<'_> {
        let content = ContentRef::Envelope(&self.envelope);
        Logged { verifier: Verifier::Key(&self.key), content }
    }

    /// The key in PEM and that in base64, as entries have it.
    fn pem(&self) -> String {
        STANDARD.encode(Verifier::Key(&self.key).pem().unwrap())
    }

    /// The body of `intoto` 0.0.2, which encodes payload and signature twice.
    fn intoto(&self) -> Value {
        let twice = |bytes: &[u8]| STANDARD.encode(STANDARD.encode(bytes));
        let hash = |bytes: &[u8]| json!({"algorithm": "sha256", "value": Digest::of(bytes).hex()});
        json!({"apiVersion": "0.0.2", "kind": "intoto", "spec": {"content": {
            "envelope": {"payload": twice(&self.envelope.payload), "payloadType": IN_TOTO,
                "signatures": [{"publicKey": self.pem(), "sig": twice(b"signature")}]},
            "hash": hash(b"any"), "payloadHash": hash(&self.envelope.payload)}}})
    }
}

fn parsed(kind: Kind, logged: &Logged<'_>) -> Value {
    serde_json::from_slice(&canonical(kind, logged).unwrap()).unwrap()
}

/// Checks `body` as it is, and after each change: member, its value, what is said of that.
fn judge(kind: Kind, logged: &Logged<'_>, body: &Value, changes: &[(&str, Value, &str)]) {
    let found = |body: &Value| compare(kind, body.to_string().as_bytes(), logged);
    assert_eq!(found(body), Ok(()), "{kind:?}");
    for (member, value, why) in changes {
        let mut body = body.clone();
        *body.pointer_mut(member).unwrap() = value.clone();
        assert_eq!(found(&body), Err(*why), "{kind:?} {member} {value}");
    }
}

/// Clients that compared too little took entries of other artifacts (GHSA-whqx-f9j3-ch6m).
#[test]
fn every_member_of_a_body_is_compared() {
    let signed = Signed::new();
    let (message, envelope) = (signed.message(), signed.envelope());
    let other_key = STANDARD.encode(Verifier::Key(&public_key(2)).pem().unwrap());
    let other_hash = json!({"algorithm": "sha256", "value": Digest::of(b"other").hex()});
    let other = || json!(STANDARD.encode("other"));
    judge(
        Kind::HashedRekord,
        &message,
        &parsed(Kind::HashedRekord, &message),
        &[
            ("/kind", json!("dsse"), KIND),
            ("/apiVersion", json!("0.0.2"), KIND),
            ("/spec", json!({}), FORM),
            ("/spec/data/hash/algorithm", json!("sha512"), DIGEST),
            ("/spec/data/hash", other_hash.clone(), DIGEST),
            ("/spec/signature/content", other(), SIGNATURE),
            ("/spec/signature/publicKey/content", json!(other_key), VERIFIER),
        ],
    );
    let body = parsed(Kind::Dsse, &envelope);
    let one = body["spec"]["signatures"][0].clone();
    let payload_hash = body["spec"]["payloadHash"]["value"].clone();
    judge(
        Kind::Dsse,
        &envelope,
        &body,
        &[
            ("/kind", json!("intoto"), KIND),
            ("/spec/payloadHash", other_hash.clone(), PAYLOAD),
            ("/spec/payloadHash", json!({"algorithm": "sha384", "value": payload_hash}), PAYLOAD),
            ("/spec/signatures", json!([]), COUNT),
            ("/spec/signatures", json!([one, one]), COUNT),
            ("/spec/signatures/0/signature", other(), SIGNATURE),
            ("/spec/signatures/0/verifier", json!(other_key), VERIFIER),
        ],
    );
    let body = signed.intoto();
    let one = body["spec"]["content"]["envelope"]["signatures"][0].clone();
    judge(
        Kind::InToto,
        &envelope,
        &body,
        &[
            ("/apiVersion", json!("0.0.1"), KIND),
            ("/spec/content/payloadHash", other_hash, PAYLOAD),
            ("/spec/content/envelope/payloadType", json!("text/plain"), PAYLOAD),
            ("/spec/content/envelope/payload", other(), PAYLOAD),
            ("/spec/content/envelope/signatures", json!([]), COUNT),
            ("/spec/content/envelope/signatures", json!([one, one]), COUNT),
            ("/spec/content/envelope/signatures/0/sig", other(), SIGNATURE),
            ("/spec/content/envelope/signatures/0/publicKey", json!(other_key), VERIFIER),
        ],
    );
    let mut without = signed.intoto();
    without["spec"]["content"]["envelope"]["payload"] = Value::Null;
    judge(Kind::InToto, &envelope, &without, &[]);
}

/// Rekor v2 keeps no more than it commits to, so its bodies are computed.
#[test]
fn bodies_of_rekor_v2_are_those_that_were_computed() {
    let signed = Signed::new();
    let kind = Kind::HashedRekordV2;
    for logged in [signed.message(), signed.envelope()] {
        let mut body = canonical(kind, &logged).unwrap();
        assert_eq!(compare(kind, &body, &logged), Ok(()));
        body.push(b' ');
        let found = compare(kind, &body, &logged);
        assert_eq!(found, Err("it does not record this signature"));
    }
    // With a key that signs with SHA-384, the SHA-256 of a message is not enough.
    let root = TrustedRoot::parse(P384).unwrap();
    let (logs, _) = root.logs();
    let verifier = Verifier::Key(logs[0].key());
    let message = Logged { verifier, ..signed.message() };
    let found = compare(kind, b"{}", &message);
    assert_eq!(found, Err("its kind cannot record such a signature"));
    let body = parsed(kind, &Logged { verifier, ..signed.envelope() });
    let record = &body["spec"]["hashedRekordV002"];
    assert_eq!(record["data"]["algorithm"], "SHA2_384");
    assert_eq!(record["signature"]["verifier"]["keyDetails"], "PKIX_ECDSA_P384_SHA_384");
    let key = &record["signature"]["verifier"]["publicKey"]["rawBytes"];
    assert_eq!(*key, STANDARD.encode(verifier.der()));
}

#[test]
fn a_kind_records_messages_or_envelopes() {
    let signed = Signed::new();
    let (message, envelope) = (signed.message(), signed.envelope());
    for (kind, logged, why) in [
        (Kind::HashedRekord, &envelope, "it records a bare message"),
        (Kind::Dsse, &message, "it records an envelope"),
        (Kind::InToto, &message, "it records an envelope"),
    ] {
        assert_eq!(compare(kind, b"{}", logged), Err(why));
        assert_eq!(canonical(kind, logged), None);
    }
    assert_eq!(canonical(Kind::InToto, &envelope), None);
}

#[test]
fn kinds_have_a_name_and_a_version() {
    for (name, version, kind, rekor) in [
        ("dsse", "0.0.1", Kind::Dsse, 1),
        ("hashedrekord", "0.0.1", Kind::HashedRekord, 1),
        ("hashedrekord", "0.0.2", Kind::HashedRekordV2, 2),
        ("intoto", "0.0.2", Kind::InToto, 1),
    ] {
        assert_eq!(Kind::parse(name, version), Some(kind));
        assert_eq!((kind.rekor(), kind.name()), (rekor, (name, version)));
    }
    for (name, version) in [("dsse", "0.0.2"), ("intoto", "0.0.1"), ("rpm", "0.0.1"), ("", "")] {
        assert_eq!(Kind::parse(name, version), None, "{name} {version}");
    }
}

/// Lines may be broken anywhere (RFC 7468 2), and nothing else may stand there.
#[test]
fn a_pem_holds_the_key_and_nothing_else() {
    let signed = Signed::new();
    let message = signed.message();
    let body = parsed(Kind::HashedRekord, &message);
    let pem = Verifier::Key(&signed.key).pem().unwrap();
    for (text, same) in [
        (pem.clone(), true),
        (pem.trim_end().to_owned(), true),
        (format!("\n {}", pem.replace('\n', "\r\n")), true),
        (pem.replace('\n', ""), true),
        (pem.replace("PUBLIC KEY", "CERTIFICATE"), false),
        (pem.replace("END PUBLIC", "END SECRET"), false),
        (format!("{pem}{pem}"), false),
        (format!("x{pem}"), false),
        (format!("{pem}x"), false),
        (pem.replace("MFkw", "MFkx"), false),
        (String::new(), false),
    ] {
        let mut body = body.clone();
        body["spec"]["signature"]["publicKey"]["content"] = STANDARD.encode(&text).into();
        let found = compare(Kind::HashedRekord, body.to_string().as_bytes(), &message);
        assert_eq!(found.is_ok(), same, "{text:?} {found:?}");
    }
}

#[test]
fn canonical_body_of_rekor_v2() {
    let digest = Digest::of(b"ambisign");
    let signature = hex::decode("3006020101020102").unwrap();
    let certificate = hex::decode("3003020105").unwrap();
    let verifier = ("PKIX_ECDSA_P256_SHA_256", "x509Certificate", certificate.as_slice());
    let body = record_v2(("SHA2_256", digest.bytes()), &signature, verifier);
    assert_eq!(
        String::from_utf8(body.clone()).unwrap(),
        r#"{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"cPF4mFRzwjty5APtqnOcnPrgkn23rUjmf3jbjpwES04="},"signature":{"content":"MAYCAQECAQI=","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","x509Certificate":{"rawBytes":"MAMCAQU="}}}}}}"#
    );
    assert_eq!(
        hex::encode(leaf_hash(&body)),
        "e1cf09be2e0d568a299cb55fa8edcc8d409956a47a028505c1f41ab523873823"
    );
}
