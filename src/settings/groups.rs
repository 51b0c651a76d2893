// SPDX-License-Identifier: Apache-2.0
//! Groups of settings that several commands share, from flags and variables.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ambisign_host::{Env, Proxies, Warning};
use ambisign_providers::{GivenToken, Options, Realm};
use ambisign_registry::reference::Reference;
use ambisign_registry::{GivenLogin, RegistryOptions};
use ambisign_sigstore::trust::RekorVersion;
use url::Url;

use super::identity;
use super::mirror::{Foreign, GivenMirror};
use super::plain_http;
use super::provenance::{self, Override};
use super::value::{self, Origin, Sourced, choice, exclusive};
use super::variables::{self, Variables};
use super::{
    Consent, IdentitySettings, Mode, Output, RunSettings, ServiceSettings, SettingsError, Signing,
    TrustSettings,
};
use crate::cli::warnings::{TOKEN_IN_ARGUMENTS, UNUSED};
use crate::cli::{IdentityArgs, RegistryArgs, RunArgs, ServiceArgs, SigningArgs, TrustArgs};

/// The default number of simultaneous signatures.
const JOBS: usize = 64;
/// More simultaneous signatures than this are a typing mistake.
const MOST_JOBS: usize = 1000;
/// The default time limit of a run.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Reads one group after the other. Overrides and warnings accumulate until [`Groups::run`].
pub(super) struct Groups {
    pub(super) variables: Variables,
    public_instance: bool,
    realm: Realm,
    debug: bool,
    foreign: Foreign,
    overrides: Vec<Override>,
    pub(super) warnings: Vec<Warning>,
}

impl Groups {
    /// Reads the variables of `env`.
    ///
    /// # Errors
    /// A misspelt `AMBISIGN_*` variable, a proxy variable that names no proxy, or with
    /// `--public-instance` one that decides who gets the token.
    pub(super) fn new(env: &Env, trust: &TrustArgs) -> Result<Self, SettingsError> {
        let (variables, warnings) = variables::read(env)?;
        let public_instance = variables.switch("public-instance", trust.public_instance)?;
        if public_instance {
            provenance::refuse_deciding_variables(env)?;
        }
        let (proxies, odd) = Proxies::read(env)?;
        Ok(Self {
            variables,
            public_instance,
            realm: if public_instance { Realm::Named(None) } else { Realm::Environment },
            debug: env.get("RUNNER_DEBUG") == Some("1"),
            foreign: Foreign::read(env),
            overrides: provenance::foreign_notices(env, &proxies),
            warnings: [warnings, odd].concat(),
        })
    }

    /// Takes the host of the issuer that the flag `--require-issuer` names for the platform's own server. With
    /// `--public-instance` nothing else names one, because other jobs can set variables.
    pub(super) fn bind(&mut self, require_issuer: Option<&str>) {
        let issuer = require_issuer.and_then(|issuer| Url::parse(issuer).ok());
        let server = issuer.and_then(|issuer| issuer.host().map(|host| host.to_owned()));
        if self.public_instance && server.is_some() {
            self.realm = Realm::Named(server);
        }
    }

    /// The last groups, which every signing command has.
    pub(super) fn signing(mut self, args: SigningArgs) -> Result<Signing, SettingsError> {
        let variables = &self.variables;
        let dry_run = variables.switch("dry-run", args.dry_run)?;
        let jobs = jobs(variables.text("jobs", args.jobs)?)?;
        Ok(Signing {
            annotations: BTreeMap::new(),
            consent: self.consent(&args.identity)?,
            identity: self.identity(args.identity)?,
            services: self.services(args.services)?,
            trust: self.trust(args.trust)?,
            mode: if dry_run { Mode::DryRun } else { Mode::Publish },
            jobs,
            run: self.run(args.run)?,
        })
    }

    pub(super) fn trust(&mut self, args: TrustArgs) -> Result<TrustSettings, SettingsError> {
        let variables = &self.variables;
        let trusted_root = variables.path("trusted-root", args.trusted_root);
        let ca_file = variables.path("ca-file", args.ca_file);
        let staging = variables.switch("staging", args.staging)?;
        let given = GivenMirror {
            mirror: variables.text("tuf-mirror", args.tuf_mirror)?,
            root: variables.path("tuf-root", args.tuf_root),
            staging: staging.then_some(if args.staging {
                Origin::Flag("staging")
            } else {
                Origin::Variable("staging")
            }),
        };
        let (mirror, overrides) = given.resolve(&self.foreign, trusted_root.is_some())?;
        self.overrides.extend(overrides);
        Ok(TrustSettings {
            trusted_root: self.announce_path(trusted_root),
            mirror,
            ca_file: self.announce_path(ca_file),
        })
    }

