// SPDX-License-Identifier: Apache-2.0
//! What can go wrong between us and a registry.

use std::borrow::Cow;

use ambisign_host::{Class, Explain, HttpError, HttpReason};
use ambisign_sigstore::digest::Digest;
use reqwest::StatusCode;
use url::Url;

use crate::hints::{self, Login};
use crate::login::error::CredentialError;
use crate::reference::DOCKER_HUB;

const IMMUTABLE_TAG: &str = "exclude tags that begin with `sha256-` from the immutability of the \
    repository, or store the signatures in another one: `--signature-repository REPOSITORY`";
const NOT_FOUND: &str = "push the image before this step (`images:` of Cloud Build pushes after all \
    steps), and name it by the digest of its manifest, not by its image ID";
const POLICY: &str = "log in with an account that may push, which Harbor lets read unsigned images \
    (`CONTENT_TRUST_LEGACY_SIGNER_PULL_ENABLED`), or turn the policy off until the image is signed";
const TAG_IS_SUBJECT: &str = "store the signatures in another repository, which verifiers must name \
    too: `--signature-repository REPOSITORY`";
const TAG_REDIRECTED: &str = "run again later, or store the signatures in another repository: \
    `--signature-repository REPOSITORY`";

/// What is asked for to see that a signature may be pushed.
pub(crate) const UPLOAD: &str = "an upload";

