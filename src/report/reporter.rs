// SPDX-License-Identifier: Apache-2.0
//! Writes to the two streams: redacted, then neutralised.

use std::io;
use std::time::Duration;

use ambisign_host::{Event, Failure, Net, Warning};

use super::console::{Colour, Console, Stream};
use super::github::annotation::{self, Annotation};
use super::runner::Runner;
use super::sanitize;
use super::text::Block;
use crate::outcome::Step;
use crate::settings::Override;

/// Writes to a [`Console`] what the redactor of a [`Net`] lets through.
#[derive(Clone, Copy, Debug)]
pub struct Reporter<'a> {
    pub(super) console: &'a Console,
    pub(super) net: &'a Net,
}

/// The few things that have a colour.
#[derive(Clone, Copy)]
enum Label {
    Error,
    Fix,
    Warning,
}

impl Label {
    fn text(self) -> &'static str {
        match self {
            Self::Error => "error:",
            Self::Fix => "fix:",
            Self::Warning => "warning:",
        }
    }

    /// The SGR sequence of ECMA-48.
    fn sgr(self) -> &'static str {
        match self {
            Self::Error => "\u{1b}[1;31m",
            Self::Fix => "\u{1b}[1;32m",
            Self::Warning => "\u{1b}[1;33m",
        }
    }
}

impl<'a> Reporter<'a> {
    /// A reporter that hides the secrets that `net` knows.
    pub fn new(console: &'a Console, net: &'a Net) -> Self {
        Self { console, net }
    }

    /// One line of the log.
    pub fn line(&self, text: &str) {
        let line = format!("{}\n", self.clean(text));
        // If the log cannot be written any more, the work continues.
        let _written = self.console.write(Stream::Err, &line);
    }

    /// The first lines of a run: what was asked for, whatever is not the default, what is odd.
    pub fn begin(&self, what: &str, overrides: &[Override], warnings: &[Warning]) {
        self.line(&format!("ambisign {} | {what}", env!("CARGO_PKG_VERSION")));
        for one in overrides {
            self.fact("not default", &one.to_string());
        }
        warnings.iter().for_each(|warning| self.warning(warning));
    }

    /// A line of the beginning of a run: a word and what it is.
    pub fn fact(&self, label: &str, text: &str) {
        self.line(&format!("{label:<11} {text}"));
    }

    /// A step that is done.
    pub fn step(&self, step: &Step) {
        let (name, took) = (step.name, step.took.as_secs_f64());
        self.line(format!("  {name:<12} {took:.2}s  {}", step.detail).trim_end());
    }

    /// Something that does not stop the run.
    pub fn warning(&self, warning: &Warning) {
        self.labelled(Label::Warning, &warning.message);
    }

    /// What the HTTP core tells: a wait always, by its host or when `verbose` by its URL; an answer
    /// when `verbose`.
    pub fn event(&self, event: Event<'_>, verbose: bool) {
        match event {
            Event::Answered { method, url, status, took } if verbose => {
                self.line(&format!("  {method} {url} {status} {:.2}s", took.as_secs_f64()));
            }
            Event::Waiting { host, url, because, wait, tries } => {
                let (wait, whom) = (seconds(wait), if verbose { url } else { host });
                self.line(&format!("  waiting {wait} for {whom}: {because} (try {tries})"));
            }
            // Answers, and events that later versions may add.
            Event::Answered { .. } | _ => {}
        }
    }

    /// A text of our own on standard output, line by line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn text(&self, text: &str) -> io::Result<()> {
        let lines: String = text.lines().map(|line| format!("{}\n", self.clean(line))).collect();
        self.console.write(Stream::Out, &lines)
    }

    /// A script of our own on standard output, byte for byte: nothing in it comes from outside.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn script(&self, text: &str) -> io::Result<()> {
        self.console.write(Stream::Out, text)
    }

    /// Warnings, which the log has already, as annotations where there are any.
    pub(super) fn annotate_warnings(&self, warnings: &[Warning]) {
        if self.runner().is_some() {
            annotation::warnings(warnings).iter().for_each(|one| self.annotate(one));
        }
    }

    /// The errors of a command, each with its last line; on GitHub each cause is an annotation, too.
    pub fn failures(&self, blocks: &[Block]) {
        for block in blocks {
            self.block(&block.failure, &block.last);
        }
        let failures: Vec<_> = blocks.iter().map(|block| &block.failure).collect();
        self.annotate_errors(&failures);
    }

    /// Writes annotations for errors that the log already has.
    pub(super) fn annotate_errors(&self, failures: &[&Failure]) {
        if let Some(runner) = self.runner() {
            annotation::errors(failures, runner).iter().for_each(|one| self.annotate(one));
        }
    }

    /// The panic hook's line. The message of a panic is shown only when it is a literal of ours.
    pub fn panicked(&self, info: &std::panic::PanicHookInfo<'_>) {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let why = info.payload().downcast_ref::<&'static str>().copied().unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        self.labelled(Label::Error, &format!("bug in ambisign {version} at {place}: {why}"));
    }

    fn block(&self, failure: &Failure, last: &str) {
        self.labelled(Label::Error, &failure.what);
        for because in &failure.because {
            self.line(&format!("ambisign: because: {because}"));
        }
        if let Some(fix) = &failure.fix {
            self.labelled(Label::Fix, fix);
        }
        self.line(&format!("ambisign: code: {}; {last}", failure.code));
    }

    fn labelled(&self, label: Label, text: &str) {
        let (name, text) = (label.text(), self.clean(text));
        let line = match self.console.look.colour {
            Colour::On => format!("ambisign: {}{name}\u{1b}[0m {text}\n", label.sgr()),
            Colour::Off => format!("ambisign: {name} {text}\n"),
        };
        let _written = self.console.write(Stream::Err, &line);
    }

    /// A workflow command, so that it is shown on the page of the run.
    pub(super) fn annotate(&self, annotation: &Annotation) {
        let line = annotation.line(&|text| self.clean(text));
        let _written = self.console.write(Stream::Err, &line);
    }

    /// The lines of one image of a batch of `count`: in a group of their own where the log has any
    /// and would be long without.
    pub(super) fn group(&self, count: usize, heading: &str, lines: impl FnOnce()) {
        let is_grouped = self.runner().is_some_and(|runner| runner.groups(count));
        if !is_grouped {
            self.line(heading);
            return lines();
        }
        let heading = sanitize::command_message(&self.clean(heading));
        let _written = self.console.write(Stream::Err, &format!("::group::{heading}\n"));
        lines();
        let _written = self.console.write(Stream::Err, "::endgroup::\n");
    }

    pub(super) fn runner(&self) -> Option<&Runner> {
        self.console.look.runner.as_ref()
    }

    pub(super) fn clean(&self, text: &str) -> String {
        // Redacted first: an escape inside of a secret would hide it from the redactor.
        sanitize::line(&self.net.redact(text))
    }
}

fn seconds(wait: Duration) -> String {
    if wait < Duration::from_secs(1) {
        format!("{}ms", wait.as_millis())
    } else {
        format!("{}s", wait.as_secs())
    }
}
