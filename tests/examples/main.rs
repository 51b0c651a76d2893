// SPDX-License-Identifier: Apache-2.0
//! The examples that people copy, run as their platforms run them: the commands are taken out of the
//! files, the program is that of the container image, the images are pushed to registries by their
//! public names, and what the file says to a consumer is run by cosign and by ambisign.
//!
//! Other programs of the platforms (docker, agents, gcloud) are stood in for by the scripts of
//! `stand-ins/`. Nothing of an example is edited; a digest takes the place of `sha256:...`, and flags of
//! the test after a command say whom to believe, because the stack is not the public instance.
#![expect(
    clippy::unwrap_used,
    reason = "helpers outside of `#[test]` functions stop when they cannot go on"
)]

#[path = "../common/mod.rs"]
mod common;

mod cloud_build;
mod example;
mod forms;
mod place;
mod platforms;
mod traps;
