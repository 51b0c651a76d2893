// SPDX-License-Identifier: Apache-2.0
//! The files on record: where they are, and whether they say what happens now.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

use crate::stage::UNORDERED;

/// How many transcripts are made at the same time. They wait more than they compute.
const WORKERS: usize = 4;

/// The folder `name` of the record.
pub(crate) fn folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/transcripts").join(name)
}

/// Every transcript below `folder`, in the order of the names.
pub(crate) fn transcripts(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut transcripts(&path));
        } else {
            found.insert(path);
        }
    }
    found
}

/// Compares `actual` with the file at `path`, or writes it there when that is wanted.
///
/// # Errors
/// They differ; the difference.
pub(crate) fn compare(path: &Path, actual: String) -> Result<(), String> {
    if !path.exists() {
        // snapbox makes no folders.
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    }
    let assert = Assert::new().action_env(snapbox::assert::DEFAULT_ACTION_ENV);
    let mut expected = Data::read_from(path, Some(DataFormat::Text)).raw();
    if actual.lines().any(|line| line == UNORDERED) {
        expected = expected.unordered();
    }
    assert.try_eq(Some(&"now"), Data::text(actual), expected).map_err(|error| error.to_string())
}

/// Runs `work` on each of `items`, several at a time, and stops the test with all that went wrong.
pub(crate) fn each<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<(), String> + Sync) {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = work(item) {
                        failures.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} transcripts differ:\n{}", failures.len(), failures.join("\n"));
}
