// SPDX-License-Identifier: Apache-2.0
//! What went wrong in registry clients before, by the id that `tests/INCIDENTS.md` has.

use std::time::Duration;

use ambisign_host::{Answer, Env, Explain as _};
use ambisign_sigstore::digest::Digest;
use futures_util::future::join_all;
use reqwest::Method as Verb;
use tokio::time::timeout;

use super::fake::{Fake, Fault, IMAGE, INDEX, OCI, Reply, Request, State, fallback_tag};
use super::{bundle, code, created, given_token, host, prepare, sign};
use crate::http::call::Elsewhere;
use crate::reference::Reference;
use crate::{Discovery, Error, Registry, RegistryOptions};

const LEGACY: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// One request to `path` of the repository, with a token that was given.
async fn ask(fake: &Fake, method: Verb, path: &str, elsewhere: Elsewhere) -> Result<Answer, Error> {
    let host = host(Env::default());
    let options = RegistryOptions { login: Some(given_token()), ..RegistryOptions::default() };
    let registry = Registry::new(&host, &options);
    let pusher = registry.connect(&Reference::parse(&fake.image()).unwrap())?;
    let connection = pusher.puller.connection;
    let mut call = connection.call(method, path, elsewhere);
    if call.method == Verb::POST {
        call.body = Some(Vec::new());
    }
    connection.send(&call).await
}

/// Method, path and `Authorization` of what a registry was asked.
fn seen(fake: &Fake) -> Vec<[String; 3]> {
    let row = |request: &Request| {
        let proof = request.header("authorization").to_owned();
        [request.method.clone(), request.path.clone(), proof]
    };
    fake.state().log.iter().map(row).collect()
}

fn redirect(status: u16, to: impl Into<String>) -> Reply {
    Reply::new(status).with("Location", to)
}

/// A registry that answers requests for `/from` with `reply`, and others with 200.
async fn redirecting(status: u16, to: String) -> Fake {
    Fake::start().await.with_hook(move |request, _| {
        Some(if request.path.ends_with("/from") {
            redirect(status, to.clone())
        } else {
            Reply::new(200)
        })
    })
}

/// Credentials went along to storage of another host, and came back to the registry after a detour.
#[tokio::test]
async fn sigstore_js_b855f46c_credentials_on_redirects() {
    let row = |method: &str, path: &str, proof: &str| [method, path, proof].map(str::to_owned);
    let (from, to) = ("/v2/app/from", "/v2/app/to");
    for status in [301, 302, 303, 307, 308] {
        // At home the method and the proof stay.
        for (verb, name) in [(Verb::GET, "GET"), (Verb::HEAD, "HEAD")] {
            let fake = redirecting(status, to.to_owned()).await;
            ask(&fake, verb, "from", Elsewhere::Refuse).await.unwrap();
            let given = "Bearer given";
            let expected = [row(name, from, given), row(name, to, given)];
            assert_eq!(seen(&fake), expected, "{status}");
        }
        // Elsewhere, which another port is already, the method stays and the proof does not.
        let there = Fake::start().await;
        let fake = redirecting(status, format!("http://{}{to}", there.host)).await;
        let answer = ask(&fake, Verb::HEAD, "from", Elsewhere::Follow).await;
        assert_eq!(answer.unwrap().status, 404);
        assert_eq!(seen(&there), [row("HEAD", to, "")], "{status}");
        // Back at the registry it stays away.
        let fake = Fake::start().await;
        let (home, away) = (format!("http://{}{to}", fake.host), there.host.clone());
        let _there = there.with_hook(move |_, _| Some(redirect(307, home.clone())));
        let fake = fake.with_hook(move |request, _| {
            let first = request.path.ends_with("/from");
            let to = || redirect(status, format!("http://{away}/detour"));
            Some(if first { to() } else { Reply::new(200) })
        });
        ask(&fake, Verb::GET, "from", Elsewhere::Follow).await.unwrap();
        let expected = [row("GET", from, "Bearer given"), row("GET", to, "")];
        assert_eq!(seen(&fake), expected, "{status}");
    }
    // A name for this machine is not the registry's own.
    let fake = redirecting(307, format!("http://localhost:1{to}")).await;
    let refused = ask(&fake, Verb::GET, "from", Elsewhere::Follow).await;
    assert_eq!(code(refused), "registry/redirect");
}

