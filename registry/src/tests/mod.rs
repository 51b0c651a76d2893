// SPDX-License-Identifier: Apache-2.0
//! The whole stage against registries on loopback that fail and lie in one way each.

mod auth;
mod fake;
mod field;
mod incidents;
mod listing;
mod order;
mod signatures;
mod sources;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use ambisign_host::{Class, Clock, Env, Explain as _, Host, Net, NetOptions, Token};
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::trust::TrustedRoot;
use ambisign_sigstore::verify::{self, Expected, VerifiedBundle};
use futures_util::future::join_all;

use self::fake::{Fake, Fault, IMAGE, INDEX, OCI, Reply, Request, State, fallback_tag};
use super::{Attached, Discovery, Error, GivenLogin, Registry, RegistryOptions, Target};
use crate::reference::Reference;

const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

fn host(env: Env) -> Host {
    let clock = Clock::system();
    let net = Net::new(&env, clock, NetOptions::default());
    Host { env, net, clock, root: PathBuf::from("/") }
}

/// A bundle of [`IMAGE`], with a member that a reader does not know, so that two can differ.
/// The login `--registry-token given`.
fn given_token() -> GivenLogin {
    GivenLogin::Token(Token::new("given").unwrap())
}

fn bundle(name: &str) -> VerifiedBundle {
    let text = include_str!("../../../tests/vectors/own/image/bundle.sigstore.json");
    let text = text.replacen('{', &format!("{{\"name\":{name:?},"), 1);
    let root = include_bytes!("../../../tests/vectors/own/image/trusted_root.json");
    let expected = Expected {
        artifact: &Digest::of(IMAGE.as_bytes()),
        identity: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main",
        issuer: "http://127.0.0.1:41603/github",
        predicate_type: Some(PREDICATE),
        public_key: None,
        entries: 1,
        timestamps: 1,
    };
    verify::bundle(text.into_bytes(), &TrustedRoot::parse(root).unwrap(), &expected).unwrap()
}

/// A bundle of something else.
fn bundle_of_another() -> VerifiedBundle {
    let bytes =
        include_bytes!("../../../tests/vectors/bundle-verify/happy-path-v0.3/bundle.sigstore.json");
    let root = include_bytes!("../../../tests/vectors/roots/production/trusted_root.json");
    let artifact = Digest::of(include_bytes!("../../../tests/vectors/bundle-verify/a.txt"));
    let expected = Expected {
        artifact: &artifact,
        identity: "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/\
                   .github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main",
        issuer: "https://token.actions.githubusercontent.com",
        predicate_type: None,
        public_key: None,
        entries: 1,
        timestamps: 0,
    };
    verify::bundle(bytes.to_vec(), &TrustedRoot::parse(root).unwrap(), &expected).unwrap()
}

fn created() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

async fn prepare(fake: &Fake) -> Result<Target, Error> {
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    registry.prepare(&Reference::parse(&fake.image()).unwrap()).await
}

async fn sign(fake: &Fake) -> Result<Attached, Error> {
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    let target = registry.prepare(&Reference::parse(&fake.image()).unwrap()).await?;
    registry.attach(&target, &bundle("bundle"), created()).await
}

fn code<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().into_owned(),
    }
}

#[tokio::test]
async fn attaches_by_either_way() {
    let fake = Fake::start().await.with_referrers();
    let attached = sign(&fake).await.unwrap();
    assert_eq!(attached.method(), Discovery::Referrers);
    assert_eq!(attached.reference(), format!("{}/app@{}", fake.host, attached.digest()));
    assert!(fake.tagged().is_empty());
    let requests = fake.state().log.len();
    assert_eq!(requests, 12);

    let fake = Fake::start().await;
    let attached = sign(&fake).await.unwrap();
    assert_eq!(attached.method(), Discovery::FallbackTag);
    assert_eq!(fake.tagged(), [attached.digest().to_string()]);
    assert!(fake.state().blobs.contains_key(&Digest::of(bundle("bundle").bytes()).to_string()));
    let again = sign(&fake).await.unwrap();
    assert_eq!(again, attached);
    assert_eq!(fake.tagged().len(), 1);
}

