// SPDX-License-Identifier: Apache-2.0
//! Ambient OIDC credentials: finds the identity token that the environment already holds.
//!
//! A CI job, a cloud machine or a mounted file can each prove who is running. This crate detects
//! which of them is there without touching the network, chooses exactly one, and asks that one for
//! an OIDC token. When the chosen one fails the answer is an error: another identity is never tried
//! in its place, and a person is never asked.
//!
//! The crate knows nothing of what the token is for. Variable names, paths and the audience are
//! [`Options`].
//!
//! The outside enters once, as a [`Host`]: environment, HTTP clients, clock and file root.

mod clock;
mod env;
mod explain;
mod host;
mod net;
mod redact;
mod send;
mod spawn;
mod token;

pub use clock::Clock;
pub use env::Env;
pub use explain::{Class, Explain};
pub use host::Host;
pub use net::{
    ClientError, Event, Net, NetOptions, Observer, Profile, is_loopback, plain_http_allowed,
};
pub use send::{Answer, Hop, HttpError, HttpReason};
pub use spawn::{Finished, SpawnError, spawn};
pub use token::Token;
