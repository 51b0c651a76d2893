// SPDX-License-Identifier: Apache-2.0
//! Registries as people report them: what the real one answers, changed as the report says. Each test
//! has the name of the report; `registry/src/tests/field.rs` has the variants.

use std::path::Path;

use crate::common::fault::Fault::{Rewrite, Status};
use crate::common::fault::{At, Fault, FaultProxy, Rule, Turn};
use crate::common::{Cosign, Image, Log, Logs, Program, Registry, Stack};
use crate::place::{Watch, fresh_image};
use crate::scene::{Peer, Scene};

/// As ghcr.io answers for what it does not serve: its web pages, on a host that nobody may ask here.
fn github() -> Fault {
    const TO: &str = "https://github.invalid/-/v2/packages/container/package/acme%2Fapp";
    Status(303, &[("location", TO)], "")
}

fn lists(fault: Fault) -> Rule {
    Rule::on("GET", At::Contains("/manifests/sha256-"), fault)
}

/// ghcr.io: look-ups of referrers and of missing tags are redirected.
fn ghcr() -> [Rule; 2] {
    [Rule::on("GET", At::Contains("/referrers/"), github()), lists(github()).turn(Turn::First(1))]
}

/// registry.gitlab.com: the fallback tag reads as the digest of the image, where there is that image;
/// `.sig` is a tag.
fn gitlab() -> Vec<Rule> {
    fn as_digest(path: &str) -> String {
        if path.ends_with(".sig") {
            return path.to_owned();
        }
        path.replace("/manifests/sha256-", "/manifests/sha256:")
    }
    let rule = |method| Rule::on(method, At::Contains("/manifests/sha256-"), Rewrite(as_digest));
    let absent = Status(404, &[], "");
    let api = Rule::on("GET", At::Contains("/referrers/"), absent);
    ["GET", "HEAD"].into_iter().map(rule).chain([api]).collect()
}

/// The host and port of the registry of `stack`, by another name of this machine.
fn named(stack: &Stack, name: &str) -> String {
    let port = stack.var("REGISTRY").rsplit(':').next().unwrap();
    format!("{name}:{port}")
}

/// `ambisign verify` for the identity of the stack's `github` token, about to run.
fn verifying(stack: &Stack) -> Program {
    let issuer = stack.issuer("github");
    Program::ambisign()
        .args(["verify", "--trusted-root", stack.var("TRUSTED_ROOT")])
        .args(["--certificate-identity", crate::common::GITHUB_IDENTITY])
        .args(["--certificate-oidc-issuer", &issuer])
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn hub_4785_source_controller_2050_ghcr_is_signed() {
    let stack = Stack::alone();
    for log in Log::ALL {
        let scene = Scene::new(log, Registry::Fallback);
        let scene = ghcr().into_iter().fold(scene, |scene, rule| scene.rule(Peer::Registry, rule));
        let played = scene.play(&stack);
        played.signed();
        let seen = played.seen(Peer::Registry);
        let tags = seen.iter().filter(|seen| seen.path.contains("/tags/list"));
        assert_eq!(tags.count(), 1, "{}", played.run);
        // Harbor lets clients read unsigned images whose name says that they sign as cosign does.
        let agents = seen.iter().flat_map(|seen| &seen.headers);
        let mut agents = agents.filter(|(name, _)| name == "user-agent");
        let is_ours =
            |agent: &str| agent.starts_with("ambisign/") && agent.ends_with(" (cosign-compatible)");
        assert!(agents.all(|(_, agent)| is_ours(agent)), "{seen:?}");
        Cosign::Three.verify(&stack, &played.image, &[]).expect(0);
    }
}

/// Reads of a tag that is there stay redirected: the list under it is not overwritten, and the run
/// ends before anything is public.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn source_controller_2050_a_list_that_cannot_be_read_stays() {
    let stack = Stack::alone();
    let image = fresh_image(stack.var("REGISTRY"));
    Cosign::Three.sign(&stack, Log::V1.signing_config(&stack), &image).run().expect(0);
    let before = image.signatures().len();
    stack.reset_journal();
    let watch = Watch::start(&stack);
    let scene = Scene::new(Log::V1, Registry::Fallback)
        .named(&format!("HOST/{}@{}", image.repository, image.digest))
        .rule(Peer::Registry, lists(github()));
    let played = scene.play(&stack);
    played.refused("registry/tag-redirected", 75);
    assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{}", played.run);
    assert_eq!(image.signatures().len(), before, "{}", played.run);
    watch.nothing_logged();
}

/// GitLab is refused before the certificate, with a fix that works: the signatures in a repository of
/// their own, which cosign reads too.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn oras_go_1396_cosign_4569_gitlab_is_told_before_the_certificate() {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    let play = |scene: Scene| {
        let rules = gitlab().into_iter();
        rules.fold(scene, |scene, rule| scene.rule(Peer::Registry, rule)).play(&stack)
    };
    let played = play(Scene::new(Log::V1, Registry::Fallback));
    played.refused("registry/tag-is-subject", 6);
    played.published_nothing();
    assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{}", played.run);
    let fix = played.run.json()["images"][0]["error"]["fix"].clone();
    assert!(fix.as_str().unwrap().contains("--signature-repository"), "{}", played.run);
    watch.nothing_logged();

    let elsewhere = "HOST/refuse/signatures-of-gitlab";
    let scene = Scene::new(Log::V1, Registry::Fallback);
    let played = play(scene.env("AMBISIGN_SIGNATURE_REPOSITORY", elsewhere));
    let document = played.run.expect(0).json();
    let place = &document["images"][0]["attached"]["reference"];
    assert!(place.as_str().unwrap().contains("/refuse/signatures-of-gitlab@"), "{document}");
}

