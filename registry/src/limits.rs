// SPDX-License-Identifier: Apache-2.0
//! The limits of every call to a registry.

use std::time::Duration;

use ambisign_host::{CallLimits, PlainHttp, Profile, Reach};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const REGISTRY: Profile = Profile {
    name: "registry",
    connect: secs(5),
    http2: true,
    plain_http: PlainHttp::LoopbackLiterals,
    proxies: true,
    reach: Reach::Anywhere,
};

/// A registry without TLS that has a name of this machine.
pub const REGISTRY_ON_LOOPBACK: Profile = Profile {
    name: "registry on this machine",
    plain_http: PlainHttp::LoopbackNames,
    proxies: false,
    ..REGISTRY
};

/// A registry for which the user allows plain HTTP.
pub const REGISTRY_WITHOUT_TLS: Profile =
    Profile { name: "registry without TLS", plain_http: PlainHttp::Anywhere, ..REGISTRY };

/// Storage without TLS, to which a registry sends us for content that its digest proves.
pub const STORAGE_WITHOUT_TLS: Profile =
    Profile { name: "storage without TLS", plain_http: PlainHttp::BeyondLink, ..REGISTRY };

/// The defaults.
const BASE: CallLimits = CallLimits {
    profile: REGISTRY,
    body: 64 * 1024,
    tries: 5,
    each: secs(120),
    all: secs(240),
    first_wait: Duration::from_millis(500),
    longest_wait: secs(8),
};

/// A registry's token endpoint.
pub const REGISTRY_TOKEN: CallLimits = CallLimits { each: secs(15), all: secs(60), ..BASE };

/// A read of a manifest, an index, or a list.
pub const REGISTRY_READ: CallLimits =
    CallLimits { body: 8 * 1024 * 1024, each: secs(60), all: secs(120), ..BASE };

/// A push of a blob or a manifest.
pub const REGISTRY_WRITE: CallLimits = BASE;
