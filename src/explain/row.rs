// SPDX-License-Identifier: Apache-2.0
//! A row of the lists beside it.

use ambisign_host::{Class, Code};

pub(super) const WARNING: &[Class] = &[];
pub(super) const USAGE: &[Class] = &[Class::Usage];
pub(super) const IDENTITY: &[Class] = &[Class::Identity];

pub(super) const fn row(
    name: &'static str,
    classes: &'static [Class],
    what: &'static str,
    why: &'static str,
    advice: &'static str,
) -> Code {
    Code {
        name,
        classes,
        what,
        why,
        advice,
    }
}
