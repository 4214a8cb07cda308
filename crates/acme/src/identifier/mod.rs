//! What a certificate can be ordered for (RFC 8555 §9.7.7), in canonical form from the door on.

mod name;
mod requested;
mod set;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize, Serializer};

pub use name::{DnsName, NameError};
pub use requested::AncestorWishes;
pub use set::IdentifierSet;

/// An identifier in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identifier {
    /// A DNS name.
    Dns(DnsName),
    /// A wildcard (RFC 8555 §7.1.3), by its base: `a.test` stands for `*.a.test`.
    Wildcard(DnsName),
    /// An IP address (RFC 8738).
    Ip(IpAddr),
}

/// An identifier as a client writes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawIdentifier {
    /// The type: `dns` or `ip`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value.
    pub value: String,
    /// In an order: the name above this one that the client can speak for (RFC 9444 §4.3).
    pub ancestor_domain: Option<String>,
    /// In a request for an authorization: whether it shall hold for the names below this one, too
    /// (RFC 9444 §4.2).
    #[serde(default)]
    pub subdomain_auth_allowed: bool,
}

impl Identifier {
    /// A DNS identifier: a name, or a wildcard (`*.a.test`).
    ///
    /// # Errors
    /// A [`NameError`] where the text is no host name.
    pub fn dns(name: &str) -> Result<Self, NameError> {
        match name.strip_prefix("*.") {
            Some(base) => DnsName::wildcard_base(base).map(Self::Wildcard),
            None => DnsName::new(name).map(Self::Dns),
        }
    }

    /// An IP identifier. IPv6 addresses are accepted in every form that RFC 4291 §2.2 knows, and kept
    /// in the one of RFC 5952 that RFC 8738 §3 wants.
    ///
    /// # Errors
    /// An [`AddressError`] where the text is no address.
    pub fn ip(text: &str) -> Result<Self, AddressError> {
        let refused = |fault| AddressError { text: printable(text), fault };
        let address: IpAddr = text.parse().map_err(|_| refused(AddressFault::Syntax))?;
        match address {
            IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Err(refused(AddressFault::Mapped)),
            address => Ok(Self::Ip(address)),
        }
    }

    /// The value as text.
    pub fn value(&self) -> Cow<'_, str> {
        match self {
            Self::Dns(name) => Cow::Borrowed(name.as_str()),
            Self::Wildcard(base) => Cow::Owned(format!("*.{}", base.as_str())),
            Self::Ip(address) => Cow::Owned(address.to_string()),
        }
    }

    /// The type as text.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) | Self::Wildcard(_) => "dns",
            Self::Ip(_) => "ip",
        }
    }

    /// Whether it is a wildcard.
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Wildcard(_))
    }

    /// What an authorization for it is rendered for: the base of a wildcard (RFC 8555 §7.1.4), else
    /// the identifier itself.
    pub fn base(&self) -> Self {
        match self {
            Self::Wildcard(base) => Self::Dns(base.clone()),
            other => other.clone(),
        }
    }

    /// The DNS name, or the base of the wildcard; `None` for an address.
    pub fn dns_name(&self) -> Option<&DnsName> {
        match self {
            Self::Dns(name) | Self::Wildcard(name) => Some(name),
            Self::Ip(_) => None,
        }
    }

    /// The identifier as text with its type: `dns:a.test`, `dns:*.a.test`, `ip:2001:db8::1`.
    pub fn canonical(&self) -> String {
        format!("{}:{}", self.kind(), self.value())
    }

    /// Reads what [`Identifier::canonical`] wrote; `None` for anything else.
    pub fn from_canonical(text: &str) -> Option<Self> {
        let (kind, value) = text.split_once(':')?;
        let identifier = match kind {
            "dns" => Self::dns(value).ok(),
            "ip" => Self::ip(value).ok(),
            _ => None,
        }?;
        (identifier.value() == value).then_some(identifier)
    }
}

