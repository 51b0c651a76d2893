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

mod ahead;
mod choose;
mod clock;
mod env;
pub mod env_var;
mod error;
mod explain;
pub mod file;
pub mod gce;
pub mod github;
pub mod gitlab;
mod given;
pub mod google;
mod hops;
mod host;
mod http_error;
pub mod impersonation;
pub mod json;
mod loopback;
mod net;
mod options;
mod provider;
pub mod recognised;
mod redact;
mod request;
mod send;
mod spawn;
pub mod spiffe;
mod token;
pub mod unsupported;

pub use choose::{Choice, ChooseError, Seen, choose, survey};
pub use clock::Clock;
pub use env::Env;
pub use error::Error;
pub use explain::{Class, Explain};
pub use host::Host;
pub use http_error::{HttpError, HttpReason};
pub use loopback::{is_localhost, resolves_to_loopback};
pub use net::{
    ClientError, Event, Net, NetOptions, Observer, PlainHttp, Profile, is_loopback,
    plain_http_allowed,
};
pub use options::{GivenToken, Options};
pub use provider::{Detection, Kind, PROVIDERS, Platform, Provider, Source};
pub use request::bearer;
pub use send::{Answer, Hop};
pub use spawn::{Child, Finished, SpawnError, spawn};
pub use token::Token;
