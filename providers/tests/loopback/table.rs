// SPDX-License-Identifier: Apache-2.0
//! What holds for every provider that gets its token with one request: a row for each provider, and a
//! row for each answer.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ambisign_providers::{Class, Error, Explain, PROVIDERS, Token, explanations, secret_variables};

use crate::peer::{Peer, Reply, Request};
use crate::{CANARY, ask, assert_keeps_secrets, host};

/// A provider that gets its token with one request.
struct Row {
    /// What its error codes begin with.
    stage: &'static str,
    /// The variables of a job whose token endpoint is at this URL. Every one is needed.
    job: fn(String) -> Vec<(&'static str, String)>,
    /// What is requested, for the audience `a&b`.
    request: &'static str,
    /// The answer that gives this token.
    answer: fn(&str) -> String,
}

const ROWS: &[Row] = &[Row {
    stage: "github",
    job: |url| {
        vec![
            ("ACTIONS_ID_TOKEN_REQUEST_URL", url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", format!("{CANARY}-request")),
        ]
    },
    request: "GET /token?audience=a%26b",
    answer: |token| format!(r#"{{"count":1,"value":"{token}"}}"#),
}];

/// Stages whose tokens take several requests: they have tests of their own beside this file.
const ELSEWHERE: &[&str] = &["gce", "impersonation", "service-account"];

/// An answer that gives no token, what the error code ends with, and how often is asked.
type Answer = (fn() -> Reply, &'static str, Class, usize);

const ANSWERS: &[Answer] = &[
    (|| refusal(400), "refused", Class::Identity, 1),
    (|| refusal(401), "refused", Class::Identity, 1),
    (|| refusal(403), "refused", Class::Identity, 1),
    (|| refusal(404), "refused", Class::Identity, 1),
    (|| refusal(202), "refused", Class::Identity, 1),
    (|| html(), "unreadable", Class::Identity, 1),
    (|| ok(r#"{"other":"c4n4ry"}"#), "unreadable", Class::Identity, 1),
    (|| ok(r#""c4n4ry""#), "unreadable", Class::Identity, 1),
    (|| ok(&"c4n4ry".repeat(20_000)), "too-large", Class::Untrusted, 1),
    (|| moved(), "redirected", Class::Untrusted, 1),
];

fn ok(body: &str) -> Reply {
    Reply::new(200, body)
}

fn refusal(status: u16) -> Reply {
    Reply::new(status, "no, c4n4ry-request")
}

fn html() -> Reply {
    ok("<html>c4n4ry</html>").header("Content-Type", "text/html")
}

fn moved() -> Reply {
    Reply::new(307, "").header("Location", "https://elsewhere.example/c4n4ry")
}

async fn fetch(row: &Row, peer: &Peer, time: Duration) -> Result<Token, Error> {
    let vars = (row.job)(peer.url("/token")).into_iter();
    let vars = vars.map(|(name, value)| (name.to_owned(), value));
    ask(&host(vars, time)).await
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn every_stage_that_sends_requests_is_tested() {
    let sends: BTreeSet<_> = explanations().flat_map(|table| table.requests).collect();
    let here = ROWS.iter().map(|row| &row.stage);
    assert_eq!(sends, here.chain(ELSEWHERE).collect());
}

/// What a provider reads is in its row, and what it guards no child process sees.
#[tokio::test]
async fn what_is_guarded_is_hidden_from_children() {
    for row in ROWS {
        let answer = (row.answer)("a.b.c");
        let peer = Peer::start(move |_, _: &Request| ok(&answer)).await;
        let job = (row.job)(peer.url("/token"));
        let vars = job.iter();
        let host = host(vars.map(|(name, value)| ((*name).to_owned(), value.clone())), LONG);
        ask(&host).await.unwrap();
        for (name, value) in &job {
            let mut read = PROVIDERS.iter().flat_map(|row| row.variables);
            assert!(read.any(|variable| variable.name == *name), "{name}");
            let is_guarded = host.net.redact(value) != *value;
            let is_hidden = secret_variables().any(|secret| secret == *name);
            assert_eq!(is_guarded, is_hidden, "{name}");
        }
    }
}

#[tokio::test]
async fn one_request_gets_the_token() {
    for row in ROWS {
        let answer = (row.answer)("c4n4ry.id.token\\n");
        let peer = Peer::start(move |_, _: &Request| ok(&answer)).await;
        let token = fetch(row, &peer, LONG).await.unwrap();
        assert_eq!(token.expose(), "c4n4ry.id.token");
        let requests = peer.requests();
        let [request] = requests.as_slice() else {
            panic!("{}: {requests:?}", row.stage);
        };
        let line = format!("{} {}", request.method, request.target);
        assert_eq!(line, row.request);
    }
}

#[tokio::test]
async fn half_of_the_variables_is_no_absence() {
    for row in ROWS {
        let job = (row.job)("http://127.0.0.1:9/token".to_owned());
        for (left_out, _) in &job {
            let vars = job.iter().filter(|(name, _)| name != left_out);
            let vars = vars.map(|(name, value)| ((*name).to_owned(), value.clone()));
            let error = ask(&host(vars, LONG)).await.unwrap_err();
            assert!(error.code().starts_with(row.stage), "{left_out}: {error}");
            assert_keeps_secrets(&error);
        }
    }
}

#[tokio::test]
async fn each_answer_without_a_token_is_an_error() {
    for row in ROWS {
        for (reply, what, class, tries) in ANSWERS {
            let peer = Peer::start(move |_, _: &Request| reply()).await;
            let error = fetch(row, &peer, LONG).await.unwrap_err();
            assert_eq!(error.code(), format!("{}/{what}", row.stage), "{error}");
            assert_eq!(error.class(), *class, "{error}");
            assert_eq!(peer.requests().len(), *tries, "{error}");
            assert_keeps_secrets(&error);
        }
        for empty in ["", " "] {
            let answer = (row.answer)(empty);
            let peer = Peer::start(move |_, _: &Request| ok(&answer)).await;
            let error = fetch(row, &peer, LONG).await.unwrap_err();
            assert_eq!(error.code(), format!("{}/empty", row.stage));
        }
    }
}

#[tokio::test]
async fn a_server_error_is_waited_for() {
    for row in ROWS {
        let answer = (row.answer)("a.b.c");
        let script = move |number, _: &Request| match number {
            0 => Reply::new(500, "<html>oops</html>"),
            1 => Reply::new(429, "").header("Retry-After", "1"),
            _ => ok(&answer),
        };
        let peer = Peer::start(script).await;
        fetch(row, &peer, LONG).await.unwrap();
        assert_eq!(peer.requests().len(), 3);
    }
}

#[tokio::test]
async fn the_end_of_the_run_is_the_end_of_waiting() {
    for row in ROWS {
        let answer = (row.answer)("a.b.c");
        let script = move |_, _: &Request| ok(&answer).late(Duration::from_secs(10));
        let peer = Peer::start(script).await;
        let started = Instant::now();
        let error = fetch(row, &peer, Duration::from_millis(300)).await;
        let error = error.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(2));
        assert_eq!(error.class(), Class::Temporary);
        assert_keeps_secrets(&error);
    }
}
