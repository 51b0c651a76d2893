// SPDX-License-Identifier: Apache-2.0
//! Flags and variables: all that is wrong with them, what is not the default, and what has no effect.

use ambisign_host::{Env, Failure, Host};

use crate::cli::SignArgs;
use crate::cli::variables::{PREFIX, VARIABLES};
use crate::cli::warnings::UNREAD_VARIABLE;
use crate::outcome::diagnosis::{Finding, Stage};
use crate::settings::{RunSettings, Settings, SettingsError};

/// What the variables of other clients begin with.
const FOREIGN: [&str; 2] = ["COSIGN_", "SIGSTORE_"];

/// What remains of the settings.
pub struct Resolved {
    /// The settings without what is wrong; `None` when a flag is.
    pub settings: Option<Settings>,
    /// The environment without the variables that are wrong.
    pub env: Env,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Reads `args` and `env`. An invalid variable and an image without a name are reported and ignored
/// afterwards. An invalid flag ends the examination.
pub fn resolve(mut args: SignArgs, mut env: Env) -> Resolved {
    let mut findings = Vec::new();
    loop {
        let error = match Settings::with_or_without_images(args.clone(), &env) {
            Ok(settings) => {
                findings.extend(odd(&settings.signing.run));
                findings.extend(unread(&env));
                return Resolved { settings: Some(settings), env, findings };
            }
            Err(error) => error,
        };
        findings.push(Finding::fail(Stage::Settings, "", Failure::of(&error)));
        let wrong = error
            .variable()
            .filter(|name| env.iter().any(|(set, _)| *set.to_string_lossy() == **name));
        match (&error, wrong) {
            (_, Some(name)) => {
                let left = env.iter().filter(|(set, _)| *set.to_string_lossy() != *name);
                env = Env::from_iter(left);
            }
            (SettingsError::EmptyImage { .. }, None) => {
                args.inputs.images.retain(|image| !image.trim().is_empty());
            }
            (_, None) => {
                findings.extend(unread(&env));
                return Resolved { settings: None, env, findings };
            }
        }
    }
}

/// Reads the CA certificates, and returns the warnings about them.
///
/// # Errors
/// A CA file cannot be used, so that no request can be made.
pub fn check(host: &Host) -> Result<Vec<Finding>, SettingsError> {
    let warnings = host.net.check()?;
    let told = warnings.iter();
    Ok(told.map(|one| Finding::of_warning(Stage::Settings, "", one)).collect())
}

/// What is not the default, and what a run would warn of.
fn odd(run: &RunSettings) -> Vec<Finding> {
    let mut findings = Vec::new();
    if run.overrides.is_empty() {
        let text = "every destination and trust input is the default";
        findings.push(Finding::ok(Stage::Settings, "", text));
    }
    for notice in &run.overrides {
        let text = notice.to_string();
        findings.push(Finding::ok(Stage::Settings, "not default", text));
    }
    let warnings = run.warnings.iter();
    findings.extend(warnings.map(|warning| Finding::of_warning(Stage::Settings, "", warning)));
    findings
}

/// Variables of cosign and its kin that are set and not read.
fn unread(env: &Env) -> Vec<Finding> {
    let names = env.iter().map(|(name, _)| name.to_string_lossy());
    let foreign = names.filter(|name| {
        let known = VARIABLES.iter().any(|row| row.name == *name);
        !known && FOREIGN.iter().any(|prefix| name.starts_with(prefix))
    });
    foreign.map(|name| told(&name)).collect()
}

fn told(name: &str) -> Finding {
    let own = name.split_once('_').map(|(_, rest)| rest);
    let own = own.map(|rest| format!("{PREFIX}{rest}"));
    let own = own.filter(|own| VARIABLES.iter().any(|row| row.name == own));
    let fix = match own {
        Some(own) => format!("set `{own}` in its place, or unset it"),
        None => "see `ambisign env` for what is read, or unset it".to_owned(),
    };
    let text = format!("`{name}` has no effect: ambisign does not read it");
    let finding = Finding::warn(Stage::Settings, "", text).with_code(UNREAD_VARIABLE);
    finding.with_fix(fix)
}

#[cfg(test)]
mod tests {
    use ambisign_host::Env;
    use clap::Parser;

    use super::{Resolved, resolve};
    use crate::cli::{Cli, Command};
    use crate::settings::Names;

    fn resolved(arguments: &[&str], env: &[(&str, &str)]) -> Resolved {
        let arguments = ["ambisign", "doctor"].iter().chain(arguments);
        let Command::Doctor(args) = Cli::try_parse_from(arguments).unwrap().command else {
            panic!("not the command `doctor`");
        };
        resolve(*args, env.iter().copied().collect::<Env>())
    }

    fn codes(resolved: &Resolved) -> Vec<&str> {
        let findings = resolved.findings.iter();
        findings.filter_map(|finding| finding.code.as_deref()).collect()
    }

    #[test]
    fn every_variable_that_is_wrong_is_told_and_left_out() {
        let env = [
            ("AMBISIGN_FULCOI_URL", "https://fulcio.example"),
            ("AMBISIGN_TIMEOUT", "soon"),
            ("AMBISIGN_JOBS", "many"),
            ("AMBISIGN_AUDIENCE", "mine"),
            ("TUF_MIRROR", "ftp://tuf.example"),
        ];
        let resolved = resolved(&["", "r.example/a"], &env);
        let mut told = codes(&resolved);
        told.sort_unstable();
        let expected = [
            "settings/empty-image",
            "settings/unknown-variable",
            "settings/value",
            "settings/value",
            "settings/value",
        ];
        assert_eq!(told, expected);
        let settings = resolved.settings.unwrap();
        assert_eq!(settings.signing.identity.options.audience, "mine");
        let names = &settings.images.names;
        assert!(matches!(names, Names::Given(lists) if lists[0].texts == ["r.example/a"]));
        assert!(!resolved.env.is_set("AMBISIGN_FULCOI_URL"));
    }

    #[test]
    fn a_flag_that_is_wrong_ends_it() {
        let resolved = resolved(&["--fulcio-url", "http://fulcio.example"], &[]);
        assert_eq!(codes(&resolved), ["settings/value"]);
        assert!(resolved.settings.is_none());
    }

    #[test]
    fn what_the_environment_may_not_decide_is_left_out() {
        let env = [
            ("AMBISIGN_YES", "true"),
            ("SSL_CERT_FILE", "/ca.pem"),
            ("AMBISIGN_FULCIO_URL", "https://fulcio.example"),
        ];
        let resolved = resolved(&["--public-instance"], &env);
        let mut told = codes(&resolved);
        told.sort_unstable();
        let expected = ["settings/consents", "settings/decides", "settings/decides"];
        assert_eq!(told, expected);
        assert_eq!(resolved.env.iter().count(), 0);
    }

    #[test]
    fn variables_of_cosign_that_are_not_read_are_told() {
        let env =
            [("COSIGN_EXPERIMENTAL", "1"), ("COSIGN_YES", "true"), ("SIGSTORE_OTHER_FILE", "/r")];
        let resolved = resolved(&[], &env);
        assert_eq!(codes(&resolved), ["settings/unread-variable"; 3]);
        let fixes: Vec<_> = resolved.findings.iter().filter_map(|f| f.fix.as_deref()).collect();
        assert!(fixes[1].contains("`AMBISIGN_YES`"), "{fixes:?}");
    }
}
