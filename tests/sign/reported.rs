// SPDX-License-Identifier: Apache-2.0
//! What a run tells: the document, and the end of a run that did not go through.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::common::fault::{At, Fault, FaultProxy, Rule, Turn};
use crate::common::{
    Cosign, Finished, GITHUB_IDENTITY, Image, Log, Program, Registry, Service, Stack,
    signing_config_with, sigstore_python,
};
use crate::job::Job;

/// A run that is interrupted ends within this.
const SOON: Duration = Duration::from_secs(6);

/// The stack's services with one of them behind a proxy that does not answer.
struct Hanging {
    stack: Arc<FaultProxy>,
    dir: tempfile::TempDir,
    service: Service,
    log: Log,
}

impl Hanging {
    /// The first `answers` requests are answered.
    fn after(stack: &Stack, service: Service, log: Log, answers: usize) -> Self {
        let url = stack.var(match (service, log) {
            (Service::Fulcio, _) => "FULCIO_URL",
            (Service::Rekor, Log::V1) => "REKOR_URL",
            (Service::Rekor, Log::V2) => "REKOR2_URL",
            (Service::Tsa, _) => "TSA_URL",
        });
        let rule = Rule::on("POST", At::Any, Fault::Hang).turn(Turn::After(answers));
        Self {
            stack: Arc::new(FaultProxy::start(url, vec![rule])),
            dir: tempfile::TempDir::new().unwrap(),
            service,
            log,
        }
    }

    fn job(&self, stack: &Stack) -> Job {
        let config = signing_config_with(
            self.log.signing_config(stack),
            self.dir.path(),
            self.service,
            &self.stack.url(),
        );
        Job::with_config(stack, &config).token(&stack.token("github", &[]))
    }

