// SPDX-License-Identifier: Apache-2.0
//! What proxies do, and what the variables that name them hold.

use crate::common::forward::{Does, Forward};
use crate::common::{Program, closed_url};
use crate::place::{FAR, LOGIN, PASSWORD, Place, told};

const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 17\r\n\r\nblocked by policy";
const NEGOTIATE: &str = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";
const NO_GATEWAY: &str =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 14\r\n\r\nno route to it";
const NO_METHOD: &str = "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n";
const PORTAL: &str =
    "HTTP/1.1 302 Found\r\nLocation: https://portal.corp/\r\nContent-Length: 0\r\n\r\n";
const SSH: &str = "SSH-2.0-OpenSSH_9.2p1\r\n";

/// The fix where what listens is no proxy.
const NO_PROXY: &str = "correct the address and scheme (`http://`, `https://` or `socks5://`) of \
    the proxy in `HTTPS_PROXY`, or unset it";

/// What `sign`, `doctor` and `verify` say of a proxy that does `does`, to tunnels.
#[track_caller]
fn refused(does: Does, scheme: &str, code: &str, exit: i32) -> (Forward, String, String) {
    let proxy = Forward::that(does);
    let told = Place::new().refused(&[("HTTPS_PROXY", &proxy.url(scheme))], code, exit);
    (proxy, told.text, told.fix)
}

#[test]
fn a_407_asks_for_a_login() {
    let place = Place::new();
    let proxy = Forward::before(&place.sandbox.var("PROXY"), Some(LOGIN));
    let told = place.refused(&[("HTTPS_PROXY", &proxy.url("http"))], "registry/proxy", 2);
    let url = proxy.url("http");
    let said = format!("the proxy {url} requires a login (HTTP 407: `log in first`)");
    assert!(told.text.ends_with(&said), "{told:?}");
    let fix =
        format!("add user and password to `HTTPS_PROXY`: `http://USER:PASSWORD@{}`", proxy.host());
    assert_eq!(told.fix, fix);
}

/// Nothing is tried again: each of the requests that go out together is asked once, and once more for
/// the reason.
#[test]
fn a_407_for_a_wrong_password_is_final() {
    let place = Place::new();
    let proxy = Forward::before(&place.sandbox.var("PROXY"), Some("user:another-c4n4ry"));
    let url = format!("http://{LOGIN}@{}", proxy.host());
    let told = place.refused(&[("HTTPS_PROXY", &url)], "registry/proxy", 2);
    let said = format!("the proxy {} rejects the login", proxy.url("http"));
    assert!(told.text.contains(&said), "{told:?}");
    assert_eq!(
        told.fix,
        "correct user and password in `HTTPS_PROXY`, or remove them if the proxy needs no login"
    );
    let seen = proxy.seen();
    assert!(seen.iter().all(|one| one.login.as_deref() == Some(LOGIN)));
    // `sign` and `doctor` look at four things at once, and `verify` at one or two.
    assert!(seen.len() <= 24, "{} requests", seen.len());
}

#[test]
fn a_407_of_a_proxy_that_takes_kerberos_alone() {
    let (proxy, text, fix) = refused(Does::Say(NEGOTIATE), "http", "registry/proxy", 2);
    let url = proxy.url("http");
    let said = format!("the proxy {url} only accepts a login by Negotiate, NTLM (HTTP 407)");
    assert!(text.ends_with(&said), "{text}");
    assert_eq!(
        fix,
        "set `HTTPS_PROXY` to a proxy that accepts user and password: other logins are not supported"
    );
}

#[test]
fn a_403_refuses_the_host() {
    let (proxy, text, fix) = refused(Does::Say(FORBIDDEN), "http", "registry/proxy", 2);
    let url = proxy.url("http");
    let said =
        format!("the proxy {url} refuses to connect to r.example (HTTP 403: `blocked by policy`)");
    assert!(text.ends_with(&said), "{text}");
    let expected = format!(
        "allow r.example on the proxy {url}, or add r.example to `NO_PROXY` if this machine can \
         reach it directly"
    );
    assert_eq!(fix, expected);
}

