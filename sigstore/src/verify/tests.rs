// SPDX-License-Identifier: Apache-2.0
//! Signatures of a forger who has every key of the trusted root (`sandbox/src/forge.rs`).

use std::time::{Duration, SystemTime};

use ambisign_host::Explain as _;
use ambisign_sandbox::forge::{Content as Signed, Odd, Recipe, forge};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::policy::{Claim, Identity, Match, Signer};
use super::{Expected, Policy, SignedBy, about, bundle, has_other_digests, verify, verify_bundle};
use crate::digest::Digest;
use crate::pki::keys::PublicKey;
use crate::pki::testing::{public_key, second};
use crate::trust::TrustedRoot;

const FILE: &[u8] = b"a file\n";
const EMAIL: &str = "joe@example.test";
const ISSUER: &str = "https://issuer.example.test";
const STAMPS: &str = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
const ENTRIES: &str = "/verificationMaterial/tlogEntries";

/// When the certificate begins. The timestamp is of two seconds later, the log entry of three.
fn begin() -> SystemTime {
    second(1_700_000_000)
}

fn exact(text: &str) -> Match {
    Match::Exact(text.to_owned())
}

/// A signature, and what is required of it.
struct Case {
    bundle: Value,
    root: Value,
    artifact: Digest,
    policy: Policy,
}

impl Case {
    fn new(change: impl FnOnce(&mut Recipe)) -> Self {
        let mut recipe = Recipe::new(begin(), Signed::File(FILE.to_vec()));
        change(&mut recipe);
        let forged = forge(&recipe).unwrap();
        let policy = Policy::of(Signer::exactly(EMAIL, ISSUER));
        let (bundle, root) = (forged.bundle, forged.trusted_root);
        Self { bundle, root, artifact: Digest::of(FILE), policy }
    }

    fn statement(subject: &Value) -> Self {
        let statement = json!({"_type": "https://in-toto.io/Statement/v1", "predicateType": "p",
            "subject": [subject], "predicate": {}});
        Self::new(|recipe| recipe.content = Signed::Statement(statement))
    }

    fn bytes(&self) -> Vec<u8> {
        self.bundle.to_string().into_bytes()
    }

    fn root(&self) -> TrustedRoot {
        TrustedRoot::parse(self.root.to_string().as_bytes()).unwrap()
    }

    /// `ok` or the code of the error.
    fn judge(&self) -> String {
        let found = verify(&self.bytes(), &self.root(), &self.artifact, &self.policy);
        found.map_or_else(|error| error.code().into_owned(), |_| "ok".to_owned())
    }

    fn list(&mut self, at: &str) -> &mut Vec<Value> {
        self.bundle.pointer_mut(at).unwrap().as_array_mut().unwrap()
    }
}

fn first(case: &Case, at: &str) -> Value {
    case.bundle.pointer(at).unwrap()[0].clone()
}

/// A log that the trusted root does not have counts as nothing: it is passed over where the others are
/// enough, and is the reason where they are not.
#[test]
fn an_unknown_log_is_the_reason_only_where_known_ones_are_too_few() {
    const FEW: &str = "verify/too-few-entries";
    const UNKNOWN: &str = "rekor/unknown-log";
    let known = first(&Case::new(|_| {}), ENTRIES);
    let mut unknown = known.clone();
    unknown["logId"]["keyId"] = STANDARD.encode([8; 32]).into();
    for (entries, wanted, expected) in [
        (vec![], 0, "ok"),
        (vec![], 1, FEW),
        (vec![&known], 1, "ok"),
        (vec![&known], 2, FEW),
        (vec![&unknown], 0, "ok"),
        (vec![&unknown], 1, UNKNOWN),
        (vec![&known, &unknown], 1, "ok"),
        (vec![&unknown, &known], 1, "ok"),
        (vec![&known, &unknown], 2, UNKNOWN),
        (vec![&known, &unknown], 3, UNKNOWN),
    ] {
        let mut case = Case::new(|_| {});
        let count = entries.len();
        *case.list(ENTRIES) = entries.into_iter().cloned().collect();
        case.policy.entries = wanted;
        assert_eq!(case.judge(), expected, "{count} for {wanted}");
    }
}

