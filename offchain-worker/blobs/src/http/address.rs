//! Which addresses are connected to: URLs come from strangers, and must not lead into the network of this machine.

use crate::BlobError;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Which addresses may be connected to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reach {
    /// Those that the whole internet can reach.
    #[default]
    Public,
    /// Those, and this one: a peer in the own network.
    PublicAnd(IpAddr),
    /// All, also this machine and its own network: for development, and for markets of one's own.
    Anywhere,
}

impl Reach {
    /// Whether `address` may be connected to.
    pub fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address) && !is_own(address),
            Self::PublicAnd(one) => address == one || (is_public(address) && !is_own(address)),
            Self::Anywhere => true,
        }
    }

    /// Checks a URL: HTTP or HTTPS, without a password, a query or a fragment, and no address that is not allowed. What a
    /// name stands for is checked when it is looked up.
    ///
    /// Errors: `Url`.
    pub fn check(self, url: &Url) -> Result<(), BlobError> {
        check(url, |address| self.allows(address))
    }

    /// Checks a URL of this machine's own, for others: as [`Self::check`], and that they could connect to it.
    ///
    /// Errors: `Url`.
    pub fn check_own(self, url: &Url) -> Result<(), BlobError> {
        check(url, |address| self == Self::Anywhere || is_public(address))
    }

    /// The addresses among `found` that may be connected to.
    pub fn choose(self, found: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
        found.into_iter().filter(|address| self.allows(address.ip())).collect()
    }
}

/// Why an address is refused.
pub const PRIVATE: &str =
    "it is an address of a private network or of this machine; --allow-private-peers allows those that --peer names";

/// Whether the whole internet can reach `address`.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Whether an interface of this machine has `address`: only then can a socket have it.
fn is_own(address: IpAddr) -> bool {
    std::net::UdpSocket::bind((address, 0)).is_ok()
}

/// Checks a URL, with an address that `allows` allows.
fn check(url: &Url, allows: impl Fn(IpAddr) -> bool) -> Result<(), BlobError> {
    let refuse = |reason: &str| {
        Err(BlobError::Url {
            url: url.to_string(),
            reason: reason.to_owned(),
        })
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("only http and https are allowed");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("a user name or password is not allowed in it");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("a query or a fragment is not allowed in it");
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) => return Ok(()),
        None => return refuse("it names no host"),
    };
    if allows(address) { Ok(()) } else { refuse(PRIVATE) }
}

/// After IANA's registry of special-purpose IPv4 addresses.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match a {
        0 | 10 | 127 | 224.. => true,
        // Azure answers every machine of its own there, with what is the machine's alone.
        168 => address == Ipv4Addr::new(168, 63, 129, 16),
        100 => (64..128).contains(&b),
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99),
        198 => b == 18 || b == 19 || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        _ => false,
    };
    !is_special
}

/// Global unicast (2000::/3), less what leads to special IPv4 addresses, and less documentation.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high, low].map(u16::to_be_bytes);
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match a {
        // NAT64.
        0x64 => (b, c, d, e, f) == (0xff9b, 0, 0, 0, 0) && v4(g, h),
        // 6to4.
        0x2002 => v4(b, c),
        // Teredo, ORCHID, benchmarking, documentation.
        0x2001 => b >= 0x200 && b != 0xdb8,
        0x3fff => b >= 0x1000,
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reach: Reach, url: &str) -> Result<(), BlobError> {
        reach.check(&Url::parse(url).expect("it is a URL"))
    }

    #[test]
    fn urls_of_this_machine_and_its_network_are_refused_however_they_are_spelt() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "2130706433",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "168.63.129.16",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[ff02::1]",
        ] {
            let url = format!("http://{host}/");
            assert!(check(Reach::Public, &url).is_err(), "{url}");
            assert!(check(Reach::Anywhere, &url).is_ok(), "{url}");
        }
        for host in [
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.128.0.1",
            "[2606:4700::1]",
            "[2002:808:808::]",
            "example.org",
        ] {
            let url = format!("https://{host}:8443/blobs");
            assert!(check(Reach::Public, &url).is_ok(), "{url}");
        }
    }

    #[test]
    fn addresses_of_own_interfaces_are_own() {
        for own in ["127.0.0.1", "127.3.2.1"] {
            assert!(is_own(own.parse().expect("an address")), "{own}");
        }
        for other in ["8.8.8.8", "2606:4700::1"] {
            assert!(!is_own(other.parse().expect("an address")), "{other}");
        }
    }

    #[test]
    fn only_plain_http_is_allowed() {
        for url in [
            "file:///etc/passwd",
            "ftp://example.org/",
            "http://user@example.org/",
            "http://:pass@example.org/",
        ] {
            assert!(check(Reach::Anywhere, url).is_err(), "{url}");
        }
    }
}
