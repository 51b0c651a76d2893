// SPDX-License-Identifier: Apache-2.0
//! The summary of the step: a page that people read on the run, and show to others.

use std::time::Duration;

use super::markdown::{block, code, link, prose};
use crate::outcome::{LogEntry, Outcome, Report, State};
use crate::report::text::{self, Block};
use crate::report::verify_command;

/// The most rows of a table in the summary.
const MOST_ROWS: usize = 200;
/// Verify commands differ in little.
const MOST_COMMANDS: usize = 10;
/// The digits of a digest that tell images of one run apart; the commands have all of them.
const DIGITS: usize = "sha256:".len() + 12;

/// The parts of the page, in order, as Markdown.
pub(super) struct Page {
    heading: String,
    failures: String,
    signed: String,
    signer: String,
    verify: String,
}

impl Page {
    /// The page of `report`. Every text passes `clean`.
    pub(super) fn of(report: &Report, clean: &dyn Fn(&str) -> String) -> Self {
        let view = View { report, clean };
        Self {
            heading: view.heading(),
            failures: view.failures(),
            signed: view.signed(),
            signer: view.signer(),
            verify: view.verify(),
        }
    }

    /// The page, and after it shorter ones.
    pub(super) fn versions(&self) -> [String; 3] {
        let Self { heading, failures, signed, signer, verify } = self;
        [
            format!("{heading}{failures}{signed}{signer}{verify}"),
            format!("{heading}{failures}{signed}{signer}"),
            heading.clone(),
        ]
    }
}

struct View<'a> {
    report: &'a Report,
    clean: &'a dyn Fn(&str) -> String,
}

