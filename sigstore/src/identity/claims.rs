// SPDX-License-Identifier: Apache-2.0
//! The claims of an identity token (RFC 7519), read and not verified.

use std::time::{Duration, SystemTime};

use ambisign_host::{excerpt, json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::error::IdentityError;

/// The longest accepted token, in bytes.
const LONGEST_TOKEN: usize = 16 * 1024;
/// The shortest remaining life of a token. A shorter one would expire before Fulcio sees it.
const SHORTEST_LIFE: Duration = Duration::from_secs(30);
/// How far in the future a token may begin before the clock counts as wrong.
const CLOCK_LEEWAY: Duration = Duration::from_secs(60);

/// The payload of a compact JWS. It counts the dots before splitting, so that a hostile token cannot
/// cause work.
pub(super) fn claims(token: &str) -> Result<Map<String, Value>, IdentityError> {
    let length = token.len();
    let no = |why| Err(IdentityError::NotAJwt { why, length });
    if length > LONGEST_TOKEN {
        return no("it is too long");
    }
    if token.bytes().filter(|byte| *byte == b'.').count() != 2 {
        return no("it does not have three parts");
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next())
    else {
        return no("it does not have three parts");
    };
    let Some(header) = object(header) else {
        return no("its header is not a JSON object");
    };
    match header.get("alg") {
        Some(Value::String(alg)) if !alg.eq_ignore_ascii_case("none") => {}
        Some(_) | None => return no("it names no signature algorithm"),
    }
    if signature.is_empty() || URL_SAFE_NO_PAD.decode(signature).is_err() {
        return no("its signature is not base64url");
    }
    if object(payload).is_none() {
        return no("its payload is not a JSON object with distinct keys");
    }
    jsonwebtoken::dangerous::insecure_decode_claims(token)
        .or_else(|_reason| no("its payload is not a JSON object"))
}

fn object(part: &str) -> Option<Map<String, Value>> {
    json::parse(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The issuer, which must be an https URL without query or fragment.
pub(super) fn issuer(claims: &Map<String, Value>) -> Result<String, IdentityError> {
    let issuer = text(claims, "iss").unwrap_or_default();
    let url = url::Url::parse(issuer).ok().filter(|url| {
        ambisign_host::plain_http_allowed(url)
            && url.query().is_none()
            && url.fragment().is_none()
            // Issuers are compared as text, so refuse anything that a URL parser would normalize. Only the slash
            // of an empty path may be missing.
            && url.as_str().strip_prefix(issuer).is_some_and(|rest| matches!(rest, "" | "/"))
            && issuer.len() <= 512
    });
    match url {
        Some(_) => Ok(issuer.to_owned()),
        None => Err(IdentityError::Issuer { issuer: excerpt(issuer) }),
    }
}

/// The audiences: one or several.
pub(super) fn audiences(claims: &Map<String, Value>) -> Vec<String> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => {
            many.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

/// Refuses a token that is not valid now or expires too soon.
pub(super) fn check_times(
    issuer: &str,
    claims: &Map<String, Value>,
    now: SystemTime,
) -> Result<(), IdentityError> {
    let Some(expires) = time(claims, "exp") else {
        return Err(IdentityError::MissingClaim { issuer: issuer.to_owned(), claim: "exp" });
    };
    let left = expires.duration_since(now).unwrap_or_default();
    if left < SHORTEST_LIFE {
        let ago = now.duration_since(expires).unwrap_or_default();
        let fresh = false;
        return Err(IdentityError::Expired { ago, left, fresh });
    }
    for claim in ["nbf", "iat"] {
        let ahead = time(claims, claim).and_then(|time| time.duration_since(now).ok());
        if let Some(by) = ahead.filter(|by| *by > CLOCK_LEEWAY) {
            return Err(IdentityError::NotYetValid { by });
        }
    }
    Ok(())
}

/// A NumericDate (RFC 7519 2): seconds, possibly with a fraction.
pub(super) fn time(claims: &Map<String, Value>, claim: &str) -> Option<SystemTime> {
    let seconds = claims.get(claim)?.as_f64().filter(|s| (0.0..1e11).contains(s))?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs_f64(seconds))
}

/// The claim, if it is a non-empty string.
pub(super) fn text<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a str> {
    claims.get(claim)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::issuer;

    /// Change 29475 of seed 16 of the campaign: `https:/+accounts.google.com` was taken for an issuer.
    #[test]
    fn an_issuer_that_a_parser_would_write_otherwise_is_refused() {
        let is_taken =
            |text: &str| issuer(&Map::from_iter([("iss".to_owned(), json!(text))])).is_ok();
        for text in [
            "https://accounts.google.com",
            "https://accounts.google.com/",
            "https://oidc.eks.eu-west-1.amazonaws.com/id/4D1A8F",
            "https://issuer.example:8443/a/b/",
            "http://127.0.0.1:5556/dex",
        ] {
            assert!(is_taken(text), "{text}");
        }
        for text in [
            "https:/+accounts.google.com",
            "https:accounts.google.com",
            "https:///accounts.google.com",
            "https:\\\\accounts.google.com",
            "https://accounts.google.com\\a",
            "HTTPS://accounts.google.com",
            "https://Accounts.google.com",
            "https://accounts.google.com:443",
            "https://accounts.google.com/a/../b",
            "https://acc\u{fc}ounts.google.com",
            "https://accounts.google.com/a b",
            " https://accounts.google.com",
        ] {
            assert!(!is_taken(text), "{text}");
        }
    }
}
