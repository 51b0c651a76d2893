// SPDX-License-Identifier: Apache-2.0
//! The errors of choosing a provider.

use ambisign_host::{codes, errors};

use crate::{Names, PlatformHint};

errors! {
    /// No provider could be chosen.
    #[derive(Debug, thiserror::Error)]
    pub enum ChooseError {
        #[error("more than one identity can be used here: {}", quoted(names))]
        Ambiguous { names: Vec<&'static str>, settings: &'static Names } = "provider/ambiguous", Identity {
            fix: one_of(names, settings),
            what: "More than one identity could be used.",
            why: "Two CI systems are detected, for example one that starts the other, and neither takes precedence.",
            advice: "Request one of them by its name.",
        },
        #[error("no token was given, and ambient providers are disabled")]
        Disabled { variable: String, settings: &'static Names } = "provider/disabled", Identity {
            fix: format!("set `{variable}`, or pass `{}`", settings.token_file),
            what: "No token was given, and ambient providers are disabled.",
            why: "A setting allows only a given token or one in a token variable.",
            advice: "Pass a token, or allow ambient providers.",
        },
        #[error("`{name}` is requested, but ambient providers are disabled")]
        Excluded { name: &'static str, settings: &'static Names } = "provider/excluded", Usage {
            fix: format!("remove `{}` or `{}`", settings.provider, settings.disable_ambient),
            what: "A provider is requested, but ambient providers are disabled.",
            why: "The two settings contradict each other.",
            advice: "Remove one of the two.",
        },
        #[error("this is {}, and the only identity here, `{name}`, belongs to the machine, not to the job", platform.name)]
        Machine {
            name: &'static str,
            platform: PlatformHint,
            settings: &'static Names,
        } = "provider/machine", Identity {
            fix: format!("{}; or, if every job of this machine may have its identity, request it with {}", platform.fix, settings.request(name)),
            what: "The only identity here belongs to the machine, not to the CI job.",
            why: "The CI system issues no tokens to its jobs, and every job of this machine would have the same identity.",
            advice: "Give the job a token of its own, or request the identity of the machine by the provider's name.",
        },
        #[error("no identity was found: looked for {}{}", quoted(looked), seen_too(recognised))]
        NoIdentity {
            looked: Vec<String>,
            /// Recognised platforms that do not provide a token by themselves.
            recognised: Vec<PlatformHint>,
            /// `true` if this is a container, which may lack the variables of its CI job.
            contained: bool,
            /// The token that could be mounted, when this is a pod of Kubernetes.
            pod: Option<Box<PodToken>>,
            variable: String,
            settings: &'static Names,
        } = "provider/no-identity", Identity {
            fix: platform_or(recognised, (*contained, pod.as_deref()), variable, settings),
            what: "No identity was found in this environment.",
            why: "The platform of the job issues no tokens, or the job is not configured to get one.",
            advice: "Configure the job to get a token from its platform, or set a token variable.",
        },
        #[error("`{name}` is requested but not available")]
        NotDetected {
            name: &'static str,
            marks: Vec<String>,
            /// The token that could be mounted, when it is looked for in this pod of Kubernetes.
            pod: Option<Box<PodToken>>,
            settings: &'static Names,
        } = "provider/not-detected", Identity {
            fix: pod.as_ref().map_or_else(|| format!("remove `{}`, or run where one of these exists: {}", settings.provider, quoted(marks)), |pod| pod.mount()),
            what: "The requested provider is not available.",
            why: "Its variables or files are not visible to this process.",
            advice: "Run in the job itself, and pass the platform's variables into containers.",
        },
        #[error("there is no provider {name:?}")]
        UnknownName { name: String, known: Vec<&'static str> } = "provider/unknown-name", Usage {
            fix: format!("use one of {}", quoted(known)),
            what: "There is no provider with that name.",
            why: "The name is misspelled, or another program uses it.",
            advice: "Use one of the names that the fix lists.",
        },
    }
}

codes! {
    /// The warnings about the choice.
    pub(crate) NOTES {
        pub NOTE = "provider/note" {
            what: "The choice of the identity needs attention.",
            why: "The message has the reason; usually another source of tokens is available and was not used.",
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

impl PodToken {
    /// How it is mounted.
    fn mount(&self) -> String {
        let Self { file, audience } = self;
        format!(
            "mount a projected service account token with audience `{audience}` at `{file}` (a \
             volume `projected` with `serviceAccountToken`)"
        )
    }
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
        (None, Some(pod)) => format!("{}, or set `{variable}`", pod.mount()),
        (None, None) if contained => format!(
            "set `{variable}`, or pass the variables of the CI job on into this container (for \
             GitHub `docker run -e ACTIONS_ID_TOKEN_REQUEST_URL -e \
             ACTIONS_ID_TOKEN_REQUEST_TOKEN`)"
        ),
        (None, None) => format!(
            "run in a CI job that may request tokens, set `{variable}`, or pass `{}`",
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
    if names.is_empty() { String::new() } else { format!("; this is {}", names.join(", ")) }
}

impl From<ChooseError> for crate::Error {
    fn from(error: ChooseError) -> Self {
        Self::new(error)
    }
}
