// SPDX-License-Identifier: Apache-2.0
//! Files over HTTP on loopback, with a journal of what was asked for.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use url::Url;

/// A server whose files can change while it runs. It ends with its process.
pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By path, without the slash in front.
    files: BTreeMap<String, Vec<u8>>,
    /// What the next request is answered with in place of them.
    once: BTreeMap<String, Vec<u8>>,
    journal: Vec<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let served = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                thread::spawn(move || serve(stream, &served));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}/{path}", self.address)).unwrap()
    }

    /// Serves `bytes` at `path`.
    pub(crate) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        let mut state = self.state.lock().unwrap();
        state.files.insert(path.to_owned(), bytes.into());
    }

    /// Serves `bytes` at `path` for one request.
    pub(crate) fn put_once(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        let mut state = self.state.lock().unwrap();
        state.once.insert(path.to_owned(), bytes.into());
    }

    /// Answers 404 at `path`.
    pub(crate) fn remove(&self, path: &str) -> Vec<u8> {
        let mut state = self.state.lock().unwrap();
        state.files.remove(path).unwrap()
    }

    pub(crate) fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().files.get(path).cloned()
    }

    /// The paths that were asked for since the last call, in the order of their arrival.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().journal)
    }
}

/// Answers one request. The client may keep the connection no longer than that.
fn serve(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut lines = BufReader::new(&stream).lines();
    let start = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let path = start.split(' ').nth(1)?.strip_prefix('/')?;
    let file = {
        let mut state = state.lock().unwrap();
        state.journal.push(path.to_owned());
        let once = state.once.remove(path);
        once.or_else(|| state.files.get(path).cloned())
    };
    let status = if file.is_some() { 200 } else { 404 };
    let body = file.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status} status\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    (&stream).write_all(&[head.as_bytes(), &body].concat()).ok()
}
