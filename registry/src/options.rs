// SPDX-License-Identifier: Apache-2.0
//! The options of registries.

use std::collections::BTreeSet;

use ambisign_host::Token;
use ambisign_providers::Realm;

use crate::reference::Reference;

/// The options of registries, which take precedence over every file and variable.
#[derive(Debug, Default)]
pub struct RegistryOptions {
    /// The user name.
    pub username: Option<String>,
    /// The password for the user name.
    pub password: Option<Token>,
    /// A bearer token for the registry itself.
    pub token: Option<Token>,
    /// The repository for the signatures of all images, instead of each image's own. Its tag is ignored.
    pub signatures: Option<Reference>,
    /// The registries that may use plain HTTP.
    pub plain_http: PlainHttp,
    /// The GitLab whose registry may receive the password of the job.
    pub realm: Realm,
}

/// The registries that may use plain HTTP, in addition to those on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// Those that answer TLS with plain HTTP.
    IfNoTls,
    /// These, by host and port in the form used in images.
    Named(BTreeSet<String>),
    /// None.
    #[default]
    Never,
}