/// One fault anywhere, before or after the registry did what it was asked, costs nothing but time.
#[tokio::test]
async fn survives_one_fault_at_any_call() {
    let faults = [
        Fault::Status(503),
        Fault::Status(429),
        Fault::Status(500),
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::StatusAfter(504),
    ];
    for has_referrers in [true, false] {
        let start = || async {
            let fake = Fake::start().await;
            if has_referrers { fake.with_referrers() } else { fake }
        };
        let whole = start().await;
        let _attached = sign(&whole).await.unwrap();
        let calls = whole.state().log.len();
        let runs = (0..calls).flat_map(|n| faults.map(|fault| (n, fault)));
        join_all(runs.map(|(n, fault)| async move {
            let fake = start().await.with_fault(n, fault);
            let result = sign(&fake).await;
            let said = result.as_ref().map_err(Error::to_string);
            let attached = said.unwrap_or_else(|error| panic!("{n} {fault:?}: {error}"));
            let digest = attached.digest().to_string();
            if has_referrers {
                assert_eq!(attached.method(), Discovery::Referrers);
            } else {
                assert_eq!(fake.tagged(), std::slice::from_ref(&digest));
            }
            assert!(fake.state().manifests.contains_key(&digest));
        }))
        .await;
    }
}

type Lie = fn(&Request, &mut State) -> Option<Reply>;

fn get_image(request: &Request) -> bool {
    request.is("GET", "/manifests/sha256:")
}

/// Lies that are found before anything is signed.
const EARLY_LIES: &[(&str, Lie)] = &[
    ("registry/not-found", |r, _| get_image(r).then(|| Reply::new(404))),
    ("registry/unauthorized", |r, _| get_image(r).then(|| Reply::new(403))),
    ("registry/unauthorized", |_, _| Some(Reply::new(401))),
    ("registry/refused", |r, _| get_image(r).then(|| Reply::new(418))),
    ("registry/refused", |r, _| get_image(r).then(|| Reply::new(204))),
    ("registry/digest-mismatch", |r, _| {
        let body = IMAGE.replace("{}", "{ }");
        get_image(r).then(|| Reply::new(200).with("Content-Type", OCI).body(body))
    }),
    ("registry/digest-mismatch", |r, _| {
        let reply = Reply::new(200).with("Content-Type", OCI).body(IMAGE);
        let other = Digest::of(b"other").to_string();
        get_image(r).then(|| reply.with("Docker-Content-Digest", other))
    }),
    ("registry/media-type", |r, _| {
        get_image(r).then(|| Reply::new(200).with("Content-Type", INDEX).body(IMAGE))
    }),
    ("registry/media-type", |r, _| {
        get_image(r).then(|| Reply::new(200).with("Content-Type", "text/html").body(IMAGE))
    }),
    ("registry/too-large", |r, _| {
        let reply = || Reply::new(200).with("Content-Type", OCI).body(vec![b' '; 9 << 20]);
        get_image(r).then(reply)
    }),
    ("registry/redirect", |r, _| {
        let elsewhere = "http://169.254.169.254/manifest";
        get_image(r).then(|| Reply::new(307).with("Location", elsewhere))
    }),
    ("registry/redirect", |r, _| {
        let path = r.path.clone();
        get_image(r).then(|| Reply::new(307).with("Location", path))
    }),
    ("registry/redirect", |r, _| get_image(r).then(|| Reply::new(302))),
    ("registry/redirect", |r, _| {
        r.is("POST", "uploads").then(|| Reply::new(302).with("Location", "/elsewhere"))
    }),
    ("registry/redirect", |r, _| {
        let inward = "http://169.254.169.254/latest";
        r.is("POST", "uploads").then(|| Reply::new(307).with("Location", inward))
    }),
    ("registry/push-denied", |r, _| r.is("POST", "uploads").then(|| Reply::new(403))),
    ("registry/push-denied", |r, _| r.is("POST", "uploads").then(|| Reply::new(401))),
    ("registry/refused", |r, _| r.is("POST", "uploads").then(|| Reply::new(405))),
    ("registry/refused", |r, _| r.is("POST", "uploads").then(|| Reply::new(202))),
    ("registry/unauthorized", |r, _| r.is("GET", "referrers").then(|| Reply::new(403))),
    ("registry/refused", |r, _| r.is("GET", "referrers").then(|| Reply::new(410))),
    ("registry/unauthorized", |r, _| {
        let secret = r.is("GET", "/manifests/sha256-") || r.is("GET", "/tags/list");
        secret.then(|| Reply::new(403))
    }),
    ("registry/tag-is-subject", |r, _| {
        let reply = Reply::new(200).with("Content-Type", OCI).body(IMAGE);
        r.is("GET", "/manifests/sha256-").then_some(reply)
    }),
    ("registry/index-unreadable", |r, _| {
        let other = IMAGE.replace("layers", "x");
        let reply = Reply::new(200).with("Content-Type", OCI).body(other);
        r.is("GET", "/manifests/sha256-").then_some(reply)
    }),
    ("registry/index-unreadable", |r, _| {
        let reply = Reply::new(200).with("Content-Type", INDEX).body("<html>");
        r.is("GET", "/manifests/sha256-").then_some(reply)
    }),
    ("registry/realm", |_, _| {
        let bearer = r#"Bearer realm="http://192.0.2.1/token""#;
        Some(Reply::new(401).with("WWW-Authenticate", bearer))
    }),
    ("registry/encoded", |r, _| {
        let reply = Reply::new(200).with("Content-Type", OCI).body(IMAGE);
        get_image(r).then(|| reply.with("Content-Encoding", "gzip"))
    }),
];

