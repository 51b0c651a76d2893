// SPDX-License-Identifier: Apache-2.0
//! Services by their URLs: alone, and together with a trusted root, a signing config and a TUF mirror.

use std::path::Path;

use crate::common::{Asked, Cosign, Finished, Image, Log, Mirror, Program, Registry, Stack};
use crate::job::Job;

/// The services of the stack, with the log `log`.
fn urls(stack: &Stack, log: Log) -> [&str; 6] {
    let rekor = stack.var(match log {
        Log::V1 => "REKOR_URL",
        Log::V2 => "REKOR2_URL",
    });
    let (fulcio, tsa) = (stack.var("FULCIO_URL"), stack.var("TSA_URL"));
    ["--fulcio-url", fulcio, "--tsa-url", tsa, "--rekor-url", rekor]
}

/// `ambisign sign` with a trusted root and nothing else.
fn rooted(stack: &Stack) -> Program {
    Program::ambisign()
        .args(["sign", "--trusted-root", stack.var("TRUSTED_ROOT")])
        .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
}

fn an_image(stack: &Stack) -> Image {
    let image = stack.push(Registry::Referrers, "urls/app", 1);
    stack.reset_journal();
    image
}

/// How often each log was asked for an entry: Rekor v1, Rekor v2.
fn logged(stack: &Stack) -> [usize; 2] {
    let journal = stack.journal();
    ["rekor", "rekor2"].map(|service| {
        let writes = |asked: &&Asked| asked.service == service && asked.method == "POST";
        journal.iter().filter(writes).count()
    })
}

const VERSIONS: [&[&str]; 4] =
    [&[], &["--rekor-version", "auto"], &["--rekor-version", "1"], &["--rekor-version", "2"]];

#[test]
#[ignore = "needs the real stack: tests/run"]
fn urls_and_a_trusted_root_are_enough() {
    let stack = Stack::alone();
    for (log, own, used) in [(Log::V1, "1", [1, 0]), (Log::V2, "2", [0, 1])] {
        for version in VERSIONS {
            let image = an_image(&stack);
            let run = rooted(&stack)
                .args(urls(&stack, log))
                .args(version)
                .args(["--oidc-issuer", "https://issuer.example.test"])
                .arg(image.reference())
                .run();
            let case = format!("{log:?} {version:?}: {run}");
            if version.last().is_some_and(|said| *said != own && *said != "auto") {
                // The log has no such place.
                assert_eq!(run.code, Some(4), "{case}");
                assert!(run.stderr.contains("code: service/mistaken"), "{case}");
                assert!(image.signatures().is_empty(), "{case}");
                continue;
            }
            assert_eq!(run.code, Some(0), "{case}");
            assert!(run.stderr.contains("--oidc-issuer"), "it is not used: {case}");
            assert_eq!(logged(&stack), used, "{case}");
            assert_eq!(stack.made().get("tsa"), Some(&1), "{case}");
            Cosign::Three.verify(&stack, &image, &[]).expect(0);
        }
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn urls_that_lack_something_are_refused() {
    let stack = Stack::alone();
    let [fulcio, tsa, rekor] = [0, 2, 4];
    let all = urls(&stack, Log::V2);
    let without = |kind: usize| -> Vec<&str> { [&all[..kind], &all[kind + 2..]].concat() };
    for (flags, code) in [
        (without(fulcio), "trust/missing-service"),
        (without(rekor), "trust/missing-service"),
        // Rekor v2 tells no time.
        (without(tsa), "trust/no-timestamp-authority"),
    ] {
        let image = an_image(&stack);
        let run = rooted(&stack).args(flags).arg(image.reference()).run().expect(4);
        assert!(run.stderr.contains(&format!("code: {code}; exit 4; ")), "{run}");
        asked_no_service(&stack, &run);
    }
    // Rekor v1 does.
    let image = an_image(&stack);
    let [.., rekor, url] = urls(&stack, Log::V1);
    let flags = [all[0], all[1], rekor, url];
    rooted(&stack).args(flags).arg(image.reference()).run().expect(0);
    assert_eq!(stack.made().get("tsa"), None);
    Cosign::Three.verify(&stack, &image, &[]).expect(0);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_url_goes_before_the_signing_config() {
    let stack = Stack::alone();
    for (config, log, used) in [(Log::V1, Log::V2, [0, 1]), (Log::V2, Log::V1, [1, 0])] {
        let all = urls(&stack, log);
        for flags in [&all[..], &all[4..]] {
            let image = an_image(&stack);
            let job = Job::ready(&stack, config).args(flags).image(&image);
            job.run().expect(0);
            assert_eq!(logged(&stack), used, "{config:?} and {flags:?}");
            Cosign::Three.verify(&stack, &image, &[]).expect(0);
        }
    }
}

/// No token goes to a service that nobody vouches for.
#[track_caller]
fn asked_no_service(stack: &Stack, run: &Finished) {
    let services = ["fulcio", "rekor", "rekor2", "tsa"];
    let journal = stack.journal().into_iter();
    let mut writes = journal.filter(|asked| asked.method == "POST");
    let asked = writes.find(|asked| services.contains(&&*asked.service));
    assert!(asked.is_none(), "{asked:?}: {run}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_mirror_that_does_not_know_a_url_is_told() {
    let stack = Stack::alone();
    let public = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/roots/production/trusted_root.json");
    let config = ("signing_config.v0.2.json", Log::V1.signing_config(&stack));
    let known = ("trusted_root.json", Path::new(stack.var("TRUSTED_ROOT")));
    let knows = Mirror::with(&stack, &[known, config]);
    let of_others = Mirror::with(&stack, &[("trusted_root.json", &public)]);
    let all = urls(&stack, Log::V1);
    let foreign = "https://service.example.test";
    let mut rows: Vec<(&Mirror, Vec<&str>)> = vec![(&of_others, all.to_vec())];
    for flag in ["--fulcio-url", "--rekor-url", "--tsa-url"] {
        rows.push((&knows, vec![flag, foreign]));
        // Whoever says what it speaks is not believed more.
        rows.push((&knows, vec![flag, foreign, "--rekor-url", all[5], "--rekor-version", "1"]));
    }
    rows.retain(|(_, flags)| flags.iter().filter(|flag| **flag == "--rekor-url").count() < 2);
    for (mirror, flags) in rows {
        let image = an_image(&stack);
        let run = Job::by_mirror(&mirror.url(), mirror.root())
            .token(&stack.token("github", &[]))
            .args(&flags)
            .image(&image)
            .refused(4, "trust/unknown");
        assert!(run.stderr.contains("`ambisign trust create`"), "{run}");
        asked_no_service(&stack, &run);
    }
    // What it knows may be named.
    let image = an_image(&stack);
    let job = Job::by_mirror(&knows.url(), knows.root()).args(all).image(&image);
    job.token(&stack.token("github", &[])).run().expect(0);
    Cosign::Three.verify(&stack, &image, &[]).expect(0);
}

/// URLs alone mean the trusted root of the public instance, which the stack cannot imitate.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn urls_alone_go_with_the_public_instance() {
    let stack = Stack::alone();
    let image = an_image(&stack);
    let run = Program::ambisign()
        .args(["sign", &image.reference()])
        .args(urls(&stack, Log::V1))
        .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
        .env("HTTPS_PROXY", stack.var("PROXY"))
        .env("SSL_CERT_FILE", stack.var("PROXY_CA"))
        .run()
        .expect(4);
    assert!(run.stderr.contains("code: tuf/signature; exit 4;"), "{run}");
    asked_no_service(&stack, &run);
}
