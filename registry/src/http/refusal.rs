// SPDX-License-Identifier: Apache-2.0
//! The errors of a registry that refuses: its name, its answer, and the credential that was used.

use ambisign_host::Answer;

use crate::error::Error;
use crate::hints::{Login, UPLOAD};
use crate::http::connection::Connection;
use crate::login::keychain::Resolved;

/// Returns `true` if the body of `answer` contains `text`, such as an error code (OCI distribution specification,
/// "Error Codes").
pub(crate) fn says(answer: &Answer, text: &str) -> bool {
    String::from_utf8_lossy(&answer.body).contains(text)
}

impl Connection<'_> {
    /// The error of a denied read.
    pub(crate) fn unauthorized(&self, answer: &Answer) -> Error {
        Error::Unauthorized {
            repository: self.name(),
            status: answer.status,
            excerpt: answer.excerpt(&self.host.net),
            credential: self.credential_used(),
            login: self.login(),
        }
    }

    /// The error of a denied upload session, before anything was signed.
    pub(crate) fn push_denied(&self, answer: &Answer) -> Error {
        if !matches!(answer.status.as_u16(), 401 | 403) {
            return self.refused(UPLOAD, answer);
        }
        Error::PushDenied {
            repository: self.name(),
            status: answer.status,
            excerpt: answer.excerpt(&self.host.net),
            credential: self.credential_used(),
            login: self.login(),
        }
    }

    /// The error of a refused request for `what`.
    pub(crate) fn refused(&self, what: impl Into<String>, answer: &Answer) -> Error {
        Error::Refused {
            repository: self.name(),
            what: what.into(),
            status: answer.status,
            excerpt: answer.excerpt(&self.host.net),
            credential: self.credential_used(),
        }
    }

    /// The error of pushed content that the registry does not serve unchanged.
    pub(crate) fn read_back_error(&self, digest: &str, why: String) -> Error {
        Error::ReadBack { reference: format!("{}@{digest}", self.name()), why }
    }

    /// The credential that was used, as the end of a sentence.
    pub(crate) fn credential_used(&self) -> String {
        let found = self.repository.found();
        let remark = found.as_ref().map_or("", |found| &found.remark).to_owned();
        match found.map(|found| found.credential) {
            Some(Some(credential)) if self.repository.used_login() => {
                format!("with the credential of {}", credential.source)
            }
            Some(Some(credential)) => format!(
                "without a credential: the registry asked for none, although there is that of {}",
                credential.source
            ),
            Some(None) if self.repository.plan.looked.is_empty() => {
                "without a credential: there was nowhere to look for one".to_owned()
            }
            Some(None) => format!(
                "without a credential: there is none in {}{remark}",
                self.repository.plan.looked.join(", ")
            ),
            None => "without credentials: none were requested".to_owned(),
        }
    }

    /// The login, for fixes.
    fn login(&self) -> Login {
        match self.repository.found() {
            Some(Resolved { credential: None, .. }) if self.repository.plan.has_scopes => {
                Login::Scoped
            }
            Some(Resolved { credential: None, .. }) => Login::Missing,
            Some(_) | None => Login::Given,
        }
    }
}
