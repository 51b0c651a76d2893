// SPDX-License-Identifier: Apache-2.0
//! The command line for clap: only names and help.
//!
//! Values stay text, because [`crate::settings`] parses flags and variables with the same functions,
//! which give the same errors.

mod attach;
mod blob;
mod bundles;
mod command;
pub mod cosign;
mod doctor;
mod groups;
mod inputs;
mod read;
mod requirements;
mod sign;
mod trust;
pub mod variables;
mod verify;
pub(crate) mod warnings;

pub use self::attach::AttachArgs;
pub use self::blob::SignBlobArgs;
pub use self::bundles::BundleArgs;
pub use self::command::{Cli, Command};
pub use self::groups::{IdentityArgs, RegistryArgs, RunArgs, ServiceArgs, SigningArgs, TrustArgs};
pub use self::inputs::InputArgs;
pub use self::read::{Attempt, Unread, read};
pub(crate) use self::read::{CODES, misuse};
pub use self::requirements::{EvidenceArgs, JobArgs};
pub use self::sign::SignArgs;
pub use self::trust::{CreateArgs, ShowArgs, TrustCommand, UpdateArgs};
pub use self::verify::{SignerArgs, VerifyArgs, VerifyBlobArgs};

/// Examples precede the options, because they are all that most readers need.
const TEMPLATE: &str = "\
{about-with-newline}
{before-help}{usage-heading} {usage}

{all-args}{after-help}
";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;
    use crate::cli::variables::VARIABLES;

    #[test]
    fn is_consistent() {
        Cli::command().debug_assert();
    }

    /// Every flag of `sign` has a variable, which its help names and the table explains.
    #[test]
    fn flags_name_their_variables() {
        let cli = Cli::command();
        let sign = cli.find_subcommand("sign").unwrap();
        for flag in sign.get_arguments().filter_map(|arg| Some((arg, arg.get_long()?))) {
            let (arg, name) = flag;
            if name == "help" {
                continue;
            }
            let variable = crate::cli::variables::variable_of(name);
            assert!(
                VARIABLES.iter().any(|row| row.name == variable),
                "{variable} is not in the table"
            );
            let help = arg.get_help().unwrap().to_string();
            assert!(help.contains(&format!("(${variable})")), "--{name}: {help}");
        }
    }
}