/// The same of timestamp authorities. Where none is required, a lone one must be known nevertheless: its
/// time would be missing.
#[test]
fn an_unknown_authority_is_the_reason_only_where_known_ones_are_too_few() {
    const FEW: &str = "verify/too-few-timestamps";
    const UNKNOWN: &str = "timestamp/untrusted-chain";
    let known = first(&Case::new(|_| {}), STAMPS);
    let later = Case::new(|recipe| recipe.stamped = Some(begin() + Duration::from_secs(4)));
    let later = first(&later, STAMPS);
    let unknown = first(&Case::new(|recipe| recipe.odd_stamp = Odd::CertificateId), STAMPS);
    let other = Case::new(|recipe| recipe.content = Signed::File(b"another".to_vec()));
    let other = first(&other, STAMPS);
    for (stamps, wanted, expected) in [
        (vec![], 0, "ok"),
        (vec![], 1, FEW),
        (vec![&known], 0, "ok"),
        (vec![&known], 1, "ok"),
        (vec![&known], 2, FEW),
        (vec![&unknown], 0, UNKNOWN),
        (vec![&unknown], 1, UNKNOWN),
        (vec![&known, &unknown], 0, "ok"),
        (vec![&known, &unknown], 1, "ok"),
        (vec![&unknown, &known], 1, "ok"),
        (vec![&known, &unknown], 2, UNKNOWN),
        // A known one that does not verify is not passed over.
        (vec![&known, &other], 1, "timestamp/imprint"),
        (vec![&known, &later], 1, "ok"),
        // Both are of one operator.
        (vec![&known, &later], 2, FEW),
    ] {
        let mut case = Case::new(|_| {});
        let count = stamps.len();
        *case.list(STAMPS) = stamps.into_iter().cloned().collect();
        case.policy.timestamps = wanted;
        assert_eq!(case.judge(), expected, "{count} for {wanted}");
    }
}

/// The frame of a timestamp is not signed.
#[test]
fn one_timestamp_in_two_frames_is_refused() {
    let mut case = Case::new(|_| {});
    let stamp = first(&case, STAMPS);
    let mut der = STANDARD.decode(stamp["signedTimestamp"].as_str().unwrap()).unwrap();
    let version = der.windows(4).position(|bytes| bytes == [2, 1, 3, 0x31]).unwrap();
    der[version + 2] = 1;
    case.list(STAMPS).push(json!({"signedTimestamp": STANDARD.encode(der)}));
    assert_eq!(case.judge(), "bundle/too-many");
}

#[test]
fn every_time_is_proven_and_none_is_in_the_future() {
    let (stamp, log) = (Duration::from_secs(2), Duration::from_secs(3));
    // What is proven, the latest time that is accepted, and what is said.
    for (is_promised, is_stamped, latest, expected) in [
        (true, true, None, "ok"),
        (true, true, Some(log), "ok"),
        (true, true, Some(stamp), "verify/future"),
        (false, true, Some(stamp), "ok"),
        (false, true, Some(Duration::from_secs(1)), "verify/future"),
        (true, false, Some(log), "ok"),
        (true, false, Some(stamp), "verify/future"),
        (false, false, None, "verify/no-time"),
    ] {
        let mut case = Case::new(|recipe| {
            recipe.is_promised = is_promised;
            recipe.stamped = recipe.stamped.filter(|_| is_stamped);
        });
        case.policy.latest = latest.map(|latest| begin() + latest);
        assert_eq!(case.judge(), expected, "{is_promised} {is_stamped} {latest:?}");
    }
}

