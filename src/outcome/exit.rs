// SPDX-License-Identifier: Apache-2.0
//! How a run ends: its exit code, and what can end it as a whole.

use ambisign_host::{Class, Failure, codes, errors};

/// How a run as a whole ended. Failures of single images are in [`super::Outcome::state`].
#[derive(Clone, Debug, Default)]
pub enum End {
    /// It went through all images.
    #[default]
    Complete,
    /// It stopped.
    Failed(Failure),
    /// Somebody stopped it.
    Interrupted(Signal),
}

codes! {
    /// How a run ends without an error.
    pub(crate) CODES {
        INTERRUPTED = "run/interrupted" {
            what: "The run was stopped from outside, by a signal.",
            why: "The job was cancelled, or it timed out. The exit code is 130 or 143.",
            advice: "Run again: what is signed stays signed.",
        },
    }
}

impl End {
    /// What ended the run, if something did: a signal too, after which `fix` helps.
    pub fn failure(&self, fix: &str) -> Option<Failure> {
        match self {
            Self::Complete => None,
            Self::Failed(failure) => Some(failure.clone()),
            Self::Interrupted(signal) => Some(Failure {
                what: format!("the run was interrupted by {}", signal.name()),
                because: Vec::new(),
                fix: Some(fix.to_owned()),
                code: INTERRUPTED.to_owned(),
                class: Class::Temporary,
            }),
        }
    }

    /// The exit code of a command that does one thing.
    pub fn exit(&self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Failed(failure) => exit(failure.class),
            Self::Interrupted(signal) => signal.exit(),
        }
    }
}

/// A signal that ends a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `SIGINT`.
    Interrupt,
    /// `SIGTERM`.
    Terminate,
}

impl Signal {
    /// 128 and the number of the signal, as shells do.
    pub fn exit(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    /// The name of the signal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

errors! {
    /// What can go wrong with a run as a whole, outside of its stages.
    #[derive(Debug, thiserror::Error)]
    pub enum RunError {
        #[error("the run timed out")]
        Deadline = "run/deadline", Temporary {
            what: "The run timed out before it was done.",
            why: "A service is slow, or there are many images.",
            advice: "Run again; `--timeout` gives more time.",
        },
        #[error("ambisign has a bug and stopped")]
        Panicked = "run/panicked", Bug {
            fix: "report it with the lines above",
            what: "ambisign has a bug, and stopped at it.",
            why: "Something was not as its authors believed.",
            advice: "Report it with the lines before.",
        },
        #[error("the program cannot be started on this system")]
        Start(#[source] source: std::io::Error) = "run/start", Temporary {
            fix: "check the limits of the process: files, threads, memory",
            what: "The system gave the program too little to begin with.",
            why: "Limits of the container on files, threads or memory.",
            advice: "Raise them, or run again when the machine is less busy.",
        },
    }
}

/// The exit code of a batch of which some images are done and some failed for good.
const PARTIAL: u8 = 7;

/// The exit code of a run that ends with an error of `class`.
pub fn exit(class: Class) -> u8 {
    match class {
        Class::Bug => 1,
        Class::Usage => 2,
        Class::Identity => 3,
        Class::Trust => 4,
        Class::Untrusted => 5,
        Class::Registry => 6,
        Class::Rejected => 8,
        Class::Temporary => 75,
    }
}

/// How little a second run helps: what looks like an attack first, what passes by itself last.
fn stubbornness(class: Class) -> u8 {
    match class {
        Class::Rejected => 7,
        Class::Untrusted => 6,
        Class::Bug => 5,
        Class::Usage => 4,
        Class::Trust => 3,
        Class::Identity => 2,
        Class::Registry => 1,
        Class::Temporary => 0,
    }
}

/// The cause that a second run helps least; `None` without failures.
pub fn least_retryable(failures: &[Class]) -> Option<Class> {
    failures.iter().copied().max_by_key(|class| stubbornness(*class))
}

/// The exit code of a batch with `done` images signed and these failures.
///
/// Nothing done: that of the least retryable cause. Some done: 75 when everything that failed may
/// pass, else 7.
pub fn batch_exit(done: usize, failures: &[Class]) -> u8 {
    match least_retryable(failures) {
        None => 0,
        Some(class) if done == 0 || class == Class::Temporary => exit(class),
        Some(_) => PARTIAL,
    }
}

#[cfg(test)]
mod tests {
    use ambisign_host::Class::{
        self, Bug, Identity, Registry, Rejected, Temporary, Trust, Untrusted, Usage,
    };

    use super::{batch_exit, exit, least_retryable};

    #[test]
    fn exit_codes_are_those_of_the_documents() {
        let table = [
            (Bug, 1),
            (Usage, 2),
            (Identity, 3),
            (Trust, 4),
            (Untrusted, 5),
            (Registry, 6),
            (Rejected, 8),
            (Temporary, 75),
        ];
        for (class, code) in table {
            assert_eq!(exit(class), code);
        }
    }

    #[test]
    fn a_batch_without_success_ends_with_its_least_retryable_cause() {
        let rows: [(&[Class], u8); 5] = [
            (&[Temporary], 75),
            (&[Temporary, Registry, Temporary], 6),
            (&[Registry, Identity], 3),
            (&[Trust, Untrusted, Bug], 5),
            (&[Temporary, Usage], 2),
        ];
        for (failures, code) in rows {
            assert_eq!(batch_exit(0, failures), code, "{failures:?}");
        }
        assert_eq!(least_retryable(&[]), None);
    }

    #[test]
    fn a_batch_with_some_success_is_partial_unless_a_second_run_helps() {
        assert_eq!(batch_exit(3, &[]), 0);
        assert_eq!(batch_exit(1, &[Temporary, Temporary]), 75);
        assert_eq!(batch_exit(1, &[Temporary, Registry]), 7);
        assert_eq!(batch_exit(1, &[Untrusted]), 7);
    }
}