#[tokio::test]
async fn refuses_to_prepare() {
    join_all(EARLY_LIES.iter().enumerate().map(|(n, (expected, lie))| async move {
        let fake = Fake::start().await.with_hook(lie);
        let result = prepare(&fake).await;
        assert_eq!(code(result), *expected, "lie {n}");
        assert!(!fake.state().log.iter().any(|r| r.method == "PUT"), "lie {n}");
    }))
    .await;
}

/// Each lie is found after the manifest was pushed.
#[tokio::test]
async fn refuses_to_call_it_attached() {
    let lies: &[(&str, bool, Lie)] = &[
        ("registry/read-back", true, |r, _| {
            r.is("GET", "/blobs/").then(|| Reply::new(200).body("other"))
        }),
        ("registry/read-back", true, |r, s| {
            let pushed = s.log.iter().any(|r| r.is("PUT", "manifests"));
            (get_image(r) && pushed).then(|| Reply::new(200).with("Content-Type", OCI).body("{}"))
        }),
        ("registry/read-back", true, |r, _| {
            let other = Digest::of(b"other").to_string();
            let reply = || Reply::new(201).with("Docker-Content-Digest", other);
            r.is("PUT", "/manifests/sha256:").then(reply)
        }),
        ("registry/read-back", true, |r, _| {
            let reply = Reply::new(200).with("Content-Type", INDEX).body("<html>");
            r.is("GET", "referrers").then_some(reply)
        }),
        ("registry/refused", true, |r, _| {
            r.is("PUT", "/manifests/sha256:").then(|| Reply::new(400))
        }),
        ("registry/refused", false, |r, _| {
            r.is("PUT", "/manifests/sha256-").then(|| Reply::new(400).body("not this tag"))
        }),
        ("registry/refused", false, |r, _| {
            r.is("PUT", "/manifests/sha256-").then(|| Reply::new(413))
        }),
        ("registry/refused", false, |r, _| r.is("PUT", "/blobs/").then(|| Reply::new(403))),
    ];
    join_all(lies.iter().enumerate().map(|(n, (expected, has_referrers, lie))| async move {
        let fake = Fake::start().await.with_hook(lie);
        fake.state().has_referrers = *has_referrers;
        assert_eq!(code(sign(&fake).await), *expected, "lie {n}");
    }))
    .await;
}

