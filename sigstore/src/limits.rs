// SPDX-License-Identifier: Apache-2.0
//! The limits of every call to a service of Sigstore.
//!
//! [`ambisign_host::Net`] makes the requests, retries them and redacts their secrets.

use std::time::Duration;

use ambisign_host::{CallLimits, PlainHttp, Profile, Reach};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const SIGSTORE: Profile = Profile {
    name: "sigstore",
    connect: secs(5),
    http2: true,
    plain_http: PlainHttp::LoopbackLiterals,
    proxies: true,
    reach: Reach::Anywhere,
};

/// The defaults.
const BASE: CallLimits = CallLimits {
    profile: SIGSTORE,
    body: 1024 * 1024,
    tries: 4,
    each: secs(30),
    all: secs(100),
    first_wait: Duration::from_millis(500),
    longest_wait: secs(8),
};

/// A certificate from Fulcio.
pub const FULCIO: CallLimits = BASE;

/// A timestamp.
pub const TSA: CallLimits = CallLimits { body: 64 * 1024, each: secs(15), all: secs(40), ..BASE };

/// A log entry. A write to Rekor v2 may take 20 s or more, because it waits for the next checkpoint.
pub const REKOR: CallLimits = CallLimits {
    body: 4 * 1024 * 1024,
    each: secs(60),
    all: secs(180),
    first_wait: secs(1),
    ..BASE
};

/// A root of TUF. The other calls of TUF differ only in their size limit.
pub const TUF_ROOT: CallLimits =
    CallLimits { body: 512 * 1024, all: secs(60), first_wait: Duration::from_millis(200), ..BASE };

/// `timestamp.json` of TUF.
pub const TUF_TIMESTAMP: CallLimits = CallLimits { body: 16 * 1024, ..TUF_ROOT };

/// A snapshot of TUF.
pub const TUF_SNAPSHOT: CallLimits = CallLimits { body: 2_000_000, ..TUF_ROOT };

/// Metadata of targets of TUF.
pub const TUF_TARGETS: CallLimits = CallLimits { body: 5_000_000, ..TUF_ROOT };

/// A target of TUF: a trusted root or a signing config.
pub const TUF_TARGET: CallLimits = CallLimits { body: 1024 * 1024, ..TUF_ROOT };
