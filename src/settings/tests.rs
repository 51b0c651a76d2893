// SPDX-License-Identifier: Apache-2.0
//! Flags and variables in, settings or the error out.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use ambisign_host::{Clock, Env, Explain, Net, NetOptions};
use ambisign_providers::{GivenToken, Realm};
use clap::Parser;
use secrecy::ExposeSecret;

use super::*;
use crate::cli::{Cli, Command, SignArgs};

const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln";

type Flags = &'static [&'static str];
type Vars = &'static [(&'static str, &'static str)];

fn settings(flags: &[&str], env: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let flags = ["ambisign", "sign"].iter().chain(flags).copied();
    let Command::Sign(args) = Cli::try_parse_from(flags).unwrap().command else {
        panic!("not the command `sign`");
    };
    Settings::resolve(*args, &env.iter().copied().collect())
}

fn code(flags: &[&str], env: &[(&str, &str)]) -> String {
    settings(flags, env).unwrap_err().code().into_owned()
}

#[test]
fn defaults() {
    let settings = settings(&["a/b"], &[]).unwrap();
    assert_eq!(settings.signing.identity.options.audience, "sigstore");
    assert_eq!(settings.signing.run.timeout, Duration::from_secs(600));
    assert_eq!(settings.signing.jobs.get(), 64);
    assert_eq!(settings.signing.run.output, Output::Text);
    assert_eq!(settings.signing.mode, Mode::Publish);
    assert_eq!(settings.signing.consent, Consent::NotGiven);
    assert_eq!(settings.images.tags, Tags::Resolved);
    assert_eq!(settings.signing.services.rekor_version, RekorVersion::Auto);
    assert!(settings.signing.run.overrides.is_empty() && settings.signing.run.warnings.is_empty());
}

#[test]
fn a_flag_wins_over_its_variable_and_an_empty_variable_is_none() {
    let env =
        [("AMBISIGN_AUDIENCE", "from-env"), ("AMBISIGN_TIMEOUT", "90s"), ("AMBISIGN_JOBS", "")];
    let settings = settings(&["a", "--audience", "from-flag"], &env).unwrap();
    assert_eq!(settings.signing.identity.options.audience, "from-flag");
    assert_eq!(settings.signing.run.timeout, Duration::from_secs(90));
    assert_eq!(settings.signing.jobs.get(), 64);
}

#[test]
fn every_switch_has_a_variable_that_says_both() {
    let on =
        [("AMBISIGN_DRY_RUN", "true"), ("AMBISIGN_YES", "1"), ("AMBISIGN_REQUIRE_DIGEST", "1")];
    let on = settings(&["a"], &on).unwrap();
    assert_eq!(
        (on.signing.mode, on.signing.consent, on.images.tags),
        (Mode::DryRun, Consent::Given, Tags::Refused)
    );
    let off = settings(&["a"], &[("AMBISIGN_DRY_RUN", "false"), ("AMBISIGN_YES", "0")]).unwrap();
    assert_eq!((off.signing.mode, off.signing.consent), (Mode::Publish, Consent::NotGiven));
    assert_eq!(code(&["a"], &[("AMBISIGN_YES", "yes")]), "settings/value");
}

#[test]
fn an_issuer_for_people_is_noted_as_unused() {
    let given = settings(&["a", "--oidc-issuer", "https://issuer.example/auth"], &[]).unwrap();
    let warnings: Vec<_> = given.signing.run.warnings.iter().collect();
    assert_eq!(warnings[0].code, "settings/unused");
    assert!(warnings[0].message.contains("`--oidc-issuer`"));
    assert_eq!(code(&["a", "--oidc-issuer", "issuer"], &[]), "settings/value");
}

#[test]
fn images_are_kept_once_and_in_order() {
    let names = settings(&["b", "a", "b"], &[]).unwrap().images.names;
    assert!(matches!(&names, Names::Given(lists) if lists[0].texts == ["b", "a"]));
    assert_eq!(code(&[], &[]), "settings/no-images");
    assert_eq!(code(&["a", " "], &[]), "settings/empty-image");
}

