// SPDX-License-Identifier: Apache-2.0
//! Registries as people report them, by the report.

use std::time::Duration;

use ambisign_host::{Class, Clock, Env, Explain as _, Host, Net, NetOptions};
use futures_util::future::join_all;

use super::fake::{Fake, IMAGE, INDEX, Reply, Request, State, fallback_tag};
use super::{bundle, code, created, given_token, host, prepare, sign};
use crate::reference::Reference;
use crate::{Discovery, Error, PlainHttp, Registry, RegistryOptions, Target};
use ambisign_sigstore::digest::Digest;

/// Where ghcr.io sends what it does not serve; nothing answers there.
const GITHUB: &str = "https://github.invalid/-/v2/packages/container/package/app";

fn away() -> Reply {
    Reply::new(303).with("Location", GITHUB)
}

/// Whether the request is for the list of signatures of the image under a tag.
fn reads_list(request: &Request) -> bool {
    request.is("GET", &format!("/manifests/{}", fallback_tag()))
}

fn index_of(lines: &[String]) -> String {
    format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, lines.join(","))
}

fn foreign_line() -> String {
    let digest = Digest::of(b"of another signer");
    format!(r#"{{"digest":"{digest}","size":1}}"#)
}

/// Requests that write a manifest.
fn writes(fake: &Fake) -> usize {
    let log = &fake.state().log;
    log.iter().filter(|r| r.is("PUT", "/manifests/")).count()
}

/// artifacthub/hub#4785, NVIDIA/aicr#1957, sbomify#1624: ghcr.io redirects a look-up of referrers to
/// its web pages.
#[tokio::test]
async fn hub_4785_referrers_elsewhere_are_none() {
    for status in [301, 302, 303, 307, 308] {
        let fake = Fake::start().await.with_referrers();
        let fake = fake.with_hook(move |request, _| {
            let reply = || Reply::new(status).with("Location", GITHUB);
            request.path.contains("/referrers/").then(reply)
        });
        let attached = sign(&fake).await.unwrap();
        assert_eq!(attached.method(), Discovery::FallbackTag, "{status}");
        assert_eq!(fake.tagged(), [attached.digest().to_string()], "{status}");
        let log = fake.state().log.clone();
        let tags = log.iter().filter(|r| r.path.contains("/tags/list"));
        assert_eq!(tags.count(), 0, "a tag that answers plainly needs no list");
    }
}

/// fluxcd/source-controller#2050: it redirects a look-up of a missing tag too.
#[tokio::test]
async fn source_controller_2050_a_redirected_tag_that_is_not_listed_is_absent() {
    let fake = Fake::start().await.with_hook(|request, state| {
        let missing = !state.manifests.contains_key(&fallback_tag());
        (request.path.contains("/referrers/") || (reads_list(request) && missing)).then(away)
    });
    let attached = sign(&fake).await.unwrap();
    assert_eq!(fake.tagged(), [attached.digest().to_string()]);
}

/// The same report: the tag is there, and reads of it are redirected for a while.
#[tokio::test]
async fn source_controller_2050_a_listed_tag_is_read_again() {
    let fake = Fake::start().await;
    fake.put_manifest(&fallback_tag(), INDEX, index_of(&[foreign_line()]).as_bytes());
    let mut reads = 0;
    let fake = fake.with_hook(move |request, _| {
        reads += usize::from(reads_list(request));
        (reads_list(request) && reads < 3).then(away)
    });
    let attached = sign(&fake).await.unwrap();
    let foreign = Digest::of(b"of another signer").to_string();
    assert_eq!(fake.tagged(), [foreign, attached.digest().to_string()]);
}

/// The same report: the reads stay redirected, or nothing tells whether the tag is there.
#[tokio::test]
async fn source_controller_2050_a_list_that_is_not_read_is_not_overwritten() {
    type Lists = fn() -> Option<Reply>;
    let rows: [(&str, Lists); 6] = [
        ("registry/tag-redirected", || None),
        ("registry/redirect", || Some(away())),
        ("registry/unauthorized", || Some(Reply::new(403))),
        ("registry/refused", || Some(Reply::new(405))),
        ("registry/tags", || Some(Reply::new(200).body("<html>"))),
        // There is no such list here, which says nothing about the tag.
        ("registry/refused", || Some(Reply::new(404).body("404 page not found"))),
    ];
    let row = |(expected, lists): (&'static str, Lists)| async move {
        let fake = Fake::start().await;
        fake.put_manifest(&fallback_tag(), INDEX, index_of(&[foreign_line()]).as_bytes());
        let fake = fake.with_hook(move |request, _| match request {
            request if reads_list(request) => Some(away()),
            request if request.path.contains("/tags/list") => lists(),
            _ => None,
        });
        assert_eq!(code(prepare(&fake).await), expected);
        assert_eq!(writes(&fake), 0, "{expected}");
    };
    join_all(rows.into_iter().map(row)).await;
}

/// The list of tags comes in pages.
#[tokio::test]
async fn source_controller_2050_all_pages_of_tags_are_read() {
    let fake = Fake::start().await;
    fake.put_manifest(&fallback_tag(), INDEX, index_of(&[foreign_line()]).as_bytes());
    let mut reads = 0;
    let fake = fake.with_hook(move |request, _| {
        if request.path.contains("/tags/list") {
            let last = request.path.contains("last=");
            let page = if last { fallback_tag() } else { "1".to_owned() };
            let reply = Reply::new(200).body(format!(r#"{{"tags":["{page}"]}}"#));
            let next = "</v2/app/tags/list?n=1&last=1>; rel=\"next\"";
            return Some(if last { reply } else { reply.with("Link", next) });
        }
        reads += usize::from(reads_list(request));
        (reads_list(request) && reads == 1).then(away)
    });
    let _attached = sign(&fake).await.unwrap();
    assert_eq!(fake.tagged().len(), 2);
}

/// As GitLab: the fallback tag is the image itself, and no tag.
fn as_gitlab(request: &Request, state: &mut State) -> Option<Reply> {
    let path = request.path.replace("/manifests/sha256-", "/manifests/sha256:");
    let is_tag = path != request.path && !path.ends_with(".sig");
    let as_digest = || {
        let mut request = request.clone();
        request.path = path;
        match request.method.as_str() {
            "PUT" => Reply::new(400).body("digest invalid"),
            _ => state.answer(&request),
        }
    };
    is_tag.then(as_digest)
}

async fn prepare_named(fake: &Fake, digest: Digest) -> Result<Target, Error> {
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    let name = format!("{}/app@{digest}", fake.host);
    registry.prepare(&Reference::parse(&name).unwrap()).await
}

/// oras-project/oras-go#1396, sigstore/cosign#4569: registry.gitlab.com takes the fallback tag for the
/// digest of the image. An index was then read as the list of its own signatures.
#[tokio::test]
async fn oras_go_1396_the_image_is_no_list_of_its_signatures() {
    let fake = Fake::start().await.with_hook(as_gitlab);
    let child = Digest::of(IMAGE.as_bytes());
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{{"digest":"{child}"}}]}}"#
    );
    fake.put_manifest("2", INDEX, index.as_bytes());
    for digest in [child, Digest::of(index.as_bytes())] {
        let error = prepare_named(&fake, digest).await.unwrap_err();
        assert_eq!(error.code(), "registry/tag-is-subject");
        let fix = error.fix().unwrap();
        assert!(fix.contains("--signature-repository"), "{fix}");
        assert!(!fix.contains("remove"), "{fix}");
    }
    assert_eq!(writes(&fake), 0);

    let host = host(Env::default());
    let reader = Registry::reader(&host, &RegistryOptions::default());
    let name = format!("{}/app@{}", fake.host, Digest::of(index.as_bytes()));
    let listing = reader.signatures(&Reference::parse(&name).unwrap(), &[]).await;
    let listing = listing.unwrap();
    assert!(listing.places.is_empty() && listing.problems.is_empty());
}

