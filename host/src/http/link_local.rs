// SPDX-License-Identifier: Apache-2.0
//! Link-local addresses, where a machine gets its identity from its cloud. Other services must not redirect
//! requests there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::special::translated;

/// Metadata servers that are not at a link-local address: Alibaba Cloud, Azure's host, Oracle Cloud.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The same for IPv6: the instance metadata and the pod identity of AWS, and Google Cloud.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// Their names, for a machine that leaves it to a proxy what a name means.
const METADATA_NAMES: [&str; 4] =
    ["instance-data", "instance-data.ec2.internal", "metadata.google.internal", "metadata.goog"];

/// Whether `address` is link-local, or that of a metadata server.
pub fn is_link_local(address: &IpAddr) -> bool {
    let is_v4 = |v4: Ipv4Addr| v4.is_link_local() || METADATA_V4.contains(&v4);
    match address {
        IpAddr::V4(v4) => is_v4(*v4),
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local()
                || METADATA_V6.contains(v6)
                || v6.to_ipv4_mapped().is_some_and(is_v4)
                || translated(*v6).is_some_and(is_v4)
        }
    }
}

/// Whether `url` names a metadata server by its name.
pub fn is_metadata_name(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => METADATA_NAMES.contains(&name.trim_end_matches('.')),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_link_local, is_metadata_name};

    #[test]
    fn tells_the_addresses_of_metadata_servers() {
        for (text, expected) in [
            ("169.254.169.254", true),
            ("169.254.0.1", true),
            ("fe80::1", true),
            ("febf::1", true),
            ("::ffff:169.254.169.254", true),
            ("64:ff9b::a9fe:a9fe", true),
            ("fd00:ec2::254", true),
            ("fd20:ce::254", true),
            ("100.100.100.200", true),
            ("168.63.129.16", true),
            ("10.0.0.1", false),
            ("127.0.0.1", false),
            ("8.8.8.8", false),
            ("fec0::1", false),
            ("64:ff9b::808:808", false),
            ("::1", false),
        ] {
            assert_eq!(is_link_local(&text.parse().unwrap()), expected, "{text}");
        }
        for (text, expected) in [
            ("http://metadata.google.internal/x", true),
            ("http://METADATA.google.internal./x", true),
            ("http://metadata.google.internal.example/x", false),
            ("http://169.254.169.254/x", false),
        ] {
            assert_eq!(is_metadata_name(&text.parse().unwrap()), expected, "{text}");
        }
    }
}