#[tokio::test]
async fn sees_the_referrers_api_only_where_readers_do() {
    for (status, media_type, method) in [
        (200, INDEX, Discovery::Referrers),
        (200, "application/vnd.oci.image.index.v1+json; charset=utf-8", Discovery::FallbackTag),
        (200, "text/html", Discovery::FallbackTag),
        (400, INDEX, Discovery::FallbackTag),
        (404, INDEX, Discovery::FallbackTag),
        (405, INDEX, Discovery::FallbackTag),
        (406, INDEX, Discovery::FallbackTag),
        (501, INDEX, Discovery::FallbackTag),
    ] {
        let fake = Fake::start().await.with_referrers();
        let fake = fake.with_hook(move |request, state| {
            if !request.is("GET", "referrers") {
                return None;
            }
            let mut reply = state.answer(request);
            reply.status = status;
            reply.headers = vec![("Content-Type".to_owned(), media_type.to_owned())];
            Some(reply)
        });
        let attached = sign(&fake).await.unwrap();
        assert_eq!(attached.method(), method, "{status} {media_type}");
    }
}

#[tokio::test]
async fn refuses_a_bundle_for_another_artifact() {
    let fake = Fake::start().await;
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    let reference = Reference::parse(&fake.image()).unwrap();
    let target = registry.prepare(&reference).await.unwrap();
    let other = bundle_of_another();
    let result = registry.attach(&target, &other, created()).await;
    assert_eq!(code(result), "registry/other-artifact");
}

#[tokio::test]
async fn opens_a_new_session_when_the_old_one_died() {
    let fake = Fake::start().await.with_referrers();
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    let reference = Reference::parse(&fake.image()).unwrap();
    let target = registry.prepare(&reference).await.unwrap();
    let dead = fake.clone().with_hook(|request, state| {
        let puts = state.log.iter().filter(|r| r.is("PUT", "/blobs/")).count();
        (request.is("PUT", "/blobs/") && puts == 1).then(|| Reply::new(404))
    });
    let attached = registry.attach(&target, &bundle("bundle"), created()).await;
    assert_eq!(code(attached), "ok");
    assert!(dead.state().blobs.contains_key(&Digest::of(bundle("bundle").bytes()).to_string()));
}

