// SPDX-License-Identifier: Apache-2.0
//! A Sigstore client that signs without interaction, and verifies.
//!
//! An identity token becomes an [`Identity`](identity::Identity), Fulcio issues a
//! [`Credential`](credential::Credential) for it, and the [witnesses](witness) timestamp and log its
//! signatures. [`verify`] checks a bundle from its bytes. [`Trust`](trust::Trust) holds the trusted root
//! and the services to use.
//!
//! The crate knows nothing about registries or reports. The table in `ARCHITECTURE.md` lists the modules
//! that each module may use, and a test enforces it.

pub mod bundle;
pub mod certificate;
pub mod content;
pub mod credential;
pub mod digest;
pub mod dsse;
pub mod fulcio;
pub mod identity;
mod key;
pub mod limits;
pub mod log;
pub mod lookalike;
pub mod network_hint;
pub mod pki;
pub mod preflight;
mod protojson;
pub mod service;
pub mod statement;
pub mod timestamp;
pub mod trust;
pub mod verify;
pub mod witness;
