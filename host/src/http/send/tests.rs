// SPDX-License-Identifier: Apache-2.0
//! The HTTP core against servers that answer what no server should.

use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;
use url::Url;

use super::{next_wait, retry_after};
use crate::{CallLimits, Class, Clock, Env, HttpError, HttpReason, Net, NetOptions, Profile};

const LIMITS: CallLimits = CallLimits {
    profile: Profile::TOKEN_ENDPOINT,
    body: 8,
    tries: 2,
    each: Duration::from_secs(5),
    all: Duration::from_secs(10),
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(1),
};

/// A server that answers every request with `answer`, and then a byte every 20 ms for ever when
/// `drip` says so.
async fn server(answer: Vec<u8>, drip: Option<u8>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                if stream.read(&mut bytes).await.unwrap_or(0) == 0 {
                    return;
                }
                let mut alive = stream.write_all(&answer).await.is_ok();
                while let (true, Some(byte)) = (alive, drip) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    alive = stream.write_all(&[byte]).await.is_ok();
                }
            });
        }
    });
    url.parse().unwrap()
}

async fn ask(limits: &CallLimits, answer: &str, drip: Option<u8>) -> Result<Vec<u8>, HttpError> {
    let url = server(answer.as_bytes().to_vec(), drip).await;
    let net = Net::new(&Env::default(), Clock::system(), NetOptions::default());
    let answer = net.send(limits, Request::new(Method::GET, url)).await?;
    Ok(answer.body.clone())
}

fn busy(retry_after: &str) -> String {
    format!("HTTP/1.1 503 busy\r\nretry-after: {retry_after}\r\ncontent-length: 0\r\n\r\n")
}

/// A server that answers TLS in plain HTTP is no matter of trying again.
#[tokio::test]
async fn a_server_without_tls_is_a_fact() {
    let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    let mut url = server(answer.to_vec(), None).await;
    url.set_scheme("https").unwrap();
    let net = Net::new(&Env::default(), Clock::system(), NetOptions::default());
    let error = net.send(&LIMITS, Request::new(Method::GET, url)).await.unwrap_err();
    assert_eq!((&*error.variant(), error.tries), ("not-tls", 1), "{error}");
    assert_eq!(error.class(), Class::Untrusted);
    assert!(!error.sent);
}

#[tokio::test]
async fn no_wait_is_too_long_to_be_told() {
    for seconds in ["18446744073709551615", "9223372036854775807", "1000000000"] {
        let error = ask(&LIMITS, &busy(seconds), None).await.unwrap_err();
        assert_eq!((&*error.variant(), error.tries), ("unreachable", 1), "{error}");
        assert!(error.to_string().contains("wait 86400 s"), "{error}");
    }
    for nonsense in ["-1", "abc", "1e9", "99999999999999999999999", ""] {
        let error = ask(&LIMITS, &busy(nonsense), None).await.unwrap_err();
        assert_eq!(error.tries, 2, "{error}");
    }
}

/// The wait after a first answer of `status`.
fn wait(status: u16, retry_after: Option<u64>) -> Option<Duration> {
    let reason = HttpReason::Status {
        status: StatusCode::from_u16(status).unwrap(),
        excerpt: Box::default(),
        retry_after: retry_after.map(Duration::from_secs),
    };
    next_wait(&LIMITS, &reason, 1, Instant::now() + LIMITS.all)
}

#[test]
fn too_many_requests_are_not_repeated_at_once() {
    assert_eq!(wait(429, None), Some(Duration::from_secs(2)));
    assert_eq!(wait(429, Some(1)), Some(Duration::from_secs(1)));
    assert_eq!(wait(429, Some(11)), None);
    assert!(wait(503, None).unwrap() <= LIMITS.longest_wait);
}

#[test]
fn a_time_to_wait_is_seconds_or_a_date_and_a_day_at_the_most() {
    const DAY: u64 = 24 * 60 * 60;
    for (text, seconds) in [
        ("0", Some(0)),
        ("7", Some(7)),
        ("18446744073709551615", Some(DAY)),
        ("Thu, 01 Jan 1970 00:00:09 GMT", Some(9)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(DAY)),
        ("18446744073709551616", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ] {
        let value = HeaderValue::from_str(text).unwrap();
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value)]);
        let asked = retry_after(&headers, UNIX_EPOCH).map(|wait| wait.as_secs());
        assert_eq!(asked, seconds, "{text}");
        assert_eq!(wait(503, asked).is_none(), seconds == Some(DAY), "{text}");
    }
}

#[tokio::test]
async fn a_page_of_a_gateway_is_read_by_its_status_alone() {
    let packed = "content-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\u{8}x";
    let long = "content-length: 9\r\n\r\n123456789";
    for rest in [packed, long] {
        let answer = format!("HTTP/1.1 502 Bad Gateway\r\n{rest}");
        let error = ask(&LIMITS, &answer, None).await.unwrap_err();
        assert_eq!((&*error.variant(), error.tries), ("unreachable", 2), "{error}");
        assert_eq!(error.class(), Class::Temporary);
        for status in [403, 507] {
            let answer = format!("HTTP/1.1 {status} No\r\n{rest}");
            assert_eq!(ask(&LIMITS, &answer, None).await.unwrap(), b"");
        }
        let answer = format!("HTTP/1.1 200 OK\r\n{rest}");
        let error = ask(&LIMITS, &answer, None).await.unwrap_err();
        assert_eq!(error.class(), Class::Untrusted);
    }
}

