// SPDX-License-Identifier: Apache-2.0
//! Times and durations as text.

use std::time::{Duration, SystemTime};

/// RFC 3339 in UTC, to the second; `unknown` for years that RFC 3339 does not have. Times come from
/// certificates and logs, so none may be able to stop the report.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    /// 9999-12-31T23:59:59Z.
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) if since <= LAST => humantime::format_rfc3339_seconds(time).to_string(),
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}

/// Whole milliseconds.
pub(crate) fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::rfc3339;

    #[test]
    fn no_time_can_stop_the_report() {
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(rfc3339(epoch + Duration::from_secs(1_700_000_000)), "2023-11-14T22:13:20Z");
        assert_eq!(rfc3339(epoch - Duration::from_secs(1)), "unknown");
        let last = epoch + Duration::from_secs(253_402_300_799);
        assert_eq!(rfc3339(last), "9999-12-31T23:59:59Z");
        assert_eq!(rfc3339(last + Duration::from_secs(1)), "unknown");
    }
}
