// SPDX-License-Identifier: Apache-2.0
//! The identity in a token: its claims, and the identity that a certificate for it will have.

mod claimed;
mod claims;
mod error;
mod place;
pub mod prediction;

use std::time::SystemTime;

use ambisign_host::{Token, excerpt};
use serde_json::{Map, Value};

use self::claims::{audiences, check_times, claims, issuer, text, time};
pub use error::IdentityError;
pub use place::TokenPlace;
pub use prediction::Prediction;

/// The claims of GitHub and GitLab with the visibility of a repository.
const VISIBILITIES: [&str; 2] = ["repository_visibility", "project_visibility"];
/// The visibility of public repositories.
const PUBLIC: &str = "public";

/// An identity token whose claims are readable, for our audience, and not expired.
///
/// The token's signature is **not** checked. Fulcio does that, and its certificate is compared with
/// [`Identity::prediction`].
#[derive(Debug)]
pub struct Identity {
    token: Token,
    issuer: String,
    subject: String,
    audiences: Vec<String>,
    claims: Map<String, Value>,
    prediction: Prediction,
    insisted: [Option<String>; 2],
    place: Option<TokenPlace>,
}

/// A difference between a certificate and a token.
pub(crate) struct Mismatch {
    /// `identity` or `issuer`.
    pub(crate) what: &'static str,
    /// What the certificate says.
    pub(crate) found: String,
    /// The expected value; `None` if it is only known that it must consist of claims.
    pub(crate) expected: Option<String>,
}

impl Identity {
    /// Reads the claims of `token` and checks them at the time `now`.
    ///
    /// # Errors
    /// The token is not a JWT (RFC 7519), is not for `audience`, is not valid now, or lacks a claim that
    /// certificates for its issuer need.
    pub fn parse(token: Token, audience: &str, now: SystemTime) -> Result<Self, IdentityError> {
        let claims = claims(token.expose())?;
        let issuer = issuer(&claims)?;
        let audiences = audiences(&claims);
        if !audiences.iter().any(|found| found == audience) {
            let found = audiences.iter().take(8).map(|one| excerpt(one)).collect();
            return Err(IdentityError::Audience { found, wanted: audience.to_owned() });
        }
        check_times(&issuer, &claims, now)?;
        let Some(subject) = text(&claims, "sub") else {
            return Err(IdentityError::MissingClaim { issuer, claim: "sub" });
        };
        let prediction = prediction::predict(&issuer, &claims)?;
        Ok(Self {
            token,
            issuer,
            subject: subject.to_owned(),
            audiences,
            claims,
            prediction,
            insisted: [None, None],
            place: None,
        })
    }

    /// Sets where somebody put the token, for messages.
    #[must_use]
    pub fn of_place(mut self, place: Option<TokenPlace>) -> Self {
        self.place = place;
        self
    }

    /// Where somebody put the token; `None` if it was requested.
    pub(crate) fn place(&self) -> Option<&TokenPlace> {
        self.place.as_ref()
    }

    /// Sets the identity and issuer that the user expects in the certificate. If nothing can be
    /// predicted, because a private Fulcio has its own rules, a certificate with these is accepted.
    #[must_use]
    pub fn insisting(mut self, identity: Option<&str>, issuer: Option<&str>) -> Self {
        self.insisted = [identity, issuer].map(|named| named.map(str::to_owned));
        self
    }

    /// The name that the certificate will have: as predicted, or else as the user expects it.
    pub(crate) fn expected_name(&self) -> Option<&str> {
        match &self.prediction {
            Prediction::Known { san, .. } => Some(san),
            Prediction::Unknown => self.insisted.first().and_then(Option::as_deref),
        }
    }

    /// Checks that a certificate with this identity and issuer is for this token: both are as predicted,
    /// or, if nothing is predicted, the user named them or they consist of the claims.
    ///
    /// # Errors
    /// The first value that differs, with the expected one.
    pub(crate) fn vouches_for(&self, san: &str, issuer: &str) -> Result<(), Mismatch> {
        let [named_san, named_issuer] = &self.insisted;
        let (san_is_good, issuer_is_good, expected) = match &self.prediction {
            Prediction::Known { san: known, issuer: by } => {
                (san == known, issuer == by, [known, by].map(|one| Some(one.clone())))
            }
            Prediction::Unknown => (
                named_san.as_deref() == Some(san) || claimed::is_name(san, &self.claims),
                named_issuer.as_deref() == Some(issuer) || claimed::is_issuer(issuer, &self.claims),
                [None, None],
            ),
        };
        let [expected_san, expected_issuer] = expected;
        let differs =
            |what, found: &str, expected| Mismatch { what, found: excerpt(found), expected };
        match (san_is_good, issuer_is_good) {
            (false, _) => Err(differs("identity", san, expected_san)),
            (true, false) => Err(differs("issuer", issuer, expected_issuer)),
            (true, true) => Ok(()),
        }
    }