#[tokio::test]
async fn what_stands_before_a_server_that_is_down_may_pass() {
    for status in [408, 425, 429, 499, 502, 522, 524] {
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
        let error = ask(&LIMITS, &answer, None).await.unwrap_err();
        assert_eq!((&*error.variant(), error.tries), ("unreachable", 2), "{status}");
    }
    for status in [404, 501, 505, 507] {
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nno");
        assert_eq!(ask(&LIMITS, &answer, None).await.unwrap(), b"no", "{status}");
    }
}

#[tokio::test]
async fn limits_hold_against_servers_that_do_not_end() {
    let limits =
        CallLimits { each: Duration::from_millis(300), all: Duration::from_millis(500), ..LIMITS };
    let endless = "HTTP/1.1 200 OK\r\n\r\n";
    // A byte at a time: in the head, in a body that says how long it is, in one that does not.
    for (answer, drip) in [
        ("HTTP/1.1 200 OK\r\nx: ", b'x'),
        ("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n", b'x'),
        ("HTTP/1.1 100 Continue\r\n\r\n", b'H'),
    ] {
        let slow = CallLimits { body: 1000, ..limits };
        let slow = if answer.contains("length") {
            CallLimits { each: Duration::from_millis(60), ..slow }
        } else {
            slow
        };
        let began = std::time::Instant::now();
        let error = ask(&slow, answer, Some(drip)).await.unwrap_err();
        assert_eq!(error.variant(), "unreachable", "{answer:?}: {error}");
        assert!(began.elapsed() < Duration::from_secs(2), "{answer:?}");
    }
    let error = ask(&limits, endless, Some(b'x')).await.unwrap_err();
    assert_eq!(error.variant(), "too-large", "{error}");
    let coded = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {}\r\n\r\n", "z".repeat(9000));
    let error = ask(&LIMITS, &coded, None).await.unwrap_err();
    assert_eq!(error.variant(), "encoded");
    assert!(error.to_string().len() < 200);
    let exact = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n12345678";
    assert_eq!(ask(&LIMITS, exact, None).await.unwrap(), b"12345678");
    let longer = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123456789";
    let error = ask(&LIMITS, longer, None).await.unwrap_err();
    assert_eq!((&*error.variant(), error.tries), ("too-large", 1));
}

#[tokio::test]
async fn what_is_no_http_ends_the_request() {
    let bomb = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1024 * 1024));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(500));
    for answer in [
        "SSH-2.0-OpenSSH_9\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/0.9\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        &bomb,
        &many,
    ] {
        let shown: String = answer.chars().take(60).collect();
        let error = ask(&LIMITS, answer, None).await.unwrap_err();
        assert_eq!((&*error.variant(), error.tries), ("unreachable", 2), "{shown:?}");
        assert!(error.to_string().len() < 400, "{error}");
    }
}

#[tokio::test]
async fn tells_whether_a_server_may_have_been_reached() {
    let net = Net::new(&Env::default(), Clock::system(), NetOptions::default());
    let nobody: Url = "http://127.0.0.1:1/".parse().unwrap();
    let error = net.send(&LIMITS, Request::new(Method::GET, nobody)).await;
    let error = error.unwrap_err();
    assert!(!error.sent);
    let said = "GET http://127.0.0.1:1/: tcp connect error: Connection refused";
    assert!(error.to_string().starts_with(said), "{error}");
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1", &busy("0")] {
        assert!(ask(&LIMITS, answer, None).await.unwrap_err().sent, "{answer}");
    }
}

/// A client saw that its tries were used up, and not what the server had said each time.
#[tokio::test]
async fn rekor_2796_the_last_answer_is_told() {
    let quota = "HTTP/1.1 503 busy\r\ncontent-length: 16\r\n\r\nquota is used up";
    let limits = CallLimits { body: 64, ..LIMITS };
    let told = ask(&limits, quota, None).await.unwrap_err().to_string();
    for part in ["answered HTTP 503", "quota is used up", "2 tries"] {
        assert!(told.contains(part), "no `{part}` in `{told}`");
    }
}

/// What a client says first to a server with TLS: its ClientHello, which names the protocols.
async fn hello(profile: Profile) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 4096];
        let length = stream.read(&mut bytes).await.unwrap();
        bytes.truncate(length);
        bytes
    });
    let limits = CallLimits { profile, tries: 1, ..LIMITS };
    let net = Net::new(&Env::default(), Clock::system(), NetOptions::default());
    let request = Request::new(Method::GET, url.parse().unwrap());
    net.send(&limits, request).await.unwrap_err();
    heard.await.unwrap()
}

/// The token endpoint of GitHub offers HTTP/2 and resets its streams: it must not be agreed on.
#[tokio::test]
async fn cosign_2991_token_endpoints_are_asked_over_http_1() {
    let offers = |hello: &[u8]| hello.windows(3).any(|bytes| bytes == b"\x02h2");
    assert!(!offers(&hello(Profile::TOKEN_ENDPOINT).await));
    let other = Profile { name: "other", http2: true, ..Profile::TOKEN_ENDPOINT };
    assert!(offers(&hello(other).await));
}
