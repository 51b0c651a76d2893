// SPDX-License-Identifier: Apache-2.0
//! The documents, byte for byte: which members there are, and in which order. The files are part of
//! the interface; `SNAPSHOTS=overwrite` writes them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use snapbox::{Assert, Data};

use super::*;
use crate::outcome::diagnosis::{self, Diagnosis, Stage};
use crate::outcome::trust::{Believed, Mirror, Overview, Services, Update, Used};
use crate::outcome::verification::{Entry, Facts, Finding, Layout, Signature, Verdict, Verdicts};

/// Where the documents are.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/tests/documents")
}

/// Stops the test unless what `tell` prints is what the file has, with the version of this program.
#[track_caller]
fn hold(name: &str, tell: impl FnOnce(Reporter<'_>) -> io::Result<()>) {
    let (out, _) = told(Style::default(), |reporter| tell(reporter).unwrap());
    let _valid: Value = serde_json::from_str(&out).unwrap();
    let version = concat!(r#""version":""#, env!("CARGO_PKG_VERSION"), '"');
    let out = out.replacen(version, r#""version":"VERSION""#, 1);
    let file = folder().join(format!("{name}.json"));
    let assert = Assert::new().action_env(snapbox::assert::DEFAULT_ACTION_ENV);
    let expected = Data::read_from(&file, Some(snapbox::data::DataFormat::Text));
    assert.eq(Data::text(out).raw(), expected.raw());
}

fn warning() -> Warning {
    Warning { code: "settings/x", message: "odd ##[group] hunter\"22\u{1b}".to_owned() }
}

fn identity() -> Identity {
    Identity {
        provider: "github-actions".to_owned(),
        token_subject: "repo:o/r:ref:refs/heads/main".to_owned(),
        subject: None,
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        repository_visibility: Some("public".to_owned()),
    }
}

/// Every state, and every member with a value and without.
fn everything() -> Report {
    let kept = Outcome {
        parent: Some("sha256:22".to_owned()),
        attached: None,
        bundle: Some(Bundle {
            path: Some("out/a b.json".into()),
            ..signed("r.io/b").bundle.unwrap()
        }),
        ..signed("r.io/b")
    };
    let file = Outcome { file: Some("a.txt".into()), repository: String::new(), ..kept.clone() };
    let of_state = |state| Outcome { state, ..Outcome::default() };
    let mut failed = of_state(State::Failed(failure("it failed", Class::Temporary)));
    failed.log = vec![LogEntry {
        integrated_time: Some(SystemTime::UNIX_EPOCH),
        link: Some("https://rekor.example.com/1".to_owned()),
        ..signed("r.io/a").log.remove(0)
    }];
    let states = [State::AlreadyAttached, State::AlreadySigned, State::Attached, State::WouldSign];
    let images = [signed("r.io/a"), kept, failed, Outcome::default(), file];
    let images = images.into_iter().chain(states.map(of_state));
    let mut report = report(images.collect(), End::Interrupted(Signal::Terminate));
    report.identity = Some(identity());
    report.instance = Some(Instance {
        name: "public-good".to_owned(),
        fulcio: Some("https://fulcio.example.com/".to_owned()),
        rekor: vec!["https://rekor.example.com/".to_owned()],
        rekor_version: Some(2),
        tsa: vec!["https://tsa.example.com/".to_owned()],
        trusted_root: None,
        trusted_root_sha256: Some("00".to_owned()),
        no_ct_log: false,
        tuf: Some(Tuf {
            mirror: "https://tuf.example.com/".to_owned(),
            root_version: 3,
            known: Known::Everywhere,
        }),
    });
    let (name, value) = ("hunter\"22 name", "hunter\"22 value");
    report.annotations.insert(name.to_owned(), value.to_owned());
    report.access.signatures = Some("r.io/signatures".to_owned());
    report.warnings.push(warning());
    report
}

#[test]
fn of_a_run() {
    let report = everything();
    hold("run", |reporter| reporter.finish(&report, Output::Json));
}

#[test]
fn of_a_run_that_did_not_begin() {
    let end = End::Failed(failure("GitHub refused", Class::Identity));
    let report = report(Vec::new(), end);
    hold("run-failed", |reporter| reporter.finish(&report, Output::Json));
}

#[test]
fn of_a_verification() {
    let accepted = |certificate, layout| {
        let signed = signed("r.io/a");
        let entry = |time| Entry {
            version: 1,
            index: Some(u64::MAX),
            tree_index: Some(7),
            log_id: "cd".to_owned(),
            time,
        };
        Finding::Accepted(Box::new(Facts {
            caller: None,
            layout: Some(layout),
            certificate,
            predicate_type: Some("https://sigstore.dev/cosign/sign/v1".to_owned()),
            annotations: [(
                "env".to_owned(),
                serde_json::json!({"b": [1, "hunter\"22"], "a": null}),
            )]
            .into(),
            log: vec![entry(None), entry(Some(SystemTime::UNIX_EPOCH))],
            timestamps: signed.timestamps,
        }))
    };
    let signature = |finding| Signature { place: "sha256:11".to_owned(), finding };
    let findings = [
        accepted(signed("r.io/a").certificate, Layout::Bundle),
        accepted(None, Layout::Legacy),
        Finding::Rejected(failure("not hunter\"22", Class::Rejected)),
    ];
    let mut verdicts = Verdicts::new(SystemTime::UNIX_EPOCH);
    verdicts.trusted_root_sha256 = Some("00".to_owned());
    verdicts.artifacts = vec![
        Verdict {
            requested: "r.io/a:v1".to_owned(),
            repository: Some("r.io/a".to_owned()),
            digest: Some("sha256:00".to_owned()),
            signatures: findings.into_iter().map(signature).collect(),
            unread: 2,
            failure: None,
        },
        Verdict { failure: Some(failure("nothing there", Class::Rejected)), ..Verdict::default() },
    ];
    verdicts.warnings.push(warning());
    hold("verification", |reporter| reporter.verdicts(&verdicts, Output::Json));
    verdicts = Verdicts::new(SystemTime::UNIX_EPOCH);
    verdicts.end = End::Failed(failure("no such file", Class::Usage));
    hold("verification-failed", |reporter| reporter.verdicts(&verdicts, Output::Json));
}

#[test]
fn of_a_diagnosis() {
    let mut diagnosis = Diagnosis::new(SystemTime::UNIX_EPOCH);
    diagnosis.took = Duration::from_millis(7);
    diagnosis.images = 1;
    diagnosis.identity = Some(identity());
    diagnosis.end = End::Interrupted(Signal::Interrupt);
    diagnosis.findings = vec![
        diagnosis::Finding::warn(Stage::Services, "clock", "slow"),
        diagnosis::Finding::fail(Stage::Registry, "", failure("no hunter\"22", Class::Registry))
            .of_image(0),
        diagnosis::Finding::skip(Stage::Identity, "", "no token"),
        diagnosis::Finding::ok(Stage::Settings, "x", "y").with_fix("z"),
    ];
    hold("diagnosis", |reporter| reporter.diagnosis(&diagnosis, Output::Json));
}

/// Texts of a trusted root can be anything, and the document is one.
#[test]
fn of_trust_material() {
    let mirror = || Mirror {
        url: "https://tuf.example.com/".to_owned(),
        root: 1,
        timestamp: 2,
        snapshot: 3,
        targets: 4,
    };
    let time = SystemTime::UNIX_EPOCH;
    let believed = |end| Believed {
        url: "https://rekor.example.com".to_owned(),
        operator: "\"##[group]hunter\"22\u{1b}".to_owned(),
        id: "00".to_owned(),
        start: time,
        end,
        valid_now: end.is_none(),
    };
    let used = || Used { url: "https://rekor.example.com/".to_owned(), api_version: 2 };
    let overview = Overview {
        mirror: Some(mirror()),
        trusted_root_sha256: "00".to_owned(),
        certificate_authorities: vec![believed(None)],
        certificate_logs: vec![believed(Some(time))],
        logs: Vec::new(),
        timestamp_authorities: vec![believed(Some(time + Duration::from_secs(1_000_000_000_000)))],
        services: Services { fulcio: used(), rekor: vec![used()], tsa: Vec::new() },
    };
    hold("trust", |reporter| reporter.told(&overview, Output::Json));
    let update = Update { mirror: mirror(), folder: Some("/var/cache".into()) };
    hold("update", |reporter| reporter.told(&update, Output::Json));
}

#[test]
fn of_a_command_that_did_not_begin() {
    hold("failure", |reporter| {
        let failure = failure("it failed", Class::Trust);
        reporter.failed("urn:ambisign:trust:v1", &failure, 4)
    });
}