/// A log that proves no time must have been trusted at a time that something else proves.
#[test]
fn a_log_was_trusted_at_a_proven_time() {
    for (start, end, expected) in [
        (0, 2, "ok"),
        (2, 9, "ok"),
        (0, 1, "verify/log-outside-validity"),
        (3, 9, "verify/log-outside-validity"),
    ] {
        let mut case = Case::new(|recipe| recipe.is_promised = false);
        case.root["tlogs"][0]["publicKey"]["validFor"] = window(start, end);
        assert_eq!(case.judge(), expected, "{start} {end}");
    }
}

/// Authority, life and promise of the certificate hold at every proven time.
#[test]
fn a_certificate_is_trusted_at_every_proven_time() {
    type Change = fn(&mut Recipe);
    let rows: [(&str, Change, &str); 4] = [
        ("as it is", |_| {}, "ok"),
        ("a long life", |it| it.life = Duration::from_secs(7 * 86_400 + 1), "fulcio/lifetime"),
        ("an early promise", |it| it.promised = begin() - Duration::from_secs(61), "fulcio/sct"),
        (
            "a stamp after its end",
            |it| it.stamped = Some(begin() + Duration::from_secs(601)),
            "timestamp/outside-validity",
        ),
    ];
    for (what, change, expected) in rows {
        assert_eq!(Case::new(change).judge(), expected, "{what}");
    }
    // The time of the timestamp is two seconds after the beginning, that of the log three.
    for (start, end, expected) in [
        (0, 3, "ok"),
        (2, 9, "ok"),
        (3, 9, "fulcio/untrusted-chain"),
        (0, 2, "fulcio/untrusted-chain"),
    ] {
        let mut case = Case::new(|_| {});
        case.root["certificateAuthorities"][0]["validFor"] = window(start, end);
        assert_eq!(case.judge(), expected, "{start} {end}");
    }
}

/// From so many seconds after the beginning to so many.
fn window(start: u64, end: u64) -> Value {
    let time = |seconds| {
        humantime::format_rfc3339_seconds(begin() + Duration::from_secs(seconds)).to_string()
    };
    json!({"start": time(start), "end": time(end)})
}

/// A log of Rekor v1 signs with SHA-256 on every curve, whatever its trusted root names.
#[test]
fn a_log_of_rekor_v1_signs_with_sha256_on_longer_curves() {
    const ROWS: [[&[u8]; 2]; 2] = [
        [
            include_bytes!("../../../tests/vectors/own/rekor-p384/bundle.sigstore.json"),
            include_bytes!("../../../tests/vectors/own/rekor-p384/trusted_root.json"),
        ],
        [
            include_bytes!("../../../tests/vectors/own/rekor-p521/bundle.sigstore.json"),
            include_bytes!("../../../tests/vectors/own/rekor-p521/trusted_root.json"),
        ],
    ];
    let artifact = Digest::of(include_bytes!("../../../tests/vectors/bundle-verify/a.txt"));
    let mut case = Case::new(|_| {});
    (signer(&mut case).san, signer(&mut case).issuer) = (Match::Any, Match::Any);
    for [bundle, root] in ROWS {
        let root = TrustedRoot::parse(root).unwrap();
        let accepted = verify(bundle, &root, &artifact, &case.policy).unwrap();
        assert_eq!(accepted.entries().len(), 1);
    }
}