#[test]
fn a_302_to_a_portal_refuses_the_host() {
    let (_, text, _) = refused(Does::Say(PORTAL), "http", "registry/proxy", 2);
    assert!(text.contains("refuses to connect to r.example (HTTP 302)"), "{text}");
}

#[test]
fn a_503_of_a_proxy_may_pass() {
    let (proxy, text, fix) = refused(Does::Say(NO_GATEWAY), "http", "registry/unreachable", 75);
    let url = proxy.url("http");
    let said = format!("the proxy {url} could not reach r.example (HTTP 503: `no route to it`)");
    assert!(text.contains(&said), "{text}");
    let expected = format!(
        "run again; if it persists, check that the proxy {url} (`HTTPS_PROXY`) is running and can \
         reach r.example"
    );
    assert_eq!(fix, expected);
    assert!(proxy.seen().len() > 24, "it was tried again");
}

#[test]
fn a_proxy_that_is_down_may_come_back() {
    let url = closed_url();
    let told = Place::new().refused(&[("HTTPS_PROXY", &url)], "registry/unreachable", 75);
    let said = format!("the proxy {url} cannot be reached: Connection refused");
    assert!(told.text.contains(&said), "{told:?}");
    assert!(told.fix.contains(&format!("check that the proxy {url}")), "{told:?}");
}

#[test]
fn a_proxy_that_ends_the_connection_may_come_back() {
    let (_, text, _) = refused(Does::HangUp, "http", "registry/unreachable", 75);
    assert!(text.contains("closed the connection without an answer"), "{text}");
}

#[test]
fn a_server_of_another_kind_is_no_proxy() {
    for (bytes, said) in
        [(SSH, "it does not answer in HTTP"), (NO_METHOD, "it answered `CONNECT` with HTTP 405")]
    {
        let (proxy, text, fix) = refused(Does::Say(bytes), "http", "registry/proxy", 2);
        let said = format!("{} does not work as a proxy: {said}", proxy.url("http"));
        assert!(text.ends_with(&said), "{text}");
        assert_eq!(fix, NO_PROXY);
    }
}

#[test]
fn a_proxy_that_is_said_to_speak_tls_and_does_not() {
    let (proxy, text, fix) = refused(Does::Say(FORBIDDEN), "https", "registry/proxy", 2);
    let said = format!("{} does not work as a proxy: it does not speak TLS", proxy.url("https"));
    assert!(text.ends_with(&said), "{text}");
    assert_eq!(fix, NO_PROXY);
}

/// That the proxy does not speak TLS says nothing of the registry: it is not asked in plain HTTP.
#[test]
fn a_proxy_without_tls_is_no_registry_without_tls() {
    let (place, proxy) = (Place::new(), Forward::that(Does::Say(FORBIDDEN)));
    let run = place
        .job("sign", FAR)
        .arg("--allow-http-registry")
        .env("HTTPS_PROXY", proxy.url("https"))
        .env("HTTP_PROXY", proxy.url("http"))
        .run();
    let told = told(&run, "registry/proxy", 2);
    assert!(told.text.contains("it does not speak TLS"), "{told:?}");
    let plain = proxy.seen().into_iter().filter(|one| one.method == "GET");
    assert_eq!(plain.count(), 0);
}

#[test]
fn a_proxy_with_tls_whose_ca_is_unknown() {
    let place = Place::new();
    let url = place.sandbox.var("PROXY").replace("http://", "https://");
    let told = place.refused(&[("HTTPS_PROXY", &url)], "registry/tls", 5);
    let said = format!("the TLS certificate of the proxy {url} is not trusted: ");
    assert!(told.text.contains(&said), "{told:?}");
    assert_eq!(told.fix, format!("pass the CA of the proxy {url} with `--ca-file`"));
}

#[test]
fn a_502_of_a_proxy_with_tls() {
    let place = Place::new();
    let url = place.sandbox.var("PROXY").replace("http://", "https://");
    let ca = place.sandbox.var("PROXY_CA");
    let vars = [("HTTPS_PROXY", &*url), ("SSL_CERT_FILE", &ca)];
    let told = place.refused(&vars, "registry/unreachable", 75);
    let said = format!("the proxy {url} could not reach r.example (HTTP 502)");
    assert!(told.text.contains(&said), "{told:?}");
}

