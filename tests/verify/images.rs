// SPDX-License-Identifier: Apache-2.0
//! Images and files that others signed, over both logs and in both registries.

use std::path::Path;

use tempfile::TempDir;

use crate::common::{
    Cosign, GITHUB_IDENTITY, Image, Log, Program, Registry, Reply, Stack, closed_url, exchange,
    javascript, python,
};
use crate::reader::Reader;

/// Signed by the program under test with the stack's `github` token.
fn sign(stack: &Stack, log: Log, image: &Image) {
    sign_as(stack, log, "github", image);
}

fn sign_as(stack: &Stack, log: Log, issuer: &str, image: &Image) {
    let sign = stack.signing("sign", log);
    sign.env("SIGSTORE_ID_TOKEN", stack.token(issuer, &[])).arg(image.reference()).run().expect(0);
}

/// Signed in the older layout.
fn sign_legacy(stack: &Stack, cosign: Cosign, options: &[&str], image: &Image) {
    let sign = cosign
        .program(stack)
        .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
        .args(["sign", "--yes", "--trusted-root", stack.var("TRUSTED_ROOT")])
        .args(["--fulcio-url", stack.var("FULCIO_URL"), "--rekor-url", stack.var("REKOR_URL")]);
    let sign = match cosign {
        Cosign::Two => sign,
        Cosign::Three => sign.args(["--new-bundle-format=false", "--use-signing-config=false"]),
    };
    sign.args(options).arg(image.reference()).run().expect(0);
    assert!(image.legacy_signature().is_some());
    assert!(image.signatures().is_empty());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn bundles_of_cosign_and_of_ours_are_accepted_and_only_the_registry_is_asked() {
    let stack = Stack::alone();
    for log in Log::ALL {
        for registry in Registry::ALL {
            let theirs = stack.push(registry, "verify/theirs", 2);
            let config = log.signing_config(&stack);
            Cosign::Three.sign(&stack, config, &theirs).run().expect(0);
            let ours = stack.push(registry, "verify/ours", 2);
            sign(&stack, log, &ours);
            stack.reset_journal();
            for image in [&theirs, &ours] {
                Reader::ready(&stack).image(image).accepted(&[&image.reference()]);
            }
            let all = [&theirs, &ours].map(Image::reference);
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            Reader::ready(&stack).args(&all).accepted(&all);
            let services: Vec<_> = stack.counts().into_keys().collect();
            assert_eq!(services, [registry.service()]);
            let reads = stack
                .journal()
                .into_iter()
                .all(|asked| asked.method == "GET" || asked.method == "CONNECT");
            assert!(reads, "a reader writes nothing");
        }
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_cosign_2_signs_is_accepted() {
    let stack = Stack::shared();
    // It makes bundles over Rekor v1 alone.
    let image = stack.push(Registry::Referrers, "verify/older", 1);
    let config = Log::V1.signing_config(&stack);
    let sign = Cosign::Two.sign(&stack, config, &image);
    sign.arg("--new-bundle-format").run().expect(0);
    Reader::ready(&stack).image(&image).accepted(&[&image.reference()]);
    // The older layout.
    let stamped = ["--timestamp-server-url", stack.var("TSA_URL")];
    for (cosign, options) in [
        (Cosign::Two, &[][..]),
        (Cosign::Two, &stamped),
        (Cosign::Three, &[]),
        (Cosign::Three, &["-a", "env=prod"]),
    ] {
        let image = stack.push(Registry::Fallback, "verify/legacy", 1);
        sign_legacy(&stack, cosign, options, &image);
        let run = Reader::ready(&stack).image(&image).accepted(&[&image.reference()]);
        assert!(run.stderr.contains("#1 accepted"), "{run}");
        let document = Reader::ready(&stack).image(&image).document(0);
        let layout = &document["artifacts"][0]["signatures"][0]["layout"];
        assert_eq!(layout, "legacy");
        // Issue 16: whoever may push chose the format, and nothing let a verifier insist on one.
        let of_format = |format| Reader::ready(&stack).args(["--format", format]).image(&image);
        of_format("bundle").rejected(&["verify/format"]);
        of_format("legacy").accepted(&[&image.reference()]);
        of_format("any").accepted(&[&image.reference()]);
        let by = Reader::believing(&stack).signed_by(&stack.issuer("github"), "x");
        by.image(&image).rejected(&["verify/identity"]);
        let annotated = Reader::ready(&stack).args(["-a", "env=prod"]).image(&image);
        if options.contains(&"env=prod") {
            annotated.accepted(&[&image.reference()]);
        } else {
            annotated.rejected(&["verify/annotation"]);
        }
        // An older signature beside a bundle of somebody else.
        sign_as(&stack, Log::V1, "email", &image);
        Reader::ready(&stack).image(&image).accepted(&[&image.reference()]);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn every_wrong_expectation_is_told() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Fallback, "verify/wrong", 1);
    let (issuer, other) = (stack.issuer("github"), stack.issuer("email"));
    let run = Reader::ready(&stack).image(&image).refused(8, "verify/no-signatures");
    assert!(run.stderr.contains("ambisign: fix: compare the digest with the signed one"), "{run}");
    sign(&stack, Log::V1, &image);
    sign_as(&stack, Log::V2, "email", &image);
    Reader::ready(&stack).image(&image).accepted(&[&image.reference()]);
    let by = |issuer: &str, identity: &str| {
        Reader::believing(&stack).signed_by(issuer, identity).image(&image)
    };
    let run = by(&issuer, "x").rejected(&[]);
    let because =
        run.stderr.lines().filter(|line| line.starts_with("ambisign: because: #")).count();
    assert_eq!(because, 2, "{run}");
    assert!(
        run.stderr.contains(&format!("was signed by \"{GITHUB_IDENTITY}\", not by \"x\"")),
        "{run}"
    );
    assert!(run.stderr.contains("2 signatures were found"), "{run}");
    by(&other, GITHUB_IDENTITY).rejected(&[]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/roots/production/trusted_root.json");
    let run = Reader::of("verify").signed_by_github(&stack).args(["--trusted-root".into(), root]);
    run.image(&image).rejected(&[]);
    let another = stack.push(Registry::Fallback, "verify/wrong", 1);
    // The signatures of another image: what is listed is believed to be nothing.
    let list = image.get(&format!("manifests/{}", image.fallback_tag())).body;
    put(&another, &another.fallback_tag(), "application/vnd.oci.image.index.v1+json", &list);
    // Their order is that of their digests.
    let run = Reader::ready(&stack).image(&another).rejected(&[]);
    for reason in ["verify/artifact", "verify/issuer"] {
        assert!(run.stderr.contains(&format!(" ({reason})")), "{run}");
    }
    let bundle = image.signatures().remove(0).bundle;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bundle.json");
    std::fs::write(&path, bundle).unwrap();
    let given = || Reader::ready(&stack).args([Path::new("--bundle"), &path]);
    given().image(&image).accepted(&[&image.reference()]);
    given().image(&another).refused(8, "verify/artifact");
    given().args([image.tagged()]).refused(2, "settings/detached");
}

/// Puts a manifest under a tag, as anybody with the push right can.
/// Issue 16: every repository that may call a reusable workflow signs with its identity.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_reusable_workflow_is_warned_about_unless_its_caller_is_required() {
    const REUSABLE: &str = "https://github.com/acme/ci/.github/workflows/sign.yml@refs/heads/main";
    let stack = Stack::shared();
    let image = stack.push(Registry::Referrers, "verify/reusable", 1);
    let called = "job_workflow_ref=acme/ci/.github/workflows/sign.yml@refs/heads/main";
    let sign = stack.signing("sign", Log::V1);
    let sign = sign.env("SIGSTORE_ID_TOKEN", stack.token("github", &[called]));
    sign.arg(image.reference()).run().expect(0);
    let by = |flags: &[&str]| {
        let reader = Reader::believing(&stack).signed_by(&stack.issuer("github"), REUSABLE);
        reader.args(flags).image(&image)
    };
    let warning =
        "which https://github.com/acme/app called; other repositories that may call it get";
    let run = by(&[]).accepted(&[&image.reference()]);
    assert!(run.stderr.contains(warning), "{run}");
    let document = by(&[]).document(0);
    assert_eq!(document["warnings"][0]["code"], "verify/reusable-workflow");
    for flags in [
        ["--repo=acme/app"],
        ["--owner=acme"],
        ["--certificate-github-workflow-repository=acme/app"],
    ] {
        let run = by(&flags).accepted(&[&image.reference()]);
        assert!(!run.stderr.contains("warning"), "{run}");
    }
    by(&["--repo=acme/other"]).rejected(&["verify/claim"]);
    by(&["--signer-repo=acme/ci"]).accepted(&[&image.reference()]);
}

fn put(image: &Image, tag: &str, media_type: &str, bytes: &[u8]) {
    let request = format!(
        "PUT /v2/{}/manifests/{tag} HTTP/1.0\r\nHost: {}\r\nContent-Type: {media_type}\r\n\
         Content-Length: {}\r\n\r\n{}",
        image.repository,
        image.host,
        bytes.len(),
        std::str::from_utf8(bytes).unwrap()
    );
    let raw = exchange(&image.host, &request).unwrap();
    let reply = Reply::parse(&raw).unwrap();
    assert_eq!(reply.status, 201, "{tag}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_tag_is_resolved_once_and_several_images_are_all_or_nothing() {
    let stack = Stack::shared();
    let signed = stack.push(Registry::Referrers, "verify/signed", 1);
    let unsigned = stack.push(Registry::Referrers, "verify/unsigned", 1);
    sign(&stack, Log::V1, &signed);
    let run = Reader::ready(&stack).args([signed.tagged()]).accepted(&[&signed.reference()]);
    assert!(
        run.stderr.contains(&format!("{}  (asked for: {})", signed.reference(), signed.tagged())),
        "{run}"
    );
    let run = Reader::ready(&stack).image(&signed).image(&unsigned).run().expect(8);
    assert_eq!(run.stdout, format!("{}\n", signed.reference()));
    assert!(run.stderr.contains("exit 8; 1 of 2 artifacts are verified"), "{run}");
    let document = Reader::ready(&stack).image(&unsigned).image(&signed).document(8);
    let statuses = [0, 1].map(|at| document["artifacts"][at]["status"].clone());
    assert_eq!(statuses, ["failed", "verified"]);
    assert_eq!(document["artifacts"][0]["error"]["code"], "verify/no-signatures");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_trusted_root_may_come_from_a_mirror() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Referrers, "verify/tuf", 1);
    sign(&stack, Log::V1, &image);
    let from = |mirror: &str| {
        let reader = Reader::of("verify").signed_by_github(&stack);
        let mirror = ["--tuf-mirror", mirror, "--tuf-root", stack.var("TUF_ROOT_FILE")];
        reader.args(mirror).args(["--timeout", "20s"]).image(&image)
    };
    from(stack.var("TUF_MIRROR_URL")).accepted(&[&image.reference()]);
    from(&closed_url()).refused(75, "tuf/unreachable");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn keys_annotations_and_predicate_types() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Referrers, "verify/keyed", 1);
    let folder = TempDir::new().unwrap();
    let cosign = || {
        let program = Cosign::Three.program(&stack).dir(folder.path());
        program.env("COSIGN_PASSWORD", "")
    };
    for name in ["ours", "other"] {
        cosign().args(["generate-key-pair", "--output-key-prefix", name]).run().expect(0);
    }
    let config = Log::V1.signing_config(&stack);
    let with = |command: &str| {
        cosign()
            .args([command, "--yes", "--trusted-root", stack.var("TRUSTED_ROOT")])
            .arg("--signing-config")
            .arg(config)
    };
    let sign = with("sign").args(["--key", "ours.key", "-a", "env=prod", "-a", "team=a"]);
    sign.arg(image.reference()).run().expect(0);
    let by = |key: &str| {
        let key = folder.path().join(key);
        Reader::believing(&stack).args(["--key".into(), key]).image(&image)
    };
    by("ours.pub").accepted(&[&image.reference()]);
    by("ours.pub").args(["-a", "team=a", "-a", "env=prod"]).accepted(&[&image.reference()]);
    by("ours.pub").args(["-a", "env=dev"]).rejected(&["verify/annotation"]);
    by("ours.pub").args(["-a", "other=prod"]).rejected(&["verify/annotation"]);
    by("other.pub").rejected(&["verify/key"]);
    Reader::ready(&stack).image(&image).rejected(&["verify/key-signed"]);
    by("ours.key").refused(2, "verify/key-file");

    // An attestation is no signature.
    let attested = stack.push(Registry::Referrers, "verify/attested", 1);
    std::fs::write(folder.path().join("predicate.json"), "{}").unwrap();
    let attest = with("attest").env("SIGSTORE_ID_TOKEN", stack.token("github", &[]));
    let attest = attest.args(["--predicate", "predicate.json", "--type", "https://example.test/p"]);
    attest.arg(attested.reference()).run().expect(0);
    Reader::ready(&stack).image(&attested).rejected(&["verify/predicate-type"]);
    let typed = Reader::ready(&stack).args(["--predicate-type", "https://example.test/p"]);
    typed.image(&attested).accepted(&[&attested.reference()]);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn files_that_others_signed_are_accepted() {
    let stack = Stack::shared();
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "content").unwrap();
    for log in Log::ALL {
        let sign = |cosign: Cosign| {
            cosign
                .program(&stack)
                .dir(folder.path())
                .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
                .args(["sign-blob", "--yes", "--bundle", "bundle.json"])
                .args(["--trusted-root", stack.var("TRUSTED_ROOT"), "--signing-config"])
                .arg(log.signing_config(&stack))
        };
        let config = match log {
            Log::V1 => "CLIENT_TRUST_CONFIG_V1",
            Log::V2 => "CLIENT_TRUST_CONFIG_V2",
        };
        let python = python(&stack, folder.path())
            .dir(folder.path())
            .args(["--trust-config", stack.var(config), "sign", "--bundle", "bundle.json"])
            .args(["--overwrite", "--identity-token"])
            .arg(stack.token("github", &[]));
        // Through the client of the conformance suite.
        let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/client");
        let ours = Program::new(client)
            .dir(folder.path())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("AMBISIGN", env!("CARGO_BIN_EXE_ambisign"))
            .args(["sign-bundle", "--bundle", "bundle.json", "--identity-token"])
            .arg(stack.token("github", &[]))
            .args(["--trusted-root", stack.var("TRUSTED_ROOT"), "--signing-config"])
            .arg(log.signing_config(&stack));
        let (rekor, version) = match log {
            Log::V1 => ("REKOR_URL", "1"),
            Log::V2 => ("REKOR2_URL", "2"),
        };
        let js = javascript(&stack, folder.path())
            .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
            .args(["sign", stack.var("FULCIO_URL"), stack.var(rekor), version])
            .args([stack.var("TSA_URL"), "file", "bundle.json"]);
        let mut runs = vec![sign(Cosign::Three), python, ours];
        if log == Log::V1 {
            runs.push(sign(Cosign::Two).arg("--new-bundle-format"));
        }
        let mut runs: Vec<_> = runs.into_iter().map(|run| run.arg("file")).collect();
        runs.push(js);
        for run in runs {
            run.run().expect(0);
            let reader = || {
                let reader =
                    Reader::of("verify-blob").args(["--trusted-root", stack.var("TRUSTED_ROOT")]);
                let reader = reader.args(["--bundle", "bundle.json"]).args(["file"]);
                reader.map(|program| program.dir(folder.path()))
            };
            let digest = "sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";
            reader().signed_by_github(&stack).accepted(&[digest]);
            reader().signed_by(&stack.issuer("github"), "x").refused(8, "verify/identity");
            reader().signed_by("x", GITHUB_IDENTITY).refused(8, "verify/issuer");
        }
    }
}

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// What sigstore-python takes for a predicate of this type.
const PREDICATE: &str = r#"{"buildDefinition":{"buildType":"https://example.test/build","externalParameters":{}},"runDetails":{"builder":{"id":"https://example.test/builder"}}}"#;

/// sigstore-python and sigstore-js know nothing of registries, but can sign what is in one.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn statements_of_others_about_an_image_are_accepted() {
    let stack = Stack::shared();
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let image = stack.push(Registry::Fallback, "verify/stated", 1);
    let other = stack.push(Registry::Fallback, "verify/not-stated", 2);
    let manifest = image.get(&format!("manifests/{}", image.digest)).body;
    write("manifest", &manifest);
    write("predicate.json", PREDICATE.as_bytes());
    let digest = image.digest.trim_start_matches("sha256:");
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"","digest":{{"sha256":"{digest}"}}}}],"predicateType":"{PROVENANCE}","predicate":{PREDICATE}}}"#
    );
    write("statement.json", statement.as_bytes());
    for (log, config, rekor, version) in [
        (Log::V1, "CLIENT_TRUST_CONFIG_V1", "REKOR_URL", "1"),
        (Log::V2, "CLIENT_TRUST_CONFIG_V2", "REKOR2_URL", "2"),
    ] {
        let python = python(&stack, folder.path())
            .dir(folder.path())
            .args(["--trust-config", stack.var(config), "attest", "--bundle", "bundle.json"])
            .args(["--overwrite", "--predicate", "predicate.json", "--predicate-type", PROVENANCE])
            .args(["--identity-token", &stack.token("github", &[]), "manifest"]);
        let js = javascript(&stack, folder.path())
            .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
            .args(["attest", stack.var("FULCIO_URL"), stack.var(rekor), version])
            .args([stack.var("TSA_URL"), "statement.json", "bundle.json"]);
        // sigstore-js asks Rekor v2 for a kind of entry that it does not take.
        let makers = [Some(python), Some(js).filter(|_| log == Log::V1)];
        for run in makers.into_iter().flatten() {
            let made = run.run().expect(0);
            let reader = || {
                let reader = Reader::ready(&stack).map(|program| program.dir(folder.path()));
                reader.args(["--bundle", "bundle.json"])
            };
            let typed = || reader().args(["--predicate-type", PROVENANCE]);
            let run = typed().image(&image).accepted(&[&image.reference()]);
            assert!(run.stderr.contains(&format!("Rekor v{version} ")), "{log:?} {made}: {run}");
            typed().image(&other).refused(8, "verify/artifact");
            reader().image(&image).refused(8, "verify/predicate-type");
        }
    }
}
