// SPDX-License-Identifier: Apache-2.0
//! The checks. Each takes any bytes, and panics if a property does not hold.

mod bundles;
mod merkle;
mod registry;
mod tokens;
mod trust;
mod witnesses;

use std::time::{Duration, SystemTime};

pub use bundles::{bundle, judge, legacy_signature, lookalike, mutated_bundle, statement};
pub use merkle::merkle;
pub use registry::{challenge, docker_config, image_list, image_reference, registry_answer};
pub use tokens::{fulcio_answer, provider_answer, token};
pub use trust::{certificate, signing_config, trusted_root, tuf_metadata};
pub use witnesses::{log_entry, note, timestamp};

/// A moment at which all services of the public instance are valid.
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}
