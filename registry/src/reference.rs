// SPDX-License-Identifier: Apache-2.0
//! References to container images, strictly parsed.
//!
//! The grammar is that of the OCI distribution specification ("Pulling manifests") with the
//! defaults that container tools share: no registry means Docker Hub, one path component there means
//! `library/`, neither tag nor digest means `latest`. Text outside of the grammar is refused rather than
//! repaired, because a signature for the wrong image is worse than none.

use std::borrow::Cow;
use std::fmt;

use ambisign_host::{errors, excerpt};
use ambisign_sigstore::digest::Digest;

/// The host that answers for Docker Hub.
pub(crate) const DOCKER_HUB: &str = "index.docker.io";

/// The longest repository name, in bytes (OCI distribution specification, "Pulling manifests").
const LONGEST_REPOSITORY: usize = 255;

/// The longest tag, in bytes.
const LONGEST_TAG: usize = 128;

/// The name of an image: registry, repository, and a tag, a digest or both.
///
/// `Display` writes it in full: `index.docker.io/library/alpine:3`, `ghcr.io/acme/app@sha256:...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    name: oci_client::Reference,
    digest: Option<Digest>,
}

errors! {
    /// A text is not an image reference.
    ///
    /// Messages never show the text before an `@`, which may be a password.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum ReferenceError {
        #[error("{text:?} is not a digest of the form `sha256:` and 64 lower-case hexadecimal digits")]
        Digest {
            /// The text after the `@`.
            text: String,
        } = "reference/digest", Usage {
            fix: unexpanded(text),
            what: "The digest in the name of an image is malformed.",
            why: "It is truncated, or its algorithm is not SHA-256.",
            advice: "Copy all 64 digits of the digest that the push printed.",
        },
        #[error("the image reference is empty")]
        Empty = "reference/empty", Usage {
            what: "The name of an image is empty.",
            why: "A variable that should hold it is empty or not set.",
            advice: "Name the image as `registry/repository@sha256:...`; in Cloud Build a variable of the shell is written `$$NAME`.",
        },
        #[error("{text:?} is not the host of a registry")]
        Registry { text: String } = "reference/registry", Usage {
            what: "The part of an image's name before the first slash is not the name of a host.",
            why: "It has a character that host names cannot have.",
            advice: "Name the image as `registry/repository@sha256:...`.",
        },
        #[error("{text:?} is not the name of a repository")]
        Repository { text: String } = "reference/repository", Usage {
            fix: in_lower_case(text).or_else(|| unexpanded(text).map(Cow::from)),
            what: "The name of the repository has a character that registries do not allow.",
            why: "Upper-case letters are the usual cause: owners on GitHub may have them, but images may not.",
            advice: "Name the image as `registry/repository@sha256:...`, with the repository in lower case.",
        },
        #[error("the image reference begins with a scheme")]
        Scheme = "reference/scheme", Usage {
            what: "An image is written like a web address.",
            why: "Image names begin with the host.",
            advice: "Name the image as `registry/repository@sha256:...`, without `https://` or `docker://`.",
        },
        #[error("{text:?} is not a tag")]
        Tag { text: String } = "reference/tag", Usage {
            fix: unexpanded(text),
            what: "The tag in the name of an image is malformed.",
            why: "Tags have up to 128 letters, digits, dots, dashes and underscores.",
            advice: "Name the image as `registry/repository@sha256:...`.",
        },
        #[error("the image reference contains more than one `@`")]
        TwoDigests = "reference/two-digests", Usage {
            what: "An image has two digests in its name.",
            why: "A digest was appended to a name that has one.",
            advice: "Keep the digest that you mean: `registry/repository@sha256:...`.",
        },
    }
}

/// The fix if a variable in the name was not expanded or was empty.
fn unexpanded(text: &str) -> Option<&'static str> {
    if text.contains('$') {
        Some("expand the variable before the image is named (Cloud Build: `$$NAME` in a script)")
    } else if text.is_empty() {
        Some(UNFILLED)
    } else {
        None
    }
}