#[test]
fn a_socks_proxy_that_refuses_the_host() {
    let (proxy, text, _) = refused(Does::Reply(2), "socks5", "registry/proxy", 2);
    let said = format!(
        "the proxy {} refuses to connect to r.example (connection not allowed)",
        proxy.url("socks5")
    );
    assert!(text.ends_with(&said), "{text}");
    assert!(proxy.seen().iter().all(|one| one.target == "r.example:443"));
}

#[test]
fn a_socks_proxy_that_does_not_reach_the_host_may_do_so_later() {
    std::thread::scope(|scope| {
        for reply in [1, 3, 4, 5, 6] {
            scope.spawn(move || {
                let (code, exit) = ("registry/unreachable", 75);
                let (proxy, text, _) = refused(Does::Reply(reply), "socks5h", code, exit);
                let url = proxy.url("socks5h");
                let said = format!("the proxy {url} could not reach r.example (");
                assert!(text.contains(&said), "{text}");
            });
        }
    });
}

#[test]
fn a_socks_proxy_that_cannot_do_what_it_must() {
    for reply in [7, 8] {
        let (_, text, fix) = refused(Does::Reply(reply), "socks5", "registry/proxy", 2);
        assert!(text.contains("does not work as a proxy"), "{text}");
        assert_eq!(fix, NO_PROXY);
    }
}

#[test]
fn a_socks_proxy_that_wants_a_login() {
    let place = Place::new();
    let proxy = Forward::before(&place.sandbox.var("PROXY"), Some(LOGIN));
    let url = proxy.url("socks5");
    let told = place.refused(&[("HTTPS_PROXY", &url)], "registry/proxy", 2);
    let said = format!("the proxy {url} requires a login (SOCKS5)");
    assert!(told.text.ends_with(&said), "{told:?}");
    assert!(told.fix.ends_with(&format!("`socks5://USER:PASSWORD@{}`", proxy.host())));

    for proxy in [
        Forward::before(&place.sandbox.var("PROXY"), Some("user:another-c4n4ry")),
        Forward::before(&place.sandbox.var("PROXY"), None),
    ] {
        let url = format!("socks5://{LOGIN}@{}", proxy.host());
        let told = place.refused(&[("HTTPS_PROXY", &url)], "registry/proxy", 2);
        assert!(told.text.ends_with("rejects the login (SOCKS5)"), "{told:?}");
    }
}

#[test]
fn a_server_of_another_kind_is_no_socks_proxy() {
    let (_, text, fix) = refused(Does::Say(SSH), "socks5", "registry/proxy", 2);
    assert!(text.contains("does not work as a proxy: it does not speak SOCKS5"), "{text}");
    assert_eq!(fix, NO_PROXY);
    let (_, text, _) = refused(Does::HangUp, "socks5", "registry/unreachable", 75);
    assert!(text.contains("could not reach r.example"), "{text}");
    let url = closed_url().replace("http://", "socks5://");
    let told = Place::new().refused(&[("HTTPS_PROXY", &url)], "registry/unreachable", 75);
    assert!(told.text.contains("cannot be reached: Connection refused"), "{told:?}");
}

/// Plain HTTP goes to the proxy itself, and so its refusal looks like one of the registry.
#[test]
fn proxies_refuse_plain_http() {
    for (bytes, code, exit, said) in [
        (NEGOTIATE, "registry/proxy", 2, "only accepts a login by Negotiate, NTLM"),
        (
            FORBIDDEN,
            "registry/proxy",
            2,
            ", or r.example behind it, refuses the request (HTTP 403: `blocked by policy`)",
        ),
        (SSH, "registry/proxy", 2, "does not work as a proxy: it does not answer in HTTP"),
        (NO_GATEWAY, "registry/unreachable", 75, "answered HTTP 503 `no route to it`"),
    ] {
        let (place, proxy) = (Place::new(), Forward::that(Does::Say(bytes)));
        let url = proxy.url("http");
        let run = place
            .job("sign", FAR)
            .arg("--allow-http-registry=r.example")
            .env("HTTP_PROXY", &url)
            .run();
        let told = told(&run, code, exit);
        assert!(told.text.contains(said), "{told:?}");
        assert!(told.text.contains(&url), "the proxy is named: {told:?}");
        place.nothing_is_public();
    }
}

