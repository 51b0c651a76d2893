// SPDX-License-Identifier: Apache-2.0
//! Logins with a scope, which `docker/login-action` stores for Buildx only: a file `config.json` in
//! `<folder of Buildx>/config/<registry>/<scope>`, or `<registry><scope>` if the scope names no
//! repository (`@push`).

use std::fs;
use std::path::{Path, PathBuf};

use ambisign_host::Host;

use crate::reference::canonical_registry;
use crate::right::Right;

/// The most levels of folders of a scope. Repositories rarely have more parts.
const DEEPEST: usize = 8;

/// The most folders that are searched.
const MOST_FOLDERS: usize = 500;

/// A login with a scope.
#[derive(Debug)]
pub(crate) struct Login {
    /// Its configuration file.
    pub(crate) file: PathBuf,
    /// The repository, or a prefix of its path; empty for all.
    repository: String,
    /// Its actions (`push`, `pull`), if it names any.
    actions: Option<String>,
}

impl Login {
    /// Returns `true` if it is for `right` to `repository`.
    pub(crate) fn is_for(&self, repository: &str, right: Right) -> bool {
        let rest = repository.strip_prefix(self.repository.as_str());
        let named = self.repository.is_empty()
            || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let wanted = match right {
            Right::Pull => "pull",
            Right::PullAndPush => "push",
        };
        let allowed = |actions: &String| actions.split(',').any(|action| action == wanted);
        named && self.actions.as_ref().is_none_or(allowed)
    }
}

/// The logins with a scope for `registry`. Unreadable files are ignored, because they belong to another
/// program.
pub(crate) fn find(host: &Host, registry: &str) -> Vec<Login> {
    let mut logins = Vec::new();
    let Some(folder) = folder(host) else {
        return logins;
    };
    let mut left = MOST_FOLDERS;
    for (path, name) in folders(&folder, &mut left) {
        let (own, actions) = split(&name);
        if canonical_registry(own) == registry {
            add(&mut logins, &path, "", actions);
            walk(&mut logins, &path, "", (DEEPEST, &mut left));
        }
    }
    logins
}

fn folder(host: &Host) -> Option<PathBuf> {
    let buildx = match host.env.get("BUILDX_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => match host.env.get("DOCKER_CONFIG") {
            Some(folder) => Path::new(folder).join("buildx"),
            None => host.home()?.join(".docker/buildx"),
        },
    };
    Some(buildx.join("config"))
}

fn walk(logins: &mut Vec<Login>, folder: &Path, above: &str, (deep, left): (usize, &mut usize)) {
    let Some(deep) = deep.checked_sub(1) else {
        return;
    };
    for (path, name) in folders(folder, left) {
        let (own, actions) = split(&name);
        let repository = if above.is_empty() { own.to_owned() } else { format!("{above}/{own}") };
        add(logins, &path, &repository, actions);
        if actions.is_none() {
            walk(logins, &path, &repository, (deep, left));
        }
    }
}

fn add(logins: &mut Vec<Login>, folder: &Path, repository: &str, actions: Option<&str>) {
    let file = folder.join("config.json");
    if file.is_file() {
        logins.push(Login {
            file,
            repository: repository.to_owned(),
            actions: actions.map(str::to_owned),
        });
    }
}

/// Splits a name at its `@`.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('@') {
        Some((name, actions)) => (name, Some(actions)),
        None => (name, None),
    }
}

fn folders(folder: &Path, left: &mut usize) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .take(*left)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| Some((entry.path(), entry.file_name().into_string().ok()?)))
        .collect();
    *left = left.saturating_sub(found.len());
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::{Login, Right};

    #[test]
    fn a_scope_is_a_repository_and_what_may_be_done() {
        let login = |repository: &str, actions: Option<&str>| Login {
            file: "config.json".into(),
            repository: repository.to_owned(),
            actions: actions.map(str::to_owned),
        };
        for (repository, actions, right, fits) in [
            ("acme/app", None, Right::PullAndPush, true),
            ("acme", None, Right::PullAndPush, true),
            ("", Some("push"), Right::PullAndPush, true),
            ("acme/app", Some("push"), Right::PullAndPush, true),
            ("acme/app", Some("pull,push"), Right::Pull, true),
            ("acme/app", Some("pull"), Right::PullAndPush, false),
            ("acme/app", Some("push"), Right::Pull, false),
            ("acme/ap", None, Right::PullAndPush, false),
            ("acme/app/x", None, Right::PullAndPush, false),
        ] {
            let found = login(repository, actions).is_for("acme/app", right);
            assert_eq!(found, fits, "{repository} {actions:?} {right:?}");
        }
    }
}
