// SPDX-License-Identifier: Apache-2.0
//! Warnings, and errors with their sources, in the form in which they are shown.

use serde::{Serialize, Serializer};

use crate::{Class, Explain};

/// Something the reader should know that did not stop the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// A stable name, `stage/what`.
    pub code: &'static str,
    /// One line, in the form of an error message.
    pub message: String,
}

/// An error in the form in which it is shown. A document has it as `message`, `because`, `fix`, `code`, `class` and
/// `retryable`.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// What happened.
    #[serde(rename = "message")]
    pub what: String,
    /// Why: the sources of the error, outermost first.
    pub because: Vec<String>,
    /// One sentence about what the reader can do.
    pub fix: Option<String>,
    /// The stable name.
    pub code: String,
    /// Who can act on it.
    #[serde(flatten, serialize_with = "with_retryable")]
    pub class: Class,
}

/// `class`, and whether it may help to run again.
fn with_retryable<S: Serializer>(class: &Class, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members {
        class: Class,
        retryable: bool,
    }
    let (class, retryable) = (*class, *class == Class::Temporary);
    Members { class, retryable }.serialize(to)
}

impl Failure {
    /// Collects the messages of `error` and its sources.
    pub fn of(error: &dyn Explain) -> Self {
        let mut because: Vec<String> = Vec::new();
        let what = error.to_string();
        let mut next = error.source();
        while let Some(source) = next {
            let text = source.to_string();
            // A transparent error repeats the message of its source.
            if text != what && because.last() != Some(&text) {
                because.push(text);
            }
            next = source.source();
        }
        Self {
            what,
            because,
            fix: error.fix().map(Into::into),
            code: error.code().into(),
            class: error.class(),
        }
    }

    /// The same for someone who only verifies.
    pub fn for_verifier(error: &dyn Explain) -> Self {
        Self { fix: error.verifier_fix().map(Into::into), ..Self::of(error) }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::io;

    use super::Failure;
    use crate::{Class, Explain};

    #[derive(Debug, thiserror::Error)]
    #[error("the run could not start")]
    struct Start(#[source] io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Sum(#[from] Start);

    impl Explain for Sum {
        fn code(&self) -> Cow<'static, str> {
            "run/start".into()
        }

        fn fix(&self) -> Option<Cow<'static, str>> {
            None
        }

        fn class(&self) -> Class {
            Class::Temporary
        }
    }

    #[test]
    fn a_failure_names_each_source_once() {
        let io = io::Error::other("too many open files");
        let failure = Failure::of(&Sum::from(Start(io)));
        assert_eq!(failure.code, "run/start");
        assert_eq!(failure.because, ["too many open files"]);
    }

    #[test]
    fn a_document_says_whether_to_run_again() {
        let failure = Failure::of(&Sum::from(Start(io::Error::other("x"))));
        let document = serde_json::to_string(&failure).unwrap();
        let expected = r#"{"message":"the run could not start","because":["x"],"fix":null,"code":"run/start","class":"temporary","retryable":true}"#;
        assert_eq!(document, expected);
    }
}