/// A copy can make a real tag of that name on the image: there the list is written.
#[tokio::test]
async fn oras_go_1396_a_tag_on_the_image_becomes_the_list() {
    let fake = Fake::start().await;
    fake.put_manifest(&fallback_tag(), super::OCI, IMAGE.as_bytes());
    let attached = sign(&fake).await.unwrap();
    assert_eq!(fake.tagged(), [attached.digest().to_string()]);
}

/// The list is written, and the tag still reads as the image: the error says so.
#[tokio::test]
async fn oras_go_1396_a_list_that_reads_back_as_the_image() {
    let fake = Fake::start().await;
    fake.put_manifest(&fallback_tag(), super::OCI, IMAGE.as_bytes());
    let fake = fake.with_hook(|request, state| {
        let image = || state.manifests[&Digest::of(IMAGE.as_bytes()).to_string()].clone();
        reads_list(request).then(|| {
            let (media_type, bytes) = image();
            Reply::new(200).with("Content-Type", media_type).body(bytes)
        })
    });
    assert_eq!(code(sign(&fake).await), "registry/tag-is-subject");
    assert_eq!(writes(&fake), 2);
}

/// What another signer has under the fallback tag.
fn theirs(fake: &Fake) {
    fake.put_manifest(&fallback_tag(), INDEX, index_of(&[foreign_line()]).as_bytes());
}

