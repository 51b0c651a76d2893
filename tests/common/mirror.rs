// SPDX-License-Identifier: Apache-2.0
//! A TUF mirror of the test's own: made by python-tuf, served by hand.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::json;
use tempfile::TempDir;

use super::{Program, Stack};

const MAKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/mirror.py");

/// A mirror. Its server ends with the test binary.
pub(crate) struct Mirror {
    folder: TempDir,
    address: SocketAddr,
}

impl Mirror {
    /// With these targets, each from a file.
    pub(crate) fn with(stack: &Stack, targets: &[(&str, &Path)]) -> Self {
        Self::valid(stack, targets, &[])
    }

    /// The same, with roles that are valid for another number of days than 365.
    pub(crate) fn valid(stack: &Stack, targets: &[(&str, &Path)], days: &[(&str, i32)]) -> Self {
        let folder = TempDir::new().unwrap();
        let targets: BTreeMap<_, _> = targets.iter().copied().collect();
        let days: BTreeMap<_, _> = days.iter().copied().collect();
        let cache = Path::new(stack.var("REALSTACK_BIN")).parent().unwrap();
        Program::new(cache.join("venv/bin/python3"))
            .arg(MAKER)
            .arg(folder.path())
            .args([json!(targets).to_string(), json!(days).to_string()])
            .run()
            .expect(0);
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let served = folder.path().to_owned();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let served = served.clone();
                thread::spawn(move || serve(&client, &served));
            }
        });
        Self { folder, address }
    }

    /// The base of its metadata.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The root that signs for it.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("1.root.json")
    }
}

/// Answers one request and closes.
fn serve(mut client: &TcpStream, folder: &Path) {
    let mut lines = BufReader::new(client).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    let _rest = lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).count();
    let path = first.split(' ').nth(1).unwrap_or_default();
    let found = std::fs::read(folder.join(path.trim_start_matches('/')));
    let (status, body) = match found {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // A client that went away needs no answer.
    let _gone = client.write_all(head.as_bytes()).and_then(|()| client.write_all(&body));
}
