// SPDX-License-Identifier: Apache-2.0
//! One way to make an HTTP request: with limits, deadlines and retries.
//!
//! This is the only place that retries; no caller may add a second layer around it.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use reqwest::header::{self, HeaderMap};
use reqwest::{Method, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;
use zeroize::Zeroize as _;

use super::client::{Event, Net, Profile};
use super::error::{HttpError, HttpReason, host_and_port, transport};
use super::page;

/// The longest piece of a server's answer that a message shows, in characters.
const EXCERPT: usize = 256;

/// The longest wait that a server can ask for. No run is longer, and such a time can always be
/// represented.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest wait before a service that says "too many requests" and not how long to wait is
/// asked again.
const AFTER_TOO_MANY: Duration = Duration::from_secs(2);

/// The limits of one call to a service.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// How the service is talked to.
    pub profile: Profile,
    /// A longer body is an error, in bytes.
    pub body: usize,
    /// How often the request is made at most; 1 where a repetition is not harmless.
    pub tries: u32,
    /// The longest time of one try, connecting included.
    pub each: Duration,
    /// The longest time of all tries and waits.
    pub all: Duration,
    /// The first wait; each further one may be twice as long, up to `longest_wait`.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

/// An answer with a status that is not temporary, whole.
#[derive(Debug)]
pub struct Answer {
    /// Where it came from.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, within its limit.
    pub body: Vec<u8>,
    /// The address that answered; `None` behind a proxy.
    pub from: Option<IpAddr>,
}

/// Wipes the body, which may have a token.
impl Drop for Answer {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

impl Answer {
    /// The body as JSON; `None` if [`crate::json::parse`] refuses it, or if it has another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        crate::json::parse(&self.body).ok()
    }

    /// The value of `header`, when it is readable.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// When the server says that it answered, to the second (RFC 9110 6.6.1).
    pub fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.header(header::DATE)?).ok()
    }

    /// The beginning of the body, for a message: at most 256 characters, on one line, without the
    /// secrets that `net` knows.
    pub fn excerpt(&self, net: &Net) -> String {
        net.excerpt(&self.body)
    }
}

impl Net {
    /// The beginning of what somebody else wrote, for a message: at most 256 characters, on one line,
    /// without the secrets of this run.
    pub fn excerpt(&self, text: &[u8]) -> String {
        // Redacted before it is cut, or the cut could leave a half of a secret.
        let text = self.redact(&String::from_utf8_lossy(text));
        // What stood on both sides of a tag may be a secret when it stands together.
        let text = page::words(&text).map_or(text, |words| self.redact(&words));
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(EXCERPT).collect()
    }

    /// Makes `request` within `limits`.
    ///
    /// A status of 408, 425, 429, 499, 500, 502, 503, 504 or 520 to 524 (what content networks answer
    /// for a server that is down) and a broken connection are temporary: the same bytes are sent
    /// again, after a wait that honours `Retry-After` (RFC 9110 10.2.3). Every other answer is
    /// returned, error statuses included. Redirects are refused.
    ///
    /// # Errors
    /// No whole answer came in time, or one that no service of ours gives.
    pub async fn send(&self, limits: &CallLimits, request: Request) -> Result<Answer, HttpError> {
        self.send_while(limits, request, |_final| false).await
    }

    /// As [`Net::send`], but an answer for which `again` is true is temporary too: for services that
    /// say "not yet" with a status that usually means "no".
    ///
    /// # Errors
    /// As [`Net::send`]; the last answer of the kind that `again` names is [`HttpReason::Status`].
    pub async fn send_while(
        &self,
        limits: &CallLimits,
        request: Request,
        again: fn(&Answer) -> bool,
    ) -> Result<Answer, HttpError> {
        let answer = self.send_once_or_more(limits, request, again).await?;
        if answer.0.status.is_redirection() {
            let to = redirect_origin(&answer.0);
            return Err(answer.1.error(HttpReason::Redirected { to }));
        }
        Ok(answer.0)
    }

