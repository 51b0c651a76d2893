// SPDX-License-Identifier: Apache-2.0
//! `ambisign attach`: what was kept comes to its image, once, and nothing else does.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use serde_json::Value;

use crate::common::fault::{At, Fault, FaultProxy, Rule, Turn};
use crate::common::{Cosign, Finished, GITHUB_IDENTITY, Image, Log, Program, Registry, Stack};
use crate::job::Job;
use crate::kept::{file_of, names};

/// `ambisign attach` that believes the stack.
fn attach(stack: &Stack) -> Program {
    Program::ambisign().args(["attach", "--trusted-root", stack.var("TRUSTED_ROOT")])
}

/// A bundle for `image` in `folder`, which is not attached.
fn kept(stack: &Stack, log: Log, image: &Image, folder: &Path) -> PathBuf {
    let keep = ["--no-push", "--bundle-dir", folder.to_str().unwrap()];
    Job::ready(stack, log).args(keep).image(image).document(0);
    folder.join(file_of(image))
}

/// Runs `line`, a line of a shell, in `dir`.
fn shell(line: &str, dir: &Path) -> Finished {
    let program = Path::new(env!("CARGO_BIN_EXE_ambisign")).parent().unwrap();
    let shell = Program::new("/bin/sh").args(["-c", line]);
    shell.env("PATH", program).dir(dir).run()
}

