// SPDX-License-Identifier: Apache-2.0
//! Whether the trusted root's authorities may issue for the identity, by their name constraints.

use ambisign_host::{Failure, Host};
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::preflight;
use ambisign_sigstore::trust::Trust;

use crate::outcome::diagnosis::{Finding, Stage};

/// What forbids that; `None` if nothing does.
pub(super) fn examine(host: &Host, trust: &Trust, identity: &Identity) -> Option<Finding> {
    let permitted = preflight::permit(trust.root(), identity, host.clock.now());
    let error = permitted.err()?;
    Some(Finding::fail(Stage::Identity, "name", Failure::of(&error)))
}
