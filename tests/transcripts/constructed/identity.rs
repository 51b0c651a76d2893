// SPDX-License-Identifier: Apache-2.0
//! Providers and their tokens: Google's services, and what depends on the machine.

use std::time::Duration;

use ambisign_host::file::Distrust;
use ambisign_providers::google::{adc, service_account};
use ambisign_providers::{ChooseError, Names};
use ambisign_providers::{env_var, file, gce, impersonation};
use ambisign_sigstore::identity::IdentityError;

use super::{Error, boxed};

/// The flags of the program.
const NAMES: Names = Names {
    provider: "--oidc-provider",
    token: "--identity-token",
    token_file: "--identity-token-file",
    disable_ambient: "--oidc-disable-ambient-providers",
    require_identity: Some("--require-identity"),
    realm: Some("--require-issuer"),
};

const ACCOUNT: &str = "signer@acme.iam.gserviceaccount.com";

/// Every error of this part.
pub(super) fn all() -> Vec<Error> {
    [choice(), metadata(), iam(), key(), token()].into_iter().flatten().collect()
}

/// What the choice of a provider, a variable or a file says.
fn choice() -> Vec<Error> {
    vec![
        boxed(env_var::Error::NotText { variable: "SIGSTORE_ID_TOKEN".to_owned() }),
        boxed(file::Error::Exposed { from: "the token file `/run/token`".to_owned() }),
        boxed(file::Error::OtherOwner {
            from: "the token file `/run/token`".to_owned(),
            owner: 1000,
        }),
        boxed(adc::Error::NotTrusted {
            path: "/etc/google/key.json".into(),
            doubt: Distrust::OtherOwner(1000),
        }),
        boxed(file::Error::Silent { limit: Duration::from_secs(30) }),
        boxed(file::Error::Terminal),
        // Settings refuse it before.
        boxed(ChooseError::Excluded { name: "gitlab", settings: &NAMES }),
        // What it says depends on the machine: a container, a cloud.
        boxed(ChooseError::NoIdentity {
            looked: vec!["SIGSTORE_ID_TOKEN".to_owned(), "github-actions".to_owned()],
            recognised: Vec::new(),
            contained: false,
            pod: None,
            variable: "SIGSTORE_ID_TOKEN".to_owned(),
            settings: &NAMES,
        }),
    ]
}

/// What the metadata server of a Google machine says.
fn metadata() -> Vec<Error> {
    let account = || ACCOUNT.to_owned();
    vec![
        boxed(gce::Error::DefaultBuildAccount),
        boxed(gce::Error::NoIdentity { account: account() }),
        boxed(gce::Error::NotGranted { account: account() }),
        boxed(gce::Error::NotImpersonable { account: account() }),
        boxed(gce::Error::NotLinked {
            audience: "sigstore".to_owned(),
            file: "/var/run/sigstore/cosign/oidc-token".to_owned(),
        }),
    ]
}

/// What IAM says about impersonation.
fn iam() -> Vec<Error> {
    use impersonation::Error as Iam;
    let (account, caller) = (ACCOUNT.to_owned(), "build@acme.iam.gserviceaccount.com".to_owned());
    let excerpt = || "Permission denied".to_owned();
    vec![
        boxed(Iam::Api { excerpt: excerpt() }),
        boxed(Iam::Denied { account: account.clone(), caller: caller.clone(), excerpt: excerpt() }),
        boxed(Iam::Empty { account: account.clone() }),
        boxed(Iam::NotFound { account }),
        boxed(Iam::Refused { status: 400, excerpt: excerpt() }),
        boxed(Iam::Scope { caller }),
        boxed(Iam::Unreadable { shape: "12 bytes of \"text/html\"".to_owned() }),
    ]
}

/// What Google's token endpoint says about a key of a service account.
fn key() -> Vec<Error> {
    use service_account::Error as Key;
    let excerpt = || "invalid_grant: Invalid JWT Signature.".to_owned();
    vec![
        boxed(Key::Empty),
        boxed(Key::InvalidGrant {
            account: ACCOUNT.to_owned(),
            key_id: "0123456789abcdef".to_owned(),
            excerpt: excerpt(),
        }),
        boxed(Key::Refused { status: 403, excerpt: excerpt() }),
        boxed(Key::Unreadable { shape: "12 bytes of \"text/html\"".to_owned() }),
    ]
}

/// What is found out about a token while a long run goes on.
fn token() -> Vec<Error> {
    vec![
        boxed(IdentityError::Changed {
            what: "sub",
            found: "repo:acme/web:ref:refs/heads/main".to_owned(),
            before: "repo:acme/app:ref:refs/heads/main".to_owned(),
        }),
        boxed(IdentityError::Outlived),
    ]
}
