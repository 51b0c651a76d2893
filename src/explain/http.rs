// SPDX-License-Identifier: Apache-2.0
//! What there is to know about requests that came to no usable answer: the same for each service.

use super::{Code, TEMPORARY, UNTRUSTED, USAGE, row};

/// The stages that send requests.
const STAGES: [&str; 10] = [
    "fulcio",
    "gce",
    "github",
    "impersonation",
    "registry",
    "rekor",
    "service-account",
    "timestamp",
    "trust",
    "tuf",
];

#[rustfmt::skip] // One part of a row a line.
const CODES: [Code; 8] = [
    row("client", USAGE,
        "No request could be sent, because a proxy or CA setting is unusable.",
        "A proxy variable is no URL, or a file of certificates holds none.",
        "Correct the variable or file that the message names."),
    row("encoded", UNTRUSTED,
        "The answer was compressed, which nobody asked for.",
        "A proxy or filter between the machine and the host rewrites answers.",
        "Take it out of the way for this host."),
    row("not-https", USAGE,
        "A request would have gone over plain http, or with a password in its URL.",
        "Both could be read on the way.",
        "Use an https URL; plain http is for addresses of the machine itself."),
    row("not-tls", UNTRUSTED,
        "The host does not speak TLS on this port.",
        "The service listens there in plain HTTP, or the port is another one's.",
        "Give the port that speaks TLS; for a registry you can allow plain HTTP with `--allow-http-registry`."),
    row("redirected", UNTRUSTED,
        "The host sends the request elsewhere.",
        "A token or signature is not carried to a host that you did not name.",
        "Give the URL of the service itself."),
    row("tls", UNTRUSTED,
        "The host could not prove who it is.",
        "A proxy opens TLS with a certificate of its own, a private CA is not known here, or the clock is wrong.",
        "Give the CA with `--ca-file`; check the clock."),
    row("too-large", UNTRUSTED,
        "The answer was longer than any real one.",
        "Something else answers, or it means harm.",
        "Check the URL and the proxies."),
    row("unreachable", TEMPORARY,
        "No answer came, or the host is busy or broken.",
        "Network, firewall, a fault of the service, or the time of the run was over.",
        "Run again; if it stays, check that the job may reach the host."),
];

/// The codes of all stages.
pub(super) fn codes() -> impl Iterator<Item = (String, Code)> {
    let of = |stage: &'static str| {
        CODES
            .into_iter()
            .map(move |code| (format!("{stage}/{}", code.name), code))
    };
    STAGES.into_iter().flat_map(of)
}