/// An error of the stage `registry`.
///
/// Text of the server is an excerpt without secrets; `credential` names where a credential came from
/// and for whom it is, never the secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The credential of this machine cannot be read.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// Content hashes to something else than it is called.
    #[error("digest mismatch for {reference}: expected {expected}, got {found}")]
    DigestMismatch {
        /// What was asked for.
        reference: String,
        /// The digest that was asked for or announced.
        expected: String,
        /// The digest of what came.
        found: String,
    },
    /// A request came to no usable answer.
    #[error("the registry gave no usable answer")]
    Http(#[from] HttpError),
    /// The list of referrers under the fallback tag cannot be read, so it is not touched.
    #[error("the index at {tag} cannot be read: {why}")]
    IndexUnreadable {
        /// The tag, in full.
        tag: String,
        /// The reason.
        why: String,
    },
    /// An index lists something that cannot be signed, so nothing of it is.
    #[error("{index} is not signed, because not all that it lists can be")]
    Listed {
        /// The index, in full.
        index: String,
        /// Why.
        source: Box<Self>,
    },
    /// The manifest is not what the OCI image specification says.
    #[error("the manifest of {reference} cannot be read: {why}")]
    Manifest {
        /// The image.
        reference: String,
        /// The reason.
        why: String,
    },
    /// The media type is not one that we sign, or not the one that the manifest names.
    #[error("{reference} has the media type {found:?}, but {expected}")]
    MediaType {
        /// The image.
        reference: String,
        /// The type that the registry says.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// What is under a shared tag may not be replaced.
    #[error("{tag} may not be changed{}", answered(*status, said))]
    ImmutableTag {
        /// The tag, in full.
        tag: String,
        /// The status.
        status: StatusCode,
        /// The beginning of the answer.
        said: String,
    },
    /// The image was named by a tag, and the registry sends the request for it to another host.
    #[error("{reference} is redirected to {to}, and a tag cannot prove what comes from there")]
    ImageRedirected {
        /// The image.
        reference: String,
        /// Its registry and repository.
        repository: String,
        /// Scheme and host.
        to: String,
    },
    /// There is no such image.
    #[error("{reference} is not in the registry")]
    NotFound {
        /// The image.
        reference: String,
    },
    /// The registry took something, and does not show it yet.
    #[error("{manifest} is stored, but {place} does not show it yet")]
    NotVisible {
        /// The manifest or blob, in full.
        manifest: String,
        /// Where it should be seen.
        place: String,
    },
    /// A bundle was to be attached to another image than the one it is for.
    #[error("a bundle for {bundle} was to be attached to {target}")]
    OtherArtifact {
        /// What the bundle is for.
        bundle: Digest,
        /// What it was to be attached to.
        target: Digest,
    },
    /// Plain HTTP was allowed for a registry that gets the login of the platform.
    #[error(
        "plain HTTP is not possible for {registry}, which gets the login of this job's platform"
    )]
    PlainHttp {
        /// The registry.
        registry: String,
    },
    /// A policy of the registry hides the image.
    #[error(
        "a policy of the registry does not allow {reference} to be read{}",
        answered(StatusCode::PRECONDITION_FAILED, said)
    )]
    Policy {
        /// The image.
        reference: String,
        /// The beginning of the answer.
        said: String,
    },
    /// The registry does not let us push; found before anything was signed.
    #[error(
        "{repository} does not accept pushes{} {credential}; nothing was signed", answered(*status, said)
    )]
    PushDenied {
        /// Registry and repository.
        repository: String,
        /// The status.
        status: StatusCode,
        /// The beginning of the answer.
        said: String,
        /// Which credential was used.
        credential: String,
        /// Whether there was one.
        login: Login,
    },
    /// What the registry serves is not what was pushed.
    #[error("{reference} was pushed, but {why}")]
    ReadBack {
        /// The manifest that was pushed.
        reference: String,
        /// What is different.
        why: String,
    },
    /// Something was to be written where we only read.
    #[error("{repository} was to be written to, and only reading was asked for")]
    ReadOnly {
        /// Registry and repository.
        repository: String,
    },
    /// The registry sends us to a token endpoint that may not have our credential.
    #[error("{registry} names {realm} as its token endpoint, which {why}")]
    Realm {
        /// The registry.
        registry: String,
        /// Scheme and host of the token endpoint.
        realm: String,
        /// The reason.
        why: &'static str,
    },
    /// The registry sends a request where it may not go.
    #[error("{registry} redirects to {to}, which {why}")]
    Redirect {
        /// The registry.
        registry: String,
        /// Scheme and host.
        to: String,
        /// The reason.
        why: Cow<'static, str>,
    },
    /// The registry refuses a request with a status that does not pass.
    #[error("{repository} refused {what}{} {credential}", answered(*status, said))]
    Refused {
        /// Registry and repository.
        repository: String,
        /// What was asked for.
        what: String,
        /// The status.
        status: StatusCode,
        /// The beginning of the answer.
        said: String,
        /// Which credential was used.
        credential: String,
    },
    /// Other writers of a shared tag kept winning.
    #[error(
        "{tag} did not keep our entry in {rounds} rounds; the signature is stored as {manifest}, but not listed"
    )]
    SharedTag {
        /// The tag, in full.
        tag: String,
        /// The manifest of the signature, in full.
        manifest: String,
        /// How often it was tried.
        rounds: u32,
    },
    /// The image has a signature of the same identity, and `--if-signed fail` was given.
    #[error("{image} is signed already by {identity}: {place}")]
    Signed {
        /// The image.
        image: String,
        /// Who signed it.
        identity: String,
        /// Where the signature is.
        place: String,
    },
    /// The registry resolves the fallback tag of an image to the image itself, and does not list the
    /// tag: there can be no list of signatures.
    #[error("{tag} is the image itself: the registry takes that tag for the digest of the image")]
    TagIsSubject {
        /// The tag, in full.
        tag: String,
    },
    /// A tag is listed, and reads of it are sent to another host.
    #[error("{tag} exists, but the registry redirects reads of it to {to}")]
    TagRedirected {
        /// The tag, in full.
        tag: String,
        /// Scheme and host.
        to: String,
    },
    /// The list of tags cannot be read.
    #[error("the list of tags of {repository} cannot be read: {why}")]
    Tags {
        /// Registry and repository.
        repository: String,
        /// The reason.
        why: String,
    },
    /// The token endpoint answered with something that is not a token.
    #[error("the token endpoint {realm} answered without a usable token")]
    Token {
        /// Scheme and host of the token endpoint.
        realm: String,
    },
    /// A manifest is larger than we accept.
    #[error("the manifest of {reference} has more than {limit} {unit}")]
    TooLarge {
        /// The image.
        reference: String,
        /// The limit.
        limit: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// The registry does not let us read.
    #[error("{repository} denied access{} {credential}", answered(*status, said))]
    Unauthorized {
        /// Registry and repository.
        repository: String,
        /// The status.
        status: StatusCode,
        /// The beginning of the answer.
        said: String,
        /// Which credential was used.
        credential: String,
        /// Whether there was one.
        login: Login,
    },
}

