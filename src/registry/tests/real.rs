// SPDX-License-Identifier: Apache-2.0
//! Against a registry of this machine that really is one.

use ambisign_providers::Env;

use super::{PREDICATE, host};
use crate::image::Reference;
use crate::registry::{Registry, RegistryOptions};
use crate::verify::VerifiedBundle;

/// `AMBISIGN_TEST_IMAGE=127.0.0.1:5000/app:1 cargo test real_registry -- --ignored --nocapture`
#[tokio::test]
#[ignore = "needs an image in a registry, named by AMBISIGN_TEST_IMAGE"]
#[expect(clippy::print_stderr, reason = "somebody is looking")]
async fn attaches_to_a_real_registry() {
    let host = host(Env::from_process());
    let image = host
        .env
        .get("AMBISIGN_TEST_IMAGE")
        .expect("AMBISIGN_TEST_IMAGE");
    let content = host.env.get("AMBISIGN_TEST_CONTENT").unwrap_or("{\"a\":1}");
    let registry = Registry::new(&host, RegistryOptions::default());
    let reference = Reference::parse(image).unwrap();
    let started = std::time::Instant::now();
    let target = registry.prepare(&reference).await.unwrap();
    let prepared = started.elapsed();
    registry.push_config(&target).await.unwrap();
    let bundle =
        VerifiedBundle::for_tests(content.as_bytes().to_vec(), *target.digest(), PREDICATE);
    let started = std::time::Instant::now();
    let attached = registry
        .attach(&target, &bundle, host.clock.now())
        .await
        .unwrap();
    let drift = registry.drift(&target).await.unwrap();
    eprintln!(
        "{} {} {} children {}: {:?} {} in {prepared:?} + {:?}, drift {drift:?}",
        target.reference(),
        target.media_type(),
        target.size(),
        target.children().len(),
        attached.method(),
        attached.reference(),
        started.elapsed(),
    );
}