#[tokio::test]
async fn keeps_what_others_listed() {
    let foreign = r#"{ "digest":"sha256:foreign", "mediaType": "x","extra":[1.0] }"#;
    let index = format!(r#"{{"schemaVersion":2,"x":{{ }},"manifests":[{foreign}]}}"#);
    let fake = Fake::start().await;
    fake.put_manifest(&fallback_tag(), INDEX, index.as_bytes());
    let attached = sign(&fake).await.unwrap();
    let stored = fake.state().manifests[&fallback_tag()].1.clone();
    let stored = String::from_utf8(stored).unwrap();
    let beginning = format!(r#"{{"schemaVersion":2,"x":{{ }},"manifests":[{foreign},{{"#);
    assert!(stored.starts_with(&beginning), "{stored}");
    assert_eq!(fake.tagged(), ["sha256:foreign".to_owned(), attached.digest().to_string()]);
}

#[tokio::test]
async fn adds_itself_again_when_it_was_lost() {
    // Another writer puts its old view back, three times.
    let fake = Fake::start().await.with_hook(|request, state| {
        let puts = state.log.iter().filter(|r| r.is("PUT", "/manifests/sha256-")).count();
        if !request.is("PUT", "/manifests/sha256-") || puts > 3 {
            return None;
        }
        let old = format!(
            r#"{{"schemaVersion":2,"x":{puts},"manifests":[{{"digest":"sha256:theirs"}}]}}"#
        );
        state.manifests.insert(fallback_tag(), (INDEX.to_owned(), old.into_bytes()));
        Some(Reply::new(if puts == 2 { 412 } else { 201 }))
    });
    let attached = sign(&fake).await.unwrap();
    assert_eq!(fake.tagged(), ["sha256:theirs".to_owned(), attached.digest().to_string()]);
}

#[tokio::test]
async fn says_what_is_stored_when_others_keep_winning() {
    let mut writers = 0;
    let fake = Fake::start().await.with_hook(move |request, state| {
        if !request.is("PUT", "/manifests/sha256-") {
            return None;
        }
        writers += 1;
        let theirs = format!(r#"{{"schemaVersion":2,"x":{writers},"manifests":[]}}"#);
        let theirs = (INDEX.to_owned(), theirs.into_bytes());
        state.manifests.insert(fallback_tag(), theirs);
        Some(Reply::new(201))
    });
    let error = sign(&fake).await.unwrap_err();
    assert_eq!(error.code(), "registry/shared-tag");
    assert_eq!(error.class(), Class::Temporary);
    let stored = fake.state().manifests.keys().any(|name| error.to_string().contains(name));
    assert!(stored, "{error}");
    let puts = |request: &&Request| request.is("PUT", "/manifests/sha256-");
    assert_eq!(fake.state().log.iter().filter(puts).count(), 12);
}

#[tokio::test]
async fn never_overwrites_what_it_may_not_read() {
    for status in [401, 403, 410, 418] {
        let fake = Fake::start().await;
        let host = host(Env::default());
        let registry = Registry::new(&host, &RegistryOptions::default());
        let reference = Reference::parse(&fake.image()).unwrap();
        let target = registry.prepare(&reference).await.unwrap();
        let theirs = br#"{"schemaVersion":2,"manifests":[{"digest":"sha256:theirs"}]}"#;
        fake.put_manifest(&fallback_tag(), INDEX, theirs);
        let fake = fake.with_hook(move |request, _| {
            request.is("GET", "/manifests/sha256-").then(|| Reply::new(status))
        });
        let result = registry.attach(&target, &bundle("bundle"), created()).await;
        assert!(result.is_err());
        assert_eq!(fake.tagged(), ["sha256:theirs"], "{status}");
    }
}

#[tokio::test]
async fn keeps_all_signatures_of_one_digest_in_one_run() {
    let fake = Fake::start().await;
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    let reference = Reference::parse(&fake.image()).unwrap();
    let contents: Vec<String> = (0..12).map(|n| format!("bundle {n}")).collect();
    join_all(contents.iter().map(|content| async {
        let target = registry.prepare(&reference).await.unwrap();
        registry.attach(&target, &bundle(content), created()).await.unwrap()
    }))
    .await;
    assert_eq!(fake.tagged().len(), 12);
}

#[tokio::test]
async fn reports_drift_of_the_tag() {
    let fake = Fake::start().await;
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    let reference = Reference::parse(&format!("{}/app:1", fake.host)).unwrap();
    let target = registry.prepare(&reference).await.unwrap();
    assert_eq!(target.tag(), Some("1"));
    assert_eq!(target.reference().to_string(), fake.image());
    assert_eq!(registry.drift(&target).await.unwrap(), None);
    let moved = IMAGE.replace("{}", "{ }");
    fake.put_manifest("1", OCI, moved.as_bytes());
    assert_eq!(registry.drift(&target).await.unwrap(), Some(Digest::of(moved.as_bytes())));
    fake.state().manifests.remove("1");
    assert_eq!(code(registry.drift(&target).await), "registry/not-found");
}

#[tokio::test]
async fn a_wait_longer_than_any_clock_is_not_begun() {
    let fake = Fake::start().await.with_hook(|request, _| {
        let busy = || Reply::new(503).with("Retry-After", u64::MAX.to_string());
        request.is("PUT", "/blobs/").then(busy)
    });
    assert_eq!(code(sign(&fake).await), "registry/unreachable");
}

#[tokio::test]
async fn a_registry_that_fails_says_no_such_thing() {
    for (status, class) in
        [(507, Class::Temporary), (501, Class::Temporary), (405, Class::Registry)]
    {
        let fake = Fake::start().await.with_hook(move |request, _| {
            let answer = || Reply::new(status);
            request.is("POST", "/blobs/").then(answer)
        });
        let error = prepare(&fake).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
    }
}
