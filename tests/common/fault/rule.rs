// SPDX-License-Identifier: Apache-2.0
//! The table by which the proxy of faults misbehaves.

use super::kind::Fault;

/// Which paths a rule is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// All.
    Any,
    /// Those that contain the text.
    Contains(&'static str),
    /// Those that begin with the text.
    Prefix(&'static str),
}

/// Which of the requests that match a rule it strikes; counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    /// Those after the first so many.
    After(usize),
    /// All.
    Every,
    /// The first so many.
    First(usize),
    /// That one.
    Nth(usize),
}

/// One row of the table. The first that strikes decides; every row counts what it matches.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// The request method, or `None` for all.
    pub(crate) method: Option<&'static str>,
    /// The path.
    pub(crate) at: At,
    /// Which of the matching requests.
    pub(crate) turn: Turn,
    /// What happens to it.
    pub(crate) fault: Fault,
}

impl Rule {
    /// Strikes every request of `method` to paths at `at`.
    pub(crate) fn on(method: &'static str, at: At, fault: Fault) -> Self {
        Self { method: Some(method), at, turn: Turn::Every, fault }
    }

    /// Strikes only at its turn.
    pub(crate) fn turn(self, turn: Turn) -> Self {
        Self { turn, ..self }
    }

    pub(super) fn matches(&self, method: &str, path: &str) -> bool {
        let at = match self.at {
            At::Any => true,
            At::Contains(part) => path.contains(part),
            At::Prefix(start) => path.starts_with(start),
        };
        at && self.method.is_none_or(|wanted| wanted == method)
    }
}

impl Turn {
    pub(super) fn strikes(self, hit: usize) -> bool {
        match self {
            Self::After(first) => hit > first,
            Self::Every => true,
            Self::First(last) => hit <= last,
            Self::Nth(one) => hit == one,
        }
    }
}