const UNFILLED: &str = "fill in what follows the name: a variable there is empty (Cloud Build: \
    `$SHORT_SHA`, `$COMMIT_SHA` and `$TAG_NAME` exist in builds that a trigger started, `$BUILD_ID` \
    in all; a variable of the shell is written `$$NAME`)";

/// The fix if a repository is invalid only because of upper-case letters.
fn in_lower_case(repository: &str) -> Option<Cow<'static, str>> {
    let lower = repository.to_lowercase();
    is_path(&lower).then(|| format!("write the repository in lower case: `{lower}`").into())
}

impl Reference {
    /// Parses `registry/repository`, `:tag` and `@sha256:<hex>`.
    ///
    /// # Errors
    /// Anything outside the grammar: white space, control characters, an upper-case repository, a
    /// scheme, user information, another digest algorithm than SHA-256.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.contains("://") {
            return Err(ReferenceError::Scheme);
        }
        let (rest, digest) = match text.split_once('@') {
            None => (text, None),
            Some((_, after)) if after.contains('@') => return Err(ReferenceError::TwoDigests),
            Some((before, after)) => (before, Some(parse_digest(after)?)),
        };
        // A colon after the last slash begins a tag; one before it, a port.
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (path, tag) = match rest.get(last..).and_then(|name| name.split_once(':')) {
            None => (rest, None),
            Some((name, tag)) => {
                (rest.get(..last + name.len()).unwrap_or(rest), Some(parse_tag(tag)?))
            }
        };
        let (registry, repository) = split_registry(path)?;
        let name = match (tag, digest) {
            (None, None) => {
                oci_client::Reference::with_tag(registry, repository, "latest".to_owned())
            }
            (Some(tag), None) => oci_client::Reference::with_tag(registry, repository, tag),
            (None, Some(digest)) => {
                oci_client::Reference::with_digest(registry, repository, digest.to_string())
            }
            (Some(tag), Some(digest)) => oci_client::Reference::with_tag_and_digest(
                registry,
                repository,
                tag,
                digest.to_string(),
            ),
        };
        Ok(Self { name, digest })
    }

    /// Parses `registry/repository` only.
    ///
    /// # Errors
    /// Those of [`Reference::parse`], or there is a tag or a digest.
    pub fn parse_repository(text: &str) -> Result<Self, ReferenceError> {
        let reference = Self::parse(text)?;
        let name = text.rsplit('/').next().unwrap_or(text);
        if let Some((_, tag)) = name.split_once([':', '@']) {
            return Err(ReferenceError::Tag { text: excerpt(tag) });
        }
        Ok(reference)
    }

    /// The host and optional port of the registry, in lower case: `ghcr.io`, `127.0.0.1:5000`.
    pub fn registry(&self) -> &str {
        self.name.registry()
    }

    /// The path of the repository: `acme/app`.
    pub fn repository(&self) -> &str {
        self.name.repository()
    }

    /// The tag, if one was given or is implied.
    pub fn tag(&self) -> Option<&str> {
        self.name.tag()
    }

    /// The digest, if one was given.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Returns `true` if both are in the same repository.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.registry() == other.registry() && self.repository() == other.repository()
    }

    /// The same repository with `digest` and without a tag.
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { name: self.name.clone_with_digest(digest.to_string()), digest: Some(digest) }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.name, f)
    }
}

/// `host` in lower case, with a single spelling for Docker Hub.
pub(crate) fn canonical_registry(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    match host.as_str() {
        "docker.io" | "registry-1.docker.io" => DOCKER_HUB.to_owned(),
        _ => host,
    }
}

fn parse_digest(text: &str) -> Result<Digest, ReferenceError> {
    Digest::parse(text).ok_or_else(|| ReferenceError::Digest { text: excerpt(text) })
}

/// A word character, then up to 127 word characters, dots and dashes.
fn parse_tag(text: &str) -> Result<String, ReferenceError> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let ok = text.bytes().next().is_some_and(is_word)
        && text.len() <= LONGEST_TAG
        && text.bytes().all(|b| is_word(b) || b == b'.' || b == b'-');
    if !ok {
        return Err(ReferenceError::Tag { text: excerpt(text) });
    }
    Ok(text.to_owned())
}

