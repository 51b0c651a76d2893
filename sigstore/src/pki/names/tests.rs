// SPDX-License-Identifier: Apache-2.0
use std::str::FromStr as _;

use der::asn1::{Any, Ia5String, ObjectIdentifier, OctetString, Utf8StringRef};
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::{GeneralName, OtherName};
use x509_cert::name::Name;

use super::{Subtrees, Violation, allow, verify};
use crate::pki::testing::{Order, extension, raw};

fn ia5(text: &str) -> Ia5String {
    Ia5String::new(text).unwrap()
}

fn email(text: &str) -> GeneralName {
    GeneralName::Rfc822Name(ia5(text))
}

fn uri(text: &str) -> GeneralName {
    GeneralName::UniformResourceIdentifier(ia5(text))
}

fn dns(text: &str) -> GeneralName {
    GeneralName::DnsName(ia5(text))
}

fn directory(text: &str) -> GeneralName {
    GeneralName::DirectoryName(Name::from_str(text).unwrap())
}

fn address(bytes: &[u8]) -> GeneralName {
    GeneralName::IpAddress(OctetString::new(bytes).unwrap())
}

fn user(text: &str) -> GeneralName {
    GeneralName::OtherName(OtherName {
        type_id: ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7"),
        value: Any::from(Utf8StringRef::new(text).unwrap()),
    })
}

fn subtree(base: GeneralName) -> GeneralSubtree {
    GeneralSubtree { base, minimum: 0, maximum: None }
}

/// What follows for a name from one permitted subtree, and from one excluded subtree.
fn judge(base: &GeneralName, name: &GeneralName) -> [Result<(), Violation>; 2] {
    let list = vec![subtree(base.clone())];
    let permitted = Subtrees { permitted: list.clone(), excluded: Vec::new() };
    let excluded = Subtrees { permitted: Vec::new(), excluded: list };
    [permitted.allow(name), excluded.allow(name)]
}

const IN: [Result<(), Violation>; 2] = [Ok(()), Err(Violation::Excluded)];
const OUT: [Result<(), Violation>; 2] = [Err(Violation::NotPermitted), Ok(())];
/// Not permitted by RFC 5280, and excluded by other clients: refused in both.
const BELOW: [Result<(), Violation>; 2] = [Err(Violation::NotPermitted), Err(Violation::Excluded)];
const UNCLEAR: [Result<(), Violation>; 2] = [Err(Violation::Unclear); 2];
const UNCONCERNED: [Result<(), Violation>; 2] = [Ok(()); 2];

#[test]
fn emails() {
    for (base, name, expected) in [
        ("example.test", "joe@example.test", IN),
        ("EXAMPLE.test", "joe@Example.TEST", IN),
        ("example.test", "joe@sub.example.test", BELOW),
        (".example.test", "joe@sub.example.test", IN),
        (".example.test", "joe@example.test", OUT),
        ("example.test", "joe@badexample.test", OUT),
        (".example.test", "joe@badexample.test", OUT),
        ("joe@example.test", "joe@EXAMPLE.test", IN),
        ("joe@example.test", "joe@sub.example.test", OUT),
        ("joe@example.test", "eve@example.test", OUT),
        ("joe@example.test", "Joe@example.test", BELOW),
        ("", "joe@example.test", IN),
        ("example.test", "example.test", UNCLEAR),
        ("example.test", "@example.test", UNCLEAR),
        ("example.test", "\"joe\"@example.test", UNCLEAR),
        ("example.test", "joe@[127.0.0.1]", UNCLEAR),
        ("example.test", "joe@example.test.", UNCLEAR),
        ("example..test", "joe@example.test", UNCLEAR),
        ("*.test", "joe@example.test", UNCLEAR),
    ] {
        assert_eq!(judge(&email(base), &email(name)), expected, "{base} {name}");
    }
}

#[test]
fn uris() {
    for (base, name, expected) in [
        ("example.test", "https://example.test/a@b", IN),
        ("example.test", "HTTPS://EXAMPLE.TEST:444/", IN),
        ("example.test", "spiffe://example.test/x", IN),
        ("example.test", "https://eve@example.test", IN),
        ("example.test", "https://example.test@evil.test", OUT),
        ("example.test", "https://sub.example.test", BELOW),
        (".example.test", "https://sub.example.test", IN),
        (".example.test", "https://example.test", OUT),
        ("example.test", "https://badexample.test/example.test", OUT),
        ("", "https://example.test", IN),
        ("example.test", "https://127.0.0.1/", UNCLEAR),
        ("example.test", "https://0x7f.1/", UNCLEAR),
        ("example.test", "x://127.0.0.1/", UNCLEAR),
        ("example.test", "https://[::1]/", UNCLEAR),
        ("example.test", "urn:example.test", UNCLEAR),
        ("example.test", "/example.test", UNCLEAR),
        ("example.test", "https://evil.test\\@example.test", UNCLEAR),
        ("example.test", "https://exa mple.test", UNCLEAR),
        ("example.test", "x://ex%61mple.test/", UNCLEAR),
        ("https://example.test", "https://example.test", UNCLEAR),
    ] {
        assert_eq!(judge(&uri(base), &uri(name)), expected, "{base} {name}");
    }
}

