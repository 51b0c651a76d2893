// SPDX-License-Identifier: Apache-2.0
//! Trust material in places where a run does not find it.

use ambisign_sigstore::trust;
use ambisign_sigstore::trust::tuf;

use super::{Error, boxed};

/// Every error of this part.
pub(super) fn all() -> Vec<Error> {
    vec![
        boxed(trust::Error::FileSize { path: "trusted_root.json".into(), limit: 8_388_608 }),
        boxed(trust::Error::Missing),
        boxed(trust::Error::MissingRoot),
        boxed(trust::Error::NoRoot),
        boxed(tuf::Error::KeyKind {
            file: "timestamp.json".to_owned(),
            kinds: "ecdsa with scheme ecdsa-sha2-nistp384".to_owned(),
        }),
        boxed(tuf::Error::RolledBack { file: "snapshot.json".to_owned(), had: 12, got: 11 }),
        boxed(tuf::Error::TooMany { what: "new roots", limit: 64 }),
    ]
}
