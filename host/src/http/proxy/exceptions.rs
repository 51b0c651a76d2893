// SPDX-License-Identifier: Apache-2.0
//! `NO_PROXY`: which hosts are reached without a proxy.
//!
//! There is no standard. Every entry that programs in Go understand means the same here. In addition,
//! blanks separate entries as commas do, and a dot at the end of a name has no effect.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use crate::http::loopback::{is_localhost, is_loopback};

/// The hosts that are reached without a proxy. The machine itself is always among them.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    all: bool,
    rules: Vec<Rule>,
}

/// One entry. Without a port it is about every port.
#[derive(Debug)]
enum Rule {
    Address(IpAddr, Option<u16>),
    Name {
        /// In lower case and ASCII, without a dot at either end.
        name: String,
        /// Whether the host of exactly this name is meant too, and not only those below it.
        itself: bool,
        port: Option<u16>,
    },
    Network(IpNet),
}

impl Exceptions {
    /// Reads the value of `NO_PROXY`. Returns the entries that no host can match, too.
    pub(super) fn parse(text: &str) -> (Self, Vec<String>) {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        let (mut exceptions, mut meaningless) = (Self::default(), Vec::new());
        for entry in entries.filter(|entry| !entry.is_empty()) {
            match Rule::parse(entry) {
                _ if entry == "*" => exceptions.all = true,
                Some(rule) => exceptions.rules.push(rule),
                None => meaningless.push(entry.to_owned()),
            }
        }
        (exceptions, meaningless)
    }

    /// Whether `url` is reached without a proxy.
    pub(super) fn contain(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                is_localhost(name) || self.any(|rule| rule.is_about_name(name, port))
            }
            Some(Host::Ipv4(address)) => is_loopback(url) || self.holds(address.into(), port),
            Some(Host::Ipv6(address)) => is_loopback(url) || self.holds(address.into(), port),
            None => true,
        }
    }

    fn holds(&self, address: IpAddr, port: Option<u16>) -> bool {
        let address = address.to_canonical();
        self.any(|rule| rule.is_about_address(address, port))
    }

    fn any(&self, is_about: impl Fn(&Rule) -> bool) -> bool {
        self.all || self.rules.iter().any(is_about)
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        if let Ok(network) = entry.parse() {
            return Some(Self::Network(network));
        }
        if let Ok(address) = entry.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical(), None));
        }
        let (host, port) = with_port(entry)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(host).parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical(), port));
        }
        let below = host.strip_prefix("*.").or_else(|| host.strip_prefix('.'));
        let itself = below.is_none();
        let name = below.unwrap_or(host).trim_end_matches('.');
        if name.split('.').any(str::is_empty) {
            return None;
        }
        // As the host of a URL is read, so that both are written in the same way.
        match Host::parse(name).ok()? {
            Host::Domain(name) if name.chars().all(is_of_name) => {
                Some(Self::Name { name, itself, port })
            }
            Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => None,
        }
    }

    fn is_about_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        match self {
            Self::Address(own, of) => *own == address && is_port(*of, port),
            Self::Network(network) => network.contains(&address),
            Self::Name { .. } => false,
        }
    }

    fn is_about_name(&self, host: &str, port: Option<u16>) -> bool {
        let Self::Name { name, itself, port: of } = self else {
            return false;
        };
        let is_below = host.strip_suffix(&**name).is_some_and(|rest| rest.ends_with('.'));
        (is_below || (*itself && host == name)) && is_port(*of, port)
    }
}

/// Whether names of hosts have such a character. The underscore is in use, against the rules.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn is_port(of: Option<u16>, port: Option<u16>) -> bool {
    of.is_none() || of == port
}