/// aws/containers-roadmap#2613 and Harbor: tags are immutable, and the tag lists a signature already.
/// That was taken for a lost race, and the registry's words were not shown.
#[tokio::test]
async fn containers_roadmap_2613_an_immutable_tag_is_no_race() {
    let row = |status: u16| async move {
        let fake = Fake::start().await;
        theirs(&fake);
        let fake = fake.with_hook(move |request, _| {
            let said = r#"{"errors":[{"code":"TAG_INVALID","message":"repository is immutable"}]}"#;
            let reply = || Reply::new(status).body(said);
            request.is("PUT", "/manifests/sha256-").then(reply)
        });
        let error = sign(&fake).await.unwrap_err();
        assert_eq!(error.code(), "registry/immutable-tag", "{status}");
        assert!(error.to_string().contains("repository is immutable"), "{error}");
        let puts = fake.state().log.iter().filter(|r| r.is("PUT", "/manifests/sha256-")).count();
        assert!(puts <= 3, "{status}: {puts} writes");
        assert_eq!(fake.tagged(), [Digest::of(b"of another signer").to_string()]);
    };
    join_all([400, 405, 409, 412].into_iter().map(row)).await;
}

/// Reads of a tag stay old for a while, as those of a replica: it is waited for, and not written again.
#[tokio::test]
async fn an_old_tag_is_waited_for_and_not_rewritten() {
    for before in [false, true] {
        let fake = Fake::start().await;
        if before {
            theirs(&fake);
        }
        let mut old = None;
        let mut reads = 0;
        let fake = fake.with_hook(move |request, state| {
            if request.is("PUT", "/manifests/sha256-") {
                old = Some(state.manifests.get(&fallback_tag()).cloned());
            }
            let shown = old.clone().filter(|_| reads_list(request) && reads < 4)?;
            reads += 1;
            Some(match shown {
                None => Reply::new(404),
                Some((media_type, bytes)) => {
                    Reply::new(200).with("Content-Type", media_type).body(bytes)
                }
            })
        });
        let attached = sign(&fake).await.unwrap();
        assert!(fake.tagged().contains(&attached.digest().to_string()));
        let puts = fake.state().log.iter().filter(|r| r.is("PUT", "/manifests/sha256-")).count();
        assert_eq!(puts, 1, "{before}");
    }
}

