// SPDX-License-Identifier: Apache-2.0
//! Name constraints: the names that an authority may issue certificates for (RFC 5280 4.2.1.10).
//!
//! A permitted subtree is read as narrowly as RFC 5280 does. An excluded one is read as widely as any
//! other client reads it: programs in Go also exclude the hosts below an excluded host.

use std::mem::discriminant;

use der::Decode;
use der::asn1::{Ia5StringRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use url::{Host, Url};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{NameConstraints, SubjectAltName};
use x509_cert::name::{Name, RelativeDistinguishedName};

use super::x509::{Certificate, SUBJECT_ALT_NAME};

const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
/// An e-mail address in a subject, as certificates without alternative names have it (RFC 5280
/// 4.1.2.6).
const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

/// Why the name constraints of an authority do not allow a name below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// An excluded subtree holds the name.
    #[error("the name constraints of an authority exclude a name below it")]
    Excluded,
    /// No permitted subtree of this kind holds the name.
    #[error("the name constraints of an authority do not permit a name below it")]
    NotPermitted,
    /// It cannot be decided whether a subtree holds the name. Such a name is refused.
    #[error("the name constraints of an authority cannot be compared with a name below it")]
    Unclear,
    /// The constraints, or the names of a certificate below them, cannot be read.
    #[error("the name constraints of an authority, or names below it, cannot be read")]
    Unreadable,
}

/// Checks every name of `certificate`: its alternative names and its subject (RFC 5280 6.1.3 b and c).
///
/// # Errors
/// The first violation of the name constraints of `authority`, whether they are critical or not.
pub fn verify(authority: &Certificate, certificate: &Certificate) -> Result<(), Violation> {
    match constraints(authority)? {
        None => Ok(()),
        Some(constraints) => {
            let names = names(certificate)?;
            names.iter().try_for_each(|name| constraints.allow(name))
        }
    }
}

/// Checks `name`, which a certificate of `authority` would have.
///
/// # Errors
/// Those of [`verify`].
pub(super) fn allow(authority: &Certificate, name: &GeneralName) -> Result<(), Violation> {
    constraints(authority)?.map_or(Ok(()), |constraints| constraints.allow(name))
}

/// The subtrees of the constraints.
struct Subtrees {
    permitted: Vec<GeneralSubtree>,
    excluded: Vec<GeneralSubtree>,
}

fn constraints(authority: &Certificate) -> Result<Option<Subtrees>, Violation> {
    let Some(der) = authority.extension(NAME_CONSTRAINTS) else {
        return Ok(None);
    };
    let found = NameConstraints::from_der(der).map_err(|_der| Violation::Unreadable)?;
    let permitted = found.permitted_subtrees.unwrap_or_default();
    let excluded = found.excluded_subtrees.unwrap_or_default();
    // The sequence is never empty (RFC 5280 4.2.1.10).
    if permitted.is_empty() && excluded.is_empty() {
        return Err(Violation::Unreadable);
    }
    Ok(Some(Subtrees { permitted, excluded }))
}

/// The names of `certificate`. An e-mail address in its subject counts if it has no alternative name.
fn names(certificate: &Certificate) -> Result<Vec<GeneralName>, Violation> {
    let subject = certificate.subject();
    let mut names = match certificate.extension(SUBJECT_ALT_NAME) {
        Some(der) => SubjectAltName::from_der(der).map_err(|_der| Violation::Unreadable)?.0,
        None => {
            let emails = subject.iter().filter(|attribute| attribute.oid == EMAIL_ADDRESS);
            let email = |attribute: &AttributeTypeAndValue| attribute.value.decode_as().ok();
            let emails: Option<Vec<_>> = emails.map(email).collect();
            let emails = emails.ok_or(Violation::Unreadable)?;
            emails.into_iter().map(GeneralName::Rfc822Name).collect()
        }
    };
    if !subject.is_empty() {
        names.push(GeneralName::DirectoryName(subject.clone()));
    }
    Ok(names)
}

/// How a host that an e-mail address or a URI must have is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// It is this host.
    Narrow,
    /// It is this host and those below it.
    Wide,
}

impl Subtrees {
    /// Constraints of another kind than the name do not matter to it (RFC 5280 4.2.1.10).
    fn allow(&self, name: &GeneralName) -> Result<(), Violation> {
        let of_kind = |subtree: &&GeneralSubtree| discriminant(&subtree.base) == discriminant(name);
        for subtree in self.excluded.iter().filter(of_kind) {
            match holds(subtree, name, Reading::Wide) {
                None => return Err(Violation::Unclear),
                Some(true) => return Err(Violation::Excluded),
                Some(false) => {}
            }
        }
        let permitted = self.permitted.iter().filter(of_kind);
        let found: Vec<_> =
            permitted.map(|subtree| holds(subtree, name, Reading::Narrow)).collect();
        if found.is_empty() || found.contains(&Some(true)) {
            Ok(())
        } else if found.contains(&None) {
            Err(Violation::Unclear)
        } else {
            Err(Violation::NotPermitted)
        }
    }
}

