// SPDX-License-Identifier: Apache-2.0
//! What `doctor` found out, as lines and as one JSON document, version 1.

use std::io;

use ambisign_host::Failure;
use serde::Serialize;

use super::console::Stream;
use super::json::parts;
use super::reporter::Reporter;
use super::sanitize;
use super::text::Block;
use crate::outcome::diagnosis::{Diagnosis, Finding, Mark};
use crate::outcome::exit::class_name;
use crate::outcome::time::{millis, rfc3339};
use crate::settings::Output;

/// Names the form of the document; not a place to fetch it from.
const SCHEMA: &str = "urn:ambisign:diagnosis:v1";

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
            Output::Text => lines
                .iter()
                .map(|line| format!("{}\n", self.clean(line)))
                .collect(),
            Output::Json => {
                lines.iter().for_each(|line| self.line(line));
                format!("{}\n", self.diagnosis_document(diagnosis))
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

    fn diagnosis_document(&self, diagnosis: &Diagnosis) -> String {
        // Redacted before it is escaped: afterwards a secret with a quote in it would not be
        // recognised.
        let document = document(diagnosis, &|text| self.net.redact(text));
        sanitize::document(&document)
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
        (0, None) if diagnosis.images == 0 => "`ambisign sign` would sign, as far as can be told \
                                               without an image"
            .to_owned(),
        (0, None) => "`ambisign sign` would sign".to_owned(),
        (exit, None) => format!("`ambisign sign` would end with exit {exit}"),
    };
    format!("doctor found {problems}{warnings}: {outcome}")
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    status: &'static str,
    exit_code: u8,
    started_at: String,
    duration_ms: u64,
    identity: Option<parts::Identity>,
    findings: Vec<DocumentFinding>,
    problems: usize,
    warnings: usize,
    error: Option<parts::Error>,
}

#[derive(Serialize)]
struct DocumentFinding {
    status: &'static str,
    stage: &'static str,
    about: Option<String>,
    message: String,
    because: Vec<String>,
    fix: Option<String>,
    code: Option<String>,
    class: Option<&'static str>,
}

fn document(diagnosis: &Diagnosis, redact: &dyn Fn(&str) -> String) -> Document {
    let exit_code = diagnosis.exit();
    let findings = diagnosis.in_order().into_iter();
    let identity = diagnosis.identity.as_ref();
    Document {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        status: if exit_code == 0 { "ok" } else { "failed" },
        exit_code,
        started_at: rfc3339(diagnosis.started),
        duration_ms: millis(diagnosis.took),
        identity: identity.map(|identity| parts::Identity::of(identity, redact)),
        findings: findings.map(|one| of_finding(one, redact)).collect(),
        problems: diagnosis.problems(),
        warnings: diagnosis.warnings(),
        error: run_failure(diagnosis).map(|failure| parts::Error::of(&failure, redact)),
    }
}

fn of_finding(finding: &Finding, redact: &dyn Fn(&str) -> String) -> DocumentFinding {
    DocumentFinding {
        status: finding.mark.name(),
        stage: finding.stage.name(),
        about: Some(redact(&finding.about)).filter(|about| !about.is_empty()),
        message: redact(&finding.text),
        because: finding.because.iter().map(|why| redact(why)).collect(),
        fix: finding.fix.as_deref().map(redact),
        code: finding.code.as_deref().map(redact),
        class: match finding.mark {
            Mark::Fail(class) => Some(class_name(class)),
            Mark::Ok | Mark::Skip | Mark::Warn => None,
        },
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
        let look = Style {
            runner: Some(Runner::default()),
            ..Style::default()
        };
        let diagnosis = hostile();
        for output in [Output::Text, Output::Json] {
            let (out, err) = told(look.clone(), |reporter| {
                reporter.diagnosis(&diagnosis, output).unwrap();
            });
            for text in [&out, &err] {
                assert!(!text.contains("hunter") && !text.contains("##["), "{text}");
                assert!(!text.contains('\u{1b}'), "{text}");
            }
            let commands = err
                .lines()
                .filter(|line| line.trim_start().starts_with("::"));
            let commands: Vec<_> = commands.collect();
            assert_eq!(commands.len(), 1, "{err}");
            assert!(commands[0].starts_with("::error title=ambisign%3A registry/refused::"));
            assert!(
                !out.lines().any(|line| line.trim_start().starts_with("::")),
                "{out}"
            );
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