#[test]
fn hosts() {
    for (base, name, expected) in [
        ("example.test", "example.test", IN),
        ("example.test", "a.b.example.test", IN),
        (".example.test", "a.example.test", IN),
        (".example.test", "example.test", OUT),
        ("example.test", "badexample.test", OUT),
        ("", "example.test", IN),
        ("example.test", "a_b.a-b.example.test", IN),
        ("example.test", "*.example.test", UNCLEAR),
        ("example.test", "10.0.0.1", UNCLEAR),
    ] {
        assert_eq!(judge(&dns(base), &dns(name)), expected, "{base} {name}");
    }
}

#[test]
fn directories_and_addresses() {
    for (base, name, expected) in [
        ("O=acme", "CN=x,O=acme", IN),
        ("O=Ac me", "CN=x,O=aC  ME", IN),
        ("O=acme", "CN=x,O=acme2", OUT),
        ("CN=x,O=acme", "O=acme", OUT),
        ("O=é", "O=é", IN),
        ("O=é", "O=É", UNCLEAR),
    ] {
        let (base, name) = (directory(base), directory(name));
        assert_eq!(judge(&base, &name), expected, "{base:?} {name:?}");
    }
    let all = GeneralName::DirectoryName(Name::default());
    assert_eq!(judge(&all, &directory("O=acme")), IN);
    let network = [10, 1, 0, 0, 255, 255, 0, 0];
    for (base, name, expected) in [
        (&network[..], &[10, 1, 2, 3][..], IN),
        (&network, &[10, 2, 2, 3], OUT),
        (&[0; 8], &[10, 2, 2, 3], IN),
        (&[0; 32], &[10, 2, 2, 3], OUT),
        (&network[..7], &[10, 1, 2, 3], UNCLEAR),
        (&network, &[10, 1, 2], UNCLEAR),
    ] {
        assert_eq!(judge(&address(base), &address(name)), expected, "{base:?} {name:?}");
    }
}

/// RFC 5280 4.2.1.10: constraints of another kind do not concern a name; constraints of its kind that
/// cannot be evaluated refuse it.
#[test]
fn kinds_do_not_mix() {
    let all = [
        email("joe@example.test"),
        uri("https://example.test"),
        dns("example.test"),
        directory("O=acme"),
        address(&[10, 1, 2, 3]),
    ];
    for (number, name) in all.iter().enumerate() {
        for (other, base) in all.iter().enumerate().filter(|(other, _)| *other != number) {
            assert_eq!(judge(base, name), UNCONCERNED, "{other} {number}");
        }
        assert_eq!(judge(&user("joe"), name), UNCONCERNED);
    }
    assert_eq!(judge(&user("joe"), &user("eve")), UNCLEAR);
    for (minimum, maximum) in [(1, None), (0, Some(1)), (0, Some(0))] {
        let base = dns("example.test");
        let permitted = vec![GeneralSubtree { base, minimum, maximum }];
        let subtrees = Subtrees { permitted, excluded: Vec::new() };
        assert_eq!(subtrees.allow(&dns("example.test")), Err(Violation::Unclear));
    }
}

/// An e-mail address in the subject counts where there is no alternative name (RFC 5280 4.2.1.10).
#[test]
fn what_cannot_be_read_is_refused() {
    let made = |extensions| Order { subject: 1, issuer: 2, seconds: (1, 2), extensions }.make();
    let plain = made(Vec::new());
    for (der, expected) in [
        (&b""[..], Violation::Unreadable),
        (b"\x30\x00", Violation::Unreadable),
        (b"\x30\x02\xa0\x00", Violation::Unreadable),
        // x400Address
        (b"\x30\x06\xa0\x04\x30\x02\xa3\x00", Violation::Unreadable),
    ] {
        let authority = made(vec![raw("2.5.29.30", false, der)]);
        assert_eq!(verify(&authority, &plain), Err(expected), "{der:?}");
    }
    let constraints = extension(x509_cert::ext::pkix::NameConstraints {
        permitted_subtrees: Some(vec![subtree(dns("example.test"))]),
        excluded_subtrees: None,
    });
    let authority = made(vec![constraints]);
    assert_eq!(verify(&authority, &plain), Ok(()));
    assert_eq!(allow(&authority, &dns("example.test")), Ok(()));
    assert_eq!(allow(&authority, &dns("other.test")), Err(Violation::NotPermitted));
    assert_eq!(allow(&plain, &dns("other.test")), Ok(()));
    let odd = made(vec![raw("2.5.29.17", true, b"\x30\x02\xa3\x00")]);
    assert_eq!(verify(&authority, &odd), Err(Violation::Unreadable));
}
