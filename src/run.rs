// SPDX-License-Identifier: Apache-2.0
//! The pipeline on one screen: the only file that knows the order.

use ambisign_providers::{Choice, Host, choose};
use futures_util::future::join3;
use futures_util::stream::{self, StreamExt};
use rand_core::CryptoRng;

use crate::credentials::Credentials;
use crate::error::Error;
use crate::identity::Identity;
use crate::plan::{self, Job};
use crate::registry::Registry;
use crate::report::Progress;
use crate::settings::{Mode, Settings};
use crate::signer::{Seed, Signer};
use crate::told;
use crate::trust::Trust;

/// Signs every image of `settings`, and tells `progress` what comes to exist.
///
/// Nothing public happens before the join and the checks behind it: the certificate and the log
/// entries stay for good, so they come only when little but the upload is left to fail. An image
/// that cannot be signed does not stop the others; its failure is in the report.
///
/// # Errors
/// The run as a whole cannot go on. When several parts of the beginning fail, it is the first of
/// settings, registry, trust, identity, whichever answered first.
pub async fn run<R: CryptoRng>(
    (host, settings): (&Host, &Settings),
    progress: &Progress<'_>,
    rng: &mut R,
) -> Result<(), Error> {
    progress.begin(settings);
    let references = plan::references(settings)?;
    let choice = choose(host, &plan::identity_options(settings))?;
    progress.images(told::requested(&references));
    let registry = Registry::new(host, plan::registry_options(settings));
    let (prepared, trust, token) = join3(
        plan::prepare(&registry, &references, settings.jobs),
        plan::trust(host, settings),
        choice.source.token(host, &settings.identity.audience),
    )
    .await;
    let jobs = plan::jobs(prepared, progress);
    if jobs.is_empty() {
        return Ok(());
    }
    let (trust, token) = (trust?, token?);
    host.net.guard(token.expose());

    let identity = Identity::parse(&token, &settings.identity.audience, host.clock.now())?;
    tell(progress, &choice, &identity, &trust, settings);
    plan::permit((settings, progress), &identity, &trust)?;
    if settings.mode == Mode::DryRun {
        told::would_sign(progress, &jobs);
        return Ok(());
    }

    let source = choice.source.as_ref();
    let parts = (host, settings, source, &trust);
    let credentials =
        Credentials::issue(parts, (&token, &identity), &jobs, (rng, progress)).await?;
    drop(token);
    let signer = Signer::new((host, &trust), &registry, &credentials, progress);
    let seeded: Vec<(Job, Seed)> = jobs.into_iter().map(|job| (job, Seed::draw(rng))).collect();
    stream::iter(seeded)
        .map(|(job, seed)| signer.sign(job, seed))
        .buffer_unordered(settings.jobs.get())
        .collect::<()>()
        .await;
    Ok(())
}

fn tell(
    progress: &Progress<'_>,
    choice: &Choice,
    identity: &Identity,
    trust: &Trust,
    settings: &Settings,
) {
    progress.identity(told::identity(choice.provider, identity));
    progress.instance(told::instance(trust, settings));
    for note in &choice.notes {
        progress.warning(told::note(note));
    }
}
