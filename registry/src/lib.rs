// SPDX-License-Identifier: Apache-2.0
//! A client of OCI registries that resolves images, checks push permission, and reads and attaches
//! signatures.
//!
//! All requests use the HTTP core of `ambisign-host`, with the same limits, retries and deadlines as
//! every other call. Answers of a registry are checked before they are used. Only [`Registry::attach`]
//! makes a signature visible, and it accepts only a
//! [`VerifiedBundle`](ambisign_sigstore::verify::VerifiedBundle).

mod client;
mod discovery;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod hints;
mod hosts;
mod http;
pub mod limits;
mod login;
mod options;
mod read;
pub mod reference;
mod right;
mod target;
#[cfg(test)]
mod tests;
pub mod warnings;
mod write;

pub use client::children::IndexEntry;
pub use client::inspect::{Found, Inspection};
pub use client::{Attached, KeepsBundles, Registry};
pub use discovery::Discovery;
pub use error::Error;
pub use hints::Login;
pub use login::error::CredentialError;
pub use options::{GivenLogin, PlainHttp, RegistryOptions};
pub use read::candidates::{Candidate, Listing, MOST_PLACES};
pub use read::signatures::{Fetched, Stored};
pub use reference::{Reference, ReferenceError};
pub use target::Target;
