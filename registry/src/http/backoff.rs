// SPDX-License-Identifier: Apache-2.0
//! Waiting for what a registry may show late.

use std::time::Duration;

use ambisign_host::Host;
use tokio::time::{Instant, sleep};

/// How long a registry may take to see what others have pushed.
const SETTLE: Duration = Duration::from_secs(10);

/// How long a registry may take to show what it took from us.
const VISIBLE: Duration = Duration::from_secs(60);

/// What is left of a run when nothing is waited for any more, so that it can say what there is.
const TO_TELL: Duration = Duration::from_secs(2);

/// The first wait for it.
const FIRST_LOOK: Duration = Duration::from_millis(100);

/// The longest wait between two looks.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// Repeated looks, in growing steps, at something that a registry may show late.
pub(crate) struct Backoff {
    end: Instant,
    next: Duration,
}

impl Backoff {
    /// For what others have pushed.
    pub(crate) fn new() -> Self {
        Self::until(Instant::now() + SETTLE)
    }

    /// For what the registry took from us.
    pub(crate) fn of_ours(host: &Host) -> Self {
        Self::until(visible_by(host))
    }

    /// The last look is before `end`.
    pub(crate) fn until(end: Instant) -> Self {
        Self {
            end,
            next: FIRST_LOOK,
        }
    }

    /// Waits for the next look; `false` when there is none.
    pub(crate) async fn wait(&mut self) -> bool {
        if Instant::now() + self.next >= self.end {
            return false;
        }
        sleep(self.next).await;
        self.next = self.next.saturating_mul(2).min(LONGEST_LOOK);
        true
    }
}

/// Until when a registry must show what it took from us.
pub(crate) fn visible_by(host: &Host) -> Instant {
    let end = Instant::now() + VISIBLE;
    let run = host.net.deadline();
    let run = run.and_then(|run| run.checked_sub(TO_TELL));
    run.map_or(end, |run| end.min(run))
}