fn answered(status: StatusCode, said: &str) -> String {
    if said.is_empty() {
        format!(" (HTTP {})", status.as_u16())
    } else {
        format!(" (HTTP {}: `{said}`)", status.as_u16())
    }
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Credentials(_) => "registry/credentials",
            Self::DigestMismatch { .. } => "registry/digest-mismatch",
            Self::Http(http) => return format!("registry/{}", http.variant()).into(),
            Self::IndexUnreadable { .. } => "registry/index-unreadable",
            Self::ImageRedirected { .. } => "registry/image-redirected",
            Self::ImmutableTag { .. } => "registry/immutable-tag",
            Self::Listed { source, .. } => return source.code(),
            Self::Manifest { .. } => "registry/manifest",
            Self::MediaType { .. } => "registry/media-type",
            Self::NotFound { .. } => "registry/not-found",
            Self::NotVisible { .. } => "registry/not-visible",
            Self::OtherArtifact { .. } => "registry/other-artifact",
            Self::PlainHttp { .. } => "registry/plain-http-login",
            Self::Policy { .. } => "registry/policy",
            Self::PushDenied { .. } => "registry/push-denied",
            Self::ReadBack { .. } => "registry/read-back",
            Self::ReadOnly { .. } => "registry/read-only",
            Self::Realm { .. } => "registry/realm",
            Self::Redirect { .. } => "registry/redirect",
            Self::Refused { .. } => "registry/refused",
            Self::SharedTag { .. } => "registry/shared-tag",
            Self::Signed { .. } => "registry/signed",
            Self::TagIsSubject { .. } => "registry/tag-is-subject",
            Self::TagRedirected { .. } => "registry/tag-redirected",
            Self::Tags { .. } => "registry/tags",
            Self::Token { .. } => "registry/token",
            Self::TooLarge { .. } => "registry/too-large",
            Self::Unauthorized { .. } => "registry/unauthorized",
        }
        .into()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Credentials(error) => error.fix(),
            Self::Http(http) => http_advice(http),
            Self::DigestMismatch { .. } => Some(
                "look for what alters content between this machine and the registry, and do not \
                 run again before"
                    .into(),
            ),
            Self::IndexUnreadable { .. } => {
                Some("see what wrote that tag, and remove it if nothing needs it".into())
            }
            Self::Listed { source, .. } if source.is_of_content() => {
                Some("push all that the index lists, or sign it without `--recursive`".into())
            }
            Self::Listed { source, .. } => source.fix(),
            Self::MediaType { .. } | Self::Manifest { .. } => {
                Some("name an image or an image index, as it was pushed".into())
            }
            Self::NotFound { .. } => Some(NOT_FOUND.into()),
            Self::PlainHttp { registry } => Some(
                format!("leave `{registry}` out of `--allow-http-registry`, and give a private CA with `--ca-file`").into(),
            ),
            Self::PushDenied {
                repository,
                login,
                said,
                ..
            } => Some(hints::push(repository, login.as_said(said))),
            Self::OtherArtifact { .. }
            | Self::ReadBack { .. }
            | Self::ReadOnly { .. }
            | Self::TooLarge { .. } => None,
            Self::Signed { .. } => {
                Some("nothing to do; or pass `--if-signed skip` or `--if-signed add`".into())
            }
            Self::Realm { .. } | Self::Redirect { .. } | Self::Tags { .. } => Some(
                "check that the registry is the one you mean, and what answers in its place".into(),
            ),
            Self::Refused { status, what, .. } => refused_advice(*status, what),
            Self::SharedTag { .. } => Some("run again: other jobs sign the same digest".into()),
            Self::ImageRedirected { repository, .. } => {
                Some(format!("name the image by its digest: `{}@sha256:...`", repository).into())
            }
            Self::NotVisible { .. } => Some(
                "attach the bundle later with the `ambisign attach` command of this run".into(),
            ),
            Self::ImmutableTag { .. } => Some(IMMUTABLE_TAG.into()),
            Self::Policy { .. } => Some(POLICY.into()),
            Self::TagIsSubject { .. } => Some(TAG_IS_SUBJECT.into()),
            Self::TagRedirected { .. } => Some(TAG_REDIRECTED.into()),
            Self::Token { .. } => Some("check what answers in place of the token endpoint".into()),
            Self::Unauthorized {
                repository,
                login,
                said,
                ..
            } => Some(hints::login_hint(repository, login.as_said(said))),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Credentials(error) => error.class(),
            Self::Http(http) => http.class(),
            Self::PlainHttp { .. } => Class::Usage,
            Self::Listed { source, .. } => source.class(),
            Self::DigestMismatch { .. }
            | Self::IndexUnreadable { .. }
            | Self::Manifest { .. }
            | Self::MediaType { .. }
            | Self::ReadBack { .. }
            | Self::Realm { .. }
            | Self::Redirect { .. }
            | Self::Tags { .. }
            | Self::Token { .. }
            | Self::TooLarge { .. } => Class::Untrusted,
            // It does not say no: it fails.
            Self::Refused { status, .. } if status.is_server_error() => Class::Temporary,
            Self::ImageRedirected { .. }
            | Self::ImmutableTag { .. }
            | Self::NotFound { .. }
            | Self::Policy { .. }
            | Self::PushDenied { .. }
            | Self::Refused { .. }
            | Self::Signed { .. }
            | Self::TagIsSubject { .. }
            | Self::Unauthorized { .. } => Class::Registry,
            Self::OtherArtifact { .. } | Self::ReadOnly { .. } => Class::Bug,
            Self::NotVisible { .. } | Self::SharedTag { .. } | Self::TagRedirected { .. } => {
                Class::Temporary
            }
        }
    }
}

