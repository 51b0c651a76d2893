// SPDX-License-Identifier: Apache-2.0
//! SHA-256 digests in the form of the OCI image specification.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use ambisign_host::file;
use sha2::{Digest as _, Sha256};

/// The number of bytes to read at once.
pub(crate) const CHUNK: usize = 64 * 1024;

/// A SHA-256 digest. Its text is `sha256:` and 64 lower-case hexadecimal digits (OCI image
/// specification, "Digests").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of everything that `reader` returns.
    ///
    /// # Errors
    /// Reading fails.
    pub fn of_reader(reader: &mut dyn Read) -> io::Result<Self> {
        let mut reader = Hashing::new(reader);
        reader.finish()?;
        Ok(Self::from(reader))
    }

    /// The digest of the file at `path`, of any length. `-` means standard input.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn of_file(path: &Path) -> io::Result<Self> {
        read_file(path, Self::of_reader).await
    }

    /// Reads `sha256:<hex>`; `None` for another algorithm, another length or upper-case letters.
    pub fn parse(text: &str) -> Option<Self> {
        let hex_digits = text.strip_prefix("sha256:")?;
        if hex_digits.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex_digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits, without the algorithm.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl From<Hashing<'_>> for Digest {
    fn from(read: Hashing<'_>) -> Self {
        Self(read.0.into_inner().hasher.finalize().into())
    }
}

/// Hashes everything that is read through it.
pub(crate) struct Hashing<'a>(BufReader<Source<'a>>);

struct Source<'a> {
    reader: &'a mut dyn Read,
    hasher: Sha256,
}

impl<'a> Hashing<'a> {
    /// Reads `reader`.
    pub(crate) fn new(reader: &'a mut dyn Read) -> Self {
        let hasher = Sha256::new();
        Self(BufReader::with_capacity(CHUNK, Source { reader, hasher }))
    }

    /// Reads what is left, for its digest alone.
    ///
    /// # Errors
    /// Reading fails.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        io::copy(&mut self.0, &mut io::sink())?;
        Ok(())
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        self.0.read(chunk)
    }
}

impl Read for Source<'_> {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(chunk)?;
        self.hasher.update(chunk.get(..length).unwrap_or_default());
        Ok(length)
    }
}

/// What `read` finds in the file at `path`, of any length. `-` means standard input.
///
/// # Errors
/// The file cannot be read.
pub(crate) async fn read_file<T: Send + 'static>(
    path: &Path,
    read: fn(&mut dyn Read) -> io::Result<T>,
) -> io::Result<T> {
    let path = path.to_owned();
    file::aside(move || {
        if path == Path::new("-") {
            read(&mut io::stdin().lock())
        } else {
            read(&mut File::open(path)?)
        }
    })
    .await
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::Digest;

    #[test]
    fn of_a_reader_is_of_its_bytes() {
        let bytes = vec![7; 3 * super::CHUNK + 1];
        let found = Digest::of_reader(&mut bytes.as_slice()).unwrap();
        assert_eq!(found, Digest::of(&bytes));
    }

    /// A reader that is interrupted before its first bytes, and fails after them.
    struct Broken(Vec<io::Result<usize>>);

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0.pop().unwrap_or(Ok(0))
        }
    }

    #[test]
    fn an_interruption_is_no_end() {
        let interrupted = || Err(io::ErrorKind::Interrupted.into());
        let found = Digest::of_reader(&mut Broken(vec![Ok(1), interrupted()])).unwrap();
        assert_eq!(found, Digest::of(&[0]));
        let failed = Err(io::ErrorKind::UnexpectedEof.into());
        let found = Digest::of_reader(&mut Broken(vec![failed, Ok(1), interrupted()]));
        assert_eq!(found.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn of_a_file_is_of_its_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"ambisign").unwrap();
        let found = Digest::of_file(file.path()).await.unwrap();
        assert_eq!(found, Digest::of(b"ambisign"));
        assert!(Digest::of_file(&file.path().join("x")).await.is_err());
    }

    #[test]
    fn text_and_back() {
        let text = "sha256:70f178985473c23b72e403edaa739c9cfae0927db7ad48e67f78db8e9c044b4e";
        assert_eq!(Digest::of(b"ambisign").to_string(), text);
        assert_eq!(Digest::parse(text), Some(Digest::of(b"ambisign")));
    }

    #[test]
    fn refuses_other_forms() {
        let upper = Digest::of(b"x").to_string().to_uppercase();
        for text in ["", "sha256:", "sha256:00", "sha512:00", &upper, &format!("{upper}00")] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}
