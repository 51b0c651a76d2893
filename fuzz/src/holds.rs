// SPDX-License-Identifier: Apache-2.0
//! Checks that apply to every parser.

use ambisign_host::Explain;
use serde_json::Value;

/// The longest allowed message, in bytes. Much of it may be a server's text.
const LONGEST_MESSAGE: usize = 2048;

/// Checks an error: its message must be short.
pub fn check_error(error: &impl Explain) {
    short(&error.to_string());
    assert!(error.code().contains('/'), "{}", error.code());
    if let Some(fix) = error.fix() {
        short(&fix);
    }
}

/// A server must not determine the length of a message.
pub fn short(message: &str) {
    let length = message.len();
    let start: String = message.chars().take(300).collect();
    assert!(length <= LONGEST_MESSAGE, "{length} bytes: {start}");
}

/// Every reader must understand accepted JSON in the same way: no deep nesting and no repeated key.
pub fn strict(bytes: &[u8]) {
    let value: Value = serde_json::from_slice(bytes).expect("invalid JSON was accepted");
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

/// The bytes as text, if they are UTF-8.
pub fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
