// SPDX-License-Identifier: Apache-2.0
//! The help of `doctor`, which accepts the command line of `sign`.

pub(super) const EXAMPLES: &str = "\
Examples:
  ambisign doctor
  ambisign doctor ghcr.io/acme/app@sha256:9f2c...41d0
  ambisign doctor --output json IMAGE@DIGEST > diagnosis.json

It accepts the command line of `sign`: replace `sign` with `doctor` to check
whether it would succeed. Nothing is published.
";

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  the exit code that `sign` would have; the first failure decides, in the order
  settings, choice of the provider, registry, trust, identity, services
  0    `sign` would sign
  2    settings
  3    no usable identity
  4    trust material invalid, expired or missing
  5    an answer does not verify, including TLS
  6    the registry refused
  7    only some of the images would be signed
  75   a service is unreachable or refuses temporarily
";
