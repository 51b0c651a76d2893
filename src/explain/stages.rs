// SPDX-License-Identifier: Apache-2.0
//! The stages: what the first part of a code is about.

/// Every stage with what its codes are about, in the order of the names.
pub(super) const STAGES: &[(&str, &str)] = &[
    ("adc", "the Google credential file of this machine"),
    ("attach", "bundles that come to their images later"),
    ("blob", "files that are signed"),
    ("buildkite", "the identity of a Buildkite job"),
    ("bundle", "Sigstore bundles, and the files that hold them"),
    ("circleci", "the identity of a CircleCI job"),
    ("codefresh", "the identity of a Codefresh build"),
    ("create", "trust material of a private deployment"),
    ("env-var", "a token in a variable"),
    ("file", "a token in a file or on standard input"),
    ("fulcio", "the certificate authority"),
    ("gce", "the metadata server of Google Cloud"),
    ("github", "the identity and the files of a GitHub job"),
    ("gitlab", "the identity of a GitLab job"),
    (
        "identity",
        "what the token says, and whom the certificate will name",
    ),
    ("images", "which images are signed"),
    (
        "impersonation",
        "a Google service account that is asked for by name",
    ),
    ("network", "proxy variables and CA certificates"),
    ("provider", "where the identity comes from"),
    ("reference", "the name of an image"),
    (
        "registry",
        "the registry, its logins, images and signatures",
    ),
    ("rekor", "the transparency log"),
    ("run", "the run as a whole"),
    ("service", "a URL that is not that of the service"),
    ("service-account", "the key of a Google service account"),
    ("settings", "flags and variables"),
    ("sign", "the key of this run and what it signs"),
    ("spiffe", "the Workload API of SPIFFE"),
    ("timestamp", "the timestamp authority"),
    ("trust", "the trusted root and the signing config"),
    ("tuf", "the TUF mirror with the trust material"),
    ("verify", "signatures that are verified"),
];
