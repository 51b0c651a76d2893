// SPDX-License-Identifier: Apache-2.0
//! Requests to a registry: authorization, redirects, transport.

pub(crate) mod access;
mod address;
pub(crate) mod auth;
pub(crate) mod backoff;
pub(crate) mod call;
pub(crate) mod challenge;
pub(crate) mod connection;
pub(crate) mod refusal;
mod requests;
pub(crate) mod transport;
