// SPDX-License-Identifier: Apache-2.0
//! The built binary with an empty environment: what needs no network.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::process::{Command, Output};

/// Runs `ambisign` with `arguments` and no other variables than `env`.
#[expect(clippy::disallowed_methods, reason = "the program under test is a child process")]
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
    assert_eq!(output.status.code(), Some(code), "{arguments:?} {env:?} {output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    text(&output.stderr).to_owned()
}

#[test]
fn version_is_one_line() {
    let output = ambisign(&["--version"], &[]);
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(text(&output.stdout), concat!("ambisign ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn help_begins_with_examples_and_goes_to_stdout() {
    let output = ambisign(&["sign", "-h"], &[("COLUMNS", "20")]);
    let help = text(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty());
    let (examples, options) = (help.find("Examples:").unwrap(), help.find("Options:").unwrap());
    assert!(examples < options);
    assert!(help.contains("($AMBISIGN_FULCIO_URL)"), "{help}");
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}

#[test]
fn completions_are_scripts() {
    for (shell, mark) in
        [("bash", "_ambisign()"), ("zsh", "#compdef ambisign"), ("fish", "complete -c ambisign")]
    {
        let output = ambisign(&["completions", shell], &[]);
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(text(&output.stdout).contains(mark), "{shell}");
    }
}

/// Whoever verifies wants to hear that nothing is verified, in the document of verifications.
#[test]
fn usage_errors_of_readers_are_theirs() {
    for arguments in [
        &["verify", "--xyzzy"][..],
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
    let flagged = ["--output", "json", "--xyzzy"];
    for (command, schema) in [("verify", "verification"), ("sign", "result")] {
        let output = ambisign(&[&[command], &flagged[..]].concat(), &[]);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["schema"], format!("urn:ambisign:{schema}:v1"));
    }
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
    let by_name = [("AMBISIGN_REGISTRY_USERNAME", "u"), ("AMBISIGN_REGISTRY_PASSWORD", "p")];
    let signer = ["--certificate-identity", "a", "--certificate-oidc-issuer", "b"];
    for login in [&by_name[..], &[("AMBISIGN_REGISTRY_TOKEN", "t")]] {
        let env = [&token, login].concat();
        for command in [&["sign"][..], &[&["verify"], &signer[..]].concat()] {
            let images = ["127.0.0.1:1/a", "localhost:1/a"];
            let told = refused(&[command, &images].concat(), &env, 2);
            assert!(told.contains("code: settings/login; "), "{told}");
            let one = ["127.0.0.1:1/a", "127.0.0.1:1/b", "--timeout=1s", "--trusted-root=/no"];
            let output = ambisign(&[command, &one].concat(), &env);
            assert_ne!(output.status.code(), Some(2), "{output:?}");
        }
    }
}

#[test]
fn a_run_begins_with_what_is_not_the_default() {
    let env = [("AMBISIGN_FULCIO_URL", "https://fulcio.example.com"), ("AMBISIGN_ODDITY", "1")];
    let output =
        ambisign(&["sign", "--identity-token-file", "/none", "registry.example.com/a"], &env);
    let told = text(&output.stderr);
    assert!(
        told.starts_with(concat!("ambisign ", env!("CARGO_PKG_VERSION"), " | 1 image\n")),
        "{told}"
    );
    assert!(told.contains("https://fulcio.example.com/ (from AMBISIGN_FULCIO_URL)\n"), "{told}");
    assert!(told.contains("ambisign: warning: `AMBISIGN_ODDITY` is not a variable"), "{told}");
}

#[test]
fn schema_describes_every_member() {
    let output = ambisign(&["schema"], &[]);
    assert!(output.status.success() && output.stderr.is_empty());
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let definitions = schema["$defs"].as_object().unwrap();
    for (name, definition) in definitions {
        let members = definition["properties"].as_object().into_iter().flatten();
        let members = members.map(|(member, described)| (member.as_str(), described));
        let values = definition["oneOf"].as_array().into_iter().flatten();
        let values = values.map(|value| (value["const"].as_str().unwrap(), value));
        let all: Vec<_> = members.chain(values).collect();
        assert!(!all.is_empty(), "{name}");
        for (part, described) in all {
            let text = described["description"].as_str();
            assert!(text.is_some_and(|text| text.len() > 5), "{name}: {part}");
        }
    }
}

/// A crash must not write tokens to a file: the limit is 0 as soon as the program runs, and for its children.
#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "the program under test is a child process")]
fn a_run_writes_no_core_file() {
    use std::io::Read as _;
    use std::process::Stdio;

    // It waits for a token on standard input, so it runs while it is looked at.
    let mut run = Command::new(env!("CARGO_BIN_EXE_ambisign"))
        .args(["sign-blob", "--verbose", "--identity-token-file", "-", "Cargo.toml"])
        .env_clear()
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What it says first is said after the limit was set.
    run.stderr.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", run.id())).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(words, ["0", "0"], "{limits}");
}
