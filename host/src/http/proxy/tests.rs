// SPDX-License-Identifier: Apache-2.0
//! What the variables of proxies may hold, and which of them counts.

use super::Proxies;
use crate::{ClientError, Env};

fn read(variables: &[(&str, &str)]) -> Result<Proxies, ClientError> {
    Proxies::read(&Env::from_iter(variables.iter().copied())).map(|(proxies, _)| proxies)
}

#[test]
fn a_proxy_is_named_in_many_ways_and_shown_without_its_login() {
    for (value, shown) in [
        ("http://proxy.corp:3128", "http://proxy.corp:3128"),
        ("http://proxy.corp", "http://proxy.corp:80"),
        ("https://proxy.corp/", "https://proxy.corp:443"),
        ("HTTP://Proxy.Corp:80/", "http://proxy.corp:80"),
        ("http://proxy.corp:3128/any/path", "http://proxy.corp:3128"),
        ("proxy.corp:3128", "http://proxy.corp:3128"),
        ("proxy.corp:3128/", "http://proxy.corp:3128"),
        ("proxy", "http://proxy:80"),
        ("user:c4n4ry@proxy:3128", "http://proxy:3128"),
        ("http://user:c4%40n4ry@proxy:3128", "http://proxy:3128"),
        ("http://user@proxy:3128", "http://proxy:3128"),
        ("socks5://proxy.corp", "socks5://proxy.corp:1080"),
        ("socks5h://u:c4n4ry@[fd00::1]:9", "socks5h://[fd00::1]:9"),
        (" http://10.0.0.1:8080 \n", "http://10.0.0.1:8080"),
    ] {
        let proxies = read(&[("HTTPS_PROXY", value)]).unwrap();
        let proxy = proxies.all().next().unwrap();
        assert_eq!(proxy.to_string(), shown, "{value}");
        assert!(!format!("{proxies:?}").contains("c4n4ry"), "{proxies:?}");
        assert!(proxy.for_client().is_ok(), "{value}");
    }
}

#[test]
fn a_value_that_names_no_proxy_is_an_error_and_an_empty_one_is_none() {
    for value in [
        "://proxy",
        "http://",
        "http:///",
        "a/b",
        "http//proxy:3128",
        "http://proxy:port",
        "http://proxy:99999",
        "\"http://proxy\"",
        "http://user:12#34@proxy",
        "direct://",
        "http://user:12/34@proxy",
        "http://proxy?x",
        "file:///etc/proxy",
        "pac+http://proxy",
    ] {
        let error = read(&[("HTTPS_PROXY", value)]).unwrap_err();
        assert_eq!(error.setting(), Some("HTTPS_PROXY"), "{value}: {error}");
        assert!(!error.to_string().contains("34"), "{error}");
    }
    for value in ["", " "] {
        assert!(read(&[("HTTPS_PROXY", value)]).unwrap().all().next().is_none());
    }
}

#[test]
fn each_scheme_has_its_variable_and_all_proxy_is_for_the_rest() {
    let proxies = |variables: &[(&str, &str)]| {
        let proxies = read(variables).unwrap();
        ["https://r.corp/", "http://r.corp/", "ftp://r.corp/"].map(|url| {
            let proxy = proxies.of(&url.parse().unwrap());
            proxy.map(|proxy| proxy.variable())
        })
    };
    let (url, other) = ("http://p", "http://q");
    let only = |name| proxies(&[(name, url)]);
    assert_eq!(only("HTTPS_PROXY"), [Some("HTTPS_PROXY"), None, None]);
    assert_eq!(only("http_proxy"), [None, Some("http_proxy"), None]);
    let all = Some("ALL_PROXY");
    assert_eq!(only("ALL_PROXY"), [all, all, None]);
    let both = [("ALL_PROXY", url), ("https_proxy", other)];
    assert_eq!(proxies(&both), [Some("https_proxy"), all, None]);
    let both = [("HTTPS_PROXY", url), ("https_proxy", other)];
    assert_eq!(proxies(&both), [Some("HTTPS_PROXY"), None, None]);
    let without = [("ALL_PROXY", url), ("NO_PROXY", "r.corp")];
    assert_eq!(proxies(&without), [None; 3]);
    // What is empty is not set.
    let empty = [("HTTPS_PROXY", ""), ("https_proxy", url)];
    assert_eq!(proxies(&empty), [Some("https_proxy"), None, None]);
}

#[test]
fn an_address_of_ipv6_is_connected_to_without_brackets() {
    for (value, host, port) in [
        ("socks5h://u:p@[fd00::1]", "fd00::1", 1080),
        ("http://[fd00::1]:3128", "fd00::1", 3128),
        ("https://proxy.corp", "proxy.corp", 443),
        ("proxy.corp", "proxy.corp", 80),
    ] {
        let proxies = read(&[("ALL_PROXY", value)]).unwrap();
        let proxy = proxies.all().next().unwrap();
        assert_eq!(proxy.host_and_port(), Some((host, port)), "{value}");
    }
}
