// SPDX-License-Identifier: Apache-2.0
//! The hashes that signed metadata gives of a file.
//!
//! `tough` knows SHA-256 alone. Repositories that go-tuf made before its version 2, as those of many
//! private instances, give SHA-512 alone.

use serde_json::Value;
use sha2::{Digest as _, Sha512};
use tough::schema::Hashes;

use super::error::Error;
use crate::digest::Digest;

/// How many hexadecimal digits a SHA-512 has.
const SHA512_DIGITS: usize = 128;

/// Lets `tough` read hashes without a SHA-256 in `document`: it is given an empty one, which no file
/// has. Without a SHA-512 either, nothing is given, and reading fails.
pub(super) fn make_readable(document: &mut Value) {
    for listing in ["/signed/meta", "/signed/targets"] {
        let files = document.pointer_mut(listing).and_then(Value::as_object_mut);
        for file in files.into_iter().flat_map(|files| files.values_mut()) {
            if let Some(Value::Object(hashes)) = file.get_mut("hashes")
                && hashes
                    .get("sha512")
                    .and_then(Value::as_str)
                    .is_some_and(is_sha512)
            {
                hashes.entry("sha256").or_insert_with(|| "".into());
            }
        }
    }
}

/// The hash that names a file, in hexadecimal digits.
pub(super) fn name(hashes: &Hashes) -> String {
    match sha512(hashes) {
        Some(digits) if hashes.sha256.is_empty() => digits.to_owned(),
        Some(_) | None => hex::encode(&hashes.sha256),
    }
}

/// That `bytes` have all the hashes of known algorithms.
pub(super) fn verify(file: &str, hashes: &Hashes, bytes: &[u8]) -> Result<(), Error> {
    let (sha256, sha512) = (&hashes.sha256, sha512(hashes));
    let first = Digest::of(bytes).bytes().as_slice() == sha256.as_ref();
    let first = first || (sha256.is_empty() && sha512.is_some());
    let second = || hex::encode(Sha512::digest(bytes));
    if first && sha512.is_none_or(|digits| digits == second()) {
        return Ok(());
    }
    let what = "hash";
    Err(Error::Mismatch {
        file: file.to_owned(),
        what,
    })
}

fn sha512(hashes: &Hashes) -> Option<&str> {
    let digits = hashes._extra.get("sha512")?;
    Some(digits.as_str().unwrap_or_default())
}

fn is_sha512(digits: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits.len() == SHA512_DIGITS && digits.bytes().all(digit)
}