/// What came of a signature in a run of five seconds.
async fn sign_in_a_short_run(fake: &Fake) -> Error {
    let env = Env::default();
    let clock = Clock::system();
    let options = NetOptions {
        deadline: Some(tokio::time::Instant::now() + Duration::from_secs(5)),
        ..NetOptions::default()
    };
    let host = Host { net: Net::new(&env, clock, options), env, clock, root: "/".into() };
    let registry = Registry::new(&host, &RegistryOptions::default());
    let reference = Reference::parse(&fake.image()).unwrap();
    let target = registry.prepare(&reference).await.unwrap();
    let attached = registry.attach(&target, &bundle("bundle"), created()).await;
    attached.unwrap_err()
}

/// It stays old until the run ends: the signature is stored, and not visible yet.
#[tokio::test]
async fn what_stays_invisible_is_told_as_stored() {
    let fake =
        Fake::start().await.with_hook(|request, _| reads_list(request).then(|| Reply::new(404)));
    let error = sign_in_a_short_run(&fake).await;
    assert_eq!(error.code(), "registry/not-visible");
    assert_eq!(error.class(), Class::Temporary);
    assert_eq!(writes(&fake), 2);
}

/// The referrers API lists late: it is waited for, and no fallback tag is written.
#[tokio::test]
async fn an_api_that_lists_late_is_waited_for() {
    let mut looks = 0;
    let fake = Fake::start().await.with_referrers();
    let fake = fake.with_hook(move |request, _| {
        if !request.path.contains("/referrers/") {
            return None;
        }
        looks += 1;
        let index = r#"{"schemaVersion":2,"manifests":[]}"#;
        let old = Reply::new(200).with("Content-Type", INDEX).body(index);
        (looks < 5).then_some(old)
    });
    let attached = sign(&fake).await.unwrap();
    assert_eq!(attached.method(), Discovery::Referrers);
    assert!(fake.tagged().is_empty());
    assert_eq!(writes(&fake), 1);
}

/// sigstore/cosign#4641: a proxy answers the referrers API with an empty list for a registry that has
/// none. The registry does not confirm the subject, so the advice is another than to wait.
#[tokio::test]
async fn cosign_4641_an_empty_list_of_a_proxy() {
    for (confirmed, part) in [(true, "Wait, then"), (false, "a proxy answers `/referrers/`")] {
        let fake = Fake::start().await.with_hook(move |request, state| {
            if request.path.contains("/referrers/") {
                let index = r#"{"schemaVersion":2,"manifests":[]}"#;
                return Some(Reply::new(200).with("Content-Type", INDEX).body(index));
            }
            let is_ours = confirmed && request.is("PUT", "/manifests/sha256:");
            let subject = Digest::of(IMAGE.as_bytes()).to_string();
            is_ours.then(|| state.answer(request).with("OCI-Subject", subject))
        });
        let error = sign_in_a_short_run(&fake).await;
        assert_eq!(error.code(), "registry/not-visible");
        assert_eq!(error.class(), Class::Temporary);
        let fix = error.fix().unwrap();
        assert!(fix.to_lowercase().contains(&part.to_lowercase()), "{fix}");
        assert!(fake.tagged().is_empty());
    }
}

/// docker-registry after `garbage-collect --delete-untagged`, or a cleanup by its API: the list names a
/// manifest that is gone, and the registry takes no list with it. Every later run failed for good.
#[tokio::test]
async fn a_list_with_a_deleted_manifest_is_mended() {
    let gone = Digest::of(b"of another signer");
    let fake = Fake::start().await;
    theirs(&fake);
    let fake = fake.with_hook(move |request, _| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let names = request.is("PUT", "/manifests/sha256-") && body.contains(&gone.to_string());
        let said =
            format!(r#"{{"errors":[{{"code":"MANIFEST_BLOB_UNKNOWN","detail":"{gone}"}}]}}"#);
        names.then(|| Reply::new(400).body(said))
    });
    let attached = sign(&fake).await.unwrap();
    assert_eq!(fake.tagged(), [attached.digest().to_string()]);
    assert_eq!(attached.removed(), [gone]);
}