impl Serialize for Identifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            r#type: &'a str,
            value: &'a str,
        }
        Wire { r#type: self.kind(), value: &self.value() }.serialize(serializer)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value())
    }
}

/// A text that is not an address a certificate could be ordered for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` cannot be ordered: {fault}")]
pub struct AddressError {
    text: String,
    fault: AddressFault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum AddressFault {
    #[error(
        "it is no IP address; write four numbers without leading zeros (192.0.2.1) or the form of RFC 5952 (2001:db8::1), with no port, zone, prefix length or brackets"
    )]
    Syntax,
    #[error("it is an IPv4 address in IPv6 clothes: write it as the IPv4 address")]
    Mapped,
}

/// A client's text, cut and cleaned so that it can be shown in a message.
fn printable(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_have_a_type_a_value_and_a_canonical_form() {
        for (identifier, canonical, wildcard, base) in [
            (Identifier::dns("A.test."), "dns:a.test", false, "dns:a.test"),
            (Identifier::dns("*.A.test"), "dns:*.a.test", true, "dns:a.test"),
            // A private CA may well own a top-level domain.
            (Identifier::dns("*.test"), "dns:*.test", true, "dns:test"),
        ] {
            let identifier = identifier.unwrap();
            assert_eq!(identifier.canonical(), canonical);
            assert_eq!(identifier.is_wildcard(), wildcard);
            assert_eq!(identifier.base().canonical(), base);
            assert_eq!(Identifier::from_canonical(canonical), Some(identifier));
        }
        for (given, canonical) in [
            ("192.0.2.1", "ip:192.0.2.1"),
            ("2001:db8::1", "ip:2001:db8::1"),
            ("2001:0DB8:0:0:0:0:0:1", "ip:2001:db8::1"),
            ("2001:db8:0:1:1:1:1:1", "ip:2001:db8:0:1:1:1:1:1"),
            ("::", "ip:::"),
        ] {
            let identifier = Identifier::ip(given).unwrap();
            assert_eq!(identifier.canonical(), canonical);
            assert_eq!(identifier.base(), identifier);
            assert_eq!(Identifier::from_canonical(canonical), Some(identifier));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "192.0.2",
            "192.0.2.01",
            "192.0.2.256",
            "0xC0.0.2.1",
            "3221225985",
            "192.0.2.1:80",
            "192.0.2.1/32",
            " 192.0.2.1",
            "[2001:db8::1]",
            "fe80::1%eth0",
            "2001:db8:::1",
            "a.test",
        ] {
            assert_eq!(Identifier::ip(text).unwrap_err().fault, AddressFault::Syntax, "{text}");
        }
        for text in ["::ffff:192.0.2.1", "::ffff:c000:201"] {
            assert_eq!(Identifier::ip(text).unwrap_err().fault, AddressFault::Mapped, "{text}");
        }
    }

    #[test]
    fn only_one_star_and_only_in_front() {
        for text in ["*", "*.", "*.*.test", "a*.test", "*a.test", "a.*.test", "*.192.0.2.1", "**.test"] {
            assert!(Identifier::dns(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_canonical_is_not_read_as_if_it_were() {
        for text in ["dns:A.test", "dns:a.test.", "ip:2001:DB8::1", "ip:a.test", "a.test", "dns:", "x:a"] {
            assert_eq!(Identifier::from_canonical(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn canonical_forms_read_back(address: IpAddr, text in "(\\*\\.)?[a-zA-Z0-9.-]{0,40}") {
            for identifier in
                [Identifier::ip(&address.to_string()).ok(), Identifier::dns(&text).ok()].into_iter().flatten()
            {
                prop_assert_eq!(Identifier::from_canonical(&identifier.canonical()), Some(identifier));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = (Identifier::dns(&text), Identifier::ip(&text), Identifier::from_canonical(&text));
        }
    }
}
