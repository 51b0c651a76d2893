// SPDX-License-Identifier: Apache-2.0
//! One HTTP GET, by hand: what was published is read back without the code that published it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// The answer to a request.
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The whole body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Takes an answer apart that ended with its connection.
    pub(crate) fn parse(raw: &[u8]) -> Option<Self> {
        let end = raw.windows(4).position(|part| part == b"\r\n\r\n")?;
        let head = std::str::from_utf8(raw.get(..end)?).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Self { status, headers, body: raw.get(end + 4..)?.to_owned() })
    }

    /// The value of a header, its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(given, _)| given == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends `request` as it is to `host` (`address:port`) and reads until the server closes.
///
/// # Errors
/// The connection fails or is reset; what came before is lost.
pub(crate) fn exchange(host: &str, request: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request.as_bytes())?;
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw)?;
    Ok(raw)
}

/// `GET http://host/path`. HTTP/1.0, so that the body ends with the connection.
#[track_caller]
pub(crate) fn get(host: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let raw = exchange(host, &request).unwrap_or_else(|error| panic!("GET {path}: {error}"));
    Reply::parse(&raw).unwrap_or_else(|| panic!("GET {path}: the answer is not HTTP"))
}

/// A URL at which nothing listens.
pub(crate) fn closed_url() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
