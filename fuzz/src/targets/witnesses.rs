// SPDX-License-Identifier: Apache-2.0
//! Log entries, checkpoints and timestamps.

use ambisign_sigstore::certificate::Verifier;
use ambisign_sigstore::log::checkpoint::Checkpoint;
use ambisign_sigstore::log::note::Note;
use ambisign_sigstore::log::{LogEntry, Logged};
use ambisign_sigstore::timestamp::{Stamped, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::holds::{check_error, strict, text};
use super::super::meaning;
use super::super::vectors::{self, Vector};

/// Log entries in the forms of bundles, Rekor v2, Rekor v1 and the older layout: none is believed but the real one.
pub fn log_entry(bytes: &[u8]) {
    for parse in [LogEntry::from_json, LogEntry::from_v1, LogEntry::from_legacy] {
        let entry = match parse(bytes) {
            Ok(entry) => entry,
            Err(error) => {
                check_error(&error);
                continue;
            }
        };
        strict(bytes);
        for name in ["happy-path-v0.3", "rekor2-happy-path", "happy-path-intoto-in-dsse-v3"] {
            verify_entry(&entry, vectors::named(name));
        }
    }
}

fn verify_entry(entry: &LogEntry, vector: &Vector) {
    let certificate = vector.certificate();
    let logged =
        Logged { verifier: Verifier::Certificate(&certificate), content: vector.content() };
    match entry.verify(&logged, &vector.root) {
        Ok(_) => {
            let mut real = vector.bundle.entries().iter();
            assert!(real.any(|real| real.body() == entry.body()), "believed");
        }
        Err(error) => check_error(&error),
    }
    for judged in [
        entry.verify_submitted(&logged, &vector.root),
        entry.verify_promised(&logged, &vector.root),
    ] {
        if let Err(error) = judged {
            check_error(&error);
        }
    }
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
    let head = [checkpoint.origin, &checkpoint.size.to_string(), &STANDARD.encode(checkpoint.root)];
    assert!(note.text.starts_with(&(head.join("\n") + "\n")));
    for name in ["happy-path-v0.3", "rekor2-happy-path"] {
        let vector = vectors::named(name);
        for log in vector.root.log_ids().filter_map(|id| vector.root.log(id)) {
            let own = checkpoint.origin.split(' ').next().unwrap_or_default();
            if checkpoint.is_signed_by(log, own, 2) {
                let real = |vector: &Vector| {
                    let mut proofs = vector.bundle.entries().iter().filter_map(LogEntry::proof);
                    proofs.any(|proof| proof.checkpoint.starts_with(note.text))
                };
                assert!(vectors::all().iter().any(real), "believed: {input}");
            }
        }
    }
}

/// Timestamps: none is believed but the real one.
pub fn timestamp(bytes: &[u8]) {
    for name in ["rekor2-timestamp-with-embedded-cert", "intoto-with-custom-trust-root"] {
        let vector = vectors::named(name);
        let certificate = vector.certificate();
        let stamped = Stamped {
            signature: vector.bundle.content().signature(),
            nonce: None,
            verifier: Verifier::Certificate(&certificate),
        };
        match Timestamp::verify(bytes, &stamped, &vector.root) {
            Err(error) => check_error(&error),
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