    /// The token itself, for Fulcio.
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// The claim `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The claim `sub`.
    pub fn sub(&self) -> &str {
        &self.subject
    }

    /// The claim `aud`, as a list.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// What the certificate will say.
    pub fn prediction(&self) -> &Prediction {
        &self.prediction
    }

    /// Whether there is an e-mail address that its issuer has verified, or with `unverified` any.
    pub(crate) fn has_email(&self, unverified: bool) -> bool {
        let verified = match self.claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            Some(_) | None => false,
        };
        text(&self.claims, "email").is_some() && (verified || unverified)
    }

    /// The visibility of the repository, if the token has it (GitHub, GitLab). If there are several
    /// claims, one that is not `public` counts; a claim that is not text is not `public`.
    pub fn visibility(&self) -> Option<&str> {
        let published = VISIBILITIES.iter().filter_map(|claim| {
            let claim = self.claims.get(*claim).filter(|claim| !claim.is_null())?;
            Some(claim.as_str().unwrap_or("of unreadable visibility"))
        });
        let mut published: Vec<&str> = published.collect();
        published.sort_by_key(|visibility| *visibility == PUBLIC);
        published.first().copied()
    }

    /// The repository of a GitHub job, `owner/name`. For a reusable workflow, this is the caller's.
    pub fn repository(&self) -> Option<&str> {
        text(&self.claims, "repository").filter(|_| self.claims.contains_key("job_workflow_ref"))
    }

    /// The time at which the token expires (`exp`).
    pub fn expires(&self) -> Option<SystemTime> {
        time(&self.claims, "exp")
    }

    /// The time at which the token was issued (`iat`), if it has that claim.
    pub fn issued(&self) -> Option<SystemTime> {
        time(&self.claims, "iat")
    }

    /// Refuses an identity that is known to differ from the required one.
    ///
    /// # Errors
    /// [`IdentityError::NotRequired`]
    pub fn require(
        &self,
        identity: Option<&str>,
        issuer: Option<&str>,
    ) -> Result<(), IdentityError> {
        match &self.prediction {
            Prediction::Known { san, issuer: found } => require((san, found), (identity, issuer)),
            Prediction::Unknown => Ok(()),
        }
    }

    /// Checks that the token says `expected` in `claim`, as `variable` does. Letters in another case mean the same. A
    /// token without the claim says nothing.
    ///
    /// # Errors
    /// [`IdentityError::OtherJob`]
    pub fn is_of_job(
        &self,
        (claim, variable): (&'static str, &'static str),
        expected: &str,
    ) -> Result<(), IdentityError> {
        let found = match self.claims.get(claim) {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        if found.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        let (found, expected) = (excerpt(&found), excerpt(expected));
        Err(IdentityError::OtherJob { claim, found, variable, expected })
    }

    /// Refuses to publish the name of a private repository without consent. With consent, it returns
    /// the visibility of the repository whose name becomes public.
    ///
    /// # Errors
    /// [`IdentityError::Private`]
    pub fn guard_privacy(
        &self,
        log_is_public: bool,
        consent: bool,
    ) -> Result<Option<String>, IdentityError> {
        let hidden = self.visibility().filter(|visibility| *visibility != PUBLIC);
        match hidden.map(excerpt).filter(|_| log_is_public) {
            Some(visibility) if !consent => Err(IdentityError::Private { visibility }),
            published => Ok(published),
        }
    }
}

/// Refuses an identity or issuer that differs from the one at the start of the run, which was printed
/// and which the user accepted.
///
/// # Errors
/// [`IdentityError::Changed`]
pub fn unchanged(
    (san, issuer): (&str, &str),
    (first_san, first_issuer): (&str, &str),
) -> Result<(), IdentityError> {
    let pairs = [("identity", san, first_san), ("issuer", issuer, first_issuer)];
    match pairs.into_iter().find(|(_, found, before)| found != before) {
        Some((what, found, before)) => {
            Err(IdentityError::Changed { what, found: excerpt(found), before: excerpt(before) })
        }
        None => Ok(()),
    }
}

/// Compares a certificate identity and issuer with the required ones.
///
/// # Errors
/// [`IdentityError::NotRequired`]
pub fn require(
    (san, issuer): (&str, &str),
    (wanted_san, wanted_issuer): (Option<&str>, Option<&str>),
) -> Result<(), IdentityError> {
    let differs = |what, found: &str, wanted: Option<&str>| match wanted {
        Some(wanted) if wanted != found => Err(IdentityError::NotRequired {
            what,
            found: excerpt(found),
            wanted: wanted.to_owned(),
        }),
        Some(_) | None => Ok(()),
    };
    differs("identity", san, wanted_san)?;
    differs("issuer", issuer, wanted_issuer)
}

#[cfg(test)]
mod tests;