    pub(super) fn services(&mut self, args: ServiceArgs) -> Result<ServiceSettings, SettingsError> {
        let variables = &self.variables;
        let version = variables.text("rekor-version", args.rekor_version)?;
        let words =
            &[("auto", RekorVersion::Auto), ("1", RekorVersion::V1), ("2", RekorVersion::V2)];
        let issuer = variables.text("oidc-issuer", args.oidc_issuer)?;
        let issuer = issuer.map(value::url).transpose()?;
        let fulcio = variables.text("fulcio-url", args.fulcio_url)?;
        let rekor = variables.text("rekor-url", args.rekor_url)?;
        let tsa = variables.text("tsa-url", args.tsa_url)?;
        let config = variables.path("signing-config", args.signing_config);
        self.warnings.extend(issuer.map(|issuer| Warning {
            code: UNUSED,
            message: format!(
                "`{}` is not used: it is for interactive logins, which ambisign does not have",
                issuer.from
            ),
        }));
        Ok(ServiceSettings {
            fulcio: self.announce_url(fulcio)?,
            rekor: self.announce_url(rekor)?,
            rekor_version: choice(version, RekorVersion::Auto, words)?,
            tsa: self.announce_url(tsa)?,
            signing_config: self.announce_path(config),
        })
    }

    fn identity(&mut self, args: IdentityArgs) -> Result<IdentitySettings, SettingsError> {
        if args.identity_token.as_deref().is_some_and(is_like_a_token) {
            self.warnings.push(Warning {
                code: TOKEN_IN_ARGUMENTS,
                message: "other processes can read `--identity-token` from the command line: \
                          prefer `--identity-token-file` or `SIGSTORE_ID_TOKEN`"
                    .to_owned(),
            });
        }
        let token = self.token(args.identity_token, args.identity_token_file)?;
        let variables = &self.variables;
        let provider = variables.text("oidc-provider", args.oidc_provider)?;
        let disabled = variables
            .switch("oidc-disable-ambient-providers", args.oidc_disable_ambient_providers)?;
        if let (Some(provider), true) = (&provider, disabled) {
            return Err(SettingsError::Conflict {
                one: provider.from.to_string(),
                other: "--oidc-disable-ambient-providers".to_owned(),
            });
        }
        let text = |name, flag| {
            let given = variables.text(name, flag)?;
            Ok::<_, SettingsError>(given.map(|given| given.value))
        };
        let options = identity::options(token);
        Ok(IdentitySettings {
            options: Options {
                realm: self.realm.clone(),
                provider: provider.map(|given| given.value),
                disable_ambient: disabled,
                audience: text("audience", args.audience)?.unwrap_or(options.audience),
                ..options
            },
            require_identity: text("require-identity", args.require_identity)?,
            require_issuer: text("require-issuer", args.require_issuer)?,
        })
    }

    fn token(
        &self,
        value: Option<String>,
        file: Option<PathBuf>,
    ) -> Result<Option<Sourced<GivenToken>>, SettingsError> {
        let value = self.variables.text("identity-token", value)?;
        let file = self.variables.path("identity-token-file", file);
        exclusive(value.as_ref(), file.as_ref())?;
        let value = value.map(|given| given.map(|text| GivenToken::Value(text.into())));
        Ok(value.or_else(|| file.map(|given| given.map(GivenToken::File))))
    }

    fn consent(&self, args: &IdentityArgs) -> Result<Consent, SettingsError> {
        let consents =
            [("yes", args.yes), ("allow-private-repository", args.allow_private_repository)];
        let by_flag = args.yes || args.allow_private_repository;
        let mut consent = Consent::NotGiven;
        for (name, given) in consents {
            if self.variables.switch(name, given)? {
                // Another job may have set the variable, and publishing cannot be undone.
                if self.public_instance && !by_flag {
                    return Err(SettingsError::Consents { name });
                }
                consent = Consent::Given;
            }
        }
        Ok(consent)
    }