/// The first component is a registry if it has a dot or a colon, or is `localhost`.
fn split_registry(path: &str) -> Result<(String, String), ReferenceError> {
    let (registry, repository) = match path.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':', '[']) || first == "localhost" => {
            (canonical_registry(&parse_host(first)?), rest)
        }
        Some(_) | None => (DOCKER_HUB.to_owned(), path),
    };
    let repository = if registry == DOCKER_HUB && !repository.contains('/') {
        Cow::Owned(format!("library/{repository}"))
    } else {
        Cow::Borrowed(repository)
    };
    if !is_path(&repository) {
        return Err(ReferenceError::Repository { text: excerpt(&repository) });
    }
    Ok((registry, repository.into_owned()))
}

/// Returns `true` if `text` is the path of a repository.
fn is_path(text: &str) -> bool {
    text.len() <= LONGEST_REPOSITORY && text.split('/').all(is_component)
}

/// Runs of lower-case letters and digits, with `.`, `_`, `__` or dashes between them.
fn is_component(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let Some(bytes) = text.as_bytes().split_first() else {
        return false;
    };
    let mut between = String::new();
    if !is_plain(*bytes.0) {
        return false;
    }
    for byte in bytes.1 {
        if is_plain(*byte) {
            if !is_separator(&between) {
                return false;
            }
            between.clear();
        } else {
            between.push(char::from(*byte));
        }
    }
    between.is_empty()
}

fn is_separator(text: &str) -> bool {
    matches!(text, "" | "." | "_" | "__") || text.bytes().all(|b| b == b'-')
}

/// A host name, an IPv4 address or a bracketed IPv6 address, and an optional port.
fn parse_host(text: &str) -> Result<String, ReferenceError> {
    let refused = || ReferenceError::Registry { text: excerpt(text) };
    let (host, port) = match text.strip_prefix('[') {
        Some(inner) => {
            let (address, port) = inner.split_once(']').ok_or_else(refused)?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_syntax| refused())?;
            (None, port.strip_prefix(':').or_else(|| some_if_empty(port)))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), Some("")),
        },
    };
    let port = port.ok_or_else(refused)?;
    let has_port = text.ends_with(&format!(":{port}"));
    let port_ok = !has_port
        || (port.bytes().all(|b| b.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port != 0));
    let host_ok = host.is_none_or(|host| host.len() <= 253 && host.split('.').all(is_label));
    if !port_ok || !host_ok {
        return Err(refused());
    }
    Ok(text.to_ascii_lowercase())
}

