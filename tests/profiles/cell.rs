// SPDX-License-Identifier: Apache-2.0
//! One profile in one situation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use serde_json::Value;

use crate::common::fault::{FaultProxy, Rule};
use crate::common::{Image, Stack, fresh_images, unique};
use crate::profile::{Expected, Profile, Refusal, Situation, Then};
use crate::run::{Signing, Tokens, Who, cosign_signs, doctor, sign, verify};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// How many images a fix is tried with.
const FEW: usize = 3;

/// What is played.
pub(crate) struct Cell<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) tokens: &'a Tokens,
    pub(crate) profile: &'a Profile,
    pub(crate) situation: Situation,
}

/// What came of it.
pub(crate) enum Outcome {
    /// As expected; whether cosign does better.
    Expected {
        /// As the table says it.
        short: String,
        /// Whether cosign signs where we do not.
        cosign_signs: bool,
    },
    /// Not as expected.
    Failed(String),
}

impl Outcome {
    /// Why it failed.
    pub(crate) fn failure(&self) -> Option<&str> {
        match self {
            Self::Expected { .. } => None,
            Self::Failed(why) => Some(why),
        }
    }

    /// Whether cosign signs where we do not.
    pub(crate) fn is_behind_cosign(&self) -> bool {
        matches!(self, Self::Expected { cosign_signs: true, .. })
    }
}

/// Images of a cell, at the registry itself.
struct Images {
    /// What is named on the command line.
    named: Vec<Image>,
    /// What is signed then.
    signed: Vec<Image>,
}

impl Images {
    fn few(&self) -> Self {
        let few = |images: &[Image]| images.iter().take(FEW).cloned().collect();
        Self { named: few(&self.named), signed: few(&self.signed) }
    }

    fn through(&self, host: &str) -> Self {
        let through = |images: &[Image]| images.iter().map(|image| image.through(host)).collect();
        Self { named: through(&self.named), signed: through(&self.signed) }
    }
}

