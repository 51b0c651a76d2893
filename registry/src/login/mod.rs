// SPDX-License-Identifier: Apache-2.0
//! Logins for registries: their places and their forms.

mod buildx;
pub(crate) mod credential;
pub(crate) mod docker_config;
pub(crate) mod error;
mod helper;
pub(crate) mod keychain;
mod passed_on;
mod remark;
