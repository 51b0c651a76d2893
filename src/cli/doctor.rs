// SPDX-License-Identifier: Apache-2.0
//! The help of `doctor`, which takes the command line of `sign`.

pub(super) const EXAMPLES: &str = "\
Examples:
  ambisign doctor
  ambisign doctor ghcr.io/acme/app@sha256:9f2c...41d0
  ambisign doctor --output json IMAGE@DIGEST > diagnosis.json

It takes what `sign` takes: write `doctor` in place of `sign` to see whether
that line would work. Nothing is published.
";

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  that with which `sign` would end; what is wrong first in the order settings,
  choice of the provider, registry, trust, identity, services decides
  0    `sign` would sign
  2    settings
  3    no usable identity
  4    trust material bad, expired or missing
  5    what came back does not verify, TLS included
  6    the registry says no
  7    some images would be signed, and some not
  75   a service is unreachable or refuses for now
";
