// SPDX-License-Identifier: Apache-2.0
use std::collections::BTreeSet;
use std::ffi::OsString;

use ambisign_host::{Env, Explain as _};
use clap::CommandFactory as _;

use super::Error;
use super::{COMMANDS, FLAGS, Swapped, Takes, Translation, ours, swap, table};
use crate::cli::Cli;

fn words(line: &str) -> Vec<OsString> {
    let words = ["ambisign"].into_iter().chain(line.split_whitespace());
    words.map(OsString::from).collect()
}

fn swapped(line: &str) -> Result<Swapped, Error> {
    swap(words(line), &Env::default())
}

#[test]
fn the_words_of_cosign_become_ours() {
    let digest = "r.example/a@sha256:0";
    for (theirs, ours) in [
        ("sign --yes IMAGE", "sign --yes IMAGE"),
        ("sign -y -t 3m -d IMAGE", "sign -y -t 3m -d IMAGE"),
        ("sign --yes=true IMAGE", "sign --yes IMAGE"),
        ("sign --yes=1 IMAGE", "sign --yes IMAGE"),
        ("sign --yes=false IMAGE", "sign IMAGE"),
        ("sign --upload=false IMAGE", "sign --no-push IMAGE"),
        ("sign --upload=true --upload IMAGE", "sign IMAGE"),
        ("sign --tlog-upload=true IMAGE", "sign IMAGE"),
        ("sign --tlog-upload IMAGE", "sign IMAGE"),
        ("sign --sk=false IMAGE", "sign IMAGE"),
        ("sign --use-signing-config=false IMAGE", "sign IMAGE"),
        ("sign --oidc-client-id sigstore IMAGE", "sign IMAGE"),
        ("sign --oidc-client-id=sigstore IMAGE", "sign IMAGE"),
        (
            "sign --timestamp-server-url https://tsa.example IMAGE",
            "sign --tsa-url https://tsa.example IMAGE",
        ),
        ("sign --registry-cacert=ca.pem IMAGE", "sign --ca-file=ca.pem IMAGE"),
        ("sign -- --key IMAGE", "sign -- --key IMAGE"),
        ("-t 3m -d sign IMAGE", "sign -t 3m -d IMAGE"),
        ("--timeout=3m sign IMAGE", "sign --timeout=3m IMAGE"),
        ("sign-blob --signing-algorithm ecdsa-sha2-256-nistp256 f", "sign-blob f"),
        ("verify --check-claims --offline=true IMAGE", "verify IMAGE"),
        ("verify --key cosign.pub IMAGE", "verify --key cosign.pub IMAGE"),
        ("doctor --yes=true --upload=false IMAGE", "doctor --yes --no-push IMAGE"),
        // Not of cosign, and not of anybody.
        ("trust show --staging", "trust show --staging"),
        ("-d completions sign", "-d completions sign"),
        ("sign --no-such-flag=true IMAGE", "sign --no-such-flag=true IMAGE"),
    ] {
        let (theirs, ours) = (theirs.replace("IMAGE", digest), ours.replace("IMAGE", digest));
        assert_eq!(swapped(&theirs).unwrap().words, words(&ours), "{theirs}");
    }
}

#[test]
fn what_changes_nothing_is_told_in_one_line() {
    for (line, expected) in [
        ("sign --yes a", vec![]),
        ("sign --upload=true a", vec![]),
        ("sign --oidc-client-id x a", vec!["`--oidc-client-id` is not used: there is no login"]),
        ("sign --tlog-upload=true a", vec!["`--tlog-upload` is not used: this is always done"]),
        ("sign --k8s-keychain --b64 a", vec!["`--k8s-keychain` is not used: logins come"]),
    ] {
        let unused = swapped(line).unwrap().unused;
        assert_eq!(unused.len(), expected.len(), "{line}: {unused:?}");
        for (warning, start) in unused.iter().zip(expected) {
            assert!(warning.message.starts_with(start), "{line}: {warning:?}");
            assert_eq!(warning.code, "settings/unused");
        }
    }
}