/// A relative `Location` after a redirected POST was read as one of the registry's.
#[tokio::test]
async fn sigstore_js_b855f46c_a_session_elsewhere() {
    let there = Fake::start().await;
    let away = format!("http://{}/storage/uploads/", there.host);
    let there = there.with_hook(|request, _| {
        Some(match request.method.as_str() {
            "POST" => Reply::new(202).with("Location", "session?x=1"),
            _ => Reply::new(201),
        })
    });
    let fake = Fake::start().await.with_hook(move |request, _| {
        let starts = request.method == "POST";
        starts.then(|| redirect(307, away.clone()))
    });
    let host = host(Env::default());
    let options = RegistryOptions { login: Some(given_token()), ..RegistryOptions::default() };
    let registry = Registry::new(&host, &options);
    let connection = registry.connect(&Reference::parse(&fake.image()).unwrap());
    let connection = connection.unwrap();
    connection.push_blob(None, b"blob").await.unwrap();
    let asked = seen(&there);
    let paths: Vec<&str> = asked.iter().map(|[_, path, _]| path.as_str()).collect();
    let digest = Digest::of(b"blob").hex();
    let put = format!("/storage/uploads/session?x=1&digest=sha256%3A{digest}");
    assert_eq!(paths, ["/storage/uploads/", &put]);
    assert!(asked.iter().all(|[_, _, proof]| proof.is_empty()));
}

/// Ten redirects are followed, and not one more.
#[tokio::test]
async fn sigstore_js_b855f46c_the_last_redirect() {
    for (redirects, expected) in [(10, "ok"), (11, "registry/redirect")] {
        let fake = Fake::start().await.with_hook(move |_, state| {
            let more = state.log.len() <= redirects;
            Some(if more { redirect(307, "again") } else { Reply::new(200) })
        });
        let answer = ask(&fake, Verb::GET, "blobs/x", Elsewhere::Follow).await;
        assert_eq!(code(answer), expected, "{redirects}");
        assert_eq!(fake.state().log.len(), 11, "{redirects}");
    }
}

/// Clients asked whatever address a registry named: of the next page, of the token endpoint, of a
/// layer. The last two are in `refuses_to_prepare`, `wants_https` and the test below.
#[tokio::test]
async fn ggcr_2332_the_next_page_is_the_registrys_own() {
    let there = Fake::start().await;
    let elsewhere = format!("http://{}/v2/app/referrers/x", there.host);
    for link in [&elsewhere, "http://169.254.169.254/", "//169.254.169.254/"] {
        let next = format!("<{link}>; rel=\"next\"");
        let fake = Fake::start().await.with_hook(move |request, _| {
            let page = || {
                Reply::new(200)
                    .with("Content-Type", INDEX)
                    .with("Link", next.clone())
                    .body(r#"{"schemaVersion":2,"manifests":[]}"#)
            };
            request.path.contains("/referrers/").then(page)
        });
        let host = host(Env::default());
        let registry = Registry::reader(&host, &RegistryOptions::default());
        let reference = Reference::parse(&fake.image()).unwrap();
        let listing = registry.signatures(&reference, &[]).await.unwrap();
        assert_eq!(listing.problems.len(), 1, "{link}");
        assert_eq!(listing.problems[0].code(), "registry/redirect", "{link}");
        assert_eq!(code(sign(&fake).await), "registry/redirect", "{link}");
    }
    assert!(there.state().log.is_empty());
}

/// A layer can name URLs of its own, and a client sent its credentials there.
#[tokio::test]
async fn cve_2020_15157_urls_of_a_layer_are_not_asked() {
    let there = Fake::start().await;
    let blob = Digest::of(b"foreign");
    let layer = |media_type: &str| {
        format!(
            r#"{{"mediaType":"{media_type}","digest":"{blob}","size":7,"urls":["http://{}/x"]}}"#,
            there.host
        )
    };
    let fake = Fake::start().await;
    let image = layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
    let image = IMAGE.replace(r#""layers":[]"#, &format!(r#""layers":[{image}]"#));
    fake.put_manifest("2", OCI, image.as_bytes());
    let reference = format!("{}/app@{}", fake.host, Digest::of(image.as_bytes()));
    let reference = Reference::parse(&reference).unwrap();
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    let _prepared = registry.prepare(&reference).await.unwrap();

    let manifest = format!(r#"{{"schemaVersion":2,"config":{{}},"layers":[{}]}}"#, layer(BUNDLE));
    let digest = Digest::of(manifest.as_bytes());
    fake.put_manifest("3", OCI, manifest.as_bytes());
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{{"digest":"{digest}"}}]}}"#);
    let tag = format!("sha256-{}", Digest::of(image.as_bytes()).hex());
    fake.put_manifest(&tag, INDEX, index.as_bytes());
    let listing = registry.signatures(&reference, &[]).await.unwrap();
    let stored = registry.fetch(&reference, &listing.places[0]).await;
    assert_eq!(code(stored), "registry/not-found");
    assert!(there.state().log.is_empty());
}

