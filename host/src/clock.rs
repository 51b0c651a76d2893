// SPDX-License-Identifier: Apache-2.0
//! The wall clock, as a value.

use std::time::SystemTime;

/// Tells the time of day. Waiting and time-outs use `tokio::time` instead.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Source);

#[derive(Clone, Copy, Debug)]
enum Source {
    System,
    Fixed(SystemTime),
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that always shows `time`, for tests.
    pub fn fixed(time: SystemTime) -> Self {
        Self(Source::Fixed(time))
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "the one place where the time enters")]
    pub fn now(&self) -> SystemTime {
        match self.0 {
            Source::System => SystemTime::now(),
            Source::Fixed(time) => time,
        }
    }
}
