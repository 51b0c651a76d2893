// SPDX-License-Identifier: Apache-2.0
//! Waits for content that a registry shows with a delay.

use std::time::Duration;

use ambisign_host::Host;
use tokio::time::{Instant, sleep};

/// The time that a registry may take to show what others have pushed.
const SETTLE: Duration = Duration::from_secs(10);

/// The time that a registry may take to show what this run has pushed.
const VISIBLE: Duration = Duration::from_secs(60);

/// The time at the end of a run when it stops waiting, so that it can report the results.
const TO_TELL: Duration = Duration::from_secs(2);

/// The first wait.
const FIRST_LOOK: Duration = Duration::from_millis(100);

/// The longest wait between two attempts.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// Repeated attempts to read content that a registry may show late, with growing waits.
pub(crate) struct Backoff {
    end: Instant,
    next: Duration,
}

impl Backoff {
    /// For content that others have pushed.
    pub(crate) fn new() -> Self {
        Self::until(Instant::now() + SETTLE)
    }

    /// For content that something other than the registry may answer for.
    pub(crate) fn of_others(host: &Host) -> Self {
        Self::until(visible_by(host).min(Instant::now() + SETTLE))
    }

    /// For content that this run has pushed.
    pub(crate) fn of_ours(host: &Host) -> Self {
        Self::until(visible_by(host))
    }

    /// Makes the last attempt before `end`.
    pub(crate) fn until(end: Instant) -> Self {
        Self { end, next: FIRST_LOOK }
    }

    /// Waits for the next attempt; `false` if there is none.
    pub(crate) async fn wait(&mut self) -> bool {
        if Instant::now() + self.next >= self.end {
            return false;
        }
        sleep(self.next).await;
        self.next = self.next.saturating_mul(2).min(LONGEST_LOOK);
        true
    }
}

/// The time by which a registry must show what this run has pushed.
pub(crate) fn visible_by(host: &Host) -> Instant {
    let end = Instant::now() + VISIBLE;
    let run = host.net.deadline();
    let run = run.and_then(|run| run.checked_sub(TO_TELL));
    run.map_or(end, |run| end.min(run))
}
