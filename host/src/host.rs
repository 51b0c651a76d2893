// SPDX-License-Identifier: Apache-2.0
//! Everything of the outside world, in one value.

use std::path::{Path, PathBuf};

use crate::{Clock, Env, Net};

/// The outside world: built once in `main`, passed by reference from there.
#[derive(Debug)]
pub struct Host {
    /// The environment variables.
    pub env: Env,
    /// HTTP clients, and how they are used.
    pub net: Net,
    /// The wall clock.
    pub clock: Clock,
    /// Prefix of the paths that a program names by itself (`/sys/...`, `/var/run/...`); `/` outside
    /// of tests. Paths that the user gives are taken as they are.
    pub root: PathBuf,
}

impl Host {
    /// `path` below the file root of this host.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The home directory of the user, from `HOME`.
    pub fn home(&self) -> Option<PathBuf> {
        self.env.get("HOME").map(PathBuf::from)
    }
}
