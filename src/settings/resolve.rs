// SPDX-License-Identifier: Apache-2.0
//! Flags and variables in, [`Settings`] out.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ambisign_providers::Env;

use super::given::{self, Given, choice, exclusive, flag, path, pick};
use super::safety::{self, Notice};
use super::variables::{self, Variables};
use super::{
    Ambient, Consent, IdentitySettings, Mode, Output, RegistryLogin, RegistrySettings,
    RekorVersion, ServiceSettings, Settings, SettingsError, Tags, TokenSource,
};
use crate::cli::SignArgs;
use crate::outcome::Warning;

/// The audience that Fulcio expects.
const AUDIENCE: &str = "sigstore";
/// How many images are signed at the same time.
const JOBS: usize = 64;
/// The longest time of a run.
const TIMEOUT: Duration = Duration::from_secs(600);
/// More jobs than this are a typing mistake.
const MOST_JOBS: usize = 1000;

impl Settings {
    /// Reads the flags and the variables of `env`.
    ///
    /// # Errors
    /// A value that cannot be read, settings that contradict each other, a misspelt `AMBISIGN_*`
    /// variable, no image, or with `--public-instance` a variable that decides who gets the token.
    pub fn resolve(args: SignArgs, env: &Env) -> Result<Self, SettingsError> {
        let (variables, mut warnings) = variables::read(env)?;
        let public = flag(
            "public-instance",
            args.public_instance,
            variables.public_instance.as_deref(),
        )?;
        if public {
            safety::refuse_deciding_variables(env)?;
        }
        let consents = [
            flag("yes", args.yes, variables.yes.as_deref())?,
            flag(
                "allow-private-repository",
                args.allow_private_repository,
                variables.allow_private_repository.as_deref(),
            )?,
        ];
        let dry_run = flag("dry-run", args.dry_run, variables.dry_run.as_deref())?;
        let verbose = flag("verbose", args.verbose, variables.verbose.as_deref())?;
        if args.identity_token.is_some() {
            warnings.push(Warning {
                code: "settings/token-in-arguments",
                message: "other processes can read `--identity-token` from the command line: \
                          prefer `--identity-token-file` or `SIGSTORE_ID_TOKEN`"
                    .to_owned(),
            });
        }
        let mut notices = safety::foreign_notices(env);
        let ca_file = path("ca-file", args.ca_file.clone(), variables.ca_file.clone());
        notices.extend(ca_file.as_ref().map(Notice::of_path));
        Ok(Self {
            images: images(&args.images)?,
            identity: identity(&args, &variables)?,
            services: services(&args, &variables, &mut notices)?,
            registry: registry(&args, &variables)?,
            consent: if consents.contains(&true) {
                Consent::Given
            } else {
                Consent::NotGiven
            },
            mode: if dry_run { Mode::DryRun } else { Mode::Publish },
            jobs: jobs(pick("jobs", args.jobs, variables.jobs)?)?,
            timeout: timeout(pick("timeout", args.timeout, variables.timeout)?)?,
            output: parse_output(args.output, variables.output)?,
            ca_file: ca_file.map(|given| given.value),
            verbose,
            notices,
            warnings,
        })
    }
}

/// What goes to stdout, as far as it can be told before everything else is read: the error of
/// another setting is already reported in this form.
pub fn output(args: &SignArgs, env: &Env) -> Output {
    let variable = env.get("AMBISIGN_OUTPUT").map(str::to_owned);
    parse_output(args.output.clone(), variable).unwrap_or(Output::Text)
}

fn parse_output(flag: Option<String>, variable: Option<String>) -> Result<Output, SettingsError> {
    let words = &[("text", Output::Text), ("json", Output::Json)];
    choice(pick("output", flag, variable)?, Output::Text, words)
}

fn images(given: &[String]) -> Result<Vec<String>, SettingsError> {
    let mut images: Vec<String> = Vec::with_capacity(given.len());
    let mut seen = std::collections::HashSet::new();
    for (at, image) in given.iter().enumerate() {
        let image = image.trim();
        if image.is_empty() {
            return Err(SettingsError::EmptyImage { at: at + 1 });
        }
        if seen.insert(image) {
            images.push(image.to_owned());
        }
    }
    if images.is_empty() {
        return Err(SettingsError::NoImages);
    }
    Ok(images)
}

