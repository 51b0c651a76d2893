// SPDX-License-Identifier: Apache-2.0
//! What a caller says about registries.

use std::collections::BTreeSet;

use ambisign_host::Token;

use crate::reference::Reference;

/// What the flags say about registries. They beat every file and variable.
#[derive(Debug, Default)]
pub struct RegistryOptions {
    /// The user name.
    pub username: Option<String>,
    /// The password that goes with the user name.
    pub password: Option<Token>,
    /// A bearer token for the registry itself.
    pub token: Option<Token>,
    /// The repository that has the signatures of all images, instead of the image's own. Its tag does
    /// not count.
    pub signatures: Option<Reference>,
    /// Which registries may be spoken to in plain HTTP.
    pub plain_http: PlainHttp,
}

/// Which registries may be spoken to in plain HTTP, beside those on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// Those that answer TLS with plain HTTP.
    IfNoTls,
    /// These, by host and port as an image names them.
    Named(BTreeSet<String>),
    /// None.
    #[default]
    Never,
}
