// SPDX-License-Identifier: Apache-2.0
//! The files that the runner names: it makes them empty for each step, and reads them after it.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The runner takes 1 MiB of summary for each step, and of a longer one nothing.
const LIMIT: u64 = 900 * 1024;

/// Adds `text` to the file at `path`.
///
/// # Errors
/// It cannot be written, or it is not a regular file: a pipe could block the run.
pub(super) fn append(path: &Path, text: &str) -> io::Result<()> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Adds the first of `versions` that fits into the rest of the file.
///
/// # Errors
/// None fits, or as [`append`].
pub(super) fn append_first(path: &Path, versions: &[String]) -> io::Result<()> {
    let there = path.metadata()?.len();
    let fits = |text: &&String| {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        there.saturating_add(length) <= LIMIT
    };
    match versions.iter().find(fits) {
        Some(text) => append(path, text),
        None => Err(io::Error::other("the summary of the step is full")),
    }
}

/// Writes `text` to a new file in `folder`, which stays.
///
/// # Errors
/// It cannot be written.
pub(super) fn keep(folder: &Path, text: &str) -> io::Result<PathBuf> {
    let mut file =
        tempfile::Builder::new().prefix("ambisign-").suffix(".json").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path)
}