/// The exit code and the code of the only error.
#[track_caller]
fn refused(program: Program, exit: i32, code: &str) -> Finished {
    let run = program.run().expect(exit);
    let line = format!("ambisign: code: {code}; exit {exit}; ");
    assert!(run.stderr.contains(&line), "no `{line}` in {run}");
    assert!(run.stdout.is_empty(), "{run}");
    run
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_was_kept_is_attached_once() {
    let stack = Stack::alone();
    for (registry, log) in Registry::ALL.into_iter().zip(Log::ALL) {
        let folder = tempfile::TempDir::new().unwrap();
        let image = stack.push(registry, "later/app", 1);
        let copy = stack.copy(&image, registry, "later/copy");
        let keep = ["--no-push", "--bundle-dir", folder.path().to_str().unwrap()];
        let job = Job::ready(&stack, log).args(keep).image(&image);
        let document = job.image(&copy).document(0);
        stack.reset_journal();
        for (at, image) in [(0, &image), (1, &copy)] {
            let command = document["images"][at]["attach_command"].as_str().unwrap();
            let run = shell(command, folder.path()).expect(0);
            assert_eq!(run.stdout, format!("{}\n", image.reference()));
            assert!(run.stderr.contains(GITHUB_IDENTITY), "{run}");
            Cosign::Three.verify(&stack, image, &[]).expect(0);
        }
        let asked = stack.made();
        assert!(asked.keys().all(|service| service.starts_with("registry")), "{asked:?}");
        let again = || attach(&stack).args(["--bundle-dir"]).arg(folder.path());
        let both = [image.reference(), copy.tagged()];
        let run = again().args(&both).run().expect(0);
        assert!(run.stderr.contains("and was before"), "{run}");
        let run = again().args(["--output", "json"]).args(&both).run().expect(0);
        let document = run.json();
        assert_eq!(document["schema"], "urn:ambisign:result:v1");
        assert_eq!(document["summary"]["already_attached"], 2);
        let told = &document["images"][0];
        assert_eq!(told["status"], "already_attached");
        assert_eq!(told["certificate"]["identity"], GITHUB_IDENTITY);
        let method = if registry == Registry::Fallback { "tag" } else { "referrers" };
        assert_eq!(told["attached"]["method"], method);
        assert!(told["attached"]["reference"].as_str().unwrap().contains("@sha256:"));
        for image in [&image, &copy] {
            let signatures = image.signatures();
            assert_eq!(signatures.len(), 1);
            let file = folder
                .path()
                .join(file_of(&Image { repository: "later/app".into(), ..image.clone() }));
            assert_eq!(signatures[0].bundle, fs::read(file).unwrap());
        }
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_bundle_that_sign_attached_is_there_already() {
    let stack = Stack::shared();
    for registry in Registry::ALL {
        let folder = tempfile::TempDir::new().unwrap();
        let image = stack.push(registry, "later/there", 1);
        let keep = ["--bundle-dir", folder.path().to_str().unwrap()];
        Job::ready(&stack, Log::V1).args(keep).image(&image).document(0);
        let run = attach(&stack).arg("--bundle").arg(folder.path().join(file_of(&image)));
        let run = run.arg(image.reference()).run().expect(0);
        assert!(run.stderr.contains("found 1 image with the bundle attached before"), "{run}");
        assert_eq!(image.signatures().len(), 1);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_failed_run_says_how_to_attach() {
    let stack = Stack::shared();
    for kept in [false, true] {
        let images =
            ["later/failed", "later/failed2"].map(|name| stack.push(Registry::Fallback, name, 1));
        let full = Fault::Status(507, &[], "");
        let rule = Rule::on("PUT", At::Contains("/manifests/"), full);
        let registry = FaultProxy::start(&images[0].host, vec![rule]);
        let dir = tempfile::TempDir::new().unwrap();
        let keep: &[&str] = if kept { &["--bundle-dir", "bundles"] } else { &[] };
        let job = Job::ready(&stack, Log::V1).args(keep);
        let job = job.map(|program| program.dir(dir.path()));
        let through = images.clone().map(|image| image.through(&registry.host()));
        let run = through.iter().fold(job, Job::image).run().expect(75);
        let files = if kept { dir.path().join("bundles") } else { dir.path().to_owned() };
        assert_eq!(names(&files).len(), 2, "{run}");
        let last = run.stderr.lines().last().unwrap();
        assert!(last.contains("for `ambisign attach`"), "{run}");
        let line = run.stderr.lines().find(|line| line.starts_with("  ambisign attach "));
        let line = line.unwrap().replace(&registry.host(), &images[0].host);
        shell(&line, dir.path()).expect(0);
        for image in &images {
            Cosign::Three.verify(&stack, image, &[]).expect(0);
            assert_eq!(image.signatures().len(), 1);
        }
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_run_that_was_killed_leaves_its_bundle() {
    let stack = Stack::shared();
    for registry in Registry::ALL {
        let image = stack.push(registry, "later/killed", 1);
        let rule = Rule::on("PUT", At::Contains("/manifests/"), Fault::Hang);
        let proxy = Arc::new(FaultProxy::start(&image.host, vec![rule]));
        let hangs = Arc::clone(&proxy);
        let hangs = move || hangs.seen().iter().any(|seen| seen.rule.is_some());
        let folder = tempfile::TempDir::new().unwrap();
        let keep = ["--bundle-dir", folder.path().to_str().unwrap()];
        let run = Job::ready(&stack, Log::V1)
            .args(keep)
            .image(&image.through(&proxy.host()))
            .map(|program| program.signal_when(hangs, "KILL"))
            .run();
        assert_eq!(run.signal, Some(9), "{run}");
        assert_eq!(names(folder.path()), [file_of(&image)]);
        let run = attach(&stack).arg("--bundle-dir").arg(folder.path());
        run.arg(image.reference()).run().expect(0);
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
        assert_eq!(image.signatures().len(), 1);
    }
}

/// The same bundle is the same manifest, so that nobody adds a second one.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn many_at_once_attach_one_signature() {
    let stack = Stack::shared();
    for registry in Registry::ALL {
        let folder = tempfile::TempDir::new().unwrap();
        let image = stack.push(registry, "later/many", 1);
        kept(&stack, Log::V1, &image, folder.path());
        let attach = || {
            let run = attach(&stack).arg("--bundle-dir").arg(folder.path());
            run.arg(image.reference()).run()
        };
        thread::scope(|scope| {
            let runs = [(); 8].map(|()| scope.spawn(attach));
            for run in runs {
                run.join().unwrap().expect(0);
            }
        });
        assert_eq!(image.signatures().len(), 1);
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_is_not_acceptable_is_not_attached() {
    let stack = Stack::alone();
    let folder = tempfile::TempDir::new().unwrap();
    let image = stack.push(Registry::Fallback, "later/refused", 1);
    let good = kept(&stack, Log::V1, &image, folder.path());
    let text = fs::read_to_string(&good).unwrap();
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let write = |name: &str, bytes: &str| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    let bent = signature.replacen(&signature[20..24], "AAAA", 1);
    let bent = write("bent", &text.replace(signature, &bent));
    let garbage = write("garbage", "{}");
    stack.reset_journal();
    let one = |path: &Path, image: &Image| {
        attach(&stack).arg("--bundle").arg(path).arg(image.reference())
    };
    let who = |san: &str, issuer: &str| {
        let names = ["--certificate-identity", san, "--certificate-oidc-issuer", issuer];
        one(&good, &image).args(names)
    };
    let issuer = stack.issuer("github");
    refused(who("somebody@example.test", &issuer), 8, "verify/identity");
    refused(who(GITHUB_IDENTITY, "https://issuer.example"), 8, "verify/issuer");
    let half = one(&good, &image).args(["--certificate-identity", GITHUB_IDENTITY]);
    refused(half, 2, "settings/incomplete");
    let predicate = one(&good, &image).args(["--predicate-type", "https://other.example"]);
    refused(predicate, 8, "verify/predicate-type");
    let run = one(&bent, &image).run().expect(8);
    assert!(run.stdout.is_empty() && run.stderr.contains("is not acceptable"), "{run}");
    refused(one(&garbage, &image), 8, "bundle/malformed");
    let puts = stack.journal();
    assert!(puts.iter().all(|asked| asked.method != "PUT"), "{puts:?}");
    assert!(image.signatures().is_empty());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn images_and_bundles_must_belong_together() {
    let stack = Stack::shared();
    let folder = tempfile::TempDir::new().unwrap();
    let image = stack.push(Registry::Fallback, "later/refused", 1);
    let other = stack.push(Registry::Fallback, "later/other", 1);
    let good = kept(&stack, Log::V1, &image, folder.path());
    let one = |path: &Path, image: &Image| {
        let attach = attach(&stack).arg("--bundle").arg(path);
        attach.arg(image.reference())
    };
    refused(one(&good, &other), 2, "attach/no-image");
    refused(one(&folder.path().join("absent"), &image), 2, "attach/read");
    let nothing = attach(&stack).arg(image.reference());
    refused(nothing, 2, "settings/no-bundles");
    let without = attach(&stack).arg("--bundle-dir").arg(folder.path());
    refused(without.arg(other.reference()), 2, "attach/no-bundle");
    // What is good is attached nevertheless; a file of the folder that is none is passed over.
    fs::write(folder.path().join("garbage.sigstore.json"), "{}").unwrap();
    let both = attach(&stack).arg("--bundle-dir").arg(folder.path());
    let both = both.args([image.reference(), other.reference()]);
    let run = both.args(["--output", "json"]).run().expect(7);
    let document = run.json();
    assert_eq!(document["warnings"][0]["code"], "attach/passed-over");
    let states = [0, 1].map(|at| document["images"][at]["status"].as_str().unwrap());
    assert_eq!(states, ["attached", "failed"]);
    Cosign::Three.verify(&stack, &image, &[]).expect(0);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_registry_that_refuses_is_told_as_in_sign() {
    let stack = Stack::shared();
    let folder = tempfile::TempDir::new().unwrap();
    for (registry, method, path, exit, code) in [
        (Registry::Fallback, "POST", "/blobs/uploads/", 6, "registry/push-denied"),
        (Registry::Referrers, "PUT", "/manifests/", 6, "registry/refused"),
        (Registry::Referrers, "GET", "/referrers/", 6, "registry/unauthorized"),
    ] {
        let image = stack.push(registry, "later/denied", 1);
        let bundle = kept(&stack, Log::V1, &image, folder.path());
        let denied = Fault::Status(403, &[], "");
        let rule = Rule::on(method, At::Contains(path), denied).turn(Turn::Every);
        let proxy = FaultProxy::start(&image.host, vec![rule]);
        let run = attach(&stack).arg("--bundle").arg(&bundle);
        refused(run.arg(image.through(&proxy.host()).reference()), exit, code);
        assert!(image.signatures().is_empty());
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_belongs_in_another_repository_goes_there() {
    let stack = Stack::shared();
    for registry in Registry::ALL {
        let folder = tempfile::TempDir::new().unwrap();
        let image = stack.push(registry, "later/elsewhere", 1);
        let place = format!("{}/later/signatures", image.host);
        let keep = ["--no-push", "--bundle-dir", folder.path().to_str().unwrap()];
        let job = Job::ready(&stack, Log::V1).args(keep);
        let job = job.args(["--signature-repository", &place]).image(&image);
        let document = job.document(0);
        let command = document["images"][0]["attach_command"].as_str().unwrap();
        for _ in 0..2 {
            shell(command, folder.path()).expect(0);
        }
        assert!(image.signatures().is_empty());
        let there = Image { repository: "later/signatures".to_owned(), ..image };
        assert_eq!(there.signatures().len(), 1);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_image_that_is_not_there_stops_no_other() {
    let stack = Stack::shared();
    let folder = tempfile::TempDir::new().unwrap();
    let image = stack.push(Registry::Fallback, "later/there", 1);
    let bundle = kept(&stack, Log::V1, &image, folder.path());
    let missing = format!("{}/{}@sha256:{}", image.host, image.repository, "0".repeat(64));
    let mut work = attach(&stack).arg("--bundle").arg(&bundle);
    work = work.args([image.reference(), missing.clone()]);
    let run = work.run().expect(7);
    assert!(run.stderr.contains("registry/not-found"), "{run}");
    Cosign::Three.verify(&stack, &image, &[]).expect(0);
    let alone = attach(&stack).arg("--bundle").arg(&bundle).arg(missing);
    assert!(alone.run().expect(6).stderr.contains("registry/not-found"));
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_pipe_in_the_folder_is_passed_over() {
    let stack = Stack::shared();
    let folder = tempfile::TempDir::new().unwrap();
    let image = stack.push(Registry::Fallback, "later/pipe", 1);
    kept(&stack, Log::V1, &image, folder.path());
    let pipe = folder.path().join("x.sigstore.json");
    Program::new("/usr/bin/mkfifo").arg(&pipe).run().expect(0);
    let work = attach(&stack).arg("--bundle-dir").arg(folder.path());
    let run = work.arg(image.reference()).run().expect(0);
    assert!(run.stderr.contains("it is not a file"), "{run}");
}
