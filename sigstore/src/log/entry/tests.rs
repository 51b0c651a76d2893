// SPDX-License-Identifier: Apache-2.0
//! Entries of a log whose key the tests have, so that what is wrong may be signed.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{EntryError, LogEntry, Proof, VerifiedEntry};
use crate::certificate::{SigningCertificate, Verifier, testing};
use crate::content::ContentRef;
use crate::digest::Digest;
use crate::dsse::{Envelope, IN_TOTO};
use crate::log::body::{Kind, canonical};
use crate::log::{Logged, merkle};
use crate::pki::testing::{public_key, second, sign};
use crate::trust::TrustedRoot;

/// The number of the key of the log.
const LOG: u8 = 9;
const NAME: &str = "log.example.test";
/// When the log was trusted, and when the signing certificate was valid, in seconds.
const TRUSTED: (u64, u64) = (60, 600);
const VALID: (u64, u64) = (100, 700);

fn root() -> TrustedRoot {
    let time = |seconds| humantime::format_rfc3339_seconds(second(seconds)).to_string();
    let json = json!({"mediaType": "application/vnd.dev.sigstore.trustedroot.v0.2+json",
        "tlogs": [{"baseUrl": format!("https://{NAME}"), "hashAlgorithm": "SHA2_256",
            "operator": "example.test", "logId": {"keyId": STANDARD.encode([LOG; 32])},
            "publicKey": {"rawBytes": STANDARD.encode(public_key(LOG).spki()),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": time(TRUSTED.0), "end": time(TRUSTED.1)}}}]});
    TrustedRoot::parse(json.to_string().as_bytes()).unwrap()
}

/// What is logged: a certificate, and a message or an envelope.
struct Signed {
    certificate: SigningCertificate,
    digest: Digest,
    envelope: Envelope,
}

impl Signed {
    fn new() -> Self {
        let (payload_type, payload) = (IN_TOTO.to_owned(), b"{}".to_vec());
        Self {
            certificate: testing::certificate(VALID),
            digest: Digest::of(b"artifact"),
            envelope: Envelope { payload_type, payload, signature: b"signature".to_vec() },
        }
    }

    fn message(&self) -> Logged<'_> {
        let content = ContentRef::Message { digest: &self.digest, signature: b"signature" };
        Logged { verifier: (&self.certificate).into(), content }
    }

    fn envelope(&self) -> Logged<'_> {
        let content = ContentRef::Envelope(&self.envelope);
        Logged { verifier: (&self.certificate).into(), content }
    }
}

/// The entry of `kind` for `logged`: the second leaf of two, number 1001 of Rekor v1, at second 300.
fn entry(kind: Kind, logged: &Logged<'_>) -> LogEntry {
    let (name, version) = match kind {
        Kind::Dsse => ("dsse", "0.0.1"),
        Kind::HashedRekord => ("hashedrekord", "0.0.1"),
        Kind::HashedRekordV2 => ("hashedrekord", "0.0.2"),
        Kind::InToto => ("intoto", "0.0.2"),
    };
    let first = kind.rekor() == 1;
    let body = canonical(kind, logged).unwrap();
    let other = merkle::leaf_hash(b"other");
    let root = merkle::node_hash(&other, &merkle::leaf_hash(&body));
    let proof = Proof { index: 1, size: 2, root, hashes: vec![other], checkpoint: String::new() };
    let mut entry = LogEntry {
        index: if first { 1001 } else { 1 },
        log_id: [LOG; 32],
        kind: name.to_owned(),
        version: version.to_owned(),
        integrated_time: if first { 300 } else { 0 },
        promise: None,
        proof: Some(proof),
        body,
    };
    note(&mut entry, if first { "log.example.test - 1" } else { NAME }, NAME);
    if first {
        promise(&mut entry);
    }
    entry
}

/// Signs the tree of the proof under this origin and name.
fn note(entry: &mut LogEntry, origin: &str, name: &str) {
    let proof = entry.proof.as_mut().unwrap();
    let text = format!("{origin}\n{}\n{}\n", proof.size, STANDARD.encode(proof.root));
    let line = STANDARD.encode([&[LOG; 4], sign(LOG, text.as_bytes()).as_slice()].concat());
    proof.checkpoint = format!("{text}\n\u{2014} {name} {line}\n");
}

/// Promises the entry as it is.
fn promise(entry: &mut LogEntry) {
    let (body, time, index) = (STANDARD.encode(&entry.body), entry.integrated_time, entry.index);
    let id = hex::encode(entry.log_id);
    let text =
        format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":{index}}}"#);
    entry.promise = Some(sign(LOG, text.as_bytes()));
}

fn proof(entry: &mut LogEntry) -> &mut Proof {
    entry.proof.as_mut().unwrap()
}

/// What an entry proves: version, index, leaf, and time.
type Proven = (u32, Option<u64>, Option<u64>, Option<SystemTime>);

fn proven(entry: &VerifiedEntry) -> Proven {
    (entry.version(), entry.index(), entry.tree_index(), entry.time())
}

type Change = fn(&mut LogEntry);

/// The entry of `kind` after each change, by [`LogEntry::verify`].
fn judge(kind: Kind, rows: &[(&str, Change, Result<Proven, EntryError>)]) {
    let (signed, root) = (Signed::new(), root());
    for (what, change, expected) in rows {
        let mut entry = entry(kind, &signed.message());
        change(&mut entry);
        let found = entry.verify(&signed.message(), &root).map(|found| proven(&found));
        assert_eq!(&found, expected, "{what}");
    }
}

fn checkpoint(why: &'static str) -> Result<Proven, EntryError> {
    Err(EntryError::Checkpoint { why })
}

fn inclusion(why: &'static str) -> Result<Proven, EntryError> {
    Err(EntryError::Inclusion { why })
}

fn outside(what: &'static str) -> Result<Proven, EntryError> {
    Err(EntryError::OutsideValidity { what })
}

const BROKEN: &str = "it lacks origin, size, root hash or signatures";
const UNSIGNED: &str = "the log did not sign it";
const TREE: &str = "it belongs to another tree than the proof";
const PATH: &str = "the proof does not lead to the root of the tree";

/// A time with a promise is within the windows of log and certificate, whose ends count.
#[test]
fn an_entry_of_rekor_v1_proves_its_time_and_index_by_the_promise() {
    let at = |seconds| Ok((1, Some(1001), Some(1), Some(second(seconds))));
    let promised: [(&str, Change, _); 9] = [
        ("as it is", |_| {}, at(300)),
        ("another index", |it| it.index = 1002, Err(EntryError::Promise)),
        ("another time", |it| it.integrated_time = 301, Err(EntryError::Promise)),
        ("no time", |it| (it.integrated_time = 0, promise(it)).1, Err(EntryError::Promise)),
        ("early", |it| (it.integrated_time = 59, promise(it)).1, outside("log")),
        (
            "too early",
            |it| (it.integrated_time = 99, promise(it)).1,
            outside("signing certificate"),
        ),
        ("first", |it| (it.integrated_time = 100, promise(it)).1, at(100)),
        ("last", |it| (it.integrated_time = 600, promise(it)).1, at(600)),
        ("late", |it| (it.integrated_time = 601, promise(it)).1, outside("log")),
    ];
    judge(Kind::HashedRekord, &promised);
    // The time of an entry without a promise is not proven, but it must not contradict the certificate.
    let leaf = Ok((1, None, Some(1), None));
    judge(
        Kind::HashedRekord,
        &[
            ("no promise", |it| it.promise = None, leaf.clone()),
            ("nor time", |it| (it.promise, it.integrated_time) = (None, 0), leaf),
            (
                "a time after the certificate",
                |it| (it.promise, it.integrated_time) = (None, 701),
                outside("signing certificate"),
            ),
        ],
    );
}

#[test]
fn an_entry_of_rekor_v2_proves_its_index_by_its_place() {
    let good = || Ok((2, Some(1), Some(1), None));
    judge(
        Kind::HashedRekordV2,
        &[
            ("as it is", |_| {}, good()),
            ("a time in the certificate", |it| it.integrated_time = 300, good()),
            ("a time after it", |it| it.integrated_time = 701, outside("signing certificate")),
            ("a promise", promise, Err(EntryError::Promise)),
            ("another index", |it| it.index = 0, inclusion("the proof is for another index")),
            ("another leaf", |it| (it.index, proof(it).index) = (0, 0), inclusion(PATH)),
            (
                "another origin",
                |it| note(it, "other.example.test", NAME),
                checkpoint("it belongs to another log"),
            ),
            ("another name", |it| note(it, NAME, "other.example.test"), checkpoint(UNSIGNED)),
        ],
    );
}

/// The checkpoint is what the log signed. All that the proof says must follow from it.
#[test]
fn a_proof_leads_to_what_the_log_signed() {
    let unknown = EntryError::UnknownLog { id: "08".repeat(32) };
    let body = |why| Err(EntryError::Body { why });
    let rows: [(&str, Change, _); 16] = [
        ("no proof", |it| it.proof = None, inclusion("it has no proof")),
        ("no checkpoint", |it| proof(it).checkpoint.clear(), checkpoint("it is empty")),
        ("half of it", |it| proof(it).checkpoint.truncate(30), checkpoint(BROKEN)),
        ("another name", |it| note(it, NAME, "other.example.test"), checkpoint(UNSIGNED)),
        ("another size", |it| proof(it).size = 3, checkpoint(TREE)),
        ("another root", |it| proof(it).root = [0; 32], checkpoint(TREE)),
        (
            "a root that is signed",
            |it| (proof(it).root = [0; 32], note(it, NAME, NAME)).1,
            inclusion(PATH),
        ),
        (
            "a size that is signed",
            |it| (proof(it).size = 5, note(it, NAME, NAME)).1,
            inclusion(PATH),
        ),
        ("another leaf", |it| proof(it).index = 0, inclusion(PATH)),
        ("no such leaf", |it| proof(it).index = 2, inclusion(PATH)),
        ("another sibling", |it| proof(it).hashes[0] = [0; 32], inclusion(PATH)),
        ("no sibling", |it| proof(it).hashes.clear(), inclusion(PATH)),
        ("another log", |it| it.log_id = [8; 32], Err(unknown)),
        ("another kind", |it| it.kind = "rpm".to_owned(), body("its kind is not known")),
        (
            "another body",
            |it| it.body = b"{}".to_vec(),
            body("it does not have the form of its kind"),
        ),
        ("another promise", |it| it.promise = Some(vec![0]), Err(EntryError::Promise)),
    ];
    judge(Kind::HashedRekord, &rows);
}

/// The older layout has a promise in place of a proof.
#[test]
fn a_promise_stands_for_a_proof_in_the_older_layout() {
    let (signed, root) = (Signed::new(), root());
    let verify = |kind, change: Change| {
        let mut entry = entry(kind, &signed.message());
        change(&mut entry);
        let found = entry.verify_promised(&signed.message(), &root);
        found.map(|found| (proven(&found), *found.log_id(), found.operator().to_owned()))
    };
    let good = ((1, Some(1001), None, Some(second(300))), [LOG; 32], "example.test".to_owned());
    assert_eq!(verify(Kind::HashedRekord, |_| {}), Ok(good.clone()));
    assert_eq!(verify(Kind::HashedRekord, |it| it.proof = None), Ok(good));
    let rows: [(Kind, Change); 4] = [
        (Kind::HashedRekord, |it| it.promise = None),
        (Kind::HashedRekord, |it| it.index = 1002),
        (Kind::HashedRekordV2, |_| {}),
        (Kind::HashedRekordV2, promise),
    ];
    for (kind, change) in rows {
        assert_eq!(verify(kind, change), Err(EntryError::Promise), "{kind:?}");
    }
}

/// A verifier cannot know how the logged envelope was encoded. The run that submitted it does.
#[test]
fn the_body_of_what_was_submitted_is_compared_as_a_whole() {
    let (signed, root) = (Signed::new(), root());
    let mut entry = entry(Kind::Dsse, &signed.envelope());
    let verify = |entry: &LogEntry| {
        let submitted = entry.verify_submitted(&signed.envelope(), &root);
        (entry.verify(&signed.envelope(), &root).is_ok(), submitted.map(|found| proven(&found)))
    };
    let good = (1, Some(1001), Some(1), Some(second(300)));
    assert_eq!(verify(&entry), (true, Ok(good)));
    let other = String::from_utf8(entry.body.clone()).unwrap();
    let hash = Digest::of(signed.envelope.to_json().unwrap().as_bytes()).hex();
    assert!(other.contains(&hash));
    entry.body = other.replace(&hash, &"0".repeat(64)).into_bytes();
    let leaf = merkle::leaf_hash(&entry.body);
    proof(&mut entry).root = merkle::node_hash(&merkle::leaf_hash(b"other"), &leaf);
    note(&mut entry, NAME, NAME);
    promise(&mut entry);
    let why = "it differs from the submitted one";
    assert_eq!(verify(&entry), (true, Err(EntryError::Body { why })));
}

/// An entry that was rebuilt from tiles is the one that was lost.
#[test]
fn a_rebuilt_entry_is_the_one_of_the_log() {
    let (signed, root) = (Signed::new(), root());
    let logged = signed.message();
    let lost = entry(Kind::HashedRekordV2, &logged);
    let found = LogEntry::rebuild([LOG; 32], &logged, lost.proof.clone().unwrap()).unwrap();
    assert_eq!(found, lost);
    assert_eq!(found.kind_version(), ("hashedrekord", "0.0.2"));
    assert!(found.verify(&logged, &root).is_ok() && !found.has_promise());
    let timed = entry(Kind::HashedRekord, &logged);
    assert!(timed.has_promise());
    assert_eq!(timed.integrated_time(), Some(second(300)));
    assert_eq!(timed.without_time().integrated_time(), None);
    // A key has no validity: the log's window alone decides.
    let key = public_key(1);
    let logged = Logged { verifier: Verifier::Key(&key), ..logged };
    let mut late = entry(Kind::HashedRekord, &logged);
    (late.promise, late.integrated_time) = (None, 701);
    assert!(late.verify(&logged, &root).is_ok());
}