#[test]
fn a_signature_is_of_the_required_signer_and_artifact() {
    type Change = fn(&mut Case);
    let rows: [(&str, Change, &str); 9] = [
        ("as it is", |_| {}, "ok"),
        ("another name", |it| signer(it).san = exact("eve@example.test"), "verify/identity"),
        ("another issuer", |it| signer(it).issuer = exact(EMAIL), "verify/issuer"),
        ("a claim", |it| signer(it).claims.push((Claim::TokenSubject, Match::Any)), "verify/claim"),
        ("a key", |it| it.policy.signer = Signer::Key(public_key(1)), "verify/certificate-signed"),
        ("another file", |it| it.artifact = Digest::of(b""), "verify/artifact"),
        (
            "another file without a hint",
            |it| {
                it.artifact = Digest::of(b"");
                it.bundle["messageSignature"]["messageDigest"] = Value::Null;
            },
            "rekor/body",
        ),
        (
            "another file without a hint and a log",
            |it| {
                it.artifact = Digest::of(b"");
                it.bundle["messageSignature"]["messageDigest"] = Value::Null;
                it.policy.entries = 0;
                it.list(ENTRIES).clear();
            },
            "verify/signature",
        ),
        (
            "a statement",
            |it| it.policy.predicate_types = vec!["p".to_owned()],
            "verify/predicate-type",
        ),
    ];
    for (what, change, expected) in rows {
        let mut case = Case::new(|_| {});
        change(&mut case);
        assert_eq!(case.judge(), expected, "{what}");
    }
}

fn signer(case: &mut Case) -> &mut Identity {
    match &mut case.policy.signer {
        Signer::Identity(identity) => identity,
        Signer::Key(_) => panic!("an identity"),
    }
}

fn subject() -> Value {
    json!({"name": "a", "digest": {"sha256": Digest::of(FILE).hex()},
        "annotations": {"env": "prod", "count": 1}})
}

#[test]
fn a_statement_says_what_the_policy_requires() {
    for (types, annotations, expected) in [
        (&[][..], &[][..], "ok"),
        (&["p"], &[], "ok"),
        (&["q", "p"], &[], "ok"),
        (&["q"], &[], "verify/predicate-type"),
        (&[], &[("env", "prod")], "ok"),
        (&[], &[("env", "test")], "verify/annotation"),
        (&[], &[("env", "prod"), ("other", "")], "verify/annotation"),
        // A number is no text.
        (&[], &[("count", "1")], "verify/annotation"),
    ] {
        let mut case = Case::statement(&subject());
        case.policy.predicate_types = types.iter().map(|one: &&str| (*one).to_owned()).collect();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        case.policy.annotations = annotations.iter().map(owned).collect();
        assert_eq!(case.judge(), expected, "{types:?} {annotations:?}");
    }
    let mut case = Case::statement(&subject());
    case.artifact = Digest::of(b"");
    assert_eq!(case.judge(), "verify/artifact");
}

#[test]
fn what_is_accepted_is_told() {
    let case = Case::statement(&subject());
    let accepted = verify(&case.bytes(), &case.root(), &case.artifact, &case.policy).unwrap();
    assert_eq!(accepted.artifact(), &case.artifact);
    assert_eq!(accepted.predicate_type(), Some("p"));
    assert_eq!(accepted.annotations()["env"], "prod");
    let SignedBy::Certificate(certificate) = accepted.signed_by() else { panic!("a certificate") };
    assert_eq!((certificate.san(), certificate.issuer()), (EMAIL, ISSUER));
    let [entry] = accepted.entries() else { panic!("one entry") };
    assert_eq!((entry.index(), entry.operator()), (Some(1001), "https://rekor.forged.test"));
    assert_eq!(entry.log_id().len(), 32);
    let [stamp] = accepted.timestamps() else { panic!("one timestamp") };
    assert_eq!(stamp.time(), begin() + Duration::from_secs(2));
    let kept = verify_bundle(case.bytes(), &case.root(), &case.artifact, &case.policy).unwrap();
    assert_eq!(kept.bytes(), case.bytes());
    assert_eq!((kept.digest(), kept.predicate_type()), (&case.artifact, Some("p")));
    assert_eq!(kept.certificate().san(), EMAIL);
    assert_eq!((kept.entries().len(), kept.timestamps().len()), (1, 1));
}

