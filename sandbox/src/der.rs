// SPDX-License-Identifier: Apache-2.0
//! DER (X.690) by hand: enough to write certificates and timestamps and to read what clients send.

use std::time::SystemTime;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// One element: `tag`, the length of `content`, `content`.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let significant = length.iter().skip_while(|&&byte| byte == 0);
            out.push(0x80 | u8::try_from(significant.clone().count()).unwrap_or(8));
            out.extend(significant);
        }
    }
    out.extend_from_slice(content);
    out
}

/// A constructed element of any tag.
pub(crate) fn list(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    element(tag, &parts.concat())
}

/// A SEQUENCE.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    list(SEQUENCE, parts)
}

/// A SET OF: in DER its members stand in the order of their bytes (X.690 11.6).
pub(crate) fn set_of(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    element(SET, &parts.concat())
}

/// A nonnegative INTEGER from its big-endian bytes.
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = bytes.iter().copied().skip_while(|&byte| byte == 0).collect();
    // The highest bit is the sign, and zero has one byte.
    if content.first().is_none_or(|&first| first >= 0x80) {
        content.insert(0, 0);
    }
    element(INTEGER, &content)
}

/// An OBJECT IDENTIFIER from its arcs, of which there are at least two.
pub(crate) fn oid(arcs: &[u32]) -> Vec<u8> {
    let (first, rest) = match arcs {
        [first, second, rest @ ..] => (first * 40 + second, rest),
        _ => (0, arcs),
    };
    let mut content = Vec::new();
    for arc in std::iter::once(&first).chain(rest) {
        for shift in [28u32, 21, 14, 7, 0] {
            let group = (arc >> shift) & 0x7f;
            let last = shift == 0;
            if last || arc >> shift > 0 {
                content.push(u8::try_from(group).unwrap_or(0) | if last { 0 } else { 0x80 });
            }
        }
    }
    element(OID, &content)
}

/// A BIT STRING of whole bytes.
pub(crate) fn bits(content: &[u8]) -> Vec<u8> {
    list(BIT_STRING, &[&[0], content])
}

/// A UTCTime (tag 0x17) of seconds: what RFC 5280 wants before the year 2050.
pub(crate) fn utc_time(time: SystemTime) -> Vec<u8> {
    element(0x17, digits(time).as_bytes().get(2..).unwrap_or_default())
}

/// A GeneralizedTime (tag 0x18) of seconds.
pub(crate) fn generalized_time(time: SystemTime) -> Vec<u8> {
    element(0x18, digits(time).as_bytes())
}

/// `YYYYMMDDHHMMSSZ`.
fn digits(time: SystemTime) -> String {
    let text = humantime::format_rfc3339_seconds(time).to_string();
    text.chars().filter(|c| c.is_ascii_digit() || *c == 'Z').collect()
}

/// One element as it was read.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// With tag and length.
    pub(crate) whole: &'a [u8],
    pub(crate) content: &'a [u8],
}

/// Reads elements one after the other.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads `bytes` from the start.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next element, whatever it is.
    pub(crate) fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match usize::from(first) {
            short @ 0..0x80 => (short, rest),
            long => {
                let (length, rest) = rest.split_at_checked(long - 0x80)?;
                if !(1..=4).contains(&length.len()) {
                    return None;
                }
                (length.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)), rest)
            }
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - rest.len())?;
        self.0 = rest;
        Some(Element { tag, whole, content })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }

    /// The next element if it has this tag; else nothing is read.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        (self.0.first() == Some(&tag)).then(|| self.next()).flatten()
    }

    /// The inside of the next element, which must have this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        Some(Self(self.expect(tag)?.content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads() {
        assert_eq!(integer(&[]), [2, 1, 0]);
        assert_eq!(integer(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(
            oid(&[1, 3, 6, 1, 4, 1, 57264, 1, 8]),
            hex::decode("060a2b0601040183bf300108").unwrap()
        );
        assert_eq!(oid(&[2, 5, 29, 17]), hex::decode("0603551d11").unwrap());
        let long = element(OCTET_STRING, &[7; 300]);
        assert_eq!(long.get(..4), Some(&[4, 0x82, 1, 44][..]));
        assert_eq!(Reader::new(&long).expect(OCTET_STRING).unwrap().content, [7; 300]);
        assert!(Reader::new(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).next().is_none());
        assert_eq!(utc_time(SystemTime::UNIX_EPOCH), b"\x17\x0d700101000000Z");
    }
}