#[test]
fn what_contradicts_is_refused() {
    let rows: &[(Flags, Vars, &str)] = &[
        (&["--identity-token", JWT, "--identity-token-file", "-"], &[], "settings/conflict"),
        (&["--identity-token-file", "-"], &[("AMBISIGN_IDENTITY_TOKEN", JWT)], "settings/conflict"),
        (&["--oidc-provider", "x", "--oidc-disable-ambient-providers"], &[], "settings/conflict"),
        (&["--registry-username", "u"], &[], "settings/incomplete"),
        (&[], &[("AMBISIGN_REGISTRY_PASSWORD", "p")], "settings/incomplete"),
        (&["--registry-username", "u"], &[("AMBISIGN_REGISTRY_TOKEN", "t")], "settings/conflict"),
    ];
    for (flags, env, expected) in rows {
        assert_eq!(code(&[&["a"], *flags].concat(), env), *expected, "{flags:?} {env:?}");
    }
}

#[test]
fn the_standard_input_is_read_once() {
    let both = ["--images-file", "-", "--identity-token-file", "-"];
    assert_eq!(code(&both, &[]), "settings/conflict");
    assert!(settings(&both[..2], &[]).is_ok());
    assert!(settings(&["a", "--identity-token-file", "-"], &[]).is_ok());
}

