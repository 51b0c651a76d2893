// SPDX-License-Identifier: Apache-2.0
//! The limits of calls to token services.

use std::time::Duration;

use ambisign_host::{CallLimits, Profile};

/// The longest accepted answer, in bytes. Answers with tokens are much shorter.
const BODY: usize = 64 * 1024;

/// The token endpoint of a CI platform.
pub(crate) const CI: CallLimits = CallLimits {
    profile: Profile::TOKEN_ENDPOINT,
    body: BODY,
    tries: 5,
    each: Duration::from_secs(15),
    all: Duration::from_secs(45),
    first_wait: Duration::from_millis(500),
    longest_wait: Duration::from_secs(8),
};

/// Google's token endpoint and IAM Credentials.
pub(crate) const GOOGLE: CallLimits = CallLimits { tries: 4, ..CI };

/// A metadata server that is known to exist.
pub(crate) const METADATA: CallLimits = CallLimits {
    profile: Profile::METADATA,
    body: BODY,
    tries: 5,
    each: Duration::from_secs(5),
    all: Duration::from_secs(20),
    first_wait: Duration::from_millis(100),
    longest_wait: Duration::from_secs(2),
};

/// The same in a Kubernetes pod, where it does not answer in the first seconds after the start.
pub(crate) const METADATA_OF_POD: CallLimits = CallLimits { tries: 14, ..METADATA };

/// A metadata server that may not exist, which must be found out quickly.
pub(crate) const METADATA_PROBE: CallLimits =
    CallLimits { tries: 1, each: Duration::from_secs(2), all: Duration::from_secs(2), ..METADATA };
