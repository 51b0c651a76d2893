// SPDX-License-Identifier: Apache-2.0
//! A server that changes requests on their way to a real service, so that the service answers, with
//! its own keys, what nobody asked for: the lies that need no keys of ours.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A request on its way.
pub(crate) struct Passing {
    /// The first line.
    pub(crate) start: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Passing {
    /// Replaces what the client proves itself with.
    pub(crate) fn authorize(&mut self, token: &str) {
        self.headers.retain(|(name, _)| name != "authorization");
        let header = ("authorization".to_owned(), format!("Bearer {token}"));
        self.headers.push(header);
    }

    fn read(client: &mut BufReader<TcpStream>) -> io::Result<Self> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            client.read_line(&mut line)?;
            match line.trim_end() {
                "" => break,
                text => lines.push(text.to_owned()),
            }
        }
        let headers: Vec<_> = lines
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0; length];
        client.read_exact(&mut body)?;
        Ok(Self { start: lines.first().cloned().unwrap_or_default(), headers, body })
    }

    fn bytes(&self) -> Vec<u8> {
        let length = self.body.len();
        let mut head = format!("{}\r\ncontent-length: {length}\r\n", self.start);
        for (name, value) in &self.headers {
            if name != "content-length" {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// Stands before `service` (a URL) and changes each request by `change`. Returns its own URL.
pub(crate) fn bend(service: &str, change: impl Fn(&mut Passing) + Send + Sync + 'static) -> String {
    let service = service.trim_start_matches("http://");
    let (target, path) = service.split_at(service.find('/').unwrap_or(service.len()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    let (target, change) = (target.to_owned(), Arc::new(change));
    // It lives as long as the tests: the proxy before it decides when nobody asks any more.
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (target, change) = (target.clone(), Arc::clone(&change));
            thread::spawn(move || pass(client, &target, &*change));
        }
    });
    url
}

fn pass(client: TcpStream, target: &str, change: &impl Fn(&mut Passing)) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut request = Passing::read(&mut client)?;
    change(&mut request);
    let mut server = TcpStream::connect(target)?;
    server.write_all(&request.bytes())?;
    io::copy(&mut server, client.get_mut())?;
    Ok(())
}
