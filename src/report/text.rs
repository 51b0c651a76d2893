// SPDX-License-Identifier: Apache-2.0
//! A report as lines for people.

use std::path::PathBuf;

use ambisign_host::Failure;

use super::sanitize::shell;
use crate::outcome::{Outcome, Report, State};

/// One error of a report.
#[derive(Clone, Debug)]
pub struct Block {
    /// The error.
    pub failure: Failure,
    /// `exit N; what exists now`.
    pub last: String,
}

/// What ended the run, if something did.
pub(super) fn run_failure(report: &Report) -> Option<Failure> {
    report.end.failure("run again: what is signed stays signed")
}

/// The errors: that of the run first, then one for each image.
pub(super) fn blocks(report: &Report) -> Vec<Block> {
    let exit = report.exit();
    let mut blocks = Vec::new();
    if let Some(failure) = run_failure(report) {
        blocks.push(Block { failure, last: format!("exit {exit}; {}", exists(report)) });
    }
    for image in &report.images {
        let Some(failure) = image.failure() else {
            continue;
        };
        let mut failure = failure.clone();
        if report.images.len() > 1 && !failure.what.contains(&image.name()) {
            failure.what = format!("{}: {}", image.name(), failure.what);
        }
        blocks.push(Block {
            failure,
            last: format!("exit {exit}; {}", image_and_run(report, image)),
        });
    }
    blocks
}

/// What exists now of one image, and of the others when it is not signed and they are.
fn image_and_run(report: &Report, image: &Outcome) -> String {
    let of_image = image_exists(image);
    let of_run = exists(report);
    if of_image != NOTHING || of_run == NOTHING {
        return of_image;
    }
    let noun = if image.file.is_some() { "file" } else { "image" };
    format!("this {noun} is not signed; {of_run}")
}

/// What exists now of the whole run.
pub(super) fn exists(report: &Report) -> String {
    let done =
        report.images.iter().filter(|image| image.attached.is_some() || is_signed(image)).count();
    if done > 0 {
        let (all, nouns) = (report.images.len(), nouns(report));
        let logged = |image: &&Outcome| !is_signed(image) && !image.log.is_empty();
        return match report.images.iter().filter(logged).count() {
            0 => format!("{done} of {all} {nouns} are signed"),
            1 => format!("{done} of {all} {nouns} are signed, and 1 more is in the log"),
            more => format!("{done} of {all} {nouns} are signed, and {more} more are in the log"),
        };
    }
    report
        .images
        .iter()
        .map(image_exists)
        .find(|exists| exists != NOTHING)
        .unwrap_or_else(|| NOTHING.to_owned())
}

const NOTHING: &str = "nothing was signed or uploaded";
const UNSURE: &str = "a certificate may have been issued, nothing was signed or uploaded";

/// What exists now of one image, from the facts: a state could be wrong about them.
pub(super) fn image_exists(image: &Outcome) -> String {
    let bundle = bundle_of(image).map(|path| format!("; the bundle is in {}", path.display()));
    let bundle = bundle.unwrap_or_default();
    if is_signed(image) && image.file.is_some() {
        return format!("it is signed{bundle}");
    }
    let bundle = match image.unattached() {
        Some(_) => format!("{bundle}, for `ambisign attach`"),
        None => bundle,
    };
    if let Some(attached) = &image.attached {
        return format!("the signature is attached as {}{bundle}", attached.reference);
    }
    match image.state {
        State::AlreadySigned => return "it was signed before".to_owned(),
        State::Signed => return format!("it is signed, and the signature not attached{bundle}"),
        State::AlreadyAttached
        | State::Attached
        | State::Failed(_)
        | State::Pending
        | State::WouldSign => {}
    }
    if let Some(entry) = image.log.first() {
        let by_index = || entry.index.map(|index| format!("{} #{index}", entry.url));
        let place = entry.link.clone().or_else(by_index).unwrap_or_else(|| entry.url.clone());
        // A registry may have taken the manifest whose acceptance it did not tell.
        let attached = match image.bundle {
            Some(_) => "the signature is not known to be attached",
            None => "nothing was attached",
        };
        return format!("a log entry exists at {place}, {attached}{bundle}");
    }
    match image.certificate {
        // The log may have accepted the submission although its answer was lost.
        Some(_) if image.submitted => {
            return "a certificate was issued, the log may have an entry, nothing was attached"
                .to_owned();
        }
        Some(_) => return "a certificate was issued, nothing was logged or attached".to_owned(),
        // So may Fulcio, and what it issues is in a public log.
        None if image.certificate_requested => return UNSURE.to_owned(),
        None => {}
    }
    NOTHING.to_owned()
}

/// Of each image that carries a signature now `repository@digest`, of each file and of each image whose
/// bundle is not attached, its bundle.
pub(super) fn results(report: &Report) -> Vec<String> {
    let result = |image: &Outcome| match (&image.file, bundle_of(image)) {
        (Some(_), Some(path)) => path.display().to_string(),
        (None, Some(path)) if image.attached.is_none() => path.display().to_string(),
        (None, _) | (_, None) => image.name(),
    };
    let signed = report.images.iter().filter(|image| is_signed(image));
    signed.map(result).collect()
}

/// The file that holds the bundle.
pub(super) fn bundle_of(image: &Outcome) -> Option<&PathBuf> {
    image.bundle.as_ref()?.path.as_ref()
}

/// What the run is about.
pub(super) fn nouns(report: &Report) -> &'static str {
    let first = report.images.first();
    if first.is_some_and(|image| image.file.is_some()) { "files" } else { "images" }
}

pub(super) fn is_signed(image: &Outcome) -> bool {
    match image.state {
        State::AlreadyAttached | State::AlreadySigned | State::Attached | State::Signed => true,
        State::Failed(_) | State::Pending | State::WouldSign => false,
    }
}

/// How many, and how long it took; `None` when nothing is done.
pub(super) fn summary(report: &Report) -> Option<String> {
    let counted = counted(report, (report.images.len(), nouns(report)));
    (report.done() > 0).then(|| format!("{counted} in {:.1} s", report.took.as_secs_f64()))
}

/// How many images came to which end, as the beginning of a sentence.
pub(super) fn counted(report: &Report, (all, nouns): (usize, &str)) -> String {
    let count = |wanted: fn(&State) -> bool| report.count(wanted);
    let parts = [
        ("signed", "", count(|state| matches!(state, State::Signed))),
        ("would sign", "", count(|state| matches!(state, State::WouldSign))),
        ("attached to", "", count(|state| matches!(state, State::Attached))),
        ("left alone", " signed before", count(|state| matches!(state, State::AlreadySigned))),
        (
            "found",
            " with the bundle attached before",
            count(|state| matches!(state, State::AlreadyAttached)),
        ),
    ];
    let told = parts.into_iter().filter(|(_, _, count)| *count > 0);
    let told = told.map(|(verb, after, count)| match (count, all) {
        (1, 1) => format!("{verb} 1 {}{after}", nouns.trim_end_matches('s')),
        (count, all) if count == all => format!("{verb} {count} {nouns}{after}"),
        (count, all) => format!("{verb} {count} of {all} {nouns}{after}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// `words` as one line of a shell.
pub(super) fn joined(words: &[String]) -> String {
    words.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" ")
}
