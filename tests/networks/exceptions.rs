// SPDX-License-Identifier: Apache-2.0
//! `NO_PROXY`, as people write it. `host/src/http/proxy/exceptions.rs` has the whole table, beside what
//! the clients in Go decide.

use crate::common::forward::{Does, Forward};
use crate::place::{Place, told};

const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

/// A run of `sign` for `host/acme/app` with `NO_PROXY=entries`, in which the proxy refuses, asks it for
/// `host` or not. Nobody else knows the host.
#[track_caller]
fn asks_the_proxy(variable: &str, entries: &str, host: &str) -> bool {
    let (place, proxy) = (Place::new(), Forward::that(Does::Say(FORBIDDEN)));
    let run = place
        .job("sign", &format!("{host}/acme/app"))
        .env("HTTPS_PROXY", proxy.url("http"))
        .env(variable, entries)
        .run();
    place.nothing_is_public();
    let is_asked = !proxy.seen().is_empty();
    let (code, exit) = if is_asked { ("registry/proxy", 2) } else { ("registry/unreachable", 75) };
    let told = told(&run, code, exit);
    assert_eq!(told.text.contains("proxy"), is_asked, "{entries}: {told:?}");
    is_asked
}

/// Each row at the same time: a host that nobody knows is asked for again and again.
#[track_caller]
fn all(rows: &[(&str, &str)], variable: &str, is_asked: bool) {
    std::thread::scope(|scope| {
        let runs = rows.iter().map(|(entries, host)| {
            let run = scope.spawn(move || asks_the_proxy(variable, entries, host));
            (entries, run)
        });
        for (entries, run) in runs.collect::<Vec<_>>() {
            assert_eq!(run.join().unwrap(), is_asked, "NO_PROXY={entries}");
        }
    });
}

#[test]
fn hosts_domains_ports_stars_and_blanks_are_reached_directly() {
    let host = "r.corp.invalid";
    let with_port = "r.corp.invalid:8443";
    let rows = [
        ("*.corp.invalid", host),
        (".corp.invalid", host),
        ("corp.invalid", host),
        ("R.Corp.Invalid", host),
        ("r.corp.invalid:443", host),
        ("*.corp.invalid:8443", with_port),
        ("*", host),
        (" other.invalid , r.corp.invalid ", host),
        ("other.invalid r.corp.invalid", host),
    ];
    all(&rows, "NO_PROXY", false);
    all(&rows[..1], "no_proxy", false);
}

#[test]
fn other_hosts_and_ports_go_through_the_proxy() {
    let host = "r.corp.invalid";
    let rows = [
        ("", host),
        ("orp.invalid", host),
        ("x.r.corp.invalid", host),
        ("*.r.corp.invalid", host),
        ("r.corp.invalid:8443", host),
        ("10.0.0.0/8", "192.0.2.7"),
        ("192.0.2.7:5000", "192.0.2.7"),
    ];
    all(&rows, "NO_PROXY", true);
}

/// 0.0.0.0 leads to this machine too, and is no loopback address.
#[test]
fn addresses_and_networks_are_reached_directly() {
    let place = Place::new();
    let proxy = Forward::that(Does::Say(FORBIDDEN));
    let registry = &place.sandbox.urls().registry_referrers;
    let host = registry.replace("127.0.0.1", "0.0.0.0");
    let port = host.split(':').next_back().unwrap();
    for entries in
        ["0.0.0.0".to_owned(), format!("0.0.0.0:{port}"), "192.0.2.0/24,0.0.0.0/8".to_owned()]
    {
        let (_, digest) = place.image();
        let run = place
            .job("sign", &format!("{host}/acme/app@{digest}"))
            .arg(format!("--allow-http-registry={host}"))
            .env("HTTP_PROXY", proxy.url("http"))
            .env("NO_PROXY", entries)
            .run()
            .expect(0);
        assert_eq!(proxy.seen(), [], "{run}");
    }
    let (_, digest) = place.image();
    let run = place
        .job("sign", &format!("{host}/acme/app@{digest}"))
        .arg(format!("--allow-http-registry={host}"))
        .env("HTTP_PROXY", proxy.url("http"))
        .env("NO_PROXY", "0.0.0.0:1")
        .run();
    told(&run, "registry/proxy", 2);
}

/// This machine is never reached through a proxy.
#[test]
fn this_machine_is_reached_directly() {
    let place = Place::new();
    let proxy = Forward::that(Does::Say(FORBIDDEN));
    let (repository, digest) = place.image();
    let url = proxy.url("http");
    for host in ["127.0.0.1", "localhost"] {
        let named = repository.replace("127.0.0.1", host);
        let run = place
            .job("sign", &format!("{named}@{digest}"))
            .env("HTTP_PROXY", &url)
            .env("HTTPS_PROXY", &url)
            .run()
            .expect(0);
        assert_eq!(proxy.seen(), [], "{run}");
    }
}

/// The clients in Go skip it in silence. It ends no run: the variable is the machine's.
#[test]
fn an_entry_that_no_host_can_match_is_told() {
    let place = Place::new();
    let (repository, digest) = place.image();
    let image = format!("{repository}@{digest}");
    let entries = "10.*,http://r.corp,10.0.0.0/33,:443,<local>,ok.corp";
    let vars = |command| place.job(command, &image).env("NO_PROXY", entries);
    let signed = vars("sign").run().expect(0);
    let warnings = signed.json()["warnings"].clone();
    let warnings = warnings.as_array().unwrap();
    let doctor = vars("doctor").run().expect(0);
    let verified = vars("verify").run().expect(0);
    for (at, entry) in
        ["10.*", "http://r.corp", "10.0.0.0/33", ":443", "<local>"].into_iter().enumerate()
    {
        let said = format!("the entry `{entry}` of `NO_PROXY` does not match any host");
        assert_eq!(warnings[at]["code"], "network/no-proxy", "{signed}");
        assert_eq!(warnings[at]["message"], said, "{signed}");
        for run in [&signed, &doctor, &verified] {
            assert!(run.stderr.contains(&said), "{run}");
        }
    }
    assert_eq!(warnings.len(), 5, "{signed}");
}
