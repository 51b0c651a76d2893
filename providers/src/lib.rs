// SPDX-License-Identifier: Apache-2.0
//! Ambient OIDC credentials: finds the identity token that the environment already holds.
//!
//! A CI job, a cloud machine or a mounted file can each prove who is running. This crate detects
//! which of them is there without touching the network, chooses exactly one, and asks that one for
//! an OIDC token. When the chosen one fails the answer is an error: another identity is never tried
//! in its place, and a person is never asked.
//!
//! ```no_run
#![doc = include_str!("../examples/hello.rs")]
//! ```
//!
//! The crate knows nothing of what the token is for, and nothing of the program that it is part of.
//! Variable names, paths, and what the program calls its settings are [`Options`].
//!
//! The outside enters once, as a [`Host`]: environment, HTTP clients, clock and file root.
//! [`Detector::from_env`] builds one for this process, [`Detector::new`] takes one from the program,
//! with its deadline and its observer. Of the crate `ambisign-host` the interface has four types,
//! which are exported here too: [`Host`]; [`Token`]; and [`Explain`] and [`Class`], the vocabulary of
//! errors: a stable code, a fix, and who can do something about it.

mod choose;
mod detector;
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

pub use ambisign_host::{Class, Explain, Host, Token};
pub use choose::{Choice, ChooseError, PodToken, Seen, choose, names, secret_variables, survey};
pub use detector::Detector;
pub use error::Error;
pub use http::RequestError;
pub use options::{GivenToken, Names, Options};
pub use provider::{Detection, Kind, PlatformHint, Provider, Source, Variable};
pub use table::PROVIDERS;
