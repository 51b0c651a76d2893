// SPDX-License-Identifier: Apache-2.0
//! A report in, the bytes of both streams out.

mod documents;
mod schema;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use ambisign_host::{Class, Clock, Env, Event as HttpEvent, Failure, Net, NetOptions, Warning};
use serde_json::Value;

use super::*;
use crate::outcome::event::{Event, ImageEvent, ImageId};
use crate::outcome::{
    Attached, Bundle, Certificate, End, Identity, Instance, Known, LogEntry, Outcome,
    RegistryAccess, Report, Signal, State, Step, Timestamp, Tuf,
};
use crate::settings::Output;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What `tell` writes to standard output and standard error. The password `hunter"22` is known.
pub(super) fn told(look: Style, tell: impl FnOnce(Reporter<'_>)) -> (String, String) {
    let (out, err) = (Memory::default(), Memory::default());
    let console = Console::new(Box::new(out.clone()), Box::new(err.clone()), look);
    let net = Net::new(&Env::default(), Clock::system(), NetOptions::default());
    net.guard("hunter\"22");
    tell(Reporter::new(&console, &net));
    (out.text(), err.text())
}

pub(super) fn failure(what: &str, class: Class) -> Failure {
    Failure {
        what: what.to_owned(),
        because: vec!["GET https://runner.example/token answered HTTP 403".to_owned()],
        fix: Some("add `permissions: id-token: write` to the job".to_owned()),
        code: "github/not-permitted".to_owned(),
        class,
    }
}

pub(super) fn signed(repository: &str) -> Outcome {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    Outcome {
        file: None,
        requested: vec![format!("{repository}:v1")],
        repository: repository.to_owned(),
        digest: Some("sha256:00".to_owned()),
        parent: None,
        media_type: Some("application/vnd.oci.image.index.v1+json".to_owned()),
        state: State::Signed,
        certificate: Some(Certificate {
            identity: "https://github.com/o/r/.github/workflows/it's.yml@refs/heads/main"
                .to_owned(),
            issuer: "https://token.actions.githubusercontent.com".to_owned(),
            not_before: time,
            not_after: time + Duration::from_secs(600),
            sha256: "ab".to_owned(),
            pem: "-----BEGIN CERTIFICATE-----\n".to_owned(),
        }),
        certificate_requested: true,
        submitted: true,
        timestamps: vec![Timestamp { authority: "https://tsa.example.com".to_owned(), time }],
        log: vec![LogEntry {
            url: "https://rekor.example.com".to_owned(),
            version: 2,
            index: Some(48_211),
            log_id: "cd".to_owned(),
            integrated_time: None,
            link: None,
        }],
        bundle: Some(Bundle {
            media_type: "application/vnd.dev.sigstore.bundle.v0.3+json".to_owned(),
            sha256: "ef".to_owned(),
            path: None,
        }),
        attached: Some(Attached {
            method: "referrers".to_owned(),
            reference: format!("{repository}@sha256:11"),
        }),
        steps: vec![Step {
            name: "certificate",
            took: Duration::from_millis(380),
            detail: "valid 22:13:20Z-22:23:20Z".to_owned(),
        }],
    }
}

pub(super) fn report(images: Vec<Outcome>, end: End) -> Report {
    let mut report = Report::new(SystemTime::UNIX_EPOCH);
    report.took = Duration::from_millis(2900);
    report.images = images;
    report.end = end;
    report
}

pub(super) fn finished(look: Style, report: &Report, output: Output) -> (String, String) {
    told(look, |reporter| reporter.finish(report, output).unwrap())
}

#[test]
fn an_error_says_what_why_fix_and_what_exists() {
    let what = "GitHub refused to mint an identity token (HTTP 403)";
    let report = report(vec![], End::Failed(failure(what, Class::Identity)));
    let (out, err) = finished(Style::default(), &report, Output::Text);
    assert_eq!(out, "");
    assert_eq!(
        err,
        "ambisign: error: GitHub refused to mint an identity token (HTTP 403)\n\
         ambisign: because: GET https://runner.example/token answered HTTP 403\n\
         ambisign: fix: add `permissions: id-token: write` to the job\n\
         ambisign: code: github/not-permitted; exit 3; nothing was signed or uploaded\n"
    );
}

#[test]
fn what_was_sent_may_have_been_done() {
    let certified = Outcome {
        log: Vec::new(),
        bundle: None,
        attached: None,
        state: State::Pending,
        ..signed("r.io/a")
    };
    let rows = [
        (Outcome::default(), "nothing was signed or uploaded"),
        (
            Outcome { certificate_requested: true, ..Outcome::default() },
            "a certificate may have been issued, nothing was signed or uploaded",
        ),
        (
            // There are timestamps, and the log was not reached.
            Outcome { submitted: false, ..certified.clone() },
            "a certificate was issued, nothing was logged or attached",
        ),
        (
            // There need be no timestamp.
            Outcome { timestamps: Vec::new(), ..certified },
            "a certificate was issued, the log may have an entry, nothing was attached",
        ),
    ];
    for (image, exists) in rows {
        let ends = [
            End::Failed(failure("it failed", Class::Temporary)),
            End::Interrupted(Signal::Terminate),
        ];
        for end in ends {
            let report = report(vec![image.clone()], end);
            let (_, err) = finished(Style::default(), &report, Output::Text);
            assert!(err.ends_with(&format!("; {exists}\n")), "{exists}: {err}");
        }
    }
}

#[test]
fn success_is_one_line_an_image_and_a_command_to_verify() {
    let (out, err) =
        finished(Style::default(), &report(vec![signed("r.io/a")], End::Complete), Output::Text);
    assert_eq!(out, "r.io/a@sha256:00\n");
    assert_eq!(
        err,
        "signed 1 image in 2.9 s\n\
         Verify with\n  \
         ambisign verify \
         --certificate-identity 'https://github.com/o/r/.github/workflows/it'\\''s.yml@refs/heads/main' \
         --certificate-oidc-issuer https://token.actions.githubusercontent.com r.io/a@sha256:00\n\
         or with cosign 3 (cosign 2.6 also needs --new-bundle-format)\n  \
         cosign verify r.io/a@sha256:00 \\\n    \
         --certificate-identity 'https://github.com/o/r/.github/workflows/it'\\''s.yml@refs/heads/main' \\\n    \
         --certificate-oidc-issuer https://token.actions.githubusercontent.com\n"
    );
}

#[test]
fn the_lines_to_verify_with_are_few_and_complete() {
    let told = |report: &Report| finished(Style::default(), report, Output::Text).1;
    let own = |report: &Report| {
        let told = told(report);
        let lines = told.lines().filter_map(|line| line.strip_prefix("  ambisign "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let names = ["r.io/a", "r.io/b", "r.io/c", "r.io/d"].map(signed);
    let batch = report(names[..3].to_vec(), End::Complete);
    let lines = own(&batch);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].ends_with(" r.io/a@sha256:00 r.io/b@sha256:00 r.io/c@sha256:00"));
    let long = report(names.to_vec(), End::Complete);
    let lines = own(&long);
    assert!(lines[0].ends_with(".com r.io/a@sha256:00"), "{lines:?}");
    let others = "\n  and the same for the other images\n";
    assert_eq!(told(&long).matches(others).count(), 2);

    let mut elsewhere = report(vec![signed("r.io/a")], End::Complete);
    elsewhere.access = RegistryAccess {
        signatures: Some("r.io/s".to_owned()),
        ca_file: Some("ca.pem".into()),
        plain_http: vec!["r.io".to_owned()],
    };
    elsewhere.annotations = [("env".to_owned(), "a,b".to_owned())].into();
    let end = " -a env=a,b --signature-repository r.io/s --ca-file ca.pem --allow-http-registry=r.io \
               r.io/a@sha256:00";
    assert!(own(&elsewhere)[0].ends_with(end));
    let other = told(&elsewhere);
    assert!(other.contains("--registry-cacert ca.pem") && other.contains("--allow-http-registry"));

    let file = |name: &str, bundle: &str| {
        let mut file = signed("");
        file.requested = vec![name.to_owned()];
        file.file = Some(name.into());
        file.bundle.as_mut().unwrap().path = Some(bundle.into());
        file
    };
    let files = vec![file("a", "a.sigstore.json"), file("b", "kept/b.json")];
    let lines = own(&report(files, End::Complete));
    assert!(lines[0].starts_with("verify-blob ") && lines[0].ends_with(".com a"));
    assert!(lines[1].ends_with(" --bundle kept/b.json b"), "{lines:?}");
}

/// A dry run knows who would sign, and leaves nothing that could be verified.
#[test]
fn a_dry_run_names_no_command_to_verify_with() {
    let dry =
        Outcome { state: State::WouldSign, certificate: None, attached: None, ..signed("r.io/a") };
    let mut report = report(vec![dry], End::Complete);
    report.identity = Some(Identity {
        provider: "github-actions".to_owned(),
        token_subject: "repo:o/r".to_owned(),
        subject: Some("https://github.com/o/r/.github/workflows/x.yml@refs/heads/main".to_owned()),
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        repository_visibility: None,
    });
    let (_, err) = finished(Style::default(), &report, Output::Text);
    assert_eq!(err, "would sign 1 image in 2.9 s\n");
}

#[test]
fn a_batch_names_the_images_that_failed_and_what_exists_of_each() {
    let mut logged = signed("r.io/b");
    logged.attached = None;
    logged.state = State::Failed(failure("the registry answered HTTP 403", Class::Registry));
    let report = report(vec![signed("r.io/a"), logged], End::Complete);
    let (out, err) = finished(Style::default(), &report, Output::Text);
    assert_eq!(out, "r.io/a@sha256:00\n");
    assert!(err.starts_with("signed 1 of 2 images in 2.9 s\n"), "{err}");
    assert!(err.contains("ambisign: error: r.io/b@sha256:00: the registry answered HTTP 403\n"));
    assert!(err.ends_with(
        "exit 7; a log entry exists at https://rekor.example.com #48211, \
         the signature is not known to be attached\n"
    ));
}

#[test]
fn an_interrupted_run_says_what_exists() {
    let logged = Outcome { attached: None, state: State::Pending, ..signed("r.io/b") };
    for (more, exists) in [
        (vec![Outcome::default()], "1 of 2 images are signed"),
        (vec![logged.clone()], "1 of 2 images are signed, and 1 more is in the log"),
        (vec![logged.clone(), logged], "1 of 3 images are signed, and 2 more are in the log"),
    ] {
        let images = [vec![signed("r.io/a")], more].concat();
        let report = report(images, End::Interrupted(Signal::Terminate));
        let (_, err) = finished(Style::default(), &report, Output::Text);
        let last = format!("code: run/interrupted; exit 143; {exists}\n");
        assert!(err.ends_with(&last), "{err}");
    }
}

#[test]
fn nothing_from_outside_can_do_anything() {
    let look = Style { colour: Colour::Off, runner: Some(Runner::default()) };
    let what = "said \u{1b}]0;x\u{7} hunter\"22\n::stop-commands::x ##[error]y 100%";
    let report = report(vec![], End::Failed(failure(what, Class::Identity)));
    let (out, err) = finished(look, &report, Output::Json);
    for text in [&out, &err] {
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text}");
        assert!(!text.contains("hunter") && !text.contains("##["), "{text}");
    }
    let commands: Vec<_> = err.lines().filter(|line| line.trim_start().starts_with("::")).collect();
    let [command] = commands[..] else { panic!("{commands:?}") };
    assert!(
        command.starts_with("::error title=ambisign%3A github/not-permitted::said"),
        "{command}"
    );
    assert!(command.contains("100%25"));
    assert_eq!(out.lines().count(), 1);
    let message = serde_json::from_str::<Value>(&out).unwrap()["error"]["message"].clone();
    assert_eq!(message, "said \u{1b}]0;x\u{7} ***\n::stop-commands::x ##[error]y 100%");
}

#[test]
fn the_document_has_everything() {
    let mut report = report(vec![signed("r.io/a"), Outcome::default()], End::Complete);
    report.identity = Some(Identity {
        provider: "github-actions".to_owned(),
        token_subject: "repo:o/r:ref:refs/heads/main".to_owned(),
        subject: Some("https://github.com/o/r/x.yml@refs/heads/main".to_owned()),
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        repository_visibility: Some("public".to_owned()),
    });
    report.warnings.push(Warning { code: "settings/x", message: "odd".to_owned() });
    let (out, _) = finished(Style::default(), &report, Output::Json);
    assert!(out.starts_with(r#"{"schema":"urn:ambisign:result:v1","version":""#), "{out}");
    let document: Value = serde_json::from_str(&out).unwrap();
    // A run that forgets an image is a bug, whatever it says.
    assert_eq!((&document["status"], &document["exit_code"]), (&"partial".into(), &7.into()));
    let image = &document["images"][0];
    assert_eq!(image["status"], "signed");
    assert_eq!(image["log"][0]["index"], 48_211);
    assert_eq!(image["certificate"]["not_before"], "2023-11-14T22:13:20Z");
    assert_eq!(image["timings_ms"]["certificate"], 380);
    assert_eq!(image["attached"]["reference"], "r.io/a@sha256:11");
    assert!(
        image["verify_command"].as_str().unwrap().starts_with("cosign verify r.io/a@sha256:00 ")
    );
    assert_eq!(document["images"][1]["status"], "pending");
    assert_eq!(document["summary"]["signed"], 1);
    assert_eq!(document["identity"]["repository_visibility"], "public");
    assert_eq!(document["warnings"][0]["code"], "settings/x");
    assert_eq!(document["error"], Value::Null);
}

#[test]
fn steps_of_one_image_stay_together() {
    let images = |count: usize| {
        let mut images = vec![signed("r.io/a"), signed("r.io/b")].split_off(2 - count);
        images.iter_mut().for_each(|image| image.steps.clear());
        Event::ImagesResolved(images)
    };
    let of_image = |index: usize, event| Event::Image(ImageId::new(index), event);
    let kept = |index| {
        of_image(
            index,
            ImageEvent::BundleKept { path: "x".into(), took: Duration::from_millis(210) },
        )
    };
    let over = |index| of_image(index, ImageEvent::Finished(State::Signed));
    let (_, several) = told(Style::default(), |reporter| {
        let recorder = Recorder::new(reporter, Report::new(SystemTime::UNIX_EPOCH));
        let events = [images(2), kept(0), kept(1), kept(0), kept(7), over(1), over(0), over(7)];
        events.iter().for_each(|event| recorder.record(event));
        assert_eq!(recorder.report().images[0].steps.len(), 2);
    });
    assert_eq!(
        several,
        "r.io/b@sha256:00  (asked for: r.io/b:v1)\n  kept         0.21s  x\n\
         r.io/a@sha256:00  (asked for: r.io/a:v1)\n  kept         0.21s  x\n  kept         0.21s  x\n"
    );
    let (_, one) = told(Style::default(), |reporter| {
        let recorder = Recorder::new(reporter, Report::new(SystemTime::UNIX_EPOCH));
        [images(1), kept(0)].iter().for_each(|event| recorder.record(event));
    });
    assert_eq!(one, "r.io/b@sha256:00  (asked for: r.io/b:v1)\n  kept         0.21s  x\n");
}

#[test]
fn waits_are_always_told_and_answers_when_asked() {
    let answered = HttpEvent::Answered {
        method: "GET",
        url: "https://rekor.example.com/api",
        status: 200,
        took: Duration::from_millis(120),
    };
    let waiting = HttpEvent::Waiting {
        host: "rekor.example.com",
        url: "https://rekor.example.com/api",
        because: "answered HTTP 502",
        wait: Duration::from_secs(8),
        tries: 4,
    };
    let (_, quiet) = told(Style::default(), |reporter| {
        reporter.event(answered, false);
        reporter.event(waiting, false);
    });
    assert_eq!(quiet, "  waiting 8s for rekor.example.com: answered HTTP 502 (try 4)\n");
    let (_, loud) = told(Style::default(), |reporter| reporter.event(answered, true));
    assert_eq!(loud, "  GET https://rekor.example.com/api 200 0.12s\n");
    let (_, loud) = told(Style::default(), |reporter| reporter.event(waiting, true));
    assert_eq!(loud, "  waiting 8s for https://rekor.example.com/api: answered HTTP 502 (try 4)\n");
}

#[test]
fn colours_are_for_labels_only() {
    let look = Style { colour: Colour::On, runner: None };
    let warning = Warning { code: "settings/x", message: "odd".to_owned() };
    let (_, err) = told(look, |reporter| reporter.warning(&warning));
    assert_eq!(err, "ambisign: \u{1b}[1;33mwarning:\u{1b}[0m odd\n");
}

#[test]
fn verifiers_are_told_of_the_same_mirror() {
    let command = |trusted_root: Option<&str>, known| {
        let mut report = report(vec![signed("r.io/a")], End::Complete);
        report.instance = Some(Instance {
            trusted_root: trusted_root.map(Into::into),
            tuf: Some(Tuf {
                mirror: "https://tuf.example.com/".to_owned(),
                root_version: 3,
                known,
            }),
            ..Instance::default()
        });
        let (out, err) = finished(Style::default(), &report, Output::Json);
        let document: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(document["instance"]["tuf"]["root_version"], 3);
        let command = document["images"][0]["verify_command"].as_str().unwrap().to_owned();
        (command, err)
    };
    let (root, file) = (Known::WithRoot("my root.json".into()), Some("root.json"));
    let (plain, with_file) = ("cosign verify r.io/a@", " --trusted-root root.json r.io/a@");
    let initialized = "cosign initialize --staging && cosign verify r.io/a@";
    let around =
        "env TUF_MIRROR=https://tuf.example.com 'TUF_ROOT_JSON=my root.json' cosign verify r.io/a@";
    let mirror = " --tuf-mirror https://tuf.example.com/ --tuf-root 'my root.json' r.io/a@";
    for (trusted_root, known, start, own) in [
        (None, Known::Everywhere, plain, "com r.io/a@"),
        (None, Known::AsStaging, initialized, "com --staging r.io/a@"),
        (file, Known::AsStaging, plain, with_file),
        (None, root.clone(), around, mirror),
        (file, root, plain, with_file),
    ] {
        let (command, err) = command(trusted_root, known);
        assert!(command.starts_with(start), "{command}");
        assert!(err.contains(own), "no `{own}` in: {err}");
        assert_eq!(command.contains("--trusted-root root.json"), trusted_root.is_some());
        let first = "\n  cosign initialize --staging\n";
        assert_eq!(err.contains(first), start.contains("initialize"), "{err}");
    }
}
