// SPDX-License-Identifier: Apache-2.0
//! A token in a file, which an operator mounts or a flag names, or on standard input.

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ambisign_host::file::{Distrust, distrust};
use ambisign_host::request::received;
use ambisign_host::{Host, Token, errors};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::{Detection, Kind, Names, Options, Provider, Source};

/// The mounted file, whose path is an option.
pub(crate) const PROVIDER: Provider = Provider {
    name: "filesystem",
    variables: &[],
    secrets: &[],
    errors: &[Error::TABLE],
    kind: Kind::Asked,
    detect,
};

/// The longest accepted file, in bytes. Credential files are much shorter.
const LIMIT: u64 = 64 * 1024;

/// The time to wait for a token on standard input.
const PATIENCE: Duration = Duration::from_secs(30);

errors! {
    /// A file or standard input contains no usable token.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("{from} is empty")]
        Empty { from: String } = "file/empty", Identity {
            what: "The file or setting with the token is empty.",
            why: "The step that writes it has not done so yet, or failed without a message.",
            advice: "Check the step or the sidecar that should write the token.",
        },
        #[error("{from} is writable by other users of this machine")]
        Exposed { from: String } = "file/exposed", Identity {
            what: "Other users of this machine can replace the token file.",
            why: "A file that any user can write does not show who wrote it.",
            advice: "Remove the write permission of group and others.",
        },
        #[error("{from} belongs to another user of this machine (ID {owner})")]
        OtherOwner { from: String, owner: u32 } = "file/other-owner", Identity {
            fix: "make it a file of this user or of root, or pass the token on standard input",
            what: "The token file belongs to another user.",
            why: "The owner of a file can replace it at any time, so its content may be from that user. In a container, the file may be mounted from a machine where this user has another ID.",
            advice: "Make it a file of the user that signs or of root, or pass the token on standard input.",
        },
        #[error("the value of `{}` is neither a token nor the path of a readable file", names.token)]
        Neither {
            names: &'static Names,
            /// The error of the operating system for the path.
            source: io::Error,
        } = "file/neither", Identity {
            fix: format!("pass the raw token, without `Bearer` or quotes; or use `{}`", names.token_file),
            what: "The given value is neither a token nor a readable file.",
            why: "The path is wrong, or the token is truncated.",
            advice: "Check the path, or pass the token in a file or a token variable.",
        },
        #[error("no token arrived on standard input within {} s", limit.as_secs())]
        Silent { limit: Duration } = "file/silent", Identity {
            what: "No token arrived on standard input in time.",
            why: "The command before the pipe is slow, waits for input, or does not end.",
            advice: "Check that the command before the pipe writes the token and ends.",
        },
        #[error("standard input is a terminal")]
        Terminal = "file/terminal", Identity {
            what: "The token should come from standard input, which is a terminal.",
            why: "The program never prompts.",
            advice: "Pipe the token in, or name a file.",
        },
        #[error("{from} cannot be read")]
        Unreadable { from: String, source: io::Error } = "file/unreadable", Identity {
            what: "The token file cannot be read.",
            why: "It does not exist in this container, belongs to another user, or is not a regular file.",
            advice: "Name a regular file with at most 64 KiB of text that this user may read; use `-` for a pipe.",
        },
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

/// A token file. It is read at each call, because the platform may renew it.
pub(crate) struct TokenFile {
    /// The file.
    pub(crate) path: PathBuf,
    /// The setting that named it.
    pub(crate) origin: Origin,
}

/// The setting that named a token file. A mistyped token looks like a path, so messages never show a path
/// from a setting that also accepts a token.
pub(crate) enum Origin {
    /// A setting for files.
    File,
    /// A setting that also accepts a token, with the names of the program's settings.
    Value(&'static Names),
}

impl Source for TokenFile {
    fn token<'a>(
        &'a self,
        host: &'a Host,
        _audience: &'a str,
    ) -> BoxFuture<'a, Result<Token, crate::Error>> {
        async { Ok(self.read(host)?) }.boxed()
    }

    fn renewable(&self) -> bool {
        true
    }

    fn place(&self) -> Option<String> {
        Some(self.name())
    }
}

impl TokenFile {
    /// The file as messages name it.
    fn name(&self) -> String {
        match self.origin {
            Origin::File => format!("the token file `{}`", self.path.display()),
            Origin::Value(names) => format!("the file given by `{}`", names.token),
        }
    }

    fn read(&self, host: &Host) -> Result<Token, Error> {
        let from = self.name();
        let (text, doubt) = match (read_credential(&self.path), &self.origin) {
            (Ok(read), _) => read,
            (Err(source), Origin::File) => return Err(Error::Unreadable { from, source }),
            (Err(source), Origin::Value(names)) => {
                let names = *names;
                return Err(Error::Neither { names, source });
            }
        };
        match doubt {
            None => received(&host.net, &text).ok_or(Error::Empty { from }),
            Some(Distrust::OtherOwner(owner)) => Err(Error::OtherOwner { from, owner }),
            Some(Distrust::WritableByOthers) => Err(Error::Exposed { from }),
        }
    }
}

/// Standard input, which can be read once.
pub(crate) struct StandardInput;

