// SPDX-License-Identifier: Apache-2.0
//! Logins: where they are, and what they are.

mod buildx;
pub(crate) mod credential;
pub(crate) mod docker_config;
pub(crate) mod error;
mod helper;
pub(crate) mod keychain;
mod said;
