// SPDX-License-Identifier: Apache-2.0
//! A report as lines for people.

use std::path::PathBuf;

use ambisign_host::Failure;

use super::sanitize::shell;
use crate::outcome::{Known, Outcome, Report, State, Tuf};

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

/// What ended the run, if something did.
pub(super) fn run_failure(report: &Report) -> Option<Failure> {
    report.end.failure("run again: what is signed stays signed")
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
            last: format!("exit {exit}; {}", exists_beside(report, image)),
        });
    }
    blocks
}

/// What exists now of one image, and of the others when it is not signed and they are.
fn exists_beside(report: &Report, image: &Outcome) -> String {
    let of_image = image_exists(image);
    let of_run = exists(report);
    if of_image != NOTHING || of_run == NOTHING {
        return of_image;
    }
    let noun = if image.file.is_some() {
        "file"
    } else {
        "image"
    };
    format!("this {noun} is not signed; {of_run}")
}

/// What exists now of the whole run.
pub(super) fn exists(report: &Report) -> String {
    let done = report
        .images
        .iter()
        .filter(|image| image.attached.is_some() || is_signed(image))
        .count();
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
        return format!(
            "the signature is attached as {}{bundle}",
            attached.reference
        );
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
    match image.certificate {
        // The log may have taken what it was sent and not told us.
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
fn bundle_of(image: &Outcome) -> Option<&PathBuf> {
    image.bundle.as_ref()?.path.as_ref()
}

/// What the run is about.
pub(super) fn nouns(report: &Report) -> &'static str {
    let first = report.images.first();
    if first.is_some_and(|image| image.file.is_some()) {
        "files"
    } else {
        "images"
    }
}

pub(super) fn is_signed(image: &Outcome) -> bool {
    match image.state {
        State::AlreadyAttached | State::AlreadySigned | State::Attached | State::Signed => true,
        State::Failed(_) | State::Pending | State::WouldSign => false,
    }
}

/// How many, how long, and how to verify.
pub(super) fn summary(report: &Report) -> Vec<String> {
    let (done, all) = (report.done(), report.images.len());
    if done == 0 {
        return Vec::new();
    }
    let nouns = nouns(report);
    let mut lines = vec![format!(
        "{} in {:.1} s",
        counted(report, (all, nouns)),
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
    let first = preparation(report).filter(|_| shown > 0);
    lines.extend(first.map(|command| format!("  {command}")));
    lines.extend(commands.iter().take(shown).map(|words| folded(words)));
    if shown < commands.len() {
        lines.push(format!("  and the same for the other {nouns}"));
    }
    lines
        .into_iter()
        .flat_map(|line| line.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// How many images came to which end, as the beginning of a sentence.
pub(super) fn counted(report: &Report, (all, nouns): (usize, &str)) -> String {
    let count = |wanted: fn(&State) -> bool| report.count(wanted);
    let parts = [
        ("signed", "", count(|state| matches!(state, State::Signed))),
        (
            "would sign",
            "",
            count(|state| matches!(state, State::WouldSign)),
        ),
        (
            "attached to",
            "",
            count(|state| matches!(state, State::Attached)),
        ),
        (
            "left alone",
            " signed before",
            count(|state| matches!(state, State::AlreadySigned)),
        ),
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

/// The command that verifies `image`, as words; `None` as long as there is nothing to verify, or the
/// identity is not known.
fn verify_command(report: &Report, image: &Outcome) -> Option<Vec<String>> {
    if !image.is_done() || image.digest.is_none() || image.unattached().is_some() {
        return None;
    }
    let (subject, issuer) = match (&image.certificate, &report.identity) {
        (Some(certificate), _) => (&certificate.identity, &certificate.issuer),
        (None, Some(identity)) => (identity.subject.as_ref()?, &identity.issuer),
        (None, None) => return None,
    };
    let command = match (&image.file, bundle_of(image)) {
        (None, _) => ["cosign", "verify", &image.name()]
            .map(str::to_owned)
            .to_vec(),
        (Some(_), None) => return None,
        (Some(_), Some(bundle)) => {
            let (name, bundle) = (image.name(), bundle.display().to_string());
            ["cosign", "verify-blob", &name, "--bundle", &bundle]
                .map(str::to_owned)
                .to_vec()
        }
    };
    let annotations = report.annotations.iter().filter(|_| image.file.is_none());
    let annotations =
        annotations.flat_map(|(key, value)| ["-a".to_owned(), field(&format!("{key}={value}"))]);
    let identity = [
        "--certificate-identity",
        subject,
        "--certificate-oidc-issuer",
        issuer,
    ];
    let identity = identity.map(str::to_owned).to_vec();
    let mut words = [command, annotations.collect(), identity].concat();
    let mut around = elsewhere(image);
    let instance = report.instance.as_ref();
    if let Some(root) = instance.and_then(|instance| instance.trusted_root.as_ref()) {
        words.extend(["--trusted-root".to_owned(), root.display().to_string()]);
    } else if let Some(tuf) = instance.and_then(|instance| instance.tuf.as_ref()) {
        around.extend(surroundings(tuf));
    }
    if instance.is_some_and(|instance| instance.no_ct_log) {
        words.push("--insecure-ignore-sct".to_owned());
    }
    if !around.is_empty() {
        around.insert(0, "env".to_owned());
    }
    Some([around, words].concat())
}

/// What a command of cosign needs around it, so that it looks where the signature is when that is not
/// the repository of the image.
fn elsewhere(image: &Outcome) -> Vec<String> {
    let attached = image.attached.as_ref();
    let place = attached.and_then(|attached| attached.reference.split_once('@'));
    place
        .filter(|(place, _)| *place != image.repository)
        .map(|(place, _)| format!("COSIGN_REPOSITORY={place}"))
        .into_iter()
        .collect()
}

/// `text` as one field of CSV (RFC 4180): cosign takes what stands between commas apart.
fn field(text: &str) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// What a command of cosign needs around it, so that it asks the same mirror.
fn surroundings(tuf: &Tuf) -> Vec<String> {
    match &tuf.known {
        Known::AsStaging | Known::Everywhere => Vec::new(),
        Known::WithRoot(root) => vec![
            format!("TUF_MIRROR={}", tuf.mirror.trim_end_matches('/')),
            format!("TUF_ROOT_JSON={}", root.display()),
        ],
    }
}

/// The command that must be run once before, as one line of a shell.
fn preparation(report: &Report) -> Option<&'static str> {
    let instance = report.instance.as_ref()?;
    match (&instance.trusted_root, &instance.tuf.as_ref()?.known) {
        (None, Known::AsStaging) => Some("cosign initialize --staging"),
        (Some(_), _) | (None, Known::Everywhere | Known::WithRoot(_)) => None,
    }
}

/// [`verify_command`] as one line of a shell, with what must be run before.
pub(super) fn command_line(report: &Report, image: &Outcome) -> Option<String> {
    let command = joined(&verify_command(report, image)?);
    Some(match preparation(report) {
        Some(first) => format!("{first} && {command}"),
        None => command,
    })
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
        out.push_str(if word.starts_with("--") || word == "-a" {
            " \\\n    "
        } else {
            " "
        });
        out.push_str(&shell(word));
    }
    out
}
