// SPDX-License-Identifier: Apache-2.0
//! The TUF client against a simulated repository: the cases of the conformance suite of TUF by their
//! names, repositories of the field, and what a hostile mirror can do.
#![expect(
    clippy::unwrap_used,
    reason = "helpers outside of `#[test]` functions stop when they cannot go on"
)]

#[path = "../common/mod.rs"]
mod common;

mod advisories;
mod basic;
mod client;
mod delegations;
mod downloads;
mod hostile;
mod key;
mod keys;
mod published;
mod repository;
mod rollback;
mod server;
