// SPDX-License-Identifier: Apache-2.0
//! Compares Fulcio's trust bundle with the trusted root.

use std::time::SystemTime;

use ambisign_host::{Answer, excerpt};
use serde::Deserialize;
use url::Url;

use super::error::{Error, Flaw};
use crate::certificate::CODE_SIGNING;
use crate::pki::path;
use crate::pki::x509::Certificate;
use crate::trust::TrustedRoot;
use crate::trust::root::Authority;

/// The answer of `GET /api/v2/trustBundle`.
#[derive(Deserialize)]
struct Bundle {
    chains: Vec<Chain>,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

/// Whether an authority of `root` vouches at the time for what Fulcio issues, by the trust bundle
/// that is the `answer` of Fulcio at the URL. A bundle that cannot be read says nothing.
///
/// # Errors
/// None does, and why.
pub fn authority(
    answer: &Answer,
    root: &TrustedRoot,
    (url, now): (&Url, SystemTime),
) -> Result<(), Error> {
    let theirs = issuers(answer);
    if theirs.is_empty() {
        return Ok(());
    }
    let is_theirs = |one: &Certificate| theirs.iter().any(|found| same(found, one));
    let mut flaw = None;
    for authority in root.authorities() {
        let at = authority.chain().iter().position(is_theirs);
        let found = match at {
            None => continue,
            Some(0) => vouches(authority, now),
            Some(_) => Err(Flaw::Order),
        };
        match found {
            Ok(()) => return Ok(()),
            Err(found) => flaw = Some(found),
        }
    }
    let url = url.to_string();
    Err(match flaw {
        Some(flaw) => Error::UnusableAuthority { url, flaw },
        None => Error::OtherAuthority {
            url,
            theirs: names(theirs.iter()),
            ours: names(root.authorities().iter().filter_map(|one| one.chain().first())),
        },
    })
}

fn vouches(authority: &Authority, now: SystemTime) -> Result<(), Flaw> {
    if !authority.window().contains(now) {
        return Err(Flaw::Window);
    }
    path::verify_authorities(authority.chain(), CODE_SIGNING, now).map_err(Flaw::Path)
}

/// The certificate of each chain that issues: the first, or the last where the chain is the other way
/// round.
fn issuers(answer: &Answer) -> Vec<Certificate> {
    let bundle: Option<Bundle> = answer.json();
    let chains = bundle.map(|bundle| bundle.chains).unwrap_or_default();
    let issuers = chains.iter().filter_map(|chain| {
        let all: Option<Vec<_>> = chain.certificates.iter().map(|pem| certificate(pem)).collect();
        let mut all = all?;
        let first = all.first()?;
        let issues = all.iter().skip(1).any(|one| one.is_signed_by(first));
        if issues { all.pop() } else { Some(all.swap_remove(0)) }
    });
    issuers.collect()
}

fn certificate(pem: &str) -> Option<Certificate> {
    let (label, der) = der::pem::decode_vec(pem.trim().as_bytes()).ok()?;
    (label == "CERTIFICATE").then(|| Certificate::parse(&der))?
}

/// Whether both are certificates of one authority: who signed them does not matter, as one may be
/// cross-signed.
fn same(one: &Certificate, other: &Certificate) -> bool {
    one.subject() == other.subject() && one.key() == other.key()
}

fn names<'a>(certificates: impl Iterator<Item = &'a Certificate>) -> String {
    let names = certificates.map(|one| format!("{:?}", excerpt(&one.subject().to_string())));
    let names: Vec<_> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
