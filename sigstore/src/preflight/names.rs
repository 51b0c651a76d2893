// SPDX-License-Identifier: Apache-2.0
//! Compares the name that the certificate will have with the name constraints of the trusted root.

use std::time::SystemTime;

use ambisign_host::excerpt;

use super::error::Error;
use crate::certificate::name_of;
use crate::identity::Identity;
use crate::pki::path;
use crate::trust::TrustedRoot;

/// Whether an authority of `root` that is valid at `now` may issue a certificate for `identity`, as far
/// as its name is known before Fulcio is asked.
///
/// # Errors
/// [`Error::NameConstraints`]
pub fn permit(root: &TrustedRoot, identity: &Identity, now: SystemTime) -> Result<(), Error> {
    let Some(text) = identity.expected_name() else {
        return Ok(());
    };
    let name = name_of(text);
    let mut flaw = None;
    for authority in root.authorities().iter().filter(|authority| authority.is_valid_at(now)) {
        // Fulcio issues no certificate for a text that no name can have.
        match name.as_ref().map_or(Ok(()), |name| path::allow(authority.chain(), name)) {
            Ok(()) => return Ok(()),
            Err(found) => flaw = Some(found),
        }
    }
    flaw.map_or(Ok(()), |flaw| Err(Error::NameConstraints { name: excerpt(text), flaw }))
}
