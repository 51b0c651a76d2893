// SPDX-License-Identifier: Apache-2.0
//! Fuzz targets: one function for each parser of foreign bytes, which checks its properties; seed
//! inputs; and changes to bundles. `fuzz_targets/` passes the functions to libFuzzer, and
//! `tests/fuzz.rs` runs them in the normal suite.

pub mod bend;
pub mod der;
pub mod holds;
pub mod meaning;
pub mod seeds;
pub mod targets;
pub mod vectors;

/// One parser with its properties, which must hold for any bytes. A panic is a finding.
pub struct Target {
    /// The name of its file in `fuzz_targets/`.
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
    lookalike,
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

/// Reads the vectors in advance, so that this does not count as time of the first input.
pub fn prepare() {
    let _vectors = vectors::all();
}
