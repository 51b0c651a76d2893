// SPDX-License-Identifier: Apache-2.0
//! Verifies the path from a certificate to an anchor of the trusted root, at a given time.
//!
//! The trusted root lists the authorities in order, so no search is needed: each certificate is signed
//! by the next one, and the last is the anchor. `docs/verification.md` goes through RFC 5280 6.1 line by
//! line.

use std::time::SystemTime;

use der::Decode;
use der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::PolicyConstraints;
use x509_cert::ext::pkix::name::GeneralName;

use super::names::{self, Violation};
use super::x509::{Certificate, SUBJECT_ALT_NAME};

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const ANY_EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const POLICY_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.36");

/// The extensions that this code understands, which may therefore be critical.
pub(crate) const UNDERSTOOD: [ObjectIdentifier; 3] =
    [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE];

/// The same of an authority.
const UNDERSTOOD_OF_AUTHORITY: [ObjectIdentifier; 5] =
    [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, NAME_CONSTRAINTS, SUBJECT_ALT_NAME];

/// A path does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A critical extension is not understood.
    #[error("an authority has an unknown critical extension")]
    Extension,
    /// The name constraints of an authority do not allow a name below it.
    #[error(transparent)]
    Names(#[from] Violation),
    /// A certificate that does not belong to an authority issued another one.
    #[error("a certificate that does not belong to an authority issued another one")]
    NotAuthority,
    /// A certificate, or the window in which it is trusted, had not begun or had ended.
    #[error("a certificate of the path was not valid at that time")]
    OutsideValidity,
    /// The path has more authorities than one of them allows.
    #[error("the path is longer than an authority allows")]
    PathLength,
    /// An authority requires certificate policies (RFC 5280 4.2.1.11). Nothing here evaluates them.
    #[error("an authority requires certificate policies, which ambisign does not evaluate")]
    Policies,
    /// A signature does not verify, or names another issuer.
    #[error("a certificate of the path is not signed by the next one")]
    Signature,
    /// No authority of the trusted root issued the certificate.
    #[error("no authority of the trusted root issued the certificate")]
    Unknown,
    /// An authority may not issue for this purpose.
    #[error("an authority may not issue certificates for this purpose")]
    Usage,
}

/// Verifies that `authorities`, from the issuer of `leaf` to the anchor, vouch for `leaf` and were
/// all valid at `at`, as was `leaf` (the hybrid model of the Sigstore client specification, 4.2).
///
/// Callers check the usage of `leaf` itself.
///
/// # Errors
/// The first flaw.
pub fn verify(
    leaf: &Certificate,
    authorities: &[Certificate],
    purpose: ObjectIdentifier,
    at: SystemTime,
) -> Result<(), PathError> {
    if authorities.is_empty() {
        return Err(PathError::Unknown);
    }
    if !leaf.validity().contains(at) {
        return Err(PathError::OutsideValidity);
    }
    if !authorities.first().is_some_and(|first| leaf.is_signed_by(first)) {
        return Err(PathError::Signature);
    }
    verify_authorities(authorities, purpose, at)?;
    for authority in authorities {
        names::verify(authority, leaf)?;
    }
    Ok(())
}

/// Verifies that the name constraints of `authorities` allow `name` in a certificate below them.
///
/// # Errors
/// [`PathError::Names`]
pub(crate) fn allow(authorities: &[Certificate], name: &GeneralName) -> Result<(), PathError> {
    for authority in authorities {
        names::allow(authority, name)?;
    }
    Ok(())
}

/// Verifies that `authorities`, from the one that issues to the anchor, could vouch at `at` for
/// certificates of `purpose`: each is signed by the next one, may issue, is valid, and has a name that
/// those above it may issue for. What RFC 5280 exempts, path lengths and name constraints of the anchor
/// itself, counts as well.
///
/// # Errors
/// The first flaw that is found.
pub(crate) fn verify_authorities(
    authorities: &[Certificate],
    purpose: ObjectIdentifier,
    at: SystemTime,
) -> Result<(), PathError> {
    // Those that are not self-issued: the others add no length and no name (RFC 5280 6.1.3 b, 6.1.4 l).
    let mut below: Vec<&Certificate> = Vec::new();
    let mut issued: Option<&Certificate> = None;
    for authority in authorities {
        if issued.is_some_and(|issued| !issued.is_signed_by(authority)) {
            return Err(PathError::Signature);
        }
        may_issue(authority, purpose, below.len())?;
        if !authority.validity().contains(at) {
            return Err(PathError::OutsideValidity);
        }
        for subordinate in &below {
            names::verify(authority, subordinate)?;
        }
        if authority.subject() != authority.issuer() {
            below.push(authority);
        }
        issued = Some(authority);
    }
    Ok(())
}