/// A registry in plain HTTP that denies access is not the proxy's matter.
#[test]
fn a_registry_behind_a_proxy_refuses_by_itself() {
    const DENIED: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n{\"errors\":[{\"code\":\"DENIED\"}]}   ";
    let (place, proxy) = (Place::new(), Forward::that(Does::Say(DENIED)));
    let run = place
        .job("sign", FAR)
        .arg("--allow-http-registry=r.example")
        .env("HTTP_PROXY", proxy.url("http"))
        .run();
    told(&run, "registry/unauthorized", 6);
}

#[test]
fn a_variable_that_names_no_proxy_is_a_usage_error() {
    let place = Place::new();
    let (repository, digest) = place.image();
    let image = format!("{repository}@{digest}");
    let wrong = "is not the URL of a proxy";
    for (name, value, said) in [
        (
            "HTTPS_PROXY",
            "ftp://proxy.corp",
            "names a proxy with the scheme `ftp`, which is not supported",
        ),
        ("HTTPS_PROXY", "socks4://proxy.corp", "names a proxy with the scheme `socks4`"),
        ("HTTP_PROXY", "http://", wrong),
        ("https_proxy", "http://proxy.corp:port", wrong),
        ("ALL_PROXY", "http://proxy.corp:99999", wrong),
        ("HTTPS_PROXY", "\"http://proxy.corp:3128\"", wrong),
        ("HTTPS_PROXY", "http://user:12#c4n4ry-c4n4ry@proxy.corp", wrong),
        ("HTTPS_PROXY", "http://user:12/c4n4ry-c4n4ry@proxy.corp", wrong),
    ] {
        let told = place.refused_for(&image, &[(name, value)], ("settings/network", 2));
        assert!(told.text.contains(said), "{value}: {told:?}");
        assert!(told.text.contains(name), "{told:?}");
        assert!(told.fix.contains(&format!("`{name}`")), "{told:?}");
    }
}

#[test]
fn a_variable_in_another_encoding_is_a_usage_error() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    for name in ["HTTPS_PROXY", "NO_PROXY"] {
        let value = OsStr::from_bytes(b"proxy.corp\xff");
        let run = place.job("sign", FAR).env(name, value).run();
        let told = told(&run, "settings/network", 2);
        assert!(told.text.contains(&format!("the value of `{name}` is not UTF-8")), "{told:?}");
    }
}

/// No command that reaches the network goes on without the proxy.
#[test]
fn every_command_refuses_a_variable_that_names_no_proxy() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "file").unwrap();
    let image = format!("{FAR}@sha256:{}", "0".repeat(64));
    let signer = [
        "--certificate-identity",
        "a@example.com",
        "--certificate-oidc-issuer",
        "https://example.com",
    ];
    for words in [
        vec!["sign", &image],
        vec!["sign-blob", "file"],
        [&["verify", &image], &signer[..]].concat(),
        vec!["attach", "--bundle", "file", &image],
        vec!["trust", "show"],
        vec!["trust", "update"],
    ] {
        for (name, value) in [("HTTPS_PROXY", "ftp://proxy"), ("all_proxy", "http://")] {
            let run = Program::ambisign().args(&words).dir(folder.path()).env(name, value).run();
            let run = run.expect(2);
            assert!(run.stderr.contains("code: settings/network; exit 2"), "{words:?}: {run}");
        }
    }
}

/// `doctor` tells it and goes on without the variable.
#[test]
fn doctor_goes_on_without_a_variable_that_names_no_proxy() {
    let place = Place::new();
    let (repository, digest) = place.image();
    let job = place.job("doctor", &format!("{repository}@{digest}"));
    let run = job.env("HTTPS_PROXY", "ftp://proxy.corp").run().expect(2);
    let findings = run.json()["findings"].clone();
    let findings = findings.as_array().unwrap().iter();
    let failed: Vec<_> = findings.filter(|one| one["status"] == "fail").collect();
    assert_eq!(failed.len(), 1, "{run}");
    assert_eq!(failed[0]["code"], "settings/network", "{run}");
}

