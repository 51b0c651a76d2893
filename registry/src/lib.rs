// SPDX-License-Identifier: Apache-2.0
//! OCI registries: which image is signed, whether we may push, and the signatures of an image.
//!
//! Requests are our own, on the one HTTP core of `ambisign-host`: limits, retries and deadlines are
//! those of every other call, and what a registry says is believed only after it was checked. Nothing
//! but [`Registry::attach`] makes a signature visible, and it takes a
//! [`VerifiedBundle`](ambisign_sigstore::verify::VerifiedBundle) only.

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
pub use options::{PlainHttp, RegistryOptions};
pub use read::candidates::{Candidate, Listing, MOST_PLACES};
pub use read::signatures::{Fetched, Stored};
pub use reference::{Reference, ReferenceError};
pub use target::Target;
