// SPDX-License-Identifier: Apache-2.0
//! `ambisign verify` and `verify-blob`: what other implementations made is accepted, and whatever is
//! wrong ends with its reason and exit code, never with 0.
#![expect(
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "helpers outside of `#[test]` functions stop when they cannot go on; tables are long, and a signature has a time"
)]

#[path = "../common/mod.rs"]
mod common;

mod files;
mod forged;
mod images;
mod lies;
mod lookalikes;
mod many;
mod reader;
