// SPDX-License-Identifier: Apache-2.0
//! `examples/hello.rs`, the program of the README, as a job of GitHub's runs it.

use std::process::Command;

use crate::CANARY;
use crate::peer::{Peer, Reply, Request};

#[expect(clippy::disallowed_methods, reason = "the program is asked from outside")]
fn hello() -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["run", "--quiet", "--locked", "--offline"])
        .args(["--package", "ambisign-providers", "--example", "hello"])
        .env_remove("SIGSTORE_ID_TOKEN");
    command
}

#[tokio::test]
async fn the_hello_world_gets_a_token() {
    let peer =
        Peer::start(|_, _: &Request| Reply::new(200, r#"{"value":"c4n4ry.id.token"}"#)).await;
    let mut command = hello();
    command
        .env("GITHUB_ACTIONS", "true")
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", peer.url("/idtoken"))
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token");
    let run = tokio::task::spawn_blocking(move || command.output());
    let output = run.await.unwrap().unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stdout, "a token of 15 bytes\n");
    assert!(!stderr.contains(CANARY));
    let requests = peer.requests();
    let [request] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(request.target, "/idtoken?audience=sigstore");
    assert_eq!(request.header("authorization"), Some("Bearer request-token"));
}

#[test]
fn the_readme_shows_it() {
    let page = include_str!("../../README.md");
    let line = "let token = Detector::from_env().token(\"sigstore\").await?;";
    assert!(include_str!("../../examples/hello.rs").contains(line));
    assert!(page.contains(line));
}
