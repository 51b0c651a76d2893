// SPDX-License-Identifier: Apache-2.0
//! Many images in one command, and many commands for one image.

use std::thread;

use serde_json::json;

use crate::common::{Asked, Cosign, Finished, Image, Log, Registry, Stack};
use crate::job::Job;

/// How many processes sign one digest at once.
const SIGNERS: usize = 12;

/// A reference to a digest that nobody has pushed.
fn missing(image: &Image) -> Image {
    Image { digest: format!("sha256:{}", "0".repeat(64)), ..image.clone() }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn ten_images_share_one_token_and_one_certificate() {
    let stack = Stack::alone();
    let push = |registry| (0..5).map(move |n| (registry, format!("batch/ten{n}")));
    let images: Vec<Image> = Registry::ALL
        .into_iter()
        .flat_map(push)
        .map(|(registry, repository)| stack.push(registry, &repository, 1))
        .collect();
    stack.reset_journal();
    let job = Job::new(&stack, Log::V2).github(&stack);
    let run = images.iter().fold(job, Job::image).run().expect(0);
    let references: Vec<String> = images.iter().map(Image::reference).collect();
    assert_eq!(run.stdout.lines().collect::<Vec<_>>(), references);
    let asked = stack.journal();
    let tokens = asked.iter().filter(|asked| asked.path.starts_with("/actions/token"));
    assert_eq!(tokens.count(), 1, "{asked:?}");
    assert_eq!(stack.made().get("fulcio"), Some(&1));
    assert_eq!(stack.made().get("tsa"), Some(&10));
    for image in &images {
        Cosign::Three.verify(&stack, image, &[]).expect(0);
        assert_eq!(image.signatures().len(), 1);
    }
}

/// A client made a new connection for each request, until a service had enough of it.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn sigstore_python_1732_connections_are_kept() {
    const IMAGES: usize = 12;
    let stack = Stack::alone();
    let push = |number| stack.push(Registry::Fallback, &format!("batch/kept{number}"), 1);
    let images: Vec<Image> = (0..IMAGES).map(push).collect();
    stack.reset_journal();
    let job = Job::new(&stack, Log::V2).github(&stack);
    images.iter().fold(job, Job::image).run().expect(0);
    let (asked, counts) = (stack.journal(), stack.made());
    let connections = |service: &str| {
        let of = |asked: &&Asked| asked.service == service && asked.method == "CONNECT";
        asked.iter().filter(of).count()
    };
    assert_eq!(connections("oidc"), 1);
    // Two questions at once, over HTTP/1; the certificate comes over one of the connections.
    assert_eq!(connections("fulcio"), 2, "{counts:?}");
    // One for each image that is under way, over HTTP/1.
    for service in ["tsa", "rekor2"] {
        assert!(connections(service) <= IMAGES, "{service}: {counts:?}");
    }
    // The limit of requests at once to a registry.
    let registry = connections("registry");
    assert!(registry <= 32 && registry * 3 < counts["registry"], "{registry} for {counts:?}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn concurrent_signers_of_one_digest_lose_nothing() {
    let stack = Stack::alone();
    let token = stack.token("github", &[]);
    for registry in Registry::ALL {
        let image = stack.push(registry, "batch/contended", 1);
        let sign = || Job::new(&stack, Log::V1).token(&token).image(&image).run();
        let runs: Vec<Finished> = thread::scope(|scope| {
            let signers = [(); SIGNERS].map(|()| scope.spawn(sign));
            signers.map(|signer| signer.join().unwrap()).into()
        });
        for run in runs {
            run.expect(0);
        }
        let signatures = image.signatures();
        assert_eq!(signatures.len(), SIGNERS, "{registry:?}");
        let verdict = Cosign::Three.verify(&stack, &image, &[]).expect(0);
        let verified = verdict.json();
        assert_eq!(verified.as_array().unwrap().len(), SIGNERS, "{registry:?}");
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_missing_image_does_not_stop_the_others() {
    let stack = Stack::shared();
    let images = ["batch/first", "batch/second"]
        .map(|repository| stack.push(Registry::Fallback, repository, 1));
    let missing = missing(&images[0]);
    let job = || {
        let job = Job::ready(&stack, Log::V1).image(&images[0]);
        job.image(&missing).image(&images[1])
    };
    let run = job().run().expect(7);
    let signed = format!("{}\n{}\n", images[0].reference(), images[1].reference());
    assert_eq!(run.stdout, signed);
    let mut errors = run.stderr.lines().filter(|line| line.starts_with("ambisign: error: "));
    assert!(errors.any(|line| line.contains(&missing.reference())), "{run}");
    let last = "ambisign: code: registry/not-found; exit 7; \
                this image is not signed; 2 of 3 images are signed\n";
    assert!(run.stderr.contains(last), "{run}");

    let document = job().document(7);
    assert_eq!(document["status"], "partial");
    let states = [0, 1, 2].map(|at| &document["images"][at]["status"]);
    assert_eq!(states, ["signed", "failed", "signed"]);
    let error = &document["images"][1]["error"];
    assert_eq!(error["code"], "registry/not-found");
    assert_eq!(error["retryable"], false);
    for image in &images {
        Cosign::Three.verify(&stack, image, &[]).expect(0);
        assert_eq!(image.signatures().len(), 2);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn no_certificate_is_asked_for_without_an_image() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Referrers, "batch/none", 1);
    let elsewhere = image.through(Registry::Fallback.host(&stack));
    stack.reset_journal();
    let job = Job::ready(&stack, Log::V1).image(&missing(&image));
    let document = job.image(&elsewhere).document(6);
    assert_eq!(document["status"], "failed");
    let codes = [0, 1].map(|at| &document["images"][at]["error"]["code"]);
    assert_eq!(codes, [&json!("registry/not-found"); 2]);
    for service in ["fulcio", "rekor", "tsa"] {
        assert_eq!(stack.made().get(service), None, "{service}");
    }
}
