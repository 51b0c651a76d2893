// SPDX-License-Identifier: Apache-2.0
//! The built binary with an empty environment: what needs no network.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::process::{Command, Output};

/// Runs `ambisign` with `arguments` and no other variables than `env`.
#[expect(
    clippy::disallowed_methods,
    reason = "the program under test is a child process"
)]
fn ambisign(arguments: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ambisign"))
        .args(arguments)
        .env_clear()
        .envs(env.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Asserts the exit code, that standard output is empty, and returns standard error.
fn refused(arguments: &[&str], env: &[(&str, &str)], code: i32) -> String {
    let output = ambisign(arguments, env);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?} {env:?} {output:?}"
    );
    assert!(output.stdout.is_empty(), "{output:?}");
    text(&output.stderr).to_owned()
}

#[test]
fn version_is_one_line() {
    let output = ambisign(&["--version"], &[]);
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(
        text(&output.stdout),
        concat!("ambisign ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn help_begins_with_examples_and_goes_to_stdout() {
    let output = ambisign(&["sign", "-h"], &[("COLUMNS", "20")]);
    let help = text(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty());
    let (examples, options) = (
        help.find("Examples:").unwrap(),
        help.find("Options:").unwrap(),
    );
    assert!(examples < options);
    assert!(help.contains("($AMBISIGN_FULCIO_URL)"), "{help}");
    assert!(
        help.lines().all(|line| line.chars().count() <= 100),
        "{help}"
    );
}

#[test]
fn env_lists_every_variable() {
    let output = ambisign(&["env"], &[]);
    assert!(output.status.success() && output.stderr.is_empty());
    let table = text(&output.stdout);
    for name in [
        "AMBISIGN_FULCIO_URL  [decides who gets the token]",
        "SIGSTORE_ID_TOKEN  [secret]",
    ] {
        assert!(table.contains(name), "{table}");
    }
}

#[test]
fn completions_are_scripts() {
    for (shell, mark) in [
        ("bash", "_ambisign()"),
        ("zsh", "#compdef ambisign"),
        ("fish", "complete -c ambisign"),
    ] {
        let output = ambisign(&["completions", shell], &[]);
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(text(&output.stdout).contains(mark), "{shell}");
    }
}

#[test]
fn usage_errors_end_with_2() {
    for (arguments, what, fix) in [
        (&[][..], "no command is given", "see `ambisign --help`"),
        (
            &["sing"],
            "there is no command `sing`",
            "did you mean `sign`?",
        ),
        (
            &["sign", "--no-such-flag"],
            "there is no `--no-such-flag`",
            "see `ambisign sign --help`",
        ),
        (
            &["sign", "--fulcio-ulr=https://x", "a"],
            "there is no `--fulcio-ulr`",
            "did you mean `--fulcio-url`?",
        ),
        (
            &["sign", "--output", "xml", "a"],
            "`--output` has no value, or not one that it can have",
            "use one of: text, json",
        ),
    ] {
        assert_eq!(
            refused(arguments, &[], 2),
            format!(
                "ambisign: error: {what}\nambisign: fix: {fix}\n\
                 ambisign: code: settings/usage; exit 2; nothing was signed or uploaded\n"
            )
        );
    }
}

/// Whoever verifies wants to hear that nothing is verified, in the document of verifications.
#[test]
fn usage_errors_of_readers_are_theirs() {
    for arguments in [
        &["verify", "--no-such-flag"][..],
        &["verify", "--output", "xml", "a"],
        &["verify", "--output"],
        &["verify", "a", "--bundle="],
        &["verify-blob"],
        &["verify-blob", "a", "b"],
    ] {
        let told = refused(arguments, &[], 2);
        let last = "ambisign: code: settings/usage; exit 2; nothing was verified\n";
        assert!(told.ends_with(last), "{arguments:?} {told}");
        let output = ambisign(arguments, &[("AMBISIGN_OUTPUT", "json")]);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["schema"], "urn:ambisign:verification:v1");
        assert_eq!(document["exit_code"], 2);
        assert_eq!(document["error"]["code"], "settings/usage");
    }
    let flagged = ["--output", "json", "--no-such-flag"];
    for (command, schema) in [("verify", "verification"), ("sign", "result")] {
        let output = ambisign(&[&[command], &flagged[..]].concat(), &[]);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["schema"], format!("urn:ambisign:{schema}:v1"));
    }
}

