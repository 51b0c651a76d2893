// SPDX-License-Identifier: Apache-2.0
//! Faults of the run itself, and of the machine that it is on.

use std::io;

use ambisign::outcome::exit::RunError;
use ambisign::pipeline::bundle_dir;
use ambisign::settings::SettingsError;
use ambisign_registry::reference::ReferenceError;

use super::{Error, boxed};

/// Every error of this part.
pub(super) fn all() -> Vec<Error> {
    vec![
        // Settings refuse an empty image before.
        boxed(ReferenceError::Empty),
        boxed(RunError::Deadline),
        boxed(RunError::Panicked),
        boxed(RunError::Start(io::Error::other("too many open files"))),
        boxed(SettingsError::NotUtf8 { name: "AMBISIGN_IMAGES".to_owned() }),
        boxed(bundle_dir::Error::Write {
            path: "bundles/app.sigstore.json".into(),
            source: io::Error::other("no space left on device"),
        }),
    ]
}
