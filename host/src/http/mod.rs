// SPDX-License-Identifier: Apache-2.0
//! HTTP: clients, requests, and the one way to send them.

mod client;
mod error;
mod link_local;
mod loopback;
mod page;
mod preconnect;
pub mod request;
mod send;

pub use client::{
    ClientError, Event, Net, NetOptions, Observer, PlainHttp, Profile, SettingNames,
    plain_http_allowed,
};
pub use error::{HttpError, HttpReason};
pub use link_local::{is_link_local, is_metadata_name};
pub use loopback::{is_localhost, is_loopback, resolves_to_loopback};
pub use send::{Answer, CallLimits};
