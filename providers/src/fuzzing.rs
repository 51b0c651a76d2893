// SPDX-License-Identifier: Apache-2.0
//! Access for tests to errors that they cannot provoke.

use ambisign_host::{HttpError, SettingNames};

use crate::RequestError;

/// The error of a provider for `http`, in a program with these `names` of settings.
pub fn request_error(http: HttpError, names: SettingNames) -> RequestError {
    RequestError::new(http, names)
}
