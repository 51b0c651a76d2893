// SPDX-License-Identifier: Apache-2.0
//! What registries, token services, Fulcio, mirrors and users say: the seeds of each fuzz target, changed. The
//! targets check what must hold for any bytes (`fuzz/README.md`), so there are no don't-cares.

use std::sync::LazyLock;

use serde_json::Value;

use crate::Judged;
use crate::fuzz::bend::{self, Choices};
use crate::fuzz::{TARGETS, Target, seeds};
use crate::mutate::mutate;
use crate::random::Random;

/// Targets that take choices and not documents, or documents of another family.
const OTHERS: [&str; 2] = ["merkle", "mutated_bundle"];

/// A target with its seeds.
type Seeded = (&'static Target, Vec<Vec<u8>>);

static SEEDS: LazyLock<Vec<Seeded>> = LazyLock::new(|| {
    let targets = TARGETS.iter().filter(|target| !OTHERS.contains(&target.name));
    targets.map(|target| (target, seeds::of(target.name))).collect()
});

pub(crate) fn answer(random: &mut Random) -> Judged {
    let (target, seeds) = random.one_of(&SEEDS);
    let (seed, other) = (random.one_of(seeds), random.one_of(seeds));
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    let bytes = match json(seed) {
        Some(document) => mutate(&document, &json(other).unwrap_or_default(), random).1,
        None => {
            let choices = random.choices();
            let mut choices = Choices(&choices);
            match random.once_in(2) {
                true => bend::change_der(seed, &mut choices),
                false => None,
            }
            .unwrap_or_else(|| bend::change_bytes(seed.clone(), &mut choices))
        }
    };
    (target.run)(&bytes);
    Judged { kind: target.name, is_accepted: None, finding: None }
}
