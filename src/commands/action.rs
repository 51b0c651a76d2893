// SPDX-License-Identifier: Apache-2.0
//! The step of `action.yml` that signs. The runner starts this program itself, and the inputs are in variables.
//!
//! No shell stands between the runner and the program: a shell takes functions, options and files to run from
//! variables before it reads its script, and an earlier step can set any variable.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use ambisign_host::{Env, Failure};

use crate::cli::variables::prefixed;
use crate::settings::SettingsError;

/// The word that stands for the command. The runner adds the path of a script, which is not read.
const WORD: &str = "action-step";

/// The inputs that decide who gets the token, or where plain HTTP is allowed. The step has each in a variable
/// `FLAG_*`, and it becomes a flag, because `--public-instance` takes none of these from the environment.
pub const FLAGS: [&str; 10] = [
    "allow-http-registry",
    "ca-file",
    "fulcio-url",
    "rekor-url",
    "require-issuer",
    "signing-config",
    "trusted-root",
    "tsa-url",
    "tuf-mirror",
    "tuf-root",
];

/// The same for switches. Only `true` turns one on, and another word than `true` or `false` is an error.
pub const SWITCHES: [&str; 2] = ["allow-private-repository", "staging"];

/// The inputs that are on if they are empty.
const ON: [&str; 2] = ["AMBISIGN_PUBLIC_INSTANCE", "AMBISIGN_REQUIRE_DIGEST"];

/// The variables that choose an identity.
const IDENTITY: [&str; 3] = ["AMBISIGN_IDENTITY_TOKEN", "AMBISIGN_IDENTITY_TOKEN_FILE", PROVIDER];
const PROVIDER: &str = "AMBISIGN_OIDC_PROVIDER";
const BUNDLE_DIR: &str = "AMBISIGN_BUNDLE_DIR";

/// The variable of `action.yml` for the input `flag`.
pub fn variable(flag: &str) -> String {
    prefixed("FLAG_", flag)
}

/// Returns `true` if these words are those of the step, and `env` is that of a step of GitHub Actions.
pub fn is_step(words: &[OsString], env: &Env) -> bool {
    words.get(1).is_some_and(|word| word == WORD) && env.get("GITHUB_ACTIONS") == Some("true")
}

/// The words of `ambisign sign` and its environment, from the variables of the step.
///
/// # Errors
/// A switch is neither `true` nor `false`.
pub fn sign(mut env: Env) -> Result<(Vec<OsString>, Env), Failure> {
    let mut words: Vec<OsString> = ["ambisign", "sign"].map(OsString::from).into();
    for flag in FLAGS {
        // A value that begins with a dash stays a value.
        let value = given(&env, &variable(flag));
        words.extend(value.map(|value| join(&format!("--{flag}="), value)));
    }
    for switch in SWITCHES {
        match given(&env, &variable(switch)).map(|value| value.to_str()) {
            None | Some(Some("false")) => {}
            Some(Some("true")) => words.push(format!("--{switch}").into()),
            Some(_) => return Err(no_switch(switch)),
        }
    }
    // An older runner does not set the list itself, so an earlier step could.
    if env.get("ARTIFACTS") != Some("true") {
        env = env.with("GITHUB_ARTIFACTS_LIST", "");
    }
    for name in ON.into_iter().filter(|name| given(&env, name).is_none()).collect::<Vec<_>>() {
        env = env.with(name, "true");
    }
    // Nothing that an earlier step set chooses the provider.
    if IDENTITY.iter().all(|name| given(&env, name).is_none()) {
        env = env.with(PROVIDER, "github-actions");
    }
    if given(&env, BUNDLE_DIR).is_none() {
        let folder = new_folder(&env);
        env = env.with(BUNDLE_DIR, folder);
    }
    Ok((words, env))
}

/// A value that is not empty: an input that is not given is an empty variable.
fn given<'e>(env: &'e Env, name: &str) -> Option<&'e OsStr> {
    env.raw(name).filter(|value| !value.is_empty())
}

fn join(start: &str, end: &OsStr) -> OsString {
    let mut word = OsString::from(start);
    word.push(end);
    word
}

