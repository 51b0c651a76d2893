// SPDX-License-Identifier: Apache-2.0
//! One metadata file: read, signed, in time, and the one that other metadata speaks of.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use tough::schema::{
    DelegatedRole, Delegations, Metafile, Role, RoleKeys, RoleType, Root, Signed, Targets,
};

use super::document::{self, Listing, Received};
use super::error::Error;
use super::hashes;

/// Metadata with the text that was signed.
#[derive(Debug)]
pub(super) struct Verified<R> {
    /// What it says.
    pub(super) role: R,
    /// The file.
    pub(super) text: String,
}

/// Reads `bytes`. Nothing is verified yet.
pub(super) fn read<R: Listing>(file: &str, bytes: &[u8]) -> Result<Signed<Received<R>>, Error> {
    document::read(bytes).map_err(|why| Error::Malformed {
        file: file.to_owned(),
        why,
    })
}

/// Reads `bytes`, signed by as many of the keys in `root` as it demands (TUF 5.4.2, 5.5.3, 5.6.3).
pub(super) fn signed<R: Listing>(
    root: &Root,
    file: &str,
    bytes: &[u8],
) -> Result<Verified<R>, Error> {
    let signed = read::<R>(file, bytes)?;
    root.verify_role(&signed)
        .map_err(|error| unsigned(root, R::TYPE, file, &error))?;
    Ok(verified(signed, bytes))
}

/// Reads `bytes`, signed for `role` as `delegations` demand (TUF 5.6.7).
pub(super) fn delegated(
    top: &Root,
    delegations: &Delegations,
    role: &DelegatedRole,
    (file, bytes): (&str, &[u8]),
) -> Result<Verified<Targets>, Error> {
    // Whoever delegates does what the root does for the role of the same type.
    let keys = RoleKeys {
        keyids: role.keyids.clone(),
        threshold: role.threshold,
        _extra: HashMap::new(),
    };
    let delegator = Root {
        keys: delegations.keys.clone(),
        _extra: HashMap::new(),
        roles: HashMap::from([(RoleType::Targets, keys)]),
        ..top.clone()
    };
    signed(&delegator, file, bytes)
}

/// The root to start from. It vouches for itself; whether it is over does not matter (TUF 5.2).
pub(super) fn anchor(bytes: &[u8]) -> Result<Verified<Root>, Error> {
    let root = document::read::<Root>(bytes).map_err(|why| Error::Anchor { why })?;
    root.signed.role.verify_role(&root).map_err(|error| {
        unusable(&root.signed.role, RoleType::Root, "root.json").unwrap_or_else(|| Error::Anchor {
            why: error.to_string(),
        })
    })?;
    Ok(verified(root, bytes))
}

/// The root that follows `root`: signed by both, one version later (TUF 5.3.4, 5.3.5).
pub(super) fn successor(root: &Root, bytes: &[u8]) -> Result<Verified<Root>, Error> {
    let version = next(root);
    let file = format!("{version}.root.json");
    let new = read::<Root>(&file, bytes)?;
    for keys in [root, &new.signed.role] {
        keys.verify_role(&new)
            .map_err(|error| unsigned(keys, RoleType::Root, &file, &error))?;
    }
    if new.signed.version().get() != version {
        let what = "version";
        return Err(Error::Mismatch { file, what });
    }
    Ok(verified(new, bytes))
}

/// The version of the root that follows `root`.
pub(super) fn next(root: &Root) -> u64 {
    root.version.get().saturating_add(1)
}

/// That `bytes` are those that `meta` speaks of (TUF 5.5.2, 5.6.2).
pub(super) fn pinned(file: &str, meta: &Metafile, bytes: &[u8]) -> Result<(), Error> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if meta.length.is_some_and(|limit| length > limit) {
        return Err(mismatch(file, "length"));
    }
    match &meta.hashes {
        Some(hashes) => hashes::verify(file, hashes, bytes),
        None => Ok(()),
    }
}

/// That `role` has the version that `meta` speaks of (TUF 5.5.4, 5.6.4).
pub(super) fn versioned(file: &str, meta: &Metafile, role: &impl Role) -> Result<(), Error> {
    if role.version() == meta.version {
        return Ok(());
    }
    Err(mismatch(file, "version"))
}

/// That `role` is not over at `now`.
pub(super) fn in_time(file: &str, role: &impl Role, now: SystemTime) -> Result<(), Error> {
    if end(role).is_none_or(|end| now < end) {
        return Ok(());
    }
    Err(Error::Expired {
        file: file.to_owned(),
        at: role.expires().to_string(),
    })
}

/// When `role` ends; `None` when that is later than time is counted.
pub(super) fn end(role: &impl Role) -> Option<SystemTime> {
    let since = u64::try_from(role.expires().as_second()).unwrap_or(0);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since))
}

fn verified<R>(signed: Signed<Received<R>>, bytes: &[u8]) -> Verified<R> {
    Verified {
        role: signed.signed.role,
        // JSON is UTF-8: nothing is lost.
        text: String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Why `file` is not signed by the keys that `root` has for its role.
fn unsigned(root: &Root, role: RoleType, file: &str, error: &tough::schema::Error) -> Error {
    unusable(root, role, file).unwrap_or_else(|| Error::Signature {
        file: file.to_owned(),
        why: error.to_string(),
    })
}

/// That the threshold of `role` cannot be reached without keys of a kind that is not supported.
fn unusable(root: &Root, role: RoleType, file: &str) -> Option<Error> {
    let keys = root.roles.get(&role)?;
    let known = keys.keyids.iter().filter(|id| root.keys.contains_key(id));
    let known = u64::try_from(known.count()).unwrap_or(u64::MAX);
    let kinds = document::unknown_kinds(&root._extra, &keys.keyids);
    (known < u64::from(keys.threshold) && !kinds.is_empty()).then(|| Error::KeyKind {
        file: file.to_owned(),
        kinds: kinds.into_iter().collect::<Vec<_>>().join(", "),
    })
}

fn mismatch(file: &str, what: &'static str) -> Error {
    Error::Mismatch {
        file: file.to_owned(),
        what,
    }
}
