// SPDX-License-Identifier: Apache-2.0
//! A report in; the runner's files and its commands out.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use ambisign_host::{Class, Env, Warning};
use serde_json::Value;
use tempfile::TempDir;

use super::super::runner::{Runner, workflow};
use crate::outcome::event::{ImageEvent, ImageId};
use crate::outcome::{Bundle, End, Outcome, Report, State, Step};
use crate::report::tests::{failure, finished, report, signed, told};
use crate::report::{Recorder, Style};
use crate::settings::Output;

const WORKFLOW: &str = "acme/app/.github/workflows/release.yml@refs/heads/main";

/// The files of a step, as the runner makes them.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["output", "summary"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        Self(folder)
    }

    fn look(&self, more: &[(&str, &str)]) -> Style {
        let path = |name| self.0.path().join(name).display().to_string();
        let mut env = BTreeMap::from([
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_OUTPUT", path("output")),
            ("GITHUB_STEP_SUMMARY", path("summary")),
            ("GITHUB_WORKFLOW_REF", WORKFLOW.to_owned()),
            ("RUNNER_TEMP", path("")),
        ]);
        env.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Style::of(&Env::from_iter(env), false)
    }

    fn summary(&self) -> String {
        fs::read_to_string(self.0.path().join("summary")).unwrap()
    }

    /// The outputs, read as the runner does.
    fn outputs(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.0.path().join("output")).unwrap();
        let mut lines = text.lines();
        let mut found = BTreeMap::new();
        while let Some(line) = lines.next() {
            let (name, delimiter) = line.split_once("<<").unwrap();
            assert!(delimiter.starts_with("ghadelimiter_"), "{line}");
            let value: Vec<_> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            found.insert(name.to_owned(), value.join("\n"));
        }
        found
    }
}

/// The workflow commands in `log`.
fn commands(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.trim_start().starts_with("::")).collect()
}

fn failed(name: &str) -> Outcome {
    Outcome {
        requested: vec![name.to_owned()],
        state: State::Failed(failure("the registry answered HTTP 403", Class::Registry)),
        ..Outcome::default()
    }
}

fn batch(images: Vec<Outcome>) -> Report {
    report(images, End::Complete)
}

