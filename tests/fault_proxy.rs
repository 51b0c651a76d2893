// SPDX-License-Identifier: Apache-2.0
//! The proxy of transport faults, before a small server of this file: each fault is what it says,
//! and what no rule strikes comes through whole.
#![expect(
    clippy::unwrap_used,
    reason = "the small server and its client stop when they cannot go on"
)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::fault::{At, Condition, Fault, FaultProxy, Rule, Turn};
use common::{Reply, Service, closed_url, get, signing_config_with};

/// A server that answers each request with what it was asked, and counts.
struct Server {
    host: String,
    served: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let served = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&served);
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                serve(stream.unwrap());
            }
        });
        Self { host, served }
    }

    fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream) {
    let (mut raw, mut part) = (Vec::new(), [0; 4096]);
    let (head, mut body) = loop {
        let length = stream.read(&mut part).unwrap();
        raw.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&raw).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            break (head.to_lowercase(), body.to_owned());
        }
    };
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(given, value)| (given == name).then(|| value.to_owned()))
    };
    let length: usize = header("content-length").map_or(0, |value| value.parse().unwrap());
    while body.len() < length {
        let read = stream.read(&mut part).unwrap();
        body.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    let start = head.lines().next().unwrap();
    let (status, extra) = if start.contains("/uploads/") {
        ("202 Accepted", format!("location: http://{}/session\r\n", header("host").unwrap()))
    } else {
        ("200 OK", String::new())
    };
    let text = format!("{start} {body}");
    let answer = if start.contains("/chunked") {
        let chunks = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}")
    } else {
        let length = text.len();
        let text = if start.starts_with("head") { "" } else { &text };
        format!("HTTP/1.1 {status}\r\n{extra}content-length: {length}\r\n\r\n{text}")
    };
    stream.write_all(answer.as_bytes()).unwrap();
}

/// A request over a connection of its own; `Err` when the answer does not end as announced.
fn ask(proxy: &FaultProxy, method: &str, path: &str, body: &str) -> Result<Reply, String> {
    let mut stream = TcpStream::connect(proxy.host()).unwrap();
    let wait = Some(Duration::from_secs(5));
    stream.set_read_timeout(wait).unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer canary-token\r\n\
         Content-Length: {}\r\n\r\n{body}",
        proxy.host(),
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let (mut raw, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let reply = Reply::parse(&raw);
        let announced = |reply: &Reply| reply.header("content-length")?.parse::<usize>().ok();
        if let Some(reply) = reply
            && (method == "HEAD" || announced(&reply) == Some(reply.body.len()))
        {
            return Ok(reply);
        }
        match stream.read(&mut part) {
            Ok(0) => return Err(format!("closed after {}", String::from_utf8_lossy(&raw))),
            Ok(length) => raw.extend_from_slice(&part[..length]),
            Err(error) => return Err(error.kind().to_string()),
        }
        if raw.len() > 1 << 20 {
            return Err("endless".to_owned());
        }
    }
}

fn proxy_with(fault: Fault) -> (Server, FaultProxy) {
    let server = Server::start();
    let rule = Rule::on("POST", At::Prefix("/api"), fault);
    let proxy = FaultProxy::start(&server.host, vec![rule]);
    (server, proxy)
}

#[test]
fn passes_on_what_no_rule_strikes() {
    let (server, proxy) = proxy_with(Fault::Empty);
    let reply = ask(&proxy, "POST", "/other?q=1", "body").unwrap();
    assert_eq!((reply.status, &*reply.body), (200, &b"post /other?q=1 http/1.1 body"[..]));
    let reply = ask(&proxy, "GET", "/api", "").unwrap();
    assert_eq!(reply.body, b"get /api http/1.1 ");
    assert_eq!(ask(&proxy, "GET", "/chunked", "").unwrap().body, b"abcde");
    let head = ask(&proxy, "HEAD", "/chunked-not", "").unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(server.served(), 4);
}

