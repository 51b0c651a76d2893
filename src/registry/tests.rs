// SPDX-License-Identifier: Apache-2.0
//! What the unit tests of this folder share.

use std::path::PathBuf;

use ambisign_providers::{Clock, Env, Host, Net, NetOptions};

pub(super) fn host(env: Env) -> Host {
    let clock = Clock::system();
    let net = Net::new(&env, clock, NetOptions::default());
    Host {
        env,
        net,
        clock,
        root: PathBuf::from("/"),
    }
}