/// Whether `subtree` holds `name`, which is of the same kind; `None` if that cannot be decided.
fn holds(subtree: &GeneralSubtree, name: &GeneralName, reading: Reading) -> Option<bool> {
    // Other distances mean nothing in RFC 5280.
    if subtree.minimum != 0 || subtree.maximum.is_some() {
        return None;
    }
    match (&subtree.base, name) {
        (GeneralName::Rfc822Name(base), GeneralName::Rfc822Name(name)) => {
            holds_email(base.as_str(), name.as_str(), reading)
        }
        (
            GeneralName::UniformResourceIdentifier(base),
            GeneralName::UniformResourceIdentifier(name),
        ) => holds_host(base.as_str(), &host(name.as_str())?, reading),
        (GeneralName::DnsName(base), GeneralName::DnsName(name)) => {
            holds_host(base.as_str(), name.as_str(), Reading::Wide)
        }
        (GeneralName::DirectoryName(base), GeneralName::DirectoryName(name)) => {
            holds_directory(base, name)
        }
        (GeneralName::IpAddress(base), GeneralName::IpAddress(name)) => {
            holds_address(base.as_bytes(), name.as_bytes())
        }
        _ => None,
    }
}

/// An address, or all addresses of a host, or with a leading period of the hosts below one.
fn holds_email(base: &str, name: &str, reading: Reading) -> Option<bool> {
    let (local, host) = name.rsplit_once('@')?;
    // A quoted local part has several spellings.
    if local.is_empty() || local.contains('"') {
        return None;
    }
    let Some((wanted, wanted_host)) = base.rsplit_once('@') else {
        return holds_host(base, host, reading);
    };
    let is_local = match reading {
        Reading::Narrow => local == wanted,
        Reading::Wide => local.eq_ignore_ascii_case(wanted),
    };
    Some(labels(host)? == labels(wanted_host)? && is_local)
}

/// A leading period stands for one or more labels. Nothing at all holds every host, as in other
/// clients.
fn holds_host(base: &str, host: &str, reading: Reading) -> Option<bool> {
    let host = labels(host)?;
    if base.is_empty() {
        return Some(true);
    }
    let (base, only_below) = match base.strip_prefix('.') {
        Some(base) => (labels(base)?, true),
        None => (labels(base)?, false),
    };
    if host == base {
        return Some(!only_below);
    }
    Some(host.ends_with(&base) && (only_below || reading == Reading::Wide))
}

/// The labels of a host name in lower case; `None` for an IP address, a wildcard and other texts.
fn labels(host: &str) -> Option<Vec<String>> {
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        !label.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let labels: Vec<_> = host.split('.').map(str::to_ascii_lowercase).collect();
    let is_number = labels.last()?.bytes().all(|b| b.is_ascii_digit());
    (!is_number && labels.iter().all(|label| is_label(label))).then_some(labels)
}

/// The host of a URI; `None` if it has none, or an IP address, which no constraint can hold (RFC 5280
/// 4.2.1.10).
fn host(uri: &str) -> Option<String> {
    // Parsers disagree about other characters.
    if !uri.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
        return None;
    }
    match Url::parse(uri).ok()?.host()? {
        Host::Domain(host) => Some(host.to_owned()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

fn holds_directory(base: &Name, name: &Name) -> Option<bool> {
    if base.len() > name.len() {
        return Some(false);
    }
    let mut holds = true;
    for (base, name) in base.iter_rdn().zip(name.iter_rdn()) {
        holds &= base == name || folded(base)? == folded(name)?;
    }
    Some(holds)
}

/// The attributes in the form in which RFC 5280 7.1 compares them; `None` for text that is not ASCII,
/// whose comparison takes tables of Unicode, and for other values.
fn folded(name: &RelativeDistinguishedName) -> Option<Vec<(ObjectIdentifier, String)>> {
    let fold = |attribute: &AttributeTypeAndValue| {
        let value = &attribute.value;
        let printable = value.decode_as::<PrintableStringRef<'_>>().map(|text| text.to_string());
        let ia5 = || value.decode_as::<Ia5StringRef<'_>>().map(|text| text.to_string());
        let utf8 = || value.decode_as::<Utf8StringRef<'_>>().map(|text| text.to_string());
        let text = printable.or_else(|_tag| ia5()).or_else(|_tag| utf8()).ok()?;
        let words: Vec<_> = text.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
        text.is_ascii().then(|| (attribute.oid, words.join(" ")))
    };
    let mut all: Vec<_> = name.iter().map(fold).collect::<Option<_>>()?;
    all.sort();
    Some(all)
}

/// Network and mask (RFC 5280 4.2.1.10).
fn holds_address(base: &[u8], address: &[u8]) -> Option<bool> {
    if !matches!(base.len(), 8 | 32) || !matches!(address.len(), 4 | 16) {
        return None;
    }
    let (network, mask) = base.split_at_checked(base.len() / 2)?;
    let mut bits = network.iter().zip(mask).zip(address);
    let is_within = bits.all(|((network, mask), address)| network & mask == address & mask);
    Some(network.len() == address.len() && is_within)
}

#[cfg(test)]
mod tests;
