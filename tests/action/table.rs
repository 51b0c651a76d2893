// SPDX-License-Identifier: Apache-2.0
//! `action.yml` and the table of variables say the same.

use std::collections::BTreeSet;

use ambisign::cli::variables::{PREFIX, Role, VARIABLES};
use ambisign::commands::action;

use crate::step::{Action, Step};

/// Inputs that are no setting of the program.
const OF_THE_ACTION: [&str; 4] = ["artifacts", "binary", "download-url", "github-token"];

/// Variables that nobody who writes a workflow needs: the consent has one input, the outputs are those
/// of the step, and a job always has an identity of its own.
const WITHOUT_INPUT: [&str; 4] = ["bundle", "oidc-disable-ambient-providers", "output", "yes"];

fn input_of(variable: &str) -> String {
    variable[PREFIX.len()..].replace('_', "-").to_ascii_lowercase()
}

#[test]
fn every_variable_is_set_by_the_step_that_signs() {
    let env = Action::read().env("sign");
    let inputs = Action::read().inputs();
    let own = VARIABLES.iter().filter(|row| row.name.starts_with(PREFIX));
    for row in own {
        let (name, input) = (row.name, input_of(row.name));
        let written = env.get(name).unwrap_or_else(|| panic!("the step does not set {name}"));
        if WITHOUT_INPUT.contains(&input.as_str()) {
            assert_eq!(written, "", "{name}");
            continue;
        }
        assert!(inputs.contains_key(&input), "there is no input {input}");
        let value = format!("${{{{ inputs.{input} }}}}");
        // `--public-instance` takes these from flags alone.
        if matches!(row.role, Role::Consents | Role::Decides) {
            assert_eq!(written, "", "{name}");
            let flag = action::variable(&input);
            assert_eq!(env.get(&flag), Some(&value), "{flag}");
            let mut flags = action::FLAGS.iter().chain(&action::SWITCHES);
            assert!(flags.any(|flag| *flag == input), "--{input}");
        } else {
            assert_eq!(*written, value, "{name}");
        }
    }
    let known = |name: &String| VARIABLES.iter().any(|row| row.name == name);
    let odd: Vec<_> = env.keys().filter(|name| name.starts_with(PREFIX) && !known(name)).collect();
    assert!(odd.is_empty(), "no variables of the program: {odd:?}");
}

/// Variables by which a loader starts other code, writes files or loads what a path names.
const OF_LOADERS: [&str; 10] = [
    "DYLD_INSERT_LIBRARIES",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "LD_AUDIT",
    "LD_DEBUG",
    "LD_DEBUG_OUTPUT",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LD_PROFILE",
    "LOCPATH",
];

/// A shell reads variables before its script, and an earlier step can set any. So the runner starts the program
/// itself, and the shell that installs it takes nothing from variables and starts the script without them.
#[test]
fn no_shell_reads_what_an_earlier_step_set() {
    let action = Action::read();
    let program = "${{ steps.install.outputs.program || 'ambisign-is-not-installed' }}";
    assert_eq!(action.shell("sign"), format!("{program} action-step {{0}}"));
    assert_eq!(action.shell("install"), "/bin/bash --noprofile --norc -p {0}");
    let script = action.script("install").replace("\\\n", "");
    assert!(script.starts_with("exec /usr/bin/env -i "), "{script}");
    assert_eq!(script.lines().count(), 1, "{script}");
    for step in ["install", "sign"] {
        let env = action.env(step);
        for name in OF_LOADERS {
            assert_eq!(env.get(name).map(String::as_str), Some(""), "{step} {name}");
        }
    }
    assert!(action.env("sign")["PATH"].starts_with("/usr/local/sbin:/usr/local/bin:/usr/sbin:"));
}

#[test]
fn every_input_is_a_setting() {
    for input in Action::read().inputs().keys() {
        let variable = ambisign::cli::variables::variable_of(input);
        let is_setting = VARIABLES.iter().any(|row| row.name == variable);
        assert_ne!(is_setting, OF_THE_ACTION.contains(&input.as_str()), "{input}");
    }
}

#[test]
fn the_outputs_are_those_of_the_program() {
    let declared = Action::read().outputs();
    for (name, value) in &declared {
        assert_eq!(*value, format!("${{{{ steps.sign.outputs.{name} }}}}"));
    }
    let declared: BTreeSet<_> = declared.into_keys().collect();
    let written: BTreeSet<_> = Step::new().run().outputs.into_keys().collect();
    assert_eq!(declared, written);
}

#[test]
fn the_defaults_are_the_careful_ones() {
    let inputs = Action::read().inputs();
    for input in ["public-instance", "require-digest"] {
        assert_eq!(inputs[input], "true", "{input}");
    }
    for (input, default) in inputs {
        let is_switch = ["public-instance", "require-digest", "summary"].contains(&input.as_str());
        let expected = match input.as_str() {
            "github-token" => "${{ github.token }}",
            _ if is_switch => "true",
            _ => "",
        };
        assert_eq!(default, expected, "{input}");
    }
}
