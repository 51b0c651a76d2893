// SPDX-License-Identifier: Apache-2.0
//! `ambisign sign` against the real services: what it publishes is judged by cosign 3, cosign 2 and
//! sigstore-python, what it asked is read from the journal of the services.
#![expect(
    clippy::unwrap_used,
    reason = "helpers outside of `#[test]` functions stop when they cannot go on"
)]

#[path = "../common/mod.rs"]
mod common;

mod already;
mod annotations;
mod batch;
mod deployments;
mod destinations;
mod inputs;
mod job;
mod kept;
mod later;
mod logins;
mod providers;
mod published;
mod recursive;
mod reported;
mod secrets;
mod situations;
mod tuf;
mod urls;
