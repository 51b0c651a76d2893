// SPDX-License-Identifier: Apache-2.0

use std::path::PathBuf;
use std::time::Duration;

use ambisign_host::{Class, Explain, Token};
use ambisign_providers::Error;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::peer::{Peer, Reply, Request};
use crate::{CANARY, ask, assert_keeps_secrets, host, vars};

const LONG: Duration = Duration::from_secs(20);
const SIGNER: &str = "signer@p.iam.gserviceaccount.com";
const OWNER: &str = "owner@p.iam.gserviceaccount.com";
const GENERATE: &str = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/\
                        signer@p.iam.gserviceaccount.com:generateIdToken";

/// Metadata server, token endpoint and IAM in one; `iam` is IAM's answer by the number of the
/// request to it.
async fn peer(iam: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Peer {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    Peer::start(move |_, request: &Request| {
        let google =
            |status, body: &str| Reply::new(status, body).header("Metadata-Flavor", "Google");
        let path = request.target.split('?').next().unwrap_or_default();
        match path.rsplit('/').next().unwrap_or_default() {
            "universe-domain" => google(404, ""),
            "email" => google(200, "caller@p.iam.gserviceaccount.com"),
            "token" if path.contains("metadata") || path.contains("default/token") => google(
                200,
                r#"{"access_token":"c4n4ry-access","expires_in":1,"token_type":"Bearer"}"#,
            ),
            "token" if assertion(request).get("target_audience").is_some() => {
                Reply::new(200, r#"{"id_token":"c4n4ry.own.token"}"#)
            }
            "token" => Reply::new(200, r#"{"access_token":"c4n4ry-access"}"#),
            _ => iam(asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed)),
        }
    })
    .await
}

fn good() -> Reply {
    Reply::new(200, r#"{"token":"c4n4ry.id.token"}"#)
}

fn assertion(request: &Request) -> Value {
    let form: Vec<_> = url::form_urlencoded::parse(request.body.as_bytes()).collect();
    assert_eq!(form[0].1, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    segment(&form[1].1, 1)
}

fn segment(jwt: &str, number: usize) -> Value {
    let segment = jwt.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

/// Impersonates from a machine.
async fn impersonate(peer: &Peer) -> Result<Token, Error> {
    let mut vars = vars([
        ("GCE_METADATA_HOST", peer.address.to_string()),
        ("GOOGLE_SERVICE_ACCOUNT_NAME", SIGNER.to_owned()),
    ]);
    vars.extend(peer.as_proxy());
    ask(&host(vars, LONG)).await
}

/// A key file on disk, which goes with the value.
struct KeyFile {
    path: PathBuf,
    key: KeyPair,
}

impl KeyFile {
    fn new(token_uri: &str) -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        let file = json!({
            "type": "service_account",
            "client_email": OWNER,
            "client_id": "1234567890",
            "private_key": pem,
            "private_key_id": "key-1",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        });
        let name = token_uri.rsplit(':').next().unwrap().replace('/', "-");
        let name = format!("key-{}-{name}.json", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, file.to_string()).unwrap();
        Self { path, key }
    }

    async fn fetch(&self, account: &str, peer: &Peer) -> Result<Token, Error> {
        let path = self.path.to_str().unwrap().to_owned();
        let mut vars = vars([
            ("GOOGLE_APPLICATION_CREDENTIALS", path),
            ("GOOGLE_SERVICE_ACCOUNT_NAME", account.to_owned()),
        ]);
        vars.extend(peer.as_proxy());
        ask(&host(vars, LONG)).await
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.path);
    }
}

#[tokio::test]
async fn a_machine_impersonates_the_named_account() {
    let peer = peer(|_| good()).await;
    let token = impersonate(&peer).await.unwrap();
    assert_eq!(token.expose(), format!("{CANARY}.id.token"));
    let requests = peer.requests();
    let access = requests.iter().find(|r| r.target.contains("/default/token"));
    let access = access.unwrap();
    assert_eq!(access.header("metadata-flavor"), Some("Google"));
    assert!(access.target.ends_with("auth%2Fcloud-platform"));
    let iam = requests.last().unwrap();
    assert_eq!((iam.method.as_str(), iam.target.as_str()), ("POST", GENERATE));
    assert_eq!(iam.header("authorization"), Some(format!("Bearer {CANARY}-access").as_str()));
    assert_eq!(iam.header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&iam.body).unwrap();
    assert_eq!(body, json!({"audience": "a&b", "includeEmail": true}));
}

#[tokio::test]
async fn an_access_token_that_is_refused_is_fetched_again_once() {
    let again = peer(|number| match number {
        0 => Reply::new(401, "{}"),
        _ => good(),
    })
    .await;
    impersonate(&again).await.unwrap();
    let never = peer(|_| Reply::new(401, "{}")).await;
    let error = impersonate(&never).await.unwrap_err();
    assert_eq!(error.code(), "impersonation/refused");
    let asked = never.requests().iter().filter(|r| r.method == "POST").count();
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn each_answer_of_iam_has_its_meaning() {
    let details = |reason: &str| {
        json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "c4n4ry-access",
            "details": [{"@type": "x"}, {"reason": reason, "metadata": {"permission": "p"}}]}})
        .to_string()
    };
    let cases = [
        (403, details("IAM_PERMISSION_DENIED"), "impersonation/denied"),
        (403, "{}".to_owned(), "impersonation/denied"),
        (403, details("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), "impersonation/scope"),
        (403, details("SERVICE_DISABLED"), "impersonation/api"),
        (404, "{}".to_owned(), "impersonation/not-found"),
        (400, "{}".to_owned(), "impersonation/refused"),
        (200, "<html>c4n4ry</html>".to_owned(), "impersonation/unreadable"),
        (200, r#"{"token":""}"#.to_owned(), "impersonation/empty"),
        (302, String::new(), "impersonation/redirected"),
    ];
    for (status, body, code) in cases {
        let peer = peer(move |_| Reply::new(status, &body)).await;
        let error = impersonate(&peer).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert_keeps_secrets(&error);
        if code == "impersonation/denied" {
            let fix = error.fix().unwrap();
            assert!(fix.contains("caller@p.iam.gserviceaccount.com") && fix.contains(SIGNER));
        }
    }
}

#[tokio::test]
async fn a_server_error_of_iam_is_waited_for() {
    let peer = peer(|number| match number {
        0 => Reply::new(500, "<html>"),
        _ => good(),
    })
    .await;
    impersonate(&peer).await.unwrap();
}

#[tokio::test]
async fn a_ca_that_is_not_trusted_ends_the_run() {
    let peer = peer(|_| good()).await;
    let vars = vars([
        ("GCE_METADATA_HOST", peer.address.to_string()),
        ("GOOGLE_SERVICE_ACCOUNT_NAME", SIGNER.to_owned()),
        ("HTTPS_PROXY", peer.url("")),
    ]);
    let error = ask(&host(vars, LONG)).await.unwrap_err();
    assert_eq!(error.code(), "impersonation/tls");
    assert_eq!(error.class(), Class::Untrusted);
    // Below the root of the test there is no file of the machine's own.
    let said = format!("{error:?}");
    let why = "there are no CA certificates on this machine";
    assert!(said.contains(why), "{said}");
    assert_keeps_secrets(&error);
}

#[tokio::test]
async fn a_key_of_the_account_itself_needs_no_iam() {
    let peer = peer(|_| panic!("IAM is not asked")).await;
    let uri = peer.url("/token");
    let file = KeyFile::new(&uri);
    for account in [OWNER, "1234567890"] {
        let token = file.fetch(account, &peer).await.unwrap();
        assert_eq!(token.expose(), format!("{CANARY}.own.token"));
    }
    let requests = peer.requests();
    let request = &requests[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/token"));
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    let form: Vec<_> = url::form_urlencoded::parse(request.body.as_bytes()).collect();
    let jwt = &form[1].1;
    assert_eq!(segment(jwt, 0), json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"}));
    let claims = segment(jwt, 1);
    assert_eq!(claims["iss"], OWNER);
    assert_eq!(claims["aud"], uri);
    assert_eq!(claims["target_audience"], "a&b");
    let life = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(life, 3600);
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, file.key.public_key())
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
}

#[tokio::test]
async fn a_key_impersonates_another_account() {
    let peer = peer(|_| good()).await;
    let file = KeyFile::new("https://oauth2.googleapis.com/token");
    let token = file.fetch(SIGNER, &peer).await.unwrap();
    assert_eq!(token.expose(), format!("{CANARY}.id.token"));
    let requests = peer.requests();
    assert_eq!(requests[0].target, "https://oauth2.googleapis.com/token");
    let scope = assertion(&requests[0])["scope"].clone();
    assert_eq!(scope, "https://www.googleapis.com/auth/cloud-platform");
    assert_eq!(requests[1].target, GENERATE);
}

#[tokio::test]
async fn a_key_that_google_does_not_know_is_named() {
    let body = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
    let cases = [
        (400, body, "service-account/invalid-grant"),
        (401, r#"{"error":"unauthorized_client"}"#, "service-account/refused"),
        (200, "<html>c4n4ry</html>", "service-account/unreadable"),
        (200, r#"{"id_token":""}"#, "service-account/empty"),
    ];
    for (status, body, code) in cases {
        let peer = Peer::start(move |_, _| Reply::new(status, body)).await;
        let file = KeyFile::new(&peer.url("/token"));
        let error = file.fetch(OWNER, &peer).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(error.class(), Class::Identity);
        assert_keeps_secrets(&error);
    }
}