fn some_if_empty(text: &str) -> Option<&str> {
    text.is_empty().then_some(text)
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::{Reference, ReferenceError};

    const HEX: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn shape(text: &str) -> (String, String, Option<String>) {
        let reference = Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (
            reference.registry().to_owned(),
            reference.repository().to_owned(),
            reference.tag().map(str::to_owned),
        )
    }

    #[test]
    fn fills_in_the_defaults() {
        for (text, registry, repository, tag) in [
            ("alpine", "index.docker.io", "library/alpine", "latest"),
            ("alpine:3", "index.docker.io", "library/alpine", "3"),
            ("docker.io/alpine", "index.docker.io", "library/alpine", "latest"),
            ("acme/app:v1", "index.docker.io", "acme/app", "v1"),
            ("localhost/app", "localhost", "app", "latest"),
            ("127.0.0.1:5000/app", "127.0.0.1:5000", "app", "latest"),
            ("[::1]:5000/app:x", "[::1]:5000", "app", "x"),
            ("[::1]/app:x", "[::1]", "app", "x"),
            ("GHCR.io/a/b__c-d--e.f/g:T_1", "ghcr.io", "a/b__c-d--e.f/g", "T_1"),
        ] {
            let found = shape(text);
            assert_eq!(found, (registry.into(), repository.into(), Some(tag.into())), "{text}");
        }
    }

    #[test]
    fn keeps_tag_and_digest() {
        let text = format!("ghcr.io/acme/app:v1@sha256:{HEX}");
        let reference = Reference::parse(&text).unwrap();
        assert_eq!(reference.tag(), Some("v1"));
        assert_eq!(reference.digest().unwrap().hex(), HEX);
        assert_eq!(reference.to_string(), text);
        let by_digest = reference.with_digest(*reference.digest().unwrap());
        assert_eq!(by_digest.to_string(), format!("ghcr.io/acme/app@sha256:{HEX}"));
        assert_eq!(by_digest.tag(), None);
    }

    #[test]
    fn refuses_what_is_outside_the_grammar() {
        let digest = format!("@sha256:{HEX}");
        for text in [
            "".to_owned(),
            " alpine".into(),
            "alpine\n".into(),
            "alpine:3\n".into(),
            "al\u{1b}pine".into(),
            "Alpine".into(),
            "Acme/app".into(),
            "ghcr.io/Acme/app".into(),
            "ghcr.io/".into(),
            "/app".into(),
            "ghcr.io//app".into(),
            "ghcr.io/app/".into(),
            "ghcr.io/a..b".into(),
            "ghcr.io/a___b".into(),
            "ghcr.io/a_.b".into(),
            "ghcr.io/-a".into(),
            "ghcr.io/a-".into(),
            "ghcr.io/../app".into(),
            "ghcr.io:/app".into(),
            "ghcr.io:0/app".into(),
            "ghcr.io:65536/app".into(),
            "ghcr.io:+80/app".into(),
            "ghcr.io:80:80/app".into(),
            "-ghcr.io/app".into(),
            "ghcr..io/app".into(),
            "[::1/app".into(),
            "[::1]x/app".into(),
            "[::1]:/app".into(),
            "[1.2.3.4]/app".into(),
            "gh\u{441}r.io/app".into(),
            "https://ghcr.io/app".into(),
            "user@ghcr.io/app".into(),
            "user:password@ghcr.io/app".into(),
            format!("app{digest}{digest}"),
            format!("app:{digest}"),
            format!("app{}", digest.to_uppercase()),
            format!("app@sha512:{HEX}{HEX}"),
            "app@sha256:00".into(),
            "app:-x".into(),
            format!("app:{}", "x".repeat(129)),
            format!("ghcr.io/{}", "x".repeat(256)),
            "app:$TAG".into(),
        ] {
            assert!(Reference::parse(&text).is_err(), "{text:?}");
        }
    }

    /// An owner of GitHub with capital letters: the error says what to write.
    #[test]
    fn a_repository_with_capital_letters_is_told_in_lower_case() {
        use ambisign_host::Explain as _;
        for (text, expected) in [
            ("ghcr.io/Acme/app", Some("`acme/app`")),
            ("ghcr.io/Acme/App:v1", Some("`acme/app`")),
            ("ghcr.io/Acme//app", None),
        ] {
            let error = Reference::parse(text).unwrap_err();
            let fix = error.fix().unwrap_or_default();
            match expected {
                Some(name) => assert!(fix.contains("in lower case") && fix.contains(name), "{fix}"),
                None => assert!(!fix.contains("in lower case: "), "{fix}"),
            }
        }
    }

    #[test]
    fn never_shows_what_may_be_a_password() {
        for text in ["u:hunter2@ghcr.io/app", "u:hunter2@x@y", "https://u:hunter2@x/y"] {
            let error = Reference::parse(text).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn agrees_with_the_regular_expression_of_the_library() {
        for text in [
            "busybox",
            "test.com:tag",
            "test.com:5000",
            "test.com/repo:tag",
            "test:5000/repo",
            "lowercase:Uppercase",
            "xn--n3h.com/myimage:xn--n3h.com",
            "foo/foo_bar.com:8080",
            ":justtag",
            "a/b/c/d",
            "a//b",
            "a_b/c--d/e__f",
            "a-/b",
        ] {
            let theirs = text.parse::<oci_client::Reference>();
            let ours = Reference::parse(text);
            assert_eq!(ours.is_ok(), theirs.is_ok(), "{text}");
            if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                assert_eq!(ours.repository(), theirs.repository());
                assert_eq!(ours.registry(), theirs.resolve_registry());
            }
        }
        assert_eq!(Reference::parse(""), Err(ReferenceError::Empty));
    }
}
