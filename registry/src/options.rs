// SPDX-License-Identifier: Apache-2.0
//! The options of registries.

use std::collections::BTreeSet;

use ambisign_host::{Net, Token};
use ambisign_providers::Realm;

use crate::reference::Reference;

/// The options of registries, which take precedence over every file and variable.
#[derive(Debug, Default)]
pub struct RegistryOptions {
    /// A login for the registries; without it, those of Docker and Podman are used.
    pub login: Option<GivenLogin>,
    /// The repository for the signatures of all images, instead of each image's own. Its tag is ignored.
    pub signatures: Option<Reference>,
    /// The registries that may use plain HTTP.
    pub plain_http: PlainHttp,
    /// The GitLab whose registry may receive the password of the job.
    pub realm: Realm,
}

/// A login from the user, for instance from a flag.
#[derive(Debug)]
pub enum GivenLogin {
    /// User name and password.
    Password {
        /// The user name.
        username: String,
        /// The password.
        password: Token,
    },
    /// A bearer token for the registry itself.
    Token(Token),
}

impl RegistryOptions {
    /// Keeps the secret of the login out of every text that `net` redacts.
    pub fn guard_login(&self, net: &Net) {
        if let Some(GivenLogin::Password { password: secret, .. } | GivenLogin::Token(secret)) =
            &self.login
        {
            net.guard(secret.expose());
        }
    }
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
