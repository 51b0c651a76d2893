// SPDX-License-Identifier: Apache-2.0
//! The checks: each takes any bytes, and panics when something does not hold that must.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ambisign::bundle::{Bundle, Content as Signed};
use ambisign::digest::Digest;
use ambisign::dsse::{self, Envelope};
use ambisign::fulcio::{self, SigningCertificate, chain, sct};
use ambisign::identity::Identity;
use ambisign::image::Reference;
use ambisign::trust::x509::Certificate;
use ambisign::trust::{SigningConfig, TrustedRoot};
use ambisign::witness::checkpoint::Checkpoint;
use ambisign::witness::note::Note;
use ambisign::witness::{Content, LogEntry, Logged, Stamped, Timestamp, merkle, tiles};
use ambisign::{json, registry, verify};
use ambisign_providers::{Answer, Explain, Token};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::bend::{self, Choices};
use super::meaning;
use super::vectors::{self, Vector};

/// No message is longer, in bytes: much of it may be a server's text.
const LONGEST_MESSAGE: usize = 2048;

/// A moment at which all services of the public instance are valid.
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

/// What must hold of every error.
fn told(error: &impl Explain) {
    short(&error.to_string());
    assert!(error.code().contains('/'), "{}", error.code());
    if let Some(fix) = error.fix() {
        short(&fix);
    }
}

fn short(message: &str) {
    let length = message.len();
    let start: String = message.chars().take(300).collect();
    assert!(length <= LONGEST_MESSAGE, "{length} bytes: {start}");
}

