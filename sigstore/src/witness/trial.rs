// SPDX-License-Identifier: Apache-2.0
//! A request for a timestamp of random bytes, which shows whether the trusted root has the authority.

use std::time::Duration;

use ambisign_host::CallLimits;
use rand_core::CryptoRng;

use super::tsa::Nonce;
use crate::limits::TSA;

/// The limits of a trial. The run does not wait for it any longer, because the request for the
/// signature's own timestamp shows the same later.
pub(super) const TRIAL: CallLimits =
    CallLimits { tries: 1, each: Duration::from_secs(2), all: Duration::from_secs(2), ..TSA };

/// Random bytes to timestamp, and the nonce of the requests.
pub struct Trial {
    pub(super) bytes: [u8; 32],
    pub(super) nonce: Nonce,
}

impl Trial {
    /// Draws the bytes and the nonce from `rng`.
    pub fn draw<R: CryptoRng>(rng: &mut R) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self { bytes, nonce: Nonce::draw(rng) }
    }
}
