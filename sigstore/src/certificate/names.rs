// SPDX-License-Identifier: Apache-2.0
//! The name in a signing certificate, and its kind (fulcio `docs/oid-info.md`).
//!
//! A policy compares texts. A text of one kind is refused in a name of another, so the kinds are
//! compared as well: a policy for an e-mail address accepts no URI or user name with the same text.

use der::Decode;
use der::asn1::{Any, Ia5String, ObjectIdentifier, Utf8StringRef};
use url::Url;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::{GeneralName, OtherName};

use crate::pki::x509::{Certificate, SUBJECT_ALT_NAME};

/// The type of a SAN from Fulcio that is neither an e-mail address nor a URI.
pub(super) const OTHER_NAME: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// The kinds of names in Fulcio's certificates. Each text has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `joe@example.test`
    Email,
    /// `https://example.test/job@ref`
    Uri,
    /// `joe!example.test`; Fulcio allows no `@` in it.
    User,
}

impl Kind {
    /// The kind of a name with this text.
    fn of(text: &str) -> Self {
        if text.contains("://") {
            Self::Uri
        } else if text.contains('@') {
            Self::Email
        } else {
            Self::User
        }
    }
}

/// The text of the one name of `certificate`.
///
/// # Errors
/// There is another number of names, or the name is of a kind that Fulcio does not use, or its text is
/// of another kind, as the rest of a sentence about the certificate.
pub(super) fn read(certificate: &Certificate) -> Result<String, &'static str> {
    const NONE: &str =
        "does not have exactly one name that is an e-mail address, a URI or Fulcio's";
    let (kind, text) = single(certificate).ok_or(NONE)?;
    let is_whole = kind != Kind::Uri || Url::parse(&text).is_ok();
    if Kind::of(&text) == kind && is_whole {
        Ok(text)
    } else {
        Err("has a name whose text is not of its kind (e-mail address, URI or user name)")
    }
}

fn single(certificate: &Certificate) -> Option<(Kind, String)> {
    let names = SubjectAltName::from_der(certificate.extension(SUBJECT_ALT_NAME)?).ok()?;
    let [name] = names.0.as_slice() else {
        return None;
    };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other kinds of names of RFC 5280 are all refused"
    )]
    let (kind, text) = match name {
        GeneralName::Rfc822Name(name) => (Kind::Email, name.as_str().to_owned()),
        GeneralName::UniformResourceIdentifier(name) => (Kind::Uri, name.as_str().to_owned()),
        GeneralName::OtherName(name) if name.type_id == OTHER_NAME => {
            let text = name.value.decode_as::<Utf8StringRef<'_>>().ok()?;
            (Kind::User, text.as_str().to_owned())
        }
        _ => return None,
    };
    (!text.is_empty()).then_some((kind, text))
}

/// The name of a certificate with this text; `None` if no certificate can have it.
pub(crate) fn name_of(text: &str) -> Option<GeneralName> {
    Some(match Kind::of(text) {
        Kind::Email => GeneralName::Rfc822Name(Ia5String::new(text).ok()?),
        Kind::Uri => GeneralName::UniformResourceIdentifier(Ia5String::new(text).ok()?),
        Kind::User => {
            let value = Any::from(Utf8StringRef::new(text).ok()?);
            GeneralName::OtherName(OtherName { type_id: OTHER_NAME, value })
        }
    })
}

#[cfg(test)]
mod tests {
    use x509_cert::ext::pkix::SubjectAltName;
    use x509_cert::ext::pkix::name::GeneralName;

    use super::{name_of, read};
    use crate::pki::testing::{Order, extension};

    fn text_of(name: GeneralName) -> Result<String, &'static str> {
        let extensions = vec![extension(SubjectAltName(vec![name]))];
        read(&Order { subject: 1, issuer: 2, seconds: (1, 2), extensions }.make())
    }

    /// cosign compares the text alone.
    #[test]
    fn a_text_has_one_kind_of_name() {
        const WORKFLOW: &str =
            "https://github.com/acme/app/.github/workflows/x.yml@refs/heads/main";
        let texts = ["joe@example.test", WORKFLOW, "joe!example.test"];
        let names = texts.map(|text| name_of(text).unwrap());
        for (text, name) in texts.iter().zip(names.clone()) {
            assert_eq!(text_of(name).as_deref(), Ok(*text));
        }
        let [email, uri, user] = names;
        let GeneralName::UniformResourceIdentifier(uri) = uri else { panic!() };
        assert!(text_of(GeneralName::Rfc822Name(uri)).is_err());
        let GeneralName::Rfc822Name(email) = email else { panic!() };
        assert!(text_of(GeneralName::UniformResourceIdentifier(email)).is_err());
        for text in ["joe@example.test", WORKFLOW] {
            let GeneralName::OtherName(mut other) = user.clone() else { panic!() };
            other.value = der::asn1::Any::from(der::asn1::Utf8StringRef::new(text).unwrap());
            assert!(text_of(GeneralName::OtherName(other)).is_err());
        }
        let relative = der::asn1::Ia5String::new("/x://").unwrap();
        assert!(text_of(GeneralName::UniformResourceIdentifier(relative)).is_err());
    }
}
