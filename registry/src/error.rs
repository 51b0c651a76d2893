// SPDX-License-Identifier: Apache-2.0
//! The errors of registries.

use std::borrow::Cow;

use ambisign_host::{Class, HttpError, errors};
use ambisign_sigstore::digest::Digest;
use reqwest::StatusCode;

use crate::hints::{self, Login};
use crate::login::error::CredentialError;

errors! {
    /// An error of the stage `registry`.
    ///
    /// Text from the server is an excerpt without secrets. `credential` names the source and the user of a
    /// credential, never the secret.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// A credential cannot be read.
        #[error(transparent)]
        Credentials(#[from] error: CredentialError) = of error,
        #[error("digest mismatch for {reference}: expected {expected}, got {found}")]
        DigestMismatch {
            reference: String,
            expected: String,
            found: String,
        } = "registry/digest-mismatch", Untrusted {
            what: "The registry sent other bytes than those that the digest names.",
            why: "A digest names exact bytes. A proxy or mirror changes them, or the registry is broken.",
            advice: "Find out what alters content between this machine and the registry before you run again.",
        },
        /// A request failed.
        #[error("the registry gave no usable answer")]
        Http(#[from] error: HttpError) = request error in "registry" { fix: hints::request(error) },
        #[error("the index at {tag} cannot be read: {why}")]
        IndexUnreadable { tag: String, why: String } = "registry/index-unreadable", Untrusted {
            verifier: "ask the signer of the image what wrote that tag: it does not list signatures",
            what: "The list of the image's signatures cannot be read.",
            why: "Another program wrote something else under its tag. It could hold signatures, so ambisign does not overwrite it.",
            advice: "Find out what wrote the tag `sha256-...` of the image, and delete it if nothing needs it.",
        },
        /// An index lists an entry that cannot be signed, so nothing of it is.
        #[error("{index} is not signed, because one of its entries cannot be")]
        Listed {
            /// The full reference of the index.
            index: String,
            source: Box<Self>,
        } = of source {
            fix: source.is_of_content().then_some(LISTED),
        },
        #[error("the manifest of {reference} cannot be read: {why}")]
        Manifest { reference: String, why: String } = "registry/manifest", Untrusted {
            verifier: "have the image built and pushed again with a current tool",
            what: "The manifest of the image is broken.",
            why: "Its digest is right, but its content does not follow the OCI image specification.",
            advice: "Build and push the image again with a current tool.",
        },
        #[error("{reference} has the media type {found:?}, but {expected}")]
        MediaType { reference: String, found: String, expected: String } = "registry/media-type", Untrusted {
            what: "The digest does not name an image or an image index.",
            why: "It names something else, such as a layer, or the registry gives the manifest another media type.",
            advice: "Name an image or an image index by the digest that the push printed, not by its image ID.",
        },
        #[error("{tag} may not be changed{}", answered(*status, excerpt))]
        ImmutableTag { tag: String, status: StatusCode, excerpt: String } = "registry/immutable-tag", Registry {
            what: "The tag that lists an image's signatures may not be changed.",
            why: "The repository has immutable tags, and the image has a signature already: the tag lists all of them.",
            advice: "Exclude tags that begin with `sha256-` from immutability, then run `ambisign attach`; or store signatures in another repository with `--signature-repository`.",
        },
        #[error("{reference} is redirected to {to}, and a tag cannot prove what comes from there")]
        ImageRedirected {
            reference: String,
            repository: String,
            /// Scheme and host.
            to: String,
        } = "registry/image-redirected", Registry {
            fix: format!("name the image by its digest: `{repository}@sha256:...`"),
            what: "The registry redirects the request for an image to another host.",
            why: "The registry is a front for another one. A tag cannot prove that what comes from there is the image.",
            advice: "Name the image by its digest: the digest proves the content, wherever it comes from.",
        },
        #[error("{reference} is not in the registry")]
        NotFound { reference: String } = "registry/not-found", Registry {
            verifier: "compare registry, repository and digest with those that were published, and log in if the repository is private",
            what: "The image is not in the registry.",
            why: "It was not pushed yet, the digest is the local image ID, or the login may not see it.",
            advice: "Push the image before this step (`images:` of Cloud Build pushes after all steps), and name it by the digest of its manifest, not by its image ID.",
        },
        #[error("{manifest} is stored, but {place} does not show it yet")]
        NotVisible {
            /// The full reference of the manifest or blob.
            manifest: String,
            place: String,
        } = "registry/not-visible", Temporary {
            what: "The registry accepted the signature, but does not show it yet.",
            why: "Its replicas are slow, or a cache or proxy in front of it answers in its place.",
            advice: "Wait, then run the `ambisign attach` command that the run printed: it adds nothing twice.",
        },
        /// The registry stored a manifest without confirming its subject, and the referrers API does not list
        /// it.
        #[error("{manifest} is stored, but the referrers API does not list it, and the registry did not confirm the push with `OCI-Subject`")]
        NotListed {
            /// The full reference of the manifest.
            manifest: String,
        } = also "registry/not-visible", Temporary {
            fix: "see whether a proxy answers `/referrers/` in place of the registry, then run the `ambisign attach` command that this run printed",
        },
        #[error("a bundle for {bundle} was about to be attached to {target}")]
        OtherArtifact {
            bundle: Digest,
            /// The image that it was about to be attached to.
            target: Digest,
        } = "registry/other-artifact", Bug {
            what: "A signature was about to be attached to an image that it does not belong to.",
            why: "This cannot happen, and was stopped.",
            advice: "Report this: it is a bug in ambisign.",
        },
        #[error("plain HTTP is not allowed for {registry}, which receives the login of this job's platform")]
        PlainHttp { registry: String } = "registry/plain-http-login", Usage {
            fix: format!("leave `{registry}` out of `--allow-http-registry`, and give a private CA with `--ca-file`"),
            what: "Plain HTTP was allowed for a registry with the login of the job's platform.",
            why: "Others on the network could read that login.",
            advice: "Leave the registry out of `--allow-http-registry`, and give a private CA with `--ca-file`.",
        },
        #[error("a policy of the registry does not allow {reference} to be read{}", answered(StatusCode::PRECONDITION_FAILED, excerpt))]
        Policy { reference: String, excerpt: String } = "registry/policy", Registry {
            verifier: "have the image signed: until then only accounts that may push can read it",
            what: "A policy of the registry hides the image until it is signed.",
            why: "Harbor's content trust answers 412 for unsigned images, except to accounts that may push.",
            advice: "Log in with an account that may push, which Harbor lets read unsigned images (`CONTENT_TRUST_LEGACY_SIGNER_PULL_ENABLED`), or turn the policy off until the image is signed.",
        },
        #[error("{repository} does not accept pushes{} {credential}; nothing was signed", answered(*status, excerpt))]
        PushDenied {
            /// Registry and repository.
            repository: String,
            status: StatusCode,
            excerpt: String,
            credential: String,
            login: Login,
        } = "registry/push-denied", Registry {
            fix: hints::push(repository, login.as_answered(excerpt)),
            what: "The login may not push to the repository for the signature.",
            why: "It may only read, it is for another repository, or there is no login. Nothing was signed.",
            advice: "Give the job write access: in GitHub `packages: write`, in Google Cloud the role `roles/artifactregistry.writer`.",
        },
        #[error("{reference} was pushed, but {why}")]
        ReadBack { reference: String, why: String } = "registry/read-back", Untrusted {
            what: "The registry serves other bytes than the signature that was stored.",
            why: "The registry or a cache in front of it loses or changes what it accepts.",
            advice: "Find out what changes content in the registry or in front of it before you run again.",
        },
        #[error("a write to {repository} was attempted, but it was opened for reading only")]
        ReadOnly {
            /// Registry and repository.
            repository: String,
        } = "registry/read-only", Bug {
            what: "A repository that was opened for reading was about to be written.",
            why: "This is a mistake in ambisign; nothing was written.",
            advice: "Report this: it is a bug in ambisign.",
        },
        #[error("{registry} names {realm} as its token endpoint, which {why}")]
        Realm {
            registry: String,
            /// Scheme and host of the token endpoint.
            realm: String,
            why: &'static str,
        } = "registry/realm", Untrusted {
            what: "The registry names a token endpoint that cannot be right.",
            why: "The login would go to that endpoint.",
            advice: "Check the address of the registry and the proxies in front of it.",
        },
        #[error("{registry} redirects to {to}, which {why}")]
        Redirect {
            registry: String,
            /// Scheme and host.
            to: String,
            why: Cow<'static, str>,
        } = "registry/redirect", Untrusted {
            what: "The registry redirects to an address that is not asked.",
            why: "It stands in front of another registry, or it would send the request into your own network.",
            advice: "Check the address of the registry and the proxies in front of it.",
        },
        /// The registry redirects a request to another host that it must answer itself.
        #[error("{registry} redirects to {to}, which is another host than the registry")]
        RedirectAway {
            registry: String,
            /// Scheme and host.
            to: String,
        } = also "registry/redirect", Untrusted {
            fix: format!("name the image at `{}`, if that is the registry that you mean", to.split("://").last().unwrap_or(to)),
        },
        #[error("{repository} refused {what}{} {credential}", answered(*status, excerpt))]
        Refused {
            /// Registry and repository.
            repository: String,
            what: String,
            status: StatusCode,
            excerpt: String,
            credential: String,
        } = "registry/refused", Registry | Temporary {
            // A server error is not a refusal.
            class: if status.is_server_error() { Class::Temporary } else { Class::Registry },
            fix: hints::refused(*status, what),
            verifier: hints::refused_to_verifier(*status),
            what: "The registry refused a request that every registry should know.",
            why: "The cause is a quota, immutable tags, a rule of the repository or a fault of the registry; the message shows its answer.",
            advice: "Act on the answer in the message; if tags are immutable, allow those that begin with `sha256-`.",
        },
        #[error("{tag} lost the entry of this signature {rounds} times; the signature is stored as {manifest}, but not listed")]
        SharedTag {
            tag: String,
            /// The full reference of the signature's manifest.
            manifest: String,
            rounds: u32,
        } = "registry/shared-tag", Temporary {
            what: "Other writers kept overwriting the list of signatures.",
            why: "Without the referrers API all signers of an image share one tag, and the last writer wins.",
            advice: "Run again, and sign an image from one job at a time.",
        },
        #[error("{image} is already signed by {identity}: {place}")]
        Signed { image: String, identity: String, place: String } = "registry/signed", Registry {
            what: "The image has a valid signature by the same identity, and `--if-signed fail` was given.",
            why: "The job ran before, or another job of the same workflow signs this image too.",
            advice: "Do nothing if one signature is enough, or pass `--if-signed skip` or `--if-signed add`.",
        },
        #[error("{tag} is the image itself: the registry takes that tag for the digest of the image")]
        TagIsSubject { tag: String } = "registry/tag-is-subject", Registry {
            what: "The registry takes the tag of an image's signatures for the image itself.",
            why: "GitLab's registry does so. A list that is written there cannot be read back. Leave the tag alone: it is the image.",
            advice: "Store the signatures in another repository, which verifiers must name too: `--signature-repository REPOSITORY`.",
        },
        #[error("{tag} exists, but the registry redirects reads of it to {to}")]
        TagRedirected {
            tag: String,
            /// Scheme and host.
            to: String,
        } = "registry/tag-redirected", Temporary {
            verifier: "run again later: the registry usually stops doing so",
            what: "The registry redirects reads of a tag that exists and lists signatures.",
            why: "ghcr.io does so at times. A list that cannot be read is not overwritten: it may hold signatures of others.",
            advice: "Run again later, or store the signatures in another repository: `--signature-repository REPOSITORY`.",
        },
        #[error("the list of tags of {repository} cannot be read: {why}")]
        Tags {
            /// Registry and repository.
            repository: String,
            why: String,
        } = "registry/tags", Untrusted {
            what: "The list of the repository's tags cannot be read.",
            why: "Another server answers in place of the registry, or the list has no end.",
            advice: "Check the address of the registry and the proxies in front of it.",
        },
        #[error("the token endpoint {realm} answered without a usable token")]
        Token {
            /// Scheme and host of the token endpoint.
            realm: String,
        } = "registry/token", Untrusted {
            what: "The registry's token endpoint answered without a token.",
            why: "Another server answers at its address.",
            advice: "Check what answers in place of the token endpoint.",
        },
        #[error("the manifest of {reference} has more than {limit} {unit}")]
        TooLarge { reference: String, limit: usize, unit: &'static str } = "registry/too-large", Untrusted {
            what: "A manifest or an answer is larger than any real one.",
            why: "Another server answers, or the registry is hostile.",
            advice: "Check that the digest is of an image, then what answers in place of the registry.",
        },
        #[error("{repository} denied access{} {credential}", answered(*status, excerpt))]
        Unauthorized {
            /// Registry and repository.
            repository: String,
            status: StatusCode,
            excerpt: String,
            credential: String,
            login: Login,
        } = "registry/unauthorized", Registry {
            fix: hints::login_hint(repository, login.as_answered(excerpt)),
            verifier: hints::log_in_to_read(repository),
            what: "The registry does not accept the login, or there is none.",
            why: "There is no login for this registry, or it has expired.",
            advice: "Log in before this step, in the same container and as the same user.",
        },
    }
}

const LISTED: &str = "push all that the index lists, or sign it without `--recursive`";

fn answered(status: StatusCode, excerpt: &str) -> String {
    if excerpt.is_empty() {
        format!(" (HTTP {})", status.as_u16())
    } else {
        format!(" (HTTP {}: `{excerpt}`)", status.as_u16())
    }
}

impl Error {
    /// Returns `true` if the content of the registry causes the error, not the registry itself.
    fn is_of_content(&self) -> bool {
        matches!(self, Self::MediaType { .. } | Self::NotFound { .. })
    }
}
