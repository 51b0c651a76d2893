// SPDX-License-Identifier: Apache-2.0
//! Requests that came to no usable answer.

use ambisign_host::{ClientError, Env, HttpError, HttpReason, Proxies, ProxyFault, SettingNames};
use ambisign_providers::google::service_account;
use ambisign_providers::{RequestError, fuzzing, gce, github, impersonation};
use ambisign_sigstore::{fulcio, trust, witness};
use reqwest::Method;

use super::{Error, boxed};

/// How a stage says it, the host that it asked, and the reasons that no run gives.
type Row = (fn(HttpError) -> Error, &'static str, &'static [&'static str]);

/// The reasons that need a proxy, a certificate, a long answer, or a silent host.
const MOST: &[&str] =
    &["client", "not-https", "not-tls", "proxy", "tls", "too-large", "unreachable"];
/// All of them, of services that only Google has.
const ALL: &[&str] = &[
    "client",
    "encoded",
    "not-https",
    "not-tls",
    "proxy",
    "redirected",
    "tls",
    "too-large",
    "unreachable",
];
/// A registry's redirects are followed, and its long answers are an error of its own.
const OF_A_REGISTRY: &[&str] =
    &["client", "not-https", "not-tls", "redirected", "tls", "unreachable"];

const STAGES: [Row; 10] = [
    (|error| boxed(fulcio::Error::Http(error)), "fulcio.example.com", MOST),
    (|error| boxed(gce::Error::Http(request(error))), "169.254.169.254", MOST),
    (
        |error| boxed(github::Error::Http(request(error))),
        "runner.actions.githubusercontent.com",
        MOST,
    ),
    (
        |error| boxed(impersonation::Error::Http(request(error))),
        "iamcredentials.googleapis.com",
        ALL,
    ),
    (|error| boxed(ambisign_registry::Error::Http(error)), "registry.example.com", OF_A_REGISTRY),
    (|error| boxed(witness::Error::Log(error)), "rekor.example.com", MOST),
    (|error| boxed(service_account::Error::Http(request(error))), "oauth2.googleapis.com", ALL),
    (|error| boxed(witness::Error::Timestamp(error)), "tsa.example.com", MOST),
    (|error| boxed(trust::Error::Http(error)), "rekor.example.com", MOST),
    (|error| boxed(trust::tuf::Error::Http(error)), "tuf.example.com", MOST),
];

/// One error for each stage and each of its reasons.
pub(super) fn all() -> Vec<Error> {
    let of_stage = |(error, host, names): Row| {
        names.iter().map(move |name| {
            error(HttpError {
                method: Method::GET,
                url: format!("https://{host}/path").into(),
                tries: if *name == "unreachable" { 4 } else { 1 },
                sent: false,
                proxy: None,
                reason: reason(name, host),
            })
        })
    };
    STAGES.into_iter().flat_map(of_stage).collect()
}

/// The same, of a provider.
fn request(error: HttpError) -> RequestError {
    let names = SettingNames { timeout: Some("--timeout"), ca_file: Some("--ca-file") };
    fuzzing::request_error(error, names)
}

fn reason(name: &str, host: &str) -> HttpReason {
    match name {
        "client" => HttpReason::Client(Box::new(ClientError::Proxy { variable: "HTTPS_PROXY" })),
        "encoded" => HttpReason::Encoded { coding: "gzip".to_owned() },
        "not-https" => HttpReason::NotHttps,
        "not-tls" => HttpReason::NotTls,
        "proxy" => {
            let env = Env::from_iter([("HTTPS_PROXY", "http://proxy.example.com:3128")]);
            let (proxies, _) = Proxies::read(&env).unwrap();
            let proxy = proxies.all().next().unwrap();
            HttpReason::Proxy(Box::new(ProxyFault::refused(proxy, host, "HTTP 403")))
        }
        "redirected" => HttpReason::Redirected { to: "https://elsewhere.example".to_owned() },
        "tls" => HttpReason::Tls { why: "invalid peer certificate: UnknownIssuer".to_owned() },
        "too-large" => HttpReason::TooLarge { limit: 65_536 },
        "unreachable" => HttpReason::Unreachable {
            why: "Connection refused (os error 111)".to_owned(),
            sent: false,
        },
        _ => panic!("there is no reason `{name}`"),
    }
}