fn identity(args: &SignArgs, variables: &Variables) -> Result<IdentitySettings, SettingsError> {
    let token = pick(
        "identity-token",
        args.identity_token.clone(),
        variables.identity_token.clone(),
    )?;
    let file = path(
        "identity-token-file",
        args.identity_token_file.clone(),
        variables.identity_token_file.clone(),
    );
    let provider = pick(
        "oidc-provider",
        args.oidc_provider.clone(),
        variables.oidc_provider.clone(),
    )?;
    let disabled = flag(
        "oidc-disable-ambient-providers",
        args.oidc_disable_ambient_providers,
        variables.oidc_disable_ambient_providers.as_deref(),
    )?;
    exclusive(token.as_ref(), file.as_ref())?;
    if let (Some(provider), true) = (&provider, disabled) {
        return Err(SettingsError::Conflict {
            one: provider.from.to_string(),
            other: "--oidc-disable-ambient-providers".to_owned(),
        });
    }
    let token = match (token, file) {
        (Some(token), _) => Some(TokenSource::Value(token.value.into())),
        (None, file) => file.map(|file| TokenSource::File(file.value)),
    };
    let text = |name, flag: &Option<String>, variable: &Option<String>| {
        Ok(pick(name, flag.clone(), variable.clone())?.map(|given| given.value))
    };
    Ok(IdentitySettings {
        token,
        provider: provider.map(|given| given.value),
        ambient: if disabled {
            Ambient::Disabled
        } else {
            Ambient::Allowed
        },
        audience: text("audience", &args.audience, &variables.audience)?
            .unwrap_or_else(|| AUDIENCE.to_owned()),
        require_identity: text(
            "require-identity",
            &args.require_identity,
            &variables.require_identity,
        )?,
        require_issuer: text(
            "require-issuer",
            &args.require_issuer,
            &variables.require_issuer,
        )?,
    })
}

fn services(
    args: &SignArgs,
    variables: &Variables,
    notices: &mut Vec<Notice>,
) -> Result<ServiceSettings, SettingsError> {
    let mut url = |name, flag: &Option<String>, variable: &Option<String>| {
        let Some(given) = pick(name, flag.clone(), variable.clone())? else {
            return Ok(None);
        };
        let url = given::url(given)?;
        notices.push(Notice::of_url(&url));
        Ok(Some(url.value))
    };
    let fulcio = url("fulcio-url", &args.fulcio_url, &variables.fulcio_url)?;
    let rekor = url("rekor-url", &args.rekor_url, &variables.rekor_url)?;
    let tsa = url("tsa-url", &args.tsa_url, &variables.tsa_url)?;
    let mut file = |name, flag: &Option<PathBuf>, variable: &Option<String>| {
        let given = path(name, flag.clone(), variable.clone());
        notices.extend(given.as_ref().map(Notice::of_path));
        given.map(|given| given.value)
    };
    Ok(ServiceSettings {
        fulcio,
        rekor,
        rekor_version: choice(
            pick(
                "rekor-version",
                args.rekor_version.clone(),
                variables.rekor_version.clone(),
            )?,
            RekorVersion::Auto,
            &[
                ("auto", RekorVersion::Auto),
                ("1", RekorVersion::V1),
                ("2", RekorVersion::V2),
            ],
        )?,
        tsa,
        signing_config: file(
            "signing-config",
            &args.signing_config,
            &variables.signing_config,
        ),
        trusted_root: file("trusted-root", &args.trusted_root, &variables.trusted_root),
    })
}

fn registry(args: &SignArgs, variables: &Variables) -> Result<RegistrySettings, SettingsError> {
    let username = pick(
        "registry-username",
        args.registry_username.clone(),
        variables.registry_username.clone(),
    )?;
    let secret = |name, variable: &Option<String>| pick(name, None, variable.clone());
    let password = secret("registry-password", &variables.registry_password)?;
    let token = secret("registry-token", &variables.registry_token)?;
    exclusive(token.as_ref(), username.as_ref())?;
    exclusive(token.as_ref(), password.as_ref())?;
    let login = match (token, username, password) {
        (Some(token), _, _) => Some(RegistryLogin::Token(given::token(token)?)),
        (None, Some(username), Some(password)) => Some(RegistryLogin::Password {
            username: username.value,
            password: password.value.into(),
        }),
        (None, Some(username), None) => {
            let missing = "AMBISIGN_REGISTRY_PASSWORD";
            return Err(SettingsError::Incomplete {
                given: username.from.to_string(),
                missing,
            });
        }
        (None, None, Some(password)) => {
            let missing = "--registry-username";
            return Err(SettingsError::Incomplete {
                given: password.from.to_string(),
                missing,
            });
        }
        (None, None, None) => None,
    };
    let refused = flag(
        "require-digest",
        args.require_digest,
        variables.require_digest.as_deref(),
    )?;
    Ok(RegistrySettings {
        login,
        tags: if refused {
            Tags::Refused
        } else {
            Tags::Resolved
        },
    })
}

fn jobs(given: Option<Given<String>>) -> Result<NonZeroUsize, SettingsError> {
    let default = NonZeroUsize::new(JOBS).unwrap_or(NonZeroUsize::MIN);
    let Some(given) = given else {
        return Ok(default);
    };
    let jobs = given
        .value
        .parse()
        .ok()
        .filter(|jobs: &NonZeroUsize| jobs.get() <= MOST_JOBS);
    jobs.ok_or_else(|| given.wrong("a number from 1 to 1000"))
}

fn timeout(given: Option<Given<String>>) -> Result<Duration, SettingsError> {
    let Some(given) = given else {
        return Ok(TIMEOUT);
    };
    let timeout = humantime::parse_duration(&given.value).ok();
    // A day is more than any job lives, and small enough for every clock.
    let day = Duration::from_secs(24 * 60 * 60);
    timeout
        .filter(|timeout| !timeout.is_zero() && *timeout <= day)
        .ok_or_else(|| given.wrong("a time such as `90s` or `10m`, at most a day"))
}
