// SPDX-License-Identifier: Apache-2.0
//! The outside world of a program: environment, clock, files, processes and HTTP, each with limits.
//!
//! All access goes through one [`Host`]. One function retries, one starts processes, one redacts, and
//! one parses strict JSON. The crate knows nothing about services, identities or registries: callers
//! choose the requests and their [limits](CallLimits).

mod clock;
mod env;
mod errors;
mod excerpt;
mod explain;
pub mod file;
mod host;
mod http;
mod hygiene;
pub mod json;
mod notice;
mod passed_on;
mod process;
mod redact;
mod secret;

pub use clock::Clock;
pub use env::Env;
pub use excerpt::excerpt;
pub use explain::{Class, Code, Explain, Fix, Table, chain, imperative};
pub use host::Host;
pub use http::{
    Answer, CallLimits, ClientError, Event, HttpError, HttpReason, NETWORK_WARNINGS, Net,
    NetOptions, Observer, PlainHttp, Profile, Proxies, Proxy, ProxyFault, Reach, SettingNames,
    is_link_local, is_localhost, is_loopback, is_metadata_name, is_public, plain_http_allowed,
    request, resolves_to_loopback,
};
pub use hygiene::keep_memory_private;
pub use notice::{Failure, Warning};
pub use process::{Child, Finished, SpawnError, spawn};
pub use secret::Token;
