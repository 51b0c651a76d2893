// SPDX-License-Identifier: Apache-2.0
//! Signatures in another repository than that of the image.

use ambisign_host::Env;

use super::fake::{Fake, Reply, fallback_tag};
use super::{bundle, code, created, host};
use crate::reference::Reference;
use crate::{Discovery, Registry, RegistryOptions, Stored};

fn at(fake: &Fake) -> RegistryOptions {
    let repository = Reference::parse_repository(&format!("{}/app", fake.host)).unwrap();
    RegistryOptions { signatures: Some(repository), ..RegistryOptions::default() }
}

/// A registry with the same manifests but without the image.
async fn empty() -> Fake {
    let fake = Fake::start().await;
    fake.state().manifests.clear();
    fake
}

#[tokio::test]
async fn signatures_go_where_they_are_looked_for() {
    for has_referrers in [true, false] {
        let images = Fake::start().await;
        let place = empty().await;
        place.state().has_referrers = has_referrers;
        let (host, reference) = (host(Env::default()), Reference::parse(&images.image()).unwrap());
        let registry = Registry::new(&host, &at(&place));
        let target = registry.prepare(&reference).await.unwrap();
        assert_eq!(target.reference().to_string(), images.image());
        assert_eq!(target.place().registry(), place.host);
        registry.push_config(&target).await.unwrap();
        let attached = registry.attach(&target, &bundle("bundle"), created()).await;
        let attached = attached.unwrap();
        let (method, tags) =
            if has_referrers { (Discovery::Referrers, 0) } else { (Discovery::FallbackTag, 1) };
        assert_eq!(attached.method(), method);
        assert_eq!(place.tagged().len(), tags);
        let name = format!("{}/app@{}", place.host, attached.digest());
        assert_eq!(attached.reference(), name);
        // The image was read, and nothing else.
        let asked: Vec<_> = images.state().log.iter().map(|r| r.method.clone()).collect();
        assert_eq!(asked, ["GET"]);

        let reader = Registry::reader(&host, &at(&place));
        let listing = reader.signatures(&reference, &[]).await.unwrap();
        assert_eq!(listing.problems.len(), 0);
        let found = listing.places.first().unwrap();
        assert_eq!(found.name(), name);
        let stored = reader.fetch(&reference, found).await.unwrap();
        assert!(
            matches!(stored.stored, Stored::Bundle(bytes) if bytes == bundle("bundle").bytes())
        );
        // Whoever looks beside the image finds nothing.
        let reader = Registry::reader(&host, &RegistryOptions::default());
        assert!(reader.signatures(&reference, &[]).await.unwrap().places.is_empty());
    }
}

/// The right that counts is that to the place of the signatures.
#[tokio::test]
async fn the_place_must_take_pushes_and_the_image_need_not() {
    let deny = |fake: Fake| {
        fake.with_hook(|request, _| {
            let writes = matches!(request.method.as_str(), "POST" | "PUT");
            writes.then(|| Reply::new(403))
        })
    };
    let host = host(Env::default());
    let (images, place) = (deny(Fake::start().await), empty().await);
    let reference = Reference::parse(&images.image()).unwrap();
    let registry = Registry::new(&host, &at(&place));
    assert_eq!(code(registry.prepare(&reference).await), "ok");

    let (images, place) = (Fake::start().await, deny(empty().await));
    let reference = Reference::parse(&images.image()).unwrap();
    let registry = Registry::new(&host, &at(&place));
    let error = registry.prepare(&reference).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}/app ", place.host)), "{error}");
    assert_eq!(code::<()>(Err(error)), "registry/push-denied");

    // What is in the way there is found before anything is signed.
    let place = empty().await;
    place.put_manifest(&fallback_tag(), "application/json", b"{}");
    let registry = Registry::new(&host, &at(&place));
    let prepared = registry.prepare(&reference).await;
    assert_eq!(code(prepared), "registry/index-unreadable");
}
