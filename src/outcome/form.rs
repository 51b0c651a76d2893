// SPDX-License-Identifier: Apache-2.0
//! The forms in which documents have times, durations and paths: each is named in `serde(with)`, which
//! the schema reads, too.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::{Serialize as _, Serializer};

use super::time::{millis, rfc3339};

/// A time of RFC 3339 in UTC.
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, extend("format" = "date-time")))]
pub(crate) struct Time;

impl Time {
    pub(crate) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&rfc3339(*time))
    }
}

/// The same, or nothing.
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "Option<String>", inline))]
pub(crate) struct MaybeTime;

impl MaybeTime {
    pub(crate) fn serialize<S: Serializer>(
        time: &Option<SystemTime>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(rfc3339).serialize(to)
    }
}

/// Whole milliseconds.
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "u64", inline))]
pub(crate) struct Millis;

impl Millis {
    pub(crate) fn serialize<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(millis(*took))
    }
}

/// A path for people: bytes that are not UTF-8 are replaced.
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "Option<String>", inline))]
pub(crate) struct MaybePath;

impl MaybePath {
    pub(crate) fn serialize<S: Serializer>(
        path: &Option<PathBuf>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let path = path.as_ref().map(|path| path.display().to_string());
        path.serialize(to)
    }
}
