// SPDX-License-Identifier: Apache-2.0
//! A report as lines for people.

use ambisign_providers::Class;

use super::clean::shell;
use crate::outcome::{End, Failure, Outcome, Report, State};

/// Verify commands differ in little: of a long batch only the first is shown.
const MOST_COMMANDS: usize = 3;

/// One error of a report.
#[derive(Clone, Debug)]
pub struct Block {
    /// The error.
    pub failure: Failure,
    /// `exit N; what exists now`.
    pub last: String,
}

/// What ended the run, if something did: a signal too.
pub(super) fn run_failure(report: &Report) -> Option<Failure> {
    match &report.end {
        End::Complete => None,
        End::Failed(failure) => Some(failure.clone()),
        End::Interrupted(signal) => Some(Failure {
            what: format!("the run was interrupted by {}", signal.name()),
            because: Vec::new(),
            fix: Some("run again: what is signed stays signed".to_owned()),
            code: "run/interrupted".to_owned(),
            class: Class::Temporary,
        }),
    }
}

/// The errors: that of the run first, then one for each image.
pub(super) fn blocks(report: &Report) -> Vec<Block> {
    let exit = report.exit();
    let mut blocks = Vec::new();
    if let Some(failure) = run_failure(report) {
        blocks.push(Block {
            failure,
            last: format!("exit {exit}; {}", exists(report)),
        });
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
            last: format!("exit {exit}; {}", image_exists(image)),
        });
    }
    blocks
}

/// What exists now of the whole run.
pub(super) fn exists(report: &Report) -> String {
    let done = report
        .images
        .iter()
        .filter(|image| image.attached.is_some())
        .count();
    if done > 0 {
        return format!("{done} of {} images are signed", report.images.len());
    }
    let nothing = match &report.end {
        End::Failed(failure) if may_have_certified(failure) => UNSURE,
        End::Complete | End::Failed(_) | End::Interrupted(_) => NOTHING,
    };
    report
        .images
        .iter()
        .map(image_exists)
        .find(|exists| exists != NOTHING)
        .unwrap_or_else(|| nothing.to_owned())
}

const NOTHING: &str = "nothing was signed or uploaded";
const UNSURE: &str = "a certificate may have been issued, nothing was signed or uploaded";

/// Whether Fulcio answered and its answer was not accepted: what it issued is in a public log.
fn may_have_certified(failure: &Failure) -> bool {
    failure.code.starts_with("fulcio/")
        && failure.class == Class::Untrusted
        && failure.code != "fulcio/tls"
}

/// What exists now of one image, from the facts: a state could be wrong about them.
pub(super) fn image_exists(image: &Outcome) -> String {
    let bundle = image
        .bundle
        .as_ref()
        .and_then(|bundle| bundle.path.as_ref());
    let bundle = bundle.map(|path| format!("; the bundle is in {}", path.display()));
    let bundle = bundle.unwrap_or_default();
    if let Some(attached) = &image.attached {
        return format!(
            "the signature is attached as {}{bundle}",
            attached.reference
        );
    }
    if let Some(entry) = image.log.first() {
        let place = entry
            .link
            .clone()
            .unwrap_or_else(|| format!("{} #{}", entry.url, entry.index));
        // A registry may have taken the manifest whose acceptance it did not tell.
        let attached = match image.bundle {
            Some(_) => "the signature is not known to be attached",
            None => "nothing was attached",
        };
        return format!("a log entry exists at {place}, {attached}{bundle}");
    }
    // A log may have taken what it was sent and not told us.
    let asked = !image.timestamps.is_empty() || image.failure().is_some_and(is_of_log);
    match image.certificate {
        Some(_) if asked => {
            return "a certificate was issued, the log may have an entry, nothing was attached"
                .to_owned();
        }
        Some(_) => return "a certificate was issued, nothing was logged or attached".to_owned(),
        None => {}
    }
    NOTHING.to_owned()
}

fn is_of_log(failure: &Failure) -> bool {
    failure.code.starts_with("rekor/")
}

/// `repository@digest` of each image that carries a signature now.
pub(super) fn results(report: &Report) -> Vec<String> {
    report
        .images
        .iter()
        .filter(|image| is_signed(image))
        .map(Outcome::name)
        .collect()
}

fn is_signed(image: &Outcome) -> bool {
    match image.state {
        State::Signed => true,
        State::Failed(_) | State::Pending | State::WouldSign => false,
    }
}

/// How many, how long, and how to verify.
pub(super) fn summary(report: &Report) -> Vec<String> {
    let (done, all) = (report.done(), report.images.len());
    if done == 0 {
        return Vec::new();
    }
    let verb = if report.dry_run {
        "would sign"
    } else {
        "signed"
    };
    let images = match (done, all) {
        (1, 1) => "1 image".to_owned(),
        (done, all) if done == all => format!("{done} images"),
        (done, all) => format!("{done} of {all} images"),
    };
    let mut lines = vec![format!(
        "{verb} {images} in {:.1} s",
        report.took.as_secs_f64()
    )];
    let commands: Vec<_> = report
        .images
        .iter()
        .filter_map(|image| verify_command(report, image))
        .collect();
    let shown = if commands.len() > MOST_COMMANDS {
        1
    } else {
        commands.len()
    };
    if shown > 0 {
        lines.push("Verify with (cosign 3; cosign 2.6 also needs --new-bundle-format)".to_owned());
    }
    lines.extend(commands.iter().take(shown).map(|words| folded(words)));
    if shown < commands.len() {
        lines.push("  and the same for the other images".to_owned());
    }
    lines
        .into_iter()
        .flat_map(|line| line.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// The command that verifies `image`, as words; `None` as long as there is nothing to verify, or the
/// identity is not known.
pub(super) fn verify_command(report: &Report, image: &Outcome) -> Option<Vec<String>> {
    if !image.is_done() || image.digest.is_none() {
        return None;
    }
    let (subject, issuer) = match (&image.certificate, &report.identity) {
        (Some(certificate), _) => (&certificate.identity, &certificate.issuer),
        (None, Some(identity)) => (identity.subject.as_ref()?, &identity.issuer),
        (None, None) => return None,
    };
    let mut words = vec![
        "cosign".to_owned(),
        "verify".to_owned(),
        image.name(),
        "--certificate-identity".to_owned(),
        subject.clone(),
        "--certificate-oidc-issuer".to_owned(),
        issuer.clone(),
    ];
    let root = report
        .instance
        .as_ref()
        .and_then(|instance| instance.trusted_root.as_ref());
    if let Some(root) = root {
        words.extend(["--trusted-root".to_owned(), root.display().to_string()]);
    }
    Some(words)
}

/// `words` as one line of a shell.
pub(super) fn joined(words: &[String]) -> String {
    words
        .iter()
        .map(|word| shell(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// `words` as a command of several lines: a new one before each flag.
fn folded(words: &[String]) -> String {
    let mut out = String::from(" ");
    for word in words {
        out.push_str(if word.starts_with("--") {
            " \\\n    "
        } else {
            " "
        });
        out.push_str(&shell(word));
    }
    out
}