/// JSON that was taken must be what every reader makes of it: flat enough, and no key twice.
fn strict(bytes: &[u8]) {
    let value: Value = serde_json::from_slice(bytes).expect("JSON was taken that is none");
    let (mut depth, mut deepest, mut colons) = (0, 0, 0);
    let (mut inside, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ if inside => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            b':' => colons += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    assert!(deepest < 128, "{deepest} levels were taken");
    assert_eq!(members(&value), colons, "a repeated key was taken");
}

/// The number of members, in all objects together.
fn members(value: &Value) -> usize {
    match value {
        Value::Object(members_) => members_.len() + members_.values().map(members).sum::<usize>(),
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Bundles: what is written says what was read.
pub fn bundle(bytes: &[u8]) {
    match Bundle::parse(bytes) {
        Err(error) => told(&error),
        Ok(bundle) => {
            strict(bytes);
            let written = bundle.to_json().expect("JSON");
            let again = Bundle::parse(&written).expect("what was written");
            assert_eq!(again, bundle);
            assert_eq!(again.to_json().expect("JSON"), written);
            if let Err(error) = vectors::named("happy-path-v0.3").verify(bytes.to_vec()) {
                told(&error);
            }
            if let Signed::Envelope(envelope) = bundle.content() {
                assert_eq!(
                    taken_apart(&envelope.pae()).as_ref(),
                    Some(envelope_parts(envelope)).as_ref()
                );
            }
        }
    }
}

fn envelope_parts(envelope: &Envelope) -> (Vec<u8>, Vec<u8>) {
    (
        envelope.payload_type.clone().into_bytes(),
        envelope.payload.clone(),
    )
}

/// Type and payload of a pre-authentication encoding, by the lengths that it names.
fn taken_apart(pae: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let length: usize = text(&bytes[..space])?.parse().ok()?;
        bytes[space + 1..].split_at_checked(length)
    }
    let (kind, rest) = part(pae.strip_prefix(b"DSSEv1 ")?)?;
    let (payload, rest) = part(rest.strip_prefix(b" ")?)?;
    rest.is_empty().then(|| (kind.to_vec(), payload.to_vec()))
}

/// Bundles that were believed and then changed: only what nobody signs may differ.
pub fn mutated_bundle(bytes: &[u8]) {
    let (vector, changed) = bend::bent(&mut Choices(bytes));
    judge(vector, changed);
}

/// Whether `changed`, made from `vector`, is believed; it must not be where something matters.
pub fn judge(vector: &Vector, changed: Vec<u8>) -> bool {
    match vector.verify(changed.clone()) {
        Ok(verified) => {
            strict(&changed);
            let why = meaning::difference(vector, &verified);
            assert_eq!(
                why,
                None,
                "{}: {:?}",
                vector.name,
                bend::places_of(vector, &changed)
            );
            true
        }
        Err(error) => {
            told(&error);
            false
        }
    }
}

/// Certificates with SCTs: none is trusted but those that Fulcio made.
pub fn certificate(bytes: &[u8]) {
    let authority = Certificate::parse(bytes);
    let certificate = match SigningCertificate::parse(bytes) {
        Ok(certificate) => certificate,
        Err(error) => return told(&error),
    };
    assert!(authority.is_some_and(|found| found.der() == bytes));
    assert_eq!(certificate.der(), bytes);
    let pem = certificate.pem().expect("PEM");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(STANDARD.decode(body).as_deref(), Ok(bytes));
    let vector = vectors::named("happy-path-v0.3");
    let root = &vector.root;
    for authority in root.authorities() {
        // As if it were issued by this authority.
        if let Some(issuer) = authority.chain().first() {
            let _promised = sct::verify(&certificate, issuer, root);
        }
    }
    if let Err(error) = chain::verify(&certificate, root, certificate.not_before()) {
        told(&error);
    }
    match certificate.trusted(root) {
        Err(error) => told(&error),
        Ok(()) => {
            let tbs = |der: &[u8]| {
                let node = super::der::read(der)?.into_iter().next()?;
                Some(super::der::write(node.nodes().get(..2)?))
            };
            let mut known = vectors::all()
                .iter()
                .map(|vector| vector.bundle.certificate());
            assert!(known.any(|der| tbs(der) == tbs(bytes)), "trusted");
        }
    }
}

/// `WWW-Authenticate` and `Link`.
pub fn challenge(bytes: &[u8]) {
    if let Some(realm) = registry::fuzzing::realm(bytes) {
        assert!(realm.has_host());
    }
    if let Some(header) = text(bytes)
        && let Some(target) = registry::fuzzing::link(header)
    {
        assert!(header.contains(&format!("<{target}>")));
    }
}

/// Configuration files of container tools.
pub fn docker_config(bytes: &[u8]) {
    for host in ["registry.example", "index.docker.io"] {
        if registry::fuzzing::credentials(bytes, host, "acme/app").is_ok() {
            strict(bytes);
        }
    }
}

/// Answers of Fulcio.
pub fn fulcio_answer(bytes: &[u8]) {
    if let Some(leaf) = fulcio::fuzzing::leaf(bytes) {
        strict(bytes);
        let _profile = SigningCertificate::parse(&leaf);
    }
    if fulcio::fuzzing::issuers(bytes).is_some() {
        strict(bytes);
    }
    if let Some(message) = fulcio::fuzzing::message(bytes) {
        short(&message);
    }
}

/// Image references: what is shown can be read again, and means the same.
pub fn image_reference(bytes: &[u8]) {
    let Some(input) = text(bytes) else { return };
    let reference = match Reference::parse(input) {
        Ok(reference) => reference,
        Err(error) => return told(&error),
    };
    let shown = reference.to_string();
    assert_eq!(Reference::parse(&shown).as_ref(), Ok(&reference), "{shown}");
    let name = reference.repository();
    assert!(name.len() <= 255 && !name.contains("//") && !name.contains(".."));
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-/".contains(&b);
    assert!(name.bytes().all(is_name), "{name}");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    assert!(
        name.split('/')
            .all(|part| part.starts_with(plain) && part.ends_with(plain))
    );
    let is_tag = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    assert!(
        reference
            .tag()
            .is_none_or(|tag| tag.len() <= 128 && tag.bytes().all(is_tag))
    );
    // The name as it stands is in the input: nothing is repaired.
    assert!(input.contains(name.strip_prefix("library/").unwrap_or(name)));
    if let Some(digest) = reference.digest() {
        assert!(input.ends_with(&digest.to_string()));
    }
}

/// Log entries in the forms of bundles, Rekor v2 and Rekor v1: none is believed but the real one.
pub fn log_entry(bytes: &[u8]) {
    for parse in [LogEntry::from_json, LogEntry::from_v1] {
        let entry = match parse(bytes) {
            Ok(entry) => entry,
            Err(error) => {
                told(&error);
                continue;
            }
        };
        strict(bytes);
        for name in [
            "happy-path-v0.3",
            "rekor2-happy-path",
            "happy-path-intoto-in-dsse-v3",
        ] {
            verify_entry(&entry, vectors::named(name));
        }
    }
}

fn verify_entry(entry: &LogEntry, vector: &Vector) {
    let certificate = SigningCertificate::parse(vector.bundle.certificate()).expect("a vector");
    let content = match vector.bundle.content() {
        Signed::Envelope(envelope) => Content::Envelope(envelope),
        Signed::Message { signature, .. } => Content::Message {
            digest: &vector.artifact,
            signature,
        },
    };
    let logged = Logged {
        certificate: &certificate,
        content,
    };
    match entry.verify(&logged, &vector.root) {
        Ok(_) => {
            let mut real = vector.bundle.entries().iter();
            assert!(real.any(|real| real.body() == entry.body()), "believed");
        }
        Err(error) => told(&error),
    }
    if let Err(error) = entry.verify_submitted(&logged, &vector.root) {
        told(&error);
    }
}

/// Inclusion proofs: the root is that of the tree, computed leaf by leaf, and tiles give the same
/// proof; another proof gives another root.
pub fn merkle(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let size = choices.below(4096) + 1;
    let index = choices.below(size);
    let leaves: Vec<_> = (0..size)
        .map(|n| merkle::leaf_hash(&n.to_be_bytes()))
        .collect();
    let (mut proof, root) = naive(index, &leaves);
    let (at, of) = (number(index), number(size));
    assert_eq!(merkle::root(leaves[index], at, of, &proof), Some(root));
    let served = |tile: tiles::Tile| {
        let span = 1 << (8 * tile.level);
        let first = usize::try_from(tile.index).expect("small") * 256;
        let width = usize::try_from(tile.width).expect("small");
        let nodes = leaves.chunks_exact(span).skip(first).take(width);
        (tile, nodes.map(tree).collect::<Vec<_>>())
    };
    let needed: BTreeMap<_, _> = tiles::needed(at, of).into_iter().map(served).collect();
    assert_eq!(tiles::inclusion_proof(at, of, &needed), Some(proof.clone()));
    // A lie.
    let place = choices.below(proof.len() + 1);
    match choices.below(4) {
        0 if place < proof.len() => drop(proof.remove(place)),
        1 => proof.insert(place, root),
        2 if place < proof.len() => proof[place][choices.below(32)] ^= 1 << choices.below(8),
        _ => {
            let other = choices.below(size);
            let found = merkle::root(leaves[index], number(other), of, &proof);
            return assert!(other == index || found != Some(root), "{other} for {index}");
        }
    }
    assert_ne!(merkle::root(leaves[index], at, of, &proof), Some(root));
    // Trees that nobody can hold.
    let wild: Vec<u64> = bytes
        .chunks(8)
        .map(|eight| eight.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
        .collect();
    if let [index, size, ..] = wild.as_slice() {
        let _any = merkle::root(leaves[0], *index, *size, &proof);
        for tile in tiles::needed(*index, *size) {
            assert!((1..=256).contains(&tile.width) && tile.path().starts_with("tile/"));
        }
        assert_eq!(
            tiles::inclusion_proof(*index, *size, &BTreeMap::new()).unwrap_or_default(),
            Vec::<[u8; 32]>::new()
        );
    }
}

fn number(small: usize) -> u64 {
    u64::try_from(small).expect("small")
}

fn split(leaves: &[[u8; 32]]) -> (&[[u8; 32]], &[[u8; 32]]) {
    leaves.split_at(leaves.len().next_power_of_two() / 2)
}

fn tree(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = split(leaves);
            merkle::node_hash(&tree(left), &tree(right))
        }
    }
}

/// Proof and root, as RFC 6962 2.1 defines them.
fn naive(index: usize, leaves: &[[u8; 32]]) -> (Vec<[u8; 32]>, [u8; 32]) {
    if let [leaf] = leaves {
        return (Vec::new(), *leaf);
    }
    let (left, right) = split(leaves);
    let (mut proof, sibling, root);
    if index < left.len() {
        let (below, hash) = naive(index, left);
        (proof, sibling) = (below, tree(right));
        root = merkle::node_hash(&hash, &sibling);
    } else {
        let (below, hash) = naive(index - left.len(), right);
        (proof, sibling) = (below, tree(left));
        root = merkle::node_hash(&sibling, &hash);
    }
    proof.push(sibling);
    (proof, root)
}

/// Signed notes and checkpoints: put together again they are what they were.
pub fn note(bytes: &[u8]) {
    let Some(input) = text(bytes) else { return };
    let Some(note) = Note::parse(input) else {
        assert!(Checkpoint::parse(input).is_none());
        return;
    };
    let mut again = format!("{}\n", note.text);
    for line in &note.signatures {
        let bytes = [&line.hint[..], &line.bytes].concat();
        again += &format!("\u{2014} {} {}\n", line.name, STANDARD.encode(bytes));
    }
    assert_eq!(again, input);
    let Some(checkpoint) = Checkpoint::parse(input) else {
        return;
    };
    let head = [
        checkpoint.origin,
        &checkpoint.size.to_string(),
        &STANDARD.encode(checkpoint.root),
    ];
    assert!(note.text.starts_with(&(head.join("\n") + "\n")));
    for name in ["happy-path-v0.3", "rekor2-happy-path"] {
        let vector = vectors::named(name);
        for log in vector.root.log_ids().filter_map(|id| vector.root.log(id)) {
            let own = checkpoint.origin.split(' ').next().unwrap_or_default();
            if checkpoint.is_signed_by(log, own) {
                let real = |vector: &Vector| {
                    let mut proofs = vector.bundle.entries().iter().filter_map(LogEntry::proof);
                    proofs.any(|proof| proof.checkpoint.starts_with(note.text))
                };
                assert!(vectors::all().iter().any(real), "believed: {input}");
            }
        }
    }
}

/// Answers of token services, in the shapes of all providers.
pub fn provider_answer(bytes: &[u8]) {
    let answer = Answer {
        url: "https://token.example/".parse().expect("a URL"),
        status: Default::default(),
        headers: Default::default(),
        body: bytes.to_vec(),
    };
    let Some(body) = answer.json::<BTreeMap<String, Value>>() else {
        return;
    };
    strict(bytes);
    for name in ["access_token", "id_token", "token", "value"] {
        if let Some(Value::String(token)) = body.get(name) {
            identity(token);
        }
    }
}

/// Manifests, indexes, lists of referrers, and answers of token endpoints.
pub fn registry_answer(bytes: &[u8]) {
    for media_type in [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ] {
        match registry::fuzzing::manifest(bytes, media_type) {
            Err(error) => told(&error),
            Ok((digest, children)) => {
                strict(bytes);
                assert_eq!(digest, Digest::of(bytes));
                assert!(children.len() <= 1000);
            }
        }
    }
    match registry::fuzzing::referrers(bytes) {
        Ok(_) => strict(bytes),
        Err(error) => short(&error.to_string()),
    }
    if registry::fuzzing::token(bytes).is_ok() {
        strict(bytes);
    }
    merge(bytes);
}

/// What others wrote into an index stays; what is there already is not added; the order of writers
/// does not matter for what is listed.
fn merge(bytes: &[u8]) {
    let merge = registry::fuzzing::merge;
    let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
    let one = match merge(bytes, &[a]) {
        Ok(one) => one,
        Err(error) => return short(&error),
    };
    strict(bytes);
    strict(one.as_bytes());
    assert_eq!(merge(one.as_bytes(), &[a]).as_ref(), Ok(&one));
    let listed = |text: &str| -> Vec<String> {
        let index: Value = serde_json::from_str(text).expect("an index");
        let list = index["manifests"].as_array().cloned().unwrap_or_default();
        list.iter().map(ToString::to_string).collect()
    };
    let before = listed(text(bytes).expect("text"));
    assert!(listed(&one).starts_with(&before));
    let ab = merge(one.as_bytes(), &[b]).expect("an index");
    let ba = merge(&merge(bytes, &[b]).expect("an index").into_bytes(), &[a]).expect("an index");
    let set = |text: &str| listed(text).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(&ab), set(&ba));
}

