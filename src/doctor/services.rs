// SPDX-License-Identifier: Apache-2.0
//! Whether each service answers, and what their answers say of the clock and of the token. What is
//! asked is public already and leaves nothing behind.

use std::time::{Duration, SystemTime};

use ambisign_host::{Answer, CallLimits, Failure, Host, HttpError, HttpReason, request};
use ambisign_sigstore::fulcio::{self, Objection};
use ambisign_sigstore::identity::Identity;
use ambisign_sigstore::identity::prediction::Prediction;
use ambisign_sigstore::limits::FULCIO;
use ambisign_sigstore::trust::{Service, Trust};
use futures_util::future::join_all;
use tokio::time::Instant;
use url::Url;

use super::token::whole;
use super::warnings::CLOCK;
use crate::outcome::diagnosis::{Finding, Stage};
use crate::settings::RunSettings;

/// A question to a service. Less patient than a run: somebody waits for the diagnosis.
const QUESTION: CallLimits =
    CallLimits { tries: 2, each: Duration::from_secs(10), all: Duration::from_secs(25), ..FULCIO };

/// The clock difference that is reported. `Date` has whole seconds, and answers take time.
const OFF: Duration = Duration::from_secs(60);

/// A kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fulcio,
    Log,
    TimestampAuthority,
}

/// What a service answered.
pub(super) struct Asked {
    kind: Kind,
    url: Url,
    took: Duration,
    /// The clock of this machine when the answer was there.
    at: SystemTime,
    answer: Result<Answer, HttpError>,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Fulcio => "Fulcio",
            Self::Log => "log",
            Self::TimestampAuthority => "timestamp authority",
        }
    }

    /// The stage of the errors of `sign`.
    fn stage(self) -> &'static str {
        match self {
            Self::Fulcio => "fulcio",
            Self::Log => "rekor",
            Self::TimestampAuthority => "timestamp",
        }
    }

    /// What every service of this kind answers to anybody. A timestamp authority answers nothing but
    /// requests for timestamps, so whatever it says to another one shows that it is there.
    fn question(self, service: &Service) -> Url {
        match (self, service.version) {
            (Self::Fulcio, _) => fulcio::configuration(&service.url),
            (Self::Log, 1) => request::below(&service.url, "api/v1/log"),
            (Self::Log, _) => request::below(&service.url, "api/v2/checkpoint"),
            (Self::TimestampAuthority, _) => service.url.clone(),
        }
    }
}

/// Asks every service of `trust`, together.
pub(super) async fn ask(host: &Host, trust: &Trust) -> Vec<Asked> {
    let services = trust.services();
    let logs = services.logs.iter().map(|log| (Kind::Log, log));
    let authorities = services.authorities.iter();
    let authorities = authorities.map(|one| (Kind::TimestampAuthority, one));
    let all = std::iter::once((Kind::Fulcio, &services.fulcio));
    let all = all.chain(logs).chain(authorities);
    let ask = |(kind, service): (Kind, &Service)| {
        let (url, question) = (service.url.clone(), kind.question(service));
        async move {
            let started = Instant::now();
            let answer = host.net.send(&QUESTION, request::get_json(question)).await;
            Asked { kind, url, took: started.elapsed(), at: host.clock.now(), answer }
        }
    };
    join_all(all.map(ask)).await
}

/// Which services answered, of the `hosts` that a run talks to.
pub(super) fn reached(asked: &[Asked], hosts: &[String], run: &RunSettings) -> Vec<Finding> {
    let hosts = hosts.join(", ");
    let told = asked.iter().map(|asked| asked.told(&hosts));
    let mut findings: Vec<_> = told.collect();
    let proxy = run.overrides.iter().find(|notice| notice.value.starts_with("proxy "));
    let through = proxy.map(|notice| format!(", https by {notice}"));
    let text = format!("a run talks to {hosts}{}", through.unwrap_or_default());
    findings.push(Finding::ok(Stage::Services, "hosts", text));
    findings
}

