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
//! with its deadline and its observer. Of the crate `ambisign-host` the interface has six types,
//! which are exported here too: [`Host`]; [`Token`]; [`Explain`] and [`Class`], the vocabulary of
//! errors: a stable code, a fix, and who can do something about it; and [`Table`] and [`Code`], what
//! there is to know about a code.

mod choose;
mod detector;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod limits;
mod options;
pub mod platforms;
mod provider;
mod providers;

pub use ambisign_host::{Class, Code, Explain, Host, Table, Token};
pub use choose::{
    Choice, ChooseError, NOTE, PodToken, Seen, choose, explanations, names, secret_variables,
    survey,
};
pub use detector::Detector;
pub use error::Error;
pub use http::RequestError;
pub use options::{GivenToken, Names, Options};
pub use provider::{Detection, Kind, PlatformHint, Provider, Source, Variable};
pub use providers::*;