impl View<'_> {
    fn heading(&self) -> String {
        let report = self.report;
        let (done, all) = (report.done(), report.images.len());
        let nouns = text::nouns(report);
        let took = format!("{:.1} s", report.took.as_secs_f64());
        let is_new = |image: &Outcome| matches!(image.state, State::Signed | State::WouldSign);
        if done > 0 && report.images.iter().any(|image| image.is_done() && !is_new(image)) {
            let counted = text::counted(report, (all, nouns));
            return format!("### Result: {counted} in {took}\n\n");
        }
        let verb = if report.dry_run { "Would sign" } else { "Signed" };
        let subject = match (done, report.images.first()) {
            (0, _) => return format!("### {}\n\n", self.nothing(nouns)),
            (1, Some(image)) if all == 1 => self.code(&short_name(image)),
            (done, _) if done == all => format!("{done} {nouns}"),
            (done, _) => format!("{done} of {all} {nouns}"),
        };
        let requested: usize = report.images.iter().map(|image| image.requested.len()).sum();
        let references =
            if requested > all { format!(" ({requested} references)") } else { String::new() };
        let kept = report.images.iter().any(|image| image.unattached().is_some());
        let where_to = if kept { ", into files and not attached," } else { "" };
        format!("### {verb} {subject}{references}{where_to} in {took}\n\n")
    }

    fn nothing(&self, nouns: &str) -> String {
        let done = if self.report.dry_run { "be signed" } else { "signed" };
        match (self.report.exit(), self.report.images.len()) {
            (0, _) => format!("No {nouns} to sign"),
            (_, _) if self.report.dry_run => format!("No {nouns} could {done}"),
            (_, 0 | 1) => format!("Not {done}"),
            (_, all) => format!("None of {all} {nouns} {done}"),
        }
    }

    /// A row for each failure of a batch, or a few paragraphs about the one that there is.
    fn failures(&self) -> String {
        let blocks = text::blocks(self.report);
        if let [block] = blocks.as_slice() {
            return self.failure(block);
        }
        let rows: Vec<_> = blocks.iter().map(|block| self.row_of_failure(block)).collect();
        table("| What happened | Fix | Code |\n|---|---|---|\n", &rows)
    }

    fn failure(&self, block: &Block) -> String {
        let failure = &block.failure;
        let mut out = format!("**{}**\n\n", self.prose(&failure.what));
        for because in &failure.because {
            out.push_str(&format!("Because: {}\n\n", self.prose(because)));
        }
        if let Some(fix) = &failure.fix {
            out.push_str(&format!("Fix: {}\n\n", self.prose(fix)));
        }
        let code = self.code(&failure.code);
        // What exists of one image is not what exists.
        let last = if self.report.images.len() > 1 {
            String::new()
        } else {
            format!("; {}", self.prose(&block.last))
        };
        out + &format!("{code}{last}\n\n")
    }

    fn row_of_failure(&self, block: &Block) -> String {
        let failure = &block.failure;
        let fix = failure.fix.as_deref().unwrap_or_default();
        let (what, fix) = (self.prose(&failure.what), self.prose(fix));
        format!("| {what} | {fix} | {} |\n", self.code(&failure.code))
    }

    /// A row for each image or file that is done.
    fn signed(&self) -> String {
        let done = self.report.images.iter().filter(|image| image.is_done());
        let rows: Vec<_> = done.map(|image| self.row(image)).collect();
        let first = if text::nouns(self.report) == "files" { "File" } else { "Image" };
        let head = format!("| {first} | Digest | Log entry | Time |\n|---|---|---|---|\n");
        table(&head, &rows)
    }

    fn row(&self, image: &Outcome) -> String {
        let digest = image.digest.as_deref().unwrap_or_default();
        let digest = digest.get(..DIGITS).unwrap_or(digest);
        let tags = image.requested.iter().filter_map(|asked| tag(asked, &image.repository));
        let tags: Vec<_> = tags.map(|tag| self.code(tag)).collect();
        let tags = if tags.is_empty() { String::new() } else { format!(" ({})", tags.join(", ")) };
        let entries = image.log.iter().map(|entry| self.entry(entry));
        let entries = entries.collect::<Vec<_>>().join(", ");
        let took: Duration = image.steps.iter().map(|step| step.took).sum();
        format!(
            "| {}{tags} | {} | {entries} | {:.1} s |\n",
            self.code(&short_name(image)),
            self.code(digest),
            took.as_secs_f64()
        )
    }

    fn entry(&self, entry: &LogEntry) -> String {
        let index = entry.index.map(|index| format!(" #{index}")).unwrap_or_default();
        let name = format!("v{}{index}", entry.version);
        let url = entry.link.as_deref().map(|url| (self.clean)(url));
        link(&name, url.as_deref())
    }

    /// Who signed, as far as it is known, and with which services.
    fn signer(&self) -> String {
        if self.report.done() == 0 {
            return String::new();
        }
        let certificate = self.report.images.iter().find_map(|image| image.certificate.as_ref());
        let identity = self.report.identity.as_ref();
        let facts = [
            (
                "Signer",
                certificate
                    .map(|certificate| certificate.identity.as_str())
                    .or_else(|| identity?.subject.as_deref()),
            ),
            (
                "Issuer",
                certificate
                    .map(|certificate| certificate.issuer.as_str())
                    .or_else(|| Some(identity?.issuer.as_str())),
            ),
            ("Instance", self.report.instance.as_ref().map(|instance| instance.name.as_str())),
        ];
        let known = facts
            .iter()
            .filter_map(|(name, value)| Some(format!("**{name}** {}", self.code((*value)?))));
        // Two blanks at the end of a line break it (CommonMark 6.7).
        known.collect::<Vec<_>>().join("  \n") + "\n\n"
    }

    fn verify(&self) -> String {
        let images = self.report.images.iter();
        let commands = images.filter_map(|image| verify_command::command_line(self.report, image));
        let commands: Vec<_> = commands.map(|command| (self.clean)(&command)).collect();
        let Some(shown) = commands.get(..commands.len().min(MOST_COMMANDS)) else {
            return String::new();
        };
        if shown.is_empty() {
            return String::new();
        }
        let more = match commands.len() - shown.len() {
            0 => String::new(),
            more => format!("\nand the same for {more} more\n"),
        };
        format!(
            "<details><summary>Verify</summary>\n\n{}{more}\n</details>\n\n",
            block("sh", shown)
        )
    }

    fn prose(&self, text: &str) -> String {
        prose(&(self.clean)(text))
    }

    fn code(&self, text: &str) -> String {
        code(&(self.clean)(text))
    }
}

/// The repository of an image, the path of a file.
fn short_name(image: &Outcome) -> String {
    match image.file {
        Some(_) => image.name(),
        None => image.repository.clone(),
    }
}

/// The tag in `asked`, a reference of `repository`.
fn tag<'a>(asked: &'a str, repository: &str) -> Option<&'a str> {
    let rest = asked.strip_prefix(repository)?.strip_prefix(':')?;
    Some(rest.split_once('@').map_or(rest, |(tag, _)| tag))
}

fn table(head: &str, rows: &[String]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let shown: String = rows.iter().take(MOST_ROWS).map(String::as_str).collect();
    let more = match rows.len().saturating_sub(MOST_ROWS) {
        0 => String::new(),
        more => format!("\n{more} more are in the output `result-file`.\n"),
    };
    format!("{head}{shown}{more}\n")
}