#[test]
fn values_that_cannot_be_read_are_refused() {
    let rows: &[&[&str]] = &[
        &["--fulcio-url", "http://fulcio.example.com"],
        &["--fulcio-url", "http://localhost:1"],
        &["--fulcio-url", "https://user:secret@fulcio.example.com"],
        &["--rekor-url", "rekor.example.com"],
        &["--tsa-url", "https://tsa.example.com/?key=secret"],
        &["--jobs", "0"],
        &["--timeout", "0s"],
        &["--timeout", "10"],
        &["--timeout", "9999999999999y"],
    ];
    for flags in rows {
        let error = settings(&[&["a"], *flags].concat(), &[]).unwrap_err();
        assert_eq!(error.code(), "settings/value", "{flags:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert_eq!(code(&["a", "--require-identity", ""], &[]), "settings/empty");
    let loopback = settings(&["a", "--fulcio-url", "http://127.0.0.1:5555"], &[]).unwrap();
    assert_eq!(loopback.signing.services.fulcio.unwrap().as_str(), "http://127.0.0.1:5555/");
}

#[test]
fn a_token_on_the_command_line_is_warned_about_and_never_shown() {
    let inline = settings(&["a", "--identity-token", JWT], &[]).unwrap();
    let Some(GivenToken::Value(token)) = &inline.signing.identity.options.token else {
        panic!("{inline:?}");
    };
    assert_eq!(token.expose_secret(), JWT);
    assert_eq!(inline.signing.run.warnings[0].code, "settings/token-in-arguments");
    assert!(!format!("{inline:?}").contains("eyJ"));
    // The path of a file is no secret.
    let path = settings(&["a", "--identity-token", "/run/secrets/token.jwt.txt"], &[]).unwrap();
    assert!(path.signing.run.warnings.is_empty());
    let variable = settings(&["a"], &[("AMBISIGN_IDENTITY_TOKEN", JWT)]).unwrap();
    assert!(variable.signing.run.warnings.is_empty());
    let file = settings(&["a", "--identity-token-file", "-"], &[]).unwrap();
    assert!(
        matches!(file.signing.identity.options.token, Some(GivenToken::File(path)) if path.as_os_str() == "-")
    );
}

#[test]
fn the_login_is_told_to_the_redactor() {
    let password =
        [("AMBISIGN_REGISTRY_PASSWORD", " pass word "), ("AMBISIGN_REGISTRY_USERNAME", "u")];
    let password = settings(&["a"], &password).unwrap();
    let redacted = |settings: &Settings, text: &str| {
        let clock = Clock::system();
        let net = Net::new(&Env::default(), clock, NetOptions::default());
        settings.registry.guard_login(&net);
        net.redact(text)
    };
    assert!(!redacted(&password, "a pass word b").contains("pass word"));
    assert!(!format!("{password:?}").contains("pass word"));
    let token = settings(&["a"], &[("AMBISIGN_REGISTRY_TOKEN", "t0ken")]).unwrap();
    assert!(!redacted(&token, "a t0ken b").contains("t0ken"));
}

#[test]
fn misspelt_variables_are_errors_and_strangers_warnings() {
    let error = settings(&["a"], &[("AMBISIGN_FULCOI_URL", "https://x")]).unwrap_err();
    assert_eq!(error.fix().unwrap(), "did you mean `AMBISIGN_FULCIO_URL`?");
    let strangers = [
        ("AMBISIGN_SOMETHING_ELSE", "1"),
        ("AMBISIGN_SERVICE_HOST", "10.0.0.1"),
        ("AMBISIGN_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("AMBISIGN_PORT", "tcp://10.0.0.1:80"),
        ("ambisign_yes", "1"),
    ];
    let settings = settings(&["a"], &strangers).unwrap();
    assert_eq!(settings.signing.run.warnings.len(), 1);
    assert_eq!(settings.signing.consent, Consent::NotGiven);
}

#[test]
fn only_our_own_variables_must_be_utf8() {
    let latin1 = OsString::from_vec(vec![b'a', 0xe9]);
    let resolve = |name: &str| {
        let args = SignArgs {
            inputs: crate::cli::InputArgs { images: vec!["a".to_owned()], ..Default::default() },
            ..SignArgs::default()
        };
        Settings::resolve(args, &Env::from_iter([(OsString::from(name), latin1.clone())]))
    };
    assert!(resolve("LC_PAPER").is_ok());
    assert_eq!(resolve("AMBISIGN_AUDIENCE").unwrap_err().code(), "settings/not-utf8");
    assert_eq!(resolve("AMBISIGN_OUTPUT").unwrap_err().code(), "settings/not-utf8");
}

#[test]
fn destinations_and_trust_are_named_with_their_origin() {
    let env = [
        ("AMBISIGN_FULCIO_URL", "https://fulcio.example.com"),
        ("HTTPS_PROXY", "http://user:secret@proxy.example.com:3128"),
        ("SSL_CERT_FILE", "/etc/ca.pem"),
        ("TUF_MIRROR", "https://tuf.example.com/repo"),
        ("TUF_ROOT", "/var/cache/sigstore"),
        ("TUF_ROOT_JSON", "1.root.json"),
    ];
    let settings = settings(&["a", "--trusted-root", "root.json"], &env).unwrap();
    let overrides: Vec<_> =
        settings.signing.run.overrides.iter().map(ToString::to_string).collect();
    assert_eq!(
        overrides,
        [
            "https://tuf.example.com/repo (from TUF_MIRROR)",
            "/var/cache/sigstore (from TUF_ROOT)",
            "1.root.json (from TUF_ROOT_JSON)",
            "/etc/ca.pem (from SSL_CERT_FILE)",
            "proxy http://proxy.example.com:3128 (from HTTPS_PROXY)",
            "https://fulcio.example.com/ (from AMBISIGN_FULCIO_URL)",
            "root.json (from --trusted-root)",
        ]
    );
}

#[test]
fn the_public_instance_takes_consent_from_flags_alone() {
    for (flag, variable) in [
        ("--yes", "AMBISIGN_YES"),
        ("--allow-private-repository", "AMBISIGN_ALLOW_PRIVATE_REPOSITORY"),
    ] {
        let consent = |args: &[&str], value| {
            let settings = settings(args, &[(variable, value)]);
            settings.map(|settings| settings.signing.consent)
        };
        assert_eq!(consent(&["a"], "true").unwrap(), Consent::Given);
        let public = ["a", "--public-instance"];
        let error = consent(&public, "true").unwrap_err();
        assert_eq!(error.code(), "settings/consents");
        assert!(error.to_string().contains(variable), "{error}");
        assert!(error.fix().unwrap().contains(flag));
        for no in ["", "false"] {
            assert_eq!(consent(&public, no).unwrap(), Consent::NotGiven);
        }
        for yes in ["true", "false"] {
            let given = consent(&["a", "--public-instance", flag], yes);
            assert_eq!(given.unwrap(), Consent::Given);
        }
    }
}

/// Other jobs can set the variables that name a platform's server. With `--public-instance` only a flag names
/// one, because that server gets the job's credentials.
#[test]
fn the_public_instance_takes_a_server_of_a_platform_from_a_flag_alone() {
    let issuer = "https://ghes.example/_services/token";
    let realm = |args: &[&str], variables: &[(&str, &str)]| {
        settings(args, variables).unwrap().signing.identity.options.realm
    };
    let server = url::Host::Domain("ghes.example".to_owned());
    let public = ["a", "--public-instance", "--require-issuer", issuer];
    let variable = [("AMBISIGN_REQUIRE_ISSUER", issuer)];
    assert_eq!(realm(&["a"], &[]), Realm::Environment);
    assert_eq!(realm(&public[..2], &[]), Realm::Named(None));
    assert_eq!(realm(&public[..2], &variable), Realm::Named(None));
    assert_eq!(realm(&public, &[]), Realm::Named(Some(server)));
    let registry = settings(&public[..2], &[]).unwrap().registry.realm;
    assert_eq!(registry, Realm::Named(None));
    for usual in ["169.254.169.254", "metadata.google.internal", ""] {
        let variables = [("GCE_METADATA_HOST", usual)];
        assert!(settings(&public[..2], &variables).is_ok(), "{usual}");
    }
}

#[test]
fn the_public_instance_lets_no_variable_decide() {
    for row in crate::cli::variables::VARIABLES
        .iter()
        .filter(|row| row.role == crate::cli::variables::Role::Decides)
    {
        let error = settings(&["a", "--public-instance"], &[(row.name, row.example)]).unwrap_err();
        assert!(matches!(error, SettingsError::Decides { name } if name == row.name));
    }
    let flags = ["a", "--public-instance", "--fulcio-url", "https://fulcio.example.com"];
    let harmless = [("HTTPS_PROXY", "http://proxy.example.com"), ("AMBISIGN_CA_FILE", "")];
    assert!(settings(&flags, &harmless).is_ok());
    assert_eq!(
        code(&["a"], &[("AMBISIGN_PUBLIC_INSTANCE", "true"), ("TUF_ROOT", "/x")]),
        "settings/decides"
    );
}

fn mirror(args: &[&str], env: &[(&str, &str)]) -> Result<Mirror, SettingsError> {
    let args = [&["a"], args].concat();
    settings(&args, env).map(|settings| settings.signing.trust.mirror)
}

#[test]
fn the_mirror_is_that_of_the_flags_then_of_the_variables() {
    let other =
        |url: &str, root: &str| Mirror::Other { url: Url::parse(url).unwrap(), root: root.into() };
    let public = "https://tuf-repo-cdn.sigstore.dev";
    let staging = "https://tuf-repo-cdn.sigstage.dev/";
    let (own, root) = ("https://tuf.example.com/", "root.json");
    let both = ["--tuf-mirror", own, "--tuf-root", root];
    let cosign = [("TUF_MIRROR", own), ("TUF_ROOT_JSON", root)];
    let foreign = [("TUF_MIRROR", "https://other.example.com"), ("TUF_ROOT_JSON", "other.json")];
    for (args, env, expected) in [
        (&[][..], &[][..], Mirror::Public),
        (&[], &[("TUF_ROOT_JSON", root)], Mirror::Public),
        (&[], &[("AMBISIGN_STAGING", "true")], Mirror::Staging),
        (&["--staging"], &[], Mirror::Staging),
        (&["--public-instance", "--staging"], &[], Mirror::Staging),
        (&["--tuf-mirror", public], &[], Mirror::Public),
        (&["--tuf-mirror", staging], &[], Mirror::Staging),
        (&["--tuf-mirror", public, "--tuf-root", root], &[], other(public, root)),
        (&both, &[], other(own, root)),
        (&both, &foreign, other(own, root)),
        (&[], &cosign, other(own, root)),
        (&["--tuf-root", "new.json"], &cosign, other(own, "new.json")),
    ] {
        assert_eq!(mirror(args, env).unwrap(), expected, "{args:?} {env:?}");
    }
}

/// cosign's older flows name keys one by one; the public instance is not believed in their place.
#[test]
fn variables_of_cosigns_older_flows_are_refused() {
    for name in [
        "SIGSTORE_ROOT_FILE",
        "SIGSTORE_REKOR_PUBLIC_KEY",
        "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE",
        "SIGSTORE_TSA_CERTIFICATE_FILE",
    ] {
        let env = [(name, "/etc/sigstore/key.pem")];
        let error = mirror(&[], &env).unwrap_err();
        assert_eq!(error.code(), "settings/older-trust");
        let fix = error.fix().unwrap_or_default().into_owned();
        assert!(fix.contains("`ambisign trust create`"), "{fix}");
        assert!(error.to_string().contains(name), "{error}");
        // What says otherwise which instance is meant, counts.
        for args in [&["--trusted-root", "root.json"][..], &["--staging"]] {
            assert!(mirror(args, &env).is_ok(), "{args:?}");
        }
        assert!(mirror(&[], &[(name, "")]).is_ok());
    }
}

#[test]
fn a_mirror_goes_with_its_root() {
    let (own, root) = ("https://tuf.example.com/", "root.json");
    let cosign = [("TUF_MIRROR", own), ("TUF_ROOT_JSON", root)];
    for (args, env, code) in [
        (&["--tuf-mirror", own][..], &[][..], "settings/incomplete"),
        (&[], &[("TUF_MIRROR", own)], "settings/incomplete"),
        (&["--tuf-root", root], &[], "settings/incomplete"),
        (&["--tuf-mirror", "http://tuf.example.com"], &[], "settings/value"),
        (&[], &[("TUF_MIRROR", "https://u:p@tuf.example.com")], "settings/value"),
        (&["--staging", "--tuf-mirror", own], &[], "settings/conflict"),
        (&["--staging", "--tuf-root", root], &[], "settings/conflict"),
        (&["--staging"], &cosign, "settings/conflict"),
        (&["--public-instance"], &cosign, "settings/decides"),
        (&["--public-instance"], &[("AMBISIGN_STAGING", "true")], "settings/decides"),
        (&["--public-instance"], &[("TUF_ROOT", "/tmp")], "settings/decides"),
    ] {
        assert_eq!(mirror(args, env).unwrap_err().code(), code, "{args:?} {env:?}");
    }
}

#[test]
fn the_place_of_signatures_is_told_and_no_matter_of_the_public_instance() {
    let variable = ("AMBISIGN_SIGNATURE_REPOSITORY", "r.example/by-variable");
    let cosign = ("COSIGN_REPOSITORY", "r.example/by-cosign");
    let flag = ["a", "--signature-repository", "ghcr.io/acme/by-flag"];
    let public = ["a", "--public-instance"];
    let rows = [
        (
            &flag[..],
            vec![variable, cosign],
            "signatures in ghcr.io/acme/by-flag (from --signature-repository)",
        ),
        (
            &["a"][..],
            vec![variable, cosign],
            "signatures in r.example/by-variable (from AMBISIGN_SIGNATURE_REPOSITORY)",
        ),
        (&public[..], vec![cosign], "signatures in r.example/by-cosign (from COSIGN_REPOSITORY)"),
    ];
    for (flags, env, expected) in rows {
        let settings = settings(flags, &env).unwrap();
        let overrides = settings.signing.run.overrides.iter();
        let overrides: Vec<_> = overrides.map(ToString::to_string).collect();
        assert_eq!(overrides, [expected]);
        let place = settings.registry.signatures.unwrap();
        let place = format!("{}/{}", place.registry(), place.repository());
        assert!(expected.contains(&place), "{place}");
    }
    for text in [
        "r.example/a:tag",
        "https://r.example/a",
        "r.example/A",
        "r.example/a\n::error::x",
        "r.example/a@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        assert_eq!(code(&["a"], &[("COSIGN_REPOSITORY", text)]), "settings/value", "{text}");
    }
    assert!(settings(&["a"], &[("COSIGN_REPOSITORY", "")]).is_ok());
}
