// SPDX-License-Identifier: Apache-2.0
//! The signing certificate of Fulcio and its profile (fulcio `docs/certificate-specification.md`).

use std::time::{Duration, SystemTime};

use ambisign_host::errors;
use der::asn1::ObjectIdentifier;

use super::claims;
use super::names;
use crate::pki::path::{PathError, UNDERSTOOD};
use crate::pki::x509::{Certificate, SUBJECT_ALT_NAME};

pub(crate) const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
errors! {
    /// A signing certificate is not acceptable.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum CertificateError {
        #[error("the signing certificate is valid for {} s, and at most {} s are accepted", life.as_secs(), longest.as_secs())]
        Lifetime { life: Duration, longest: Duration } = "fulcio/lifetime", Untrusted | Rejected {
            what: "The certificate is valid for longer than certificates without revocation may be.",
            why: "Keys that are never stored are safe because their certificates expire within minutes. A longer-lived one would have to be revoked, which is not checked.",
            advice: "Check which instance issued the certificate.",
        },
        /// It is not a certificate.
        #[error("the signing certificate cannot be read")]
        Malformed = "fulcio/malformed", Untrusted | Rejected {
            what: "The certificate cannot be read.",
            why: "It is damaged, or it is not an X.509 certificate.",
            advice: "Check which instance answered, or take the bundle from its source again.",
        },
        #[error("the signing certificate was not valid at the time of the signature")]
        OutsideValidity = "fulcio/outside-validity", Untrusted | Rejected {
            what: "The certificate was not valid when the signature was made.",
            why: "A proven time is before or after the ten minutes of its validity.",
            advice: "Check the clock of the machine that signs, and sign again.",
        },
        #[error("the signing certificate {why}")]
        Profile { why: &'static str } = "fulcio/profile", Untrusted | Rejected {
            what: "The certificate is not a code signing certificate of Fulcio.",
            why: "Its key usage, names or extensions differ from Fulcio's profile.",
            advice: "Check which instance the certificate is of.",
        },
        #[error("no trusted certificate transparency log vouches for the signing certificate: {why}")]
        Sct { why: &'static str } = "fulcio/sct", Untrusted | Rejected {
            what: "No log that you trust has promised to publish the certificate.",
            why: "A certificate outside of the logs could be misused unnoticed. A wrong trusted root has the same effect.",
            advice: "Check that the trusted root and Fulcio belong to the same instance.",
        },
        #[error("the signing certificate is not issued by a trusted authority")]
        UntrustedChain {
            #[source]
            flaw: PathError,
        } = "fulcio/untrusted-chain", Untrusted | Rejected {
            fix: of_chain(*flaw),
            what: "The certificate was issued by an authority that is not in the trusted root.",
            why: "Usually the trusted root and the certificate belong to different instances, such as staging and production.",
            advice: "Use the trusted root of the instance that signed.",
        },
    }
}

/// The fix of a path that does not verify.
fn of_chain(flaw: PathError) -> &'static str {
    match flaw {
        PathError::Names(_) => {
            "have it issued for a name that the name constraints of the authority allow"
        }
        PathError::Extension | PathError::Policies => {
            "have it issued by an authority without that extension"
        }
        PathError::NotAuthority
        | PathError::OutsideValidity
        | PathError::PathLength
        | PathError::Signature
        | PathError::Unknown
        | PathError::Usage => "use a current trusted root of the Fulcio instance",
    }
}

/// A certificate with the profile of Fulcio's signing certificates. It is not verified until
/// [`SigningCertificate::trusted`] or [`crate::verify`] accepts it.
#[derive(Clone, Debug)]
pub struct SigningCertificate {
    certificate: Certificate,
    san: String,
    issuer: String,
}

impl SigningCertificate {
    /// Reads a DER certificate and checks the profile: it is not an authority, is for code signing and
    /// digital signatures, has exactly one name and an issuer, and has no other critical extension.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] and [`CertificateError::Profile`].
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = Certificate::parse(der).ok_or(CertificateError::Malformed)?;
        let profile = |why| CertificateError::Profile { why };
        let usage = certificate.usage();
        if usage.ca || usage.key.is_some_and(|key| key.key_cert_sign()) {
            return Err(profile("belongs to a certificate authority"));
        }
        if !usage.key.is_some_and(|key| key.digital_signature()) {
            return Err(profile("is not for digital signatures"));
        }
        let signs_code = usage.extended.as_ref().map(|(_, uses)| uses.contains(&CODE_SIGNING));
        if signs_code != Some(true) {
            return Err(profile("is not for code signing"));
        }
        let [known, also, too] = UNDERSTOOD;
        if certificate.has_critical_beside(&[known, also, too, SUBJECT_ALT_NAME]) {
            return Err(profile("has an unknown critical extension"));
        }
        let san = names::read(&certificate).map_err(profile)?;
        let issuer = claims::issuer(&certificate).map_err(profile)?;
        claims::agree(&certificate).map_err(profile)?;
        Ok(Self { certificate, san, issuer })
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// The key as DER `SubjectPublicKeyInfo`.
    pub fn spki_der(&self) -> &[u8] {
        self.certificate.key().spki()
    }

