// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;

use ambisign_host::{Class, Explain, Token};
use ambisign_providers::Error;

use crate::peer::{Peer, Reply, Request};
use crate::{CANARY, ask, assert_keeps_secrets, host, vars};

const LONG: Duration = Duration::from_secs(20);

async fn peer(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Peer {
    Peer::start(move |number, _: &Request| script(number)).await
}

async fn fetch(peer: &Peer, time: Duration) -> Result<Token, Error> {
    let vars = vars([
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", peer.url("/idtoken?api-version=2.0")),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", format!("{CANARY}-request")),
    ]);
    ask(&host(vars, time)).await
}

/// The code and class of the error that one answer leads to, after `tries` requests.
async fn refusal(reply: fn() -> Reply, tries: usize) -> (String, Class) {
    let peer = peer(move |_| reply()).await;
    let error = fetch(&peer, LONG).await.unwrap_err();
    assert_keeps_secrets(&error);
    assert_eq!(peer.requests().len(), tries, "{error}");
    (error.code().into_owned(), error.class())
}

fn good() -> Reply {
    let body = format!(r#"{{"count":1,"value":"{CANARY}.id.token\n"}}"#);
    Reply::new(200, &body)
}

#[tokio::test]
async fn asks_as_the_runner_does() {
    let peer = peer(|_| good()).await;
    let token = fetch(&peer, LONG).await.unwrap();
    assert_eq!(token.expose(), format!("{CANARY}.id.token"));
    let requests = peer.requests();
    let [request] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(request.method, "GET");
    assert_eq!(request.target, "/idtoken?api-version=2.0&audience=a%26b");
    let bearer = format!("Bearer {CANARY}-request");
    assert_eq!(request.header("authorization"), Some(bearer.as_str()));
    assert_eq!(request.header("accept"), Some("application/json; api-version=2.0"));
    assert_eq!(request.header("accept-encoding"), None);
}

#[tokio::test]
async fn a_job_whose_state_is_not_known_yet_is_waited_for() {
    let peer = peer(|number| match number {
        0 => Reply::new(403, r#"{"message":"Can't issue ID_TOKEN for job in 'Pending' state"}"#),
        _ => good(),
    })
    .await;
    fetch(&peer, LONG).await.unwrap();
    assert_eq!(peer.requests().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_final() {
    for status in [400, 401, 403, 404, 202] {
        let peer = peer(move |_| Reply::new(status, &format!("no, {CANARY}-request"))).await;
        let error = fetch(&peer, LONG).await.unwrap_err();
        assert_eq!(error.code(), "github/refused");
        assert_eq!(error.class(), Class::Identity);
        assert!(error.to_string().contains(&format!("HTTP {status} `no, ***`")));
        assert_keeps_secrets(&error);
        assert_eq!(peer.requests().len(), 1);
    }
}

#[tokio::test]
async fn answers_that_hold_no_token_are_refused() {
    let html = || Reply::new(200, "<html>c4n4ry</html>").header("Content-Type", "text/html");
    let unreadable = ("github/unreadable".to_owned(), Class::Identity);
    assert_eq!(refusal(html, 1).await, unreadable);
    let wrong = || Reply::new(200, r#"{"token":"c4n4ry"}"#);
    assert_eq!(refusal(wrong, 1).await, unreadable);
    let null = || Reply::new(200, r#"{"value":null,"x":"c4n4ry"}"#);
    assert_eq!(refusal(null, 1).await, unreadable);
    let twice = || Reply::new(200, r#"{"value":"c4n4ry","value":"c4n4ry"}"#);
    assert_eq!(refusal(twice, 1).await, unreadable);
    let empty = || Reply::new(200, r#"{"value":" "}"#);
    let code = "github/empty".to_owned();
    assert_eq!(refusal(empty, 1).await, (code, Class::Identity));
}

#[tokio::test]
async fn other_hosts_get_no_request() {
    let peer = peer(|_| good()).await;
    let url = format!("http://localhost:{}/token", peer.address.port());
    let vars = vars([
        ("ACTIONS_ID_TOKEN_REQUEST_URL", url),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CANARY.to_owned()),
    ]);
    let error = ask(&host(vars, LONG)).await.unwrap_err();
    assert_eq!(error.code(), "github/host");
    assert_keeps_secrets(&error);
    assert!(peer.requests().is_empty());
}
