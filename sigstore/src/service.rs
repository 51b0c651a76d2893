// SPDX-License-Identifier: Apache-2.0
//! Finds out what answers at a URL that does not lead to the expected service: its path may be wrong, it
//! may belong to another service, or a firewall may answer.
//!
//! The requests are public and leave no traces.

use std::time::Duration;

use ambisign_host::{Answer, CallLimits, Host, errors, request};
use futures_util::future::join5;
use reqwest::header::{ACCEPT, HeaderValue};
use serde_json::Value;
use url::Url;

use crate::limits::FULCIO;
use crate::log::checkpoint::Checkpoint;

/// A request with a short time limit.
pub(crate) const QUESTION: CallLimits =
    CallLimits { tries: 1, each: Duration::from_secs(5), all: Duration::from_secs(5), ..FULCIO };

/// Where a timestamp authority takes requests, below its base.
const STAMP: &str = "api/v1/timestamp";

/// The media types of answers. A timestamp authority answers 406 to a request for another one than it has.
const ANY: &str = "*/*";
const CHAIN: &str = "application/pem-certificate-chain";
const JSON: &str = "application/json";

/// A kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The certificate authority.
    Fulcio,
    /// A log of the first version.
    RekorV1,
    /// A log of the second version.
    RekorV2,
    /// A timestamp authority.
    TimestampAuthority,
}

impl Kind {
    /// What it is called in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fulcio => "Fulcio",
            Self::RekorV1 => "a Rekor v1 log",
            Self::RekorV2 => "a Rekor v2 log",
            Self::TimestampAuthority => "a timestamp authority",
        }
    }

    /// How the user names it.
    fn flag(self) -> &'static str {
        match self {
            Self::Fulcio => "`--fulcio-url`",
            Self::RekorV1 | Self::RekorV2 => "`--rekor-url`",
            Self::TimestampAuthority => "`--tsa-url`",
        }
    }
}

errors! {
    /// What is at the URL of a service is something else.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("{}", sentence(*expected, url, answered, found.as_ref()))]
        Mistaken {
            expected: Kind,
            /// The URL that the user gave for it.
            url: String,
            answered: String,
            /// Which service it is, and its URL, when it says so.
            found: Option<(Kind, String)>,
        } = "service/mistaken", Trust {
            fix: fix(*expected, url, found.as_ref()),
            what: "What answers at the URL of a service is not that service.",
            why: "The URL lacks its path or is that of another service, or a firewall answers in its place.",
            advice: "Compare the URL with the documentation of the deployment; it stands in the signing config or in a URL flag.",
        },
    }
}

fn sentence(expected: Kind, url: &str, answered: &str, found: Option<&(Kind, String)>) -> String {
    let is_itself = found.is_some_and(|(kind, at)| *kind == expected && at == url);
    let expected = expected.name();
    match found {
        Some(_) if is_itself => {
            format!("{url} is {expected}, and takes no such request: it {answered}")
        }
        Some((kind, at)) if at == url => {
            format!("{url} is given for {expected}, and is {}: it {answered}", kind.name())
        }
        Some((kind, at)) => {
            format!("{url} is given for {expected}, and {} is at {at}: it {answered}", kind.name())
        }
        None => format!("what answers at {url} is not {expected}: it {answered}"),
    }
}

fn fix(expected: Kind, url: &str, found: Option<&(Kind, String)>) -> String {
    match found {
        Some((kind, at)) if *kind == expected && at == url => {
            "ask who runs it whether it is closed, and update the signing config".to_owned()
        }
        Some((kind, at)) if *kind == expected => {
            format!("give {at} with {}, or in the signing config", kind.flag())
        }
        Some((kind @ (Kind::RekorV1 | Kind::RekorV2), at))
            if matches!(expected, Kind::RekorV1 | Kind::RekorV2) =>
        {
            let version = if *kind == Kind::RekorV1 { 1 } else { 2 };
            format!(
                "use {at} with `--rekor-version {version}`, or write `majorApiVersion` {version} into the signing config"
            )
        }
        Some(_) | None => format!(
            "give the URL of {} with {}, its path included, or in the signing config; if it is right, \
             let this machine reach it without what answers instead",
            expected.name(),
            expected.flag()
        ),
    }
}

