// SPDX-License-Identifier: Apache-2.0
//! Services that give everything back that they were sent, `Authorization` included: none of it is
//! shown. That [`Job::run`] searches what it says is half of each of these tests.

use crate::common::fault::{At, Fault, FaultProxy, Rule, Turn};
use crate::common::{Cosign, Finished, Image, Log, Registry, Service, Stack, signing_config_with};
use crate::job::Job;

/// Stands before a service and echoes every request of `method` after the first `answers`.
fn echo(service: &str, method: &'static str, answers: usize) -> FaultProxy {
    let rule = Rule::on(method, At::Any, Fault::EchoRequest).turn(Turn::After(answers));
    FaultProxy::start(service, vec![rule])
}

/// The echo was asked with a secret, and its answer is shown.
#[track_caller]
fn assert_echoed(run: &Finished, echo: &FaultProxy) {
    let seen = echo.seen();
    assert!(seen.iter().any(|seen| seen.rule.is_some()), "{seen:?}");
    assert!(run.stderr.contains("400"), "{run}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_token_that_fulcio_gives_back_is_not_shown() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Referrers, "secrets/fulcio", 1);
    let dir = tempfile::TempDir::new().unwrap();
    let echo = echo(stack.var("FULCIO_URL"), "POST", 0);
    let config = Log::V1.signing_config(&stack);
    let config = signing_config_with(config, dir.path(), Service::Fulcio, &echo.url());
    let job = || Job::with_config(&stack, &config).image(&image);
    let token = stack.token("github", &[]);
    assert_echoed(&job().token(&token).refused(3, "fulcio/refused"), &echo);
    // This token is known to nobody but the program.
    assert_echoed(&job().github(&stack).refused(3, "fulcio/refused"), &echo);
    let document = job().token(&token).document(3);
    assert_eq!(document["error"]["code"], "fulcio/refused");
    assert!(image.signatures().is_empty());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_request_token_that_github_gives_back_is_not_shown() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Referrers, "secrets/github", 1);
    let echo = echo(stack.var("GITHUB_TOKEN_URL"), "GET", 0);
    let job = || Job::new(&stack, Log::V1).github_at(&echo.url());
    let run = job().image(&image).refused(3, "github/refused");
    assert!(echo.seen().iter().all(|seen| seen.authorized));
    assert_echoed(&run, &echo);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_password_that_a_registry_gives_back_is_not_shown() {
    let stack = Stack::shared();
    let pushed = stack.push(Registry::Fallback, "secrets/login", 1);
    let password = "p4ssw0rd-of-the-registry";
    let challenge = &[("www-authenticate", "Basic realm=\"registry\"")];
    let refuse =
        || Rule::on("GET", At::Any, Fault::Status(401, challenge, "")).turn(Turn::First(1));
    let job = |image: Image| {
        Job::ready(&stack, Log::V1)
            .secret(password)
            .env("AMBISIGN_REGISTRY_USERNAME", "user")
            .env("AMBISIGN_REGISTRY_PASSWORD", password)
            .image(&image)
    };
    let proxy = FaultProxy::start(&pushed.host, vec![refuse()]);
    job(pushed.through(&proxy.host())).run().expect(0);
    assert!(proxy.seen().iter().any(|seen| seen.authorized));
    Cosign::Three.verify(&stack, &pushed, &[]).expect(0);

    let echo = Rule::on("GET", At::Any, Fault::EchoRequest);
    let proxy = FaultProxy::start(&pushed.host, vec![refuse(), echo]);
    let run = job(pushed.through(&proxy.host())).refused(6, "registry/refused");
    assert!(proxy.seen().iter().any(|seen| seen.authorized), "{run}");
    assert_echoed(&run, &proxy);
    assert_eq!(pushed.signatures().len(), 1);
}