impl Asked {
    fn told(&self, hosts: &str) -> Finding {
        let (stage, about) = (Stage::Services, self.kind.name());
        let (url, took) = (&self.url, self.took.as_secs_f64());
        match &self.answer {
            Ok(answer) if answer.status.is_success() || self.kind == Kind::TimestampAuthority => {
                Finding::ok(stage, about, format!("{url} answers in {took:.2}s"))
            }
            Ok(answer) => {
                let status = answer.status.as_u16();
                let text = format!("{url} answers HTTP {status} to {}", answer.url.path());
                let fix = format!("check that this is the URL of a {about}");
                Finding::warn(stage, about, text).with_fix(fix)
            }
            Err(error) => Finding::fail(stage, about, self.failure(error, hosts)),
        }
    }

    fn failure(&self, error: &HttpError, hosts: &str) -> Failure {
        let (kind, url) = (self.kind, &self.url);
        let (what, fix) = if matches!(error.reason, HttpReason::Unreachable { .. }) {
            let proxy = error.proxy.as_ref();
            let by = proxy.map_or_else(String::new, |proxy| format!(" by the proxy {proxy}"));
            let fix = format!("let this machine reach {hosts}{by}");
            ("cannot be reached", Some(fix))
        } else {
            ("gives no usable answer", error.fix().map(Into::into))
        };
        Failure {
            what: format!("the {} {url} {what}", kind.name()),
            because: vec![error.to_string()],
            fix,
            code: format!("{}/{}", kind.stage(), error.variant()),
            class: error.class(),
        }
    }

    /// How far the clock of this machine is ahead of the service's (true), or behind.
    fn offset(&self) -> Option<(bool, Duration)> {
        let date = self.answer.as_ref().ok()?.date()?;
        Some(match self.at.duration_since(date) {
            Ok(ahead) => (true, ahead),
            Err(behind) => (false, behind.duration()),
        })
    }
}

/// Compares the clock of this machine with those of the services. One of them may be wrong, so the nearest
/// one counts.
pub(super) fn clock(asked: &[Asked]) -> Finding {
    let (stage, about) = (Stage::Identity, "clock");
    let offsets = asked.iter().filter_map(|asked| Some((asked, asked.offset()?)));
    let nearest = offsets.min_by_key(|(_, (_, by))| *by);
    let Some((asked, (is_ahead, by))) = nearest else {
        return Finding::skip(stage, about, "no service sent its time");
    };
    let of = asked.url.host_str().unwrap_or_default();
    if by <= OFF {
        let text = format!("the clock of this machine agrees with that of {of}");
        return Finding::ok(stage, about, text);
    }
    let side = if is_ahead { "ahead of" } else { "behind" };
    let text = format!("the clock of this machine is {} {side} that of {of}", whole(by));
    let finding = Finding::warn(stage, about, text).with_code(CLOCK);
    finding.with_fix("set the clock of the machine (NTP): tokens and certificates live for minutes")
}

/// Whether Fulcio takes tokens of the issuer of `identity`, by its own configuration.
pub(super) fn issuer(asked: &[Asked], identity: &Identity, trust: &Trust) -> Finding {
    let (stage, about) = (Stage::Identity, "issuer");
    let issuer = identity.issuer();
    let fulcio = asked.iter().find(|asked| asked.kind == Kind::Fulcio);
    let answer = fulcio.and_then(|asked| asked.answer.as_ref().ok());
    let url = &trust.services().fulcio.url;
    let unknown = *identity.prediction() == Prediction::Unknown;
    let objection = match answer.and_then(|answer| fulcio::objection(answer, identity)) {
        Some(Objection::None | Objection::Quoted) => {
            let text = format!("{url} takes tokens of {issuer}");
            return Finding::ok(stage, about, text);
        }
        None if unknown && trust.is_public() => {
            let text = format!("the public instance is not known to trust {issuer}");
            let fix = Objection::Issuer.fix(issuer);
            return Finding::warn(stage, about, text).with_fix(fix);
        }
        None | Some(Objection::Unread) => {
            let text = format!("{url} did not tell whether it takes tokens of {issuer}");
            return Finding::skip(stage, about, text);
        }
        Some(objection) => objection,
    };
    let failure = Failure {
        what: format!("{url}: {}", objection.says(issuer)),
        because: Vec::new(),
        fix: Some(objection.fix(issuer).into_owned()),
        // The error that `sign` would report.
        code: "fulcio/refused".to_owned(),
        class: ambisign_host::Class::Identity,
    };
    Finding::fail(stage, about, failure)
}
