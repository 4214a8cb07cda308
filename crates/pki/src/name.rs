//! The names that a certificate speaks for.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use der::asn1::{Ia5String, OctetString};
use x509_cert::ext::pkix::name::GeneralName;

/// A subject alternative name (RFC 5280 §4.2.1.6) of one of the two kinds that are issued.
///
/// Ordered: DNS names first, by their text, then addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum San {
    /// A DNS name in lower case and without a trailing dot, perhaps a wildcard (`*.example.test`).
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

impl San {
    /// The name as it is written in a certificate.
    pub(crate) fn to_general_name(&self) -> der::Result<GeneralName> {
        Ok(match self {
            Self::Dns(name) => GeneralName::DnsName(Ia5String::new(name)?),
            Self::Ip(IpAddr::V4(address)) => GeneralName::IpAddress(OctetString::new(address.octets())?),
            Self::Ip(IpAddr::V6(address)) => GeneralName::IpAddress(OctetString::new(address.octets())?),
        })
    }

    /// The name as it stands in a certificate or request; `None` for every other kind of name.
    ///
    /// DNS names come out in lower case: their case has no meaning (RFC 4343).
    pub(crate) fn from_general_name(name: &GeneralName) -> Option<Self> {
        match name {
            GeneralName::DnsName(name) => Some(Self::Dns(name.as_str().to_ascii_lowercase())),
            GeneralName::IpAddress(octets) => address(octets.as_bytes()).map(Self::Ip),
            _ => None,
        }
    }
}

impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

/// Four octets or sixteen, nothing else (RFC 5280 §4.2.1.6).
fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_their_encoding() {
        for name in [
            San::Dns("host.example.test".into()),
            San::Dns("*.example.test".into()),
            San::Ip("192.0.2.1".parse().unwrap()),
            San::Ip("2001:db8::1".parse().unwrap()),
        ] {
            assert_eq!(San::from_general_name(&name.to_general_name().unwrap()), Some(name));
        }
    }

    #[test]
    fn case_is_dropped_and_odd_addresses_are_no_names() {
        let upper = GeneralName::DnsName(Ia5String::new("HOST.Example.test").unwrap());
        assert_eq!(San::from_general_name(&upper), Some(San::Dns("host.example.test".into())));
        for length in [0, 3, 5, 8, 15, 32] {
            let odd = GeneralName::IpAddress(OctetString::new(vec![0; length]).unwrap());
            assert_eq!(San::from_general_name(&odd), None, "{length}");
        }
    }

    #[test]
    fn dns_names_come_before_addresses() {
        let mut names = [San::Ip("192.0.2.1".parse().unwrap()), San::Dns("b".into()), San::Dns("a".into())];
        names.sort();
        assert_eq!(names.map(|name| name.to_string()), ["a", "b", "192.0.2.1"]);
    }
}
