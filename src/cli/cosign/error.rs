// SPDX-License-Identifier: Apache-2.0
//! Why a command line of cosign is refused.

use ambisign_host::errors;

errors! {
    /// A flag of cosign that is refused. No value is in it.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// A flag of cosign that means nothing here, or nothing good.
        #[error("`--{name}` of cosign is refused")]
        CosignFlag {
            /// The flag.
            name: &'static str,
            /// What to do instead.
            fix: &'static str,
        } = "settings/cosign-flag", Usage {
            fix: *fix,
            what: "A flag of cosign was given that would ask for something else than ambisign does.",
            why: "Dropping it silently would sign in another way than you ask.",
            advice: "Do what the message says; `ambisign explain cosign` lists all flags of cosign.",
        },
        /// A secret would stand on the command line.
        #[error("`--{name}` is refused: other processes can read it from the command line")]
        SecretInArguments {
            /// The flag.
            name: &'static str,
            /// Where the secret goes.
            fix: &'static str,
        } = "settings/secret-in-arguments", Usage {
            fix: *fix,
            what: "A password or token stands on the command line.",
            why: "Every process of the machine can read that, and CI systems print it. It was not used.",
            advice: "Move it to the variable that the message names, and think of changing it.",
        },
    }
}
