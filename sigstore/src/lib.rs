// SPDX-License-Identifier: Apache-2.0
//! Sigstore for a signer that runs without a human, and for readers of what it made.
//!
//! An identity token becomes an [`Identity`](identity::Identity), Fulcio gives a
//! [`Credential`](credential::Credential) for it, the [witnesses](witness) timestamp and log what it
//! signed, and [`verify`] believes the bytes of a bundle alone. What is believed, and who is asked,
//! is [`Trust`](trust::Trust).
//!
//! The crate knows no registry and no report. Each module uses those below it alone; the table in
//! `ARCHITECTURE.md` says which, and a test holds it.

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
