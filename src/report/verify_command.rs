// SPDX-License-Identifier: Apache-2.0
//! How to verify what is signed: with ambisign, and with cosign.

use super::sanitize::shell;
use super::text::{bundle_of, joined, nouns};
use crate::outcome::{Known, Outcome, Report, State, Tuf};
use crate::settings::default_bundle;

/// Verify commands differ in little: of a long batch only the first is shown.
const MOST_COMMANDS: usize = 3;

/// The commands that verify what is signed, as lines for people: one of ambisign, then those of cosign.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let images: Vec<_> =
        report.images.iter().filter(|image| cosign(report, image).is_some()).collect();
    if images.is_empty() {
        return Vec::new();
    }
    let shown = if images.len() > MOST_COMMANDS { 1 } else { images.len() };
    let (told, others) = images.split_at(shown);
    let others =
        (!others.is_empty()).then(|| format!("  and the same for the other {}", nouns(report)));
    let mut lines = vec!["Verify with".to_owned()];
    let own = own(report, told);
    lines.extend(own.iter().map(|words| format!("  {}", joined(words))));
    lines.extend(others.clone());
    lines.push("or with cosign 3 (cosign 2.6 also needs --new-bundle-format)".to_owned());
    lines.extend(preparation(report).map(|command| format!("  {command}")));
    let commands = told.iter().filter_map(|image| cosign(report, image));
    lines.extend(commands.flat_map(|words| folded(&words)));
    lines.extend(others);
    lines
}

/// The command of cosign that verifies `image`, as one line of a shell, with what must be run before.
pub(super) fn command_line(report: &Report, image: &Outcome) -> Option<String> {
    let command = joined(&cosign(report, image)?);
    Some(match preparation(report) {
        Some(first) => format!("{first} && {command}"),
        None => command,
    })
}

/// The flags that reach the registries as this run does.
pub(super) fn access(report: &Report) -> Vec<String> {
    let access = &report.access;
    let signatures = access.signatures.iter();
    let signatures = signatures.map(|repository| ("--signature-repository", repository.clone()));
    let ca_file = access.ca_file.iter().map(|path| ("--ca-file", path.display().to_string()));
    let pairs = signatures.chain(ca_file).flat_map(|(name, value)| [name.to_owned(), value]);
    // The value of this flag is optional, so it needs a `=`.
    let plain = access.plain_http.iter().map(|host| format!("--allow-http-registry={host}"));
    pairs.chain(plain).collect()
}

/// The flags that select the trust material of this run.
pub(super) fn trust(report: &Report) -> Vec<String> {
    let instance = report.instance.as_ref();
    let root = instance.and_then(|instance| instance.trusted_root.as_ref());
    let tuf = instance.and_then(|instance| instance.tuf.as_ref());
    match (root, tuf.map(|tuf| (tuf, &tuf.known))) {
        (Some(root), _) => vec!["--trusted-root".to_owned(), root.display().to_string()],
        (None, None | Some((_, Known::Everywhere))) => Vec::new(),
        (None, Some((_, Known::AsStaging))) => vec!["--staging".to_owned()],
        (None, Some((tuf, Known::WithRoot(root)))) => vec![
            "--tuf-mirror".to_owned(),
            tuf.mirror.clone(),
            "--tuf-root".to_owned(),
            root.display().to_string(),
        ],
    }
}

/// The commands of ambisign that verify `images`, as words: one for all images of one signer, one for
/// each file.
fn own(report: &Report, images: &[&Outcome]) -> Vec<Vec<String>> {
    let mut commands: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for image in images {
        let Some(words) = own_words(report, image) else {
            continue;
        };
        match commands.last_mut() {
            Some((same, names)) if image.file.is_none() && *same == words => {
                names.push(image.name());
            }
            Some(_) | None => commands.push((words, vec![image.name()])),
        }
    }
    let commands = commands.into_iter();
    commands.map(|(words, names)| [words, names].concat()).collect()
}

/// The command of ambisign that verifies `image`, as words, without the name of the image.
fn own_words(report: &Report, image: &Outcome) -> Option<Vec<String>> {
    let (subject, issuer) = signer(report, image)?;
    let verb = match image.file {
        Some(_) => "verify-blob",
        None => "verify",
    };
    let words = ["ambisign", verb, "--certificate-identity", subject];
    let mut words = words.map(str::to_owned).to_vec();
    let mut give = |name: &str, value: String| words.extend([name.to_owned(), value]);
    give("--certificate-oidc-issuer", issuer.to_owned());
    if let Some(file) = &image.file {
        // The bundle next to a file is found without a flag.
        let found = default_bundle(file).ok();
        let bundle = bundle_of(image).filter(|bundle| found.as_ref() != Some(*bundle));
        if let Some(bundle) = bundle {
            give("--bundle", bundle.display().to_string());
        }
    } else {
        for (key, value) in &report.annotations {
            give("-a", format!("{key}={value}"));
        }
        words.extend(access(report));
    }
    words.extend(trust(report));
    Some(words)
}

/// Whom the certificate of `image` names, and its issuer; `None` as long as there is nothing to verify,
/// or the identity is not known.
fn signer<'a>(report: &'a Report, image: &'a Outcome) -> Option<(&'a str, &'a str)> {
    let is_signed = image.is_done() && !matches!(image.state, State::WouldSign);
    if !is_signed || image.digest.is_none() || image.unattached().is_some() {
        return None;
    }
    match (&image.certificate, &report.identity) {
        (Some(certificate), _) => Some((&certificate.identity, &certificate.issuer)),
        (None, Some(identity)) => Some((identity.subject.as_ref()?, &identity.issuer)),
        (None, None) => None,
    }
}

/// The command of cosign that verifies `image`, as words.
fn cosign(report: &Report, image: &Outcome) -> Option<Vec<String>> {
    let (subject, issuer) = signer(report, image)?;
    let command = match (&image.file, bundle_of(image)) {
        (None, _) => ["cosign", "verify", &image.name()].map(str::to_owned).to_vec(),
        (Some(_), None) => return None,
        (Some(_), Some(bundle)) => {
            let (name, bundle) = (image.name(), bundle.display().to_string());
            ["cosign", "verify-blob", &name, "--bundle", &bundle].map(str::to_owned).to_vec()
        }
    };
    let annotations = report.annotations.iter().filter(|_| image.file.is_none());
    let annotations =
        annotations.flat_map(|(key, value)| ["-a".to_owned(), field(&format!("{key}={value}"))]);
    let identity = ["--certificate-identity", subject, "--certificate-oidc-issuer", issuer];
    let identity = identity.map(str::to_owned).to_vec();
    let mut words = [command, annotations.collect(), identity].concat();
    if image.file.is_none() {
        let access = &report.access;
        let ca_file = access.ca_file.iter().map(|path| path.display().to_string());
        words.extend(ca_file.flat_map(|path| ["--registry-cacert".to_owned(), path]));
        words.extend(access.plain_http.first().map(|_| "--allow-http-registry".to_owned()));
    }
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

/// `words` as a command of several lines: a new one before each flag.
fn folded(words: &[String]) -> Vec<String> {
    let mut lines = vec![String::from(" ")];
    for word in words {
        let is_flag = word.starts_with("--") || word == "-a";
        if let Some(line) = lines.last_mut().filter(|_| is_flag) {
            line.push_str(" \\");
            lines.push("   ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(&shell(word));
        }
    }
    lines
}
