// SPDX-License-Identifier: Apache-2.0
//! Timestamps of signatures (RFC 3161).

mod identifier;
mod token;

use std::time::SystemTime;

use ambisign_host::errors;
use der::asn1::ObjectIdentifier;

use crate::certificate::Verifier;
use crate::pki::path::{self, PathError, UNDERSTOOD};
use crate::pki::x509::Certificate;
use crate::timestamp::token::{ParseError, Token};
use crate::trust::TrustedRoot;
use crate::trust::root::Authority;

const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

errors! {
    /// A timestamp does not verify.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum TimestampError {
        #[error("the timestamp is not for this signature")]
        Imprint = "timestamp/imprint", Untrusted | Rejected {
            what: "The timestamp is for another signature.",
            why: "Two timestamps were mixed up.",
            advice: "Do not rely on it; sign again if it is yours.",
        },
        #[error("the timestamp is malformed: {why}")]
        Malformed { why: &'static str } = "timestamp/malformed", Untrusted | Rejected {
            fix: "check the URL of the timestamp authority, including its path, and that no proxy answers instead",
            what: "The timestamp cannot be read.",
            why: "It was changed in transit, or the URL is not that of a timestamp authority.",
            advice: "Check the URL of the authority, including its path.",
        },
        #[error("the timestamp is not for this request: the nonce differs")]
        Nonce = "timestamp/nonce", Untrusted | Rejected {
            what: "The timestamp is the answer to another request.",
            why: "A cache or an attacker replayed an old answer.",
            advice: "Check the proxies between this machine and the authority.",
        },
        #[error("the timestamp is outside the validity of the signing certificate")]
        OutsideValidity = "timestamp/outside-validity", Untrusted | Rejected {
            what: "The time of the timestamp is outside the validity of the certificate.",
            why: "The clock of the authority or of Fulcio is wrong.",
            advice: "Sign again; check the clocks of a private instance.",
        },
        /// The authority did not grant the request.
        #[error("the timestamp authority did not grant the request (status {status})")]
        Refused {
            /// The `PKIStatus`.
            status: u8,
        } = also "timestamp/refused", Untrusted { fix: "run again; check the URL, its path included" },
        #[error("the signature of the timestamp does not verify")]
        Signature = "timestamp/signature", Untrusted | Rejected {
            what: "The signature of the timestamp is wrong.",
            why: "It was changed in transit.",
            advice: "Do not rely on it; sign again if it is yours.",
        },
        #[error("the timestamp was not made by a trusted authority")]
        UntrustedChain {
            #[source]
            flaw: PathError,
        } = "timestamp/untrusted-chain", Untrusted | Rejected {
            what: "The timestamp was made by an authority that is not in the trusted root.",
            why: "Usually the trusted root and the timestamp belong to different instances, such as staging and production.",
            advice: "Use the trusted root that lists this authority.",
        },
    }
}

/// The signature that a timestamp must be for.
#[derive(Clone, Copy, Debug)]
pub struct Stamped<'a> {
    /// The signature, raw.
    pub signature: &'a [u8],
    /// The nonce of the request, big-endian, if the timestamp was just requested.
    pub nonce: Option<&'a [u8]>,
    /// The certificate or the key of the signature.
    pub verifier: Verifier<'a>,
}

/// A verified timestamp of a signature.
#[derive(Clone, Debug)]
pub struct Timestamp {
    der: Vec<u8>,
    /// The signed attributes.
    signed: Vec<u8>,
    time: SystemTime,
    authority: String,
    operator: String,
}

impl Timestamp {
    /// Verifies the DER `TimeStampResp` of a timestamp authority (RFC 3161 2.2 and 2.3; gate G7):
    /// it is granted, is for this signature and this request, is signed by an authority of `root` that
    /// was trusted at that time, and is within the validity of the signing certificate.
    ///
    /// The trusted root determines the authority. Certificates in a token are not used to choose one;
    /// but if there are any, the authority's must be among them.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(
        response_der: &[u8],
        stamped: &Stamped<'_>,
        root: &TrustedRoot,
    ) -> Result<Self, TimestampError> {
        let token = Token::parse(response_der).map_err(|flaw| match flaw {
            ParseError::Malformed(why) => TimestampError::Malformed { why },
            ParseError::Status(status) => TimestampError::Refused { status },
        })?;
        let (hash, digest) = &token.imprint;
        if hash.digest(stamped.signature) != *digest {
            return Err(TimestampError::Imprint);
        }
        if let Some(nonce) = stamped.nonce
            && token.nonce.as_deref() != Some(&integer(nonce))
        {
            return Err(TimestampError::Nonce);
        }
        let authority = signer(&token, root)?;
        if !stamped.verifier.is_valid_at(token.time) {
            return Err(TimestampError::OutsideValidity);
        }
        Ok(Self {
            der: response_der.to_vec(),
            signed: token.signed,
            time: token.time,
            authority: authority.uri().to_owned(),
            operator: authority.operator().to_owned(),
        })
    }

    /// The whole response, in DER, as it is stored in a bundle.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Returns `true` if both are the same timestamp. Their bytes may differ in parts that are not signed.
    pub fn is(&self, other: &Self) -> bool {
        self.authority == other.authority && self.signed == other.signed
    }

    /// The time.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// The URI of the authority in the trusted root.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The operator of the authority.
    pub fn operator(&self) -> &str {
        &self.operator
    }
}

/// The authority that made the token and was trusted at its time.
fn signer<'r>(token: &Token, root: &'r TrustedRoot) -> Result<&'r Authority, TimestampError> {
    let mut flaw = TimestampError::UntrustedChain { flaw: PathError::Unknown };
    for authority in root.timestamp_authorities() {
        let Some((own, above)) = authority.chain().split_first() else {
            continue;
        };
        if !token.names(own) {
            continue;
        }
        // An authority can be listed several times with different windows, so try the next one.
        if !token.is_signed_by(own) {
            flaw = TimestampError::Signature;
            continue;
        }
        match trusted(authority, own, above, token.time) {
            Ok(()) => return Ok(authority),
            Err(found) => flaw = TimestampError::UntrustedChain { flaw: found },
        }
    }
    Err(flaw)
}

/// Checks that the certificate that signed may make timestamps (RFC 3161 2.3) and was trusted at
/// `time`. It may have expired since.
fn trusted(
    authority: &Authority,
    own: &Certificate,
    above: &[Certificate],
    time: SystemTime,
) -> Result<(), PathError> {
    let usage = own.usage();
    let stamps = matches!(&usage.extended, Some((true, uses)) if *uses == [TIME_STAMPING]);
    let signs = usage.key.is_none_or(|key| key.digital_signature() || key.non_repudiation());
    if usage.ca || !stamps || !signs || own.has_critical_beside(&UNDERSTOOD) {
        return Err(PathError::Usage);
    }
    path::verify(own, above, TIME_STAMPING, time)?;
    if authority.window().contains(time) { Ok(()) } else { Err(PathError::OutsideValidity) }
}

/// The content of a DER INTEGER with this value: no leading zeros, except one before a high bit.
fn integer(big_endian: &[u8]) -> Vec<u8> {
    let start = big_endian.iter().position(|byte| *byte != 0);
    let digits = start.and_then(|start| big_endian.get(start..)).unwrap_or(&[]);
    match digits.first() {
        Some(first) if *first < 0x80 => digits.to_vec(),
        Some(_) | None => [&[0], digits].concat(),
    }
}

#[cfg(test)]
mod tests;