/// Signing configs.
pub fn signing_config(bytes: &[u8]) {
    let config = match SigningConfig::parse(bytes) {
        Ok(config) => config,
        Err(error) => return told(&error),
    };
    strict(bytes);
    match config.select(now()) {
        Err(error) => told(&error),
        Ok(services) => {
            assert!(!services.logs.is_empty());
            let all = services.logs.iter().chain(&services.authorities);
            for service in all.chain([&services.fulcio]) {
                assert!(ambisign_providers::plain_http_allowed(&service.url));
            }
        }
    }
}

/// Statements in envelopes.
pub fn statement(bytes: &[u8]) {
    let envelope = Envelope {
        payload_type: dsse::IN_TOTO.to_owned(),
        payload: bytes.to_vec(),
        signature: Vec::new(),
    };
    let artifact = Digest::of(b"artifact");
    match verify::fuzzing::is_about(&envelope, &artifact) {
        Err(error) => told(&error),
        Ok(about) => {
            strict(bytes);
            assert!(!about || text(bytes).is_some_and(|text| text.contains("sha256")));
        }
    }
}

/// Timestamps: none is believed but the real one.
pub fn timestamp(bytes: &[u8]) {
    for name in [
        "rekor2-timestamp-with-embedded-cert",
        "intoto-with-custom-trust-root",
    ] {
        let vector = vectors::named(name);
        let certificate = SigningCertificate::parse(vector.bundle.certificate()).expect("a vector");
        let stamped = Stamped {
            signature: vector.bundle.content().signature(),
            nonce: None,
            certificate: &certificate,
        };
        match Timestamp::verify(bytes, &stamped, &vector.root) {
            Err(error) => told(&error),
            Ok(_) => {
                let found = meaning::signed(bytes);
                let mut real = vector.bundle.timestamps().iter();
                assert!(
                    found.is_some() && real.any(|der| meaning::signed(der) == found),
                    "believed"
                );
            }
        }
    }
}