    /// As [`Net::send`], but a redirect is an answer like any other: for callers with rules of
    /// their own about where it may lead.
    ///
    /// # Errors
    /// As [`Net::send`], but for redirects.
    pub async fn send_unfollowed(
        &self,
        limits: &CallLimits,
        request: Request,
    ) -> Result<Answer, HttpError> {
        let again = |_: &Answer| false;
        Ok(self.send_once_or_more(limits, request, again).await?.0)
    }

    async fn send_once_or_more(
        &self,
        limits: &CallLimits,
        request: Request,
        again: fn(&Answer) -> bool,
    ) -> Result<(Answer, Call), HttpError> {
        let mut call = Call::new(&request);
        call.proxy =
            self.proxy(&limits.profile, request.url()).map(|proxy| proxy.to_string().into());
        if !limits.profile.permits(request.url()) {
            return Err(call.error(HttpReason::NotHttps));
        }
        self.guard_headers(request.headers());
        let end = self.end(limits);
        loop {
            call.tries += 1;
            let copy = request.try_clone();
            let reason = match self.one_try(limits, copy, end).await {
                Ok(answer) if !again(&answer) => return Ok((answer, call)),
                Ok(answer) => self.not_yet(&answer),
                Err(reason) => reason,
            };
            call.sent |= reason.is_sent();
            let Some(wait) = next_wait(limits, &reason, call.tries, end) else {
                let over = self.deadline().is_some_and(|deadline| Instant::now() >= deadline);
                return Err(call.error(if over { HttpReason::Deadline } else { reason }));
            };
            let because = reason.to_string();
            self.tell(Event::Waiting {
                host: &call.host,
                url: &call.url,
                because: &because,
                wait,
                tries: call.tries,
            });
            sleep(wait).await;
        }
    }

    fn not_yet(&self, answer: &Answer) -> HttpReason {
        HttpReason::Status {
            status: answer.status,
            excerpt: answer.excerpt(self).into(),
            retry_after: retry_after(&answer.headers, self.clock.now()),
        }
    }

    /// The end of the call, or of the run if that is nearer.
    fn end(&self, limits: &CallLimits) -> Instant {
        let end = Instant::now() + limits.all;
        self.deadline().map_or(end, |deadline| end.min(deadline))
    }

    /// Whatever a request proves itself with must not come back in a message.
    fn guard_headers(&self, headers: &HeaderMap) {
        for value in headers.values().filter(|value| value.is_sensitive()) {
            let Ok(text) = value.to_str() else { continue };
            self.guard(text.rsplit_once(' ').map_or(text, |(_, secret)| secret));
        }
    }

    async fn one_try(
        &self,
        limits: &CallLimits,
        request: Option<Request>,
        end: Instant,
    ) -> Result<Answer, HttpReason> {
        let started = Instant::now();
        let end = end.min(started + limits.each);
        // A request with a streamed body cannot be copied; none of ours has one.
        let request = request.ok_or(HttpReason::Deadline)?;
        let client = self.client(&limits.profile, request.url())?;
        let (method, asked) = (request.method().clone(), request.url().clone());
        let peer = (&limits.profile, &asked);
        let late = |sent| HttpReason::Unreachable { why: "no answer in time".to_owned(), sent };
        let response = match timeout_at(end, client.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.failure(error, peer, end).await),
            Err(_elapsed) => return Err(late(true)),
        };
        let (url, status) = (response.url().clone(), response.status());
        let headers = response.headers().clone();
        let from = response.remote_addr().map(|address| address.ip());
        let from = from.filter(|_| self.proxy(&limits.profile, &asked).is_none());
        let read = async {
            match HttpReason::encoded(&headers) {
                Some(encoded) => Err(encoded),
                None => read(response, limits.body).await,
            }
        };
        let body = match timeout_at(end, read).await {
            // What stands before a service packs and fills its pages as it likes; the status of an
            // error says enough.
            Ok(Err(HttpReason::Encoded { .. } | HttpReason::TooLarge { .. }))
                if status.is_client_error() || status.is_server_error() =>
            {
                Vec::new()
            }
            Ok(body) => body?,
            Err(_elapsed) => return Err(late(true)),
        };
        let (shown, took) = (redacted(&url), started.elapsed());
        let (method, code) = (method.as_str(), status.as_u16());
        self.tell(Event::Answered { method, url: &shown, status: code, took });
        if let Some(reason) = self.answer_of_proxy(peer, (status, &headers, &body)) {
            return Err(reason);
        }
        if is_temporary(status) {
            let retry_after = retry_after(&headers, self.clock.now());
            let excerpt = self.excerpt(&body).into();
            return Err(HttpReason::Status { status, excerpt, retry_after });
        }
        Ok(Answer { url, status, headers, body, from })
    }
}

