// SPDX-License-Identifier: Apache-2.0
//! Bundles in files: beside the registry, instead of it, and never in the place of something else.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::fault::{At, Fault, FaultProxy, Rule};
use crate::common::{Cosign, Image, Log, Registry, Stack, sigstore_python};
use crate::job::Job;

/// The name of the file for `image`.
pub(crate) fn file_of(image: &Image) -> String {
    let hex = image.digest.strip_prefix("sha256:").unwrap();
    let slug = image.repository.replace('/', "-");
    format!("{slug}-{}.sigstore.json", &hex[..12])
}

/// The names of what is in `folder`.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn every_bundle_is_kept_beside_being_attached() {
    let stack = Stack::shared();
    let scratch = tempfile::TempDir::new().unwrap();
    let folder = scratch.path().join("new/bundles");
    let one = stack.push(Registry::Fallback, "kept/one", 1);
    let copy = stack.copy(&one, Registry::Referrers, "kept/copy");
    let two = stack.push(Registry::Referrers, "kept/two", 1);
    let job = Job::ready(&stack, Log::V2).args(["--bundle-dir", folder.to_str().unwrap()]);
    let document = job.image(&one).image(&copy).image(&two).document(0);
    // One file for each digest, whatever repositories it is in.
    assert_eq!(names(&folder), [file_of(&one), file_of(&two)]);
    for (at, image, file) in [(0, &one, &one), (1, &copy, &one), (2, &two, &two)] {
        let path = folder.join(file_of(file));
        let told = &document["images"][at];
        assert_eq!(told["bundle"]["path"], path.to_str().unwrap());
        assert_eq!(told["attach_command"], Value::Null);
        let published = image.signatures().remove(0);
        assert_eq!(fs::read(&path).unwrap(), published.bundle);
        Cosign::Three.verify(&stack, image, &[]).expect(0);
    }
    let file = scratch.path().join("one.json");
    let job = Job::ready(&stack, Log::V1).args(["--bundle", file.to_str().unwrap()]);
    let run = job.image(&one).run().expect(0);
    assert!(run.stderr.contains("\n  kept "), "{run}");
    assert!(run.stderr.contains(file.to_str().unwrap()), "{run}");
    sigstore_python(&stack, &fs::read(&file).unwrap(), &one.digest).expect(0);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn sixty_four_bundles_are_kept() {
    let stack = Stack::shared();
    let push = |number| stack.push(Registry::Fallback, &format!("kept/many{number}"), 1);
    let images: Vec<Image> = (0..64).map(push).collect();
    let folder = tempfile::TempDir::new().unwrap();
    let job = Job::ready(&stack, Log::V1).args(["--bundle-dir", folder.path().to_str().unwrap()]);
    let document = images.iter().fold(job, Job::image).document(0);
    assert_eq!(document["summary"]["signed"], 64);
    let mut expected: Vec<_> = images.iter().map(file_of).collect();
    expected.sort();
    assert_eq!(names(folder.path()), expected);
    for image in &images {
        let kept = fs::read(folder.path().join(file_of(image))).unwrap();
        assert_eq!(image.signatures().remove(0).bundle, kept);
    }
}

