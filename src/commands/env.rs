// SPDX-License-Identifier: Apache-2.0
//! `env`: the variables that are read, first those that are set.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;

use ambisign_host::{Env, Net, excerpt};
use clap::CommandFactory;

use super::shown;
use crate::cli::Cli;
use crate::cli::variables::{PREFIX, Role, SECTIONS, VARIABLES, Variable, variable_of};
use crate::report::Reporter;

/// Shows which variables are set, and the meaning of each. Registers the secrets among them with `net`,
/// because another variable may contain one too.
pub fn show(env: &Env, net: &Net, reporter: Reporter<'_>) -> u8 {
    let secrets = VARIABLES.iter().filter(|row| row.role == Role::Secret);
    for secret in secrets.filter_map(|row| env.get(row.name)) {
        net.guard(secret);
    }
    let text = format!("{}\n{}", set(env), table());
    shown(reporter, reporter.text(&text))
}

/// The variables that are set, with their values unless they are secret.
fn set(env: &Env) -> String {
    let known = |name: &str| {
        let mut rows = VARIABLES.iter();
        // Proxies are named in small letters, too.
        rows.find(|row| row.name == name || row.name.to_ascii_lowercase() == name)
    };
    let mut lines = String::new();
    for (name, value) in env.iter() {
        let name = name.to_string_lossy();
        let shown = match known(&name) {
            Some(row) => shown_value(row, value),
            None if name.starts_with(PREFIX) => {
                " is not read: no variable has this name".to_owned()
            }
            None => continue,
        };
        // Writing to a string cannot fail.
        let _written = writeln!(lines, "  {name}{shown}");
    }
    if lines.is_empty() {
        lines.push_str("  none of the variables below\n");
    }
    format!("Set here:\n{lines}")
}

/// What stands behind the name of a variable that is set.
fn shown_value(row: &Variable, value: &OsStr) -> String {
    match (row.role, value.to_str()) {
        (_, Some("")) => " is empty".to_owned(),
        (Role::Secret, _) => " is set, and secret".to_owned(),
        (_, None) => " is not UTF-8".to_owned(),
        (
            Role::Binds
            | Role::Chooses
            | Role::Consents
            | Role::Decides
            | Role::Places
            | Role::Plain
            | Role::Routes
            | Role::Runs,
            Some(value),
        ) => {
            format!("={}", excerpt(&without_password(value)).escape_debug())
        }
    }
}

/// `value` without the user and password that a URL in it may have.
fn without_password(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("://") {
        let end = after.find(|c: char| "/?#,".contains(c) || c.is_whitespace());
        let (authority, tail) = after.split_at(end.unwrap_or(after.len()));
        let host = authority.rsplit_once('@').map(|(_, host)| format!("***@{host}"));
        let host = host.unwrap_or_else(|| authority.to_owned());
        // Writing to a string cannot fail.
        let _written = write!(out, "{before}://{host}");
        rest = tail;
    }
    out + rest
}

/// The table as text: each variable with what it does and an example.
fn table() -> String {
    let flags = flags();
    let mut text = String::from(
        "Flags win over variables. An empty AMBISIGN_* variable counts as not set. Switches are \
         `true` or `false`.\n",
    );
    for section in SECTIONS.iter() {
        // Writing to a string cannot fail.
        let _written = write!(text, "\n{}:\n", section.title);
        for row in &section.variables {
            let mark = match row.role {
                Role::Binds => "  [names a server that gets a credential of the platform]",
                Role::Chooses => "  [chooses an identity or a login]",
                Role::Consents => "  [consents to what becomes public]",
                Role::Places => "  [decides where signatures are stored]",
                Role::Plain => "",
                Role::Routes => "  [chooses the way to a server]",
                Role::Runs => "  [decides which programs run]",
                Role::Secret => "  [secret]",
                Role::Decides => "  [decides who gets the token]",
            };
            let help = flags.get(row.name).map(|help| format!(": {help}")).unwrap_or_default();
            // Writing to a string cannot fail.
            let _written = write!(
                text,
                "  {}{mark}\n      {}{help}\n      e.g. {}\n",
                row.name, row.meaning, row.example
            );
        }
    }
    text
}

/// The help of each flag of `sign`, without the name of its variable, by that name.
fn flags() -> BTreeMap<String, String> {
    let cli = Cli::command();
    let sign = cli.find_subcommand("sign").into_iter();
    sign.flat_map(clap::Command::get_arguments)
        .filter_map(|arg| {
            let variable = variable_of(arg.get_long()?);
            let help = arg.get_help()?.to_string();
            let help = help.replace(&format!("(${variable})"), "");
            Some((variable, help.trim_end().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ambisign_host::Env;

    use super::{set, table};

    #[test]
    fn tells_what_each_variable_decides() {
        let table = table();
        assert!(table.contains("\n  SSL_CERT_FILE  [decides who gets the token]\n"));
        assert!(table.contains("\n  AMBISIGN_YES  [consents to what becomes public]\n"));
        assert!(table.contains("      `--yes`: The same as `--allow-private-repository`"));
    }

    #[test]
    fn shows_what_is_set_and_no_secret() {
        let env: Env = [
            ("AMBISIGN_IMAGES", "a\nb"),
            ("AMBISIGN_JOBS", ""),
            ("AMBISIGN_REGISTRY_PASWORD", "hunter22"),
            ("AMBISIGN_TSA_URL", "https://me:hunter22@tsa.example/x@y"),
            ("EDITOR", "vi"),
            ("GITHUB_TOKEN", "hunter22"),
            ("https_proxy", "http://me:hunter22@proxy.example:3128"),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            set(&env),
            "Set here:\n  \
             AMBISIGN_IMAGES=a\\nb\n  \
             AMBISIGN_JOBS is empty\n  \
             AMBISIGN_REGISTRY_PASWORD is not read: no variable has this name\n  \
             AMBISIGN_TSA_URL=https://***@tsa.example/x@y\n  \
             GITHUB_TOKEN is set, and secret\n  \
             https_proxy=http://***@proxy.example:3128\n"
        );
    }
}
