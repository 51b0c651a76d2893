// SPDX-License-Identifier: Apache-2.0
//! What the tests of the built binary share: a stack of real services, a way to run programs with
//! nothing in their environment, other implementations as judges, and a proxy that misbehaves.
//!
//! Nothing here calls the library: the code under test is the program, and what it published is
//! read back by means of its own.
//!
//! A test that needs the stack says so and is run by `tests/run`:
//!
//! ```text
//! #[test]
//! #[ignore = "needs the real stack: tests/run"]
//! fn signs() { let stack = Stack::shared(); ... }
//! ```
//!
//! So a plain `cargo test` reports it as ignored, never as passed.
#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of this module")]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops, and runs programs with an environment that it made itself"
)]

mod container;
pub(crate) mod fault;
pub(crate) mod forward;
mod fresh;
mod http;
mod image;
mod message;
mod mirror;
mod peers;
mod program;
mod schema;
mod signing_config;
mod stack;

pub(crate) use container::{Container, Flavour, NONROOT, finish, release, released};
pub(crate) use fresh::{fresh_images, send, sha256};
pub(crate) use http::{Reply, closed_url, exchange, get};
pub(crate) use image::{Image, Registry, Signature};
pub(crate) use mirror::Mirror;
pub(crate) use peers::{Cosign, GITHUB_IDENTITY, javascript, python, sigstore_js, sigstore_python};
pub(crate) use program::{Finished, Program, assert_no_canary};
pub(crate) use signing_config::{Service, signing_config_with};
pub(crate) use stack::{Asked, Log, Logs, Stack, Visit};

/// Text that no other call of this process or of another one gives.
pub(crate) fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now();
    let nanos = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    format!("{:x}-{:x}-{call:x}", nanos.as_nanos(), std::process::id())
}
