// SPDX-License-Identifier: Apache-2.0
//! Spans of time.

use std::time::SystemTime;

use crate::protojson;

/// A span of time, both ends included (wire format of the trusted root, `TimeRange`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    start: SystemTime,
    end: Option<SystemTime>,
}

impl Window {
    /// From `start` to `end`, or without end.
    pub fn new(start: SystemTime, end: Option<SystemTime>) -> Self {
        Self { start, end }
    }

    /// Returns `true` if `time` is within it, both ends included.
    pub fn contains(&self, time: SystemTime) -> bool {
        self.start <= time && self.end.is_none_or(|end| time <= end)
    }

    /// The last moment; `None` without end.
    pub fn end(&self) -> Option<SystemTime> {
        self.end
    }

    /// The first moment.
    pub fn start(&self) -> SystemTime {
        self.start
    }
}

/// The JSON form of a window in the trusted root and the signing config.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub(crate) struct Wire {
    #[serde(default, deserialize_with = "protojson::nullable")]
    start: Option<String>,
    #[serde(default, deserialize_with = "protojson::nullable")]
    end: Option<String>,
}

impl Wire {
    /// The window; `None` when it has no start or a time is not RFC 3339 in UTC. A window without
    /// start is malformed, not unbounded.
    pub(crate) fn read(&self) -> Option<Window> {
        let start = humantime::parse_rfc3339(self.start.as_deref()?).ok()?;
        let end = match &self.end {
            Some(end) => Some(humantime::parse_rfc3339(end).ok()?),
            None => None,
        };
        Some(Window { start, end })
    }
}

#[cfg(test)]
mod tests {
    use super::Wire;

    #[test]
    fn includes_both_ends() {
        let wire = r#"{"start":"2023-01-01T00:00:00Z","end":"2023-01-02T00:00:00.999Z"}"#;
        let window = serde_json::from_str::<Wire>(wire).unwrap().read().unwrap();
        for (time, inside) in [
            ("2022-12-31T23:59:59Z", false),
            ("2023-01-01T00:00:00Z", true),
            ("2023-01-02T00:00:00.999Z", true),
            ("2023-01-02T00:00:01Z", false),
        ] {
            let time = humantime::parse_rfc3339(time).unwrap();
            assert_eq!(window.contains(time), inside, "{time:?}");
        }
        let at = |text| humantime::parse_rfc3339(text).unwrap();
        assert_eq!(window.start(), at("2023-01-01T00:00:00Z"));
        assert_eq!(window.end(), Some(at("2023-01-02T00:00:00.999Z")));
    }

    #[test]
    fn needs_a_start() {
        for wire in [r"{}", r#"{"start":null}"#, r#"{"end":"2023-01-02T00:00:00Z"}"#] {
            assert!(serde_json::from_str::<Wire>(wire).unwrap().read().is_none());
        }
    }
}