    /// Sends `job` the signal once a request hangs.
    fn interrupt(&self, job: Job, signal: &'static str) -> Job {
        let proxy = Arc::clone(&self.stack);
        let hangs = move || proxy.seen().iter().any(|seen| seen.rule.is_some());
        job.map(|program| program.signal_when(hangs, signal))
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_document_says_what_exists_and_how_to_verify_it() {
    let stack = Stack::shared();
    for (log, registry, method) in
        [(Log::V1, Registry::Fallback, "tag"), (Log::V2, Registry::Referrers, "referrers")]
    {
        let image = stack.push(registry, "reported/document", 2);
        let document = Job::new(&stack, log).github(&stack).image(&image).document(0);
        assert_eq!(document["schema"], "urn:ambisign:result:v1");
        assert_eq!((&document["status"], &document["exit_code"]), (&json!("ok"), &json!(0)));
        assert_eq!(document["error"], Value::Null);
        assert_eq!(document["identity"]["provider"], "github-actions");
        assert_eq!(document["identity"]["issuer"], stack.issuer("github"));
        assert_eq!(document["identity"]["repository_visibility"], "public");
        assert_eq!(document["summary"]["signed"], 1);
        let root = Sha256::digest(std::fs::read(stack.var("TRUSTED_ROOT")).unwrap());
        let root = root.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(document["instance"]["trusted_root_sha256"], root);

        let told = &document["images"][0];
        let published = image.signatures().remove(0);
        assert_eq!(told["status"], "signed");
        assert_eq!(told["digest"], image.digest);
        assert_eq!(told["attached"]["method"], method);
        let at = format!("{}/{}@{}", image.host, image.repository, published.digest);
        assert_eq!(told["attached"]["reference"], at);
        assert_eq!(told["certificate"]["identity"], GITHUB_IDENTITY);
        assert_eq!(told["certificate"]["issuer"], stack.issuer("github"));
        let bundle: Value = serde_json::from_slice(&published.bundle).unwrap();
        let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
        let index = told["log"][0]["index"].as_u64().unwrap();
        assert_eq!(entry["logIndex"], index.to_string());
        assert_eq!(told["log"][0]["version"], if log == Log::V1 { 1 } else { 2 });
        assert_eq!(told["timestamps"][0]["authority"], stack.var("TSA_URL"));

        let command = told["verify_command"].as_str().unwrap();
        let shell = Program::new("/bin/sh").args(["-c", command]);
        let home = tempfile::TempDir::new().unwrap();
        let shell = shell.env("HOME", home.path());
        shell.env("PATH", stack.var("REALSTACK_BIN")).run().expect(0);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_dry_run_publishes_nothing() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Fallback, "reported/dry", 1);
    stack.reset_journal();
    let job = || Job::new(&stack, Log::V1).github(&stack).args(["--dry-run"]).image(&image);
    let document = job().document(0);
    assert_eq!((&document["status"], &document["dry_run"]), (&json!("ok"), &json!(true)));
    assert_eq!(document["images"][0]["status"], "would_sign");
    assert_eq!(document["images"][0]["certificate"], Value::Null);
    // Which identity a private instance would certify is not known yet.
    assert_eq!(document["identity"]["subject"], Value::Null);
    assert_eq!(document["images"][0]["verify_command"], Value::Null);
    let run = job().run().expect(0);
    assert!(run.stdout.is_empty(), "nothing was signed: {run}");
    assert!(run.stderr.contains("would sign 1 image"), "{run}");
    let asked = stack.journal();
    for service in ["fulcio", "rekor", "tsa"] {
        assert!(asked.iter().all(|asked| asked.service != service), "{asked:?}");
    }
    assert!(asked.iter().all(|asked| asked.method != "PUT"), "{asked:?}");
    assert!(image.signatures().is_empty());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_signal_ends_the_run_with_its_report() {
    let stack = Stack::shared();
    for (log, signal, code) in [(Log::V1, "INT", 130), (Log::V2, "TERM", 143)] {
        let image = stack.push(Registry::Fallback, "reported/interrupted", 1);
        let hanging = Hanging::after(&stack, Service::Rekor, log, 0);
        let job = hanging.interrupt(hanging.job(&stack).image(&image), signal);
        let run = job.args(["--output", "json"]).run().expect(code);
        assert!(run.after_signal.unwrap() < SOON, "{run}");
        let document = run.json();
        assert_eq!(document["status"], "failed");
        assert_eq!(document["exit_code"], code);
        assert_eq!(document["error"]["code"], "run/interrupted");
        let exists = "a certificate was issued, the log may have an entry, nothing was attached";
        assert_eq!(document["error"]["exists"], exists);
        assert_eq!(document["images"][0]["status"], "pending");
        assert_eq!(document["images"][0]["certificate"]["identity"], GITHUB_IDENTITY);
        assert!(image.signatures().is_empty());
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_is_signed_before_a_signal_stays_signed_and_is_told() {
    let stack = Stack::shared();
    let images = ["reported/done", "reported/open"]
        .map(|repository| stack.push(Registry::Referrers, repository, 1));
    let hanging = Hanging::after(&stack, Service::Rekor, Log::V1, 1);
    let job = images.iter().fold(hanging.job(&stack), Job::image);
    let run = hanging.interrupt(job.args(["--jobs", "1"]), "TERM").run().expect(143);
    assert!(run.after_signal.unwrap() < SOON, "{run}");
    assert_eq!(run.stdout, format!("{}\n", images[0].reference()));
    assert!(run.stderr.contains("1 of 2 images are signed"), "{run}");
    Cosign::Three.verify(&stack, &images[0], &[]).expect(0);
    assert!(images[1].signatures().is_empty());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_signal_while_the_bundle_is_attached_leaves_it_in_a_file() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Fallback, "reported/attaching", 1);
    let rule = Rule::on("PUT", At::Contains("/manifests/"), Fault::Hang);
    let registry = Arc::new(FaultProxy::start(&image.host, vec![rule]));
    let hangs = Arc::clone(&registry);
    let hangs = move || hangs.seen().iter().any(|seen| seen.rule.is_some());
    let run = Job::ready(&stack, Log::V1)
        .image(&image.through(&registry.host()))
        .map(|program| program.signal_when(hangs, "TERM"))
        .run()
        .expect(143);
    assert!(run.after_signal.unwrap() < SOON, "{run}");
    assert_kept(&stack, &image, &run, &run.dir);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_signal_before_a_bundle_is_attached_leaves_it_in_a_file() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Referrers, "reported/waiting", 1);
    // The config that is pushed meanwhile does not arrive: the bundle is ready and waits for it.
    let registry = FaultProxy::start(&image.host, vec![Rule::on("PUT", At::Any, Fault::Hang)]);
    let rekor = Arc::new(FaultProxy::start(stack.var("REKOR_URL"), Vec::new()));
    let dir = tempfile::TempDir::new().unwrap();
    let config = Log::V1.signing_config(&stack);
    let config = signing_config_with(config, dir.path(), Service::Rekor, &rekor.url());
    let began = Mutex::new(None);
    let ready = move || {
        let mut began = began.lock().unwrap();
        if rekor.seen().iter().any(|seen| seen.method == "POST") {
            began.get_or_insert_with(Instant::now);
        }
        began.is_some_and(|began| began.elapsed() > Duration::from_secs(2))
    };
    let run = Job::with_config(&stack, &config)
        .token(&stack.token("github", &[]))
        .image(&image.through(&registry.host()))
        .map(|program| program.signal_when(ready, "TERM"))
        .run()
        .expect(143);
    assert_kept(&stack, &image, &run, &run.dir);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_bundle_is_kept_elsewhere_when_the_working_directory_cannot_be_written() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Fallback, "reported/elsewhere", 1);
    let full = Fault::Status(507, &[], "");
    let rule = Rule::on("PUT", At::Contains("/manifests/"), full);
    let registry = FaultProxy::start(&image.host, vec![rule]);
    let dir = tempfile::TempDir::new().unwrap();
    let run = Job::ready(&stack, Log::V1)
        .image(&image.through(&registry.host()))
        // Nobody can write here, the superuser included.
        .map(|program| program.dir("/proc/self/ns"))
        .env("TMPDIR", dir.path())
        .refused(75, "registry/refused");
    let why = "because it could not be written to `.`: ";
    assert!(run.stderr.contains(why), "{run}");
    assert_kept(&stack, &image, &run, dir.path());
}

/// The bundle for `image` is in `dir` and good, `run` says where, and it is not attached.
#[track_caller]
fn assert_kept(stack: &Stack, image: &Image, run: &Finished, dir: &Path) {
    let name = format!("{}.sigstore.json", image.digest.replace(':', "-"));
    let last = run.stderr.lines().last().unwrap_or_default();
    assert!(last.contains("a log entry exists at"), "{run}");
    assert!(last.contains(&name), "{run}");
    let files: Vec<_> = std::fs::read_dir(dir).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let bundle = std::fs::read(dir.join(name)).unwrap();
    sigstore_python(stack, &bundle, &image.digest).expect(0);
    assert!(image.signatures().is_empty());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_service_that_is_not_reached_has_done_nothing() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Fallback, "reported/unreached", 1);
    for (service, exists) in [
        (Service::Fulcio, "nothing was signed or uploaded"),
        (Service::Rekor, "a certificate was issued, nothing was logged or attached"),
    ] {
        for log in Log::ALL {
            let dir = tempfile::TempDir::new().unwrap();
            let config = log.signing_config(&stack);
            let config = signing_config_with(config, dir.path(), service, "http://127.0.0.1:1");
            let job = Job::with_config(&stack, &config).token(&stack.token("github", &[]));
            assert_late(job.args(["--timeout", "3s"]).image(&image), exists);
        }
    }
    assert!(image.signatures().is_empty());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_time_limit_ends_a_run_that_hangs() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Fallback, "reported/late", 1);
    for (service, exists) in [
        (Service::Fulcio, "a certificate may have been issued, nothing was signed or uploaded"),
        (Service::Tsa, "a certificate was issued, nothing was logged or attached"),
        (
            Service::Rekor,
            "a certificate was issued, the log may have an entry, nothing was attached",
        ),
    ] {
        let hanging = Hanging::after(&stack, service, Log::V1, 0);
        let job = hanging.job(&stack).args(["--timeout", "3s"]).image(&image);
        assert_late(job, exists);
    }
    let rule = Rule::on("GET", At::Any, Fault::Hang);
    let registry = FaultProxy::start(&image.host, vec![rule]);
    let job = Job::ready(&stack, Log::V1).args(["--timeout", "3s"]);
    assert_late(job.image(&image.through(&registry.host())), "nothing was signed or uploaded");
    assert!(image.signatures().is_empty());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_entry_in_one_log_is_told_when_another_log_is_not_reached() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Fallback, "reported/two-logs", 1);
    let dir = tempfile::TempDir::new().unwrap();
    let config = std::fs::read(Log::V1.signing_config(&stack)).unwrap();
    let mut config: Value = serde_json::from_slice(&config).unwrap();
    let logs = config["rekorTlogUrls"].as_array_mut().unwrap();
    let mut other = logs[0].clone();
    other["url"] = "http://127.0.0.1:1".into();
    other["operator"] = "another".into();
    // The one that is not reached fails first.
    logs.insert(0, other);
    config["rekorTlogConfig"] = json!({ "selector": "ALL" });
    let path = dir.path().join("signing_config.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let job = Job::with_config(&stack, &path).token(&stack.token("github", &[]));
    let exists = "a certificate was issued, the log may have an entry, nothing was attached";
    assert_late(job.args(["--timeout", "3s"]).image(&image), exists);
}

/// Ends by itself soon after three seconds, says that another time may do, and `exists`.
#[track_caller]
fn assert_late(job: Job, exists: &str) {
    let run = job.run().expect(75);
    assert!(run.took < Duration::from_secs(3) + SOON, "{run}");
    assert!(run.stderr.contains(&format!("exit 75; {exists}")), "{run}");
    assert!(run.stdout.is_empty(), "{run}");
}
