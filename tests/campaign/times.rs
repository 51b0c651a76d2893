// SPDX-License-Identifier: Apache-2.0
//! Genuine signatures, by keys of their own trusted root, whose times are moved to the limits. What is accepted is
//! computed here from the table in `docs/verification.md`, so there are no don't-cares.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ambisign_host::Explain as _;
use ambisign_sandbox::forge::{Content, Recipe, forge};
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::trust::TrustedRoot;
use ambisign_sigstore::verify::policy::Signer;
use ambisign_sigstore::verify::{self, Policy};

use crate::Judged;
use crate::fuzz::holds::check_error;
use crate::random::Random;

const FILE: &[u8] = b"a file\n";
const BEGIN: Duration = Duration::from_secs(1_795_000_000);
/// An SCT may be so much older than its certificate, and so much younger than the signature.
const LEEWAY: i64 = 60;
const LONGEST_LIFE: i64 = 7 * 24 * 60 * 60;

/// Seconds after the certificate begins.
struct Times {
    life: i64,
    promised: i64,
    stamped: Option<i64>,
    logged: i64,
    is_promised: bool,
    ct_end: Option<i64>,
}

impl Times {
    fn draw(random: &mut Random) -> (&'static str, Self) {
        let mut times = Self {
            life: 600,
            promised: 0,
            stamped: Some(2),
            logged: 3,
            is_promised: true,
            ct_end: None,
        };
        let life = [1, 599, 3600, 3601, LONGEST_LIFE, LONGEST_LIFE + 1, 31_536_000];
        let near =
            [-61, -60, -59, -1, 0, 1, 2, 59, 60, 61, 62, 63, 64, 598, 599, 600, 601, 660, 661];
        let moved = *random.one_of(&near);
        let mut kind = "nothing";
        for _ in 0..=random.below(3) {
            kind = match random.below(7) {
                0 => {
                    times.life = *random.one_of(&life);
                    "life of the certificate"
                }
                1 => {
                    times.promised = moved;
                    "time of the SCT"
                }
                2 => {
                    times.stamped = Some(*random.one_of(&near));
                    "time of the timestamp"
                }
                3 => {
                    times.stamped = None;
                    "no timestamp"
                }
                4 => {
                    times.logged = *random.one_of(&near);
                    "time of the log entry"
                }
                5 => {
                    times.is_promised = false;
                    "no promise of the log"
                }
                _ => {
                    times.ct_end = Some(*random.one_of(&near));
                    "end of the CT log"
                }
            };
        }
        (kind, times)
    }

    /// Whether the signature is good.
    fn is_good(&self) -> bool {
        let valid = 0..=self.life;
        let logged = self.is_promised.then_some(self.logged);
        let mut proven = self.stamped.into_iter().chain(logged).peekable();
        let is_proven = proven.peek().is_some();
        let is_promised_before = |time: i64| self.promised <= time + LEEWAY;
        is_proven
            && self.life <= LONGEST_LIFE
            && proven.all(|time| valid.contains(&time) && is_promised_before(time))
            && self.promised >= -LEEWAY
            && self.ct_end.is_none_or(|end| self.promised <= end)
    }
}

fn at(seconds: i64) -> SystemTime {
    let begin = UNIX_EPOCH + BEGIN;
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { begin - by } else { begin + by }
}

/// A signature of a file at such times.
pub(crate) fn signature(random: &mut Random) -> Judged {
    let (kind, times) = Times::draw(random);
    let mut recipe = Recipe::new(at(0), Content::File(FILE.to_vec()));
    recipe.life = Duration::from_secs(times.life.unsigned_abs());
    recipe.promised = at(times.promised);
    recipe.stamped = times.stamped.map(at);
    recipe.logged = at(times.logged);
    recipe.is_promised = times.is_promised;
    recipe.ct_end = times.ct_end.map(at);
    let forged = forge(&recipe).unwrap();
    let root = TrustedRoot::parse(forged.trusted_root.to_string().as_bytes()).unwrap();
    let policy = Policy::of(Signer::exactly("joe@example.test", "https://issuer.example.test"));
    let bundle = forged.bundle.to_string();
    let found = verify::verify(bundle.as_bytes(), &root, &Digest::of(FILE), &policy);
    let code = found.as_ref().map_or_else(|error| error.code().into_owned(), |_| "ok".to_owned());
    found.as_ref().err().into_iter().for_each(check_error);
    let finding = (found.is_ok() != times.is_good()).then(|| format!("{code}: {}", times.told()));
    Judged { kind, is_accepted: Some(found.is_ok()), finding }
}

impl Times {
    fn told(&self) -> String {
        format!(
            "life {}, SCT {}, timestamp {:?}, log {} promised {}, end of the CT log {:?}",
            self.life, self.promised, self.stamped, self.logged, self.is_promised, self.ct_end
        )
    }
}