    pub(super) fn registry(
        &mut self,
        args: RegistryArgs,
    ) -> Result<RegistryOptions, SettingsError> {
        let signatures = self.signatures(args.signature_repository)?;
        let variable = self.variables.get("allow-http-registry");
        let (plain_http, notice) = plain_http::read(&args.allow_http_registry, variable)?;
        self.overrides.extend(notice);
        let variables = &self.variables;
        let username = variables.text("registry-username", args.registry_username)?;
        let password = variables.text("registry-password", None)?;
        let token = variables.text("registry-token", None)?;
        exclusive(token.as_ref(), username.as_ref())?;
        exclusive(token.as_ref(), password.as_ref())?;
        let login = match (token, username, password) {
            (Some(token), _, _) => Some(GivenLogin::Token(value::secret(token)?)),
            (None, Some(username), Some(password)) => Some(GivenLogin::Password {
                username: username.value,
                password: value::secret(password)?,
            }),
            (None, Some(username), None) => {
                return Err(username.incomplete("AMBISIGN_REGISTRY_PASSWORD"));
            }
            (None, None, Some(password)) => {
                return Err(password.incomplete("--registry-username"));
            }
            (None, None, None) => None,
        };
        Ok(RegistryOptions { login, signatures, plain_http, realm: self.realm.clone() })
    }

    /// The repository for signatures. Because it does not affect who gets the token, `--public-instance`
    /// accepts it from variables. Every run reports it.
    fn signatures(&mut self, flag: Option<String>) -> Result<Option<Reference>, SettingsError> {
        let given = self.variables.text("signature-repository", flag)?;
        let given = given.or_else(|| self.foreign.get("COSIGN_REPOSITORY"));
        let given = given.map(value::repository).transpose()?;
        self.overrides.extend(given.as_ref().map(Override::of_signatures));
        Ok(given.map(|given| given.value))
    }

    /// The last group.
    pub(super) fn run(self, args: RunArgs) -> Result<RunSettings, SettingsError> {
        let variables = self.variables;
        let warnings = [self.warnings, args.unused].concat();
        let verbose = variables.switch("verbose", args.verbose)?;
        // The report reads it; this only checks that it is valid.
        let _summary = variables.switch("summary", false)?;
        Ok(RunSettings {
            timeout: timeout(variables.text("timeout", args.timeout)?)?,
            output: parse_output(variables.text("output", args.output)?)?,
            verbose: verbose || self.debug,
            overrides: self.overrides,
            warnings,
        })
    }

    fn announce_path(&mut self, given: Option<Sourced<PathBuf>>) -> Option<PathBuf> {
        self.overrides.extend(given.as_ref().map(Override::of_path));
        given.map(|given| given.value)
    }

    fn announce_url(
        &mut self,
        given: Option<Sourced<String>>,
    ) -> Result<Option<Url>, SettingsError> {
        let url = given.map(value::url).transpose()?;
        self.overrides.extend(url.as_ref().map(Override::of_url));
        Ok(url.map(|given| given.value))
    }
}

/// The format of stdout, read before everything else so that errors of other settings are already
/// reported in it.
pub fn output(args: &RunArgs, env: &Env) -> Output {
    let given = args.output.as_deref().or_else(|| env.get("AMBISIGN_OUTPUT"));
    if given == Some("json") { Output::Json } else { Output::Text }
}

fn parse_output(given: Option<Sourced<String>>) -> Result<Output, SettingsError> {
    choice(given, Output::Text, &[("text", Output::Text), ("json", Output::Json)])
}

fn timeout(given: Option<Sourced<String>>) -> Result<Duration, SettingsError> {
    let Some(given) = given else {
        return Ok(TIMEOUT);
    };
    let timeout = humantime::parse_duration(&given.value).ok();
    // A day is longer than any job, and small enough for every clock.
    let day = Duration::from_secs(24 * 60 * 60);
    timeout
        .filter(|timeout| !timeout.is_zero() && *timeout <= day)
        .ok_or_else(|| given.wrong("a time such as `90s` or `10m`, at most a day"))
}

fn jobs(given: Option<Sourced<String>>) -> Result<NonZeroUsize, SettingsError> {
    let default = NonZeroUsize::new(JOBS).unwrap_or(NonZeroUsize::MIN);
    let Some(given) = given else {
        return Ok(default);
    };
    let jobs = given.value.parse().ok().filter(|jobs: &NonZeroUsize| jobs.get() <= MOST_JOBS);
    jobs.ok_or_else(|| given.wrong("a number from 1 to 1000"))
}

/// Whether `text` can be a token and not a path: three parts with dots between them, the first of which
/// begins as a JSON object does in base64url.
fn is_like_a_token(text: &str) -> bool {
    text.trim_start().starts_with("ey") && text.matches('.').count() == 2
}