/// Identity tokens: as they are, or made of claims where a first byte says so.
pub fn token(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, claims)) => {
            let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            let token = format!("{}.{}.c2ln", part(br#"{"alg":"RS256"}"#), part(claims));
            if identity(&token) {
                strict(claims);
            }
        }
        _ => {
            identity(&String::from_utf8_lossy(bytes));
        }
    }
}

/// Whether it is a token of ours.
fn identity(token: &str) -> bool {
    let Some(token) = Token::new(token) else {
        return false;
    };
    assert_eq!(format!("{token:?}"), "Token(***)");
    match Identity::parse(token, "sigstore", now()) {
        Err(error) => {
            told(&error);
            false
        }
        Ok(identity) => {
            assert!(
                identity
                    .audiences()
                    .iter()
                    .any(|audience| audience == "sigstore")
            );
            assert!(identity.issuer().starts_with("http") && !identity.sub().is_empty());
            if let Err(error) = identity.guard_privacy(true, false) {
                told(&error);
            }
            true
        }
    }
}

/// Trusted roots.
pub fn trusted_root(bytes: &[u8]) {
    let root = match TrustedRoot::parse(bytes) {
        Ok(root) => root,
        Err(error) => return told(&error),
    };
    strict(bytes);
    if let Err(error) = root.sufficient(now(), true) {
        told(&error);
    }
    assert!(root.log_ids().all(|id| root.log(id).is_some()));
    let authorities = root
        .authorities()
        .iter()
        .chain(root.timestamp_authorities());
    assert!(
        authorities
            .into_iter()
            .all(|authority| !authority.chain().is_empty())
    );
    for vector in vectors::all().iter().take(3) {
        if let Ok(certificate) = SigningCertificate::parse(vector.bundle.certificate())
            && let Err(error) = certificate.trusted(&root)
        {
            told(&error);
        }
    }
    let _same = json::parse::<Value>(bytes).expect("what was taken");
}
