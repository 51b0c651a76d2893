// SPDX-License-Identifier: Apache-2.0
//! The claims of the identity token in a signing certificate (fulcio `docs/oid-info.md`).
//!
//! Fulcio writes some of them twice: as raw bytes in extensions of its first years, and as a DER string.
//! Verifiers read one or the other, so a certificate in which they differ says something else to each.

use der::Decode;
use der::asn1::{ObjectIdentifier, Utf8StringRef};

use crate::pki::x509::Certificate;

/// The arc of Fulcio's extensions.
const ARC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1");
/// Extensions below this number hold raw text, the others a DER `UTF8String`.
const FIRST_DER: u32 = 8;
/// The issuer of the token: raw, and as a string.
const ISSUER: (u32, u32) = (1, 8);
/// Claims of a GitHub workflow, which are raw and as a string: event, commit, and ref.
const TWICE: [(u32, u32); 3] = [(2, 20), (3, 13), (6, 14)];
/// The repository of a GitHub workflow: its name, and the URI that ends with it.
const REPOSITORY: (u32, u32) = (5, 12);

const UNREADABLE: &str = "has a claim of the identity token that cannot be read";

/// The issuer of the identity token.
///
/// # Errors
/// The certificate names no issuer, or two that differ. The error is the rest of a sentence about it.
pub(super) fn issuer(certificate: &Certificate) -> Result<String, &'static str> {
    let issuer = match both(certificate, ISSUER)? {
        (Some(old), Some(new)) if old != new => {
            return Err("names two issuers of the identity token that differ");
        }
        (_, Some(issuer)) | (Some(issuer), None) => Some(issuer).filter(|text| !text.is_empty()),
        (None, None) => None,
    };
    issuer.map(str::to_owned).ok_or("does not say who issued the identity token")
}

/// Checks that claims that Fulcio writes twice are equal.
///
/// # Errors
/// Two differ, as the rest of a sentence about the certificate.
pub(super) fn agree(certificate: &Certificate) -> Result<(), &'static str> {
    for pair in TWICE {
        if let (Some(old), Some(new)) = both(certificate, pair)?
            && old != new
        {
            return Err("has a claim about the workflow twice, with values that differ");
        }
    }
    if let (Some(name), Some(uri)) = both(certificate, REPOSITORY)?
        && uri.strip_suffix(name).is_none_or(|start| !start.ends_with('/'))
    {
        return Err("has two names of the repository that differ");
    }
    Ok(())
}

/// The raw value and the string of a claim.
fn both(
    certificate: &Certificate,
    (old, new): (u32, u32),
) -> Result<(Option<&str>, Option<&str>), &'static str> {
    Ok((text(certificate, old)?, text(certificate, new)?))
}

/// The text in Fulcio's extension with this last number.
///
/// # Errors
/// It cannot be read, as the rest of a sentence about the certificate.
pub(crate) fn text(certificate: &Certificate, last: u32) -> Result<Option<&str>, &'static str> {
    let oid = ARC.push_arc(last).ok();
    let Some(value) = oid.and_then(|oid| certificate.extension(oid)) else {
        return Ok(None);
    };
    let text = if last < FIRST_DER {
        std::str::from_utf8(value).ok()
    } else {
        Utf8StringRef::from_der(value).ok().map(|text| text.as_str())
    };
    text.map(Some).ok_or(UNREADABLE)
}

#[cfg(test)]
mod tests {
    use super::{agree, issuer};
    use crate::pki::testing::{Order, raw};

    /// A certificate with these extensions of Fulcio, each raw or as a string by its number.
    fn with(claims: &[(u32, &str)]) -> crate::pki::x509::Certificate {
        let extension = |(last, text): &(u32, &str)| {
            let string = [&[0x0c, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
            let value = if *last < 8 { text.as_bytes() } else { &string };
            raw(&format!("1.3.6.1.4.1.57264.1.{last}"), false, value)
        };
        let extensions = claims.iter().map(extension).collect();
        Order { subject: 1, issuer: 2, seconds: (1, 2), extensions }.make()
    }

    /// cosign reads the newer extension alone.
    #[test]
    fn issuers_that_differ_are_refused() {
        for (claims, expected) in [
            (&[(1, "a"), (8, "a")][..], Ok("a")),
            (&[(1, "a")], Ok("a")),
            (&[(8, "a")], Ok("a")),
            (&[(1, "a"), (8, "b")], Err("two issuers")),
            (&[(1, "a"), (8, "")], Err("two issuers")),
            (&[(8, "")], Err("does not say")),
            (&[], Err("does not say")),
        ] {
            match (issuer(&with(claims)), expected) {
                (Ok(found), Ok(wanted)) => assert_eq!(found, wanted),
                (Err(found), Err(words)) => assert!(found.contains(words), "{found}"),
                other => panic!("{claims:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn claims_that_differ_are_refused() {
        let uri = "https://github.com/acme/app";
        for (claims, good) in [
            (&[(2, "push"), (20, "push")][..], true),
            (&[(2, "push"), (20, "pull_request")], false),
            (&[(3, "00"), (13, "00")], true),
            (&[(3, "00"), (13, "01")], false),
            (&[(6, "refs/heads/a"), (14, "refs/heads/a")], true),
            (&[(6, "refs/heads/a"), (14, "refs/heads/b")], false),
            (&[(5, "acme/app"), (12, uri)], true),
            (&[(5, "app"), (12, uri)], true),
            (&[(5, "e/app"), (12, uri)], false),
            (&[(5, "acme/other"), (12, uri)], false),
            (&[(5, "acme/app")], true),
            (&[(12, uri)], true),
        ] {
            assert_eq!(agree(&with(claims)).is_ok(), good, "{claims:?}");
        }
    }
}
