// SPDX-License-Identifier: Apache-2.0
//! Which waits are shown. When a host is down, every request to it waits, and one line is enough.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The last wait that was shown for each host.
#[derive(Debug, Default)]
pub struct Waits(Mutex<BTreeMap<String, Shown>>);

#[derive(Debug)]
struct Shown {
    wait: Duration,
    until: Instant,
}

impl Waits {
    /// Whether to show a wait for `host` that begins `now`: the last one shown has ended, or this one
    /// belongs to a later step of the back-off. Within a step, waits differ by at most a factor of two.
    pub fn is_news(&self, host: &str, wait: Duration, now: Instant) -> bool {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = shown.get(host);
        let is_covered =
            last.is_some_and(|last| now < last.until && wait <= last.wait.saturating_mul(2));
        if !is_covered {
            let until = now + wait;
            shown.insert(host.to_owned(), Shown { wait, until });
        }
        !is_covered
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Waits;

    #[test]
    fn one_wait_is_shown_for_each_host_and_step() {
        let (waits, start) = (Waits::default(), Instant::now());
        let is_news = |host, wait, at| {
            let now = start + Duration::from_millis(at);
            waits.is_news(host, Duration::from_millis(wait), now)
        };
        assert!(is_news("r.corp", 500, 0));
        // Others that failed at the same time, with waits of their own.
        assert!(!is_news("r.corp", 250, 1));
        assert!(!is_news("r.corp", 1000, 2));
        assert!(is_news("rekor.example", 400, 3), "another host");
        assert!(is_news("r.corp", 1001, 4), "a longer step");
        assert!(!is_news("r.corp", 2000, 1004));
        assert!(is_news("r.corp", 2000, 1005), "the previous wait has ended");
        assert!(is_news("r.corp", 60_000, 1006), "what the host asked for");
    }
}
