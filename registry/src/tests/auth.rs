// SPDX-License-Identifier: Apache-2.0
//! Who gets which credential.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ambisign_host::{Env, Explain as _, Token};
use ambisign_providers::Realm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;

use super::fake::{Fake, Fault, Reply, Request, State};
use super::{bundle, code, created, given_token, host};
use crate::login::keychain::Keychain;
use crate::reference::Reference;
use crate::right::Right;
use crate::{Error, GivenLogin, Registry, RegistryOptions};

const PASSWORD: &str = "correct-horse";

/// A folder that is removed at the end of the test.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ambisign-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn env(&self, more: &[(&str, &str)]) -> Env {
        let folder = self.0.to_str().unwrap();
        let own = ("DOCKER_CONFIG", folder);
        std::iter::once(&own).chain(more).copied().collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn pair(user: &str) -> String {
    STANDARD.encode(format!("{user}:{PASSWORD}"))
}

pub(super) fn login(server: &str) -> String {
    format!(r#"{{"auths":{{"{server}":{{"auth":"{}"}}}}}}"#, pair("bob"))
}

/// Wants a bearer token, which `/token` gives for the right pair.
fn token_registry(request: &Request, state: &mut State) -> Option<Reply> {
    if request.path.starts_with("/token") {
        let ok = request.header("authorization") == format!("Basic {}", pair("bob"))
            && request.path.contains("service=fake")
            && request.path.contains("scope=repository%3Aapp%3Apull%2Cpush");
        return Some(if ok {
            Reply::new(200).body(format!(r#"{{"token":"token-{}"}}"#, state.log.len()))
        } else {
            Reply::new(401).body(format!("no: {}", request.header("authorization")))
        });
    }
    if request.header("authorization").starts_with("Bearer token-") {
        return None;
    }
    let realm = format!("http://{}/token", request.header("host"));
    let challenge = format!(r#"Bearer realm="{realm}",service="fake",scope="ignored""#);
    Some(Reply::new(401).with("WWW-Authenticate", challenge))
}

async fn sign(fake: &Fake, env: Env, options: RegistryOptions) -> Result<(), Error> {
    let host = host(env);
    let registry = Registry::new(&host, &options);
    let target = registry.prepare(&Reference::parse(&fake.image()).unwrap()).await?;
    let _attached = registry.attach(&target, &bundle("bundle"), created()).await?;
    Ok(())
}

fn asked(fake: &Fake, path: &str) -> usize {
    fake.state().log.iter().filter(|r| r.path.starts_with(path)).count()
}

#[tokio::test]
async fn one_token_serves_a_whole_image() {
    let fake = Fake::start().await.with_hook(token_registry);
    let folder = Folder::new("token");
    folder.write("config.json", &login(&fake.host));
    let result = sign(&fake, folder.env(&[]), RegistryOptions::default()).await;
    assert_eq!(code(result), "ok");
    assert_eq!(asked(&fake, "/token"), 1);
}

#[tokio::test]
async fn a_worn_token_is_renewed() {
    let fake = Fake::start().await.with_hook(|request, state| {
        // Every token is good for four requests.
        let bearer = request.header("authorization");
        let uses = state.log.iter().filter(|r| r.header("authorization") == bearer).count();
        if bearer.starts_with("Bearer") && uses > 4 {
            return token_registry(
                &Request { headers: Default::default(), ..request.clone() },
                state,
            )
            .map(|mut reply| {
                let realm = format!("http://{}/token", request.header("host"));
                reply.headers = vec![(
                    "WWW-Authenticate".to_owned(),
                    format!(r#"Bearer realm="{realm}",service="fake""#),
                )];
                reply
            });
        }
        token_registry(request, state)
    });
    let folder = Folder::new("worn");
    folder.write("config.json", &login(&fake.host));
    let result = sign(&fake, folder.env(&[]), RegistryOptions::default()).await;
    assert_eq!(code(result), "ok");
    assert!(asked(&fake, "/token") > 1);
}

#[tokio::test]
async fn a_refusal_names_the_source_and_not_the_secret() {
    let fake = Fake::start().await.with_hook(token_registry);
    let folder = Folder::new("refusal");
    let file = folder.write("config.json", &login(&fake.host).replace(&pair("bob"), &pair("eve")));
    let error = sign(&fake, folder.env(&[]), RegistryOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), "registry/unauthorized");
    let text = error.to_string();
    assert!(text.contains(&format!("user \"eve\" of {}", file.display())), "{text}");
    assert!(!text.contains(PASSWORD) && !text.contains(&pair("eve")), "{text}");

    fs::remove_file(&file).unwrap();
    let error = sign(&fake, folder.env(&[]), RegistryOptions::default()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("without a credential"), "{text}");
    assert!(text.contains(&file.display().to_string()), "{text}");
}

#[tokio::test]
async fn a_denied_push_says_that_nothing_was_signed() {
    let fake = Fake::start().await.with_hook(|request, state| {
        token_registry(request, state)
            .or_else(|| request.is("POST", "uploads").then(|| Reply::new(403).body("denied")))
    });
    let folder = Folder::new("denied");
    folder.write("config.json", &login(&fake.host));
    let error = sign(&fake, folder.env(&[]), RegistryOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), "registry/push-denied");
    let text = error.to_string();
    assert!(text.ends_with("; nothing was signed") && text.contains("user \"bob\""), "{text}");
}

#[tokio::test]
async fn flags_beat_files() {
    let basic = |request: &Request, _: &mut State| {
        let ok = request.header("authorization") == format!("Basic {}", pair("flag"));
        (!ok).then(|| Reply::new(401).with("WWW-Authenticate", "Basic realm=\"x\""))
    };
    let fake = Fake::start().await.with_hook(basic);
    let folder = Folder::new("flags");
    folder.write("config.json", "not even JSON");
    let options = RegistryOptions {
        login: Some(GivenLogin::Password {
            username: "flag".to_owned(),
            password: Token::new(PASSWORD).unwrap(),
        }),
        ..RegistryOptions::default()
    };
    assert_eq!(code(sign(&fake, folder.env(&[]), options).await), "ok");

    let bearer = |request: &Request, _: &mut State| {
        let ok = request.header("authorization") == "Bearer given";
        (!ok).then(|| Reply::new(401))
    };
    let fake = Fake::start().await.with_hook(bearer);
    let options = RegistryOptions { login: Some(given_token()), ..RegistryOptions::default() };
    assert_eq!(code(sign(&fake, folder.env(&[]), options).await), "ok");
    assert!(fake.state().log.iter().all(|r| r.header("authorization") == "Bearer given"));
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post() {
    let fake = Fake::start().await.with_hook(|request, state| {
        if request.path == "/token" {
            let body = String::from_utf8(request.body.clone()).unwrap();
            let ok = request.method == "POST"
                && request.header("authorization").is_empty()
                && body.contains("grant_type=refresh_token&service=fake&client_id=ambisign")
                && body.ends_with("&refresh_token=refresh%2Bme");
            let answer = r#"{"access_token":"token-1","expires_in":3600}"#;
            return Some(if ok { Reply::new(200).body(answer) } else { Reply::new(400) });
        }
        token_registry(request, state)
    });
    let folder = Folder::new("identity");
    let config =
        format!(r#"{{"auths":{{"{}":{{"auth":"","identitytoken":"refresh+me"}}}}}}"#, fake.host);
    folder.write("config.json", &config);
    let result = sign(&fake, folder.env(&[]), RegistryOptions::default()).await;
    assert_eq!(code(result), "ok");
}

#[tokio::test]
async fn a_helper_is_asked() {
    let fake = Fake::start().await.with_hook(token_registry);
    let folder = Folder::new("helper");
    let script = format!(
        "#!/bin/sh\nread server\n[ \"$1 $server\" = \"get {}\" ] || exit 9\n\
         echo '{{\"ServerURL\":\"x\",\"Username\":\"bob\",\"Secret\":\"{PASSWORD}\"}}'\n",
        fake.host
    );
    let helper = folder.write("docker-credential-test", &script);
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.0.display());
    let env = || folder.env(&[("PATH", &path)]);
    let helpers = format!(r#"{{"credHelpers":{{"{}":"test"}}}}"#, fake.host);
    for config in [helpers.as_str(), r#"{"credsStore":"test"}"#] {
        folder.write("config.json", config);
        assert_eq!(code(sign(&fake, env(), RegistryOptions::default()).await), "ok");
    }
    // No credentials: the next place counts.
    let nothing = "#!/bin/sh\necho 'credentials not found in native keychain'; exit 1\n";
    fs::write(&helper, nothing).unwrap();
    let both = helpers.replacen('{', &format!("{},", login(&fake.host).trim_end_matches('}')), 1);
    let both = both.replace(&format!("\"{}\"", pair("bob")), &format!("\"{}\"}}}}", pair("bob")));
    folder.write("config.json", &both);
    assert_eq!(code(sign(&fake, env(), RegistryOptions::default()).await), "ok");
    // A failure is an error, and what may be the secret is not shown.
    fs::write(&helper, "#!/bin/sh\necho hunter2; exit 1\n").unwrap();
    let error = sign(&fake, env(), RegistryOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), "registry/credentials");
    assert!(error.to_string().contains("docker-credential-test"));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

/// The reason of a helper that fails was hidden: of ECR's the message was that there is no login.
#[tokio::test]
async fn a_helper_that_fails_tells_why() {
    let fake = Fake::start().await.with_hook(token_registry);
    let folder = Folder::new("failing");
    folder.write("config.json", r#"{"credsStore":"test"}"#);
    let path = format!("{}:/usr/bin:/bin", folder.0.display());
    for (script, expected) in [
        (
            "echo the session has expired; exit 1",
            "`docker-credential-test`, which `CONFIG` names, failed: `the session has expired`",
        ),
        (
            "echo no region is set >&2; exit 2",
            "`docker-credential-test`, which `CONFIG` names, failed: `no region is set`",
        ),
        (
            "echo hunter2; echo the answer is old >&2",
            "answered with something else than JSON: `the answer is old`",
        ),
        (
            "echo no role was found >&2; echo credentials not found in native keychain; exit 1",
            "there is none in CONFIG, `docker-credential-test`; `docker-credential-test` says \
             `no role was found`",
        ),
    ] {
        let helper = folder.write("docker-credential-test", &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
        let env = folder.env(&[("PATH", &path)]);
        let error = sign(&fake, env, RegistryOptions::default()).await;
        let told = error.unwrap_err().to_string();
        let config = folder.0.join("config.json");
        let told = told.replace(&config.display().to_string(), "CONFIG");
        let told = told.replace(", CONFIG/.config/containers/auth.json", "");
        assert!(told.contains(expected), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test]
async fn credentials_do_not_go_elsewhere() {
    let elsewhere = Fake::start().await;
    let there = elsewhere.host.clone();
    let fake = Fake::start().await.with_referrers().with_hook(move |request, state| {
        if let Some(reply) = token_registry(request, state) {
            return Some(reply);
        }
        if request.is("POST", "uploads") {
            let location = format!("http://{there}/v2/app/blobs/uploads/s0?state=x");
            return Some(Reply::new(202).with("Location", location));
        }
        let location = format!("http://{there}{}", request.path);
        let is_blob = request.path.contains("/blobs/");
        is_blob.then(|| Reply::new(307).with("Location", location))
    });
    let elsewhere = elsewhere.with_hook(|request, state| {
        let body = request.body.clone();
        request.is("PUT", "uploads").then(|| {
            let digest = ambisign_sigstore::digest::Digest::of(&body).to_string();
            state.blobs.insert(digest, body);
            Reply::new(201)
        })
    });
    let folder = Folder::new("elsewhere");
    folder.write("config.json", &login(&fake.host));
    let result = sign(&fake, folder.env(&[]), RegistryOptions::default()).await;
    assert_eq!(code(result), "ok");
    let state = elsewhere.state();
    // The config is looked for there, both blobs go there, and the bundle is read back.
    let count = |method: &str| state.log.iter().filter(|r| r.method == method).count();
    assert_eq!(["HEAD", "PUT", "GET"].map(count), [1, 2, 1]);
    assert_eq!(state.log.len(), 4);
    assert!(state.log.iter().all(|r| r.header("authorization").is_empty()));
}

/// The token endpoint and the refused requests may fail once too.
#[tokio::test]
async fn a_login_survives_one_fault_at_any_call() {
    let folder = &Folder::new("faults");
    let faults = [Fault::Status(503), Fault::DropBefore, Fault::DropAfter];
    let runs = (0..20).flat_map(|n| faults.map(|fault| (n, fault)));
    join_all(runs.map(|(n, fault)| async move {
        let fake = Fake::start().await;
        let hook = move |request: &Request, state: &mut State| {
            // The hook answers first, so it leaves the faulty request to the registry.
            let is_faulty = state.log.len() == n + 1;
            if is_faulty { None } else { token_registry(request, state) }
        };
        let fake = fake.with_fault(n, fault).with_hook(hook);
        let name = format!("{n}-{fault:?}/config.json");
        let file = folder.write(&name, &login(&fake.host));
        let home = file.parent().unwrap().to_str().unwrap();
        let env = [("DOCKER_CONFIG", home)].into_iter().collect();
        let result = sign(&fake, env, RegistryOptions::default()).await;
        assert_eq!(code(result), "ok", "{n} {fault:?}");
    }))
    .await;
}

fn looked(env: Env, registry: &str) -> Result<String, String> {
    let host = host(env);
    let plan =
        Keychain::new(&host, &Realm::Environment, [registry, "acme/app"], Right::PullAndPush)
            .map_err(|error| error.to_string())?;
    let found = futures_util::FutureExt::now_or_never(plan.resolve(&host));
    let found = found.expect("no helper").map_err(|error| error.to_string())?;
    let found = found.credential;
    Ok(found.map_or_else(|| "none".to_owned(), |credential| credential.source.clone()))
}

#[test]
fn a_platform_credential_is_for_the_platform_only() {
    let env = || -> Env {
        [
            ("GITHUB_TOKEN", "github-secret"),
            ("GITHUB_ACTOR", "octo"),
            ("CI_REGISTRY", "registry.gitlab.example:5050"),
            ("CI_REGISTRY_USER", "ci"),
            ("CI_REGISTRY_PASSWORD", "gitlab-secret"),
        ]
        .into_iter()
        .collect()
    };
    for (registry, expected) in [
        ("ghcr.io", "user \"octo\" of `GITHUB_TOKEN`"),
        ("registry.gitlab.example:5050", "user \"ci\" of `CI_REGISTRY_PASSWORD`"),
        ("registry.gitlab.example", "none"),
        ("ghcr.io.evil.example", "none"),
        ("evil-ghcr.io", "none"),
        ("docker.pkg.github.com", "none"),
    ] {
        assert_eq!(looked(env(), registry).as_deref(), Ok(expected), "{registry}");
    }
}

#[test]
fn files_are_read_in_order_until_one_matches() {
    let folder = Folder::new("order");
    let run = folder.write("run/containers/auth.json", &login("third.example"));
    let auth = folder.write("auth.json", &login("second.example"));
    folder.write("config.json", &login("first.example"));
    let env = || {
        let run = folder.0.join("run");
        folder.env(&[
            ("REGISTRY_AUTH_FILE", auth.to_str().unwrap()),
            ("XDG_RUNTIME_DIR", run.to_str().unwrap()),
        ])
    };
    for name in ["first", "second", "third"] {
        let found = looked(env(), &format!("{name}.example")).unwrap();
        assert!(found.starts_with("user \"bob\" of "), "{found}");
    }
    assert_eq!(looked(env(), "fourth.example").as_deref(), Ok("none"));
    fs::write(&run, "{").unwrap();
    assert!(looked(env(), "first.example").is_ok());
    assert!(looked(env(), "fourth.example").unwrap_err().contains("line 1"));
}

#[test]
fn a_bad_file_is_an_error_without_its_content() {
    let folder = Folder::new("bad");
    let big = format!("{{\"x\":\"{}\"}}", "x".repeat(1 << 20));
    for (text, ok) in [
        ("{}", true),
        ("", false),
        ("{", false),
        ("[]", false),
        (r#"{"auths":{"r.example":{"auth":{"hunter2":1}}}}"#, false),
        (r#"{"auths":{"r.example":{"auth":"hunter2"}}}"#, false),
        (r#"{"auths":"hunter2"}"#, false),
        (r#"{"auths":{},"auths":{}}"#, false),
        (r#"{"credsStore":"../hunter3"}"#, false),
        (r#"{"credsStore":"a b"}"#, false),
        (&big, false),
    ] {
        folder.write("config.json", text);
        let found = looked(folder.env(&[]), "r.example");
        assert_eq!(found.is_ok(), ok, "{text:.80}");
        if let Err(error) = found {
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("config.json"), "{error}");
        }
    }
    let _gone = fs::remove_file(folder.0.join("config.json"));
    fs::create_dir(folder.0.join("config.json")).unwrap();
    assert!(looked(folder.env(&[]), "r.example").is_err());
    assert!(Path::new(&folder.0).exists());
}

/// A registry that lets everybody read, and refuses writes without saying what it wants: the login was
/// found, said to be used, and never sent.
#[tokio::test]
async fn a_login_is_sent_where_only_the_root_asks_for_it() {
    let open_reads = |request: &Request, state: &mut State| {
        let is_write = !matches!(request.method.as_str(), "GET" | "HEAD");
        let bare = request.header("authorization").is_empty();
        if request.path == "/v2/" || request.path.starts_with("/token") {
            return token_registry(request, state);
        }
        (is_write && bare).then(|| Reply::new(403).body("denied"))
    };
    let folder = Folder::new("root");
    let fake = Fake::start().await.with_hook(open_reads);
    folder.write("config.json", &login(&fake.host));
    let result = sign(&fake, folder.env(&[]), RegistryOptions::default()).await;
    assert_eq!(code(result), "ok");
    assert_eq!(asked(&fake, "/token"), 1);

    // Without a login nothing more is asked.
    let fake = Fake::start().await.with_hook(open_reads);
    let error = sign(&fake, Env::default(), RegistryOptions::default()).await;
    assert_eq!(error.unwrap_err().code(), "registry/push-denied");
    assert_eq!(asked(&fake, "/v2/app/"), fake.state().log.len());
}

/// A login that no request carried is not told as used.
#[tokio::test]
async fn a_login_that_was_not_sent_is_told_so() {
    let folder = Folder::new("unsent");
    let fake = Fake::start().await.with_hook(|request, _| {
        let is_write = !matches!(request.method.as_str(), "GET" | "HEAD");
        is_write.then(|| Reply::new(403))
    });
    folder.write("config.json", &login(&fake.host));
    let error = sign(&fake, folder.env(&[]), RegistryOptions::default()).await;
    let told = error.unwrap_err().to_string();
    assert!(told.contains("without a credential: the registry asked for none"), "{told}");
    assert!(told.contains("user \"bob\""), "{told}");
}

/// The registry's name for the repository is another one: its scope is asked for too, with no more
/// rights than ours.
#[tokio::test]
async fn the_scope_of_a_challenge_is_asked_for() {
    let folder = Folder::new("scope");
    let fake = Fake::start().await.with_hook(|request, _| {
        if request.path.starts_with("/token") {
            return Some(Reply::new(200).body(r#"{"token":"t","expires_in":-1}"#));
        }
        if request.header("authorization") == "Bearer t" {
            return None;
        }
        let realm = format!("http://{}/token", request.header("host"));
        let scope =
            "repository:mapped/app:delete,pull,push,* registry:catalog:* repository:app:pull,push";
        let challenge = format!(r#"Bearer realm="{realm}",service="fake",scope="{scope}""#);
        Some(Reply::new(401).with("WWW-Authenticate", challenge))
    });
    folder.write("config.json", &login(&fake.host));
    let result = sign(&fake, folder.env(&[]), RegistryOptions::default()).await;
    assert_eq!(code(result), "ok");
    let log = fake.state().log.clone();
    let token = log.iter().find(|r| r.path.starts_with("/token")).unwrap();
    let (_, query) = token.path.split_once('?').unwrap();
    let scopes: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "scope")
        .map(|(_, scope)| scope.into_owned())
        .collect();
    assert_eq!(scopes, ["repository:app:pull,push", "repository:mapped/app:pull,push"]);
}

/// Empty bodies have a length, or some front ends answer 411.
#[tokio::test]
async fn an_upload_is_asked_for_with_a_length() {
    let fake = Fake::start().await;
    sign(&fake, Env::default(), RegistryOptions::default()).await.unwrap();
    let log = fake.state().log.clone();
    let posts: Vec<_> = log.iter().filter(|r| r.method == "POST").collect();
    assert!(!posts.is_empty());
    for post in posts {
        assert_eq!(post.header("content-length"), "0");
        assert!(post.twice.is_empty());
    }
}
