// SPDX-License-Identifier: Apache-2.0
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ambisign_fuzz::prepare(),
    |bytes: &[u8]| ambisign_fuzz::targets::lookalike(bytes)
);
