// SPDX-License-Identifier: Apache-2.0
//! Why no provider could be chosen.

use std::borrow::Cow;

use ambisign_host::{Class, Explain};

use crate::{Names, PlatformHint};

/// Why no provider could be chosen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChooseError {
    /// Several are ready, and none comes before the others.
    #[error("more than one identity can be used here: {}", quoted(names))]
    Ambiguous {
        /// Their names.
        names: Vec<&'static str>,
        /// What the program calls its settings.
        settings: &'static Names,
    },
    /// Nothing was handed over, and nothing else may be used.
    #[error("no token was given, and ambient providers are switched off")]
    Disabled {
        /// The variable that can hold one.
        variable: String,
        /// What the program calls its settings.
        settings: &'static Names,
    },
    /// One ambient provider is requested, and all are switched off.
    #[error("`{name}` is requested, and ambient providers are switched off")]
    Excluded {
        /// The provider.
        name: &'static str,
        /// What the program calls its settings.
        settings: &'static Names,
    },
    /// None of them is here.
    #[error(
        "no identity was found: looked for {}{}",
        quoted(looked),
        seen_too(recognised)
    )]
    NoIdentity {
        /// What was looked for.
        looked: Vec<String>,
        /// Platforms that were recognised and cannot give a token by themselves.
        recognised: Vec<PlatformHint>,
        /// Whether this is a container that may lack the variables of its CI job.
        contained: bool,
        /// The token that could be mounted; nothing outside of a pod of Kubernetes.
        pod: Option<Box<PodToken>>,
        /// The variable that can hold a token.
        variable: String,
        /// What the program calls its settings.
        settings: &'static Names,
    },
    /// The one that is requested is not here.
    #[error("`{name}` is requested, and is not here")]
    NotDetected {
        /// The provider.
        name: &'static str,
        /// The variables and files by which it is found.
        marks: Vec<String>,
        /// What the program calls its settings.
        settings: &'static Names,
    },
    /// No provider has the name that is requested.
    #[error("there is no provider {name:?}")]
    UnknownName {
        /// What was requested.
        name: String,
        /// The names that there are.
        known: Vec<&'static str>,
    },
}

fn quoted(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    format!("`{}`", names.join("`, `"))
}

fn seen_too(platforms: &[PlatformHint]) -> String {
    let names: Vec<&str> = platforms.iter().map(|platform| platform.name).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("; here is {}", names.join(", "))
    }
}

/// A token that a pod of Kubernetes can have mounted.
#[derive(Debug)]
pub struct PodToken {
    /// Where.
    pub file: String,
    /// For whom.
    pub audience: String,
}

impl Explain for ChooseError {
    fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Ambiguous { .. } => "provider/ambiguous",
            Self::Disabled { .. } => "provider/disabled",
            Self::Excluded { .. } => "provider/excluded",
            Self::NoIdentity { .. } => "provider/no-identity",
            Self::NotDetected { .. } => "provider/not-detected",
            Self::UnknownName { .. } => "provider/unknown-name",
        }
        .into()
    }

    fn fix(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Ambiguous { names, settings } => {
                let ways: Vec<String> = names.iter().map(|name| settings.request(name)).collect();
                format!("choose one with {}", ways.join(" or ")).into()
            }
            Self::Disabled { variable, settings } => {
                format!("set `{variable}`, or give `{}`", settings.token_file).into()
            }
            Self::Excluded { settings, .. } => format!(
                "drop `{}` or `{}`",
                settings.provider, settings.disable_ambient
            )
            .into(),
            Self::NoIdentity {
                recognised,
                contained,
                pod,
                variable,
                settings,
                ..
            } => match (recognised.first(), pod.as_deref()) {
                (Some(platform), _) => platform.fix.clone().into(),
                (None, Some(PodToken { file, audience })) => format!(
                    "mount a projected service account token with audience `{audience}` at `{file}` \
                     (a volume `projected` with `serviceAccountToken`), or set `{variable}`"
                )
                .into(),
                (None, None) if *contained => format!(
                    "set `{variable}`, or pass the variables of the CI job on into this container \
                     (for GitHub `docker run -e ACTIONS_ID_TOKEN_REQUEST_URL -e \
                     ACTIONS_ID_TOKEN_REQUEST_TOKEN`)"
                )
                .into(),
                (None, None) => format!(
                    "run in a CI job that may request tokens, set `{variable}`, or give `{}`",
                    settings.token_file
                )
                .into(),
            },
            Self::NotDetected {
                marks, settings, ..
            } => format!(
                "drop `{}`, or run where there is one of {}",
                settings.provider,
                quoted(marks)
            )
            .into(),
            Self::UnknownName { known, .. } => format!("use one of {}", quoted(known)).into(),
        })
    }

    fn class(&self) -> Class {
        match self {
            Self::Excluded { .. } | Self::UnknownName { .. } => Class::Usage,
            Self::Ambiguous { .. }
            | Self::Disabled { .. }
            | Self::NoIdentity { .. }
            | Self::NotDetected { .. } => Class::Identity,
        }
    }
}

impl From<ChooseError> for crate::Error {
    fn from(error: ChooseError) -> Self {
        Self::new(error)
    }
}
