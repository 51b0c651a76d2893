// SPDX-License-Identifier: Apache-2.0
//! The outside world of a program, in one value.

use std::path::{Path, PathBuf};

use crate::{Clock, Env, Net};

/// The outside world. `main` builds it once and passes it on by reference.
#[derive(Debug)]
pub struct Host {
    /// The environment variables.
    pub env: Env,
    /// The HTTP clients and how to use them.
    pub net: Net,
    /// The wall clock.
    pub clock: Clock,
    /// Prefix of the fixed paths that a program reads (`/sys/...`, `/var/run/...`); `/` outside of
    /// tests. Paths from the user are used unchanged.
    pub root: PathBuf,
}

impl Host {
    /// `path` below the root of this host.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The home directory of the user, from `HOME`.
    pub fn home(&self) -> Option<PathBuf> {
        self.env.get("HOME").map(PathBuf::from)
    }
}
