// SPDX-License-Identifier: Apache-2.0
//! The hashes of files in signed metadata.
//!
//! `tough` knows only SHA-256. Repositories made by go-tuf before version 2, like those of many private
//! instances, have only SHA-512.

use serde_json::Value;
use sha2::{Digest as _, Sha512};
use tough::schema::Hashes;

use super::error::Error;
use crate::digest::Digest;

/// The number of hexadecimal digits of a SHA-512 hash.
const SHA512_DIGITS: usize = 128;

/// Makes hashes without a SHA-256 readable for `tough`: adds an empty one, which matches no file, if
/// there is a SHA-512. Otherwise parsing fails.
pub(super) fn make_readable(document: &mut Value) {
    for listing in ["/signed/meta", "/signed/targets"] {
        let files = document.pointer_mut(listing).and_then(Value::as_object_mut);
        for file in files.into_iter().flat_map(|files| files.values_mut()) {
            if let Some(Value::Object(hashes)) = file.get_mut("hashes")
                && hashes.get("sha512").and_then(Value::as_str).is_some_and(is_sha512)
            {
                hashes.entry("sha256").or_insert_with(|| "".into());
            }
        }
    }
}

/// The hash in the name of a file, in hexadecimal digits.
pub(super) fn name(hashes: &Hashes) -> String {
    match sha512(hashes) {
        Some(digits) if hashes.sha256.is_empty() => digits.to_owned(),
        Some(_) | None => hex::encode(&hashes.sha256),
    }
}

/// Checks that `bytes` match every hash of a known algorithm.
pub(super) fn verify(file: &str, hashes: &Hashes, bytes: &[u8]) -> Result<(), Error> {
    let (sha256, sha512) = (&hashes.sha256, sha512(hashes));
    let first = Digest::of(bytes).bytes().as_slice() == sha256.as_ref();
    let first = first || (sha256.is_empty() && sha512.is_some());
    let second = || hex::encode(Sha512::digest(bytes));
    if first && sha512.is_none_or(|digits| digits == second()) {
        return Ok(());
    }
    let what = "hash";
    Err(Error::Mismatch { file: file.to_owned(), what })
}

fn sha512(hashes: &Hashes) -> Option<&str> {
    let digits = hashes._extra.get("sha512")?;
    Some(digits.as_str().unwrap_or_default())
}

fn is_sha512(digits: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits.len() == SHA512_DIGITS && digits.bytes().all(digit)
}
