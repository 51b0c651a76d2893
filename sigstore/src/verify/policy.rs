// SPDX-License-Identifier: Apache-2.0
//! What a reader accepts: who signed, what was said, and how many vouch for it.

use std::fmt;
use std::sync::Arc;

use der::asn1::ObjectIdentifier;
use regex_lite::Regex;

use crate::certificate::SigningCertificate;
use crate::pki::keys::PublicKey;

/// What a signature has to prove, beside that it is of the artifact.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Who must have signed.
    pub signer: Signer,
    /// The predicate types of statements that are accepted. Empty: any, and also what is not a
    /// statement.
    pub predicate_types: Vec<String>,
    /// What the signer must have said about the artifact (`-a`), name and value.
    pub annotations: Vec<(String, String)>,
    /// How many logs must have an entry, each operator counted once.
    pub entries: usize,
    /// How many timestamp authorities must have stamped it, each operator counted once.
    pub timestamps: usize,
}

/// Who must have signed.
#[derive(Clone, Debug)]
pub enum Signer {
    /// Somebody with a certificate.
    Identity(Identity),
    /// The holder of a key, without any certificate.
    Key(PublicKey),
}

/// What the certificate of a signature must say. There is no policy of a name without an issuer:
/// anybody who runs an issuer could give the name.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The name.
    pub san: Match,
    /// The issuer of the identity token.
    pub issuer: Match,
    /// Claims of a GitHub workflow, compared exactly.
    pub claims: Vec<(Claim, String)>,
}

/// A text that is known, or its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Anything.
    Any,
    /// Exactly this.
    Exact(String),
    /// Anything that the expression matches from its first to its last character.
    Pattern(Pattern),
}

impl Match {
    /// Whether `text` is what is wanted.
    pub fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(wanted) => wanted == text,
            Self::Pattern(pattern) => pattern.matches(text),
        }
    }

    /// Whether an expression matches a part of `text`: other programs take that for enough.
    pub fn matches_part(&self, text: &str) -> bool {
        match self {
            Self::Any | Self::Exact(_) => false,
            Self::Pattern(pattern) => pattern.0.part.is_match(text),
        }
    }
}

/// As the end of a sentence: the text or the expression, quoted.
impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anybody"),
            Self::Exact(wanted) => write!(f, "{wanted:?}"),
            Self::Pattern(pattern) => write!(f, "what the whole of `{}` matches", pattern.0.source),
        }
    }
}

/// A regular expression that must match the whole text.
///
/// The syntax is that part of RE2's which needs no tables of Unicode: `\d`, `\w` and `\s` mean
/// ASCII, as in RE2, and there are neither `\p{...}` nor look-around nor back-references. What RE2
/// would find inside of a text is not enough: an expression without an end would accept every name
/// that somebody else may put after it.
#[derive(Clone, Debug)]
pub struct Pattern(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    source: String,
    part: Regex,
    whole: Regex,
}

impl Pattern {
    /// Reads an expression; `None` when it is not one, or too large.
    pub fn new(source: &str) -> Option<Self> {
        // An expression that is one only inside of the group could close it.
        let part = Regex::new(source).ok()?;
        let whole = Regex::new(&format!(r"\A(?:{source})\z")).ok()?;
        Some(Self(Arc::new(Compiled {
            source: source.to_owned(),
            part,
            whole,
        })))
    }

    /// Whether the expression matches `text` from its beginning to its end.
    pub fn matches(&self, text: &str) -> bool {
        self.0.whole.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.source == other.0.source
    }
}

impl Eq for Pattern {}

/// The claims of a GitHub workflow that Fulcio puts into extensions of their own, as raw text
/// (fulcio `docs/oid-info.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The name of the workflow.
    Name,
    /// The ref that it ran for.
    Ref,
    /// The repository, `owner/name`.
    Repository,
    /// The commit that it ran for.
    Sha,
    /// The event that started it.
    Trigger,
}

