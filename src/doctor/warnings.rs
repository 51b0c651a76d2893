// SPDX-License-Identifier: Apache-2.0
//! Warnings that only `doctor` gives.

use ambisign_host::codes;

codes! {
    /// The warnings that only `doctor` gives.
    pub(crate) WARNINGS {
        pub(super) CLOCK = "identity/clock" {
            what: "The clock of this machine differs from that of a service.",
            why: "Tokens and certificates live for minutes, so even a small difference can end a run.",
            advice: "Set the clock, preferably with NTP.",
        },
        pub(super) ENDS_SOON = "trust/ends-soon" {
            what: "Some trust material is valid for a short time only.",
            why: "`doctor` looks ahead: after that time signing stops.",
            advice: "Get the newer one in time, or inform the operators of the instance.",
        },
    }
}
