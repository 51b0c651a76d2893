// SPDX-License-Identifier: Apache-2.0
//! The errors of all stages of the pipeline.

use ambisign_host::errors;
use ambisign_sigstore::credential::SignError;
use ambisign_sigstore::identity::IdentityError;
use ambisign_sigstore::{fulcio, preflight, trust, verify, witness};

use super::{blob, bundle_dir};
use crate::outcome::exit::RunError;
use crate::settings::SettingsError;
use crate::{images, verification};

errors! {
    /// A run failed, or one image of it is not signed.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// A file cannot be read, or its bundle cannot be written.
        #[error(transparent)]
        Blob(#[from] error: blob::Error) = of error,
        /// There is no usable certificate.
        #[error(transparent)]
        Fulcio(#[from] error: fulcio::Error) = of error,
        /// The token does not have a usable identity.
        #[error(transparent)]
        Identity(#[from] error: IdentityError) = of error,
        /// The names of images are invalid.
        #[error(transparent)]
        Images(#[from] error: images::Error) = of error,
        /// The trusted root is not that of the services.
        #[error(transparent)]
        Preflight(#[from] error: preflight::Error) = of error,
        /// There is no token.
        #[error(transparent)]
        Provider(#[from] error: ambisign_providers::Error) = of error,
        /// The registry fails or refuses.
        #[error(transparent)]
        Registry(#[from] error: ambisign_registry::Error) = of error,
        /// The run itself failed.
        #[error(transparent)]
        Run(#[from] error: RunError) = of error,
        /// The command line or a variable is wrong.
        #[error(transparent)]
        Settings(#[from] error: SettingsError) = of error,
        /// A bundle cannot be written to the requested place.
        #[error(transparent)]
        BundleDir(#[from] error: bundle_dir::Error) = of error,
        /// Signing failed.
        #[error(transparent)]
        Sign(#[from] error: SignError) = of error,
        /// The trust material is not usable.
        #[error(transparent)]
        Trust(#[from] error: trust::Error) = of error,
        /// A signature could not be verified.
        #[error(transparent)]
        Verification(#[from] error: verification::Error) = of error,
        /// The finished bundle does not verify.
        #[error(transparent)]
        Verify(#[from] error: verify::Error) = of error,
        /// There is no timestamp or no log entry.
        #[error(transparent)]
        Witness(#[from] error: witness::Error) = of error,
    }
}
