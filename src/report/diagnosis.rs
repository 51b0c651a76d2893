// SPDX-License-Identifier: Apache-2.0
//! What `doctor` found out, as lines and as one JSON document, version 1.

use std::io;

use ambisign_host::{Class, Failure};
use serde::Serialize;

use super::console::Stream;
use super::document::Status;
use super::reporter::Reporter;
use super::text::Block;
#[cfg(test)]
use crate::outcome::described;
use crate::outcome::diagnosis::{Diagnosis, Finding};
use crate::settings::Output;

/// Names the form of the document; not a place to fetch it from.
pub(super) const SCHEMA: &str = "urn:ambisign:diagnosis:v1";

/// What stands before the lines that belong to a finding.
const INDENT: &str = "      ";

impl Reporter<'_> {
    /// The end of an examination: the findings and the verdict are its result. As a document they are
    /// in the log, too. What ended it early is an error like that of every command.
    ///
    /// # Errors
    /// The results cannot be written to standard output; the rest is written nevertheless.
    pub fn diagnosis(&self, diagnosis: &Diagnosis, output: Output) -> io::Result<()> {
        let lines = lines(diagnosis);
        let results = match output {
            Output::Text => lines.iter().map(|line| format!("{}\n", self.clean(line))).collect(),
            Output::Json => {
                lines.iter().for_each(|line| self.line(line));
                format!("{}\n", self.document(SCHEMA, Examination::of(diagnosis)))
            }
        };
        let written = self.console.write(Stream::Out, &results);
        match run_failure(diagnosis) {
            Some(failure) => {
                let last = format!("exit {}; nothing was published", diagnosis.exit());
                self.failures(&[Block { failure, last }]);
            }
            None => {
                let findings = diagnosis.in_order().into_iter();
                let failures: Vec<_> = findings.filter_map(Finding::failure).collect();
                self.annotate_errors(&failures.iter().collect::<Vec<_>>());
            }
        }
        written
    }
}

/// What ended the examination early, if something did.
fn run_failure(diagnosis: &Diagnosis) -> Option<Failure> {
    diagnosis.end.failure("run again")
}

/// One line for each finding, with its fix below it, and the verdict.
fn lines(diagnosis: &Diagnosis) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in diagnosis.in_order() {
        let (mark, stage) = (finding.mark.name(), finding.stage.name());
        let about = match finding.about.as_str() {
            about if about.is_empty() || finding.text.starts_with(about) => String::new(),
            about => format!("{about}: "),
        };
        lines.push(format!("{mark:<4}  {stage:<8}  {about}{}", finding.text));
        let because = finding.because.iter();
        lines.extend(because.map(|why| format!("{INDENT}because: {why}")));
        let fix = finding.fix.iter().map(|fix| format!("{INDENT}fix: {fix}"));
        lines.extend(fix);
        let code = finding.code.iter();
        lines.extend(code.map(|code| format!("{INDENT}code: {code}")));
    }
    // Nothing was looked at: there is nothing to say of it.
    if !diagnosis.findings.is_empty() {
        lines.push(verdict(diagnosis));
    }
    lines
}

/// The last line.
fn verdict(diagnosis: &Diagnosis) -> String {
    let plural = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    };
    let problems = match diagnosis.problems() {
        0 => "no problem".to_owned(),
        count => plural(count, "problem"),
    };
    let warnings = match diagnosis.warnings() {
        0 => String::new(),
        count => format!(" and {}", plural(count, "warning")),
    };
    let outcome = match (diagnosis.exit(), run_failure(diagnosis)) {
        (_, Some(_)) => "it did not look at everything".to_owned(),
        (0, None) if diagnosis.images == 0 => {
            "`ambisign sign` would sign, as far as can be checked \
                                               without an image"
                .to_owned()
        }
        (0, None) => "`ambisign sign` would sign".to_owned(),
        (exit, None) => format!("`ambisign sign` would end with exit {exit}"),
    };
    format!("doctor found {problems}{warnings}: {outcome}")
}