#[test]
fn what_is_refused_says_what_to_do_and_shows_no_value() {
    for line in [
        "sign --key cosign.key a",
        "sign --key=hunter2 a",
        "sign --sk a",
        "sign --slot signature a",
        "sign --tlog-upload=false a",
        "sign --new-bundle-format=false a",
        "sign --output-signature hunter2 a",
        "sign --payload=hunter2 a",
        "sign --registry-password=hunter2 a",
        "sign --registry-token hunter2 a",
        "sign --registry-password",
        "sign-blob --signing-algorithm rsa-sign-pkcs1-2048-sha256 a",
        "verify --insecure-ignore-tlog a",
        "verify --check-claims=false a",
        "verify-blob --certificate hunter2 a",
    ] {
        let error = swapped(line).unwrap_err();
        let (text, fix) = (format!("{error:?} {error}"), error.fix().unwrap());
        assert!(!text.contains("hunter2") && !fix.is_empty(), "{line}: {text}");
        let is_secret = line.contains("-password") || line.contains("-token");
        let code = if is_secret { "settings/secret-in-arguments" } else { "settings/cosign-flag" };
        assert_eq!(error.code(), code, "{line}");
    }
}

#[test]
fn a_switch_that_is_turned_off_wins_over_its_variable() {
    let off = swapped("sign --yes=false --staging=0 a").unwrap().off;
    let names = ["AMBISIGN_YES", "AMBISIGN_STAGING"].map(str::to_owned);
    assert_eq!(off, BTreeSet::from(names));
    // Of two words the last one counts, and a flag of cosign that means the opposite is no other.
    for line in ["sign --yes --yes=false a", "sign --upload=false --upload=true a"] {
        let swapped = swapped(line).unwrap();
        assert_eq!(swapped.off.len(), 1, "{line}");
        assert_eq!(swapped.words, words("sign a"), "{line}");
    }
}

#[test]
fn variables_of_cosign_are_named_and_not_read() {
    let env: Env = [
        ("COSIGN_YES", "true"),
        ("COSIGN_TIMEOUT", "1m"),
        ("COSIGN_REGISTRY_PASSWORD", "hunter2"),
        ("COSIGN_EXPERIMENTAL", "1"),
        ("COSIGN_REPOSITORY", "r.example/signatures"),
        ("COSIGN_PASSWORD", "hunter2"),
        ("COSIGN_RECURSIVE", ""),
    ]
    .into_iter()
    .collect();
    let swapped = swap(words("sign --timeout 3m a"), &env).unwrap();
    let messages: Vec<_> = swapped.unused.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`COSIGN_REGISTRY_PASSWORD` is a variable of cosign and is not read: put it into \
             `AMBISIGN_REGISTRY_PASSWORD`, and the user into `--registry-username`",
            "`COSIGN_YES` is a variable of cosign and is not read: set `AMBISIGN_YES` or pass `--yes`",
        ]
    );
    let other = swap(words("trust show"), &env).unwrap();
    assert!(other.unused.is_empty());
}

#[test]
fn the_table_has_each_flag_of_a_command_once_and_in_order() {
    let mut seen = BTreeSet::new();
    for flag in FLAGS {
        for command in flag.of {
            assert!(COMMANDS.contains(command) && seen.insert((flag.name, command)), "{flag:?}");
        }
        let is_plain = matches!(flag.translation, Translation::Alias(_) | Translation::Opposite(_));
        let is_right = flag.why.is_empty() == is_plain || flag.translation == Translation::Same;
        assert!(is_right, "{flag:?}");
    }
    assert!(FLAGS.is_sorted_by_key(|flag| flag.name));
    assert!(table().contains("\n  --registry-cacert: use `--ca-file`\n"));
    assert!(table().lines().all(|line| line.len() <= 180));
}

/// What the table says is here is here, and what it says is not here is not.
#[test]
fn the_table_agrees_with_the_flags_that_are_here() {
    let cli = Cli::command();
    let mut missing = Vec::new();
    for flag in FLAGS {
        for command in flag.of {
            let found = cli.find_subcommand(command).unwrap();
            let mut arguments = found.get_arguments();
            let name = ours(flag);
            let arg = arguments.find(|arg| arg.get_long() == Some(name));
            match (flag.translation, arg) {
                (Translation::Same | Translation::Alias(_) | Translation::Opposite(_), None) => {
                    missing.push(format!("{command} --{name}"));
                }
                (Translation::Same, Some(arg)) => {
                    let is_optional = arg.get_num_args().is_some_and(|n| n.min_values() == 0);
                    let takes = if arg.get_action().takes_values() && !is_optional {
                        Takes::Value
                    } else {
                        Takes::Switch
                    };
                    assert_eq!(takes, flag.takes, "{command} --{name}");
                }
                (Translation::Alias(_) | Translation::Opposite(_), Some(_)) => {}
                (
                    Translation::Unused
                    | Translation::Only(_)
                    | Translation::Refused
                    | Translation::Secret,
                    arg,
                ) => {
                    assert!(arg.is_none(), "{command} --{name} is here");
                }
            }
        }
    }
    assert!(missing.is_empty(), "not here: {missing:?}");
}
