// SPDX-License-Identifier: Apache-2.0
//! The order of requests at the fallback tag, and their number.

use std::time::Duration;

use ambisign_host::{Clock, Env, Host, Net, NetOptions};
use tokio::time::Instant;

use super::fake::{Fake, Reply, Request};
use super::{bundle, code, created, sign};
use crate::reference::Reference;
use crate::{Registry, RegistryOptions};

/// What a request does with the list or with `manifest`.
fn step(request: &Request, manifest: &str) -> Option<&'static str> {
    let parts = [
        ("PUT", "/manifests/sha256-", "write the list"),
        ("GET", "/manifests/sha256-", "read the list"),
        ("PUT", manifest, "write the manifest"),
        ("GET", manifest, "read the manifest"),
    ];
    let found = parts.into_iter().find(|(method, part, _)| request.is(method, part));
    found.map(|(_, _, step)| step)
}

/// The steps of `fake`, from the write of the manifest on.
fn steps(fake: &Fake, manifest: &str) -> Vec<&'static str> {
    let log = fake.state().log.clone();
    let steps = log.iter().filter_map(|request| step(request, manifest));
    steps.skip_while(|step| *step != "write the manifest").collect()
}

/// The list is read while the manifest is read back, and it names the manifest only afterwards, also
/// where a registry shows late what it stored. It is read again at once, and after a pause.
#[tokio::test]
async fn a_list_names_a_manifest_that_was_read_back() {
    for late in [0, 2] {
        let mut reads = 0;
        let fake = Fake::start().await.with_hook(move |request, state| {
            let pushed = state.log.iter().any(|r| r.is("PUT", "/manifests/sha256:"));
            let is_read = request.is("GET", "/manifests/sha256:");
            reads += usize::from(pushed && is_read);
            (pushed && is_read && reads <= late).then(|| Reply::new(404))
        });
        let attached = sign(&fake).await.unwrap();
        let steps = steps(&fake, &format!("/manifests/{}", attached.digest()));
        let write = steps.iter().position(|step| *step == "write the list").unwrap();
        let (before, after) = steps.split_at(write);
        let mut before = before.to_vec();
        before.sort_unstable();
        let mut expected = vec!["read the list"];
        expected.extend(vec!["read the manifest"; late + 1]);
        expected.push("write the manifest");
        assert_eq!(before, expected, "{late}");
        assert_eq!(after, ["write the list", "read the list", "read the list"], "{late}");
    }
}

/// A run that ends in less time than it keeps for its report lists the signature all the same. It said
/// that others had removed the entry "0 times".
#[tokio::test]
async fn a_run_that_ends_soon_still_writes_the_list() {
    let fake = Fake::start().await;
    let clock = Clock::system();
    let deadline = Some(Instant::now() + Duration::from_millis(1900));
    let net = Net::new(&Env::default(), clock, NetOptions { deadline, ..NetOptions::default() });
    let host = Host { env: Env::default(), net, clock, root: "/".into() };
    let registry = Registry::new(&host, &RegistryOptions::default());
    let reference = Reference::parse(&fake.image()).unwrap();
    let target = registry.prepare(&reference).await.unwrap();
    let attached = registry.attach(&target, &bundle("bundle"), created()).await;
    assert_eq!(code(attached), "ok");
    assert_eq!(fake.tagged().len(), 1);
}

/// No more requests for an image than these: image, referrers, list and session; the blobs; the
/// manifest; the list.
#[tokio::test]
async fn an_image_takes_fifteen_requests_at_the_fallback_tag() {
    let fake = Fake::start().await;
    let _attached = sign(&fake).await.unwrap();
    let log = fake.state().log.clone();
    let lines: Vec<_> = log.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
    assert_eq!(log.len(), 15, "{lines:#?}");
}
