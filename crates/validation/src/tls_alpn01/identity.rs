//! What is asked for in a handshake, and what a certificate has to name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_cert::ext::pkix::name::GeneralName;

/// The identifier of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity<'a> {
    Name(&'a str),
    Address(IpAddr),
}

impl<'a> Identity<'a> {
    /// An IP address where the text is one, else a DNS name.
    pub(super) fn of(text: &'a str) -> Self {
        match text.parse() {
            Ok(ip) => Self::Address(ip),
            Err(_) => Self::Name(text),
        }
    }

    /// What the handshake asks for: the name (RFC 8737 §3), or the name under which the DNS would
    /// have the address (RFC 8738 §6), since an address cannot be asked for.
    pub(super) fn server_name(self) -> String {
        match self {
            Self::Name(name) => name.to_owned(),
            Self::Address(IpAddr::V4(ip)) => reverse_v4(ip),
            Self::Address(IpAddr::V6(ip)) => reverse_v6(ip),
        }
    }

    /// The sort of name that stands for it in a certificate.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Name(_) => "dNSName",
            Self::Address(_) => "iPAddress",
        }
    }

    /// Whether a name in a certificate is this one. The case of letters is all the same (RFC 8737 §3).
    pub(super) fn is_named(self, by: &GeneralName) -> bool {
        match (self, by) {
            (Self::Name(name), GeneralName::DnsName(other)) => other.as_str().eq_ignore_ascii_case(name),
            (Self::Address(IpAddr::V4(ip)), GeneralName::IpAddress(bytes)) => bytes.as_bytes() == ip.octets(),
            (Self::Address(IpAddr::V6(ip)), GeneralName::IpAddress(bytes)) => bytes.as_bytes() == ip.octets(),
            _ => false,
        }
    }
}

/// RFC 1035 §3.5.
fn reverse_v4(ip: Ipv4Addr) -> String {
    let [a, b, c, d] = ip.octets();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa")
}

/// RFC 3596 §2.5.
fn reverse_v6(ip: Ipv6Addr) -> String {
    let mut name = String::with_capacity(72);
    for octet in ip.octets().iter().rev() {
        name.push_str(&format!("{:x}.{:x}.", octet & 0xf, octet >> 4));
    }
    name.push_str("ip6.arpa");
    name
}

#[cfg(test)]
mod tests {
    use x509_cert::der::asn1::{Ia5String, OctetString};

    use super::*;

    #[test]
    fn an_address_is_asked_for_by_its_name_in_the_dns() {
        for (identifier, server_name) in [
            ("www.example.com", "www.example.com"),
            ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
            ("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
            (
                "4321:0:1:2:3:4:567:89ab",
                "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
            ),
        ] {
            assert_eq!(Identity::of(identifier).server_name(), server_name);
        }
    }

    #[test]
    fn a_name_is_named_by_a_name_and_an_address_by_an_address() {
        let dns = |name: &str| GeneralName::DnsName(Ia5String::new(name).unwrap());
        let uri = |text: &str| GeneralName::UniformResourceIdentifier(Ia5String::new(text).unwrap());
        let ip = |octets: &[u8]| GeneralName::IpAddress(OctetString::new(octets).unwrap());
        for (identifier, name, named) in [
            ("www.example.com", dns("www.example.com"), true),
            ("www.example.com", dns("WWW.Example.COM"), true),
            ("www.example.com", dns("www.example.com."), false),
            ("www.example.com", dns("*.example.com"), false),
            ("www.example.com", dns("example.com"), false),
            ("www.example.com", uri("www.example.com"), false),
            ("192.0.2.1", ip(&[192, 0, 2, 1]), true),
            ("192.0.2.1", ip(&[192, 0, 2, 2]), false),
            ("192.0.2.1", ip(&[192, 0, 2, 1, 255, 255, 255, 255]), false),
            ("192.0.2.1", ip(&Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped().octets()), false),
            ("192.0.2.1", dns("192.0.2.1"), false),
            ("192.0.2.1", dns("1.2.0.192.in-addr.arpa"), false),
            ("2001:db8::1", ip(&"2001:db8::1".parse::<Ipv6Addr>().unwrap().octets()), true),
            ("2001:db8::1", ip(&"2001:db8::2".parse::<Ipv6Addr>().unwrap().octets()), false),
            ("2001:db8::1", ip(&[]), false),
        ] {
            assert_eq!(Identity::of(identifier).is_named(&name), named, "{identifier} {name:?}");
        }
    }
}
