// SPDX-License-Identifier: Apache-2.0
//! Every flag of cosign's `sign`, `sign-blob`, `verify` and `verify-blob`, including hidden ones, with
//! its translation. A test compares the table with cosign itself.

/// The translation of a flag of cosign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translation {
    /// It has the same meaning.
    Same,
    /// It has this name in ambisign.
    Alias(&'static str),
    /// A switch whose opposite has this name in ambisign.
    Opposite(&'static str),
    /// It has no effect, whatever its value.
    Unused,
    /// This value has no effect; every other one is refused.
    Only(&'static str),
    /// It is refused.
    Refused,
    /// It is refused, because its value is a secret.
    Secret,
}

/// Whether a flag of cosign has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Only with `=`, `true` or `false`.
    Switch,
    /// Always: with `=`, or as the next word.
    Value,
}

/// One flag of cosign.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Its name, without dashes.
    pub name: &'static str,
    /// The commands that have it.
    pub of: &'static [&'static str],
    /// Whether it has a value.
    pub takes: Takes,
    /// Its translation.
    pub translation: Translation,
    /// Why it has no effect, as the end of a sentence; or what to do instead; or the difference, if it is
    /// nearly the same.
    pub why: &'static str,
}

const SIGN: &[&str] = &["sign"];
const SIGN_BLOB: &[&str] = &["sign-blob"];
const SIGNS: &[&str] = &["sign", "sign-blob"];
const IMAGES: &[&str] = &["sign", "verify"];
const VERIFY: &[&str] = &["verify"];
const VERIFY_BLOB: &[&str] = &["verify-blob"];
const VERIFIES: &[&str] = &["verify", "verify-blob"];
const ALL: &[&str] = &["sign", "sign-blob", "verify", "verify-blob"];
const BLOBS: &[&str] = &["sign-blob", "verify-blob"];

const KEYLESS: &str =
    "leave it out: ambisign signs with a new key in each run and the identity of the job";
const PROOF: &str = "leave it out: without a log entry, nothing proves the time of a signature";
const IN_BUNDLE: &str = "write the whole bundle to a file with `--bundle`, and read it from there";
const TRUSTED: &str = "pass the trust material with `--trusted-root`; `ambisign trust create` makes it from keys and certificates";
const NO_LOGIN: &str = "there is no login, because ambisign uses the identity of the job";
const OLD_LAYOUT: &str =
    "it belongs to the older layout of signatures, which ambisign does not write";
const FROM_FILE: &str = "the signature is in one bundle, in a file";
const WHOLE: &str = "it must match from the first to the last character";
const NO_CLIENT_CERTIFICATE: &str =
    "reach the host without a client certificate, or through a proxy that presents it";

const fn row(
    name: &'static str,
    of: &'static [&'static str],
    takes: Takes,
    translation: Translation,
    why: &'static str,
) -> Flag {
    Flag { name, of, takes, translation, why }
}

use Takes::{Switch, Value};
use Translation::{Alias, Only, Opposite, Refused, Same, Secret, Unused};

