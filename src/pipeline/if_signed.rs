// SPDX-License-Identifier: Apache-2.0
//! Images that the same identity has signed before, and what `--if-signed` says of them.
//!
//! What counts is what a reader would accept: a signature that verifies against the trusted root, of
//! exactly the identity, the issuer and the repository that this run's certificate will name, and that
//! says at least what this run would say.

use ambisign_host::{Failure, Warning};
use ambisign_sigstore::identity::prediction::Prediction;
use ambisign_sigstore::identity::{Identity, IdentityError};
use ambisign_sigstore::statement::SIGN;
use ambisign_sigstore::trust::Trust;
use ambisign_sigstore::verify::Policy;
use ambisign_sigstore::verify::policy::{self, Claim, Match, Signer};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::context::Context;
use super::error::Error;
use super::job::{Job, SharedDigest};
use crate::outcome::State;
use crate::outcome::event::{Event, ImageEvent, ImageId};
use crate::outcome::verification::{Facts, Finding};
use crate::settings::{IdentitySettings, IfSigned};
use crate::verification::cut;
use crate::verification::{self, FETCHES, Judge, Seen};
use ambisign_registry::Target;

/// Looks for what the identity of a run has signed before.
pub(crate) struct Already<'a> {
    ctx: Context<'a>,
    if_signed: IfSigned,
    judge: Judge,
    fetches: Semaphore,
}

/// The jobs that are left of `jobs` when those images are taken out which are signed already. What
/// becomes of the others is in the report.
///
/// # Errors
/// Only a certificate would tell who signs, and images that are signed already are to fail.
pub(crate) async fn skip_signed<'j>(
    ctx: Context<'_>,
    if_signed: IfSigned,
    (identity, trust): (&Identity, &Trust),
    jobs: Vec<Job<'j>>,
) -> Result<Vec<Job<'j>>, Error> {
    let known = known(identity.prediction(), &ctx.settings.identity);
    let (san, issuer) = match (if_signed, known) {
        (IfSigned::Add, _) => return Ok(jobs),
        (IfSigned::Fail, None) => return Err(IdentityError::Unpredicted.into()),
        (IfSigned::Skip, None) => {
            ctx.recorder.warn(unpredicted());
            return Ok(jobs);
        }
        (IfSigned::Fail | IfSigned::Skip, Some(known)) => known,
    };
    let already = Already {
        ctx,
        if_signed,
        judge: Judge {
            root: trust.root().clone(),
            policy: Policy {
                signer: Signer::Identity(policy::Identity {
                    san: Match::Exact(san),
                    issuer: Match::Exact(issuer),
                    claims: identity.repository().map(of_caller).into_iter().collect(),
                }),
                predicate_types: vec![SIGN.to_owned()],
                annotations: ctx.settings.annotations.clone().into_iter().collect(),
                entries: 1,
                timestamps: 0,
            },
        },
        fetches: Semaphore::new(FETCHES),
    };
    let left = stream::iter(jobs).map(|job| already.left_of(job));
    let left = left.buffered(ctx.settings.jobs.get());
    Ok(left.filter_map(async |job| job).collect().await)
}

/// Who the certificate will name, as far as it is known before: as predicted, or as insisted on.
fn known(prediction: &Prediction, wanted: &IdentitySettings) -> Option<(String, String)> {
    match prediction {
        Prediction::Known { san, issuer } => Some((san.clone(), issuer.clone())),
        Prediction::Unknown => wanted
            .require_identity
            .clone()
            .zip(wanted.require_issuer.clone()),
    }
}

/// All callers of one reusable workflow have its name in the certificate; what differs is this.
fn of_caller(repository: &str) -> (Claim, String) {
    (Claim::Repository, repository.to_owned())
}

fn unpredicted() -> Warning {
    Warning {
        code: "identity/unpredicted",
        message: "the identity of the certificate is not known before it is issued, so images that \
                  it has signed are signed again: `--require-identity` and `--require-issuer` would \
                  tell"
            .to_owned(),
    }
}

impl Already<'_> {
    async fn left_of<'j>(&self, job: Job<'j>) -> Option<Job<'j>> {
        let images = match job {
            Job::Blob(..) => return Some(job),
            Job::Image(images) => images,
        };
        let open = images.targets().map(async |(id, target)| {
            let open = self.is_open(*id, &images, target).await;
            open.then_some(*id)
        });
        let open = join_all(open).await;
        let left = images.retain(|id| open.contains(&Some(id)))?;
        Some(Job::Image(Box::new(left)))
    }

    /// Whether the image is to be signed. Where it is not, the report says why.
    async fn is_open(&self, id: ImageId, images: &SharedDigest<'_>, target: &Target) -> bool {
        let (recorder, started) = (self.ctx.recorder, Instant::now());
        let asked = (images.registry, target.reference());
        let seen = verification::image(asked, &self.judge, &self.fetches).await;
        let state = match self.signed(&seen, target) {
            Ok(None) => return true,
            Ok(Some((place, facts))) => {
                let certificate = facts.certificate.clone();
                let who = certificate.as_ref().map(|found| found.identity.clone());
                let who = who.unwrap_or_default();
                let found = ImageEvent::SignatureFound {
                    certificate,
                    timestamps: facts.timestamps.clone(),
                    place: place.to_owned(),
                    took: started.elapsed(),
                };
                recorder.record(&Event::Image(id, found));
                match self.if_signed {
                    IfSigned::Add | IfSigned::Skip => State::AlreadySigned,
                    IfSigned::Fail => {
                        State::Failed(Failure::of(&ambisign_registry::Error::Signed {
                            image: target.reference().to_string(),
                            identity: who,
                            place: place.to_owned(),
                        }))
                    }
                }
            }
            Err(failure) => State::Failed(failure),
        };
        recorder.record(&Event::Image(id, ImageEvent::Finished(state)));
        false
    }

    /// The signature of the same identity, if there is one.
    ///
    /// # Errors
    /// Nobody can tell, because a list or a signature cannot be read.
    fn signed<'s>(
        &self,
        seen: &'s Result<Seen, ambisign_registry::Error>,
        target: &Target,
    ) -> Result<Option<(&'s str, &'s Facts)>, Failure> {
        let seen = seen.as_ref().map_err(|error| Failure::of(error))?;
        let accepted = seen
            .verdict
            .signatures
            .iter()
            .find_map(|one| match &one.finding {
                Finding::Accepted(facts) => Some((one.place.as_str(), facts.as_ref())),
                Finding::Rejected(_) => None,
            });
        if accepted.is_some() {
            return Ok(accepted);
        }
        if let Some(problem) = &seen.problem {
            return Err(problem.clone());
        }
        if let Some(cut) = cut(target.reference(), (seen.looked_at, seen.left_out)) {
            self.ctx.recorder.warn(cut);
        }
        Ok(None)
    }
}