impl Claim {
    /// The claim as messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "workflow name",
            Self::Ref => "workflow ref",
            Self::Repository => "workflow repository",
            Self::Sha => "workflow commit",
            Self::Trigger => "workflow trigger",
        }
    }

    fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Trigger => "1.3.6.1.4.1.57264.1.2",
            Self::Sha => "1.3.6.1.4.1.57264.1.3",
            Self::Name => "1.3.6.1.4.1.57264.1.4",
            Self::Repository => "1.3.6.1.4.1.57264.1.5",
            Self::Ref => "1.3.6.1.4.1.57264.1.6",
        })
    }

    /// What `certificate` says.
    pub fn of(self, certificate: &SigningCertificate) -> Option<&str> {
        let value = certificate.certificate().extension(self.oid())?;
        std::str::from_utf8(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Identity, Match, Pattern};
    use crate::bundle::Bundle;
    use crate::certificate::SigningCertificate;
    use crate::verify::Error;

    const BUNDLE: &[u8] =
        include_bytes!("../../../tests/vectors/bundle-verify/happy-path-v0.3/bundle.sigstore.json");

    #[test]
    fn a_pattern_matches_the_whole() {
        const NAME: &str = "https://github.com/acme/app/.github/workflows/x.yml@refs/tags/v1";
        for (source, text, matches) in [
            ("https://github.com/acme/.*", NAME, true),
            ("^https://github.com/acme/.*$", NAME, true),
            ("^https://github.com/acme/", NAME, false),
            ("acme", NAME, false),
            (
                r"https://github\.com/acme/\w+/[^@]+@refs/tags/v\d+",
                NAME,
                true,
            ),
            ("(?i)HTTPS://.*V1", NAME, true),
            ("a|b.*", "a, and more", false),
            ("a|b.*", "b, and more", true),
            ("(?m)^a$", "x\na", false),
            (".*", "a\nb", false),
            ("(?s).*", "a\nb", true),
            ("", "", true),
            ("", "a", false),
            ("é+", "éé", true),
        ] {
            let pattern = Pattern::new(source).unwrap();
            assert_eq!(pattern.matches(text), matches, "{source} {text}");
        }
    }

    #[test]
    fn a_pattern_cannot_leave_its_frame() {
        for source in [
            "a)|(?:.*", "a)|(.*", ")(", "(", "[", "*", r"\p{L}", "(?=a)", r"(a)\1",
        ] {
            assert!(Pattern::new(source).is_none(), "{source}");
        }
        // A comment would swallow the end of the frame.
        let commented = Pattern::new("(?x)a#");
        assert!(commented.is_none_or(|pattern| !pattern.matches("ab")));
        assert!(Pattern::new(&format!("(a{{1000}}){}", "{1000}".repeat(3))).is_none());
    }

    #[test]
    fn claims_are_those_of_the_certificate() {
        let der = Bundle::parse(BUNDLE).unwrap();
        let certificate = SigningCertificate::parse(der.certificate().unwrap()).unwrap();
        let any = || Match::Pattern(Pattern::new(".*").unwrap());
        let verify = |claims: &[(Claim, &str)]| {
            let claims = claims
                .iter()
                .map(|(claim, text)| (*claim, (*text).to_owned()));
            let identity = Identity {
                san: any(),
                issuer: any(),
                claims: claims.collect(),
            };
            identity.verify(&certificate)
        };
        let all = [
            Claim::Trigger,
            Claim::Sha,
            Claim::Name,
            Claim::Repository,
            Claim::Ref,
        ];
        let said = all.map(|claim| (claim, claim.of(&certificate).unwrap()));
        assert_eq!(verify(&said), Ok(()));
        assert_eq!(
            said[3].1,
            "sigstore-conformance/extremely-dangerous-public-oidc-beacon"
        );
        for (claim, text) in said {
            let other = format!("{text}x");
            let error = verify(&[(claim, &other)]).unwrap_err();
            assert!(matches!(error, Error::Claim { .. }), "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