#[test]
fn a_proxy_with_a_login_is_used() {
    let place = Place::new();
    let proxy = Forward::before(&place.sandbox.var("PROXY"), Some(LOGIN));
    let ca = place.sandbox.var("PROXY_CA");
    let (http, socks) =
        (format!("http://{LOGIN}@{}", proxy.host()), format!("socks5://{LOGIN}@{}", proxy.host()));
    for (name, value) in [
        ("HTTPS_PROXY", http.as_str()),
        ("https_proxy", &http),
        ("ALL_PROXY", &http),
        ("all_proxy", http.trim_start_matches("http://")),
        ("HTTPS_PROXY", &format!(" {http}/ \n")),
        ("HTTPS_PROXY", &socks),
        ("ALL_PROXY", &socks.replace("socks5", "socks5h")),
    ] {
        let before = proxy.seen().len();
        let run = place.signed(&[(name, value), ("SSL_CERT_FILE", &ca)]);
        let seen = proxy.seen().split_off(before);
        assert!(seen.iter().any(|one| one.target == "fulcio.sigstore.dev:443"), "{run}");
        assert!(seen.iter().all(|one| one.login.as_deref() == Some(LOGIN)));
        let shown = value.trim().trim_end_matches('/').replace(&format!("{LOGIN}@"), "");
        let shown = shown.split("://").last().unwrap();
        assert!(
            run.stderr.contains(shown) && run.stderr.contains(&format!("(from {name})")),
            "{run}"
        );
    }
}

#[test]
fn a_proxy_with_tls_is_used() {
    let place = Place::new();
    let url = place.sandbox.var("PROXY").replace("http://", "https://");
    let ca = place.sandbox.var("PROXY_CA");
    place.signed(&[("HTTPS_PROXY", &url), ("SSL_CERT_FILE", &ca)]);
}

#[test]
fn a_registry_in_plain_http_is_signed_through_a_proxy_with_a_login() {
    let place = Place::new();
    let (repository, digest) = place.image();
    let registry = repository.split('/').next().unwrap();
    let proxy = Forward::of(registry, Some(LOGIN));
    // A redirect to the registry by its own name would not come back to the proxy.
    let run = place
        .job("sign", &format!("r.example/acme/app@{digest}"))
        .arg("--allow-http-registry=r.example")
        .env("HTTP_PROXY", format!("http://{LOGIN}@{}", proxy.host()))
        .run()
        .expect(0);
    assert_eq!(place.sandbox.attached(registry, "acme/app", &digest).len(), 1);
    assert!(proxy.seen().iter().all(|one| one.target.starts_with("http://r.example/v2/")));
    crate::common::assert_no_canary(&[PASSWORD], &run.outputs());
}

/// As in Go programs, the name in capitals wins, and a warning says that the two values differ.
#[test]
fn of_two_spellings_the_capitals_win() {
    let place = Place::new();
    let proxy = Forward::before(&place.sandbox.var("PROXY"), None);
    let ca = place.sandbox.var("PROXY_CA");
    let (url, dead) = (proxy.url("http"), closed_url());
    let run =
        place.signed(&[("HTTPS_PROXY", &url), ("https_proxy", &dead), ("SSL_CERT_FILE", &ca)]);
    let said = "`https_proxy` is ignored: `HTTPS_PROXY` is set to a different value";
    assert!(run.stderr.contains(said), "{run}");
    let warnings = &run.json()["warnings"];
    assert_eq!(warnings[0]["code"], "network/unused", "{run}");
    let run = place.signed(&[
        ("HTTPS_PROXY", &url),
        ("https_proxy", &url),
        ("ALL_PROXY", &dead),
        ("SSL_CERT_FILE", &ca),
    ]);
    assert!(!run.stderr.contains("is ignored"), "{run}");
}
