// SPDX-License-Identifier: Apache-2.0
//! `env`: the variables that are read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::cli::variables::{Role, VARIABLES, variable_of};

/// The table as text: each variable with what it does and an example.
pub fn table() -> String {
    let flags = flags();
    let mut text = String::from(
        "Flags win over variables. An empty AMBISIGN_* variable counts as not set. Switches are \
         `true` or `false`.\n",
    );
    for row in VARIABLES.iter() {
        let mark = match row.role {
            Role::Consents => "  [consents to what becomes public]",
            Role::Places => "  [decides where signatures are stored]",
            Role::Plain => "",
            Role::Secret => "  [secret]",
            Role::Decides => "  [decides who gets the token]",
        };
        let help = flags
            .get(row.name)
            .map(|help| format!(": {help}"))
            .unwrap_or_default();
        // Writing to a string cannot fail.
        let _written = write!(
            text,
            "\n{}{mark}\n    {}{help}\n    e.g. {}\n",
            row.name, row.meaning, row.example
        );
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
    use super::table;

    #[test]
    fn tells_what_each_variable_decides() {
        let table = table();
        assert!(table.contains("\nSSL_CERT_FILE  [decides who gets the token]\n"));
        assert!(table.contains("\nAMBISIGN_YES  [consents to what becomes public]\n"));
        assert!(table.contains("    `--yes`: Consent to what becomes public"));
    }
}
