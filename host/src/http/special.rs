// SPDX-License-Identifier: Apache-2.0
//! Addresses that are not of the public internet: the blocks of IANA's special-purpose registries (RFC 6890) that
//! are not globally reachable, and what was never or is no longer given to machines.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block: its first address, and the length of its prefix.
type Block<A> = (A, u32);

/// IANA IPv4 Special-Purpose Address Registry, multicast and the reserved class E.
const V4: [Block<Ipv4Addr>; 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network (RFC 791 3.2)
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private (RFC 1918)
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // a carrier's network (RFC 6598)
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // this machine (RFC 1122 3.2.1.3)
    (Ipv4Addr::new(168, 63, 129, 16), 32), // the host of a machine of Azure, which only that machine reaches
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // this link (RFC 3927)
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private (RFC 1918)
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments (RFC 6890)
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation (RFC 5737)
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // relays of 6to4, deprecated (RFC 7526)
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private (RFC 1918)
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks (RFC 2544)
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation (RFC 5737)
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation (RFC 5737)
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast (RFC 5771)
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, and broadcast (RFC 1112 4, RFC 919)
];

/// Global unicast addresses (RFC 4291 2.4). What is outside of it is of this machine (`::1`), this link, this site
/// (`fc00::/7`, `fec0::/10`), multicast, or has an IPv4 address in it (`::a.b.c.d`, `64:ff9b:1::/48`).
const GLOBAL_UNICAST: Block<Ipv6Addr> = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The blocks of IANA's IPv6 Special-Purpose Address Registry within it.
const V6: [Block<Ipv6Addr>; 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo and benchmarks (RFC 2928)
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation (RFC 3849)
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, whose relays are gone (RFC 7526)
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation (RFC 9637)
];

/// Whether `address` is of the public internet.
///
/// An address in `64:ff9b::/96` is what a network without IPv4 makes of a public IPv4 address (RFC 6052 3.1), so the
/// IPv4 address in it decides, and so it does in an address of `::ffff:0:0/96`.
pub fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(*v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped().or_else(|| translated(*v6)) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(*v6),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(first, length): &Block<Ipv4Addr>| {
        let prefix = |address: Ipv4Addr| u32::from(address).checked_shr(32 - length);
        prefix(address) == prefix(*first)
    };
    !V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within = |(first, length): &Block<Ipv6Addr>| {
        let prefix = |address: Ipv6Addr| u128::from(address).checked_shr(128 - length);
        prefix(address) == prefix(*first)
    };
    within(&GLOBAL_UNICAST) && !V6.iter().any(within)
}

/// The IPv4 address that a NAT64 gateway makes of `address` (RFC 6052 2.1).
pub(super) fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
    ([a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0]).then(|| Ipv4Addr::new(w, x, y, z))
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn special_addresses_are_not_public() {
        for text in "0.0.0.0 10.1.2.3 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 \
             168.63.129.16 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 \
             192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.7 \
             224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::10.0.0.1 ::8.8.8.8 \
             ::ffff:10.0.0.1 ::ffff:198.18.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe \
             64:ff9b:1::8.8.8.8 64:ff9b:1:ffff::1 100::1 2001::1 2001:2::1 2001:10::1 \
             2001:db8::1 2002:808:808::1 2002:a00:1::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 \
             fd20:ce::254 fe80::1 fec0::1 feff::1 ff02::1"
            .split(' ')
        {
            assert!(!is_public(&text.parse().unwrap()), "{text}");
        }
        for text in "1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 168.63.129.17 172.15.255.255 \
             172.32.0.1 192.0.1.1 198.17.255.255 198.20.0.1 223.255.255.255 ::ffff:8.8.8.8 \
             64:ff9b::8.8.8.8 2001:200::1 2001:4860:4860::8888 2003::1 2606:4700::1111 \
             2a00::1"
            .split(' ')
        {
            assert!(is_public(&text.parse().unwrap()), "{text}");
        }
    }
}
