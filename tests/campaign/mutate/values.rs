// SPDX-License-Identifier: Apache-2.0
//! Changes to single values: numbers, texts, times, and what is inside of base64 and PEM.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{mutate, pick};
use crate::fuzz::bend::{self, Choices};
use crate::fuzz::der as tree;
use crate::random::Random;

pub(super) fn number(json: &mut Value, _other: &Value, random: &mut Random) -> bool {
    const LIMITS: [&str; 14] = [
        "0",
        "1",
        "-1",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "9007199254740993",
        "4294967296",
        "0.5",
        "-0.0",
        "1e2",
        "1e308",
        "99999999999",
    ];
    let is_number = |value: &Value| {
        value.is_number() || value.as_str().is_some_and(|text| text.parse::<u64>().is_ok())
    };
    let Some(value) = pick(json, is_number, random) else {
        return false;
    };
    let old = value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default();
    let near = [old.wrapping_add(1).to_string(), old.wrapping_sub(1).to_string()];
    let forms = [format!("0{old}"), format!("+{old}"), format!(" {old}"), format!("{old}.0")];
    let text = match random.below(4) {
        0 => random.one_of(&near).clone(),
        1 => random.one_of(&forms).clone(),
        _ => (*random.one_of(&LIMITS)).to_owned(),
    };
    *value = match value.is_string() {
        true => text.into(),
        false => serde_json::from_str(&text).unwrap_or_else(|_form| text.into()),
    };
    true
}

pub(super) fn text(json: &mut Value, _other: &Value, random: &mut Random) -> bool {
    let Some(Value::String(text)) = pick(json, Value::is_string, random) else {
        return false;
    };
    let old = std::mem::take(text);
    let mut shorter = old.clone();
    shorter.pop();
    *text = match random.below(12) {
        0 => String::new(),
        1 => shorter,
        2 => format!("{old}\0"),
        3 => format!("{old}\n"),
        4 => format!(" {old}"),
        5 => old.to_uppercase(),
        6 => format!("\u{feff}{old}"),
        7 => format!("{old}\u{301}"),
        8 => old.replace('/', "\u{2215}"),
        9 => format!("{old}{}", "a".repeat(*random.one_of(&[255, 512, 4096, 65_536]))),
        10 => old.chars().rev().collect(),
        _ => format!("{old}{old}"),
    };
    true
}

/// Unix time, as a number or as text, or a time by RFC 3339.
pub(super) fn time(json: &mut Value, _other: &Value, random: &mut Random) -> bool {
    const SECONDS: [i64; 12] =
        [1, -1, 60, -60, 61, -61, 601, -601, 86_401, -86_401, 315_360_000, -315_360_000];
    fn unix(value: &Value) -> Option<i64> {
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        number.filter(|seconds| (1_000_000_000..10_000_000_000).contains(seconds))
    }
    fn day(value: &Value) -> Option<SystemTime> {
        humantime::parse_rfc3339_weak(value.as_str()?).ok()
    }
    let Some(value) = pick(json, |value| unix(value).is_some() || day(value).is_some(), random)
    else {
        return false;
    };
    let by = *random.one_of(&SECONDS);
    if let Some(seconds) = unix(value) {
        let moved = seconds + by;
        *value = if value.is_string() { moved.to_string().into() } else { moved.into() };
    } else if let Some(day) = day(value) {
        let by = (Duration::from_secs(by.unsigned_abs()), by < 0);
        let moved = if by.1 { day.checked_sub(by.0) } else { day.checked_add(by.0) };
        let moved = moved.map(|moved| humantime::format_rfc3339_seconds(moved).to_string());
        *value = moved.unwrap_or_default().into();
    }
    true
}

/// What a text holds: base64, alone or as PEM.
fn binary(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str().filter(|text| text.len() > 15)?;
    let pem = || der::pem::decode_vec(text.trim().as_bytes()).ok().map(|(_, bytes)| bytes);
    STANDARD.decode(text).ok().or_else(pem)
}

/// Writes `bytes` into a text as [`binary`] found them there.
fn put(value: &mut Value, bytes: &[u8]) {
    let is_pem = value.as_str().is_some_and(|text| text.contains("-----BEGIN"));
    let ending = der::pem::LineEnding::LF;
    let pem = is_pem.then(|| der::pem::encode_string("CERTIFICATE", ending, bytes).unwrap());
    *value = pem.unwrap_or_else(|| STANDARD.encode(bytes)).into();
}

pub(super) fn bytes(json: &mut Value, _other: &Value, random: &mut Random) -> bool {
    let Some(value) = pick(json, |value| binary(value).is_some(), random) else {
        return false;
    };
    let bytes = binary(value).unwrap();
    put(value, &bend::change_bytes(bytes, &mut Choices(&random.choices())));
    true
}

/// With the lengths around it right.
pub(super) fn der(json: &mut Value, _other: &Value, random: &mut Random) -> bool {
    let is_der = |value: &Value| binary(value).is_some_and(|bytes| tree::read(&bytes).is_some());
    let Some(value) = pick(json, is_der, random) else {
        return false;
    };
    let bytes = binary(value).unwrap();
    let changed = bend::change_der(&bytes, &mut Choices(&random.choices()));
    if let Some(changed) = &changed {
        put(value, changed);
    }
    changed.is_some()
}

/// Documents in texts, in base64 or as they are.
pub(super) fn inside(json: &mut Value, other: &Value, random: &mut Random) -> bool {
    fn document(value: &Value) -> Option<(bool, Value)> {
        let text = value.as_str()?;
        let parse = |bytes: &[u8]| serde_json::from_slice(bytes).ok().filter(Value::is_object);
        let plain = parse(text.as_bytes()).map(|document| (false, document));
        plain.or_else(|| Some((true, parse(&STANDARD.decode(text).ok()?)?)))
    }
    let Some(value) = pick(json, |value| document(value).is_some(), random) else {
        return false;
    };
    let Some((is_encoded, document)) = document(value) else {
        return false;
    };
    let (_, bytes) = mutate(&document, other, random);
    *value = match is_encoded {
        true => STANDARD.encode(bytes).into(),
        false => String::from_utf8_lossy(&bytes).into_owned().into(),
    };
    true
}

pub(super) fn digit(json: &mut Value, _other: &Value, random: &mut Random) -> bool {
    let is_hex = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let text = text.rsplit(':').next().unwrap_or_default();
        text.len() > 15 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let Some(Value::String(text)) = pick(json, is_hex, random) else {
        return false;
    };
    let at = text.rfind(':').map_or(0, |at| at + 1);
    let at = at + random.below(text.len() - at);
    let new = *random.one_of(&["0", "f", "A", "g"]);
    text.replace_range(at..=at, new);
    true
}
