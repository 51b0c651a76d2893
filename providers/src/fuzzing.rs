// SPDX-License-Identifier: Apache-2.0
//! A door for tests: errors that no test can provoke.

use ambisign_host::{HttpError, SettingNames};

use crate::RequestError;

/// What a provider makes of `http`, in a program whose settings have these `names`.
pub fn request_error(http: HttpError, names: SettingNames) -> RequestError {
    RequestError::new(http, names)
}
