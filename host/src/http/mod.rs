// SPDX-License-Identifier: Apache-2.0
//! HTTP: clients, requests, and the one way to send them.

mod client;
mod error;
mod failure;
mod link_local;
mod lookup;
mod loopback;
mod page;
mod preconnect;
mod proxy;
pub mod request;
mod roots;
mod send;
mod setting;
mod special;

pub use client::{Event, Net, NetOptions, Observer, PlainHttp, Profile, plain_http_allowed};
pub use error::{HttpError, HttpReason};
pub use link_local::{is_link_local, is_metadata_name};
pub use lookup::Reach;
pub use loopback::{is_localhost, is_loopback, resolves_to_loopback};
pub use proxy::fault::ProxyFault;
pub use proxy::{Proxies, Proxy};
pub use send::{Answer, CallLimits};
pub use setting::{ClientError, NETWORK_WARNINGS, SettingNames};
pub use special::is_public;