/// What an error says of a request.
struct Call {
    method: Method,
    host: String,
    url: String,
    proxy: Option<Box<str>>,
    tries: u32,
    sent: bool,
}

impl Call {
    fn new(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            host: host_and_port(request.url()).unwrap_or_default(),
            url: redacted(request.url()),
            proxy: None,
            tries: 0,
            sent: false,
        }
    }

    fn error(&self, reason: HttpReason) -> HttpError {
        let (method, url) = (self.method.clone(), self.url.clone());
        HttpError {
            method,
            url: url.into(),
            tries: self.tries,
            sent: self.sent || reason.is_sent(),
            proxy: self.proxy.clone(),
            reason,
        }
    }
}

/// `url` without query, fragment and user information.
fn redacted(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

fn redirect_origin(answer: &Answer) -> String {
    let target = answer.header(header::LOCATION).and_then(|to| answer.url.join(to).ok());
    target.map_or_else(|| "nowhere".to_owned(), |url| url.origin().ascii_serialization())
}

async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, HttpReason> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        if body.len() + chunk.len() > limit {
            return Err(HttpReason::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn is_temporary(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        408 | 425 | 429 | 499 | 500 | 502..=504 | 520..=524
    )
}

/// Seconds or an HTTP date, a day at the most; anything else is ignored.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    let asked = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_no_number) => httpdate::parse_http_date(text).ok()?.duration_since(now).ok()?,
    };
    Some(asked.min(LONGEST_ASKED))
}

/// The wait before the next try; `None` when there is none.
fn next_wait(
    limits: &CallLimits,
    reason: &HttpReason,
    tries: u32,
    end: Instant,
) -> Option<Duration> {
    let (asked, least) = match reason {
        HttpReason::Status { status: StatusCode::TOO_MANY_REQUESTS, retry_after, .. } => {
            (*retry_after, AFTER_TOO_MANY)
        }
        HttpReason::Status { retry_after, .. } => (*retry_after, Duration::ZERO),
        HttpReason::ProxyDown(_) | HttpReason::Unreachable { .. } => (None, Duration::ZERO),
        HttpReason::Client(_)
        | HttpReason::Deadline
        | HttpReason::Encoded { .. }
        | HttpReason::NotHttps
        | HttpReason::NotTls
        | HttpReason::Proxy(_)
        | HttpReason::ProxyTls(_)
        | HttpReason::Redirected { .. }
        | HttpReason::Tls { .. }
        | HttpReason::TooLarge { .. } => return None,
    };
    if tries >= limits.tries {
        return None;
    }
    let wait = asked.unwrap_or_else(|| jittered(limits, tries).max(least));
    // A wait beyond the end is pointless. The message says how long the service asked to wait.
    (Instant::now() + wait < end).then_some(wait)
}

/// Full jitter, so that the jobs of a matrix do not come back together: between half and all of
/// the exponential step.
fn jittered(limits: &CallLimits, tries: u32) -> Duration {
    let step = limits.first_wait.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)));
    let step = step.min(limits.longest_wait);
    let random = getrandom::u32().unwrap_or(u32::MAX);
    step.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
