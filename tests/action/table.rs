// SPDX-License-Identifier: Apache-2.0
//! `action.yml` and the table of variables say the same.

use std::collections::BTreeSet;

use ambisign::cli::variables::{PREFIX, Role, VARIABLES};

use crate::read;
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
    let (env, script) = (Action::read().env("sign"), read("action/sign.sh"));
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
            let flag = name.replace(PREFIX, "FLAG_");
            assert_eq!(env.get(&flag), Some(&value), "{flag}");
            assert!(script.contains(&format!("\"--{input}=${flag}\"")), "{flag}");
        } else {
            assert_eq!(*written, value, "{name}");
        }
    }
    let known = |name: &String| VARIABLES.iter().any(|row| row.name == name);
    let odd: Vec<_> = env.keys().filter(|name| name.starts_with(PREFIX) && !known(name)).collect();
    assert!(odd.is_empty(), "no variables of the program: {odd:?}");
}

/// What would run before the scripts do is empty for them, whatever an earlier step wrote.
#[test]
fn nothing_is_loaded_before_the_scripts() {
    for step in ["install", "sign"] {
        let env = Action::read().env(step);
        for name in [
            "BASH_ENV",
            "DYLD_INSERT_LIBRARIES",
            "ENV",
            "LD_AUDIT",
            "LD_LIBRARY_PATH",
            "LD_PRELOAD",
        ] {
            assert_eq!(env.get(name).map(String::as_str), Some(""), "{step} {name}");
        }
    }
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
