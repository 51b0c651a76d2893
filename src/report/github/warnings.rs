// SPDX-License-Identifier: Apache-2.0
//! Warnings about the files that GitHub reads after the step.

use ambisign_host::codes;

codes! {
    /// The warnings about the files of the runner.
    pub(crate) WARNINGS {
        pub(super) OUTPUT = "github/output" {
            what: "An output of the step is too long and was left empty.",
            why: "GitHub takes 1 MiB of outputs from all steps of a job together.",
            advice: "Read the file that the output `result-file` names.",
        },
        pub(super) UNWRITTEN = "github/unwritten" {
            what: "A file of the runner could not be written: outputs, the summary or the whole result.",
            why: "The disk is full, the step runs as another user, or the file belongs to another step.",
            advice: "The images are signed all the same; look at what the message says of the file.",
        },
    }
}
