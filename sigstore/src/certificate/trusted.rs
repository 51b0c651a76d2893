// SPDX-License-Identifier: Apache-2.0
//! Whether a signing certificate is to be believed, when it was just issued and when it has signed.

use std::time::SystemTime;

use super::lifetime::{self, Age};
use super::signing::{CertificateError, SigningCertificate};
use super::{chain, sct};
use crate::trust::TrustedRoot;

impl SigningCertificate {
    /// Whether a fresh certificate is to be believed: issued by an authority of `root`, and, where
    /// `root` requires that, promised to be published by a certificate transparency log of `root`.
    /// Everything is judged at the time of that promise (SCT), without one at the beginning of the
    /// certificate, never by the clock of this machine. It is short-lived; where `root` is the public
    /// instance's, as short as certificates are there.
    ///
    /// # Errors
    /// What is missing.
    pub fn trusted(&self, root: &TrustedRoot) -> Result<(), CertificateError> {
        lifetime::verify(self, root, Age::New)?;
        let promised = sct::verify(self, chain::issuer(self, root)?, root, None)?;
        // The promise may be a little older than the certificate, and it is not younger than its end.
        let at = promised.unwrap_or_else(|| self.not_before()).max(self.not_before());
        chain::verify(self, root, at)?;
        Ok(())
    }

    /// Whether the certificate is to be believed for a signature that existed at `proven` (client
    /// specification, 4.3): it was valid then, as were the authorities above it, and it was promised to
    /// be published before.
    ///
    /// # Errors
    /// What is missing.
    pub fn trusted_at(
        &self,
        root: &TrustedRoot,
        proven: SystemTime,
    ) -> Result<(), CertificateError> {
        let issuer = chain::verify(self, root, proven)?;
        lifetime::verify(self, root, Age::Any)?;
        sct::verify(self, issuer, root, Some(proven))?;
        Ok(())
    }
}