/// What is secret in the URL of a redirect was in error messages and logs.
#[tokio::test]
async fn ggcr_1408_a_signed_url_is_not_told() {
    let there = Fake::start().await;
    let signed = format!("http://{}/blob?X-Amz-Signature=c4n4ry-signature", there.host);
    let _there = there.with_hook(|_, _| Some(Reply::new(200).with("Content-Encoding", "gzip")));
    for (elsewhere, expected) in
        [(Elsewhere::Follow, "registry/encoded"), (Elsewhere::Refuse, "registry/redirect")]
    {
        let fake = redirecting(307, signed.clone()).await;
        let error = ask(&fake, Verb::GET, "from", elsewhere).await.unwrap_err();
        assert_eq!(error.code(), expected);
        let told = format!("{error} {error:?} {:?}", error.fix());
        assert!(!told.contains("c4n4ry"), "{told}");
    }
}

/// A client that had failed once failed for the rest of its life.
#[tokio::test]
async fn ggcr_2406_a_failure_is_not_kept() {
    type Part = fn(&Request) -> bool;
    let parts: [Part; 5] = [
        |request| request.is("GET", "/manifests/sha256:"),
        |request| request.is("GET", "/referrers/"),
        |request| request.is("POST", "/blobs/uploads/"),
        |request| request.is("GET", "/manifests/sha256-"),
        |request| request.header("authorization").is_empty(),
    ];
    for (number, part) in parts.into_iter().enumerate() {
        let fake = Fake::start().await.with_hook(move |request, state| {
            let first = state.log.iter().filter(|request| part(request)).count() == 1;
            (part(request) && first).then(|| Reply::new(418))
        });
        let host = host(Env::default());
        let registry = Registry::new(&host, &RegistryOptions::default());
        let reference = Reference::parse(&fake.image()).unwrap();
        let failed = registry.prepare(&reference).await;
        assert_eq!(code(failed), "registry/refused", "{number}");
        let target = registry.prepare(&reference).await.unwrap();
        let attached = registry.attach(&target, &bundle("bundle"), created()).await;
        assert_eq!(code(attached), "ok", "{number}");
    }
}

/// Requests that failed kept their place among those under way, until there was none left.
#[tokio::test]
async fn ggcr_2373_every_place_comes_back() {
    let fake = Fake::start().await;
    let host = host(Env::default());
    let registry = Registry::new(&host, &RegistryOptions::default());
    let reference = Reference::parse(&fake.image()).unwrap();
    let broken = fake.clone().with_hook(|request, _| {
        let gzip = || Reply::new(200).with("Content-Encoding", "gzip");
        request.is("GET", "/manifests/").then(gzip)
    });
    let fail = (0..100).map(|_| registry.prepare(&reference));
    let failed = timeout(Duration::from_secs(20), join_all(fail)).await;
    assert!(failed.unwrap().iter().all(Result::is_err));
    // Some are given up while they are under way.
    let given_up = (0..100).map(|_| timeout(Duration::ZERO, registry.prepare(&reference)));
    let _given_up = join_all(given_up).await;
    let _well = broken.with_hook(|_, _| None);
    let target = timeout(Duration::from_secs(5), registry.prepare(&reference)).await;
    assert_eq!(code(target.unwrap()), "ok");
}

/// Registries without the referrers API repeat the header that promises it.
#[tokio::test]
async fn sigstore_js_1183_a_header_is_no_referrers_api() {
    let fake = Fake::start().await.with_hook(|request, state| {
        let answer = |state: &mut State| {
            let subject = Digest::of(IMAGE.as_bytes()).to_string();
            state.answer(request).with("OCI-Subject", subject)
        };
        request.is("PUT", "/manifests/sha256:").then(|| answer(state))
    });
    let attached = sign(&fake).await.unwrap();
    assert_eq!(attached.method(), Discovery::FallbackTag);
    assert_eq!(fake.tagged(), [attached.digest().to_string()]);
}

