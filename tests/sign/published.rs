// SPDX-License-Identifier: Apache-2.0
//! What is published: for both logs, in both registries, judged by others.

use crate::common::{Cosign, Image, Log, Logs, Registry, Stack, sigstore_js, sigstore_python};
use crate::job::Job;

/// Every combination.
fn combinations() -> impl Iterator<Item = (Log, Registry)> {
    let pairs = |log| Registry::ALL.map(|registry| (log, registry));
    Log::ALL.into_iter().flat_map(pairs)
}

/// Accepted by cosign 3, cosign 2, sigstore-python and sigstore-js as the only signature of `image`.
#[track_caller]
fn assert_accepted(stack: &Stack, image: &Image, log: Log) {
    Cosign::Three.verify(stack, image, &[]).expect(0);
    let mut options = vec!["--new-bundle-format"];
    if log == Log::V2 {
        // A Rekor v2 entry has no time of its own, which cosign 2 must be told.
        options.push("--use-signed-timestamps");
    }
    Cosign::Two.verify(stack, image, &options).expect(0);
    let signatures = image.signatures();
    assert_eq!(signatures.len(), 1);
    sigstore_python(stack, &signatures[0].bundle, &image.digest).expect(0);
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("bundle.json"), &signatures[0].bundle).unwrap();
    sigstore_js(stack, folder.path(), "bundle.json", None).expect(0);
    assert!(image.legacy_signature().is_none());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_image_is_signed_with_one_call_to_each_service() {
    let stack = Stack::alone();
    for (log, registry) in combinations() {
        let image = stack.push(registry, "published/app", 3);
        stack.reset_journal();
        let run = Job::new(&stack, log).github(&stack).image(&image).run();
        let run = run.expect(0);
        assert_eq!(run.stdout, format!("{}\n", image.reference()));
        let asked = stack.journal();
        let posts = |service: &str| {
            let of =
                |asked: &&crate::common::Asked| asked.service == service && asked.method == "POST";
            asked.iter().filter(of).count()
        };
        let (used, other) = match log {
            Log::V1 => ("rekor", "rekor2"),
            Log::V2 => ("rekor2", "rekor"),
        };
        // The first timestamp is of random bytes.
        assert_eq!((posts("fulcio"), posts("tsa"), posts(used)), (1, 2, 1), "{asked:?}");
        let counts = stack.made();
        assert_eq!(counts.get("fulcio"), Some(&1), "{counts:?}");
        assert_eq!(counts.get("tsa"), Some(&1), "{counts:?}");
        assert_eq!(counts.get(other), None, "{counts:?}");
        let tokens = asked.iter().filter(|asked| asked.path.starts_with("/actions/token"));
        assert_eq!(tokens.count(), 1, "{asked:?}");
        assert_accepted(&stack, &image, log);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn entries_at_index_0_are_accepted() {
    let stack = Stack::up(Logs::Empty, &[]);
    for log in Log::ALL {
        let image = stack.push(Registry::Referrers, "published/first", 1);
        let document = Job::ready(&stack, log).image(&image).document(0);
        assert_eq!(document["images"][0]["log"][0]["index"], 0, "{log:?}");
        assert_accepted(&stack, &image, log);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_index_is_signed_as_itself() {
    let stack = Stack::shared();
    let images = [(); 2].map(|()| stack.push(Registry::Fallback, "published/multi", 1));
    let index = stack.push_index(Registry::Fallback, &images);
    Job::ready(&stack, Log::V1).image(&index).run().expect(0);
    assert_accepted(&stack, &index, Log::V1);
    for image in &images {
        assert!(image.signatures().is_empty(), "nobody asked for it");
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_tag_is_signed_by_its_digest_with_a_warning() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Fallback, "published/tag", 1);
    let job = Job::ready(&stack, Log::V1).args([image.tagged()]);
    let run = job.run().expect(0);
    assert_eq!(run.stdout, format!("{}\n", image.reference()));
    let warning = format!(
        "ambisign: warning: `{}` is a tag; its digest {} is signed",
        image.tagged(),
        image.digest
    );
    assert!(run.stderr.contains(&warning), "{run}");
    assert_accepted(&stack, &image, Log::V1);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_tag_is_refused_on_request() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Fallback, "published/no-tag", 1);
    stack.reset_journal();
    let job = Job::ready(&stack, Log::V1).args(["--require-digest", &image.tagged()]);
    job.refused(2, "settings/tag");
    assert!(stack.journal().is_empty(), "no network for a wrong setting");
    Job::ready(&stack, Log::V1).args(["--require-digest"]).image(&image).run().expect(0);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_image_that_is_named_twice_is_signed_once() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Referrers, "published/twice", 1);
    let job = Job::ready(&stack, Log::V1).args([image.tagged(), image.reference()]);
    let document = job.document(0);
    assert_eq!(document["images"].as_array().unwrap().len(), 1);
    let requested = [image.tagged(), image.reference()];
    assert_eq!(document["images"][0]["requested"], serde_json::json!(requested));
    assert_accepted(&stack, &image, Log::V1);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn one_digest_in_two_repositories_has_one_log_entry() {
    let stack = Stack::alone();
    let first = stack.push(Registry::Fallback, "published/here", 1);
    let second = stack.copy(&first, Registry::Fallback, "published/there");
    let third = stack.copy(&first, Registry::Referrers, "published/here");
    stack.reset_journal();
    let images = [&first, &second, &third];
    let job = images.into_iter().fold(Job::ready(&stack, Log::V1), Job::image);
    job.run().expect(0);
    let counts = stack.made();
    assert_eq!((counts.get("rekor"), counts.get("tsa")), (Some(&1), Some(&1)), "{counts:?}");
    let bundles = images.map(|image| {
        assert_accepted(&stack, image, Log::V1);
        image.signatures().remove(0).bundle
    });
    assert!(bundles[0] == bundles[1] && bundles[0] == bundles[2]);
}
