// SPDX-License-Identifier: Apache-2.0
//! A registry for tests, on a socket of its own: small, correct by default, and able to lie.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ambisign_sigstore::digest::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(super) const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const IMAGE: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}"#;

/// A request, whole.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    /// Names of headers that came more than once.
    pub(super) twice: Vec<String>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// This status, and nothing happens.
    Status(u16),
    /// The connection ends before anything happens.
    DropBefore,
    /// It happens, but the connection ends before the answer.
    DropAfter,
    /// It happens, but the answer is this status.
    StatusAfter(u16),
}

/// What the registry holds.
#[derive(Default)]
pub(super) struct State {
    pub(super) manifests: BTreeMap<String, (String, Vec<u8>)>,
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
    pub(super) log: Vec<Request>,
    pub(super) has_referrers: bool,
    uploads: Vec<String>,
    fault: Option<(usize, Fault)>,
}

type Hook = Box<dyn FnMut(&Request, &mut State) -> Option<Reply> + Send>;

/// A running registry. It ends with the runtime of the test.
#[derive(Clone)]
pub(super) struct Fake {
    /// Host and port.
    pub(super) host: String,
    state: Arc<Mutex<State>>,
    hook: Arc<Mutex<Option<Hook>>>,
}

impl Fake {
    /// An image `app:1` and nothing else.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            host: listener.local_addr().unwrap().to_string(),
            state: Arc::default(),
            hook: Arc::default(),
        };
        fake.put_manifest("1", OCI, IMAGE.as_bytes());
        let served = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = served.clone();
                tokio::spawn(async move { served.serve(stream).await });
            }
        });
        fake
    }

    pub(super) fn with_referrers(self) -> Self {
        self.state().has_referrers = true;
        self
    }

    /// The `n`th request, from 0, goes wrong.
    pub(super) fn with_fault(self, n: usize, fault: Fault) -> Self {
        self.state().fault = Some((n, fault));
        self
    }

    /// `hook` answers before the registry does, when it has an answer.
    pub(super) fn with_hook(
        self,
        hook: impl FnMut(&Request, &mut State) -> Option<Reply> + Send + 'static,
    ) -> Self {
        *self.hook.lock().unwrap() = Some(Box::new(hook));
        self
    }

    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn put_manifest(&self, tag: &str, media_type: &str, bytes: &[u8]) {
        let stored = (media_type.to_owned(), bytes.to_vec());
        let digest = Digest::of(bytes).to_string();
        let mut state = self.state();
        state.manifests.insert(tag.to_owned(), stored.clone());
        state.manifests.insert(digest, stored);
    }

    /// `<host>/app@<digest of the image>`.
    pub(super) fn image(&self) -> String {
        format!("{}/app@{}", self.host, Digest::of(IMAGE.as_bytes()))
    }

    /// The digests under the fallback tag of the image.
    pub(super) fn tagged(&self) -> Vec<String> {
        let state = self.state();
        let Some((_, bytes)) = state.manifests.get(&fallback_tag()) else {
            return Vec::new();
        };
        let index: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        index["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["digest"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Some(request) = read(&mut stream, &mut buffer).await {
            let is_head = request.method == "HEAD";
            let Some(reply) = self.answer(&request) else {
                return;
            };
            let mut text = format!("HTTP/1.1 {} X\r\n", reply.status);
            for (name, value) in &reply.headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str(&format!("Content-Length: {}\r\n\r\n", reply.body.len()));
            let mut bytes = text.into_bytes();
            if !is_head {
                bytes.extend_from_slice(&reply.body);
            }
            if stream.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Option<Reply> {
        let mut state = self.state();
        let n = state.log.len();
        state.log.push(request.clone());
        if let Some(hook) = &mut *self.hook.lock().unwrap()
            && let Some(reply) = hook(request, &mut state)
        {
            return Some(reply);
        }
        let fault = state.fault.filter(|(at, _)| *at == n).map(|(_, fault)| fault);
        match fault {
            Some(Fault::Status(status)) => Some(Reply::new(status)),
            Some(Fault::DropBefore) => None,
            Some(Fault::DropAfter) => {
                state.answer(request);
                None
            }
            Some(Fault::StatusAfter(status)) => {
                state.answer(request);
                Some(Reply::new(status))
            }
            None => Some(state.answer(request)),
        }
    }
}

/// The fallback tag of the image.
pub(super) fn fallback_tag() -> String {
    format!("sha256-{}", Digest::of(IMAGE.as_bytes()).hex())
}

impl State {
    pub(super) fn answer(&mut self, request: &Request) -> Reply {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let Some(path) = path.strip_prefix("/v2/app/") else {
            return Reply::new(404);
        };
        let (kind, name) = path.split_once('/').unwrap_or((path, ""));
        match (request.method.as_str(), kind) {
            ("GET" | "HEAD", "manifests") => self.get_manifest(name),
            ("PUT", "manifests") => self.put_manifest(request, name),
            ("GET", "tags") => self.tags(),
            ("GET", "referrers") if self.has_referrers => self.referrers(name),
            ("POST", "blobs") => {
                let session = format!("s{}", self.log.len());
                let location = format!("/v2/app/blobs/uploads/{session}?state=x");
                self.uploads.push(session);
                Reply::new(202).with("Location", location)
            }
            ("PUT", "blobs") => self.put_blob(request, name, query),
            ("GET" | "HEAD", "blobs") => match self.blobs.get(name) {
                Some(bytes) => Reply::new(200).body(bytes.clone()),
                None => Reply::new(404),
            },
            _ => Reply::new(404),
        }
    }

    fn get_manifest(&self, name: &str) -> Reply {
        match self.manifests.get(name) {
            Some((media_type, bytes)) => Reply::new(200)
                .with("Content-Type", media_type)
                .with("Docker-Content-Digest", Digest::of(bytes).to_string())
                .body(bytes.clone()),
            None => Reply::new(404),
        }
    }

    fn put_manifest(&mut self, request: &Request, name: &str) -> Reply {
        let stored = (request.header("content-type").to_owned(), request.body.clone());
        let digest = Digest::of(&request.body).to_string();
        self.manifests.insert(digest.clone(), stored.clone());
        self.manifests.insert(name.to_owned(), stored);
        Reply::new(201).with("Docker-Content-Digest", digest)
    }

    fn put_blob(&mut self, request: &Request, name: &str, query: &str) -> Reply {
        let session = name.trim_start_matches("uploads/");
        let Some(at) = self.uploads.iter().position(|open| open == session) else {
            return Reply::new(404);
        };
        let digest = Digest::of(&request.body).to_string();
        if !query.starts_with("state=x&digest=") || !query.ends_with(&digest.replace(':', "%3A")) {
            return Reply::new(400);
        }
        self.uploads.remove(at);
        self.blobs.insert(digest, request.body.clone());
        Reply::new(201)
    }

    fn tags(&self) -> Reply {
        let tags: Vec<_> = self.manifests.keys().filter(|name| !name.contains(':')).collect();
        let body = serde_json::json!({"name": "app", "tags": tags});
        Reply::new(200).body(body.to_string())
    }

    fn referrers(&self, subject: &str) -> Reply {
        let mut lines = Vec::new();
        for (name, (media_type, bytes)) in &self.manifests {
            let manifest: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            if name.starts_with("sha256:") && manifest["subject"]["digest"] == subject {
                lines.push(format!(
                    r#"{{"mediaType":"{media_type}","digest":"{name}","size":{}}}"#,
                    bytes.len()
                ));
            }
        }
        let body = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, lines.join(","));
        Reply::new(200).with("Content-Type", INDEX).body(body)
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let (method, path) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let mut headers = BTreeMap::<String, String>::new();
    let mut twice = Vec::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name = name.to_ascii_lowercase();
        if headers.insert(name.clone(), value.to_owned()).is_some() {
            twice.push(name);
        }
    }
    let length: usize = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    while buffer.len() < head_end + 4 + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = buffer[head_end + 4..head_end + 4 + length].to_vec();
    buffer.drain(..head_end + 4 + length);
    Some(Request { method, path, headers, twice, body })
}