/// Checks that `authority` may issue for `purpose` with `below` authorities between it and the leaf.
fn may_issue(
    authority: &Certificate,
    purpose: ObjectIdentifier,
    below: usize,
) -> Result<(), PathError> {
    let usage = authority.usage();
    if !usage.ca || usage.key.is_some_and(|key| !key.key_cert_sign()) {
        return Err(PathError::NotAuthority);
    }
    if usage.path_length.is_some_and(|most| usize::from(most) < below) {
        return Err(PathError::PathLength);
    }
    // No standard says that extended key usage is inherited, but all implementations treat it so.
    let allowed = |uses: &[ObjectIdentifier]| {
        uses.iter().any(|found| *found == purpose || *found == ANY_EXTENDED_KEY_USAGE)
    };
    if let Some((_, uses)) = &usage.extended
        && !allowed(uses)
    {
        return Err(PathError::Usage);
    }
    if authority.has_critical_beside(&UNDERSTOOD_OF_AUTHORITY) {
        return Err(PathError::Extension);
    }
    if requires_policies(authority) {
        return Err(PathError::Policies);
    }
    Ok(())
}

/// Without this requirement, no policy decides about a path (RFC 5280 6.1.5 g).
fn requires_policies(authority: &Certificate) -> bool {
    let constraints = authority.extension(POLICY_CONSTRAINTS);
    constraints.is_some_and(|der| {
        let constraints = PolicyConstraints::from_der(der);
        constraints.map_or(true, |found| found.require_explicit_policy.is_some())
    })
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use der::asn1::{Ia5String, ObjectIdentifier};
    use x509_cert::ext::Extension;
    use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
    use x509_cert::ext::pkix::name::GeneralName;
    use x509_cert::ext::pkix::{
        BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, NameConstraints, SubjectAltName,
    };
    use x509_cert::name::Name;

    use super::{PathError, Violation, allow, verify};
    use crate::pki::testing::{Order, extension, raw, second};

    const PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
    const OTHER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

    /// Number 1 is the leaf, 2 its issuer, 3 the anchor.
    fn orders() -> [Order; 3] {
        let order = |subject, issuer, extensions| Order {
            subject,
            issuer,
            seconds: (100, 200),
            extensions,
        };
        let authority = |most| {
            let constraints = BasicConstraints { ca: true, path_len_constraint: most };
            let usage = KeyUsage(KeyUsages::KeyCertSign.into());
            vec![extension(constraints), extension(usage)]
        };
        [order(1, 2, Vec::new()), order(2, 3, authority(Some(0))), order(3, 3, authority(Some(1)))]
    }

    fn judge(orders: &[Order; 3], at: u64) -> Result<(), PathError> {
        let [leaf, issuer, anchor] = orders.each_ref().map(Order::make);
        verify(&leaf, &[issuer, anchor], PURPOSE, second(at))
    }

    #[test]
    fn holds_from_the_first_to_the_last_second() {
        for (at, expected) in [
            (99, Err(PathError::OutsideValidity)),
            (100, Ok(())),
            (200, Ok(())),
            (201, Err(PathError::OutsideValidity)),
        ] {
            assert_eq!(judge(&orders(), at), expected, "{at}");
        }
    }

    #[test]
    fn every_authority_must_be_valid() {
        for number in 1..=2 {
            let mut orders = orders();
            orders[number].seconds = (100, 149);
            assert_eq!(judge(&orders, 150), Err(PathError::OutsideValidity));
        }
    }

    #[test]
    fn every_certificate_is_signed_by_the_next() {
        let [leaf, issuer, anchor] = orders().map(|order| order.make());
        let at = second(150);
        let alone = std::slice::from_ref(&anchor);
        assert_eq!(verify(&leaf, alone, PURPOSE, at), Err(PathError::Signature));
        assert_eq!(verify(&leaf, &[], PURPOSE, at), Err(PathError::Unknown));
        assert_eq!(verify(&leaf, &[anchor, issuer], PURPOSE, at), Err(PathError::Signature));
        // The same name with another key.
        let mut orders = orders();
        orders[1].issuer = 4;
        assert_eq!(judge(&orders, 150), Err(PathError::Signature));
    }

    #[test]
    fn authorities_are_authorities() {
        let constraints =
            |ca, path_len_constraint| extension(BasicConstraints { ca, path_len_constraint });
        let usage = extension(KeyUsage(KeyUsages::DigitalSignature.into()));
        for (number, extensions, expected) in [
            (1, vec![], PathError::NotAuthority),
            (1, vec![constraints(false, None)], PathError::NotAuthority),
            (1, vec![constraints(true, None), usage], PathError::NotAuthority),
            (2, vec![constraints(true, Some(0))], PathError::PathLength),
            (1, vec![constraints(true, None), raw("1.2.3.4", true, b"")], PathError::Extension),
            // requireExplicitPolicy [0] 0, critical or not.
            (
                1,
                vec![constraints(true, None), raw("2.5.29.36", true, b"\x30\x03\x80\x01\x00")],
                PathError::Extension,
            ),
            (
                1,
                vec![constraints(true, None), raw("2.5.29.36", false, b"\x30\x03\x80\x01\x00")],
                PathError::Policies,
            ),
        ] {
            let mut orders = orders();
            orders[number].extensions = extensions;
            assert_eq!(judge(&orders, 150), Err(expected));
        }
    }

    #[test]
    fn authorities_issue_for_their_purpose() {
        for (uses, expected) in [
            (vec![OTHER, PURPOSE], Ok(())),
            (vec![super::ANY_EXTENDED_KEY_USAGE], Ok(())),
            (vec![OTHER], Err(PathError::Usage)),
        ] {
            let mut orders = orders();
            orders[1].extensions.push(extension(ExtendedKeyUsage(uses)));
            assert_eq!(judge(&orders, 150), expected);
        }
    }

    /// Two self-issued certificates are in the place of one authority while its key changes. They count
    /// as none, and the name constraints above them are not for their names (RFC 5280 6.1.3 b, 6.1.4 l).
    #[test]
    fn self_issued_authorities_add_nothing() {
        let orders = orders();
        let [leaf, issuer, anchor] = orders.each_ref().map(Order::make);
        let chain = [issuer, anchor.clone(), anchor];
        assert_eq!(verify(&leaf, &chain, PURPOSE, second(150)), Ok(()));
    }

    fn subtree(base: GeneralName) -> GeneralSubtree {
        GeneralSubtree { base, minimum: 0, maximum: None }
    }

    fn email(text: &str) -> GeneralName {
        GeneralName::Rfc822Name(Ia5String::new(text).unwrap())
    }

    /// A name constraints extension with one permitted and one excluded subtree.
    fn names(permitted: Option<&str>, excluded: Option<&str>) -> Extension {
        let list = |text: Option<&str>| text.map(|text| vec![subtree(email(text))]);
        extension(NameConstraints {
            permitted_subtrees: list(permitted),
            excluded_subtrees: list(excluded),
        })
    }

    /// cosign refuses all of these but the last two, which it accepts.
    #[test]
    fn name_constraints_hold_over_the_whole_path() {
        let not_permitted = Err(PathError::Names(Violation::NotPermitted));
        let excluded = Err(PathError::Names(Violation::Excluded));
        // Of the issuer, of the anchor.
        for number in [1, 2] {
            for critical in [true, false] {
                for (permitted, refused, expected) in [
                    (Some("other.test"), None, not_permitted),
                    (None, Some("example.test"), excluded),
                    (Some("example.test"), Some("joe@example.test"), excluded),
                    (Some("example.test"), Some("other.test"), Ok(())),
                    (Some("joe@example.test"), None, Ok(())),
                ] {
                    let mut orders = orders();
                    let san = SubjectAltName(vec![email("joe@example.test")]);
                    orders[0].extensions.push(extension(san));
                    let mut extension = names(permitted, refused);
                    extension.critical = critical;
                    orders[number].extensions.push(extension);
                    assert_eq!(judge(&orders, 150), expected, "{number} {permitted:?} {refused:?}");
                }
            }
        }
    }

    /// The name of a certificate that is not issued yet is compared with every authority.
    #[test]
    fn a_name_is_allowed_by_every_authority() {
        let not_permitted = Err(PathError::Names(Violation::NotPermitted));
        for (number, permitted, expected) in [
            (1, "example.test", Ok(())),
            (1, "other.test", not_permitted),
            (2, "other.test", not_permitted),
        ] {
            let mut orders = orders();
            orders[number].extensions.push(names(Some(permitted), None));
            let [_, issuer, anchor] = orders.map(|order| order.make());
            let found = allow(&[issuer, anchor], &email("joe@example.test"));
            assert_eq!(found, expected, "{number} {permitted}");
        }
    }

    /// Constraints of the anchor are for the names of the authorities below it, too.
    #[test]
    fn name_constraints_are_for_authorities_too() {
        for (subject, expected) in [
            ("CN=number 2", Ok(())),
            ("CN=Number  2", Ok(())),
            ("CN=number 3", Err(PathError::Names(Violation::NotPermitted))),
            ("O=acme", Err(PathError::Names(Violation::NotPermitted))),
        ] {
            let mut orders = orders();
            let base = GeneralName::DirectoryName(Name::from_str(subject).unwrap());
            orders[2].extensions.push(extension(NameConstraints {
                permitted_subtrees: Some(vec![
                    subtree(base),
                    subtree(GeneralName::DirectoryName(Name::from_str("CN=number 1").unwrap())),
                ]),
                excluded_subtrees: None,
            }));
            assert_eq!(judge(&orders, 150), expected, "{subject}");
        }
    }
}
