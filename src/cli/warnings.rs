// SPDX-License-Identifier: Apache-2.0
//! Warnings about settings that can be used.

use ambisign_host::codes;

codes! {
    /// The warnings about settings.
    pub(crate) WARNINGS {
        /// An annotation looks like several.
        pub(crate) COMMA = "settings/comma" {
            what: "The value of an annotation has a comma and looks like several annotations.",
            why: "cosign takes one `-a` apart at commas; ambisign signs everything after the first `=` as the value.",
            advice: "Give each annotation a flag of its own.",
        },
        /// The identity token stands on the command line.
        pub(crate) TOKEN_IN_ARGUMENTS = "settings/token-in-arguments" {
            what: "The identity token stands on the command line.",
            why: "Every process of the machine can read that.",
            advice: "Use a file or `SIGSTORE_ID_TOKEN`.",
        },
        /// A variable of another client has no effect.
        pub(crate) UNREAD_VARIABLE = "settings/unread-variable" {
            what: "A variable is set that another Sigstore client reads, and ambisign does not.",
            why: "cosign takes every flag from a variable, and so any job could change a signature unseen.",
            advice: "Use the name that the message gives, or unset it.",
        },
        /// A setting changes nothing.
        pub(crate) UNUSED = "settings/unused" {
            what: "A setting is accepted and changes nothing.",
            why: "It is one of another Sigstore client.",
            advice: "Leave it out when you like.",
        },
    }
}
