// SPDX-License-Identifier: Apache-2.0
//! Finds targets of delegated roles (TUF 5.6.7).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use tough::TargetName;
use tough::schema::{DelegatedRole, Target, Targets};

use super::cache::State;
use super::error::Error;
use super::mirror::Mirror;
use super::paths;
use super::role::{self, Delegator};
use super::update::{TopLevel, listed, versioned};
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
        let mut open = in_turn(Delegator::of(&self.top.targets));
        let mut asked = BTreeSet::new();
        while let Some((delegator, delegated)) = open.pop() {
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
            let targets = self.load(&delegator, &delegated).await?;
            if let Some(target) = targets.targets.get(name) {
                return Ok(Some(target.clone()));
            }
            if delegated.terminating {
                open.clear();
            }
            open.extend(in_turn(Delegator::of(&targets)));
        }
        Ok(None)
    }

    async fn load(
        &mut self,
        delegator: &Delegator,
        delegated: &DelegatedRole,
    ) -> Result<Targets, Error> {
        let name = &delegated.name;
        let plain = format!("{name}.json");
        let meta = listed(&self.top.snapshot, &plain)?;
        let file = versioned(&self.top.root, &plain, meta);
        let targets = self
            .mirror
            .listed(&TUF_TARGETS, (&file, meta), self.state.delegated.get(name), |bytes| {
                role::delegated(&self.top.root, delegator, delegated, (&file, bytes))
            })
            .await?;
        role::in_time(&file, &targets.role, self.now)?;
        self.state.delegated.insert(name.to_owned(), targets.text);
        Ok(targets.role)
    }
}

/// The roles of `delegator` in reverse order, each with what defines its keys. Their number is not
/// trusted, so they share one allocation.
fn in_turn(delegator: Delegator) -> Vec<(Arc<Delegator>, DelegatedRole)> {
    let delegator = Arc::new(delegator);
    let roles = delegator.delegations.roles.iter().rev();
    roles.map(|role| (Arc::clone(&delegator), role.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tough::schema::Targets;

    use super::in_turn;
    use crate::trust::tuf::role::Delegator;

    /// What `targets` with these delegations, or none, says of other roles.
    fn delegator(delegations: Option<serde_json::Value>) -> Delegator {
        let mut targets = serde_json::json!({"_type": "targets", "spec_version": "1.0.0",
            "version": 1, "expires": "2030-01-01T00:00:00Z", "targets": {}});
        if let Some(delegations) = delegations {
            targets["delegations"] = delegations;
        }
        Delegator::of(&serde_json::from_value::<Targets>(targets).unwrap())
    }

    #[test]
    fn roles_come_in_their_order_and_share_their_keys() {
        let role = |name| {
            serde_json::json!({"name": name, "keyids": [], "threshold": 1, "terminating": false,
                "paths": ["*"]})
        };
        let delegations = serde_json::json!({"keys": {}, "roles": [role("a"), role("b")]});
        let mut open = in_turn(delegator(Some(delegations)));
        let (shared, first) = open.pop().unwrap();
        assert_eq!(first.name, "a");
        assert!(Arc::ptr_eq(&shared, &open[0].0));
        assert!(in_turn(delegator(None)).is_empty());
    }
}
