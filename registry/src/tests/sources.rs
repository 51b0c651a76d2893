// SPDX-License-Identifier: Apache-2.0
//! Where a credential is found, in which order, and what takes the place of what is missing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ambisign_host::{Clock, Env, Explain as _, Host, Net, NetOptions};
use ambisign_providers::Realm;

use super::auth::{Folder, login};
use super::fake::{Fake, Reply};
use crate::login::keychain::{Keychain, Resolved};
use crate::right::Right;

/// A host whose files are those of `root`.
fn host(root: &Path, env: &[(&str, &str)]) -> Host {
    let env: Env = env.iter().copied().collect();
    let clock = Clock::system();
    Host { net: Net::new(&env, clock, NetOptions::default()), env, clock, root: root.to_owned() }
}

/// What is found for `registry/acme/app`, as text: the source, or the code and message of the error.
async fn found(host: &Host, registry: &str) -> Result<(String, Vec<&'static str>), String> {
    let told = |error: crate::CredentialError| format!("{}: {error}", error.code());
    let plan = Keychain::new(host, &Realm::Environment, [registry, "acme/app"], Right::PullAndPush)
        .map_err(told)?;
    let Resolved { credential, warnings, until, remark: _ } =
        plan.resolve(host).await.map_err(told)?;
    let machine = Some("this Google machine's account");
    let source = credential.as_ref().map(|found| found.source.as_str());
    assert_eq!(until.is_some(), source == machine, "it wears out");
    let source = credential.map_or_else(|| "none".to_owned(), |found| found.source.clone());
    Ok((source, warnings.iter().map(|warning| warning.code).collect()))
}

/// A metadata server with this answer to the question for an access token.
async fn metadata(status: u16, body: &'static str) -> Fake {
    Fake::start().await.with_hook(move |request, _| {
        let path = "/computeMetadata/v1/instance/service-accounts/default/token?";
        let known = request.path.starts_with(path) && request.header("metadata-flavor") == "Google";
        let reply = Reply::new(if known { status } else { 500 });
        Some(reply.with("Metadata-Flavor", "Google").body(body))
    })
}

const TOKEN: &str = r#"{"access_token":"machine-secret","expires_in":3599,"token_type":"Bearer"}"#;

#[tokio::test]
async fn a_machine_of_google_is_asked_for_googles_registries_alone() {
    let server = metadata(200, TOKEN).await;
    let folder = Folder::new("machine");
    let own = ("DOCKER_CONFIG", folder.0.to_str().unwrap());
    let machine = host(&folder.0, &[own, ("GCE_METADATA_HOST", &server.host)]);
    for registry in ["europe-docker.pkg.dev", "gcr.io", "eu.gcr.io"] {
        let (source, warnings) = found(&machine, registry).await.unwrap();
        assert_eq!(source, "this Google machine's account", "{registry}");
        assert!(warnings.is_empty());
    }
    let asked = server.state().log.len();
    assert_eq!(asked, 3);
    for registry in ["ghcr.io", "gcr.io:8443", "gcr.io.example", "127.0.0.1:5000"] {
        let (source, _) = found(&machine, registry).await.unwrap();
        assert_eq!(source, "none", "{registry}");
    }
    // A login wins, and elsewhere nobody is asked.
    folder.write("config.json", &login("gcr.io"));
    let (source, _) = found(&machine, "gcr.io").await.unwrap();
    assert!(source.starts_with("user \"bob\" of "), "{source}");
    let elsewhere = host(&folder.0, &[own]);
    let (source, _) = found(&elsewhere, "eu.gcr.io").await.unwrap();
    assert_eq!(source, "none");
    assert_eq!(server.state().log.len(), asked);
}