/// The error that `answer`, from the URL of the `expected` service, does not come from such a service.
/// Finds out which service answers there.
pub(crate) async fn mistaken(host: &Host, expected: Kind, url: &Url, answer: &Answer) -> Error {
    let status = answer.status.as_u16();
    let excerpt = answer.excerpt(&host.net);
    let excerpt = match excerpt.as_str() {
        "" => "nothing".to_owned(),
        excerpt => format!("`{excerpt}`"),
    };
    Error::Mistaken {
        expected,
        url: url.to_string(),
        answered: format!("answers HTTP {status} with {excerpt}"),
        found: found(host, url).await,
    }
}

/// Which service says of itself that it is at `url`, or below it.
async fn found(host: &Host, url: &Url) -> Option<(Kind, String)> {
    let ask = async |path: &str, accept: &'static str| {
        let accept = [(ACCEPT, HeaderValue::from_static(accept))];
        let request = request::get(request::below(url, path), accept);
        let answer = host.net.send(&QUESTION, request).await.ok();
        answer.filter(|answer| answer.status.is_success())
    };
    let (fulcio, v1, v2, stamps, below) = join5(
        ask("api/v2/configuration", JSON),
        ask("api/v1/log", JSON),
        ask("api/v2/checkpoint", ANY),
        ask("certchain", CHAIN),
        ask(&format!("{STAMP}/certchain"), CHAIN),
    )
    .await;
    let has = |answer: &Option<Answer>, member: &str| {
        let json: Option<Value> = answer.as_ref().and_then(Answer::json);
        json.is_some_and(|json| json.get(member).is_some())
    };
    let here = |kind| Some((kind, url.to_string()));
    if has(&fulcio, "issuers") {
        return here(Kind::Fulcio);
    }
    if has(&v1, "signedTreeHead") {
        return here(Kind::RekorV1);
    }
    let text = v2.map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
    if text.is_some_and(|text| Checkpoint::parse(&text).is_some()) {
        return here(Kind::RekorV2);
    }
    let is_chain = |answer: Option<Answer>| {
        answer.is_some_and(|answer| answer.body.starts_with(b"-----BEGIN CERTIFICATE"))
    };
    if is_chain(stamps) {
        return here(Kind::TimestampAuthority);
    }
    let below = is_chain(below).then(|| request::below(url, STAMP).to_string());
    below.map(|at| (Kind::TimestampAuthority, at))
}

/// Whether no service of Sigstore speaks of its work by this status, but of its URL: there is nothing
/// there, or nothing that takes a POST.
pub(crate) fn is_of_url(status: u16) -> bool {
    matches!(status, 404 | 405 | 501)
}

/// Whether `body` is an error as services of Sigstore write it, with a message.
pub(crate) fn is_error(body: &[u8]) -> bool {
    let json: Option<Value> = ambisign_host::json::parse(body).ok();
    json.is_some_and(|json| json.get("message").is_some_and(Value::is_string))
}

/// Whether `body` is a page, which no service of Sigstore answers.
pub(crate) fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// Sends a request that the `expected` service at `url` cannot use, and so does nothing on. When the
/// answer is about the URL, or is a page, something else answers there.
pub(crate) async fn confirm(host: &Host, expected: Kind, url: &Url) -> Option<Error> {
    let path = match expected {
        Kind::Fulcio => "api/v2/signingCert",
        Kind::RekorV1 => "api/v1/log/entries",
        Kind::RekorV2 => "api/v2/log/entries",
        // Its answer to a request for a timestamp shows what it is.
        Kind::TimestampAuthority => return None,
    };
    let request = request::post(request::below(url, path), "application/json", "{}");
    let answer = host.net.send(&QUESTION, request).await.ok()?;
    let status = answer.status.as_u16();
    // Without its token a request may be refused by whatever guards the service.
    let is_guarded = matches!(status, 401 | 403 | 407);
    let is_odd =
        is_page(&answer.body) || answer.status.is_success() && !answer.body.starts_with(b"{");
    if is_of_url(status) || is_odd && !is_guarded {
        return Some(mistaken(host, expected, url, &answer).await);
    }
    None
}