#[test]
fn outputs_are_for_the_steps_that_follow() {
    let files = Files::new();
    let images = vec![signed("r.io/a"), signed("r.io/b")];
    let (_, err) = finished(files.look(&[]), &batch(images), Output::Text);
    assert_eq!(commands(&err), [""; 0]);
    let outputs = files.outputs();
    let value = |name: &str| outputs[name].as_str();
    assert_eq!(value("signed-refs"), "r.io/a@sha256:00\nr.io/b@sha256:00");
    assert_eq!(value("signature-refs"), "r.io/a@sha256:11\nr.io/b@sha256:11");
    assert_eq!(value("digests"), r#"{"r.io/a":"sha256:00","r.io/b":"sha256:00"}"#);
    assert_eq!(value("log-indexes"), "48211\n48211");
    assert_eq!(value("signed-count"), "2");
    assert_eq!(value("version"), env!("CARGO_PKG_VERSION"));
    let issuer = "https://token.actions.githubusercontent.com";
    assert_eq!(value("certificate-issuer"), issuer);
    assert!(value("verify-command").starts_with("cosign verify r.io/a@sha256:00 "));
    assert_eq!(value("verify-commands").lines().count(), 2);
    let document: Value = serde_json::from_str(value("result-json")).unwrap();
    assert_eq!(document["summary"]["signed"], 2);
    let kept = fs::read_to_string(value("result-file")).unwrap();
    assert_eq!(kept.trim_end(), value("result-json"));
}

#[test]
fn what_no_reader_finds_is_not_called_signed_for_them() {
    let files = Files::new();
    let mut kept = signed("r.io/kept");
    kept.attached = None;
    kept.bundle = Some(Bundle {
        media_type: "x".to_owned(),
        sha256: "00".to_owned(),
        path: Some("b/kept.sigstore.json".into()),
    });
    let before = Outcome { state: State::AlreadySigned, ..signed("r.io/before") };
    finished(files.look(&[]), &batch(vec![kept.clone()]), Output::Text);
    assert_eq!(files.outputs()["signed-refs"], "");
    let summary = files.summary();
    assert!(summary.contains("into files and not attached"), "{summary}");
    finished(files.look(&[]), &batch(vec![kept, before]), Output::Text);
    let outputs = files.outputs();
    assert_eq!(outputs["signed-refs"], "r.io/before@sha256:00");
    assert_eq!(outputs["signed-count"], "1");
    assert_eq!(outputs["skipped-count"], "1");
    let summary = files.summary();
    assert!(summary.contains("left alone 1 of 2"), "{summary}");
}

#[test]
fn a_run_that_failed_has_outputs_and_a_summary_too() {
    let files = Files::new();
    let what = "this GitHub job may not request identity tokens (`X` is not set)";
    let failed = report(vec![], End::Failed(failure(what, Class::Identity)));
    let (_, err) = finished(files.look(&[]), &failed, Output::Text);
    assert_eq!(files.outputs()["signed-count"], "0");
    assert_eq!(files.outputs()["signed-refs"], "");
    let summary = files.summary();
    assert!(summary.starts_with("### Not signed\n\n**this GitHub job may not"), "{summary}");
    assert!(summary.contains("\nFix: add `permissions: id-token: write`"), "{summary}");
    assert!(summary.contains("`github/not-permitted`; exit 3; nothing was signed"), "{summary}");
    let [command] = commands(&err)[..] else { panic!("{err}") };
    let start =
        "::error title=ambisign%3A github/not-permitted,file=.github/workflows/release.yml::";
    assert!(command.starts_with(start), "{command}");
    assert!(command.contains(". Fix: add `permissions: id-token: write` to the job"), "{command}");
}

#[test]
fn the_summary_shows_what_was_signed_and_how_to_verify_it() {
    let files = Files::new();
    let mut one = signed("r.io/a");
    one.log[0].link = Some("https://search.sigstore.dev/?logIndex=48211".to_owned());
    finished(files.look(&[]), &batch(vec![one]), Output::Text);
    assert_eq!(
        files.summary(),
        "### Signed `r.io/a` in 2.9 s\n\n\
         | Image | Digest | Log entry | Time |\n|---|---|---|---|\n\
         | `r.io/a` (`v1`) | `sha256:00` | \
         [v2 \\#48211](<https://search.sigstore.dev/?logIndex=48211>) | 0.4 s |\n\n\
         **Signer** `https://github.com/o/r/.github/workflows/it's.yml@refs/heads/main`  \n\
         **Issuer** `https://token.actions.githubusercontent.com`\n\n\
         <details><summary>Verify</summary>\n\n```sh\n\
         cosign verify r.io/a@sha256:00 --certificate-identity \
         'https://github.com/o/r/.github/workflows/it'\\''s.yml@refs/heads/main' \
         --certificate-oidc-issuer https://token.actions.githubusercontent.com\n\
         ```\n\n</details>\n\n"
    );
}

#[test]
fn a_batch_and_a_dry_run_have_summaries_of_their_own() {
    let files = Files::new();
    finished(files.look(&[]), &batch(vec![signed("r.io/a"), failed("r.io/b")]), Output::Text);
    let summary = files.summary();
    assert!(summary.starts_with("### Signed 1 of 2 images in 2.9 s\n\n"), "{summary}");
    assert!(summary.contains("**r\\.io/b") || summary.contains("**r.io/b"), "{summary}");

    let files = Files::new();
    finished(files.look(&[]), &batch(vec![failed("r.io/a"), failed("r.io/b")]), Output::Text);
    let summary = files.summary();
    assert!(summary.starts_with("### None of 2 images signed\n\n| What happened |"), "{summary}");
    assert_eq!(summary.matches("\n| r.io/").count(), 2, "{summary}");

    let files = Files::new();
    let mut dry = batch(vec![Outcome { state: State::WouldSign, ..signed("r.io/a") }]);
    dry.dry_run = true;
    finished(files.look(&[]), &dry, Output::Text);
    assert!(files.summary().starts_with("### Would sign `r.io/a` in 2.9 s\n\n"));
    assert_eq!(files.outputs()["signed-count"], "0");
    assert_ne!(files.outputs()["certificate-identity"], "");
}

#[test]
fn nothing_from_outside_is_markup_or_a_line_of_its_own() {
    let files = Files::new();
    let hostile = "x`|\n### <img src=x>\n::set-output name=a::b\u{1b} hunter\"22 ##[error]";
    let mut odd = signed(hostile);
    odd.log[0].link = Some("javascript:alert(1)".to_owned());
    let mut other = failed(hostile);
    other.state = State::Failed(failure(hostile, Class::Registry));
    let (_, err) = finished(files.look(&[]), &batch(vec![odd, other]), Output::Text);
    let summary = files.summary();
    let headings: Vec<_> = summary.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(headings, ["### Signed 1 of 2 images in 2.9 s"]);
    for text in [&summary, &err, &format!("{:?}", files.outputs())] {
        assert!(!text.contains("hunter") && !text.contains('\u{1b}'), "{text}");
    }
    let row = summary.lines().find(|line| line.starts_with("| ``x`"));
    assert_eq!(row.unwrap().matches('|').count(), 5, "{summary}");
    assert!(summary.contains(r"**x\`\|"), "{summary}");
    assert!(summary.contains(r"\<img src=x\>"), "{summary}");
    assert!(!summary.contains("](<javascript"), "{summary}");
    assert_eq!(files.outputs()["signed-refs"].lines().count(), 1);
    assert_eq!(files.outputs().len(), 15);
    let [command] = commands(&err)[..] else { panic!("{err}") };
    assert!(command.starts_with("::error title="), "{command}");
    assert!(!command.contains("##["), "{command}");
}

#[test]
fn one_annotation_for_one_cause() {
    let files = Files::new();
    let images: Vec<_> = (0..20).map(|at| failed(&format!("r.io/{at}"))).collect();
    let mut batch = batch(images);
    for at in 0..30 {
        batch.warnings.push(Warning {
            code: if at % 2 == 0 { "registry/tag" } else { "run/kept" },
            message: format!("image {at} is odd"),
        });
    }
    let (_, err) = finished(files.look(&[]), &batch, Output::Text);
    let commands = commands(&err);
    assert_eq!(commands.len(), 3, "{err}");
    assert_eq!(
        commands[0],
        "::warning title=ambisign%3A registry/tag::image 0 is odd (and 14 more of this kind in the log)"
    );
    assert!(commands[1].starts_with("::warning title=ambisign%3A run/kept::image 1 is odd"));
    // Not the workflow's fault, so not on its file.
    assert!(commands[2].starts_with("::error title=ambisign%3A github/not-permitted::r.io/0: "));
    assert!(commands[2].ends_with("(and 19 more of this kind in the log)"));
}

#[test]
fn long_batches_have_a_group_for_each_image() {
    let log = |count: usize| {
        let files = Files::new();
        let (_, err) = told(files.look(&[]), |reporter| {
            let mut report = batch(vec![signed("r.io/a"); count]);
            report.images[0].repository = "r.io/%0A::x".to_owned();
            let recorder = Recorder::new(reporter, report);
            let ids: Vec<_> = (0..count).map(ImageId::new).collect();
            recorder.record_each(&ids, &ImageEvent::Finished(State::Signed));
        });
        err
    };
    let three = log(3);
    assert!(!three.contains("::group::") && !three.contains("::endgroup::"), "{three}");
    let four = log(4);
    assert_eq!(four.matches("::group::r.io/").count(), 4, "{four}");
    assert_eq!(four.matches("\n::endgroup::\n").count(), 4, "{four}");
    assert!(
        four.starts_with("::group::r.io/%250A::x@sha256:00  (asked for: r.io/a:v1)\n  cert"),
        "{four}"
    );
}

#[test]
fn files_that_cannot_be_written_stop_nothing() {
    let files = Files::new();
    let folder = files.0.path().display().to_string();
    for (name, what) in [
        ("GITHUB_OUTPUT", "the outputs could not be written"),
        ("GITHUB_STEP_SUMMARY", "the job summary could not be written"),
        ("RUNNER_TEMP", "the result file could not be written"),
    ] {
        // A folder is no file, and nothing is made where the runner made nothing.
        for path in [folder.clone(), format!("{folder}/absent/file")] {
            if (name, &path) == ("RUNNER_TEMP", &folder) {
                continue;
            }
            let (out, err) = finished(
                files.look(&[(name, &path)]),
                &batch(vec![signed("r.io/a")]),
                Output::Text,
            );
            assert_eq!(out, "r.io/a@sha256:00\n");
            assert!(err.contains(&format!("ambisign: warning: {what}: ")), "{err}");
        }
    }
    assert!(!files.0.path().join("absent").exists());
}

#[test]
fn what_is_too_long_for_the_runner_is_cut() {
    let files = Files::new();
    let step = Step { name: "manifest", took: Duration::from_secs(1), detail: String::new() };
    let images = (0..3000).map(|at| Outcome {
        steps: vec![step.clone()],
        ..signed(&format!("r.io/{}/{at}", "long".repeat(40)))
    });
    let (_, err) = finished(files.look(&[]), &batch(images.collect()), Output::Text);
    let summary = files.summary();
    assert_eq!(summary.matches("\n| `r.io/").count(), 200);
    assert!(summary.contains("2800 more are in the output `result-file`"), "no end");
    assert!(summary.len() < 900 * 1024);
    let outputs = files.outputs();
    assert_eq!(outputs["verify-commands"], "");
    assert!(
        err.contains("the output `verify-commands` is too long"),
        "{}",
        &err[err.len() - 900..]
    );
    assert!(fs::read_to_string(&outputs["result-file"]).unwrap().contains("BEGIN CERTIFICATE"));

    // What other calls in the same step wrote counts.
    let files = Files::new();
    fs::write(files.0.path().join("summary"), "x".repeat(900 * 1024 - 100)).unwrap();
    finished(files.look(&[]), &batch(vec![signed("r.io/a")]), Output::Text);
    assert!(files.summary().ends_with("x### Signed `r.io/a` in 2.9 s\n\n"));
}

#[test]
fn a_summary_can_be_unwanted() {
    let files = Files::new();
    finished(
        files.look(&[("AMBISIGN_SUMMARY", "false")]),
        &batch(vec![signed("r.io/a")]),
        Output::Text,
    );
    assert_eq!(files.summary(), "");
    assert_eq!(files.outputs()["signed-count"], "1");
}

#[test]
fn the_workflow_is_a_file_of_the_repository() {
    assert_eq!(workflow(WORKFLOW).unwrap(), ".github/workflows/release.yml");
    let odd = "o/r/.github/workflows/a@b.yml@refs/heads/c@refs/d";
    assert_eq!(workflow(odd).unwrap(), ".github/workflows/a@b.yml");
    for other in ["", "x", "o/r/../../x@refs/heads/main", "o/r/.github/workflows/x.yml"] {
        assert_eq!(workflow(other), None);
    }
    assert!(Runner::of(&Env::from_iter([("GITHUB_ACTIONS", "1")])).is_none());
}
