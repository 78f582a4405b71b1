//! Ranges of addresses, and who comes from one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::stream::Peer;

/// A range of addresses, `10.0.0.0/8`; a bare address is a range of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `fd00::/8`, `127.0.0.1`.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base.parse::<IpAddr>().ok()?, Some(bits.parse::<u8>().ok()?)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { base, bits })
    }

    /// True if the address is in it. IPv4 addresses mapped into IPv6 count as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let masked = |value: u128, width: u32| {
            value.checked_shr(width.saturating_sub(u32::from(self.bits))).unwrap_or(0)
        };
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                masked(u32::from(base).into(), 32) == masked(u32::from(address).into(), 32)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                masked(base.into(), 128) == masked(address.into(), 128)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// True if a peer comes from one of them. Who uses a socket in the file system is on this machine.
pub fn is_from(networks: &[Network], peer: Peer) -> bool {
    let from = |address: IpAddr| networks.iter().any(|network| network.contains(address));
    match peer {
        Peer::Tcp(address) => from(address.ip()),
        Peer::Unix => from(Ipv4Addr::LOCALHOST.into()) || from(Ipv6Addr::LOCALHOST.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_own_addresses_only() {
        let ten = Network::parse("10.0.0.0/8").expect("reads");
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(ten.contains(ip("10.255.0.1")) && ten.contains(ip("::ffff:10.0.0.1")));
        assert!(!ten.contains(ip("11.0.0.1")) && !ten.contains(ip("::1")));
        assert!(Network::parse("0.0.0.0/0").expect("reads").contains(ip("1.2.3.4")));
        assert!(!Network::parse("127.0.0.1").expect("reads").contains(ip("127.0.0.2")));
        for bad in ["10.0.0.0/33", "10.0.0/8", "", "x/8", "::/129"] {
            assert!(Network::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_socket_in_the_file_system_counts_as_loopback() {
        let read = |text: &str| Network::parse(text).expect("reads");
        assert!(is_from(&[read("10.0.0.0/8"), read("127.0.0.0/8")], Peer::Unix));
        assert!(is_from(&[read("::1")], Peer::Unix));
        assert!(!is_from(&[read("10.0.0.0/8")], Peer::Unix));
        let peer = Peer::Tcp("[::ffff:10.1.2.3]:5".parse().expect("reads"));
        assert!(is_from(&[read("10.0.0.0/8")], peer) && !is_from(&[read("127.0.0.1")], peer));
    }
}