/// A folder of this step alone, which later steps can read. If it cannot be made, the error for bundles names the
/// place.
fn new_folder(env: &Env) -> OsString {
    let temporary = given(env, "RUNNER_TEMP").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let made = tempfile::Builder::new().prefix("ambisign-").tempdir_in(&temporary);
    let path = made.map_or_else(|_| temporary.join("ambisign"), tempfile::TempDir::keep);
    path.into_os_string()
}

fn no_switch(name: &str) -> Failure {
    Failure::of(&SettingsError::Value { name: name.to_owned(), expected: "`true` or `false`" })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use ambisign_host::Env;

    use super::{is_step, sign};

    fn words(pairs: &[(&str, &str)]) -> Vec<String> {
        let (words, _) = sign(pairs.iter().copied().collect()).unwrap();
        words.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn inputs_become_flags_and_stay_values() {
        let pairs = [
            ("FLAG_FULCIO_URL", "--yes"),
            ("FLAG_STAGING", "true"),
            ("FLAG_TSA_URL", ""),
            ("FLAG_ALLOW_PRIVATE_REPOSITORY", "false"),
        ];
        assert_eq!(words(&pairs), ["ambisign", "sign", "--fulcio-url=--yes", "--staging"]);
        assert_eq!(words(&[]), ["ambisign", "sign"]);
    }

    #[test]
    fn a_switch_is_true_or_false() {
        for value in ["yes", "True", "1", " true"] {
            let env = Env::from_iter([("FLAG_ALLOW_PRIVATE_REPOSITORY", value)]);
            let failure = sign(env).unwrap_err();
            assert_eq!(failure.code, "settings/value", "{value}");
            assert!(failure.what.contains("`allow-private-repository`"), "{}", failure.what);
        }
    }

    #[test]
    fn what_no_input_says_is_the_careful_choice() {
        let folder = tempfile::tempdir().unwrap();
        let temporary = folder.path().to_str().unwrap();
        let pairs = [("RUNNER_TEMP", temporary), ("GITHUB_ARTIFACTS_LIST", "/evil.json")];
        let (_, env) = sign(pairs.into_iter().collect()).unwrap();
        assert_eq!(env.get("AMBISIGN_PUBLIC_INSTANCE"), Some("true"));
        assert_eq!(env.get("AMBISIGN_REQUIRE_DIGEST"), Some("true"));
        assert_eq!(env.get("AMBISIGN_OIDC_PROVIDER"), Some("github-actions"));
        assert_eq!(env.get("GITHUB_ARTIFACTS_LIST"), None);
        let bundles = env.get("AMBISIGN_BUNDLE_DIR").unwrap();
        assert!(bundles.starts_with(temporary) && std::fs::metadata(bundles).unwrap().is_dir());

        let pairs = [
            ("AMBISIGN_PUBLIC_INSTANCE", "false"),
            ("AMBISIGN_IDENTITY_TOKEN_FILE", "/token"),
            ("AMBISIGN_BUNDLE_DIR", "bundles"),
            ("ARTIFACTS", "true"),
            ("GITHUB_ARTIFACTS_LIST", "/list.json"),
        ];
        let (_, env) = sign(pairs.into_iter().collect()).unwrap();
        assert_eq!(env.get("AMBISIGN_PUBLIC_INSTANCE"), Some("false"));
        assert_eq!(env.get("AMBISIGN_OIDC_PROVIDER"), None);
        assert_eq!(env.get("AMBISIGN_BUNDLE_DIR"), Some("bundles"));
        assert_eq!(env.get("GITHUB_ARTIFACTS_LIST"), Some("/list.json"));
    }

    #[test]
    fn only_a_step_of_github_is_one() {
        let step = ["ambisign", "action-step", "/script"].map(OsString::from);
        let github = Env::from_iter([("GITHUB_ACTIONS", "true")]);
        assert!(is_step(&step, &github));
        assert!(!is_step(&step, &Env::default()));
        assert!(!is_step(&["ambisign", "sign"].map(OsString::from), &github));
    }
}
