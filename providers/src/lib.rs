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
//! The outside enters once, as an [`ambisign_host::Host`]: environment, HTTP clients, clock and file
//! root.

mod choose;
pub mod env_var;
mod error;
mod explicit;
pub mod file;
#[doc(hidden)]
pub mod fuzzing;
pub mod gce;
pub mod github;
pub mod gitlab;
pub mod google;
mod http;
pub mod impersonation;
mod limits;
mod options;
pub mod platforms;
mod provider;
pub mod spiffe;
mod table;
pub mod unsupported;

pub use choose::{Choice, ChooseError, Seen, choose, survey};
pub use error::Error;
pub use http::RequestError;
pub use options::{GivenToken, Options};
pub use provider::{Detection, Kind, PlatformHint, Provider, Source};
pub use table::PROVIDERS;
