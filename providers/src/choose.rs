// SPDX-License-Identifier: Apache-2.0
//! Chooses exactly one provider, from the environment and files only.
//!
//! An explicit token comes first, then the identity of the CI job, then a configured workload identity,
//! and the machine's own identity last. The chosen one succeeds or fails; no other is tried.
//!
//! A CI system blocks the machine's identity, because it is not the identity of the job. That holds for a
//! system that issues tokens to its jobs (the rows of [`PROVIDERS`] of [`Kind::Ci`]) and is detected
//! without one, and for a system without tokens (the rows of [`platforms::PLATFORMS`]: Jenkins, Travis CI,
//! Azure Pipelines, Woodpecker and others). Every job of the machine would have the same identity, so it
//! is used only if it is requested by its name.

mod error;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use ambisign_host::{Host, Table, chain};
use error::NOTES;
pub use error::{ChooseError, NOTE, PodToken};

use crate::providers::{
    PROVIDERS, env_var, explicit, file, gce, gitlab, google, impersonation, spiffe,
};
use crate::{Detection, Error, Kind, Options, PlatformHint, Provider, Source, platforms};

/// The chosen provider.
pub struct Choice {
    /// Its name.
    pub provider: &'static str,
    /// The source of the token.
    pub source: Box<dyn Source>,
    /// Notes for the reader, one line each: other identities that were not used, and risks.
    pub notes: Vec<String>,
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choice")
            .field("provider", &self.provider)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// The state of a provider or platform.
#[derive(Debug)]
pub struct ProviderStatus {
    /// Its name.
    pub name: &'static str,
    /// The kind of its identity.
    pub kind: Kind,
    /// The variables and files that identify it; empty if the options name them.
    pub marks: Vec<&'static str>,
    /// Its state.
    pub detection: Detection,
}

/// The state of every provider and platform, in order of precedence. This does not use the network.
pub fn survey(host: &Host, options: &Options) -> Vec<ProviderStatus> {
    let options = &with_own_name(host, options);
    let providers = PROVIDERS.iter().map(|provider| ProviderStatus {
        name: provider.name,
        kind: provider.kind,
        marks: provider.marks().collect(),
        detection: (provider.detect)(host, options),
    });
    let platforms = platforms::PLATFORMS.iter().map(|platform| ProviderStatus {
        name: platform.name,
        kind: platform.kind,
        marks: platform.marks.to_vec(),
        detection: platform.detect(host, options).map_or(Detection::Absent, Detection::Recognised),
    });
    providers.chain(platforms).collect()
}

/// Chooses the provider.
///
/// # Errors
/// None is detected, several are detected with the same precedence, or the first one is unusable.
pub fn choose(host: &Host, options: &Options) -> Result<Choice, Error> {
    let options = &with_own_name(host, options);
    let mut seen = survey(host, options);
    let winner = pick(&seen, host, options)?;
    let notes = notes(&seen, winner, options);
    let winner = seen.swap_remove(winner);
    match winner.detection {
        Detection::Ready(source) => Ok(Choice { provider: winner.name, source, notes }),
        Detection::Broken(error) => Err(error),
        Detection::Absent | Detection::Recognised(_) => Err(ChooseError::NotDetected {
            marks: marks(winner.name, &winner.marks, options),
            pod: pod(host, options).filter(|_| winner.name == file::PROVIDER.name),
            name: winner.name,
            settings: options.names,
        }
        .into()),
    }
}

/// `options` with the canonical name of the requested provider. `google`, the name in other programs,
/// means impersonation if it is configured, otherwise the metadata server.
fn with_own_name(host: &Host, options: &Options) -> Options {
    let mut options = options.clone();
    let own = match options.provider.as_deref() {
        Some("google") if host.env.is_set("GOOGLE_SERVICE_ACCOUNT_NAME") => impersonation::NAME,
        Some("google") => gce::NAME,
        Some("kubernetes-file") => file::PROVIDER.name,
        Some(_) | None => return options,
    };
    options.provider = Some(own.to_owned());
    options
}

/// The index of the provider that is used, or whose error ends the run.
fn pick(seen: &[ProviderStatus], host: &Host, options: &Options) -> Result<usize, ChooseError> {
    let of = |kind: Kind, wanted: fn(&Detection) -> bool| -> Vec<usize> {
        let fits = |seen: &ProviderStatus| seen.kind == kind && wanted(&seen.detection);
        let all = seen.iter().enumerate();
        all.filter(|(_, seen)| fits(seen)).map(|(at, _)| at).collect()
    };
    let named = |name: &str| seen.iter().position(|seen| seen.name == name);
    // An explicit token takes precedence over the name of a provider.
    if options.token.is_some()
        && let Some(at) = named(explicit::PROVIDER.name)
    {
        return Ok(at);
    }
    if let Some(name) = &options.provider {
        return requested(name, seen, options);
    }
    if let Some(at) = of(Kind::Explicit, is_here).first() {
        return Ok(label(seen, *at));
    }
    if options.disable_ambient {
        return Err(ChooseError::Disabled {
            variable: options.variable(),
            settings: options.names,
        });
    }
    let jobs = of(Kind::Ci, is_ready);
    let asked = of(Kind::Asked, is_here);
    for candidates in [&jobs, &asked] {
        match candidates.as_slice() {
            [] => {}
            [at] => return Ok(*at),
            several => {
                let name = |at: &usize| seen.get(*at).map(|seen| seen.name);
                let names = several.iter().filter_map(name).collect();
                let settings = options.names;
                return Err(ChooseError::Ambiguous { names, settings });
            }
        }
    }
    if let Some(at) = of(Kind::Ci, is_broken).first() {
        return Ok(*at);
    }
    let system = seen.iter().find_map(recognised_system);
    match (of(Kind::Machine, is_here).first(), system) {
        (Some(at), None) => Ok(*at),
        (None, _) => Err(no_identity(seen, host, options)),
        (Some(at), Some(platform)) => match seen.get(*at) {
            Some(machine) if is_ready(&machine.detection) => Err(ChooseError::Machine {
                name: machine.name,
                platform: platform.clone(),
                settings: options.names,
            }),
            Some(_) | None => Err(no_identity(seen, host, options)),
        },
    }
}

/// A CI system that has no tokens to give.
fn recognised_system(seen: &ProviderStatus) -> Option<&PlatformHint> {
    match &seen.detection {
        Detection::Recognised(platform) if seen.kind == Kind::Ci => Some(platform),
        Detection::Absent
        | Detection::Broken(_)
        | Detection::Ready(_)
        | Detection::Recognised(_) => None,
    }
}

fn requested(name: &str, seen: &[ProviderStatus], options: &Options) -> Result<usize, ChooseError> {
    let known = || PROVIDERS.iter().filter(|row| is_requestable(row.name));
    let Some(row) = known().find(|row| row.name == name) else {
        return Err(ChooseError::UnknownName {
            name: name.to_owned(),
            known: known().map(|row| row.name).collect(),
        });
    };
    if options.disable_ambient && row.kind != Kind::Explicit {
        return Err(ChooseError::Excluded { name: row.name, settings: options.names });
    }
    seen.iter().position(|seen| seen.name == row.name).ok_or_else(|| ChooseError::NotDetected {
        marks: marks(row.name, &row.marks().collect::<Vec<_>>(), options),
        pod: None,
        name: row.name,
        settings: options.names,
    })
}

/// The variables and files that identify a provider, including those from the options.
fn marks(name: &str, fixed: &[&str], options: &Options) -> Vec<String> {
    let fixed = fixed.iter().map(|mark| (*mark).to_owned());
    let variables = options.token_variables.iter().cloned();
    let file = options.token_file.display().to_string();
    let is = |row: &Provider| row.name == name;
    fixed
        .chain(variables.filter(|_| is(&env_var::PROVIDER)))
        .chain(is(&file::PROVIDER).then_some(file))
        .collect()
}

/// The names of providers that can be requested, in order of precedence.
pub fn names() -> impl Iterator<Item = &'static str> {
    let names = PROVIDERS.iter().map(|row| row.name);
    names.filter(|name| is_requestable(name))
}

