// SPDX-License-Identifier: Apache-2.0
//! The errors of translating a command line of cosign.

use ambisign_host::errors;

errors! {
    /// A flag of cosign is refused. The error contains no value.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("`--{name}` of cosign is refused")]
        CosignFlag { name: &'static str, fix: &'static str } = "settings/cosign-flag", Usage {
            fix: *fix,
            what: "A flag of cosign asks for something that ambisign does not do.",
            why: "Ignoring it would make another signature than you asked for.",
            advice: "Follow the fix in the message; `ambisign explain cosign` lists all flags of cosign.",
        },
        #[error("`--{name}` is refused: other processes can read it from the command line")]
        SecretInArguments { name: &'static str, fix: &'static str } = "settings/secret-in-arguments", Usage {
            fix: *fix,
            what: "The command line contains a password or token.",
            why: "Every process on the machine can read it, and CI systems print it. It was not used.",
            advice: "Move it to the variable that the message names, and consider replacing it.",
        },
    }
}