impl Error {
    /// Whether what is in the registry is in the way, and not the registry.
    fn is_of_content(&self) -> bool {
        matches!(self, Self::MediaType { .. } | Self::NotFound { .. })
    }
}

/// What helps when a registry gave no usable answer.
fn http_advice(error: &HttpError) -> Option<Cow<'static, str>> {
    let host = Url::parse(&error.url).ok();
    let host = host.as_ref().and_then(host_and_port);
    match (&error.reason, host) {
        (
            HttpReason::Status {
                status: StatusCode::TOO_MANY_REQUESTS,
                ..
            },
            Some(host),
        ) if is_docker_hub(&host) => Some(
            "log in to Docker Hub before this step (`docker login`): it limits pulls without a login"
                .into(),
        ),
        (HttpReason::NotTls, Some(host)) => Some(
            format!(
                "name the port at which the registry speaks TLS, or allow plain HTTP for it: \
                 `--allow-http-registry={host}`"
            )
            .into(),
        ),
        _ => error.fix(),
    }
}

/// Whether `host` answers for Docker Hub or its logins.
fn is_docker_hub(host: &str) -> bool {
    matches!(host, DOCKER_HUB | "registry-1.docker.io" | "auth.docker.io")
}

/// `host:port`, as an image names it.
fn host_and_port(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn refused_advice(status: StatusCode, what: &str) -> Option<Cow<'static, str>> {
    match status.as_u16() {
        404 if what == UPLOAD => Some(
            "create the repository in the registry first: this one does not create it by a push"
                .into(),
        ),
        405 if what == UPLOAD => Some(
            "name the repository to which the image was pushed: a cache or proxy of another registry \
             takes no signatures"
                .into(),
        ),
        400 | 405 | 409 => Some(
            "see whether the tags of this repository are immutable or its content is restricted"
                .into(),
        ),
        401 | 403 => Some("log in with an account that may push to this repository".into()),
        500.. => Some("run again: this usually passes".into()),
        413 => Some("remove signatures that nobody needs from this image".into()),
        _ => None,
    }
}