/// What there is to know about each code of the crate: of the choice, and of each provider's errors.
pub fn explanations() -> impl Iterator<Item = Table> {
    let providers = PROVIDERS.iter().flat_map(|row| row.errors);
    [ChooseError::TABLE, NOTES].into_iter().chain(providers.copied())
}

/// The environment variables with credentials of the job, which child processes must not see.
pub fn secret_variables() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().flat_map(|row| {
        let read = row.variables.iter().filter(|variable| variable.is_secret);
        let read = read.map(|variable| variable.name);
        read.chain(row.secrets.iter().copied())
    })
}

/// An explicit token has no name, and platforms that are only recognised cannot be used.
fn is_requestable(name: &str) -> bool {
    name != explicit::PROVIDER.name && name != spiffe::DEFAULT_SOCKET.name
}

/// In a GitLab job, the token variable is GitLab's own channel and has its name.
fn label(seen: &[ProviderStatus], at: usize) -> usize {
    let is_variable = seen.get(at).is_some_and(|seen| seen.name == env_var::PROVIDER.name);
    seen.iter()
        .position(|seen| seen.name == gitlab::PROVIDER.name && is_here(&seen.detection))
        .filter(|_| is_variable)
        .unwrap_or(at)
}

fn is_ready(detection: &Detection) -> bool {
    matches!(detection, Detection::Ready(_))
}

