// SPDX-License-Identifier: Apache-2.0
//! Logins that cannot be used, are for somebody else, or are not enough. What a file or a helper
//! holds is never shown, and nothing of it reaches a terminal or a workflow as a command.

use crate::common::{Log, Program, Registry, Stack};
use crate::place::each;
use crate::scene::{Peer, Scene};

const PASSWORD: &str = "realstack-robot-password";
/// `robot` and its password.
const ROBOT: &str = "cm9ib3Q6cmVhbHN0YWNrLXJvYm90LXBhc3N3b3Jk";
/// `reader` and its password.
const READER: &str = "cmVhZGVyOnJlYWxzdGFjay1yZWFkZXItcGFzc3dvcmQ=";
const CANARY: &str = "canary-of-a-helper";

/// The registry, `config.json`, the helper, the error code, the exit code, and a part of what is said.
type Row = (&'static str, String, Option<&'static str>, &'static str, i32, &'static str);

fn auths(host: &str, auth: &str) -> String {
    format!(r#"{{"auths":{{"{host}":{{"auth":"{auth}"}}}}}}"#)
}

#[rustfmt::skip] // One row a line, or the table cannot be read.
fn rows() -> Vec<Row> {
    let (basic, bearer) = ("REGISTRY_HTPASSWD", "REGISTRY_TOKEN");
    let (bad, no) = ("registry/credentials", "registry/unauthorized");
    let helper = || r#"{"credsStore":"test"}"#.to_owned();
    let text = str::to_owned;
    vec![
        (basic, text("{"), None, bad, 2, "line 1"),
        (basic, text(""), None, bad, 2, "config.json"),
        (basic, text("canary-of-a-helper"), None, bad, 2, "line 1"),
        (basic, text(r#"{"auths":{"HOST":{"auth":{"canary-of-a-helper":1}}}}"#), None, bad, 2, "line 1"),
        (basic, auths("HOST", CANARY), None, bad, 2, "not base64"),
        (basic, text(r#"{"credsStore":"../../bin/sh"}"#), None, bad, 2, "not the name of a program"),
        (basic, text(r#"{"credsStore":"a\u001b[31m"}"#), None, bad, 2, "not the name of a program"),
        (basic, text(r#"{"credsStore":"gone"}"#), None, bad, 6, "is not installed"),
        (basic, helper(), Some("echo canary-of-a-helper"), bad, 6, "something else than JSON"),
        (basic, helper(), Some("printf '\\033[31m::error::canary-of-a-helper\\n'"), bad, 6, "something else"),
        (basic, helper(), Some("echo canary-of-a-helper; exit 1"), bad, 6, "failed"),
        (basic, helper(), Some(r#"echo '{"Secret":"canary-of-a-helper"}'; echo the session has expired >&2; exit 1"#), bad, 6, "failed: `the session has expired`"),
        (basic, helper(), Some("echo no role was found >&2; echo credentials not found in native keychain; exit 1"), no, 6, "says `no role was found`"),
        (basic, helper(), Some("exec yes canary-of-a-helper"), bad, 6, "gave no answer"),
        (basic, helper(), Some("exec sleep 100"), bad, 6, "did not end within 10 s"),
        (basic, helper(), Some("echo credentials not found in native keychain; exit 1"), no, 6, "docker login "),
        (basic, helper(), Some(r#"printf %s '{"Username":"a\u001b[31m\n::error::b","Secret":"canary-of-a-helper"}'"#), no, 6, "user"),
        (basic, auths("HOST", "cm9ib3Q6d3Jvbmc="), None, no, 6, "user \"robot\""),
        (basic, auths("other.example", ROBOT), None, no, 6, "without a credential"),
        (basic, auths("HOST.example", ROBOT), None, no, 6, "without a credential"),
        (basic, auths("HOST/other", ROBOT), None, no, 6, "without a credential"),
        (bearer, auths("HOST", "cm9ib3Q6d3Jvbmc="), None, no, 6, "user \"robot\""),
        (bearer, auths("other.example", ROBOT), None, "registry/push-denied", 6, "without a credential"),
        (bearer, auths("HOST", READER), None, "registry/push-denied", 6, "user \"reader\""),
    ]
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_login_that_cannot_be_used() {
    let stack = Stack::alone();
    each(
        8,
        &rows(),
        |(registry, config, helper, ..)| format!("{registry} {config} {helper:?}"),
        |(registry, config, helper, code, exit, said)| {
            let scene = Scene::new(Log::V1, Registry::Fallback)
                .elsewhere(Peer::Registry, stack.var(registry))
                .login(config, *helper)
                .canary(PASSWORD)
                .canary(ROBOT)
                .canary(READER)
                .canary(CANARY);
            let played = scene.play(&stack);
            let stderr = &played.run.stderr;
            assert!(stderr.contains(said), "`{said}` is not in {}", played.run);
            assert!(!stderr.contains('\u{1b}'), "{}", played.run);
            assert!(!stderr.contains("\n::"), "{}", played.run);
            played.refused(code, *exit);
            played.published_nothing();
            assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{}", played.run);
            if config.contains("other") || config.contains("HOST.example") {
                let mut seen = played.seen(Peer::Registry).iter();
                let anonymous = |seen: &crate::common::fault::Seen| {
                    !seen.authorized || *registry == "REGISTRY_TOKEN"
                };
                assert!(seen.all(anonymous), "{}", played.run);
            }
        },
    );
}

/// The same registry takes the right login, however it comes.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_login_that_can_be_used() {
    let stack = Stack::alone();
    let helper = format!(r#"echo '{{"Username":"robot","Secret":"{PASSWORD}"}}'"#);
    let helpers = r#"{"credHelpers":{"HOST":"test"}}"#.to_owned();
    let token = r#"{"auths":{"HOST":{"auth":"","identitytoken":"realstack-refresh-token"}}}"#;
    let rows = [
        ("REGISTRY_HTPASSWD", auths("HOST", ROBOT), None),
        ("REGISTRY_HTPASSWD", auths("http://HOST/v2/", ROBOT), None),
        ("REGISTRY_HTPASSWD", auths("HOST/refuse", ROBOT), None),
        ("REGISTRY_HTPASSWD", helpers.clone(), Some(helper.clone())),
        ("REGISTRY_TOKEN", auths("HOST", ROBOT), None),
        ("REGISTRY_TOKEN", helpers, Some(helper)),
        ("REGISTRY_TOKEN", token.to_owned(), None),
    ];
    each(
        7,
        &rows,
        |(registry, config, _)| format!("{registry} {config}"),
        |(registry, config, helper)| {
            let scene = Scene::new(Log::V1, Registry::Fallback)
                .elsewhere(Peer::Registry, stack.var(registry))
                .login(config, helper.as_deref())
                .canary(PASSWORD)
                .canary(ROBOT)
                .canary("realstack-refresh-token");
            scene.play(&stack).signed();
        },
    );
}

/// Opening a pipe waits for whoever writes into it, which nobody would end.
#[test]
fn a_pipe_in_the_place_of_a_login_is_refused() {
    let home = tempfile::TempDir::new().unwrap();
    let folder = home.path().join(".docker");
    std::fs::create_dir(&folder).unwrap();
    let pipe = folder.join("config.json");
    Program::new("/usr/bin/mkfifo").arg(&pipe).run().expect(0);
    let image = format!("127.0.0.1:9/acme/app@sha256:{}", "0".repeat(64));
    let run = Program::ambisign()
        .args(["sign", "--trusted-root", "/none", "--signing-config", "/none", &image])
        .env("HOME", home.path())
        .env("SIGSTORE_ID_TOKEN", "e30.e30.e30")
        .run()
        .expect(2);
    assert!(run.stderr.contains("registry/credentials"), "{run}");
}
