// SPDX-License-Identifier: Apache-2.0
//! Annotations: the few lines that GitHub shows on the page of a run and in a pull request.
//!
//! It shows ten of a kind for each step, so what has one cause is one annotation.

use std::collections::BTreeMap;

use ambisign_host::{Class, Failure, Warning};

use super::super::runner::Runner;
use super::super::sanitize;

/// More are not shown.
const MOST: usize = 10;

/// A workflow command that makes an annotation.
pub(in crate::report) struct Annotation {
    command: &'static str,
    title: String,
    file: Option<String>,
    message: String,
}

impl Annotation {
    /// The line of the log that is the command; every text passes `clean` first.
    pub(in crate::report) fn line(&self, clean: &dyn Fn(&str) -> String) -> String {
        let property = |text: &str| sanitize::command_property(&clean(text));
        let file = self.file.as_deref().map(|file| {
            let file = property(file);
            format!(",file={file}")
        });
        format!(
            "::{} title={}{}::{}\n",
            self.command,
            property(&format!("ambisign: {}", self.title)),
            file.unwrap_or_default(),
            sanitize::command_message(&clean(&self.message)),
        )
    }
}

/// One for each code of `failures`. What is about the job's identity is said of the workflow's file:
/// that is where it is put right.
pub(in crate::report) fn errors(failures: &[&Failure], runner: &Runner) -> Vec<Annotation> {
    let of_code = by_code(failures, |failure| failure.code.as_str());
    let annotation = |(code, failure, count): (&str, &&Failure, usize)| {
        let mut message = failure.what.clone();
        for because in &failure.because {
            message = format!("{message}: {because}");
        }
        if let Some(fix) = &failure.fix {
            message = format!("{message}. Fix: {fix}");
        }
        let of_workflow = failure.class == Class::Identity;
        Annotation {
            command: "error",
            title: code.to_owned(),
            file: runner.workflow.clone().filter(|_| of_workflow),
            message: message + &more(count),
        }
    };
    of_code.into_iter().take(MOST).map(annotation).collect()
}

/// One for each code of `warnings`.
pub(in crate::report) fn warnings(warnings: &[Warning]) -> Vec<Annotation> {
    let of_code = by_code(warnings, |warning| warning.code);
    let annotation = |(code, first, count): (&str, &Warning, usize)| Annotation {
        command: "warning",
        title: code.to_owned(),
        file: None,
        message: first.message.clone() + &more(count),
    };
    of_code.into_iter().take(MOST).map(annotation).collect()
}

/// The first of each code with their number, in the order of the first ones.
fn by_code<'a, T>(items: &'a [T], code: impl Fn(&'a T) -> &'a str) -> Vec<(&'a str, &'a T, usize)> {
    let mut places = BTreeMap::new();
    let mut found: Vec<(&str, &T, usize)> = Vec::new();
    for item in items {
        let code = code(item);
        let at = *places.entry(code).or_insert(found.len());
        match found.get_mut(at) {
            Some((_, _, count)) => *count += 1,
            None => found.push((code, item, 1)),
        }
    }
    found
}

fn more(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        2 => " (and 1 more of this kind in the log)".to_owned(),
        count => format!(" (and {} more of this kind in the log)", count - 1),
    }
}