/// What a signer requires of its own bundle.
#[test]
fn a_bundle_of_this_program_is_of_its_key_and_kind() {
    let case = Case::statement(&subject());
    let root = case.root();
    let accepted = verify(&case.bytes(), &root, &case.artifact, &case.policy).unwrap();
    let SignedBy::Certificate(certificate) = accepted.signed_by() else { panic!("a certificate") };
    let expected = Expected {
        artifact: &case.artifact,
        identity: EMAIL,
        issuer: ISSUER,
        predicate_type: None,
        public_key: None,
        entries: 1,
        timestamps: 1,
    };
    let (own, other) = (certificate.spki_der(), public_key(1));
    for (expected, code) in [
        (expected, "ok"),
        (Expected { public_key: Some(own), ..expected }, "ok"),
        (Expected { public_key: Some(other.spki()), ..expected }, "verify/key"),
        (Expected { predicate_type: Some("p"), ..expected }, "ok"),
        (Expected { predicate_type: Some("q"), ..expected }, "verify/predicate-type"),
        (Expected { identity: ISSUER, ..expected }, "verify/identity"),
        (Expected { issuer: EMAIL, ..expected }, "verify/issuer"),
        (Expected { entries: 2, ..expected }, "verify/too-few-entries"),
        (Expected { timestamps: 2, ..expected }, "verify/too-few-timestamps"),
    ] {
        let found = bundle(case.bytes(), &root, &expected);
        let found = found.map_or_else(|error| error.code().into_owned(), |_| "ok".to_owned());
        assert_eq!(found, code, "{expected:?}");
    }
}

/// What a bundle is about is known before it is verified.
#[test]
fn a_bundle_says_what_it_is_about() {
    let digest = Digest::of(FILE);
    let file = Case::new(|_| {}).bytes();
    let statement = Case::statement(&subject()).bytes();
    let others = json!({"digest": {"sha256": digest.hex(), "sha512": "00"}});
    let others = Case::statement(&others).bytes();
    for (bytes, named, has_others) in [
        (&file, Ok(vec![]), false),
        (&statement, Ok(vec![digest]), false),
        (&others, Ok(vec![digest]), true),
        (&b"{}".to_vec(), Err("bundle/malformed".to_owned()), false),
    ] {
        assert_eq!(about(bytes).map_err(|error| error.code().into_owned()), named);
        assert_eq!(has_other_digests(bytes), has_others);
    }
}

/// A bundle of a key, by the field.
#[test]
fn a_key_signs_without_a_certificate() {
    const BUNDLE: &[u8] = include_bytes!(
        "../../../tests/vectors/bundle-verify/managed-key-happy-path/bundle.sigstore.json"
    );
    const KEY: &str =
        include_str!("../../../tests/vectors/bundle-verify/managed-key-happy-path/key.pub");
    const ROOT: &[u8] = include_bytes!("../../../tests/vectors/roots/production/trusted_root.json");
    let artifact = Digest::of(include_bytes!("../../../tests/vectors/bundle-verify/a.txt"));
    let (root, key) = (TrustedRoot::parse(ROOT).unwrap(), PublicKey::from_pem(KEY).unwrap());
    let mut policy = Case::new(|_| {}).policy;
    let judge = |policy: &Policy| {
        let found = verify(BUNDLE, &root, &artifact, policy);
        found.map_or_else(|error| error.code().into_owned(), |_| "ok".to_owned())
    };
    assert_eq!(judge(&policy), "verify/key-signed");
    policy.signer = Signer::Key(public_key(1));
    assert_eq!(judge(&policy), "verify/key");
    policy.signer = Signer::Key(key.clone());
    assert_eq!(judge(&policy), "ok");
    let accepted = verify(BUNDLE, &root, &artifact, &policy).unwrap();
    assert!(matches!(accepted.signed_by(), SignedBy::Key(found) if *found == key));
    let found = verify_bundle(BUNDLE.to_vec(), &root, &artifact, &policy);
    assert_eq!(found.unwrap_err().code(), "verify/key-signed");
}