#[test]
fn keeps_a_connection_open() {
    let (_server, proxy) = proxy_with(Fault::Empty);
    let request = format!("GET /a HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.host());
    let mut stream = TcpStream::connect(proxy.host()).unwrap();
    for _ in 0..2 {
        stream.write_all(request.as_bytes()).unwrap();
        let mut part = [0; 4096];
        let length = stream.read(&mut part).unwrap();
        assert_eq!(Reply::parse(&part[..length]).unwrap().status, 200);
    }
}

#[test]
fn leads_upload_locations_back_through_itself() {
    let (_server, proxy) = proxy_with(Fault::Empty);
    let reply = ask(&proxy, "POST", "/v2/app/blobs/uploads/", "").unwrap();
    let location = format!("{}/session", proxy.url());
    assert_eq!(reply.header("location"), Some(&*location));
}

#[test]
fn records_requests_without_the_secret() {
    let (_server, proxy) = proxy_with(Fault::Empty);
    ask(&proxy, "POST", "/api", "four").unwrap();
    ask(&proxy, "GET", "/x", "").unwrap();
    let seen = proxy.seen();
    let brief = |at: usize| (&*seen[at].method, &*seen[at].path, seen[at].length, seen[at].rule);
    assert_eq!(brief(0), ("POST", "/api", 4, Some(0)));
    assert_eq!(brief(1), ("GET", "/x", 0, None));
    assert!(seen[0].authorized);
    assert!(!format!("{seen:?}").contains("canary"));
}

#[test]
fn answers_in_place_of_the_service() {
    let rows = [
        (Fault::Empty, 200, ""),
        (Fault::Html, 200, "<html>"),
        (Fault::Redirect("http://127.0.0.1:9/there".to_owned()), 307, ""),
        (Fault::RedirectTo("http://127.0.0.1:9".to_owned()), 307, ""),
        (Fault::RetryAfter(7), 429, "slow down"),
        (Fault::Status(409, &[("location", "/entry")], "exists"), 409, "exists"),
        (Fault::EchoRequest, 400, "canary-token"),
        (Fault::EchoAs(503), 503, "canary-token"),
    ];
    for (fault, status, body) in rows {
        let (server, proxy) = proxy_with(fault.clone());
        let reply = ask(&proxy, "POST", "/api", "secret body").unwrap();
        let text = String::from_utf8(reply.body).unwrap();
        assert_eq!(reply.status, status, "{fault:?}");
        assert!(text.contains(body), "{fault:?}: {text}");
        assert_eq!(server.served(), 0, "{fault:?}");
    }
}

#[test]
fn says_where_to_go_and_when() {
    let (_server, proxy) = proxy_with(Fault::RetryAfter(7));
    let reply = ask(&proxy, "POST", "/api", "").unwrap();
    assert_eq!(reply.header("retry-after"), Some("7"));
    let (_server, proxy) = proxy_with(Fault::Redirect("http://127.0.0.1:9/there".to_owned()));
    let reply = ask(&proxy, "POST", "/api", "").unwrap();
    assert_eq!(reply.header("location"), Some("http://127.0.0.1:9/there"));
}

#[test]
fn breaks_connections() {
    let rows = [
        (Fault::ResetBefore, "connection reset", 0),
        (Fault::CommitThenReset, "connection reset", 1),
        (Fault::Truncate(4), "post", 1),
        (Fault::Raw(b"HTTP/9 nonsense\r\n\r\n"), "nonsense", 0),
        (Fault::Endless, "endless", 0),
    ];
    for (fault, why, served) in rows {
        let (server, proxy) = proxy_with(fault.clone());
        let error = ask(&proxy, "POST", "/api", "").map(|reply| reply.status).unwrap_err();
        assert!(error.contains(why), "{fault:?}: {error}");
        assert!(!error.contains("post /"), "{fault:?}: {error}");
        assert_eq!(server.served(), served, "{fault:?}");
    }
}

#[test]
fn takes_its_time() {
    let pause = Duration::from_millis(120);
    for fault in [Fault::Slow(pause), Fault::Drip(pause / 20)] {
        let (_server, proxy) = proxy_with(fault.clone());
        let began = Instant::now();
        let reply = ask(&proxy, "POST", "/api", "").unwrap();
        assert_eq!(reply.body, b"post /api http/1.1 ", "{fault:?}");
        assert!(began.elapsed() >= pause * 9 / 10, "{fault:?}");
    }
    let (server, proxy) = proxy_with(Fault::Hang);
    let mut stream = TcpStream::connect(proxy.host()).unwrap();
    stream.set_read_timeout(Some(pause)).unwrap();
    stream.write_all(b"POST /api HTTP/1.1\r\n\r\n").unwrap();
    assert!(stream.read(&mut [0]).is_err(), "it answered");
    assert_eq!(server.served(), 0);
}

#[test]
fn alters_a_body() {
    let (server, proxy) = proxy_with(Fault::Alter(|body| body.truncate(8)));
    let reply = ask(&proxy, "POST", "/api", "").unwrap();
    assert_eq!(reply.body, b"post /ap");
    assert_eq!(server.served(), 1);
}

#[test]
fn strikes_where_the_condition_holds() {
    fn elsewhere(path: &str) -> String {
        path.replace("/api", "/there")
    }
    let fault = || Fault::Status(500, &[], "");
    let four = Condition::Asked(|seen, body| seen.path == "/api" && body == b"four");
    for (condition, expected) in [(four, [500, 200]), (Condition::There(elsewhere), [500, 500])] {
        let (_server, proxy) = proxy_with(fault().when(condition));
        let statuses =
            ["four", "five"].map(|body| ask(&proxy, "POST", "/api", body).unwrap().status);
        assert_eq!(statuses, expected, "{condition:?}");
    }
    // The server of this file has everything; where nothing listens there is nothing.
    let (_server, proxy) = proxy_with(fault().when(Condition::Absent));
    assert_eq!(ask(&proxy, "POST", "/api", "").unwrap().status, 200);
    let rule = Rule::on("POST", At::Any, fault().when(Condition::Absent));
    let proxy = FaultProxy::start(&closed_url(), vec![rule]);
    assert_eq!(ask(&proxy, "POST", "/api", "").unwrap().status, 500);
}

#[test]
fn an_answer_is_old_for_a_while() {
    let (server, proxy) = proxy_with(Fault::Cached(Duration::from_millis(300)));
    let answers = ["one", "two"].map(|body| ask(&proxy, "POST", "/api", body).unwrap().body);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(server.served(), 1);
    thread::sleep(Duration::from_millis(320));
    let later = ask(&proxy, "POST", "/api", "three").unwrap().body;
    assert_ne!(answers[0], later);
}

#[test]
fn strikes_at_its_turn() {
    let rows = [
        (Turn::Every, [true, true, true]),
        (Turn::First(2), [true, true, false]),
        (Turn::Nth(2), [false, true, false]),
        (Turn::After(1), [false, true, true]),
    ];
    for (turn, expected) in rows {
        let server = Server::start();
        let rule = Rule::on("GET", At::Contains("log"), Fault::Status(500, &[], ""));
        let proxy = FaultProxy::start(&server.host, vec![rule.turn(turn)]);
        ask(&proxy, "GET", "/other", "").unwrap();
        let struck = expected.map(|_| ask(&proxy, "GET", "/api/log", "").unwrap().status == 500);
        assert_eq!(struck, expected, "{turn:?}");
    }
}

#[test]
fn the_first_rule_that_strikes_decides() {
    let server = Server::start();
    let any = |fault| Rule { method: None, at: At::Any, turn: Turn::Every, fault };
    let first = any(Fault::Status(500, &[], "")).turn(Turn::First(1));
    let proxy = FaultProxy::start(&server.host, vec![first, any(Fault::Status(503, &[], ""))]);
    let statuses = [(); 2].map(|()| get(&proxy.host(), "/", &[]).status);
    assert_eq!(statuses, [500, 503]);
}

#[test]
fn names_itself_in_a_signing_config() {
    let dir = tempfile::TempDir::new().unwrap();
    let original = dir.path().join("original.json");
    let config =
        r#"{"caUrls":[{"url":"http://a","majorApiVersion":1}],"tsaUrls":[{"url":"http://b"}]}"#;
    std::fs::write(&original, config).unwrap();
    let proxy = FaultProxy::start("http://127.0.0.1:9/api/v1/timestamp", Vec::new());
    let file = signing_config_with(&original, dir.path(), Service::Tsa, &proxy.url());
    let text = std::fs::read_to_string(file).unwrap();
    let expected = format!(r#""tsaUrls":[{{"url":"http://{}/api/v1/timestamp"}}]"#, proxy.host());
    assert!(text.contains(&expected), "{text}");
    assert!(text.contains(r#"{"majorApiVersion":1,"url":"http://a"}"#), "{text}");
}

#[test]
fn a_missing_service_is_a_bad_gateway_and_a_closed_port_is_none() {
    let proxy = FaultProxy::start(&closed_url(), Vec::new());
    assert_eq!(get(&proxy.host(), "/", &[]).status, 502);
    let closed = closed_url().replace("http://", "");
    assert!(TcpStream::connect(closed).is_err());
}
