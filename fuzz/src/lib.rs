// SPDX-License-Identifier: Apache-2.0
//! What is fuzzed: one function for each parser of foreign bytes, with what must hold of it; inputs to
//! begin with; and changes to bundles. `fuzz_targets/` gives the functions to libFuzzer, and
//! `tests/fuzz.rs` runs them in the normal suite.

pub mod bend;
pub mod der;
pub mod holds;
pub mod meaning;
pub mod seeds;
pub mod targets;
pub mod vectors;

/// One parser, and what must hold of it for any bytes: a panic is a finding.
pub struct Target {
    /// Its name: that of the file in `fuzz_targets/`.
    pub name: &'static str,
    /// The check.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        /// Every target.
        pub const TARGETS: &[Target] = &[
            $(Target { name: stringify!($name), run: targets::$name }),*
        ];
    };
}

targets![
    bundle,
    certificate,
    challenge,
    docker_config,
    fulcio_answer,
    image_list,
    image_reference,
    legacy_signature,
    log_entry,
    merkle,
    mutated_bundle,
    note,
    provider_answer,
    registry_answer,
    signing_config,
    statement,
    timestamp,
    token,
    trusted_root,
    tuf_metadata,
];

/// Reads the vectors, so that the first input is not blamed for it.
pub fn prepare() {
    let _vectors = vectors::all();
}
