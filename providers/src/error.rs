// SPDX-License-Identifier: Apache-2.0
//! The common error of all providers.

use std::borrow::Cow;
use std::fmt;

use ambisign_host::{Class, Explain};

/// There is no token.
///
/// Its code, fix and class come from [`Explain`]; [`Error::get`] returns the error of a provider. It has
/// no variants, so that providers can have their own errors without a change here.
pub struct Error(Box<dyn Explain + Send + Sync>);

impl Error {
    /// Wraps the error of a provider.
    pub fn new(error: impl Explain + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// The error of a provider, such as [`crate::github::Error`], if it has that type.
    pub fn get<E: std::error::Error + 'static>(&self) -> Option<&E> {
        let error: &(dyn std::error::Error + 'static) = self.0.as_ref();
        error.downcast_ref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Explain for Error {
    fn code(&self) -> Cow<'static, str> {
        self.0.code()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        self.0.fix()
    }

    fn class(&self) -> Class {
        self.0.class()
    }
}
