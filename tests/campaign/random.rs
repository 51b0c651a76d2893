// SPDX-License-Identifier: Apache-2.0
//! Numbers that a seed determines, on every machine (SplitMix64).

/// The golden ratio, as 64 bits.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

pub(crate) struct Random(u64);

impl Random {
    /// For the change of this number.
    pub(crate) fn of(seed: u64, number: u64) -> Self {
        let mut random = Self(seed);
        let start = random.next() ^ number.wrapping_mul(STEP);
        Self(start)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap().max(1);
        usize::try_from(self.next() % end).unwrap()
    }

    /// Whether something happens that does once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of `all`, which must not be empty.
    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Bytes that determine choices (`fuzz/src/bend.rs`).
    pub(crate) fn choices(&mut self) -> Vec<u8> {
        (0..6).flat_map(|_| self.next().to_le_bytes()).collect()
    }
}