/// The flags.
#[rustfmt::skip] // One row a line, so that the table is readable.
pub const FLAGS: &[Flag] = &[
    row("allow-certificate-chain", VERIFIES, Switch, Only("false"), TRUSTED),
    row("allow-http-registry", IMAGES, Switch, Same, ""),
    row("allow-insecure-registry", IMAGES, Switch, Unused, "TLS is always verified; `--ca-file` adds a CA"),
    row("annotations", IMAGES, Value, Same, "a comma is part of the value: each annotation has a flag of its own"),
    row("attachment", IMAGES, Value, Refused, "name the attachment itself as the image, by its digest"),
    row("attachment-tag-prefix", SIGN, Value, Unused, OLD_LAYOUT),
    row("attachment-tag-prefix", VERIFY, Value, Unused, "of the older layout, only tags without a prefix are read"),
    row("b64", SIGN_BLOB, Switch, Unused, "the signature is in the bundle, which is JSON"),
    row("bundle", SIGN, Value, Same, "it is for one image, and an existing file is never replaced"),
    row("bundle", BLOBS, Value, Same, ""),
    row("ca-intermediates", VERIFIES, Value, Refused, TRUSTED),
    row("ca-roots", VERIFIES, Value, Refused, TRUSTED),
    row("certificate", SIGNS, Value, Refused, KEYLESS),
    row("certificate", VERIFIES, Value, Refused, TRUSTED),
    row("certificate-chain", SIGNS, Value, Refused, KEYLESS),
    row("certificate-chain", VERIFIES, Value, Refused, TRUSTED),
    row("certificate-github-workflow-name", VERIFIES, Value, Same, ""),
    row("certificate-github-workflow-ref", VERIFIES, Value, Same, ""),
    row("certificate-github-workflow-repository", VERIFIES, Value, Same, ""),
    row("certificate-github-workflow-sha", VERIFIES, Value, Same, ""),
    row("certificate-github-workflow-trigger", VERIFIES, Value, Same, ""),
    row("certificate-identity", VERIFIES, Value, Same, ""),
    row("certificate-identity-regexp", VERIFIES, Value, Same, WHOLE),
    row("certificate-oidc-issuer", VERIFIES, Value, Same, ""),
    row("certificate-oidc-issuer-regexp", VERIFIES, Value, Same, WHOLE),
    row("check-claims", VERIFY, Switch, Only("true"), "leave it out: a signature for another artifact proves nothing"),
    row("experimental-oci11", VERIFY, Switch, Unused, "the referrers API is always used"),
    row("experimental-oci11", VERIFY_BLOB, Switch, Unused, FROM_FILE),
    row("fulcio-auth-flow", SIGNS, Value, Unused, NO_LOGIN),
    row("fulcio-url", SIGNS, Value, Same, ""),
    row("identity-token", SIGNS, Value, Same, ""),
    row("insecure-ignore-sct", VERIFIES, Switch, Only("false"), "leave it out: a certificate without an SCT may be missing from the public log"),
    row("insecure-ignore-tlog", VERIFIES, Switch, Only("false"), "leave it out: a signature counts only with a log entry"),
    row("insecure-skip-verify", SIGNS, Switch, Unused, "answers are always verified"),
    row("issue-certificate", SIGNS, Switch, Unused, "a certificate is always issued"),
    row("k8s-keychain", IMAGES, Switch, Unused, "logins come from the files and helpers of Docker and Podman, and from the job"),
    row("key", SIGNS, Value, Refused, KEYLESS),
    row("key", VERIFIES, Value, Same, "it is the path of a public key in PEM, and nothing else"),
    row("local-image", VERIFY, Switch, Only("false"), "name the image in its registry; for a bundle in a file use `--bundle`"),
    row("max-workers", VERIFY, Value, Unused, "signatures are fetched in parallel, at most eight at a time"),
    row("max-workers", VERIFY_BLOB, Value, Unused, FROM_FILE),
    row("new-bundle-format", SIGNS, Switch, Only("true"), "leave it out: signatures are Sigstore bundles, which cosign 3 reads, and cosign 2.6 with the same switch set to true"),
    row("new-bundle-format", VERIFY, Switch, Unused, "bundles and older signatures are both looked for"),
    row("new-bundle-format", VERIFY_BLOB, Switch, Unused, "Sigstore bundles of each version are read, and nothing else"),
    row("offline", VERIFY, Switch, Unused, "only the registry and the TUF mirror are contacted; with `--trusted-root`, no mirror"),
    row("offline", VERIFY_BLOB, Switch, Unused, "only the TUF mirror is contacted; with `--trusted-root`, nothing is"),
    row("oidc-client-id", SIGNS, Value, Unused, NO_LOGIN),
    row("oidc-client-secret-file", SIGNS, Value, Unused, NO_LOGIN),
    row("oidc-disable-ambient-providers", SIGNS, Switch, Same, ""),
    row("oidc-issuer", SIGNS, Value, Same, "there is no login, so it has no effect"),
    row("oidc-provider", SIGNS, Value, Same, ""),
    row("oidc-redirect-url", SIGNS, Value, Unused, NO_LOGIN),
    row("output", SIGN_BLOB, Value, Same, "it is `text` or `json` and names no file: the bundle goes to `--bundle`"),
    row("output", VERIFY, Value, Same, "`text` is the default, and `ambisign schema` describes the JSON"),
    row("output-certificate", SIGNS, Value, Refused, IN_BUNDLE),
    row("output-file", ALL, Value, Refused, "redirect the output with `>`"),
    row("output-payload", SIGN, Value, Refused, IN_BUNDLE),
    row("output-signature", SIGNS, Value, Refused, IN_BUNDLE),
    row("payload", SIGN, Value, Refused, "leave it out: ambisign signs a statement about the digest of the image"),
    row("payload", VERIFY, Value, Refused, "leave it out: the bundle contains the signed payload"),
    row("private-infrastructure", VERIFIES, Switch, Only("false"), TRUSTED),
    row("record-creation-timestamp", SIGN, Switch, Unused, OLD_LAYOUT),
    row("recursive", SIGN, Switch, Same, ""),
    row("registry-cacert", IMAGES, Value, Alias("ca-file"), ""),
    row("registry-client-cert", IMAGES, Value, Refused, NO_CLIENT_CERTIFICATE),
    row("registry-client-key", IMAGES, Value, Refused, NO_CLIENT_CERTIFICATE),
    row("registry-password", IMAGES, Value, Secret, "put it into `AMBISIGN_REGISTRY_PASSWORD`, and the user into `--registry-username`"),
    row("registry-referrers-mode", SIGN, Value, Unused, "the referrers API is used if the registry has it, otherwise the fallback tag"),
    row("registry-server-name", IMAGES, Value, Refused, "use the host name in the registry's certificate"),
    row("registry-token", IMAGES, Value, Secret, "put it into `AMBISIGN_REGISTRY_TOKEN`"),
    row("registry-username", IMAGES, Value, Same, ""),
    row("rekor-url", SIGNS, Value, Same, ""),
    row("rekor-url", VERIFIES, Value, Unused, "no log is contacted, because the bundle contains its proof"),
    row("rfc3161-timestamp", SIGN_BLOB, Value, Refused, IN_BUNDLE),
    row("rfc3161-timestamp", VERIFY_BLOB, Value, Refused, "pass the bundle that contains the timestamp with `--bundle`"),
    row("sct", VERIFIES, Value, Refused, "leave it out: the SCT is in the certificate"),
    row("sign-container-identity", SIGN, Value, Unused, OLD_LAYOUT),
    row("signature", VERIFY, Value, Refused, "pass a bundle with `--bundle`"),
    row("signature", VERIFY_BLOB, Value, Refused, "pass a bundle with `--bundle`"),
    row("signature-digest-algorithm", VERIFIES, Value, Only("sha256"), "leave it out: artifacts are named by SHA-256"),
    row("signing-algorithm", SIGN_BLOB, Value, Only("ecdsa-sha2-256-nistp256"), "leave it out: the key of a run is ECDSA P-256"),
    row("signing-config", SIGNS, Value, Same, ""),
    row("sk", SIGNS, Switch, Only("false"), KEYLESS),
    row("sk", VERIFIES, Switch, Only("false"), "pass the public key of the device with `--key`"),
    row("slot", SIGNS, Value, Refused, KEYLESS),
    row("slot", VERIFIES, Value, Refused, "pass the public key of the device with `--key`"),
    row("timeout", ALL, Value, Same, ""),
    row("timestamp-certificate-chain", VERIFIES, Value, Refused, TRUSTED),
    row("timestamp-client-cacert", SIGNS, Value, Alias("ca-file"), ""),
    row("timestamp-client-cert", SIGNS, Value, Refused, NO_CLIENT_CERTIFICATE),
    row("timestamp-client-key", SIGNS, Value, Refused, NO_CLIENT_CERTIFICATE),
    row("timestamp-server-name", SIGNS, Value, Refused, "use the host name in the certificate of the timestamp authority"),
    row("timestamp-server-url", SIGNS, Value, Alias("tsa-url"), ""),
    row("tlog-upload", SIGNS, Switch, Only("true"), PROOF),
    row("trusted-root", ALL, Value, Same, ""),
    row("upload", SIGN, Switch, Opposite("no-push"), ""),
    row("use-signed-timestamps", VERIFIES, Switch, Unused, "timestamps in a bundle are always verified, and count"),
    row("use-signing-config", SIGNS, Switch, Unused, "URLs from flags are used, and the signing config names the other services"),
    row("verbose", ALL, Switch, Same, ""),
    row("yes", SIGNS, Switch, Same, ""),
];
