// SPDX-License-Identifier: Apache-2.0
//! Whether a fresh signing certificate is to be believed.

use std::time::Duration;

use super::signing::{CertificateError, LONGEST_LIFE, SigningCertificate};
use super::{chain, sct};
use crate::trust::TrustedRoot;

/// How much earlier than the certificate its SCT may be: two clocks of one instance made them.
const SKEW: Duration = Duration::from_secs(60);

impl SigningCertificate {
    /// Whether a fresh certificate is to be believed: issued by an authority of `root`, and, where
    /// `root` requires that, promised to be published by a certificate transparency log of `root`.
    /// Everything is judged at the time of that promise (SCT), without one at the beginning of the
    /// certificate, never by the clock of this machine. Where `root` is the public instance's, it
    /// lives as short as certificates do there.
    ///
    /// # Errors
    /// What is missing.
    pub fn trusted(&self, root: &TrustedRoot) -> Result<(), CertificateError> {
        self.short_lived(root)?;
        let promised = sct::verify(self, chain::issuer(self, root)?, root)?;
        let promised = promised.unwrap_or_else(|| self.not_before());
        let early = self.not_before().duration_since(promised);
        let at = match early {
            Ok(early) if early <= SKEW => self.not_before(),
            Ok(_) | Err(_) => promised,
        };
        chain::verify(self, root, at)?;
        Ok(())
    }

    fn short_lived(&self, root: &TrustedRoot) -> Result<(), CertificateError> {
        let life = self.not_after().duration_since(self.not_before());
        match life.unwrap_or_default() {
            life if life > LONGEST_LIFE && root.is_public() => {
                Err(CertificateError::Lifetime { life })
            }
            _ => Ok(()),
        }
    }
}
