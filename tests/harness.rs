// SPDX-License-Identifier: Apache-2.0
//! The harness itself, with cosign in the place of the program under test: images go up, signatures
//! come back, the journal counts, and the proxy of faults keeps real services usable.

mod common;

use std::time::Duration;

use common::fault::{At, Fault, FaultProxy, Rule, Turn};
use common::{
    Cosign, GITHUB_IDENTITY, Log, Logs, Program, Registry, Service, Stack, assert_no_canary,
    signing_config_with, sigstore_python,
};

#[test]
fn a_program_has_no_environment_and_a_hard_end() {
    let run = Program::new("/usr/bin/env").env("ONE", "1").run().expect(0);
    assert_eq!(run.stdout, "ONE=1\n");
    let run = Program::new("/bin/sleep").arg("60").limit(Duration::from_millis(50)).run();
    assert!(run.hung && run.code.is_none() && run.took < Duration::from_secs(30), "{run}");
    let wait = Duration::from_millis(50);
    let run = Program::new("/bin/sleep").arg("60").signal_after(wait, "INT").run();
    assert_eq!((run.signal, run.hung), (Some(2), false), "{run}");
    let run = Program::new("/bin/cat").stdin("input").run().expect(0);
    assert_eq!(run.stdout, "input");
}

#[test]
fn a_canary_is_found_in_outputs_and_files() {
    let script = "printf canary-one; printf canary-two >file";
    let run = Program::new("/bin/sh").args(["-c", script]).run().expect(0);
    assert_no_canary(&["canary-three"], &run.outputs());
    for canary in ["canary-one", "canary-two"] {
        let found = std::panic::catch_unwind(|| assert_no_canary(&[canary], &run.outputs()));
        assert!(found.is_err(), "{canary}");
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn cosign_signs_and_the_signature_is_read_back() {
    let stack = Stack::shared();
    for (registry, log) in [(Registry::Fallback, Log::V1), (Registry::Referrers, Log::V2)] {
        let image = stack.push(registry, "harness/app", 2);
        assert_eq!(image.get("manifests/latest").json()["layers"].as_array().unwrap().len(), 2);
        assert!(image.signatures().is_empty());
        assert_ne!(Cosign::Three.verify(&stack, &image, &[]).code, Some(0));
        let sign = Cosign::Three.sign(&stack, log.signing_config(&stack), &image);
        sign.run().expect(0);
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
        // A Rekor v2 entry has no time of its own, which cosign 2 must be told.
        let options = ["--new-bundle-format", "--use-signed-timestamps"];
        Cosign::Two.verify(&stack, &image, &options).expect(0);
        let signatures = image.signatures();
        assert_eq!(signatures.len(), 1, "{registry:?}");
        let bundle: serde_json::Value = serde_json::from_slice(&signatures[0].bundle).unwrap();
        assert!(bundle["dsseEnvelope"].is_object());
        assert!(image.legacy_signature().is_none());
        // cosign's statements have no `name`, which sigstore-python wants; that it comes so far shows
        // that the bundle, the identity and the log entry were understood.
        let verdict = sigstore_python(&stack, &signatures[0].bundle, &image.digest);
        assert!(verdict.stderr.contains("name"), "{verdict}");
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_journal_counts() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Fallback, "harness/count", 1);
    stack.reset_journal();
    let sign = Cosign::Three.sign(&stack, Log::V2.signing_config(&stack), &image);
    sign.run().expect(0);
    let counts = stack.counts();
    for service in ["fulcio", "rekor2", "tsa"] {
        assert_eq!(counts.get(service), Some(&1), "{service}: {counts:?}");
    }
    assert!(counts.get(Registry::Fallback.service()) > Some(&4), "{counts:?}");
    assert_eq!(counts.get("rekor"), None, "{counts:?}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn real_services_work_through_the_proxy() {
    let stack = Stack::shared();
    let pushed = stack.push(Registry::Fallback, "harness/through", 1);
    let busy = Fault::Status(503, &[("retry-after", "0")], "busy");
    let rule = Rule::on("POST", At::Prefix("/api"), busy).turn(Turn::First(1));
    let fulcio = FaultProxy::start(stack.var("FULCIO_URL"), Vec::new());
    let tsa = FaultProxy::start(stack.var("TSA_URL"), Vec::new());
    let rekor = FaultProxy::start(stack.var("REKOR_URL"), vec![rule]);
    let registry = FaultProxy::start(&pushed.host, Vec::new());
    let dir = tempfile::TempDir::new().unwrap();
    let mut config = Log::V1.signing_config(&stack).to_owned();
    for (service, proxy) in
        [(Service::Fulcio, &fulcio), (Service::Rekor, &rekor), (Service::Tsa, &tsa)]
    {
        config = signing_config_with(&config, dir.path(), service, &proxy.url());
    }
    let image = pushed.through(&registry.host());
    Cosign::Three.sign(&stack, &config, &image).run().expect(0);
    Cosign::Three.verify(&stack, &pushed, &[]).expect(0);
    let struck: Vec<_> = rekor.seen().into_iter().map(|seen| seen.rule).collect();
    assert_eq!(struck, [Some(0), None], "cosign asked the log again");
    assert_eq!((fulcio.seen().len(), tsa.seen().len()), (1, 1));
    assert!(registry.seen().len() > 4, "uploads came back through the proxy");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn tokens_say_what_is_asked() {
    use base64::Engine as _;
    let stack = Stack::shared();
    let token = stack.token("github", &["sub=other", "ref=null"]);
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["sub"], "other");
    assert!(claims["ref"].is_null());
    assert!(GITHUB_IDENTITY.contains(claims["repository"].as_str().unwrap()));
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_index_holds_its_images_and_a_stack_goes_down() {
    let stack = Stack::up(Logs::Empty, &["--checkpoint", "100"]);
    let images = [(); 2].map(|()| stack.push(Registry::Referrers, "harness/multi", 1));
    let index = stack.push_index(Registry::Referrers, &images);
    let listed = index.get(&format!("manifests/{}", index.digest)).json();
    assert_eq!(listed["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(listed["manifests"][0]["digest"], *images[0].digest);
    let host = index.host;
    drop(stack);
    assert!(std::net::TcpStream::connect(host).is_err(), "the registry is still there");
}
