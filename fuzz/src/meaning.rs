// SPDX-License-Identifier: Apache-2.0
//! The differences between a bundle and a changed copy that verification may accept. Any other
//! difference must make it fail.
//!
//! 1. The JSON may be written differently, have unknown members, or name another version of the format;
//!    the parsed bundles are compared.
//! 2. The digest of a message may be missing, because no signature covers it.
//! 3. A log entry or timestamp may be missing if another one proves a time; the order does not matter.
//!    Those of untrusted logs and authorities are ignored.
//! 4. A promise may be missing. The time of an entry without a promise is then ignored, and so is the
//!    index of an entry of Rekor v1, because the index in the proof counts.
//! 5. The signature lines of a checkpoint may differ, those of witnesses and of the log: it may sign the
//!    same tree again, as it did in some of the vectors.
//! 6. The frame of a timestamp may differ: everything except content, signer identifier, digest
//!    algorithm, signed attributes and signature.

use std::collections::BTreeSet;
use std::time::SystemTime;

use ambisign_sigstore::bundle::Bundle;
use ambisign_sigstore::content::Content;
use ambisign_sigstore::log::LogEntry;
use ambisign_sigstore::log::note::Note;
use ambisign_sigstore::trust::TrustedRoot;
use ambisign_sigstore::verify::VerifiedBundle;

use super::der::{self, Node};
use super::vectors::Vector;

/// The reason why `changed` should have been refused; `None` if it has no significant difference.
pub fn difference(vector: &Vector, changed: &VerifiedBundle) -> Option<&'static str> {
    let original = &vector.bundle;
    let Ok(bundle) = Bundle::parse(changed.bytes()) else {
        return Some("it is not a bundle");
    };
    if bundle.certificate() != original.certificate() {
        return Some("the certificate is another");
    }
    if content(&bundle) != content(original) {
        return Some("the content is another");
    }
    let known = |bundle: &Bundle| entries(bundle, &vector.root);
    if !known(&bundle).is_subset(&known(original)) {
        return Some("a log entry is another");
    }
    let promised = |bundle: &Bundle| promises(bundle, &vector.root);
    if !promised(&bundle).is_subset(&promised(original)) {
        return Some("a promise is another");
    }
    let stamps: Vec<_> = original.timestamps().iter().map(|der| signed(der)).collect();
    let mut believed = changed.timestamps().iter().map(|stamp| signed(stamp.der()));
    if believed.any(|stamp| stamp.is_none() || !stamps.contains(&stamp)) {
        return Some("a timestamp is another");
    }
    None
}

fn content(bundle: &Bundle) -> Vec<Vec<u8>> {
    match bundle.content() {
        Content::Envelope(envelope) => vec![
            b"envelope".to_vec(),
            envelope.payload_type.clone().into_bytes(),
            envelope.payload.clone(),
            envelope.signature.clone(),
        ],
        Content::Message { signature, .. } => vec![b"message".to_vec(), signature.clone()],
    }
}

/// The protected parts of every entry of a log of `root`.
fn entries(bundle: &Bundle, root: &TrustedRoot) -> BTreeSet<Vec<Vec<u8>>> {
    let entries = bundle.entries().iter();
    entries.filter_map(|entry| bound(entry, root)).collect()
}

fn bound(entry: &LogEntry, root: &TrustedRoot) -> Option<Vec<Vec<u8>>> {
    root.log(entry.log_id())?;
    let (kind, version) = entry.kind_version();
    let mut bound = vec![
        entry.log_id().to_vec(),
        kind.as_bytes().to_vec(),
        version.as_bytes().to_vec(),
        entry.body().to_vec(),
    ];
    if (kind, version) == ("hashedrekord", "0.0.2") {
        bound.push(entry.index().to_string().into_bytes());
        bound.push(entry.has_promise().to_string().into_bytes());
    }
    if let Some(proof) = entry.proof() {
        let note = Note::parse(&proof.checkpoint)?;
        bound.push(note.text.as_bytes().to_vec());
        bound.push(proof.index.to_string().into_bytes());
        bound.push(proof.size.to_string().into_bytes());
        bound.push(proof.root.to_vec());
        bound.extend(proof.hashes.iter().map(|hash| hash.to_vec()));
    }
    Some(bound)
}

/// Index and time of the entries of logs of `root` that have a promise.
fn promises(bundle: &Bundle, root: &TrustedRoot) -> BTreeSet<(u64, Option<SystemTime>)> {
    let known = |entry: &&LogEntry| entry.has_promise() && root.log(entry.log_id()).is_some();
    let promise = |entry: &LogEntry| (entry.index(), entry.integrated_time());
    bundle.entries().iter().filter(known).map(promise).collect()
}

/// The protected parts of a timestamp: content, signer, digest algorithm, signed attributes, and
/// signature.
pub fn signed(response: &[u8]) -> Option<Vec<Vec<u8>>> {
    let nodes = der::read(response)?;
    let [response] = nodes.as_slice() else {
        return None;
    };
    let [_status, token, ..] = response.nodes() else {
        return None;
    };
    let [_signed_data, explicit] = token.nodes() else {
        return None;
    };
    let [data] = explicit.nodes() else {
        return None;
    };
    let [_version, _algorithms, content, .., signers] = data.nodes() else {
        return None;
    };
    let [signer] = signers.nodes() else {
        return None;
    };
    let [_version, id, digest, attributes, _algorithm, signature, ..] = signer.nodes() else {
        return None;
    };
    // RFC 5754 2 allows absent or NULL parameters of the digest algorithm; they have the same meaning.
    let digest: &[Node] = digest.nodes().get(..1)?;
    let bytes = |node: &Node| der::write(std::slice::from_ref(node));
    Some(vec![bytes(content), bytes(id), der::write(digest), bytes(attributes), bytes(signature)])
}