/// A line whose manifest is there stays, whatever the registry says of it.
#[tokio::test]
async fn a_list_keeps_what_is_there() {
    let fake = Fake::start().await;
    theirs(&fake);
    fake.put_manifest("theirs", super::OCI, b"of another signer");
    let fake = fake.with_hook(|request, _| {
        let there = Digest::of(b"of another signer");
        let said =
            format!(r#"{{"errors":[{{"code":"MANIFEST_BLOB_UNKNOWN","detail":"{there}"}}]}}"#);
        let reply = || Reply::new(400).body(said);
        request.is("PUT", "/manifests/sha256-").then(reply)
    });
    assert_eq!(code(sign(&fake).await), "registry/refused");
    assert_eq!(fake.tagged(), [Digest::of(b"of another signer").to_string()]);
}

/// An image that was pushed a moment ago.
#[tokio::test]
async fn an_image_by_digest_may_be_seen_late() {
    let mut reads = 0;
    let fake = Fake::start().await.with_hook(move |request, _| {
        let image = request.is("GET", &format!("/manifests/{}", Digest::of(IMAGE.as_bytes())));
        reads += usize::from(image);
        (image && reads < 3).then(|| Reply::new(404))
    });
    let _target = prepare(&fake).await.unwrap();
}

/// An index that lists something by SHA-512 can be signed as itself.
#[tokio::test]
async fn an_index_with_another_algorithm_is_signed_as_itself() {
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{{"digest":"sha512:{}"}}]}}"#,
        "a".repeat(128)
    );
    let fake = Fake::start().await;
    fake.put_manifest("2", INDEX, index.as_bytes());
    let target = prepare_named(&fake, Digest::of(index.as_bytes())).await.unwrap();
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    let all = registry.prepare_with_children(target.reference(), 1.try_into().unwrap()).await;
    assert_eq!(code(all), "registry/manifest");
}

/// Harbor's content trust hides images that are not signed.
#[tokio::test]
async fn harbor_a_policy_is_named() {
    let fake = Fake::start().await.with_hook(|request, _| {
        let said = r#"{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"not signed"}]}"#;
        let image = request.is("GET", "/manifests/sha256:");
        image.then(|| Reply::new(412).body(said))
    });
    let error = prepare(&fake).await.unwrap_err();
    assert_eq!(error.code(), "registry/policy");
    assert!(error.to_string().contains("PROJECTPOLICYVIOLATION"), "{error}");
    assert!(error.fix().unwrap().contains("CONTENT_TRUST_LEGACY_SIGNER_PULL_ENABLED"));
}

/// A signature repository that does not exist, and a cache that takes no pushes.
#[tokio::test]
async fn an_upload_that_is_refused_says_what_is_missing() {
    for (status, part) in [(404, "create the repository"), (405, "a cache or proxy")] {
        let fake = Fake::start().await.with_hook(move |request, _| {
            request.is("POST", "/uploads/").then(|| Reply::new(status))
        });
        let error = prepare(&fake).await.unwrap_err();
        let fix = error.fix().unwrap_or_default();
        assert!(fix.contains(part), "{status}: {fix}");
    }
}

/// Artifactory answers 403 for a tag that is not there.
#[tokio::test]
async fn artifactory_an_absent_tag_is_not_forbidden() {
    let fake = Fake::start().await.with_hook(|request, state| {
        let absent = !state.manifests.contains_key(&fallback_tag());
        (reads_list(request) && absent).then(|| Reply::new(403))
    });
    let attached = sign(&fake).await.unwrap();
    assert_eq!(fake.tagged(), [attached.digest().to_string()]);
}

