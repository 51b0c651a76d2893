// SPDX-License-Identifier: Apache-2.0
//! A campaign of changed documents: bundles, older signatures, genuine signatures with moved times, TUF metadata,
//! identity tokens, and the answers of registries and services.
//!
//! Nothing may panic, and a change that is accepted must be on a list of don't-cares, each of which has its
//! reason: `fuzz/src/meaning.rs` for bundles, and the heads of the modules here for the rest. A seed determines
//! every change. `tests/campaign/run` makes 100,000 of them; without it, the test makes a few thousand.
#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "`tests/campaign/run` passes its arguments in the environment"
)]

mod answers;
#[path = "../../fuzz/src/lib.rs"]
pub mod fuzz;
mod mutate;
mod random;
mod signatures;
mod times;
mod tokens;
mod tuf;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use random::Random;

/// The number of changes if the environment does not say another.
const COUNT: u64 = 2000;

/// One kind of document.
struct Family {
    name: &'static str,
    /// Its part of 100 changes.
    share: u64,
    /// Changes one document and judges it.
    run: fn(&mut Random) -> Judged,
}

const FAMILIES: [Family; 6] = [
    Family { name: "bundles", share: 35, run: signatures::bundle },
    Family { name: "older signatures", share: 15, run: signatures::legacy },
    Family { name: "moved times", share: 5, run: times::signature },
    Family { name: "TUF metadata", share: 15, run: tuf::metadata },
    Family { name: "tokens", share: 10, run: tokens::token },
    Family { name: "answers", share: 20, run: answers::answer },
];

/// The result of one change.
struct Judged {
    /// What was changed.
    kind: &'static str,
    /// Whether the document was accepted; `None` if only properties are checked.
    is_accepted: Option<bool>,
    /// Why it should not have been.
    finding: Option<String>,
}

/// The numbers of one kind of change.
#[derive(Clone, Copy, Default)]
struct Count {
    made: u64,
    judged: u64,
    accepted: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.made += other.made;
        self.judged += other.judged;
        self.accepted += other.accepted;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} made", self.made)?;
        if self.judged > 0 { write!(f, ", {} accepted", self.accepted) } else { Ok(()) }
    }
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<(usize, &'static str), Count>,
    findings: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        for (key, count) in other.counts {
            self.counts.entry(key).or_default().add(count);
        }
        self.findings.extend(other.findings);
    }

    /// The change of this number, which with the seed determines everything.
    fn run(&mut self, seed: u64, number: u64) {
        let (at, family) = family(number);
        let mut random = Random::of(seed, number);
        let judged = catch_unwind(AssertUnwindSafe(|| (family.run)(&mut random)));
        let judged = judged.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            let why = format!("panic: {}", text.unwrap_or_default());
            Judged { kind: "panic", is_accepted: None, finding: Some(why) }
        });
        let count = self.counts.entry((at, judged.kind)).or_default();
        count.made += 1;
        if let Some(is_accepted) = judged.is_accepted {
            count.judged += 1;
            count.accepted += u64::from(is_accepted);
        }
        let again = format!("tests/campaign/run {seed} 1 {number}");
        self.findings.extend(judged.finding.map(|why| {
            format!("{}, {}: {why}\n  to run it alone: {again}", family.name, judged.kind)
        }));
    }
}

/// The family of a change. Of each 100 changes in a row, every family has its share.
fn family(number: u64) -> (usize, &'static Family) {
    let mut at = number * 37 % 100;
    for (index, family) in FAMILIES.iter().enumerate() {
        match at.checked_sub(family.share) {
            Some(rest) => at = rest,
            None => return (index, family),
        }
    }
    (0, &FAMILIES[0])
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_text| panic!("{name} is not a number: {text}")))
}

/// The changes from `first` on, on all cores.
fn campaign(seed: u64, first: u64, count: u64) -> Tally {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let work = |thread: usize| {
        let numbers = (first..first + count).skip(thread).step_by(threads);
        let mut tally = Tally::default();
        numbers.for_each(|number| tally.run(seed, number));
        tally
    };
    let mut all = Tally::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|at| scope.spawn(move || work(at))).collect();
        threads.into_iter().for_each(|thread| all.add(thread.join().unwrap()));
    });
    all
}

fn report(tally: &Tally) -> String {
    let mut lines = Vec::new();
    for (at, family) in FAMILIES.iter().enumerate() {
        let kinds = tally.counts.iter().filter(|((of, _), _)| *of == at);
        let mut sum = Count::default();
        kinds.clone().for_each(|(_, count)| sum.add(*count));
        lines.push(format!("{}: {sum}", family.name));
        lines.extend(kinds.map(|((_, kind), count)| format!("  {kind}: {count}")));
    }
    lines.join("\n")
}

/// Issue 16: no panic, and no accepted change that is not on a list of don't-cares.
#[test]
fn no_change_to_a_document_is_accepted_that_matters() {
    let given = number("CAMPAIGN_COUNT");
    let (seed, count) = (number("CAMPAIGN_SEED").unwrap_or(1), given.unwrap_or(COUNT));
    let first = number("CAMPAIGN_FIRST").unwrap_or(0);
    fuzz::prepare();
    let started = Instant::now();
    let tally = campaign(seed, first, count);
    if given.is_some() {
        let (report, took) = (report(&tally), started.elapsed().as_secs());
        let text = format!("{report}\nseed {seed}: {count} changes in {took} s\n");
        // Not by a macro, whose output the test harness keeps.
        std::io::stdout().write_all(text.as_bytes()).unwrap();
    }
    let found = tally.findings.len();
    assert!(found == 0, "{found} findings:\n{}", tally.findings.join("\n"));
    // Were nothing accepted, the changes would be too wild to prove anything.
    let mut sums = [Count::default(); FAMILIES.len()];
    tally.counts.iter().for_each(|((at, _), count)| sums[*at].add(*count));
    let is_idle = |sum: &Count| sum.made == 0 || (sum.judged > 0 && sum.accepted == 0);
    let idle = FAMILIES.iter().zip(&sums).filter(|(_, sum)| is_idle(sum));
    let idle: Vec<_> = idle.map(|(family, _)| family.name).collect();
    assert!(count < COUNT || idle.is_empty(), "nothing accepted: {idle:?}");
}