/// A registry that redirects reads of blobs to storage in plain HTTP, as some on premises do: `sign`
/// ended well, and `verify` with 8. What `sign` calls attached, `verify` can read.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn blobs_in_plain_http_storage_are_signed_and_verified() {
    let stack = Stack::alone();
    for registry in Registry::ALL {
        // cosign follows to names alone.
        let port = registry.host(&stack).rsplit(':').next().unwrap();
        let away = Fault::RedirectTo(format!("http://localhost:{port}"));
        let rules = || {
            ["GET", "HEAD"].map(|verb| Rule::on(verb, At::Contains("/blobs/sha256:"), away.clone()))
        };
        let scene = rules()
            .into_iter()
            .fold(Scene::new(Log::V1, registry), |scene, rule| scene.rule(Peer::Registry, rule));
        let played = scene.play(&stack);
        played.signed();
        let proxy = FaultProxy::start(registry.host(&stack), rules().into());
        let image = played.image.through(&proxy.host());
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
        verifying(&stack).arg(image.reference()).run().expect(0);
    }
}

/// docker-registry after a cleanup has deleted the manifest of a signature: the list still names it, and
/// the registry takes no list with it. Every later run logged an entry and failed.
fn mends_a_list_after(stack: &Stack, cleanup: impl FnOnce(&Image, &str)) {
    let image = fresh_image(stack.var("REGISTRY"));
    let sign = || stack.signing("sign", Log::V1).arg(image.reference()).run();
    sign().expect(0);
    let gone = image.signatures().remove(0).digest;
    cleanup(&image, &gone);
    let run = sign().expect(0);
    let warning = run.stderr.lines().find(|line| line.contains("warning: "));
    assert!(warning.is_some_and(|line| line.contains(&gone)), "{run}");
    assert_eq!(image.signatures().len(), 1);
    Cosign::Three.verify(stack, &image, &[]).expect(0);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_list_with_a_manifest_that_a_cleanup_deleted_is_mended() {
    mends_a_list_after(&Stack::alone(), |image, gone| {
        let deleted = image.send(("DELETE", &format!("manifests/{gone}")), "", "");
        assert_eq!(deleted.status, 202);
    });
}

/// `garbage-collect --delete-untagged` takes the manifests that a list names for untagged.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_list_with_a_manifest_that_garbage_collect_deleted_is_mended() {
    let stack = Stack::up(Logs::Empty, &[]);
    let config = Path::new(stack.var("TRUSTED_ROOT")).with_file_name("registry.yml");
    mends_a_list_after(&stack, |_, gone| {
        let collect = Program::new("/usr/bin/docker-registry");
        let collect = collect.args(["garbage-collect", "--delete-untagged"]).arg(&config);
        let run = collect.run().expect(0);
        assert!(run.stdout.contains(gone), "{run}");
    });
}

/// docker, crane and cosign speak plain HTTP to a registry on this machine, whatever its name.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_registry_at_localhost_is_signed_and_verified() {
    let stack = Stack::alone();
    for name in ["localhost", "registry.localhost"] {
        let image = fresh_image(stack.var("REGISTRY"));
        let named = image.through(&named(&stack, name));
        let token = stack.token("github", &[]);
        let run = stack
            .signing("sign", Log::V1)
            .env("SIGSTORE_ID_TOKEN", token)
            .arg(named.reference())
            .run()
            .expect(0);
        assert!(run.took.as_secs() < 6, "{run}");
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
        verifying(&stack).arg(named.reference()).run().expect(0);
    }
}

/// A name of no loopback address: 0.0.0.0 leads to this machine too.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_registry_without_tls_needs_the_flag() {
    let stack = Stack::alone();
    let host = named(&stack, "0.0.0.0");
    let sign = |flag: Option<&str>, env: &[(&str, &str)]| {
        let image = fresh_image(stack.var("REGISTRY"));
        let token = stack.token("github", &[]);
        let mut program = stack.signing("sign", Log::V1).env("SIGSTORE_ID_TOKEN", token);
        for (name, value) in env {
            program = program.env(name, value);
        }
        program.args(flag).arg(image.through(&host).reference()).run()
    };
    let refused = sign(None, &[]).expect(5);
    let fix = format!("allow plain HTTP for it: `--allow-http-registry={host}`");
    assert!(refused.stderr.contains(&fix), "{refused}");
    assert!(refused.stderr.contains("code: registry/not-tls; exit 5"), "{refused}");
    assert!(refused.took.as_secs() < 4, "nothing is tried again: {refused}");

    let variable = "AMBISIGN_ALLOW_HTTP_REGISTRY";
    for (flag, env) in [
        (Some(format!("--allow-http-registry={host}")), None),
        (Some("--allow-http-registry".to_owned()), None),
        (None, Some((variable, host.as_str()))),
    ] {
        let run = sign(flag.as_deref(), env.as_slice()).expect(0);
        assert!(run.stderr.contains("is used over plain HTTP"), "{run}");
    }
    let run = sign(None, &[(variable, &host), ("AMBISIGN_PUBLIC_INSTANCE", "true")]).expect(2);
    assert!(run.stderr.contains(variable), "{run}");
}