#[tokio::test]
async fn a_metadata_server_that_gives_no_token() {
    for (status, body, expected) in [
        (404, "", Ok("none")),
        (403, "no", Err("registry/credentials: ")),
        (200, "<html>", Err("registry/credentials: ")),
        (200, r#"{"access_token":""}"#, Err("registry/credentials: ")),
    ] {
        let server = metadata(status, body).await;
        let folder = Folder::new("no-token");
        let machine = host(&folder.0, &[("GCE_METADATA_HOST", &server.host)]);
        let result = found(&machine, "gcr.io").await;
        match expected {
            Ok(source) => assert_eq!(result.unwrap().0, source, "{status} {body}"),
            Err(error) => assert!(result.unwrap_err().starts_with(error), "{status} {body}"),
        }
    }
}

#[tokio::test]
async fn a_helper_that_is_not_installed_gives_way_with_a_warning() {
    let server = metadata(200, TOKEN).await;
    let folder = Folder::new("missing");
    let podman = folder.write("run/containers/auth.json", &login("podman.example"));
    let run = podman.parent().unwrap().parent().unwrap();
    let env = [
        ("DOCKER_CONFIG", folder.0.to_str().unwrap()),
        ("PATH", "/nowhere"),
        ("GCE_METADATA_HOST", &server.host),
        ("GITHUB_TOKEN", "github-secret"),
        ("CI_REGISTRY", "r.example"),
        ("CI_REGISTRY_USER", "ci"),
        ("CI_REGISTRY_PASSWORD", "gitlab-secret"),
        ("XDG_RUNTIME_DIR", run.to_str().unwrap()),
    ];
    let job = host(&folder.0, &env);
    for config in [
        r#"{"credsStore":"gone"}"#,
        r#"{"credHelpers":{"gcr.io":"gone","ghcr.io":"gone","r.example":"gone","podman.example":"gone"}}"#,
    ] {
        folder.write("config.json", config);
        for (registry, expected) in [
            ("gcr.io", "this Google machine's account"),
            ("ghcr.io", "user \"x-access-token\" of `GITHUB_TOKEN`"),
            ("r.example", "user \"ci\" of `CI_REGISTRY_PASSWORD`"),
            ("podman.example", "user \"bob\" of "),
        ] {
            let (source, warnings) = found(&job, registry).await.unwrap();
            assert!(source.starts_with(expected), "{registry}: {source}");
            assert_eq!(warnings, ["registry/helper-missing"], "{registry}");
        }
    }
    // Nothing takes its place.
    folder.write("config.json", r#"{"credsStore":"gone"}"#);
    let error = found(&job, "other.example").await.unwrap_err();
    assert!(error.starts_with("registry/credentials: "), "{error}");
    assert!(error.contains("`docker-credential-gone`"), "{error}");
    assert!(error.ends_with("is not installed"), "{error}");
}

/// It is there, so its word counts: nothing takes its place.
#[tokio::test]
async fn a_helper_that_fails_gives_way_to_nobody() {
    let folder = Folder::new("garbage");
    folder.write("config.json", r#"{"credsStore":"bad"}"#);
    let path = format!("{}:/usr/bin:/bin", folder.0.display());
    let env = [
        ("DOCKER_CONFIG", folder.0.to_str().unwrap()),
        ("PATH", &path),
        ("GITHUB_TOKEN", "github-secret"),
    ];
    let job = host(&folder.0, &env);
    for (script, why) in [
        ("echo hunter2", "something else than JSON"),
        ("printf '\\033[31mhunter2'", "something else than JSON"),
        ("echo hunter2; exit 1", "failed"),
        ("yes hunter2", "no answer"),
        ("echo '{\"Username\":[\"hunter2\"]}'", "something else than JSON"),
    ] {
        let helper = folder.write("docker-credential-bad", &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
        let error = found(&job, "ghcr.io").await.unwrap_err();
        assert!(error.contains(why), "{script}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn the_usual_places_are_known() {
    let folder = Folder::new("places");
    let home = folder.0.join("home");
    let config = folder.0.join("config");
    folder.write("home/.config/containers/auth.json", &login("home.example"));
    folder.write("config/containers/auth.json", &login("xdg.example"));
    folder.write("builder/home/.docker/config.json", &login("gcr.io"));
    let home = ("HOME", home.to_str().unwrap());
    let xdg = ("XDG_CONFIG_HOME", config.to_str().unwrap());
    let build = ("BUILDER_OUTPUT", "/builder/outputs");
    for (env, registry, file) in [
        (vec![home], "home.example", Some("home/.config/containers/auth.json")),
        (vec![home, xdg], "xdg.example", Some("config/containers/auth.json")),
        (vec![home, xdg], "home.example", None),
        (vec![build], "gcr.io", Some("builder/home/.docker/config.json")),
        (vec![build, home], "gcr.io", Some("builder/home/.docker/config.json")),
        (vec![home], "gcr.io", None),
    ] {
        let (source, warnings) = found(&host(&folder.0, &env), registry).await.unwrap();
        let expected = file.map_or_else(
            || "none".to_owned(),
            |file| format!("user \"bob\" of {}", folder.0.join(file).display()),
        );
        assert_eq!(source, expected, "{env:?} {registry}");
        assert!(warnings.is_empty());
    }
}

#[tokio::test]
async fn a_login_with_a_scope_counts_when_it_is_the_only_one() {
    let scoped = |folder: &Folder, names: &[&str]| {
        let _gone = fs::remove_dir_all(folder.0.join("buildx"));
        for name in names {
            folder.write(&format!("buildx/config/{name}/config.json"), &login("ghcr.io"));
        }
    };
    let folder = Folder::new("scopes");
    let own = ("DOCKER_CONFIG", folder.0.to_str().unwrap());
    for (names, found_in) in [
        (vec!["ghcr.io/acme/app"], Some("ghcr.io/acme/app")),
        (vec!["ghcr.io/acme/app@push"], Some("ghcr.io/acme/app@push")),
        (vec!["ghcr.io/acme"], Some("ghcr.io/acme")),
        (vec!["ghcr.io@push"], Some("ghcr.io@push")),
        (vec!["ghcr.io/acme/app@pull", "ghcr.io/acme/app@push"], Some("ghcr.io/acme/app@push")),
        (vec!["ghcr.io/acme/app", "ghcr.io@push"], None),
        (vec!["ghcr.io/acme/other"], None),
        (vec!["r.example/acme/app"], None),
    ] {
        scoped(&folder, &names);
        let job = host(&folder.0, &[own]);
        let (source, warnings) = found(&job, "ghcr.io").await.unwrap();
        match found_in {
            Some(name) => {
                assert!(source.contains(&format!("/{name}/config.json")), "{source}");
                assert_eq!(warnings, ["registry/scoped-login"], "{names:?}");
            }
            None => {
                assert_eq!(source, "none", "{names:?}");
                let plan = Keychain::new(
                    &job,
                    &Realm::Environment,
                    ["ghcr.io", "acme/app"],
                    Right::PullAndPush,
                )
                .unwrap();
                assert_eq!(plan.has_scopes, names != ["r.example/acme/app"], "{names:?}");
            }
        }
    }
    // Another folder of Buildx, and a login that everybody finds.
    scoped(&folder, &["ghcr.io/acme/app"]);
    let moved = ("BUILDX_CONFIG", "/nowhere");
    let (source, _) = found(&host(&folder.0, &[own, moved]), "ghcr.io").await.unwrap();
    assert_eq!(source, "none");
    folder.write("config.json", &login("ghcr.io"));
    let (source, warnings) = found(&host(&folder.0, &[own]), "ghcr.io").await.unwrap();
    assert!(source.ends_with(&format!("{}/config.json", folder.0.display())), "{source}");
    assert!(warnings.is_empty());
}

/// GitLab keeps logins in a variable, in the form of Docker's file; a file comes first.
#[tokio::test]
async fn a_login_of_a_variable_is_found() {
    let folder = Folder::new("variable");
    let fake = Fake::start().await;
    let text = login(&fake.host);
    let env = folder.env(&[("DOCKER_AUTH_CONFIG", &text)]);
    let names = [fake.host.as_str(), "app"];
    let found = async |env: Env| {
        let host = super::host(env);
        let keychain = Keychain::new(&host, &Realm::Environment, names, Right::Pull).unwrap();
        keychain.resolve(&host).await.unwrap().credential.unwrap().source.clone()
    };
    assert_eq!(found(env.clone()).await, "user \"bob\" of DOCKER_AUTH_CONFIG");
    folder.write("config.json", &login(&fake.host));
    assert!(found(env).await.ends_with("config.json"));

    let host = super::host(Env::from_iter([("DOCKER_AUTH_CONFIG", "{c4n4ry")]));
    let error =
        Keychain::new(&host, &Realm::Environment, names, Right::Pull).unwrap_err().to_string();
    assert!(error.starts_with("`DOCKER_AUTH_CONFIG` cannot be used"), "{error}");
    assert!(!error.contains("c4n4ry"), "{error}");
}