/// The same while another signer works: the tag appears between the 403 and the list of tags.
#[tokio::test]
async fn artifactory_a_tag_that_another_writer_just_made_is_not_forbidden() {
    let fake = Fake::start().await;
    let list = index_of(&[foreign_line()]);
    let mut absent = true;
    let fake = fake.with_hook(move |request, state| {
        if !reads_list(request) || !std::mem::take(&mut absent) {
            return None;
        }
        let manifest = (INDEX.to_owned(), list.clone().into_bytes());
        state.manifests.insert(fallback_tag(), manifest);
        Some(Reply::new(403))
    });
    let attached = sign(&fake).await.unwrap();
    assert!(fake.tagged().contains(&attached.digest().to_string()));
    assert_eq!(fake.tagged().len(), 2);
}

/// registry.k8s.io redirects everything to pkg.dev: a digest proves what comes from there.
#[tokio::test]
async fn registry_k8s_io_an_image_elsewhere_by_its_digest() {
    let there = Fake::start().await;
    let home = there.host.clone();
    let front = Fake::start().await.with_hook(move |request, _| {
        let to = format!("http://{home}{}", request.path);
        Some(Reply::new(307).with("Location", to))
    });
    let list = index_of(&[foreign_line()]);
    there.put_manifest(&fallback_tag(), INDEX, list.as_bytes());
    let host = host(Env::default());
    let options = RegistryOptions { login: Some(given_token()), ..RegistryOptions::default() };
    let reader = Registry::reader(&host, &options);
    let by_digest = Reference::parse(&front.image()).unwrap();
    let listing = reader.signatures(&by_digest, &[]).await.unwrap();
    assert_eq!(listing.places.len(), 1, "{:?}", listing.problems);
    let log = there.state().log.clone();
    assert!(log.iter().all(|r| r.header("authorization").is_empty()));

    let signer = Registry::new(&host, &RegistryOptions::default());
    let error = signer.prepare(&by_digest).await.unwrap_err();
    assert_eq!(error.code(), "registry/redirect");
    let fix = format!("name the image at `{}`, ", there.host);
    assert!(error.fix().unwrap().starts_with(&fix), "{:?}", error.fix());

    let by_tag = Reference::parse(&format!("{}/app:1", front.host)).unwrap();
    let error = reader.signatures(&by_tag, &[]).await.unwrap_err();
    assert_eq!(error.code(), "registry/image-redirected");
    let fix = format!("name the image by its digest: `{}/app@sha256:...`", front.host);
    assert_eq!(error.fix().unwrap(), fix);
}

/// The digest is wrong, or the other host does not serve the image.
#[tokio::test]
async fn registry_k8s_io_an_image_elsewhere_is_not_believed() {
    for (reply, expected) in [
        (Reply::new(200).with("Content-Type", super::OCI).body("{}"), "registry/digest-mismatch"),
        (Reply::new(401), "registry/redirect"),
        (Reply::new(404), "registry/redirect"),
    ] {
        let there = Fake::start().await;
        let to = format!("http://{}/there", there.host);
        let _there = there.with_hook(move |_, _| Some(reply.clone()));
        let fake = Fake::start().await.with_hook(move |request, _| {
            let reply = || Reply::new(307).with("Location", to.clone());
            request.is("GET", "/manifests/sha256:").then(reply)
        });
        assert_eq!(code(prepare(&fake).await), expected);
    }
}

/// An upload session on the same host in plain HTTP, behind a balancer that ends TLS, is in
/// `transport`; one on another host in plain HTTP is refused before anything is signed.
#[tokio::test]
async fn a_session_elsewhere_in_plain_http_is_refused_at_once() {
    let fake = Fake::start().await.with_hook(|request, _| {
        let session = "http://192.0.2.1/uploads/1";
        let reply = || Reply::new(202).with("Location", session);
        request.is("POST", "/uploads/").then(reply)
    });
    assert_eq!(code(prepare(&fake).await), "registry/redirect");
}

