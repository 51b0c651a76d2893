// SPDX-License-Identifier: Apache-2.0
//! Why no provider could be chosen.

use ambisign_host::{codes, errors};

use crate::{Names, PlatformHint};

errors! {
    /// Why no provider could be chosen.
    #[derive(Debug, thiserror::Error)]
    pub enum ChooseError {
        /// Several are ready, and none comes before the others.
        #[error("more than one identity can be used here: {}", quoted(names))]
        Ambiguous {
            /// Their names.
            names: Vec<&'static str>,
            /// What the program calls its settings.
            settings: &'static Names,
        } = "provider/ambiguous", Identity {
            fix: one_of(names, settings),
            what: "More than one identity could be used.",
            why: "Two CI systems are detected at once, for example one that starts the other. None of them is preferred.",
            advice: "Request one of them by its name.",
        },
        /// Nothing was handed over, and nothing else may be used.
        #[error("no token was given, and ambient providers are switched off")]
        Disabled {
            /// The variable that can hold one.
            variable: String,
            /// What the program calls its settings.
            settings: &'static Names,
        } = "provider/disabled", Identity {
            fix: format!("set `{variable}`, or give `{}`", settings.token_file),
            what: "No token was given, and ambient providers are switched off.",
            why: "A setting allows nothing but a token that was given, or one in a token variable.",
            advice: "Give a token, or allow ambient providers.",
        },
        /// One ambient provider is requested, and all are switched off.
        #[error("`{name}` is requested, and ambient providers are switched off")]
        Excluded {
            /// The provider.
            name: &'static str,
            /// What the program calls its settings.
            settings: &'static Names,
        } = "provider/excluded", Usage {
            fix: format!("drop `{}` or `{}`", settings.provider, settings.disable_ambient),
            what: "A provider is requested, and ambient providers are switched off.",
            why: "The two settings contradict each other.",
            advice: "Drop one of the two.",
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
            /// The token that could be mounted, when this is a pod of Kubernetes.
            pod: Option<Box<PodToken>>,
            /// The variable that can hold a token.
            variable: String,
            /// What the program calls its settings.
            settings: &'static Names,
        } = "provider/no-identity", Identity {
            fix: platform_or(recognised, (*contained, pod.as_deref()), variable, settings),
            what: "No identity was found in this environment.",
            why: "The job runs on a platform that gives no tokens, or the job was not configured to get one.",
            advice: "Configure the job to get a token from its platform, or set a token variable.",
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
        } = "provider/not-detected", Identity {
            fix: format!("drop `{}`, or run where there is one of {}", settings.provider, quoted(marks)),
            what: "The requested provider is not here.",
            why: "Its variables or files do not reach this process.",
            advice: "Run in the job itself, and pass the platform's variables on into containers.",
        },
        /// No provider has the name that is requested.
        #[error("there is no provider {name:?}")]
        UnknownName {
            /// What was requested.
            name: String,
            /// The names that there are.
            known: Vec<&'static str>,
        } = "provider/unknown-name", Usage {
            fix: format!("use one of {}", quoted(known)),
            what: "There is no provider of that name.",
            why: "The name is misspelt, or another program uses it.",
            advice: "Use one of the names that the fix lists.",
        },
    }
}

codes! {
    /// The warnings about the choice.
    pub(crate) NOTES {
        /// Something about the choice that the reader should know.
        pub NOTE = "provider/note" {
            what: "Something about the choice of the identity is unusual.",
            why: "The message says what: mostly another source of tokens is here too, and was not used.",
            advice: "Do nothing if the first line of the run names the identity that you expect.",
        },
    }
}

/// A token that a pod of Kubernetes can have mounted.
#[derive(Debug)]
pub struct PodToken {
    /// The file where ambient tokens are looked for.
    pub file: String,
    /// The audience that it must have.
    pub audience: String,
}

/// How each of `names` is requested.
fn one_of(names: &[&str], settings: &Names) -> String {
    let ways: Vec<String> = names.iter().map(|name| settings.request(name)).collect();
    format!("choose one with {}", ways.join(" or "))
}

/// What the platform that is here needs, or else what any environment needs.
fn platform_or(
    recognised: &[PlatformHint],
    (contained, pod): (bool, Option<&PodToken>),
    variable: &str,
    settings: &Names,
) -> String {
    match (recognised.first(), pod) {
        (Some(platform), _) => platform.fix.clone(),
        (None, Some(PodToken { file, audience })) => format!(
            "mount a projected service account token with audience `{audience}` at `{file}` (a \
             volume `projected` with `serviceAccountToken`), or set `{variable}`"
        ),
        (None, None) if contained => format!(
            "set `{variable}`, or pass the variables of the CI job on into this container (for \
             GitHub `docker run -e ACTIONS_ID_TOKEN_REQUEST_URL -e \
             ACTIONS_ID_TOKEN_REQUEST_TOKEN`)"
        ),
        (None, None) => format!(
            "run in a CI job that may request tokens, set `{variable}`, or give `{}`",
            settings.token_file
        ),
    }
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

impl From<ChooseError> for crate::Error {
    fn from(error: ChooseError) -> Self {
        Self::new(error)
    }
}