fn is_broken(detection: &Detection) -> bool {
    matches!(detection, Detection::Broken(_))
}

fn is_here(detection: &Detection) -> bool {
    is_ready(detection) || is_broken(detection)
}

fn no_identity(seen: &[ProviderStatus], host: &Host, options: &Options) -> ChooseError {
    let ambient = PROVIDERS
        .iter()
        .filter(|row| row.kind != Kind::Explicit && is_requestable(row.name))
        // A credential file is only used on request.
        .filter(|row| row.name != google::PROVIDER.name)
        .map(|row| row.name.to_owned());
    let recognised = seen.iter().filter_map(|seen| match &seen.detection {
        Detection::Recognised(platform) => Some(platform.clone()),
        Detection::Absent | Detection::Broken(_) | Detection::Ready(_) => None,
    });
    ChooseError::NoIdentity {
        looked: options.token_variables.iter().cloned().chain(ambient).collect(),
        recognised: recognised.collect(),
        contained: ["/.dockerenv", "/run/.containerenv"]
            .iter()
            .any(|mark| host.path(mark).exists()),
        pod: pod(host, options),
        variable: options.variable(),
        settings: options.names,
    }
}

/// The token that a pod of Kubernetes could have mounted, if this is one.
fn pod(host: &Host, options: &Options) -> Option<Box<PodToken>> {
    let token = || {
        let file = options.token_file.display().to_string();
        Box::new(PodToken { file, audience: options.audience.clone() })
    };
    host.env.is_set("KUBERNETES_SERVICE_HOST").then(token)
}

fn notes(seen: &[ProviderStatus], winner: usize, options: &Options) -> Vec<String> {
    let Some(chosen) = seen.get(winner) else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    if chosen.kind == Kind::Machine {
        let how = match options.names.require_identity {
            Some(require) => format!("require an identity with `{require}`"),
            None => "make sure that it is the intended one".to_owned(),
        };
        notes.push(format!(
            "`{}` is the identity of this machine, not of a job: {how}",
            chosen.name
        ));
    }
    let own_channel = [env_var::PROVIDER.name, gitlab::PROVIDER.name];
    for (at, other) in seen.iter().enumerate() {
        // GitLab's token and the token variable are one and the same.
        let same = own_channel.contains(&chosen.name) && own_channel.contains(&other.name);
        if at != winner && !same {
            notes.extend(note(other, chosen.kind, options));
        }
    }
    notes
}

/// A note about an identity that was not used. The machine's own needs none, because no one requested it.
fn note(other: &ProviderStatus, chosen: Kind, options: &Options) -> Option<String> {
    let name = other.name;
    match (&other.detection, other.kind) {
        (Detection::Absent, _) | (_, Kind::Machine) => None,
        (Detection::Broken(error), _) => Some(format!("`{name}` was not used: {}", chain(error))),
        (Detection::Ready(_), _) => Some(format!(
            "`{name}` is also available: request it with {}",
            options.names.request(name)
        )),
        // A job with its own identity needs no advice on how to get one.
        (Detection::Recognised(platform), _) => matches!(chosen, Kind::Asked | Kind::Machine)
            .then(|| format!("this is also {}: {}", platform.name, platform.fix)),
    }
}
