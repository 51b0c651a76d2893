// SPDX-License-Identifier: Apache-2.0
//! Reads from a repository.

pub(crate) mod candidates;
pub(crate) mod fallback_tag;
pub(crate) mod index;
pub(crate) mod manifest;
pub(crate) mod referrers;
pub(crate) mod resolve;
pub(crate) mod signatures;
pub(crate) mod tags;

use std::sync::Arc;

use tokio::sync::Mutex as AsyncMutex;

use crate::discovery::Discovery;
use crate::http::connection::Connection;

/// Reads from one repository.
#[derive(Clone, Debug)]
pub(crate) struct Puller<'a> {
    /// The client for the repository.
    pub(crate) connection: Connection<'a>,
    /// The way to find signatures in it, once known. Locked while that is found out.
    pub(crate) discovery: Arc<AsyncMutex<Option<Discovery>>>,
}