impl Source for StandardInput {
    fn token<'a>(
        &'a self,
        host: &'a Host,
        _audience: &'a str,
    ) -> BoxFuture<'a, Result<Token, crate::Error>> {
        async {
            if io::stdin().is_terminal() {
                return Err(Error::Terminal.into());
            }
            Ok(read_input(host, io::stdin(), PATIENCE).await?)
        }
        .boxed()
    }

    fn renewable(&self) -> bool {
        false
    }

    fn place(&self) -> Option<String> {
        Some("standard input".to_owned())
    }
}

/// Reads in a detached thread, because the runtime's own reader would keep the process alive as long as
/// the pipe is open.
async fn read_input(
    host: &Host,
    input: impl Read + Send + 'static,
    limit: Duration,
) -> Result<Token, Error> {
    let from = || "standard input".to_owned();
    let unreadable = |source| Error::Unreadable { from: from(), source };
    let (done, reading) = oneshot::channel();
    std::thread::Builder::new()
        .spawn(move || done.send(read_limited(input)))
        .map_err(unreadable)?;
    let text = match tokio::time::timeout(limit, reading).await {
        Ok(Ok(text)) => text.map_err(unreadable)?,
        Ok(Err(lost)) => return Err(unreadable(io::Error::other(lost))),
        Err(_elapsed) => return Err(Error::Silent { limit }),
    };
    received(&host.net, &text).ok_or_else(|| Error::Empty { from: from() })
}

fn detect(host: &Host, options: &Options) -> Detection {
    if options.token_file.as_os_str().is_empty() {
        return Detection::Absent;
    }
    let path = host.path(&options.token_file);
    // `symlink_metadata`, because mounted volumes consist of links, and a dangling one is not missing.
    if path.symlink_metadata().is_err() {
        return Detection::Absent;
    }
    let origin = Origin::File;
    Detection::Ready(Box::new(TokenFile { path, origin }))
}

/// Reads a small regular file. Links are followed, because mounted volumes consist of them. Pipes and
/// devices are refused before they are opened, because they could block forever.
pub(crate) fn read_small(path: &Path) -> io::Result<String> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    read_limited(std::fs::File::open(path)?)
}

/// Like [`read_small`], and tells why what was read may not be from whom it should be. The open file is judged, because
/// another one may have its name a moment later.
pub(crate) fn read_credential(path: &Path) -> io::Result<(Zeroizing<String>, Option<Distrust>)> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let file = std::fs::File::open(path)?;
    let doubt = distrust(&file.metadata()?);
    Ok((Zeroizing::new(read_limited(file)?), doubt))
}

fn read_limited(input: impl Read) -> io::Result<String> {
    let mut text = String::new();
    input.take(LIMIT + 1).read_to_string(&mut text)?;
    let fits = u64::try_from(text.len()).is_ok_and(|length| length <= LIMIT);
    fits.then_some(text).ok_or_else(|| io::Error::other("it is longer than 64 KiB"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::{Error, Origin, TokenFile, read_input};
    use crate::choose::tests::{Place, block_on};

    fn read(place: &Place, path: &str) -> Result<String, Error> {
        let file = TokenFile { path: place.host().path(path), origin: Origin::File };
        file.read(&place.host()).map(|token| token.expose().to_owned())
    }

    #[test]
    fn reads_through_links_and_trims() {
        let place = Place::new().file("/data/token", "a.b.c\r\n");
        symlink("data/token", place.host().path("/token")).unwrap();
        assert_eq!(read(&place, "/token").unwrap(), "a.b.c");
    }

    /// What any user of the machine can write does not show who wrote it, and the owner of the file is no excuse.
    #[test]
    fn refuses_what_others_may_write() {
        use std::fs::{Permissions, set_permissions};
        use std::os::unix::fs::PermissionsExt as _;

        let place = Place::new().file("/token", "a.b.c");
        let path = place.host().path("/token");
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(&place, "/token").unwrap(), "a.b.c");
        set_permissions(&path, Permissions::from_mode(0o606)).unwrap();
        assert!(matches!(read(&place, "/token"), Err(Error::Exposed { .. })));
    }

    #[test]
    fn refuses_what_is_no_small_text_file() {
        let place = Place::new().file("/empty", " \n").file("/large", &"x".repeat(70_000));
        assert!(matches!(read(&place, "/empty"), Err(Error::Empty { .. })));
        for path in ["/large", "/", "/absent"] {
            let error = read(&place, path).unwrap_err();
            assert!(matches!(error, Error::Unreadable { .. }), "{path}");
        }
    }

    #[test]
    fn the_standard_input_is_limited() {
        let place = Place::new();
        let long = Duration::from_secs(5);
        let read = |input: &'static [u8]| block_on(read_input(&place.host(), input, long));
        assert_eq!(read(b"a.b.c\n").unwrap().expose(), "a.b.c");
        assert!(matches!(read(b"\n"), Err(Error::Empty { .. })));
        assert!(matches!(read(&[b'x'; 70_000]), Err(Error::Unreadable { .. })));
        assert!(matches!(read(b"\xff"), Err(Error::Unreadable { .. })));

        let (silent, _open) = std::io::pipe().unwrap();
        let short = Duration::from_millis(50);
        let error = block_on(read_input(&place.host(), silent, short)).unwrap_err();
        assert!(matches!(error, Error::Silent { .. }));
    }
}