/// Whoever may only read signs nevertheless, and the registry is asked for nothing else.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_bundle_is_made_without_the_right_to_push() {
    let stack = Stack::shared();
    for registry in Registry::ALL {
        let image = stack.push(registry, "kept/read-only", 1);
        let denied = Fault::Status(403, &[], "");
        let rules = ["POST", "PUT", "PATCH", "DELETE"]
            .map(|method| Rule::on(method, At::Any, denied.clone()));
        let proxy = FaultProxy::start(&image.host, rules.into());
        let through = image.through(&proxy.host());
        Job::ready(&stack, Log::V1).image(&through).refused(6, "registry/push-denied");
        let folder = tempfile::TempDir::new().unwrap();
        let keep = ["--no-push", "--bundle-dir", folder.path().to_str().unwrap()];
        let before = proxy.seen().len();
        let document = Job::ready(&stack, Log::V1).args(keep).image(&through).document(0);
        let seen = proxy.seen();
        assert!(seen[before..].iter().all(|seen| seen.method == "GET"), "{seen:?}");
        assert_eq!(document["images"][0]["status"], "signed");
        assert_eq!(document["images"][0]["attached"], Value::Null);
        let path = folder.path().join(file_of(&image));
        let bundle = fs::read(&path).unwrap();
        sigstore_python(&stack, &bundle, &image.digest).expect(0);
        assert!(image.signatures().is_empty());
        let other = tempfile::TempDir::new().unwrap();
        let file = other.path().join("bundle");
        let keep = ["--no-push", "--bundle", file.to_str().unwrap()];
        let doctor = stack.signing("doctor", Log::V1).args(keep);
        let doctor = doctor.arg(through.reference()).run().expect(0);
        assert!(doctor.stdout.contains("nothing is attached"), "{doctor}");
        let run = Job::ready(&stack, Log::V1).args(keep).image(&through).run().expect(0);
        // The result is the file: the image carries nothing.
        assert_eq!(run.stdout, format!("{}\n", file.display()));
        assert!(run.stderr.contains("\n  ambisign attach --bundle "), "{run}");
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn nothing_is_public_without_a_place_for_every_bundle() {
    let stack = Stack::alone();
    let images = ["kept/first", "kept/second"].map(|name| stack.push(Registry::Fallback, name, 1));
    let scratch = tempfile::TempDir::new().unwrap();
    let file = scratch.path().join("file");
    fs::write(&file, "something").unwrap();
    let below = file.join("below");
    let [file, below] = [&file, &below].map(|path| path.to_str().unwrap());
    stack.reset_journal();
    let job = || Job::ready(&stack, Log::V1).image(&images[0]);
    for (args, code) in [
        (vec!["--bundle-dir", file], "bundle/folder"),
        (vec!["--bundle-dir", below], "bundle/folder"),
        (vec!["--bundle-dir", below, "--dry-run"], "bundle/folder"),
        (vec!["--bundle-dir", "/proc/self/ns/bundles"], "bundle/folder"),
        (vec!["--bundle", "/proc/self/ns/bundle"], "bundle/folder"),
        (vec!["--bundle", "no/such/folder/bundle"], "bundle/folder"),
        (vec!["--bundle", file], "bundle/exists"),
        (vec!["--bundle", file, "--no-push"], "bundle/exists"),
        (vec!["--no-push"], "settings/incomplete"),
        (vec!["--bundle", "x", "--bundle-dir", "y"], "settings/conflict"),
        (vec!["--bundle", "x", &images[1].reference()], "settings/conflict"),
        (vec!["--if-signed", "perhaps"], "settings/usage"),
    ] {
        job().args(args).refused(2, code);
    }
    assert!(stack.journal().is_empty(), "{:?}", stack.journal());

    // One of two has no place.
    let path = scratch.path().join(file_of(&images[0]));
    fs::write(&path, "not ours").unwrap();
    let keep = ["--bundle-dir", scratch.path().to_str().unwrap()];
    job().args(keep).refused(2, "bundle/exists");
    assert_eq!(stack.made().get("fulcio"), None);
    let document = job().args(keep).image(&images[1]).document(7);
    let states = [0, 1].map(|at| document["images"][at]["status"].as_str().unwrap());
    assert_eq!(states, ["failed", "signed"]);
    assert_eq!(document["images"][0]["error"]["code"], "bundle/exists");
    assert_eq!(fs::read(&path).unwrap(), b"not ours");
    assert!(images[0].signatures().is_empty());
    assert_eq!(
        names(scratch.path()),
        ["file".to_owned(), file_of(&images[0]), file_of(&images[1])]
    );
    // A dry run leaves nothing behind.
    let new = scratch.path().join("new");
    job().args(["--dry-run", "--bundle-dir", new.to_str().unwrap()]).run().expect(0);
    assert!(!new.exists());
}

/// The file appears while the run goes on: it stays, and the image gets its signature.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_appears_meanwhile_is_not_replaced() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Referrers, "kept/race", 1);
    let scratch = tempfile::TempDir::new().unwrap();
    let path = scratch.path().join("bundle");
    let rekor = FaultProxy::start(stack.var("REKOR_URL"), Vec::new());
    let config = crate::common::signing_config_with(
        Log::V1.signing_config(&stack),
        scratch.path(),
        crate::common::Service::Rekor,
        &rekor.url(),
    );
    let job = Job::with_config(&stack, &config).token(&stack.token("github", &[]));
    let job = job.args(["--bundle", path.to_str().unwrap()]).image(&image);
    let document = std::thread::scope(|scope| {
        scope.spawn(|| {
            let began = std::time::Instant::now();
            while !rekor.seen().iter().any(|seen| seen.method == "POST")
                && began.elapsed().as_secs() < 30
            {
                std::thread::yield_now();
            }
            fs::write(&path, "not ours").unwrap();
        });
        // What is attached is done.
        job.document(7)
    });
    let told = &document["images"][0];
    assert_eq!(told["error"]["code"], "bundle/exists");
    let exists = told["error"]["exists"].as_str().unwrap();
    assert!(exists.starts_with("the signature is attached as"), "{exists}");
    assert_eq!(fs::read(&path).unwrap(), b"not ours");
    Cosign::Three.verify(&stack, &image, &[]).expect(0);
}
