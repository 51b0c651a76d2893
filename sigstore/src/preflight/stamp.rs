// SPDX-License-Identifier: Apache-2.0
//! Judges the timestamp of random bytes.

use ambisign_host::Class;
use url::Url;

use super::error::Error;
use crate::timestamp::TimestampError;
use crate::witness;

/// Returns `true` if the authority at `url` gave a timestamp that verifies, and `false` if it gave no
/// answer, which may be different later.
///
/// # Errors
/// Another service answers, the authority refuses, or the timestamp does not verify.
pub(super) fn verified(url: &Url, stamp: Result<(), witness::Error>) -> Result<bool, Error> {
    match stamp {
        Ok(()) => Ok(true),
        Err(witness::Error::Timestamp(error)) if error.class() == Class::Temporary => Ok(false),
        Err(witness::Error::TimestampInvalid(TimestampError::UntrustedChain { flaw })) => {
            Err(Error::OtherTimestampAuthority { url: url.to_string(), flaw })
        }
        Err(error) => Err(error.into()),
    }
}
