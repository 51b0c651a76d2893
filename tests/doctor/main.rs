// SPDX-License-Identifier: Apache-2.0
//! `ambisign doctor` against the real services: each prepared misconfiguration is found and named, with
//! its fix and the exit code that `sign` has for it, and nothing becomes public.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers outside of `#[test]` functions stop when they cannot go on, and a token can be of \
              another time"
)]

#[path = "../common/mod.rs"]
mod common;

mod misconfigured;
mod patient;
mod well;
