// SPDX-License-Identifier: Apache-2.0
//! Ambient OIDC credentials: finds the identity token that the environment already provides.
//!
//! CI jobs, cloud machines and mounted files can each provide an identity. This crate detects them
//! without using the network, chooses exactly one, and requests an OIDC token from it. If that fails, it
//! returns an error: it never tries another identity, and never prompts a person.
//!
//! ```no_run
#![doc = include_str!("../examples/hello.rs")]
//! ```
//!
//! The crate does not depend on the use of the token or on a particular program. [`Options`] has the names
//! of variables, paths, and the names of the program's settings for messages.
//!
//! All access to the outside world goes through a [`Host`]: environment, HTTP clients, clock and file
//! root. [`Detector::from_env`] builds one for this process; [`Detector::new`] accepts one from the
//! program, with its own deadline and observer. The interface uses six types of the crate
//! `ambisign-host`, which are re-exported here: [`Host`]; [`Token`]; [`Explain`] and [`Class`], which give
//! each error a stable code, a fix and a class; and [`Table`] and [`Code`], which explain the codes.

mod choose;
mod detector;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod http;
pub mod job;
mod limits;
mod options;
pub mod platforms;
mod provider;
mod providers;

pub use ambisign_host::{Class, Code, Explain, Host, Table, Token};
pub use choose::{
    Choice, ChooseError, NOTE, PodToken, ProviderStatus, choose, explanations, names,
    secret_variables, survey,
};
pub use detector::Detector;
pub use error::Error;
pub use http::RequestError;
pub use options::{GivenToken, Names, Options, Realm};
pub use provider::{Decides, Detection, Kind, PlatformHint, Provider, Source, Variable};
pub use providers::*;
