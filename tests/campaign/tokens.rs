// SPDX-License-Identifier: Apache-2.0
//! Identity tokens. No signature is checked, because Fulcio does that, so any claims may change that do not decide
//! whether a token is ours: an accepted one is for our audience, is valid now, and has an issuer and a subject. A
//! predicted certificate has the issuer of the token and, for GitHub, its workflow.

use std::time::UNIX_EPOCH;

use ambisign_host::Token;
use ambisign_sigstore::identity::{Identity, Prediction};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Judged;
use crate::fuzz::holds::{check_error, strict};
use crate::fuzz::{seeds, targets};
use crate::mutate::mutate;
use crate::random::Random;

const GITHUB: &str = "https://token.actions.githubusercontent.com";

pub(crate) fn token(random: &mut Random) -> Judged {
    // A zero byte marks claims.
    let seeds =
        seeds::of("token").into_iter().filter_map(|seed| Some(seed.strip_prefix(&[0])?.to_vec()));
    let seeds: Vec<Value> = seeds.map(|seed| serde_json::from_slice(&seed).unwrap()).collect();
    let (claims, other) = (random.one_of(&seeds), random.one_of(&seeds));
    let (kind, claims) = mutate(claims, other, random);
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": "1"});
    let header = match random.once_in(8) {
        true => mutate(&header, other, random).1,
        false => header.to_string().into_bytes(),
    };
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let ends = ["c2ln", "c2ln", "c2ln", "c2ln", "c2ln", "", "c2ln=", "c2ln.c2ln", "*"];
    let text = format!("{}.{}.{}", part(&header), part(&claims), random.one_of(&ends));
    let Some(token) = Token::new(&text) else {
        return Judged { kind, is_accepted: Some(false), finding: None };
    };
    match Identity::parse(token, "sigstore", targets::now()) {
        Ok(identity) => {
            strict(&claims);
            strict(&header);
            let found: Value = serde_json::from_slice(&claims).unwrap();
            let header: Value = serde_json::from_slice(&header).unwrap();
            let finding = odd(&found, &header, &identity);
            let finding = finding.map(|why| format!("{why}: {found}"));
            Judged { kind, is_accepted: Some(true), finding }
        }
        Err(error) => {
            check_error(&error);
            Judged { kind, is_accepted: Some(false), finding: None }
        }
    }
}

/// Why a token with these claims is not ours.
fn odd(claims: &Value, header: &Value, identity: &Identity) -> Option<&'static str> {
    let now = targets::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let audience = &claims["aud"];
    let is_ours = match audience.as_array() {
        Some(all) => all.iter().any(|one| one == "sigstore"),
        None => audience == "sigstore",
    };
    let issuer = claims["iss"].as_str().unwrap_or_default();
    let early =
        |name: &str| claims[name].as_f64().is_some_and(|time| time < 1e11 && time > now + 60.0);
    let algorithm = header["alg"].as_str().unwrap_or("none");
    let is_predicted = match identity.prediction() {
        Prediction::Unknown => issuer != GITHUB,
        Prediction::Known { san, issuer: by } => {
            let workflow = claims["job_workflow_ref"].as_str().unwrap_or_default();
            by == issuer && (issuer != GITHUB || *san == format!("https://github.com/{workflow}"))
        }
    };
    [
        (!is_ours, "it is for another audience"),
        (!issuer.starts_with("https://"), "its issuer is not a URL"),
        (identity.issuer() != issuer, "its issuer is another"),
        (claims["sub"].as_str().is_none_or(str::is_empty), "it has no subject"),
        (claims["exp"].as_f64().is_none_or(|end| end < now + 30.0), "it has expired"),
        (early("nbf") || early("iat"), "it is not valid yet"),
        (algorithm.eq_ignore_ascii_case("none"), "it is not signed"),
        (!is_predicted, "its certificate is predicted wrongly"),
    ]
    .into_iter()
    .find_map(|(is_odd, why)| is_odd.then_some(why))
}