#[test]
fn settings_errors_end_with_2_and_their_fix() {
    assert_eq!(
        refused(&["sign"], &[], 2),
        "ambisign: error: no image is given\n\
         ambisign: fix: name at least one image: `repository@sha256:...`, or set \
         `AMBISIGN_IMAGES`, `--images-file`, `--metadata`, or `--tags` with `--digest`\n\
         ambisign: code: settings/no-images; exit 2; nothing was signed or uploaded\n"
    );
    let told = refused(&["sign", "a"], &[("AMBISIGN_FULCIO_ULR", "https://x")], 2);
    assert!(
        told.contains("fix: did you mean `AMBISIGN_FULCIO_URL`?"),
        "{told}"
    );
    let told = refused(&["sign", "a", ""], &[], 2);
    assert!(told.contains("settings/empty-image"), "{told}");
    let told = refused(
        &["sign", "--public-instance", "a"],
        &[("SSL_CERT_FILE", "/x")],
        2,
    );
    assert!(told.contains("`SSL_CERT_FILE` decides"), "{told}");
}

#[test]
fn a_token_in_the_wrong_place_is_not_shown() {
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL3gifQ";
    let flag = format!("--identity-tokn={token}");
    for arguments in [
        &["sign", &flag, "a"][..],
        &["sign", "--timeout", token, "a"],
        &["sign", "--output", token],
    ] {
        let told = refused(arguments, &[], 2);
        assert!(!told.contains("eyJ"), "{told}");
    }
}

/// A login does not say whose it is: nobody else may get it.
#[test]
fn one_login_is_for_one_registry() {
    let token = [("SIGSTORE_ID_TOKEN", "e30.e30.e30")];
    let by_name = [
        ("AMBISIGN_REGISTRY_USERNAME", "u"),
        ("AMBISIGN_REGISTRY_PASSWORD", "p"),
    ];
    let signer = [
        "--certificate-identity",
        "a",
        "--certificate-oidc-issuer",
        "b",
    ];
    for login in [&by_name[..], &[("AMBISIGN_REGISTRY_TOKEN", "t")]] {
        let env = [&token, login].concat();
        for command in [&["sign"][..], &[&["verify"], &signer[..]].concat()] {
            let images = ["127.0.0.1:1/a", "localhost:1/a"];
            let told = refused(&[command, &images].concat(), &env, 2);
            assert!(told.contains("code: settings/login; "), "{told}");
            let one = [
                "127.0.0.1:1/a",
                "127.0.0.1:1/b",
                "--timeout=1s",
                "--trusted-root=/no",
            ];
            let output = ambisign(&[command, &one].concat(), &env);
            assert_ne!(output.status.code(), Some(2), "{output:?}");
        }
    }
}

#[test]
fn errors_are_one_document_with_json() {
    for (flags, env) in [
        (&["sign", "--output", "json"][..], &[][..]),
        (&["sign"], &[("AMBISIGN_OUTPUT", "json")]),
    ] {
        let output = ambisign(flags, env);
        assert_eq!(output.status.code(), Some(2));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["status"], "failed");
        assert_eq!(document["error"]["code"], "settings/no-images");
        assert_eq!(document["error"]["exit_code"], 2);
        assert_eq!(document["error"]["retryable"], false);
    }
}

#[test]
fn github_gets_one_annotation() {
    let told = refused(&["sign"], &[("GITHUB_ACTIONS", "true")], 2);
    let annotations: Vec<_> = told.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(
        annotations,
        [
            "::error title=ambisign%3A settings/no-images::no image is given. Fix: name at least one \
          image: `repository@sha256:...`, or set `AMBISIGN_IMAGES`, `--images-file`, `--metadata`, or \
          `--tags` with `--digest`"
        ]
    );
}

#[test]
fn a_run_begins_with_what_is_not_the_default() {
    let env = [
        ("AMBISIGN_FULCIO_URL", "https://fulcio.example.com"),
        ("AMBISIGN_ODDITY", "1"),
    ];
    let output = ambisign(
        &[
            "sign",
            "--identity-token-file",
            "/none",
            "registry.example.com/a",
        ],
        &env,
    );
    let told = text(&output.stderr);
    assert!(
        told.starts_with(concat!(
            "ambisign ",
            env!("CARGO_PKG_VERSION"),
            " | 1 image\n"
        )),
        "{told}"
    );
    assert!(
        told.contains("https://fulcio.example.com/ (from AMBISIGN_FULCIO_URL)\n"),
        "{told}"
    );
    assert!(
        told.contains("ambisign: warning: `AMBISIGN_ODDITY` is no variable"),
        "{told}"
    );
}