/// The blobs of a registry in storage at `origin`, to which it redirects reads with these methods.
async fn keeps_blobs_at(origin: String, storage: &Fake, methods: &'static [&'static str]) -> Fake {
    let stored = storage.clone();
    Fake::start().await.with_hook(move |request, state| {
        if request.is("PUT", "/uploads/") {
            let answer = state.answer(request);
            stored.state().blobs.extend(state.blobs.clone());
            return Some(answer);
        }
        let to = format!("{origin}{}", request.path);
        let is_blob = request.path.contains("/blobs/sha256:");
        let is_read = is_blob && methods.contains(&request.method.as_str());
        is_read.then(|| Reply::new(307).with("Location", to))
    })
}

/// What came of attaching a signature, and of reading it as a reader does.
async fn attached_and_read(fake: &Fake) -> [String; 2] {
    let host = host(Env::default());
    let options = || RegistryOptions { login: Some(given_token()), ..RegistryOptions::default() };
    let signer = Registry::new(&host, &options());
    let reference = Reference::parse(&fake.image()).unwrap();
    let target = signer.prepare(&reference).await.unwrap();
    let attached = signer.attach(&target, &bundle("bundle"), created()).await;
    let listed = fake.tagged();
    if listed.is_empty() {
        // A reader finds the manifest that the signer left unlisted.
        let state = fake.state();
        let manifests = state.manifests.keys();
        let ours =
            manifests.filter(|name| name.starts_with("sha256:") && !fake.image().ends_with(*name));
        let line =
            ours.map(|digest| format!(r#"{{"digest":"{digest}","size":1}}"#)).collect::<Vec<_>>();
        drop(state);
        fake.put_manifest(&fallback_tag(), INDEX, index_of(&line).as_bytes());
    }
    let reader = Registry::reader(&host, &options());
    let listing = reader.signatures(&reference, &[]).await.unwrap();
    assert_eq!(listing.places.len(), 1);
    let read = reader.fetch(&reference, &listing.places[0]).await;
    [code(attached), code(read)]
}

/// Blobs that are redirected to storage in plain HTTP: `sign` ended well without having read them, and
/// `verify` did not follow. One rule holds for both: a digest proves what comes from anywhere.
#[tokio::test]
async fn storage_in_plain_http_is_read_by_both() {
    let storage = Fake::start().await;
    // An address that is not one of loopback leads to this machine too.
    let port = storage.host.rsplit(':').next().unwrap();
    let fake = keeps_blobs_at(format!("http://0.0.0.0:{port}"), &storage, &["GET", "HEAD"]).await;
    assert_eq!(attached_and_read(&fake).await, ["ok", "ok"]);
    let log = storage.state().log.clone();
    let count = |method: &str| log.iter().filter(|r| r.method == method).count();
    assert_eq!((count("HEAD"), count("GET")), (1, 2), "each reads the bundle once");
    assert!(log.iter().all(|r| r.header("authorization").is_empty()));
    let log = fake.state().log.clone();
    let asked = |r: &&Request| r.is("GET", "/blobs/sha256:");
    assert!(log.iter().filter(asked).all(|r| r.header("authorization") == "Bearer given"));
}

/// The same where storage lies, and where it may not be.
#[tokio::test]
async fn storage_that_readers_cannot_use_is_no_place_for_a_signature() {
    type Answer = fn() -> Option<Reply>;
    let rows: [(&str, Answer, [&str; 2]); 3] = [
        (
            "http://0.0.0.0:PORT",
            || Some(Reply::new(200).body("other")),
            ["registry/read-back", "registry/digest-mismatch"],
        ),
        ("http://0.0.0.0:PORT", || Some(Reply::new(403)), ["registry/redirect"; 2]),
        ("http://169.254.169.254", || None, ["registry/redirect"; 2]),
    ];
    for (origin, answer, expected) in rows {
        let storage = Fake::start().await.with_hook(move |_, _| answer());
        let port = storage.host.rsplit(':').next().unwrap();
        let fake = keeps_blobs_at(origin.replace("PORT", port), &storage, &["GET"]).await;
        assert_eq!(attached_and_read(&fake).await, expected, "{origin}");
    }
    // Where it looks up a blob there, that is found out with the config, before the log entry.
    let nothing = Fake::start().await;
    let away = "http://169.254.169.254".to_owned();
    let fake = keeps_blobs_at(away, &nothing, &["HEAD"]).await;
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    let target = registry.prepare(&Reference::parse(&fake.image()).unwrap()).await;
    let pushed = registry.push_config(&target.unwrap()).await;
    assert_eq!(code(pushed), "registry/redirect");
}

/// `localhost` and other names of this machine, as docker, crane and cosign speak to them.
mod without_tls {
    use super::*;

    /// The image by a name of this machine.
    fn named(fake: &Fake, name: &str) -> Reference {
        let port = fake.host.rsplit(':').next().unwrap();
        let digest = Digest::of(IMAGE.as_bytes());
        Reference::parse(&format!("{name}:{port}/app@{digest}")).unwrap()
    }

    async fn sign_named(host: &Host, name: &Reference) -> Result<Discovery, Error> {
        let registry = Registry::new(host, &RegistryOptions::default());
        let target = registry.prepare(name).await?;
        let attached = registry.attach(&target, &bundle("bundle"), created()).await?;
        assert!(registry.warnings().is_empty());
        Ok(attached.method())
    }

    #[tokio::test]
    async fn a_registry_at_localhost() {
        for name in ["localhost", "registry.localhost"] {
            let fake = Fake::start().await.with_referrers();
            let started = tokio::time::Instant::now();
            let host = host(Env::from_iter([("HTTP_PROXY", "http://192.0.2.1:3128")]));
            let method = sign_named(&host, &named(&fake, name)).await;
            assert_eq!(method.unwrap(), Discovery::Referrers, "{name}");
            assert!(started.elapsed().as_secs() < 4, "{name}: nothing is tried again");
        }
    }

    /// Another machine that answers TLS in plain HTTP: a fact with a fix, and no matter of tries.
    #[test]
    fn another_machine_needs_the_flag() {
        let named = PlainHttp::Named(["r.corp:5000".to_owned()].into());
        let host = host(Env::from_iter([("CI_REGISTRY", "gitlab.corp:5050")]));
        for (plain_http, name, expected) in [
            (&PlainHttp::Never, "r.corp:5000", Some(false)),
            (&PlainHttp::IfNoTls, "r.corp:5000", Some(true)),
            (&PlainHttp::IfNoTls, "gitlab.corp:5050", Some(false)),
            (&PlainHttp::IfNoTls, "ghcr.io", Some(false)),
            (&named, "r.corp:5000", Some(true)),
            (&named, "r.corp", Some(false)),
        ] {
            let options =
                RegistryOptions { plain_http: plain_http.clone(), ..RegistryOptions::default() };
            let registry = Registry::new(&host, &options);
            let allowed = registry.transport(name).ok().map(|(_, allowed)| allowed);
            assert_eq!(allowed, expected, "{name}");
        }
    }

    /// What the platform gives the job is not sent in plain HTTP, whatever the flag says.
    #[tokio::test]
    async fn the_login_of_the_platform_stays_with_tls() {
        for name in ["ghcr.io", "europe-docker.pkg.dev", "gitlab.corp:5050"] {
            let host = host(Env::from_iter([("CI_REGISTRY", "gitlab.corp:5050")]));
            let options = RegistryOptions {
                plain_http: PlainHttp::Named([name.to_owned()].into()),
                ..RegistryOptions::default()
            };
            let registry = Registry::new(&host, &options);
            let reference = Reference::parse(&format!("{name}/acme/app:1")).unwrap();
            let error = registry.prepare(&reference).await.unwrap_err();
            assert_eq!(error.code(), "registry/plain-http-login", "{name}");
        }
    }
}
