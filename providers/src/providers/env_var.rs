// SPDX-License-Identifier: Apache-2.0
//! A token in a dedicated environment variable.

use ambisign_host::{Host, Token, errors};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use crate::{Detection, Kind, Options, Provider, Source};

/// The options name the variables.
pub(crate) const PROVIDER: Provider = Provider {
    name: "envvar",
    variables: &[],
    secrets: &[],
    errors: &[Error::TABLE],
    kind: Kind::Explicit,
    detect,
};

errors! {
    /// A token variable is unusable.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("`{first}` and `{second}` contain different tokens")]
        Disagree { first: String, second: String } = "env-var/disagree", Identity {
            what: "Two token variables hold different tokens.",
            why: "An image, a template or an earlier step set the other one. It is unclear which one is meant.",
            advice: "Unset the wrong one of the two.",
        },
        #[error("`{variable}` is set but empty")]
        Empty { variable: String } = "env-var/empty", Identity {
            fix: format!("define what should fill `{variable}` for this job, or unset it"),
            what: "A token variable is set but empty.",
            why: "A missing secret, for example in a pull request from a fork, becomes an empty variable.",
            advice: "Define the value of the variable for this job, or unset it to use another identity.",
        },
        #[error("`{variable}` is not text")]
        NotText { variable: String } = "env-var/not-text", Identity {
            fix: format!("set `{variable}` to the token itself, or unset it"),
            what: "A token variable is not text.",
            why: "It contains a binary file or an encrypted value.",
            advice: "Set the variable to the token itself: three parts separated by dots.",
        },
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

/// A token that is already known.
pub(crate) struct Held {
    /// The token.
    pub(crate) token: Token,
    /// The variable or setting that has it.
    pub(crate) place: String,
}

impl Source for Held {
    fn token<'a>(
        &'a self,
        _host: &'a Host,
        _audience: &'a str,
    ) -> BoxFuture<'a, Result<Token, crate::Error>> {
        ready(Ok(self.token.copy())).boxed()
    }

    fn renewable(&self) -> bool {
        false
    }

    fn place(&self) -> Option<String> {
        Some(format!("`{}`", self.place))
    }
}

pub(crate) fn detect(host: &Host, options: &Options) -> Detection {
    match read(host, &options.token_variables) {
        Ok(Some((place, token))) => {
            Detection::Ready(Box::new(Held { token, place: place.clone() }))
        }
        Ok(None) => Detection::Absent,
        Err(error) => Detection::Broken(error.into()),
    }
}

fn read<'v>(host: &Host, variables: &'v [String]) -> Result<Option<(&'v String, Token)>, Error> {
    let mut found: Option<(&String, Token)> = None;
    for variable in variables {
        let Some(value) = host.env.raw(variable) else {
            continue;
        };
        let fault = || variable.clone();
        let text = value.to_str().ok_or_else(|| Error::NotText { variable: fault() })?;
        let token = Token::new(text).ok_or_else(|| Error::Empty { variable: fault() })?;
        host.net.guard(token.expose());
        match &found {
            None => found = Some((variable, token)),
            Some((_, known)) if known.expose() == token.expose() => {}
            Some((first, _)) => {
                return Err(Error::Disagree { first: (*first).clone(), second: fault() });
            }
        }
    }
    Ok(found)
}