/// What `doctor` found.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Examination<'a> {
    /// `ok` when signing would work, as far as was looked at.
    status: Status,
    /// The exit code of the program.
    exit_code: u8,
    #[serde(flatten)]
    diagnosis: &'a Diagnosis,
    /// One for each thing that was looked at.
    findings: Vec<Found<'a>>,
    /// How many findings would end a run.
    problems: usize,
    /// How many findings stop nothing, and should be looked at.
    warnings: usize,
    /// What ended the examination early; `null` when it came to its end.
    #[cfg_attr(test, schemars(with = "Option<described::Error>"))]
    error: Option<Failure>,
}

/// One thing that was looked at.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Finding"))]
struct Found<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    /// Who can do something, when it ends a run.
    #[cfg_attr(test, schemars(with = "Option<described::Class>"))]
    class: Option<Class>,
}

impl<'a> Examination<'a> {
    fn of(diagnosis: &'a Diagnosis) -> Self {
        let exit_code = diagnosis.exit();
        let findings = diagnosis.in_order().into_iter();
        let found = |finding: &'a Finding| Found { finding, class: finding.class() };
        Self {
            status: Status::of(exit_code),
            exit_code,
            diagnosis,
            findings: findings.map(found).collect(),
            problems: diagnosis.problems(),
            warnings: diagnosis.warnings(),
            error: run_failure(diagnosis),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use ambisign_host::Class;
    use serde_json::Value;

    use crate::outcome::diagnosis::{Diagnosis, Finding, Mark, Stage};
    use crate::outcome::{End, Signal};
    use crate::report::tests::told;
    use crate::report::{Runner, Style};
    use crate::settings::Output;

    fn hostile() -> Diagnosis {
        let text = "::error::x\n##[error]\u{1b}[2J hunter\"22";
        let mut diagnosis = Diagnosis::new(SystemTime::UNIX_EPOCH);
        diagnosis.findings.push(Finding {
            stage: Stage::Registry,
            image: Some(0),
            about: text.to_owned(),
            mark: Mark::Fail(Class::Registry),
            text: format!("says {text}"),
            because: vec![text.to_owned()],
            fix: Some(text.to_owned()),
            code: Some("registry/refused".to_owned()),
        });
        diagnosis.images = 1;
        diagnosis
    }

    #[test]
    fn text_from_outside_is_harmless() {
        let look = Style { runner: Some(Runner::default()), ..Style::default() };
        let diagnosis = hostile();
        for output in [Output::Text, Output::Json] {
            let (out, err) = told(look.clone(), |reporter| {
                reporter.diagnosis(&diagnosis, output).unwrap();
            });
            for text in [&out, &err] {
                assert!(!text.contains("hunter") && !text.contains("##["), "{text}");
                assert!(!text.contains('\u{1b}'), "{text}");
            }
            let commands = err.lines().filter(|line| line.trim_start().starts_with("::"));
            let commands: Vec<_> = commands.collect();
            assert_eq!(commands.len(), 1, "{err}");
            assert!(commands[0].starts_with("::error title=ambisign%3A registry/refused::"));
            assert!(!out.lines().any(|line| line.trim_start().starts_with("::")), "{out}");
        }
        let (out, _) = told(Style::default(), |reporter| {
            reporter.diagnosis(&diagnosis, Output::Json).unwrap();
        });
        let document: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(document["findings"][0]["class"], "registry");
        assert_eq!(document["exit_code"], 6);
    }

    #[test]
    fn an_examination_that_was_stopped_says_so() {
        let mut diagnosis = hostile();
        diagnosis.end = End::Interrupted(Signal::Terminate);
        let (out, err) = told(Style::default(), |reporter| {
            reporter.diagnosis(&diagnosis, Output::Text).unwrap();
        });
        let last = "doctor found 1 problem: it did not look at everything";
        assert_eq!(out.lines().last(), Some(last), "{out}");
        let last = "ambisign: code: run/interrupted; exit 143; nothing was published";
        assert_eq!(err.lines().last(), Some(last), "{err}");
    }
}
