// SPDX-License-Identifier: Apache-2.0
//! How much of what is attached to an image is read: an account that may push can attach any number
//! of things.

use std::time::Duration;

/// Of one image: up to the first acceptable signature. The registry names no more than
/// [`ambisign_registry::MOST_PLACES`].
pub(super) const FIRST: Budget = Budget { all: false, ..WHOLE };
/// Of one image: everything that is attached to it.
pub(super) const WHOLE: Budget =
    Budget { all: true, bytes: 256 * 1024 * 1024, time: Duration::from_secs(120) };

/// Where reading ends.
pub(super) struct Budget {
    /// Otherwise reading ends with the first acceptable signature.
    pub(super) all: bool,
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
        let is_enough = spent.is_accepted && !self.all;
        is_enough || spent.bytes >= self.bytes || since >= self.time
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Budget, FIRST, Spent, WHOLE};

    #[test]
    fn a_budget_has_a_number_bytes_and_a_time() {
        for (all, bytes, is_accepted, millis, expected) in [
            (false, 1, true, 1, true),
            (true, 1, true, 1, false),
            (false, 1, false, 1, false),
            (true, 10, true, 1, true),
            (false, 10, false, 1, true),
            (false, 1, false, 1000, true),
        ] {
            let budget = Budget { all, bytes: 10, time: Duration::from_secs(1) };
            let spent = Spent { looked_at: 9, bytes, is_accepted };
            let is_spent = budget.is_spent(&spent, Duration::from_millis(millis));
            assert_eq!(is_spent, expected, "{all} {bytes} {millis}");
        }
        const { assert!(WHOLE.all && !FIRST.all) };
    }
}
