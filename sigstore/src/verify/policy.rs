// SPDX-License-Identifier: Apache-2.0
//! The requirements of a verifier: the signer, the signed claims, and the number of witnesses.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use regex_lite::Regex;

pub use super::claim::Claim;
use crate::pki::keys::PublicKey;

/// The requirements on a signature of an artifact.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The required signer.
    pub signer: Signer,
    /// The accepted predicate types of statements. If empty, all are accepted, and so is content that is
    /// not a statement.
    pub predicate_types: Vec<String>,
    /// The required annotations (`-a`), as names and values.
    pub annotations: Vec<(String, String)>,
    /// The number of logs that must have an entry. Each operator counts once.
    pub entries: usize,
    /// The number of timestamp authorities that must have stamped it. Each operator counts once.
    pub timestamps: usize,
    /// No proven time may be later ([`latest`]). `None` for what was just signed: the clock of a signer
    /// decides nothing.
    pub latest: Option<SystemTime>,
}

impl Policy {
    /// A signature by `signer` of anything, in one log, at any time. Requirements are added to it.
    pub fn of(signer: Signer) -> Self {
        Self {
            signer,
            predicate_types: Vec::new(),
            annotations: Vec::new(),
            entries: 1,
            timestamps: 0,
            latest: None,
        }
    }
}

/// How far the clock of a verifier may be behind: a day, because a wrong time zone makes it wrong by up
/// to 14 hours.
const BEHIND: Duration = Duration::from_secs(24 * 60 * 60);

/// The latest acceptable time of a signature for a verifier whose clock says `now`. A service
/// that signs a time in the future does not tell the truth, and such a signature would still count as made
/// before the key of the service was lost.
pub fn latest(now: SystemTime) -> Option<SystemTime> {
    now.checked_add(BEHIND)
}

/// A required signer.
#[derive(Clone, Debug)]
pub enum Signer {
    /// An identity with a certificate.
    Identity(Identity),
    /// The holder of a key, without a certificate.
    Key(PublicKey),
}

/// The requirements on the certificate of a signature. A name always needs an issuer, because anyone
/// who runs an issuer could assign that name.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The name.
    pub san: Match,
    /// The issuer of the identity token.
    pub issuer: Match,
    /// Claims about the CI job.
    pub claims: Vec<(Claim, Match)>,
}

impl Signer {
    /// Exactly this name and this issuer, with any claims.
    pub fn exactly(san: impl Into<String>, issuer: impl Into<String>) -> Self {
        Self::Identity(Identity {
            san: Match::Exact(san.into()),
            issuer: Match::Exact(issuer.into()),
            claims: Vec::new(),
        })
    }
}

/// A requirement on a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Anything.
    Any,
    /// Exactly this text.
    Exact(String),
    /// Any text that the expression matches as a whole.
    Pattern(Pattern),
    /// Any text that begins with this one.
    Prefix(String),
}

impl Match {
    /// Returns `true` if `text` meets the requirement.
    pub fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(wanted) => wanted == text,
            Self::Pattern(pattern) => pattern.matches(text),
            Self::Prefix(wanted) => text.starts_with(wanted),
        }
    }

    /// Returns `true` if an expression matches a part of `text`, which other programs accept.
    pub fn matches_part(&self, text: &str) -> bool {
        match self {
            Self::Any | Self::Exact(_) | Self::Prefix(_) => false,
            Self::Pattern(pattern) => pattern.0.part.is_match(text),
        }
    }
}

/// Formats the quoted text or expression as the end of a sentence.
impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anybody"),
            Self::Exact(wanted) => write!(f, "{wanted:?}"),
            Self::Pattern(pattern) => {
                write!(f, "anything that `{}` matches as a whole", pattern.0.source)
            }
            Self::Prefix(wanted) => write!(f, "anything that begins with {wanted:?}"),
        }
    }
}

/// A regular expression that must match the whole text.
///
/// The syntax is the part of RE2's that needs no Unicode tables: `\d`, `\w` and `\s` mean ASCII, as in
/// RE2, and `\p{...}`, look-around and back-references are not supported. A match inside a text is not
/// enough, because an expression without an end would accept every name that begins in the same way.
#[derive(Clone, Debug)]
pub struct Pattern(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    source: String,
    part: Regex,
    whole: Regex,
}