/// Splits `host:port`; `None` if the port is not a number. `host:` is about every port.
fn with_port(entry: &str) -> Option<(&str, Option<u16>)> {
    if entry.ends_with(']') {
        return Some((entry, None));
    }
    match entry.rsplit_once(':') {
        None => Some((entry, None)),
        Some((host, "")) => Some((host, None)),
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::Exceptions;

    /// What is asked for: one column of the table each.
    const URLS: [&str; 11] = [
        "https://r.corp/",
        "https://corp/",
        "https://r.corp:5000/",
        "https://a.r.corp/",
        "https://r_1.corp/",
        "https://10.1.2.3/",
        "https://10.1.2.3:5000/",
        "https://[fd00::1]/",
        "https://localhost/",
        "https://127.0.0.1:5000/",
        "https://[::1]/",
    ];

    /// What `golang.org/x/net/http/httpproxy` of Go 1.26 decides: `d` is directly, `p` by the proxy.
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    const GO: &[(&str, &str)] = &[
        ("",                "ppppppppddd"),
        ("corp",            "dddddpppddd"),
        (".corp",           "dpdddpppddd"),
        ("*.corp",          "dpdddpppddd"),
        ("r.corp",          "dpddppppddd"),
        ("R.Corp",          "dpddppppddd"),
        (" r.corp ",        "dpddppppddd"),
        ("r.corp:443",      "dppdppppddd"),
        ("r.corp:5000",     "ppdpppppddd"),
        ("r.corp:",         "dpddppppddd"),
        (".corp:443",       "dppddpppddd"),
        ("*.corp:5000",     "ppdpppppddd"),
        ("*",               "ddddddddddd"),
        ("r.corp,*",        "ddddddddddd"),
        ("x.corp,r.corp",   "dpddppppddd"),
        ("x.corp, r.corp",  "dpddppppddd"),
        (",,",              "ppppppppddd"),
        ("other.corp",      "ppppppppddd"),
        ("orp",             "ppppppppddd"),
        ("xr.corp",         "ppppppppddd"),
        ("r_1.corp",        "ppppdpppddd"),
        ("localhost",       "ppppppppddd"),
        ("10.1.2.3",        "pppppddpddd"),
        ("10.1.2.3:443",    "pppppdppddd"),
        ("10.1.2.3:5000",   "ppppppdpddd"),
        ("10.0.0.0/8",      "pppppddpddd"),
        ("10.1.2.3/8",      "pppppddpddd"),
        ("::ffff:10.1.2.3", "pppppddpddd"),
        ("fd00::1",         "pppppppdddd"),
        ("[fd00::1]:443",   "pppppppdddd"),
        ("fd00::/8",        "pppppppdddd"),
    ];

    /// Beyond what Go reads, and what it means here.
    #[rustfmt::skip] // One row a line, or the table cannot be read.
    const MORE: &[(&str, &str)] = &[
        ("x.corp r.corp",   "dpddppppddd"),
        ("x.corp\tr.corp\n", "dpddppppddd"),
        ("corp.",           "dddddpppddd"),
        ("[fd00::1]",       "pppppppdddd"),
    ];

    /// `NO_PROXY=entry` decides the same as `expected`.
    fn decided(entry: &str) -> String {
        let (exceptions, _) = Exceptions::parse(entry);
        let way = |url: &&str| match exceptions.contain(&url.parse().unwrap()) {
            true => 'd',
            false => 'p',
        };
        URLS.iter().map(way).collect()
    }

    #[test]
    fn decides_as_the_clients_in_go_do() {
        for (entry, expected) in GO.iter().chain(MORE) {
            assert_eq!(decided(entry), *expected, "{entry:?}");
            assert!(Exceptions::parse(entry).1.is_empty(), "{entry:?}");
        }
    }

    /// Go ignores them, or keeps them although they match no host.
    #[test]
    fn an_entry_that_no_host_can_match_is_returned() {
        for entry in [
            "10.0.0.0/33",
            "10.",
            "10.*",
            "10.1.2",
            "http://r.corp",
            "https://r.corp:443",
            "*corp",
            "r*",
            "r.corp:https",
            "r.corp:70000",
            ":443",
            "*:443",
            ";",
            "<local>",
            "r.corp;x.corp",
            ".",
            "..corp",
            "*.",
            "fe80::1%eth0",
            "[fd00::1",
        ] {
            let (_, meaningless) = Exceptions::parse(&format!("a.corp,{entry}"));
            assert_eq!(meaningless, [entry]);
            assert_eq!(decided(entry), "ppppppppddd", "{entry}");
        }
    }

    #[test]
    fn names_of_this_machine_and_names_beyond_ascii() {
        let contain = |entry: &str, url: &str| {
            let (exceptions, _) = Exceptions::parse(entry);
            exceptions.contain(&url.parse().unwrap())
        };
        assert!(contain("", "http://registry.localhost:5000/"));
        assert!(contain("xn--mnchen-3ya.example", "https://r.xn--mnchen-3ya.example/"));
        assert!(contain("r.corp", "https://r.corp./"));
        // This program has no tables for such names, and says so.
        let (_, meaningless) = Exceptions::parse("münchen.example");
        assert_eq!(meaningless, ["münchen.example"]);
    }
}
