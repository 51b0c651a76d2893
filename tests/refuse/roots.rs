// SPDX-License-Identifier: Apache-2.0
//! Trusted roots that do not fit the services, as far as that is known before the certificate.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::asn1::Any;
use der::{Decode as _, Encode as _, Tagged as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::fault::{At, Fault, Rule, Turn};
use crate::common::{Finished, Log, Logs, Program, Registry, Service, Stack, signing_config_with};
use crate::deployments::{changed_root, unsigned};
use crate::keyed::Sandbox;
use crate::place::{PUBLIC_ROOT, each};
use crate::scene::{Peer, REQUEST_TOKEN, Scene, World};

/// The trusted root is not that of the services, in each way that was seen: nothing is asked for.
#[test]
fn the_root_does_not_fit_the_services() {
    each_root_that_does_not_fit(&Sandbox::with(""));
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_root_does_not_fit_the_released_services() {
    each_root_that_does_not_fit(&Stack::shared());
}

/// A critical extension of an OID that no specification has (2.5.29.99).
const UNKNOWN_EXTENSION: &[u8] = b"\x30\x0c\x06\x03\x55\x1d\x63\x01\x01\xff\x04\x02\x05\x00";

/// The certificate `der` with one more extension. Its own signature no longer holds, which is of no
/// account for an anchor.
fn with_extension(der: &[u8], extension: &[u8]) -> Vec<u8> {
    let parts = |der: &[u8]| Vec::<Any>::from_der(der).unwrap();
    let mut certificate = parts(der);
    let mut signed = parts(&certificate[0].to_der().unwrap());
    // The extensions are the last part, in an explicit tag.
    let explicit = signed.pop().unwrap();
    let mut extensions = parts(explicit.value());
    extensions.push(Any::from_der(extension).unwrap());
    signed.push(Any::new(explicit.tag(), extensions.to_der().unwrap()).unwrap());
    certificate[0] = Any::from_der(&signed.to_der().unwrap()).unwrap();
    certificate.to_der().unwrap()
}

fn each_root_that_does_not_fit(world: &impl World) {
    let folder = TempDir::new().unwrap();
    let public: Value = serde_json::from_slice(&std::fs::read(PUBLIC_ROOT).unwrap()).unwrap();
    let root: Value =
        serde_json::from_slice(&std::fs::read(world.var("TRUSTED_ROOT")).unwrap()).unwrap();
    let changed = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut root = root.clone();
        change(&mut root);
        let path = folder.path().join(name);
        std::fs::write(&path, root.to_string()).unwrap();
        path
    };
    let reversed = |root: &mut Value| {
        let chain = &mut root["certificateAuthorities"][0]["certChain"]["certificates"];
        chain.as_array_mut().unwrap().reverse();
    };
    let other_key = |root: &mut Value| {
        let other = public["tlogs"][0].clone();
        root["tlogs"] = json!([other]);
    };
    let other_key_with_this_id = |root: &mut Value| {
        root["tlogs"][0]["publicKey"]["rawBytes"] =
            public["tlogs"][0]["publicKey"]["rawBytes"].clone();
    };
    let wrong_id = |root: &mut Value| {
        for log in root["tlogs"].as_array_mut().unwrap() {
            log["logId"]["keyId"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        }
    };
    let other_name = |root: &mut Value| {
        for log in root["tlogs"].as_array_mut().unwrap() {
            log["baseUrl"] = json!("https://elsewhere.example");
        }
    };
    let over = |root: &mut Value| {
        let mut later = root["certificateAuthorities"][0].clone();
        root["certificateAuthorities"][0]["validFor"]["end"] = json!("2020-01-01T00:00:00Z");
        later["certChain"] = public["certificateAuthorities"][1]["certChain"].clone();
        root["certificateAuthorities"].as_array_mut().unwrap().push(later);
    };
    let authorities = |root: &mut Value| {
        root["certificateAuthorities"] = public["certificateAuthorities"].clone();
    };
    let unknown = |root: &mut Value| {
        let chain = &mut root["certificateAuthorities"][0]["certChain"]["certificates"];
        let anchor = chain.as_array_mut().unwrap().last_mut().unwrap();
        let der = STANDARD.decode(anchor["rawBytes"].as_str().unwrap()).unwrap();
        anchor["rawBytes"] = json!(STANDARD.encode(with_extension(&der, UNKNOWN_EXTENSION)));
    };
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("the public root on a private stack", Log::V1, PathBuf::from(PUBLIC_ROOT), "trust/other-authority", "sigstore"),
        ("another authority", Log::V1, changed("authority", &authorities), "trust/other-authority", "issues certificates of \""),
        ("a reversed CA chain", Log::V1, changed("reversed", &reversed), "trust/unusable-authority", "does not begin with the certificate that issues"),
        ("a critical extension that nobody knows", Log::V1, changed("unknown", &unknown), "trust/unusable-authority", "an authority has an unknown critical extension"),
        ("an authority whose time is over", Log::V1, changed("over", &over), "trust/unusable-authority", "`validFor`"),
        ("another Rekor key", Log::V1, changed("key", &other_key), "trust/other-log", "and the trusted root has c0d23d6a"),
        ("another Rekor key with this ID", Log::V1, changed("id", &other_key_with_this_id), "trust/other-log", "does not verify with the key of this ID"),
        ("a wrong v1 log ID", Log::V1, changed("id1", &wrong_id), "trust/other-log", "and the trusted root has 00000000, 00000000"),
        ("a wrong v2 log ID", Log::V2, changed("id2", &wrong_id), "trust/other-log", "and the trusted root has 00000000, 00000000"),
        ("another name of a v2 log", Log::V2, changed("name", &other_name), "trust/other-log", "has the host \"elsewhere.example\""),
    ];
    each(
        4,
        &rows,
        |(name, ..)| (*name).to_owned(),
        |(_, log, root, code, said)| {
            let scene = Scene::new(*log, Registry::Fallback).trusted_root(root);
            let played = scene.play(world);
            played.refused(code, 4);
            played.published_nothing();
            played.left(false);
            let run = &played.run;
            assert!(run.stderr.contains(said), "no `{said}`: {run}");
            assert!(run.stderr.contains("exit 4; nothing was signed"), "{run}");
            assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{run}");
            // Of random bytes.
            assert_eq!(played.asked(Peer::Tsa, "POST"), 1, "{run}");
            let told = doctor(world, *log, root).expect(4);
            assert!(told.stdout.contains(code) && told.stdout.contains(said), "{told}");
        },
    );
}

/// `doctor` by the services of `world` and this trusted root, without an image.
fn doctor(world: &impl World, log: Log, root: &Path) -> Finished {
    let config = world.var(match log {
        Log::V1 => "SIGNING_CONFIG_V1",
        Log::V2 => "SIGNING_CONFIG_V2",
    });
    diagnosis(world, Path::new(config), root)
}

/// `doctor`, without a token.
fn prepared(config: &Path, root: &Path) -> Program {
    let program = Program::ambisign().args(["doctor", "--signing-config"]);
    program.arg(config).arg("--trusted-root").arg(root)
}

/// The same with this signing config.
fn diagnosis(world: &impl World, config: &Path, root: &Path) -> Finished {
    prepared(config, root)
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", world.var("GITHUB_TOKEN_URL"))
        .run()
}

/// A root with name constraints fits its services, but not every identity: that is known before the
/// certificate is asked for where the name in it is.
#[test]
fn name_constraints_are_named_before_a_certificate_is_asked_for() {
    let sandbox = Sandbox::with("authority-with-name-constraints");
    let token = unsigned(&json!({"iss": "https://accounts.google.com", "sub": "1",
        "aud": "sigstore", "exp": 4_000_000_000_u64,
        "email": "joe@example.test", "email_verified": true}));
    let scene = Scene::new(Log::V1, Registry::Fallback).token(&token);
    let played = scene.play(&sandbox);
    played.refused("trust/name-constraints", 4);
    played.published_nothing();
    let run = &played.run;
    assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{run}");
    let said = "may issue a certificate for \"joe@example.test\": the name constraints of an authority \
                do not permit a name below it";
    assert!(run.stderr.contains(said), "no `{said}`: {run}");
    let root = Path::new(sandbox.var("TRUSTED_ROOT"));
    let told = prepared(Path::new(sandbox.var("SIGNING_CONFIG_V1")), root)
        .env("SIGSTORE_ID_TOKEN", &token);
    let told = told.run().expect(4);
    assert!(told.stdout.contains("code: trust/name-constraints"), "{told}");
    let allowed = unsigned(&json!({"iss": "https://accounts.google.com", "sub": "1",
        "aud": "sigstore", "exp": 4_000_000_000_u64,
        "email": "joe@other.test", "email_verified": true}));
    let told = prepared(Path::new(sandbox.var("SIGNING_CONFIG_V1")), root)
        .env("SIGSTORE_ID_TOKEN", &allowed)
        .run();
    assert!(!told.stdout.contains("trust/name-constraints"), "{told}");
}

/// Of a timestamp authority only a timestamp shows whether the trusted root has it: one of random bytes
/// does so before the certificate, in place of the question whether the authority is there.
#[test]
fn the_root_does_not_fit_the_timestamp_authority() {
    let other = Sandbox::start(&["--seed", "2"]);
    each_other_timestamp_authority(&Sandbox::with(""), &other);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_root_does_not_fit_the_released_timestamp_authority() {
    let other = Stack::up(Logs::Empty, &[]);
    each_other_timestamp_authority(&Stack::shared(), &other);
}

fn each_other_timestamp_authority(world: &impl World, other: &impl World) {
    let whole = Path::new(world.var("TRUSTED_ROOT")).to_owned();
    let well = doctor(world, Log::V1, &whole).expect(0);
    let said = "the trusted root verifies a timestamp of random bytes";
    assert!(well.stdout.contains(said), "{well}");

    let folder = TempDir::new().unwrap();
    let public: Value = serde_json::from_slice(&std::fs::read(PUBLIC_ROOT).unwrap()).unwrap();
    let of_public = changed_root(world, &folder, |root| {
        root["timestampAuthorities"] = public["timestampAuthorities"].clone();
    });
    let (code, elsewhere) = ("trust/other-timestamp-authority", other.var("TSA_URL"));
    for log in Log::ALL {
        let scene = || Scene::new(log, Registry::Fallback);
        for scene in [scene().trusted_root(&of_public), scene().elsewhere(Peer::Tsa, elsewhere)] {
            let played = scene.play(world);
            played.refused(code, 4);
            played.published_nothing();
            played.left(false);
            let run = &played.run;
            let said = "the trusted root does not verify the timestamps of";
            assert!(run.stderr.contains(said), "no `{said}`: {run}");
            assert!(run.stderr.contains("exit 4; nothing was signed"), "{run}");
            assert_eq!(played.asked(Peer::Fulcio, "POST"), 0, "{run}");
            assert_eq!(played.seen(Peer::Tsa).len(), 1, "{run}");
        }
        let told = doctor(world, log, &of_public).expect(4);
        assert!(told.stdout.contains(code), "{told}");
        let config = world.var(match log {
            Log::V1 => "SIGNING_CONFIG_V1",
            Log::V2 => "SIGNING_CONFIG_V2",
        });
        let config = signing_config_with(Path::new(config), folder.path(), Service::Tsa, elsewhere);
        let told = diagnosis(world, &config, &whole).expect(4);
        assert!(told.stdout.contains(code), "{told}");
    }
    // A run that goes well asks the authority for the trial and for the signature's timestamp.
    let played = Scene::new(Log::V1, Registry::Fallback).play(world);
    played.signed();
    let seen = played.seen(Peer::Tsa).iter().map(|seen| seen.method.as_str());
    assert_eq!(seen.collect::<Vec<_>>(), ["POST", "POST"]);
}

/// An authority that gives no answer to the trial may give one later, and one that is slow holds up the
/// run for two seconds.
#[test]
fn the_root_cannot_be_compared_with_an_authority_that_is_busy() {
    let sandbox = Sandbox::with("");
    let busy = Fault::Status(503, &[("retry-after", "1")], "busy");
    for fault in [busy, Fault::ResetBefore, Fault::Hang] {
        let rule = Rule::on("POST", At::Any, fault).turn(Turn::Nth(1));
        let played = Scene::new(Log::V1, Registry::Fallback).rule(Peer::Tsa, rule).play(&sandbox);
        played.signed();
        assert_eq!(played.struck(), 1, "{}", played.run);
        assert_eq!(played.asked(Peer::Tsa, "POST"), 2, "{}", played.run);
        assert!(played.run.took.as_secs() < 5, "{}", played.run);
    }
}

/// A log or a timestamp authority that does not speak TLS where its URL says so: the run knew it after
/// the certificate.
#[test]
fn no_connection_to_a_log_or_a_timestamp_authority() {
    let sandbox = Sandbox::with("");
    let folder = TempDir::new().unwrap();
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    let rows = [
        ("SIGNING_CONFIG_V1", Service::Rekor, "REKOR_URL", "rekor/not-tls"),
        ("SIGNING_CONFIG_V2", Service::Rekor, "REKOR2_URL", "rekor/not-tls"),
        ("SIGNING_CONFIG_V1", Service::Tsa, "TSA_URL", "timestamp/not-tls"),
    ];
    for (config, service, url, code) in rows {
        let url = sandbox.var(url).replace("http://", "https://");
        let config = Path::new(sandbox.var(config));
        let config = signing_config_with(config, folder.path(), service, &url);
        let scene = Scene::new(Log::V1, Registry::Fallback).signing_config(&config);
        let played = scene.play(&sandbox);
        played.refused(code, 5);
        played.left(false);
        let run = &played.run;
        assert!(run.stderr.contains("exit 5; nothing was signed or uploaded"), "{run}");
        assert!(!run.stderr.contains("  certificate  "), "{run}");
        let root = Path::new(sandbox.var("TRUSTED_ROOT")).to_owned();
        let told = diagnosis(&sandbox, &config, &root).expect(5);
        assert_eq!(told.stdout.matches(&format!("code: {code}")).count(), 1, "{told}");
    }
}

/// Services that show nothing about themselves are in nobody's way.
#[test]
fn the_root_cannot_be_compared_where_only_posts_are_let_through() {
    let sandbox = Sandbox::with("");
    let closed = || Fault::Status(403, &[("content-type", "text/html")], "<html>no</html>");
    for log in Log::ALL {
        let mut scene = Scene::new(log, Registry::Fallback);
        for peer in [Peer::Fulcio, Peer::Rekor, Peer::Tsa] {
            scene = scene.rule(peer, Rule::on("GET", At::Any, closed()));
        }
        scene.play(&sandbox).signed();
    }
}
