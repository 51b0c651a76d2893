// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;

use ambisign_host::{Class, Explain, Token};
use ambisign_providers::Error;

use crate::peer::{Peer, Reply, Request};
use crate::{CANARY, ask, assert_keeps_secrets, host, vars};

const LONG: Duration = Duration::from_secs(20);
const ACCOUNT: &str = "/computeMetadata/v1/instance/service-accounts/default/";

type Answer = fn() -> Reply;

fn google(status: u16, body: &str) -> Reply {
    Reply::new(status, body).header("Metadata-Flavor", "Google")
}

/// A server with one answer for the identity and one for the account.
async fn peer(identity: impl Fn(usize) -> Reply + Send + Sync + 'static, account: Answer) -> Peer {
    Peer::start(move |number, request: &Request| {
        if request.target.starts_with(&format!("{ACCOUNT}identity")) {
            identity(number)
        } else if request.target == format!("{ACCOUNT}email") {
            account()
        } else {
            google(404, "not here")
        }
    })
    .await
}

async fn fetch(peer: &Peer, more: Option<(&str, &str)>) -> Result<Token, Error> {
    let mut vars = vars([("GCE_METADATA_HOST", peer.address.to_string())]);
    vars.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    ask(&host(vars, LONG)).await
}

fn good() -> Reply {
    google(200, "c4n4ry.id.token\n")
}

fn none() -> Reply {
    google(404, "")
}

#[tokio::test]
async fn asks_for_the_full_format() {
    let peer = peer(|_| good(), none).await;
    let token = fetch(&peer, None).await.unwrap();
    assert_eq!(token.expose(), format!("{CANARY}.id.token"));
    let requests = peer.requests();
    let [request] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(request.method, "GET");
    let target = format!("{ACCOUNT}identity?audience=a%26b&format=full");
    assert_eq!(request.target, target);
    assert_eq!(request.header("metadata-flavor"), Some("Google"));
    assert_eq!(request.header("x-forwarded-for"), None);
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn a_server_error_is_waited_for() {
    let identity = |number| match number {
        0 => google(503, ""),
        _ => good(),
    };
    let peer = peer(identity, none).await;
    fetch(&peer, None).await.unwrap();
    assert_eq!(peer.requests().len(), 2);
}

#[tokio::test]
async fn the_account_tells_why_there_is_no_identity() {
    let email = || google(200, "me@p.iam.gserviceaccount.com");
    let build = || google(200, "12@cloudbuild.gserviceaccount.com");
    let pool = || google(200, "p.svc.id.goog");
    let empty = || google(200, "");
    let on_build = Some(("BUILDER_OUTPUT", "/builder/outputs"));
    let in_pod = Some(("KUBERNETES_SERVICE_HOST", "10.0.0.1"));
    let cases: [(Answer, _, u16, &str); 9] = [
        (none, None, 404, "gce/no-service-account"),
        (empty, None, 404, "gce/no-service-account"),
        (build, None, 404, "gce/default-build-account"),
        (email, on_build, 404, "gce/not-granted"),
        (pool, in_pod, 404, "gce/not-linked"),
        (email, in_pod, 404, "gce/no-identity"),
        (email, None, 404, "gce/no-identity"),
        (email, in_pod, 403, "gce/not-impersonable"),
        (email, None, 403, "gce/refused"),
    ];
    for (account, mark, status, code) in cases {
        let peer = peer(move |_| google(status, "no"), account).await;
        let error = fetch(&peer, mark).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(error.class(), Class::Identity);
        assert!(error.fix().is_some());
    }
}

#[tokio::test]
async fn what_is_no_metadata_server_is_refused() {
    let cases: [(Answer, &str); 4] = [
        (|| Reply::new(200, "c4n4ry.id.token"), "gce/flavor"),
        (|| google(200, "<html>c4n4ry a.b.c</html>"), "gce/unreadable"),
        (|| google(200, " "), "gce/empty"),
        (|| google(302, "").header("Location", "http://127.0.0.1:1/c4n4ry"), "gce/redirected"),
    ];
    for (identity, code) in cases {
        let peer = peer(move |_| identity(), none).await;
        let error = fetch(&peer, None).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert_keeps_secrets(&error);
        assert_eq!(peer.requests().len(), 1);
    }
}

/// Loopback is never proxied in any case, so the server is one with a name, which nobody serves
/// here.
#[tokio::test]
async fn no_proxy_sees_the_question() {
    let proxy = Peer::start(|_, _| good()).await;
    let proxied = [
        ("HTTP_PROXY".to_owned(), proxy.url("")),
        ("http_proxy".to_owned(), proxy.url("")),
        ("ALL_PROXY".to_owned(), proxy.url("")),
        ("GCE_METADATA_HOST".to_owned(), "metadata.google.internal:1".to_owned()),
    ];
    let host = host(proxied, Duration::from_millis(1500));
    let error = ask(&host).await.unwrap_err();
    assert_eq!(error.class(), Class::Temporary);
    assert!(proxy.requests().is_empty());
}