/// A size that is no size of anything ended the program.
#[tokio::test]
async fn oras_go_2_6_1_sizes_beyond_all_measure() {
    let blob = Digest::of(b"x");
    for (size, expected) in [
        ("1", "registry/not-found"),
        ("16777217", "registry/too-large"),
        ("9223372036854775807", "registry/too-large"),
        ("9223372036854775808", "registry/too-large"),
        ("18446744073709551615", "registry/too-large"),
        ("18446744073709551616", "registry/manifest"),
        ("-1", "registry/manifest"),
        ("1e30", "registry/manifest"),
        ("null", "registry/manifest"),
    ] {
        let fake = Fake::start().await;
        let manifest = format!(
            r#"{{"schemaVersion":2,"layers":[{{"mediaType":"{BUNDLE}","digest":"{blob}","size":{size}}}]}}"#
        );
        let digest = Digest::of(manifest.as_bytes());
        fake.put_manifest("x", OCI, manifest.as_bytes());
        let index =
            format!(r#"{{"schemaVersion":2,"manifests":[{{"digest":"{digest}","size":{size}}}]}}"#);
        fake.put_manifest(&fallback_tag(), INDEX, index.as_bytes());
        let host = host(Env::default());
        let registry = Registry::reader(&host, &RegistryOptions::default());
        let reference = Reference::parse(&fake.image()).unwrap();
        let listing = registry.signatures(&reference, &[]).await.unwrap();
        let stored = registry.fetch(&reference, &listing.places[0]).await;
        assert_eq!(code(stored), expected, "{size}");
    }
}

/// A list of signatures without an end kept a client busy for ever.
#[tokio::test]
async fn ghsa_vfp6_jrw2_99g9_a_million_layers() {
    let layer = format!(r#"{{"mediaType":"{LEGACY}","digest":"x","size":1}},"#);
    for (layers, places, problem) in
        [(90_000, 1000, None), (1_000_000, 0, Some("registry/too-large"))]
    {
        let layers = layer.repeat(layers);
        let layers = layers.trim_end_matches(',');
        let manifest = format!(r#"{{"schemaVersion":2,"layers":[{layers}]}}"#);
        // Served by hand: the registry of the tests would hash it first.
        let fake = Fake::start().await.with_hook(move |request, _| {
            let is_list = request.path.ends_with(".sig");
            is_list.then(|| Reply::new(200).body(manifest.clone()))
        });
        let host = host(Env::default());
        let registry = Registry::reader(&host, &RegistryOptions::default());
        let reference = Reference::parse(&fake.image()).unwrap();
        let listing = timeout(Duration::from_secs(5), registry.signatures(&reference, &[])).await;
        let listing = listing.unwrap().unwrap();
        assert_eq!(listing.places.len(), places);
        let problems = listing.problems.iter().map(|error| error.code());
        assert!(problems.eq(problem));
    }
}

/// A request that was made again carried its `Authorization` twice.
#[tokio::test]
async fn cosign_4870_a_second_try_has_each_header_once() {
    let whole = Fake::start().await;
    let _attached = sign(&whole).await.unwrap();
    let calls = whole.state().log.len();
    join_all((0..calls).map(|n| async move {
        let fake = Fake::start().await.with_fault(n, Fault::Status(503));
        let host = host(Env::default());
        let options = RegistryOptions { login: Some(given_token()), ..RegistryOptions::default() };
        let registry = Registry::new(&host, &options);
        let reference = Reference::parse(&fake.image()).unwrap();
        let target = registry.prepare(&reference).await.unwrap();
        let attached = registry.attach(&target, &bundle("bundle"), created()).await;
        assert_eq!(code(attached), "ok", "{n}");
        let state = fake.state();
        assert!(state.log.len() > calls, "{n}: nothing was repeated");
        for request in &state.log {
            assert_eq!(request.header("authorization"), "Bearer given", "{n}");
            assert!(request.twice.is_empty(), "{n}: {:?}", request.twice);
        }
    }))
    .await;
}

/// An image whose manifest names a key twice was read by one reader in one way and by another in
/// another.
#[tokio::test]
async fn cve_2026_44309_bytes_are_signed_and_not_their_meaning() {
    let twice = IMAGE.replacen('{', r#"{"schemaVersion":2,"#, 1);
    let spaced = format!("{IMAGE}\n");
    for (served, expected) in [(twice, "registry/manifest"), (spaced, "registry/digest-mismatch")] {
        let is_twice = expected == "registry/manifest";
        let fake = Fake::start().await;
        fake.put_manifest("1", OCI, served.as_bytes());
        if !is_twice {
            let bytes = served.clone().into_bytes();
            let name = Digest::of(IMAGE.as_bytes()).to_string();
            let stored = (OCI.to_owned(), bytes);
            fake.state().manifests.insert(name, stored);
            assert_eq!(code(prepare(&fake).await), expected);
            continue;
        }
        let host = host(Env::default());
        let registry = Registry::new(&host, &RegistryOptions::default());
        let reference = Reference::parse(&format!("{}/app:1", fake.host)).unwrap();
        assert_eq!(code(registry.prepare(&reference).await), expected);
    }
}
