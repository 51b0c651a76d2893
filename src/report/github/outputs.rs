// SPDX-License-Identifier: Apache-2.0
//! The outputs of the step, in the form of the runner's file: `NAME<<DELIMITER`, lines, `DELIMITER`.
//!
//! They are written when the run fails, too: what was signed until then is signed.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use crate::outcome::{LogEntry, Outcome, Report, State};
use crate::report::{sanitize, text, verify_command};

/// The longest value, in bytes. GitHub gives all outputs of a job together 1 MiB.
const LONGEST: usize = 512 * 1024;

/// The values by name, in the order in which they are written.
pub(super) struct Outputs(Vec<(&'static str, String)>);

impl Outputs {
    /// What `report` has for others, with `document`, which is in the file `kept`. Every line passes
    /// `clean`.
    pub(super) fn of(
        report: &Report,
        document: &str,
        kept: Option<PathBuf>,
        clean: &dyn Fn(&str) -> String,
    ) -> Self {
        let view = View { report, clean };
        let signed = |image: &&Outcome| text::is_signed(image);
        let count = |wanted: fn(&State) -> bool| report.count(wanted).to_string();
        let file = kept.map(|path| path.display().to_string());
        let (identity, issuer) = view.signer();
        let commands = view.lines(|image| verify_command::command_line(report, image));
        let first = commands.lines().next().unwrap_or_default().to_owned();
        let link = |entry: &LogEntry| entry.link.clone();
        Self(vec![
            ("result-json", shortened(document)),
            ("result-file", clean(&file.unwrap_or_default())),
            (
                "bundle-paths",
                view.lines(|image| {
                    let path = image.bundle.as_ref()?.path.as_ref()?;
                    Some(path.display().to_string())
                }),
            ),
            (
                "signed-refs",
                view.lines(|image| {
                    let seen = Some(image).filter(signed);
                    // Verifiers do not find a signature that is only in a file.
                    seen.filter(|image| image.unattached().is_none()).map(Outcome::name)
                }),
            ),
            (
                "signature-refs",
                view.lines(|image| Some(image.attached.as_ref()?.reference.clone())),
            ),
            ("digests", view.digests()),
            ("log-indexes", view.entries(|entry| Some(entry.index?.to_string()))),
            ("rekor-urls", view.entries(link)),
            ("certificate-identity", clean(&identity)),
            ("certificate-issuer", clean(&issuer)),
            ("verify-command", first),
            ("verify-commands", commands),
            ("signed-count", count(|state| matches!(state, State::Attached | State::Signed))),
            (
                "skipped-count",
                count(|state| matches!(state, State::AlreadyAttached | State::AlreadySigned)),
            ),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ])
    }

    /// The names of the values that are too long.
    pub(super) fn left_out(&self) -> impl Iterator<Item = &'static str> {
        let too_long = self.0.iter().filter(|(_, value)| value.len() > LONGEST);
        too_long.map(|(name, _)| *name)
    }

    /// The text for the runner's file.
    ///
    /// # Errors
    /// The system has no random bytes, or a value holds the delimiter made of them.
    pub(super) fn text(&self) -> io::Result<String> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        self.delimited(&format!("ghadelimiter_{}", hex::encode(random)))
    }

    fn delimited(&self, delimiter: &str) -> io::Result<String> {
        let mut text = String::new();
        for (name, value) in &self.0 {
            let value = if value.len() > LONGEST { "" } else { value };
            if value.contains(delimiter) {
                return Err(io::Error::other("a value holds the delimiter"));
            }
            text.push_str(&format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"));
        }
        Ok(text)
    }
}

struct View<'a> {
    report: &'a Report,
    clean: &'a dyn Fn(&str) -> String,
}

impl View<'_> {
    /// One line for each image that has one.
    fn lines(&self, line: impl Fn(&Outcome) -> Option<String>) -> String {
        let lines = self.report.images.iter().filter_map(line);
        joined(lines.map(|line| (self.clean)(&line)))
    }

    /// One line for each log entry that has one.
    fn entries(&self, line: impl Fn(&LogEntry) -> Option<String>) -> String {
        let entries = self.report.images.iter().flat_map(|image| &image.log);
        joined(entries.filter_map(line).map(|line| (self.clean)(&line)))
    }

    /// The digest of the first signed image of each repository, as JSON.
    fn digests(&self) -> String {
        let mut digests = BTreeMap::new();
        for image in self.report.images.iter().filter(|image| text::is_signed(image)) {
            if let (Some(digest), None) = (&image.digest, &image.file) {
                let repository = (self.clean)(&image.repository);
                digests.entry(repository).or_insert_with(|| (self.clean)(digest));
            }
        }
        sanitize::json(&serde_json::json!(digests).to_string())
    }

    /// Identity and issuer of the certificate, or in a dry run those that it would have.
    fn signer(&self) -> (String, String) {
        let mut certificates =
            self.report.images.iter().filter_map(|image| image.certificate.as_ref());
        if let Some(certificate) = certificates.next() {
            return (certificate.identity.clone(), certificate.issuer.clone());
        }
        match self.report.identity.as_ref() {
            Some(identity) => {
                (identity.subject.clone().unwrap_or_default(), identity.issuer.clone())
            }
            None => (String::new(), String::new()),
        }
    }
}

/// `document`, without certificates when it is too long with them: they are in the result file.
fn shortened(document: &str) -> String {
    if document.len() <= LONGEST {
        return document.to_owned();
    }
    let Ok(mut value) = ambisign_host::json::parse::<serde_json::Value>(document.as_bytes()) else {
        return document.to_owned();
    };
    for list in ["images", "files"] {
        let images = value.get_mut(list).and_then(serde_json::Value::as_array_mut);
        for image in images.into_iter().flatten() {
            if let Some(certificate) = image.get_mut("certificate") {
                *certificate = serde_json::Value::Null;
            }
        }
    }
    sanitize::json(&value.to_string())
}

fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Outputs};

    #[test]
    fn a_value_cannot_hold_the_delimiter() {
        let outputs = Outputs(vec![("a", "x\nghadelimiter_7\nPATH<<y".to_owned())]);
        assert!(outputs.delimited("ghadelimiter_7").is_err());
        let text = outputs.delimited("ghadelimiter_8").unwrap();
        assert_eq!(text, "a<<ghadelimiter_8\nx\nghadelimiter_7\nPATH<<y\nghadelimiter_8\n");
        assert_ne!(outputs.text().unwrap(), outputs.text().unwrap());
    }

    #[test]
    fn what_is_too_long_is_left_out_by_name() {
        let outputs = Outputs(vec![("a", "x".repeat(LONGEST + 1)), ("b", "y".to_owned())]);
        assert_eq!(outputs.left_out().collect::<Vec<_>>(), ["a"]);
        assert_eq!(outputs.delimited("d").unwrap(), "a<<d\n\nd\nb<<d\ny\nd\n");
    }
}
