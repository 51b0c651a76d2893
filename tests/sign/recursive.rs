// SPDX-License-Identifier: Apache-2.0
//! `--recursive`: an index with everything that it lists, or nothing of it.

use serde_json::{Value, json};

use crate::common::{Cosign, Image, Log, Registry, Stack};
use crate::job::Job;

/// What the registry calls a manifest.
fn kind(image: &Image) -> String {
    let reply = image.get(&format!("manifests/{}", image.digest));
    reply.header("content-type").unwrap().to_owned()
}

/// An index beside `listed` that lists them.
fn index(listed: &[&Image]) -> Image {
    let kinds: Vec<String> = listed.iter().map(|image| kind(image)).collect();
    let digests = listed.iter().map(|image| image.digest.as_str());
    let pairs: Vec<_> = digests.zip(kinds.iter().map(String::as_str)).collect();
    listed[0].push_index_of(&pairs)
}

fn images(stack: &Stack, registry: Registry, repository: &str, count: usize) -> Vec<Image> {
    (0..count).map(|_| stack.push(registry, repository, 1)).collect()
}

fn recursive(stack: &Stack, log: Log) -> Job {
    Job::ready(stack, log).args(["--recursive"])
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_index_is_signed_with_all_that_it_lists() {
    let stack = Stack::alone();
    for (registry, log) in Registry::ALL.into_iter().zip(Log::ALL) {
        let leaves = images(&stack, registry, "recursive/app", 4);
        let inner = index(&[&leaves[1], &leaves[2]]);
        // One of them twice, and one that is in the inner index as well.
        let outer = index(&[&leaves[0], &inner, &leaves[0], &leaves[2], &leaves[3]]);
        stack.reset_journal();
        let job = recursive(&stack, log).args(["--output", "json", "-a", "env=prod"]);
        let run = job.image(&outer).run().expect(0);
        let said = format!("recursive   6 manifests of {}\n", outer.reference());
        assert!(run.stderr.contains(&said), "{run}");
        let document = run.json();
        let told: Vec<(&Value, &Value)> = document["images"]
            .as_array()
            .unwrap()
            .iter()
            .map(|image| (&image["digest"], &image["parent"]))
            .collect();
        let by_outer = json!(outer.digest);
        // The outer index lists the third leaf itself.
        let order = [
            (&outer, json!(null)),
            (&leaves[0], by_outer.clone()),
            (&inner, by_outer.clone()),
            (&leaves[1], json!(inner.digest)),
            (&leaves[2], by_outer.clone()),
            (&leaves[3], by_outer),
        ];
        assert_eq!(told.len(), order.len(), "{document:#}");
        for ((digest, parent), (image, expected)) in told.iter().zip(&order) {
            assert_eq!((*digest, *parent), (&json!(image.digest), expected));
        }
        assert_eq!(document["images"][1]["requested"], json!([]));
        assert_eq!(document["summary"]["requested"], 1);
        assert_eq!(document["summary"]["signed"], 6);
        let counts = stack.made();
        assert_eq!((counts["fulcio"], counts["tsa"]), (1, 6), "{counts:?}");
        for (image, _) in &order {
            let wanted = ["-a", "env=prod"];
            Cosign::Three.verify(&stack, image, &wanted).expect(0);
            assert_eq!(image.signatures().len(), 1, "{}", image.digest);
        }
    }
}

/// What crane makes, and what is asked for twice.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn only_what_is_asked_for_is_signed() {
    let stack = Stack::shared();
    for registry in Registry::ALL {
        let leaves = images(&stack, registry, "recursive/crane", 2);
        let outer = stack.push_index(registry, &leaves);
        let job = Job::ready(&stack, Log::V1).image(&outer);
        let run = job.run().expect(0);
        assert_eq!(run.stdout, format!("{}\n", outer.reference()));
        assert!(leaves.iter().all(|leaf| leaf.signatures().is_empty()));
        // An image without children is an image.
        let job = recursive(&stack, Log::V1).image(&leaves[1]);
        assert_eq!(job.run().expect(0).stdout, format!("{}\n", leaves[1].reference()));
        let job = recursive(&stack, Log::V1).args([outer.tagged()]);
        let run = job.image(&leaves[0]).run().expect(0);
        let all = [&outer, &leaves[0], &leaves[1]].map(|image| format!("{}\n", image.reference()));
        assert_eq!(run.stdout, all.concat(), "{run}");
        for (image, count) in [(&outer, 2), (&leaves[0], 1), (&leaves[1], 2)] {
            assert_eq!(image.signatures().len(), count);
        }
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_same_index_in_two_repositories_is_logged_once() {
    let stack = Stack::alone();
    let registry = Registry::Fallback;
    let leaves = images(&stack, registry, "recursive/here", 2);
    let here = stack.push_index(registry, &leaves);
    let there = stack.copy(&here, Registry::Referrers, "recursive/there");
    stack.reset_journal();
    let job = recursive(&stack, Log::V1).image(&here).image(&there);
    let run = job.run().expect(0);
    assert_eq!(run.stdout.lines().count(), 6, "{run}");
    assert_eq!(stack.made()["tsa"], 3);
    let copy = |leaf: &Image| Image { digest: leaf.digest.clone(), ..there.clone() };
    for image in leaves.iter().chain([&here, &there]) {
        Cosign::Three.verify(&stack, image, &[]).expect(0);
    }
    Cosign::Three.verify(&stack, &copy(&leaves[0]), &[]).expect(0);
}

/// An index of which one part cannot be signed: nothing of it is, whatever the part is; another image
/// of the same run is.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn nothing_of_an_index_is_signed_when_a_part_cannot_be() {
    const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
    let stack = Stack::alone();
    let leaves = images(&stack, Registry::Referrers, "recursive/broken", 3);
    let (good, gone) = (&leaves[0], &leaves[1]);
    let layer = gone.get(&format!("manifests/{}", gone.digest)).json();
    let layer = layer["layers"][0]["digest"].as_str().unwrap();
    let with_layer = good.push_index_of(&[(&good.digest, &kind(good)), (layer, LAYER)]);
    let other_kind = if kind(good) == IMAGE {
        "application/vnd.docker.distribution.manifest.v2+json"
    } else {
        IMAGE
    };
    let mistyped = good.push_index_of(&[(&good.digest, other_kind)]);
    let missing = index(&[good, gone]);
    let deleted = gone.send(("DELETE", &format!("manifests/{}", gone.digest)), "", "");
    assert_eq!(deleted.status, 202);
    let mut deep = index(&[good]);
    for _level in 0..8 {
        deep = index(&[&deep]);
    }
    for (image, code, exit) in [
        (&with_layer, "registry/media-type", 5),
        (&mistyped, "registry/media-type", 5),
        (&missing, "registry/not-found", 6),
        (&deep, "registry/too-large", 5),
    ] {
        stack.reset_journal();
        let run = recursive(&stack, Log::V1).image(image).refused(exit, code);
        let counts = stack.made();
        for service in ["fulcio", "tsa", "rekor"] {
            assert_eq!(counts.get(service), None, "{run}");
        }
        assert!(image.signatures().is_empty() && good.signatures().is_empty());
        // Alone, the index can be signed.
        Job::ready(&stack, Log::V1).image(image).run().expect(0);
    }
    let job = recursive(&stack, Log::V1).image(&missing).image(&leaves[2]);
    let document = job.document(7);
    assert_eq!(document["images"][0]["error"]["code"], "registry/not-found");
    assert_eq!(document["images"][1]["status"], "signed");
    assert_eq!(missing.signatures().len(), 1);
}

/// Publishes nothing, and says what it would sign.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_dry_run_tells_all_that_would_be_signed() {
    let stack = Stack::shared();
    let leaves = images(&stack, Registry::Fallback, "recursive/dry", 2);
    let outer = stack.push_index(Registry::Fallback, &leaves);
    let job = recursive(&stack, Log::V1).args(["--dry-run"]).image(&outer);
    let document = job.document(0);
    assert_eq!(document["summary"]["would_sign"], 3);
    assert!(outer.signatures().is_empty() && leaves[0].signatures().is_empty());
}