impl Pattern {
    /// Parses an expression; `None` if it is invalid or too large.
    pub fn new(source: &str) -> Option<Self> {
        // Parse the expression alone first: inside the group, an unbalanced one could close the group.
        let part = Regex::new(source).ok()?;
        let whole = Regex::new(&format!(r"\A(?:{source})\z")).ok()?;
        Some(Self(Arc::new(Compiled { source: source.to_owned(), part, whole })))
    }

    /// Returns `true` if the expression matches `text` as a whole.
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{Claim, Identity, Match, Pattern, latest};
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
            (r"https://github\.com/acme/\w+/[^@]+@refs/tags/v\d+", NAME, true),
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
        for source in ["a)|(?:.*", "a)|(.*", ")(", "(", "[", "*", r"\p{L}", "(?=a)", r"(a)\1"] {
            assert!(Pattern::new(source).is_none(), "{source}");
        }
        // A comment would swallow the end of the frame.
        let commented = Pattern::new("(?x)a#");
        assert!(commented.is_none_or(|pattern| !pattern.matches("ab")));
        assert!(Pattern::new(&format!("(a{{1000}}){}", "{1000}".repeat(3))).is_none());
    }

    #[test]
    fn requirements_are_told_and_compared() {
        let pattern = || Match::Pattern(Pattern::new("a.").unwrap());
        for (wanted, accepted, part, told) in [
            (Match::Any, [true, true, true], false, "anybody"),
            (Match::Exact("ab".to_owned()), [true, false, false], false, "\"ab\""),
            (Match::Prefix("ab".to_owned()), [true, true, false], false, "begins with \"ab\""),
            (pattern(), [true, false, false], true, "`a.` matches as a whole"),
        ] {
            assert_eq!(["ab", "abc", "xab"].map(|text| wanted.accepts(text)), accepted, "{told}");
            assert_eq!(wanted.matches_part("xab"), part, "{told}");
            assert!(!wanted.matches_part("b"));
            assert!(wanted.to_string().ends_with(told), "{wanted}");
            assert_eq!(wanted, wanted.clone());
        }
        assert_eq!(pattern(), pattern());
        assert_ne!(pattern(), Match::Pattern(Pattern::new("b.").unwrap()));
    }

    #[test]
    fn a_clock_may_be_a_day_behind() {
        let now = UNIX_EPOCH + Duration::from_secs(1);
        assert_eq!(latest(now), Some(now + Duration::from_secs(86_400)));
    }

    #[test]
    fn claims_are_those_of_the_certificate() {
        let der = Bundle::parse(BUNDLE).unwrap();
        let certificate = SigningCertificate::parse(der.certificate().unwrap()).unwrap();
        let any = || Match::Pattern(Pattern::new(".*").unwrap());
        let verify = |claim: Claim, wanted: Match| {
            let claims = vec![(claim, wanted)];
            Identity { san: any(), issuer: any(), claims }.verify(&certificate)
        };
        let mut present = 0;
        for name in Claim::names() {
            let claim = Claim::named(&name).unwrap();
            let Some(text) = claim.of(&certificate) else {
                let error = verify(claim, any()).unwrap_err();
                assert!(error.to_string().contains("is not given"), "{error}");
                continue;
            };
            present += 1;
            assert!(!text.is_empty() && text.chars().all(|c| !c.is_control()), "{name} {text:?}");
            assert_eq!(verify(claim, Match::Exact(text.to_owned())), Ok(()));
            assert_eq!(verify(claim, Match::Prefix(text[..1].to_owned())), Ok(()));
            let error = verify(claim, Match::Exact(format!("{text}x"))).unwrap_err();
            assert!(matches!(error, Error::Claim { .. }), "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
        // Those of GitHub, without a deployment environment and the subject of the token.
        assert_eq!(present, 19);
        let repository = "sigstore-conformance/extremely-dangerous-public-oidc-beacon";
        assert_eq!(Claim::WorkflowRepository.of(&certificate), Some(repository));
        let uri = format!("https://github.com/{repository}");
        assert_eq!(Claim::SourceRepositoryUri.of(&certificate), Some(uri.as_str()));
        assert_eq!(Claim::named("source repository uri"), None);
        let of_source: Vec<_> =
            Claim::names().filter(|name| Claim::named(name).unwrap().is_of_source()).collect();
        let expected = [
            "workflow-repository",
            "source-repository-uri",
            "source-repository-identifier",
            "source-repository-owner-uri",
            "source-repository-owner-identifier",
        ];
        assert_eq!(of_source, expected);
        assert_eq!(Claim::RunInvocationUri.name(), "run invocation URI");
    }
}
