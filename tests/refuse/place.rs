// SPDX-License-Identifier: Apache-2.0
//! Around the runs: fresh images, the size of the logs, many rows at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::{Image, Log, Stack, fresh_images, get, unique};

/// An image that nobody has signed, in a repository of its own: a config without layers.
pub(crate) fn fresh_image(host: &str) -> Image {
    let images = fresh_images(host, &format!("refuse/{}", unique()), 1);
    images.into_iter().next().unwrap()
}

/// How many entries the log has.
pub(crate) fn entries(stack: &Stack, log: Log) -> u64 {
    match log {
        Log::V1 => {
            let host = stack.var("REKOR_URL").trim_start_matches("http://");
            get(host, "/api/v1/log", &[]).json()["treeSize"].as_u64().unwrap()
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

/// The trusted root of the public instance.
pub(crate) const PUBLIC_ROOT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/roots/production/trusted_root.json");

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
                let why = why.unwrap_or_default().chars().take(200).collect::<String>();
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
    assert!(failed.is_empty(), "{} of {all} rows failed:{}", failed.len(), failed.concat());
}
