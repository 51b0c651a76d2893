// SPDX-License-Identifier: Apache-2.0
//! Networks that do not let everybody through: proxies that want, refuse or are something else, hosts
//! that are reached without them, and CA certificates that cannot be read. Each test is one thing that
//! people meet. `sign`, `doctor` and `verify` say the same, and nothing becomes public.
#![expect(
    clippy::unwrap_used,
    reason = "helpers outside of `#[test]` functions stop when they cannot go on"
)]

#[path = "../common/mod.rs"]
mod common;

mod certificates;
mod exceptions;
mod place;
mod proxies;
mod waits;
