// SPDX-License-Identifier: Apache-2.0
//! Finds targets of delegated roles (TUF 5.6.7).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use tough::TargetName;
use tough::schema::{DelegatedRole, Delegations, Target, Targets};

use super::cache::State;
use super::error::Error;
use super::mirror::Mirror;
use super::update::{TopLevel, listed, versioned};
use super::{paths, role};
use crate::limits::TUF_TARGETS;

/// The most roles that are visited for one target.
const MOST_ROLES: usize = 32;

/// A search for one target.
pub(super) struct Search<'a> {
    pub(super) mirror: &'a Mirror<'a>,
    pub(super) top: &'a TopLevel,
    pub(super) now: SystemTime,
    /// Cached metadata, old and new.
    pub(super) state: &'a mut State,
}

impl Search<'_> {
    /// Finds the target in the first role that has it, in the order of the specification. Roles whose
    /// paths do not cover it are not requested.
    pub(super) async fn find(&mut self, name: &TargetName) -> Result<Option<Target>, Error> {
        let mut open = in_turn(self.top.targets.delegations.clone());
        let mut asked = BTreeSet::new();
        while let Some((delegations, delegated)) = open.pop() {
            if !paths::cover(&delegated, name.resolved())? || !asked.insert(delegated.name.clone())
            {
                continue;
            }
            if asked.len() > MOST_ROLES {
                return Err(Error::TooMany {
                    what: "delegated roles for one target",
                    limit: MOST_ROLES,
                });
            }
            let targets = self.load(&delegations, &delegated).await?;
            if let Some(target) = targets.targets.get(name) {
                return Ok(Some(target.clone()));
            }
            if delegated.terminating {
                open.clear();
            }
            open.extend(in_turn(targets.delegations));
        }
        Ok(None)
    }

    async fn load(
        &mut self,
        delegations: &Delegations,
        delegated: &DelegatedRole,
    ) -> Result<Targets, Error> {
        let name = &delegated.name;
        let plain = format!("{name}.json");
        let meta = listed(&self.top.snapshot, &plain)?;
        let file = versioned(&self.top.root, &plain, meta);
        let targets = self
            .mirror
            .listed(&TUF_TARGETS, (&file, meta), self.state.delegated.get(name), |bytes| {
                role::delegated(&self.top.root, delegations, delegated, (&file, bytes))
            })
            .await?;
        role::in_time(&file, &targets.role, self.now)?;
        self.state.delegated.insert(name.to_owned(), targets.text);
        Ok(targets.role)
    }
}

/// The roles of `delegations` in reverse order, each with the delegations that define its keys. Their
/// number is not trusted, so they share one allocation.
fn in_turn(delegations: Option<Delegations>) -> Vec<(Arc<Delegations>, DelegatedRole)> {
    let delegations = Arc::new(delegations.unwrap_or_default());
    let roles = delegations.roles.iter().rev();
    roles.map(|role| (Arc::clone(&delegations), role.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tough::schema::Delegations;

    use super::in_turn;

    #[test]
    fn roles_come_in_their_order_and_share_their_keys() {
        let role = |name| {
            serde_json::json!({"name": name, "keyids": [], "threshold": 1, "terminating": false,
                "paths": ["*"]})
        };
        let delegations = serde_json::json!({"keys": {}, "roles": [role("a"), role("b")]});
        let delegations: Delegations = serde_json::from_value(delegations).unwrap();
        let mut open = in_turn(Some(delegations));
        let (shared, first) = open.pop().unwrap();
        assert_eq!(first.name, "a");
        assert!(Arc::ptr_eq(&shared, &open[0].0));
        assert!(in_turn(None).is_empty());
    }
}
