// SPDX-License-Identifier: Apache-2.0
//! How much of what is attached to an image is read: an account that may push can attach any number
//! of things.

use std::time::Duration;

/// Of one image. The registry names no more than [`ambisign_registry::MOST_PLACES`].
pub(super) const BUDGET: Budget =
    Budget { all: 100, bytes: 256 * 1024 * 1024, time: Duration::from_secs(120) };

/// Where reading ends.
pub(super) struct Budget {
    /// So many attachments are looked at in any case. Beyond them reading ends with the first acceptable
    /// signature.
    pub(super) all: usize,
    /// So many bytes, and those of what was under way.
    pub(super) bytes: usize,
    /// So long.
    pub(super) time: Duration,
}

/// What was read of one image.
#[derive(Default)]
pub(super) struct Spent {
    pub(super) looked_at: usize,
    pub(super) bytes: usize,
    /// Whether an acceptable signature was among it.
    pub(super) is_accepted: bool,
}

impl Budget {
    /// Whether nothing more is looked at, `since` the first look.
    pub(super) fn is_spent(&self, spent: &Spent, since: Duration) -> bool {
        let is_enough = spent.looked_at >= self.all && spent.is_accepted;
        is_enough || spent.bytes >= self.bytes || since >= self.time
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BUDGET, Budget, Spent};

    #[test]
    fn a_budget_has_a_number_bytes_and_a_time() {
        let budget = Budget { all: 2, bytes: 10, time: Duration::from_secs(1) };
        for (looked_at, bytes, is_accepted, millis, expected) in [
            (1, 1, true, 1, false),
            (2, 1, true, 1, true),
            (9, 1, false, 1, false),
            (1, 10, false, 1, true),
            (1, 1, false, 1000, true),
        ] {
            let spent = Spent { looked_at, bytes, is_accepted };
            let is_spent = budget.is_spent(&spent, Duration::from_millis(millis));
            assert_eq!(is_spent, expected, "{looked_at} {bytes} {millis}");
        }
        const { assert!(BUDGET.all < ambisign_registry::MOST_PLACES) };
    }
}