impl Cell<'_> {
    /// Plays it.
    pub(crate) fn play(&self) -> Outcome {
        let played = catch_unwind(AssertUnwindSafe(|| self.compare()));
        let failed = |panic: Box<dyn std::any::Any + Send>| {
            let said = panic.downcast_ref::<String>().cloned();
            Err(said.unwrap_or_else(|| "it panicked".to_owned()))
        };
        match played.unwrap_or_else(failed) {
            Ok(outcome) => outcome,
            Err(why) => Outcome::Failed(why),
        }
    }

    fn compare(&self) -> Result<Outcome, String> {
        let images = self.images();
        let proxy = self.proxy();
        let through = images.through(&proxy.host());
        let position = Situation::ALL.iter().position(|one| *one == self.situation);
        let expected = self.profile.expected[position.unwrap()];
        if self.situation == Situation::One {
            self.doctor(&through.named, expected)?;
        }
        let writers: &[Who] = match self.situation {
            Situation::One | Situation::Index | Situation::Fifty => &[Who::Us],
            Situation::Writer => &[Who::Us, Who::Another],
        };
        let runs = thread::scope(|scope| {
            let runs = writers.iter().map(|who| {
                let named = &through.named;
                scope.spawn(|| (*who, self.sign(*who, named, &[])))
            });
            let runs: Vec<_> = runs.collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
        });
        let refusal = match expected {
            Expected::Signed => {
                for (who, signing) in runs {
                    signing.run.expect(0);
                    verify(self.stack, who, &through.signed, None)?;
                }
                return Ok(Outcome::Expected { short: "signed".to_owned(), cosign_signs: false });
            }
            Expected::Before(refusal) | Expected::After(refusal) | Expected::OneAfter(refusal) => {
                refusal
            }
        };
        let mut refused = Vec::new();
        for (who, signing) in runs {
            if matches!(expected, Expected::OneAfter(_)) && signing.run.code == Some(0) {
                verify(self.stack, who, &through.signed, None)?;
            } else {
                is_refused(&signing, &refusal, expected)?;
                refused.push(who);
            }
        }
        if refused.is_empty() {
            return Err("nobody was refused".to_owned());
        }
        for who in refused {
            self.fix(who, refusal.then, (&images, &through))?;
        }
        Ok(Outcome::Expected {
            short: short(&refusal, expected),
            cosign_signs: self.cosign_signs(writers),
        })
    }

    fn sign(&self, who: Who, images: &[Image], args: &[&str]) -> Signing {
        let recursive = (self.situation == Situation::Index).then_some("--recursive");
        let args: Vec<_> = args.iter().copied().chain(recursive).collect();
        sign((self.stack, self.tokens), who, images, &args)
    }

    /// What the run is refused for before a certificate, `doctor` has foreseen; and nothing else. It
    /// has a proxy of its own, as what happens at the first request happens to both.
    fn doctor(&self, images: &[Image], expected: Expected) -> Result<(), String> {
        let proxy = self.proxy();
        let through: Vec<_> = images.iter().map(|image| image.through(&proxy.host())).collect();
        let run = doctor((self.stack, self.tokens), &through);
        let (exit, said) = match expected {
            Expected::Before(refusal) => (refusal.exit, refusal.code),
            Expected::Signed | Expected::After(_) | Expected::OneAfter(_) => (0, "would sign"),
        };
        if run.code == Some(exit) && run.stdout.contains(said) {
            return Ok(());
        }
        Err(format!("doctor did not end with {exit} and `{said}`: {run}"))
    }

    /// Does what the fix says, and expects that it works: for a few images, as their number does not
    /// matter for that.
    fn fix(
        &self,
        who: Who,
        then: Then,
        (images, through): (&Images, &Images),
    ) -> Result<(), String> {
        let (images, through) = (images.few(), through.few());
        match then {
            Then::NameThere => {
                self.sign(who, &images.named, &[]).run.expect(0);
                verify(self.stack, who, &through.signed, None)
            }
            Then::Operator => {
                self.sign(who, &images.named, &[]).run.expect(0);
                verify(self.stack, who, &images.signed, None)
            }
            Then::SignatureRepository => {
                let host = &through.named[0].host;
                let repository = format!("{host}/profiles/signatures-{}", unique());
                let args = ["--signature-repository", &repository];
                self.sign(who, &through.named, &args).run.expect(0);
                verify(self.stack, who, &through.signed, Some(&repository))
            }
        }
    }

    /// Whether cosign does all of it, with an image of its own. What it does with one image, it does
    /// with an index or many.
    fn cosign_signs(&self, writers: &[Who]) -> bool {
        if matches!(self.situation, Situation::Index | Situation::Fifty) {
            return false;
        }
        let host = self.profile.base.host(self.stack);
        let image = fresh_images(host, &format!("profiles/{}", unique()), 1);
        let proxy = self.proxy();
        let image = image[0].through(&proxy.host());
        let signs = |who: &Who| cosign_signs((self.stack, self.tokens), *who, &image);
        writers.iter().all(signs)
    }

    fn proxy(&self) -> FaultProxy {
        let deviations = self.profile.deviations.iter();
        let rules: Vec<Rule> = deviations.flat_map(|one| one.rules.clone()).collect();
        FaultProxy::start(self.profile.base.host(self.stack), rules)
    }

    fn images(&self) -> Images {
        let host = self.profile.base.host(self.stack);
        let count = match self.situation {
            Situation::One | Situation::Writer => 1,
            Situation::Index => 2,
            Situation::Fifty => 50,
        };
        let images = fresh_images(host, &format!("profiles/{}", unique()), count);
        if self.situation != Situation::Index {
            return Images { named: images.clone(), signed: images };
        }
        let listed: Vec<_> = images.iter().map(|one| (&*one.digest, MANIFEST)).collect();
        let index = images[0].push_index_of(&listed);
        Images { named: vec![index.clone()], signed: [vec![index], images].concat() }
    }
}

/// Holds that the run ended as `refusal` says, for each image, and when it should have.
fn is_refused(signing: &Signing, refusal: &Refusal, expected: Expected) -> Result<(), String> {
    let run = &signing.run;
    let document: Value = run.json();
    let images = document["images"].as_array().unwrap();
    let mut errors: Vec<_> = images.iter().map(|image| &image["error"]).collect();
    // An index of which something cannot be signed is not signed at all.
    errors.retain(|error| !error.is_null());
    errors.extend(Some(&document["error"]).filter(|error| !error.is_null()));
    let is_ours = |error: &&Value| {
        let fix = error["fix"].as_str().unwrap_or_default();
        let message = error["message"].as_str().unwrap_or_default();
        let says = fix.contains(refusal.fix) || message.contains(refusal.fix);
        error["code"] == refusal.code && says
    };
    let wrong = errors.iter().find(|error| !is_ours(error));
    if errors.is_empty() || wrong.is_some() || run.code != Some(refusal.exit) {
        return Err(format!("not refused with {refusal:?}: {wrong:?} {run}"));
    }
    let asked = signing.certificates > 0;
    let logged =
        images.iter().any(|image| image["log"].as_array().is_some_and(|log| !log.is_empty()));
    let before = matches!(expected, Expected::Before(_));
    if before == asked || before == logged {
        return Err(format!("certificates {}, log {logged}: {run}", signing.certificates));
    }
    if logged && !run.stderr.contains("ambisign attach --bundle") {
        return Err(format!("no way to attach what is logged: {run}"));
    }
    Ok(())
}

fn short(refusal: &Refusal, expected: Expected) -> String {
    let when = match expected {
        Expected::Signed => "",
        Expected::Before(_) => "before",
        Expected::After(_) => "after the log",
        Expected::OneAfter(_) => "one after the log",
    };
    format!("{when}: {}", refusal.code)
}
