// SPDX-License-Identifier: Apache-2.0
//! Access to the private parsers of TUF metadata, for `fuzz/` and its test only.

use tough::TargetName;
use tough::schema::{Snapshot, Targets, Timestamp};

use super::error::Error;
use super::{paths, role};

/// The version of a root that a run may start with.
///
/// # Errors
/// The bytes are not a root.
pub fn anchor(bytes: &[u8]) -> Result<u64, Error> {
    Ok(role::anchor(bytes)?.role.version.get())
}

/// Verifies `bytes` as each of the files that the root `anchor` or its keys sign: the next root,
/// timestamp, snapshot and targets.
///
/// # Errors
/// `anchor` is not a root.
pub fn signed(anchor: &[u8], bytes: &[u8]) -> Result<[Result<(), Error>; 4], Error> {
    let root = role::anchor(anchor)?.role;
    Ok([
        role::successor(&root, bytes).map(drop),
        role::signed::<Timestamp>(&root, "timestamp.json", bytes).map(drop),
        role::signed::<Snapshot>(&root, "snapshot.json", bytes).map(drop),
        role::signed::<Targets>(&root, "targets.json", bytes).map(drop),
    ])
}

/// The number of roles in the unverified targets metadata `bytes` whose paths cover the target `name`.
///
/// # Errors
/// The bytes are not targets metadata.
pub fn delegates(bytes: &[u8], name: &str) -> Result<usize, Error> {
    let targets = role::read::<Targets>("targets.json", bytes)?.signed;
    let Ok(name) = TargetName::new(name) else {
        return Ok(0);
    };
    let mut asked = 0;
    for role in targets.role.delegations.unwrap_or_default().roles {
        asked += usize::from(paths::cover(&role, name.resolved())?);
    }
    Ok(asked)
}
