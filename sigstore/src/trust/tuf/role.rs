// SPDX-License-Identifier: Apache-2.0
//! The checks of one metadata file: form, signatures, expiry, and agreement with other metadata.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tough::schema::{
    DelegatedRole, Delegations, Metafile, Role, RoleKeys, RoleType, Root, Signed, Targets,
};

use super::document::{self, Listing, Received};
use super::error::Error;
use super::hashes;

/// Metadata with the text that was signed.
#[derive(Debug)]
pub(super) struct Verified<R> {
    /// The parsed metadata.
    pub(super) role: R,
    /// The file.
    pub(super) text: String,
}

/// Parses `bytes`. Nothing is verified yet.
pub(super) fn read<R: Listing>(file: &str, bytes: &[u8]) -> Result<Signed<Received<R>>, Error> {
    document::read(bytes).map_err(|why| Error::Malformed { file: file.to_owned(), why })
}

/// Parses `bytes`, which the required number of keys in `root` must have signed (TUF 5.4.2, 5.5.3,
/// 5.6.3).
pub(super) fn signed<R: Listing>(
    root: &Root,
    file: &str,
    bytes: &[u8],
) -> Result<Verified<R>, Error> {
    let signed = read::<R>(file, bytes)?;
    root.verify_role(&signed).map_err(|error| unsigned(root, R::TYPE, file, &error))?;
    Ok(verified(signed, bytes))
}

/// What a role that delegates says of the keys and of the roles that it delegates to.
#[derive(Debug)]
pub(super) struct Delegator {
    /// Its keys and roles.
    pub(super) delegations: Delegations,
    /// The rest of the role, which has the kinds of the keys that are not known.
    extra: HashMap<String, Value>,
}

impl Delegator {
    /// The delegations of `role`, which may be none.
    pub(super) fn of(role: &Targets) -> Self {
        let delegations = role.delegations.clone().unwrap_or_default();
        Self { delegations, extra: role._extra.clone() }
    }
}

/// Parses `bytes`, which must be signed for `role` as `delegator` requires (TUF 5.6.7).
pub(super) fn delegated(
    top: &Root,
    delegator: &Delegator,
    role: &DelegatedRole,
    (file, bytes): (&str, &[u8]),
) -> Result<Verified<Targets>, Error> {
    // The delegating role takes the place of the root for the role of the same type.
    let keys =
        RoleKeys { keyids: role.keyids.clone(), threshold: role.threshold, _extra: HashMap::new() };
    let keeper = Root {
        keys: delegator.delegations.keys.clone(),
        _extra: delegator.extra.clone(),
        roles: HashMap::from([(RoleType::Targets, keys)]),
        ..top.clone()
    };
    signed(&keeper, file, bytes)
}

/// The root to start from. It signs itself, and may have expired (TUF 5.2).
pub(super) fn anchor(bytes: &[u8]) -> Result<Verified<Root>, Error> {
    let root = document::read::<Root>(bytes).map_err(|why| Error::Anchor { why })?;
    root.signed.role.verify_role(&root).map_err(|error| {
        unusable(&root.signed.role, RoleType::Root, "root.json")
            .unwrap_or_else(|| Error::Anchor { why: error.to_string() })
    })?;
    Ok(verified(root, bytes))
}

/// The root that follows `root`: signed by both, one version later (TUF 5.3.4, 5.3.5).
pub(super) fn successor(root: &Root, bytes: &[u8]) -> Result<Verified<Root>, Error> {
    let version = next(root);
    let file = format!("{version}.root.json");
    let new = read::<Root>(&file, bytes)?;
    for keys in [root, &new.signed.role] {
        keys.verify_role(&new).map_err(|error| unsigned(keys, RoleType::Root, &file, &error))?;
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

/// Checks that `bytes` match `meta` (TUF 5.5.2, 5.6.2).
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

/// Checks that `role` has the version in `meta` (TUF 5.5.4, 5.6.4).
pub(super) fn versioned(file: &str, meta: &Metafile, role: &impl Role) -> Result<(), Error> {
    if role.version() == meta.version {
        return Ok(());
    }
    Err(mismatch(file, "version"))
}

/// Checks that `role` has not expired at `now`.
pub(super) fn in_time(file: &str, role: &impl Role, now: SystemTime) -> Result<(), Error> {
    if end(role).is_none_or(|end| now < end) {
        return Ok(());
    }
    Err(Error::Expired { file: file.to_owned(), at: role.expires().to_string() })
}

/// The time at which `role` expires; `None` if `SystemTime` cannot represent it.
pub(super) fn end(role: &impl Role) -> Option<SystemTime> {
    let since = u64::try_from(role.expires().as_second()).unwrap_or(0);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since))
}

fn verified<R>(signed: Signed<Received<R>>, bytes: &[u8]) -> Verified<R> {
    Verified {
        role: signed.signed.role,
        // JSON is UTF-8, so nothing is lost.
        text: String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Why `file` is not signed by the keys that `root` has for its role.
fn unsigned(root: &Root, role: RoleType, file: &str, error: &tough::schema::Error) -> Error {
    unusable(root, role, file)
        .unwrap_or_else(|| Error::Signature { file: file.to_owned(), why: error.to_string() })
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
    Error::Mismatch { file: file.to_owned(), what }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::anchor;
    use crate::trust::tuf::error::Error;

    const ANCHOR: &[u8] = include_bytes!("anchors/production.json");

    /// An unknown kind of key is the reason only where the known keys cannot reach the threshold.
    #[test]
    fn unknown_keys_are_the_reason_only_where_known_ones_are_too_few() {
        let document: Value = serde_json::from_slice(ANCHOR).unwrap();
        let ids = document["signed"]["roles"]["root"]["keyids"].clone();
        let ids: Vec<_> = ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        let unknown = |count: usize, threshold: u64| {
            let mut document = document.clone();
            for id in &ids[..count] {
                document["signed"]["keys"][id]["keytype"] = "of-the-future".into();
            }
            document["signed"]["roles"]["root"]["threshold"] = threshold.into();
            anchor(document.to_string().as_bytes()).unwrap_err()
        };
        assert_eq!(ids.len(), 5);
        for (count, threshold, is_reason) in [(2, 3, false), (3, 3, true), (0, 5, false)] {
            let found = unknown(count, threshold);
            assert_eq!(matches!(found, Error::KeyKind { .. }), is_reason, "{count} {found}");
        }
        assert!(matches!(unknown(0, 5), Error::Anchor { .. }));
    }
}
