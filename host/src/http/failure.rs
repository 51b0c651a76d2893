// SPDX-License-Identifier: Apache-2.0
//! Finds out why a request has no answer: because of the server, or of a proxy before it.

use std::sync::Arc;

use hyper::header::{CONTENT_TYPE, HeaderMap};
use reqwest::StatusCode;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::client::{Net, Profile};
use super::error::{HttpReason, host_and_port, tls_error, transport};
use super::proxy::Proxy;
use super::proxy::asked::Asked;
use super::proxy::question::{NO_HTTP, Question, ways};
use crate::chain;

impl Net {
    /// Why `url` gave no answer but `error`. A proxy may be asked once more, until `end`.
    pub(super) async fn failure(
        &self,
        error: reqwest::Error,
        (profile, url): (&Profile, &Url),
        end: Instant,
    ) -> HttpReason {
        if let Some(proxy) = self.proxy(profile, url) {
            let end = end.min(Instant::now() + profile.connect);
            // On the heap, or the future of every request would be larger by it.
            let asked = timeout_at(end, Box::pin(self.of_proxy(proxy, url, &error)));
            if let Ok(Some(reason)) = asked.await {
                return reason;
            }
        }
        let mut reason = transport(error);
        // Without CA certificates, as in an empty container, no server is trusted. That explains more
        // than the name of one of them.
        if let (HttpReason::Tls { why }, true) = (&mut reason, self.has_no_roots()) {
            "there are no CA certificates on this machine".clone_into(why);
        }
        reason
    }

    /// What an answer means that is the proxy's own, or may be; `None` for an answer of `url`. Through
    /// a tunnel only `url` answers.
    pub(super) fn answer_of_proxy(
        &self,
        (profile, url): (&Profile, &Url),
        (status, headers, body): (StatusCode, &HeaderMap, &[u8]),
    ) -> Option<HttpReason> {
        let proxy = self.proxy(profile, url)?;
        if url.scheme() != "http" || !proxy.speaks_http() {
            return None;
        }
        let host = host_and_port(url)?;
        let asked = Asked { proxy, host: &host };
        let page = || self.excerpt(body);
        match status {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Some(asked.answered(status, ways(headers), &page()))
            }
            StatusCode::FORBIDDEN if !is_json(headers) => {
                Some(asked.refused_here_or_behind(status, &page()))
            }
            _ => None,
        }
    }

    async fn of_proxy(
        &self,
        proxy: &Proxy,
        url: &Url,
        error: &reqwest::Error,
    ) -> Option<HttpReason> {
        let host = host_and_port(url)?;
        let asked = Asked { proxy, host: &host };
        let is_plain = url.scheme() == "http";
        if let Some(reason) = asked.of_socks(&chain(error)) {
            return Some(reason);
        }
        if is_plain && proxy.speaks_http() && is_no_http(error) {
            return Some(asked.no_proxy(NO_HTTP));
        }
        let is_behind = tls_error(error).is_some() && !proxy.speaks_tls();
        if !error.is_connect() || error.is_timeout() || is_behind {
            return None;
        }
        let port = url.port_or_known_default()?;
        let question = Question {
            proxy,
            host: &host,
            tunnel: (!is_plain).then_some(format!("{}:{port}", url.host_str()?)),
            user_agent: &self.options.user_agent,
            tls: self.tls()?,
        };
        question.ask(|page| self.excerpt(page)).await
    }

    /// The TLS settings for a proxy.
    fn tls(&self) -> Option<Arc<ClientConfig>> {
        let store = self.roots().ok()?.store.clone();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().ok()?;
        let config = config.with_root_certificates(store);
        Some(Arc::new(config.with_no_client_auth()))
    }
}

/// Whether an answer comes from a service: the ones over plain HTTP answer in JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.contains("json"))
}

/// Whether the answer was not HTTP.
fn is_no_http(error: &reqwest::Error) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_parse();
        }
        next = error.source();
    }
    false
}
