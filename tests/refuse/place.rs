// SPDX-License-Identifier: Apache-2.0
//! Around the runs: fresh images, the size of the logs, many rows at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::{Image, Log, Reply, Stack, exchange, get, unique};

/// An image that nobody has signed, in a repository of its own: a config without layers.
pub(crate) fn fresh_image(host: &str) -> Image {
    let repository = format!("refuse/{}", unique());
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[]}},"author":"{repository}"}}"#
    );
    let session = send(
        host,
        ("POST", &format!("/v2/{repository}/blobs/uploads/")),
        "",
        "",
    );
    let session = session.header("location").unwrap().to_owned();
    let session = match session.split_once(host) {
        Some((_, path)) => path.to_owned(),
        None => session,
    };
    let digest = sha256(config.as_bytes());
    let glue = if session.contains('?') { '&' } else { '?' };
    let path = format!("{session}{glue}digest={digest}");
    let stored = send(host, ("PUT", &path), "application/octet-stream", &config);
    assert_eq!(stored.status, 201, "the config");
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}},"layers":[]}}"#,
        config.len()
    );
    let path = format!("/v2/{repository}/manifests/latest");
    let stored = send(host, ("PUT", &path), media_type, &manifest);
    assert_eq!(stored.status, 201, "the manifest");
    Image {
        host: host.to_owned(),
        repository,
        digest: sha256(manifest.as_bytes()),
    }
}

/// One request with a body, by hand.
pub(crate) fn send(host: &str, (method, path): (&str, &str), kind: &str, body: &str) -> Reply {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let raw = exchange(host, &request).unwrap();
    Reply::parse(&raw).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    format!("sha256:{}", hex::encode(sha2::Sha256::digest(bytes)))
}

/// How many entries the log has.
pub(crate) fn entries(stack: &Stack, log: Log) -> u64 {
    match log {
        Log::V1 => {
            let host = stack.var("REKOR_URL").trim_start_matches("http://");
            get(host, "/api/v1/log", &[]).json()["treeSize"]
                .as_u64()
                .unwrap()
        }
        Log::V2 => {
            // The checkpoint is published a moment after the answer.
            std::thread::sleep(Duration::from_millis(600));
            let host = stack.var("REKOR2_URL").trim_start_matches("http://");
            let note = get(host, "/api/v2/checkpoint", &[]).body;
            let note = String::from_utf8(note).unwrap();
            note.lines().nth(1).unwrap().parse().unwrap()
        }
    }
}

/// A look at the logs before runs that must not reach them.
pub(crate) struct Watch<'a> {
    stack: &'a Stack,
    before: [u64; 2],
}

impl<'a> Watch<'a> {
    /// The stack must be alone.
    pub(crate) fn start(stack: &'a Stack) -> Self {
        let before = Log::ALL.map(|log| entries(stack, log));
        Self { stack, before }
    }

    /// The logs are as they were, and were asked for nothing.
    #[track_caller]
    pub(crate) fn nothing_logged(self) {
        let after = Log::ALL.map(|log| entries(self.stack, log));
        assert_eq!(after, self.before, "log entries");
        let journal = self.stack.journal().into_iter();
        let asked = journal.filter(|asked| asked.method == "POST");
        let asked = asked.filter(|asked| asked.service.starts_with("rekor"));
        assert_eq!(asked.count(), 0, "requests to the logs");
    }
}

/// Runs `play` for each of `rows`, `at_once` at a time, and tells at the end which of them failed.
pub(crate) fn each<R: Sync>(
    at_once: usize,
    rows: &[R],
    name: impl Fn(&R) -> String + Sync,
    play: impl Fn(&R) + Sync,
) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
            let once = std::panic::AssertUnwindSafe(|| play(row));
            if let Err(panic) = std::panic::catch_unwind(once) {
                let why = panic.downcast_ref::<String>().cloned();
                let why = why
                    .unwrap_or_default()
                    .chars()
                    .take(200)
                    .collect::<String>();
                let line = format!("\n  {}: {}", name(row), why.replace('\n', " "));
                failed.lock().unwrap().push(line);
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|one| one.join().unwrap());
    });
    let (failed, all) = (failed.into_inner().unwrap(), rows.len());
    assert!(
        failed.is_empty(),
        "{} of {all} rows failed:{}",
        failed.len(),
        failed.concat()
    );
}
