// SPDX-License-Identifier: Apache-2.0
//! Warnings about settings.

use ambisign_host::codes;

codes! {
    /// The warnings about settings.
    pub(crate) WARNINGS {
        pub(crate) COMMA = "settings/comma" {
            what: "The value of an annotation contains a comma and looks like several annotations.",
            why: "cosign splits `-a` at commas; ambisign signs everything after the first `=` as the value.",
            advice: "Use a separate flag for each annotation.",
        },
        pub(crate) TOKEN_IN_ARGUMENTS = "settings/token-in-arguments" {
            what: "The command line contains the identity token.",
            why: "Every process on the machine can read it.",
            advice: "Use a file or `SIGSTORE_ID_TOKEN`.",
        },
        pub(crate) UNREAD_VARIABLE = "settings/unread-variable" {
            what: "A variable is set that another Sigstore client reads, but ambisign does not.",
            why: "cosign reads every flag from a variable, so another job could change a signature unnoticed.",
            advice: "Use the name in the message, or unset the variable.",
        },
        pub(crate) UNUSED = "settings/unused" {
            what: "A setting has no effect.",
            why: "It belongs to another Sigstore client and is accepted for compatibility.",
            advice: "Nothing; or remove the setting.",
        },
    }
}