    /// The first second of the validity.
    pub fn not_before(&self) -> SystemTime {
        self.certificate.validity().start()
    }

    /// The last second of the validity.
    pub fn not_after(&self) -> SystemTime {
        self.certificate.not_after()
    }

    /// Returns `true` if `time` is within the validity, both ends included.
    pub fn is_valid_at(&self, time: SystemTime) -> bool {
        self.certificate.validity().contains(time)
    }

    /// The identity: the one name of the certificate.
    pub fn san(&self) -> &str {
        &self.san
    }

    /// The issuer of the identity token, as Fulcio names it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The certificate without its profile.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use der::asn1::Ia5String;
    use x509_cert::ext::Extension;
    use x509_cert::ext::pkix::name::GeneralName;
    use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};

    use super::{CODE_SIGNING, SigningCertificate};
    use crate::pki::testing::{Order, extension, raw};

    pub(super) fn email(text: &str) -> GeneralName {
        GeneralName::Rfc822Name(Ia5String::new(text).unwrap())
    }

    /// The extensions of a good certificate: key usage, extended, name, issuer.
    pub(crate) fn good() -> Vec<Extension> {
        let mut name = extension(SubjectAltName(vec![email("a@example.test")]));
        name.critical = true;
        vec![
            extension(KeyUsage(KeyUsages::DigitalSignature.into())),
            extension(ExtendedKeyUsage(vec![CODE_SIGNING])),
            name,
            raw("1.3.6.1.4.1.57264.1.1", false, b"https://new"),
            raw("1.3.6.1.4.1.57264.1.8", false, b"\x0c\x0bhttps://new"),
        ]
    }

    pub(crate) fn order(extensions: Vec<Extension>) -> Order {
        Order { subject: 1, issuer: 2, seconds: (100, 700), extensions }
    }

    /// A good certificate, valid between these seconds.
    pub(crate) fn certificate(seconds: (u64, u64)) -> SigningCertificate {
        let order = Order { seconds, ..order(good()) };
        SigningCertificate::parse(&order.der()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ambisign_host::Explain as _;
    use der::asn1::{Any, ObjectIdentifier, Utf8StringRef};
    use x509_cert::ext::Extension;
    use x509_cert::ext::pkix::name::{GeneralName, OtherName};
    use x509_cert::ext::pkix::{
        BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    };

    use super::super::chain;
    use super::super::names::OTHER_NAME;
    use super::testing::{certificate, email, good, order};
    use super::{CertificateError, SigningCertificate};
    use crate::bundle::Bundle;
    use crate::pki::names::Violation;
    use crate::pki::path::PathError;
    use crate::pki::testing::{extension, public_key, raw, second, sign};
    use crate::trust::TrustedRoot;

    const PRODUCTION: &[u8] =
        include_bytes!("../../../tests/vectors/roots/production/trusted_root.json");
    const STAGING: &[u8] = include_bytes!("../../../tests/vectors/roots/staging/trusted_root.json");
    const REAL: &[u8] =
        include_bytes!("../../../tests/vectors/bundle-verify/happy-path-v0.3/bundle.sigstore.json");

    fn real() -> SigningCertificate {
        SigningCertificate::parse(Bundle::parse(REAL).unwrap().certificate().unwrap()).unwrap()
    }

    fn parse(extensions: Vec<Extension>) -> Result<SigningCertificate, CertificateError> {
        SigningCertificate::parse(&order(extensions).der())
    }

    #[test]
    fn reads_the_profile() {
        let certificate = parse(good()).unwrap();
        assert_eq!(certificate.san(), "a@example.test");
        assert_eq!(certificate.issuer(), "https://new");
        assert_eq!(certificate.not_before(), second(100));
        assert_eq!(certificate.not_after(), second(700));
        let mut older = good();
        older.pop();
        assert_eq!(parse(older).unwrap().issuer(), "https://new");
        let mut newer = good();
        newer.remove(3);
        assert_eq!(parse(newer).unwrap().issuer(), "https://new");
    }

    #[test]
    fn reads_the_name_of_a_user() {
        let name = |type_id| {
            GeneralName::OtherName(OtherName {
                type_id,
                value: Any::from(Utf8StringRef::new("joe!example.test").unwrap()),
            })
        };
        let with = |name| {
            let mut extensions = good();
            extensions[2] = extension(SubjectAltName(vec![name]));
            parse(extensions)
        };
        assert_eq!(with(name(OTHER_NAME)).unwrap().san(), "joe!example.test");
        let other = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.9");
        assert!(with(name(other)).is_err());
    }

    #[test]
    fn refuses_other_profiles() {
        type Change = fn(&mut Vec<Extension>);
        let authority = |e: &mut Vec<_>| {
            e.push(extension(BasicConstraints { ca: true, path_len_constraint: None }));
        };
        let changes: [Change; 9] = [
            authority,
            |e| drop(e.remove(0)),
            |e| e[0] = extension(KeyUsage(KeyUsages::KeyAgreement.into())),
            |e| e[0] = extension(KeyUsage(KeyUsages::DigitalSignature | KeyUsages::KeyCertSign)),
            |e| drop(e.remove(1)),
            |e| e[1] = extension(ExtendedKeyUsage(vec![OTHER_NAME])),
            |e| drop(e.remove(2)),
            |e| e[2] = extension(SubjectAltName(vec![email("a@b.c"), email("d@e.f")])),
            |e| e.truncate(3),
        ];
        for change in changes {
            let mut extensions = good();
            change(&mut extensions);
            let error = parse(extensions).unwrap_err();
            assert!(matches!(error, CertificateError::Profile { .. }), "{error:?}");
        }
        let mut critical = good();
        critical.push(raw("1.2.3.4", true, b""));
        assert!(matches!(parse(critical), Err(CertificateError::Profile { .. })));
        let mut twice = good();
        twice.extend(good());
        assert_eq!(parse(twice).unwrap_err(), CertificateError::Malformed);
    }

    #[test]
    fn trusts_a_real_certificate_with_its_root_only() {
        let certificate = real();
        let production = TrustedRoot::parse(PRODUCTION).unwrap();
        assert_eq!(certificate.trusted(&production), Ok(()));
        let flaw = PathError::Unknown;
        let staging = TrustedRoot::parse(STAGING).unwrap();
        let error = certificate.trusted(&staging).unwrap_err();
        assert_eq!(error, CertificateError::UntrustedChain { flaw });
        let late = certificate.not_after() + Duration::from_secs(1);
        let error = chain::verify(&certificate, &production, late).unwrap_err();
        assert_eq!(error, CertificateError::OutsideValidity);
    }

    #[test]
    fn lives_short_in_the_public_instance() {
        let production = TrustedRoot::parse(PRODUCTION).unwrap();
        let staging = TrustedRoot::parse(STAGING).unwrap();
        let unknown = CertificateError::UntrustedChain { flaw: PathError::Unknown };
        let long = CertificateError::Lifetime {
            life: Duration::from_secs(901),
            longest: Duration::from_secs(900),
        };
        for (root, life, error) in
            [(&production, 900, unknown), (&production, 901, long), (&staging, 901, unknown)]
        {
            let found = certificate((100, 100 + life)).trusted(root);
            assert_eq!(found, Err(error), "{life}");
        }
    }

    #[test]
    fn needs_a_promise() {
        let text = String::from_utf8(PRODUCTION.to_vec()).unwrap();
        // Without CT logs, and with a CT log that ended before the certificate.
        let without = text.replace("\"ctlogs\"", "\"other\"");
        let mut ended: serde_json::Value = serde_json::from_str(&text).unwrap();
        for log in ended["ctlogs"].as_array_mut().unwrap() {
            log["publicKey"]["validFor"]["end"] = "2022-12-31T00:00:00Z".into();
        }
        for json in [without, ended.to_string()] {
            let root = TrustedRoot::parse(json.as_bytes()).unwrap();
            let error = real().trusted(&root).unwrap_err();
            assert!(matches!(error, CertificateError::Sct { .. }), "{error:?}");
        }
    }

    #[test]
    fn verifies_signatures_of_its_key_alone() {
        let certificate = certificate((100, 700));
        assert_eq!(certificate.spki_der(), public_key(1).spki());
        for (key, message, good) in
            [(1, b"message", true), (1, b"another", false), (2, b"message", false)]
        {
            let signature = sign(key, b"message");
            assert_eq!(certificate.verify(message, &signature), good);
        }
        for (second_of, valid) in [(99, false), (100, true), (700, true), (701, false)] {
            assert_eq!(certificate.is_valid_at(second(second_of)), valid, "{second_of}");
        }
    }

    /// A current trusted root helps only where the authority is unknown or no longer trusted.
    #[test]
    fn the_fix_of_a_path_fits_its_flaw() {
        for (flaw, words) in [
            (PathError::Names(Violation::Excluded), "a name that the name constraints"),
            (PathError::Extension, "without that extension"),
            (PathError::Policies, "without that extension"),
            (PathError::Unknown, "current trusted root"),
            (PathError::OutsideValidity, "current trusted root"),
        ] {
            let fix = CertificateError::UntrustedChain { flaw }.fix().unwrap();
            assert!(fix.contains(words), "{flaw}: {fix}");
        }
    }

    #[test]
    fn pem_has_lines_of_64_characters() {
        let pem = real().pem().unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
        assert!(pem.ends_with("\n-----END CERTIFICATE-----\n"));
        assert_eq!(pem.lines().nth(1).unwrap().len(), 64);
    }
}
