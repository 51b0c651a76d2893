// SPDX-License-Identifier: Apache-2.0
//! Google's credential files.
//!
//! Such a file contains an identity for calls to Google, and many tools put one into the environment. So
//! it is not used by default: its account becomes the identity only if this provider is requested by
//! name.

pub mod adc;
pub mod service_account;

use ambisign_host::{Host, Token};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::{Decides, Detection, Error, Kind, Options, Provider, Source, Variable};

/// The name of this provider.
pub(crate) const NAME: &str = "google-adc";

pub(crate) const PROVIDER: Provider = Provider {
    name: NAME,
    variables: &[
        Variable::mark(
            "GOOGLE_APPLICATION_CREDENTIALS",
            "/etc/google/key.json",
            "Google Cloud: the caller's own credentials",
        ),
        Variable::read(
            "CLOUDSDK_CONFIG",
            "/root/.config/gcloud",
            "Google Cloud: the folder of the default credentials",
        )
        .decides(Decides::Identity),
    ],
    secrets: &[],
    errors: &[adc::Error::TABLE, service_account::Error::TABLE],
    kind: Kind::Asked,
    detect,
};

struct KeyFile(service_account::Key);

impl Source for KeyFile {
    fn token<'a>(
        &'a self,
        host: &'a Host,
        audience: &'a str,
    ) -> BoxFuture<'a, Result<Token, Error>> {
        async { Ok(self.0.identity_token(host, audience).await?) }.boxed()
    }

    fn renewable(&self) -> bool {
        true
    }
}

fn detect(host: &Host, options: &Options) -> Detection {
    if !options.requests(NAME) {
        return Detection::Absent;
    }
    match adc::key(host, options) {
        Ok(Some(key)) => Detection::Ready(Box::new(KeyFile(key))),
        Ok(None) => Detection::Absent,
        Err(error) => Detection::Broken(error),
    }
}
