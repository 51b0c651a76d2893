// SPDX-License-Identifier: Apache-2.0
//! Finds files whose signature would be a signature of another kind, too.
//!
//! The signature of a file covers its bytes as they are. Signatures of images, of attestations and of CMS cover
//! bytes of a known form, and nothing in a signature says which kind it is. The author of a file could
//! therefore get an image signed. Such files must not be signed.
//!
//! What counts is what verifiers read, not what signers write: cosign compares names of members without case
//! and ignores the type that a payload names, and programs in Rust may take arrays for objects.

mod payload;

use std::fmt;
use std::io::{self, Cursor, Read};
use std::path::Path;

use crate::digest::{Digest, Hashing, read_file};

/// Enough bytes to recognize an encoding: the longest is that of attributes with two long lengths.
const HEAD: u64 = 16;
/// The longest payload, in bytes. Clients of registries refuse longer ones: cosign at 128 MiB.
const LONGEST_PAYLOAD: u64 = 256 * 1024 * 1024;

/// The other kind of signature that the signature of a file would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookalike {
    /// The pre-authentication encoding of an envelope (DSSE protocol, "Signature Definition"): images in
    /// bundles, and attestations.
    Envelope,
    /// The payload of a signature in cosign's older layout ("simple signing").
    Payload,
    /// The signed attributes of a CMS signature (RFC 5652 5.4), as of S/MIME and gitsign.
    Attributes,
}

/// Formats what the file is and what its signature would be, as the end of a sentence.
impl fmt::Display for Lookalike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Envelope => "begins like an encoded DSSE envelope, so its signature would also be valid for an image or attestation",
            Self::Payload => "has the form of an image signature's payload, so its signature would also be valid for that image",
            Self::Attributes => "begins like the signed attributes of CMS, so its signature would also be valid as a CMS signature",
        })
    }
}

impl Lookalike {
    /// The digest of the file at `path`, of any length, and what it looks like. `-` means standard input.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn of_file(path: &Path) -> io::Result<(Digest, Option<Self>)> {
        read_file(path, Self::of_reader).await
    }

    /// The digest of everything that `reader` returns, and what it looks like.
    ///
    /// # Errors
    /// Reading fails.
    pub fn of_reader(reader: &mut dyn Read) -> io::Result<(Digest, Option<Self>)> {
        let mut reader = Hashing::new(reader);
        let mut head = Vec::new();
        (&mut reader).take(HEAD).read_to_end(&mut head)?;
        let found = Self::of_head(&head).or_else(|| {
            let whole = Cursor::new(head).chain(&mut reader).take(LONGEST_PAYLOAD);
            payload::is_payload(whole).then_some(Self::Payload)
        });
        reader.finish()?;
        Ok((Digest::from(reader), found))
    }

    /// Every encoding of an envelope begins in the same way, and every set of attributes with the object
    /// identifier of the first.
    fn of_head(head: &[u8]) -> Option<Self> {
        const SET: u8 = 0x31;
        const SEQUENCE: u8 = 0x30;
        const IDENTIFIER: u8 = 0x06;
        if head.starts_with(b"DSSEv1 ") {
            return Some(Self::Envelope);
        }
        let attribute = content(SET, head)?;
        let first = content(SEQUENCE, attribute)?;
        (first.first() == Some(&IDENTIFIER)).then_some(Self::Attributes)
    }
}

/// What follows after the tag and the length of a value (X.690 8.1.3).
fn content(tag: u8, encoded: &[u8]) -> Option<&[u8]> {
    let (found, rest) = encoded.split_first()?;
    let (length, rest) = rest.split_first()?;
    let more = if *length < 0x80 { 0 } else { usize::from(*length & 0x7f) };
    if *found == tag { rest.get(more..) } else { None }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::Lookalike;
    use crate::digest::{CHUNK, Digest};
    use crate::dsse::{IN_TOTO, pae};

    /// Reads one byte at a time, as a slow pipe may do.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
            let end = chunk.len().min(1);
            self.0.read(&mut chunk[..end])
        }
    }

    fn of(mut bytes: &[u8]) -> Option<Lookalike> {
        let digest = Digest::of(bytes);
        let slow = Lookalike::of_reader(&mut Slow(bytes)).unwrap();
        let found = Lookalike::of_reader(&mut bytes).unwrap();
        assert_eq!((found, found.0), (slow, digest));
        found.1
    }

    #[test]
    fn envelopes_are_found_by_their_beginning() {
        assert_eq!(of(&pae(IN_TOTO, b"{}")), Some(Lookalike::Envelope));
        assert_eq!(of(&pae("", b"")), Some(Lookalike::Envelope));
        // Lengths that count something else than bytes.
        assert_eq!(of("DSSEv1 1 \u{e4} 0 ".as_bytes()), Some(Lookalike::Envelope));
        for other in ["DSSEv2 1 a 0 ", " DSSEv1 1 a 0 ", "DSSEv1", "dssev1 1 a 0 "] {
            assert_eq!(of(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn attributes_are_found_by_their_beginning() {
        let attribute = [&[0x30, 0x18, 0x06, 9][..], &[7; 20]].concat();
        let short = [&[0x31, 26][..], &attribute].concat();
        let long = [&[0x31, 0x82, 0, 26][..], &attribute].concat();
        for der in [short, long, [0x31, 0x80, 0x30, 0x80, 0x06].into()] {
            assert_eq!(of(&der), Some(Lookalike::Attributes), "{der:02x?}");
        }
        for other in
            [&b"100\n"[..], b"1", &[0x31, 0xff, 0x30], &[0x30, 2, 0x30, 0, 6], &[0x31, 2, 6, 0]]
        {
            assert_eq!(of(other), None, "{other:02x?}");
        }
    }

    #[test]
    fn other_files_have_their_digest_alone() {
        for bytes in [Vec::new(), b"\x7fELF".to_vec(), vec![b' '; 3 * CHUNK + 1], vec![b'['; CHUNK]]
        {
            assert_eq!(of(&bytes), None);
        }
    }
}
