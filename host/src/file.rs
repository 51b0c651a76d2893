// SPDX-License-Identifier: Apache-2.0
//! Files that the user names. Reads have a limit, and writes do not overwrite an existing file.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Reads the file at `path`, of at most `limit` bytes.
///
/// # Errors
/// The file cannot be read; [`io::ErrorKind::FileTooLarge`] if it is longer than `limit`.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than the limit shows that a file is too long. A device reports no length.
    let mut file = File::open(path)?.take(limit.saturating_add(1));
    file.read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(bytes),
        Ok(_) | Err(_) => Err(io::ErrorKind::FileTooLarge.into()),
    }
}

/// Why a file with a credential may not be from whom it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It belongs to the user with this ID, who is neither the one of this process nor root.
    OtherOwner(u32),
    /// Users other than its owner may write it.
    WritableByOthers,
}

/// Judges an open file as OpenSSH judges its own (`sshd_config`, "StrictModes"): it belongs to the user of this process
/// or to root, and no other user may write it. A group that has only its owner's ID is the owner.
pub fn distrust(file: &Metadata) -> Option<Distrust> {
    judge(file, rustix::process::geteuid().as_raw())
}

fn judge(file: &impl MetadataExt, user: u32) -> Option<Distrust> {
    let (owner, mode) = (file.uid(), file.mode());
    if owner != user && owner != 0 {
        return Some(Distrust::OtherOwner(owner));
    }
    let by_group = mode & 0o020 != 0 && file.gid() != owner;
    (mode & 0o002 != 0 || by_group).then_some(Distrust::WritableByOthers)
}

/// Like [`read`], but only for a regular file: another one may block forever.
///
/// # Errors
/// Those of [`read`], or it is a pipe, a device or a folder.
pub fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    if path.metadata()?.is_file() {
        read(path, limit)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

/// Like [`read`], but on another thread, because reading from a pipe, a device or a file system of the network may
/// block forever.
///
/// # Errors
/// Those of [`read`].
pub async fn read_in_run(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let path = path.to_owned();
    aside(move || read(&path, limit)).await
}

/// Does `work` on a thread of its own, so that the run can still reach its deadline or receive a
/// signal in the meantime.
///
/// # Errors
/// Those of `work`.
pub async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)?
}

/// Writes a new file at `path`, and removes it again if that fails.
///
/// # Errors
/// The file cannot be written; [`io::ErrorKind::AlreadyExists`] if `path` exists.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Report the first error, not one from the removal.
        let _removed = std::fs::remove_file(path);
    }
    written
}

/// Writes `bytes` to `part` and moves it to `path`, which must be in the same folder. This replaces
/// an existing file atomically.
///
/// # Errors
/// The file cannot be written; an existing file is unchanged.
pub fn place(part: NamedTempFile, path: &Path, bytes: &[u8]) -> io::Result<()> {
    filled(part, bytes)?.persist(path)?;
    Ok(())
}

/// Like [`place`], but does not replace an existing file.
///
/// # Errors
/// The file cannot be written; [`io::ErrorKind::AlreadyExists`] if `path` exists.
pub fn place_new(part: NamedTempFile, path: &Path, bytes: &[u8]) -> io::Result<()> {
    filled(part, bytes)?.persist_noclobber(path)?;
    Ok(())
}

fn filled(mut part: NamedTempFile, bytes: &[u8]) -> io::Result<NamedTempFile> {
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    readable_as_others(part.as_file())?;
    Ok(part)
}

/// Gives a temporary file, which is private, the permissions of an ordinary new file.
fn readable_as_others(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o644))
}

/// The folder that contains the file at `path`.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::path::Path;

    use std::os::unix::fs::MetadataExt as _;

    use super::{Distrust, distrust, judge, read, write_new};

    #[test]
    fn a_file_that_others_may_have_written_is_not_trusted() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_new(&path, b"").unwrap();
        let set = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path.metadata().unwrap()
        };
        let owner = path.metadata().unwrap().uid();
        let [other, private] = [owner + 7, 0o600];
        let mine = |mode| distrust(&set(mode));
        assert_eq!([mine(0o600), mine(0o644), mine(0o444)], [None; 3]);
        assert_eq!(mine(0o646), Some(Distrust::WritableByOthers));
        assert_eq!(mine(0o666), Some(Distrust::WritableByOthers));
        // Root's file is trusted, and another user's is not, however it is protected.
        let expected = (owner != 0).then_some(Distrust::OtherOwner(owner));
        assert_eq!(judge(&set(private), other), expected);
        // The group of a user alone is the user, and another group is others.
        let own_group = path.metadata().unwrap().gid() == owner;
        let expected = (!own_group).then_some(Distrust::WritableByOthers);
        assert_eq!(mine(0o660), expected);
    }

    #[test]
    fn reads_no_more_than_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_new(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        let endless = read(Path::new("/dev/zero"), 100).unwrap_err();
        assert_eq!(endless.kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn writes_over_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_new(&path, b"first").unwrap();
        let kind = write_new(&path, b"second").unwrap_err().kind();
        assert_eq!(kind, ErrorKind::AlreadyExists);
        assert_eq!(read(&path, 100).unwrap(), b"first");
    }
}
