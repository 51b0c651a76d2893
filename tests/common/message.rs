// SPDX-License-Identifier: Apache-2.0
//! HTTP/1.1 messages (RFC 9112), read whole and written by hand: what the proxy of faults is made of.

use std::fmt::Write as _;
use std::io;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;

/// The head of a message must fit in this many bytes.
const HEAD_LIMIT: usize = 64 * 1024;
/// Headers that belong to one connection and are never passed on.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
];
/// A request or an answer, its body without transfer coding.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// The first line, without its end.
    pub(super) start: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Message {
    pub(super) fn made(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            start: format!("HTTP/1.1 {status} status"),
            headers: headers.iter().map(own).collect(),
            body: body.as_bytes().to_owned(),
        }
    }

    /// The same request for another path.
    pub(super) fn with_path(&self, path: &str) -> Self {
        Self { start: format!("{} {path} HTTP/1.1", self.word(0)), ..self.clone() }
    }

    /// The same request by another method, without its body.
    pub(super) fn with_method(&self, method: &str) -> Self {
        Self {
            start: format!("{method} {} HTTP/1.1", self.word(1)),
            body: Vec::new(),
            ..self.clone()
        }
    }

    /// The next request, or `None` when the client has closed.
    pub(super) async fn read_request(
        client: &mut BufReader<TcpStream>,
    ) -> io::Result<Option<Self>> {
        let Some(mut message) = Self::read_head(client).await? else {
            return Ok(None);
        };
        if message.header("expect").is_some() {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        if message.is_chunked() {
            message.body = read_chunks(client).await?;
        } else {
            message.body = vec![0; message.content_length().unwrap_or(0)];
            client.read_exact(&mut message.body).await?;
        }
        Ok(Some(message))
    }

    pub(super) async fn read_answer(
        server: &mut BufReader<TcpStream>,
        to_head: bool,
    ) -> io::Result<Self> {
        let mut message = Self::read_head(server).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if to_head || matches!(message.word(1), "204" | "304") {
            return Ok(message);
        }
        if message.is_chunked() {
            message.body = read_chunks(server).await?;
        } else if let Some(length) = message.content_length() {
            message.body = vec![0; length];
            server.read_exact(&mut message.body).await?;
        } else {
            server.read_to_end(&mut message.body).await?;
        }
        Ok(message)
    }

    async fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let (mut head, mut line) = (Vec::new(), String::new());
        let mut limited = stream.take(u64::try_from(HEAD_LIMIT).unwrap());
        loop {
            line.clear();
            if limited.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => break,
                text => head.push(text.to_owned()),
            }
        }
        let mut lines = head.into_iter();
        let start = lines.next().ok_or(io::ErrorKind::InvalidData)?;
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        Ok(Some(Self { headers: headers.collect(), start, body: Vec::new() }))
    }

    /// A word of the first line.
    pub(super) fn word(&self, index: usize) -> &str {
        self.start.split(' ').nth(index).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(given, _)| given == name);
        found.next().map(|(_, value)| value.as_str())
    }

    pub(super) fn content_length(&self) -> Option<usize> {
        self.header("content-length")?.parse().ok()
    }

    /// Whether the client expects the connection to end with the answer.
    pub(super) fn is_last(&self) -> bool {
        self.word(2) == "HTTP/1.0" || self.header("connection").is_some_and(|word| word == "close")
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked"))
    }

    /// Drops what belongs to one connection.
    pub(super) fn drop_hop_by_hop(&mut self) {
        self.headers.retain(|(name, _)| !HOP_BY_HOP.contains(&name.as_str()));
    }

    /// The bytes for the client, whose connection stays open.
    pub(super) fn bytes(&self, length: Option<usize>) -> Vec<u8> {
        let mut message = self.clone();
        message.drop_hop_by_hop();
        let bodiless = matches!(self.word(1), "204" | "304");
        message.bytes_as_they_are(length.filter(|_| !bodiless))
    }

    pub(super) fn bytes_as_they_are(&self, length: Option<usize>) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if let Some(length) = length {
            write!(head, "content-length: {length}\r\n").unwrap();
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }

    /// The whole request inside the error shapes of Fulcio, Rekor and registries.
    pub(super) fn echo(&self) -> String {
        let sent = self.bytes_as_they_are(None);
        let sent = String::from_utf8_lossy(&sent);
        serde_json::json!({
            "code": 3, "message": sent,
            "errors": [{"code": "DENIED", "message": sent}],
        })
        .to_string()
    }
}

async fn read_chunks(stream: &mut BufReader<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let (mut body, mut line) = (Vec::new(), String::new());
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        if size == 0 {
            break;
        }
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..]).await?;
        stream.read_line(&mut line).await?;
    }
    // Trailers end with an empty line, as headers do.
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 || line.trim_end().is_empty() {
            return Ok(body);
        }
    }
}
