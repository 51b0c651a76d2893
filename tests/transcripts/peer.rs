// SPDX-License-Identifier: Apache-2.0
//! A peer that gives every request the same answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Answers on loopback, byte for byte, until the test process ends. `answer` is asked once, for the
/// `address:port`, which is returned.
pub(crate) fn start(answer: impl FnOnce(&str) -> String) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = answer(&address);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || reply(stream, &answer));
        }
    });
    address
}

/// Takes connections on loopback and says nothing. Returns `address:port`, and whether somebody came.
pub(crate) fn silent() -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&asked);
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming().flatten() {
            // A connection may be made ahead of its request.
            if matches!((&stream).read(&mut [0]), Ok(1)) {
                told.store(true, Ordering::Release);
            }
            open.push(stream);
        }
    });
    (address, asked)
}

/// An answer of HTTP/1.1 with `status`, a header (`Name: value`) where there is one, and `body`.
pub(crate) fn answer(status: &str, header: Option<&str>, body: &str) -> String {
    let header = header.map(|line| format!("{line}\r\n")).unwrap_or_default();
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Answer\r\nContent-Length: {length}\r\nConnection: close\r\n{header}\r\n{body}"
    )
}

/// Reads one request to its end. A client that goes away has its reasons.
fn reply(stream: TcpStream, answer: &str) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    let _read = reader.read_exact(&mut body);
    let _written = reader.into_inner().write_all(answer.as_bytes());
}
