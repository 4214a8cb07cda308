//! Which names a policy is for: the name scope grammar.
//!
//! | scope | covers |
//! |---|---|
//! | `=a.test` | that name alone |
//! | `.a.test` | the names below `a.test`, at any depth, but neither `a.test` itself nor wildcards |
//! | `.a.test/2` | those with at most two labels before `a.test` |
//! | `*.a.test` | that wildcard alone |
//! | `*..a.test` | the wildcards of `a.test` and of what lies below it |
//! | `*..a.test/2` | those with at most two labels before `a.test`, the `*` among them |
//! | `192.0.2.0/24`, `2001:db8::/32`, `192.0.2.1` | the addresses of the network, or that address |

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::identifier::{DnsName, Identifier, NameError};

#[cfg(test)]
mod tests;

/// A set of identifiers, written in the grammar of this module.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope(Shape);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Shape {
    /// `=name`
    Name(DnsName),
    /// `.zone/N`
    Below(DnsName, Depth),
    /// `*.zone`
    Wildcard(DnsName),
    /// `*..zone/N`
    Wildcards(DnsName, Depth),
    /// CIDR
    Network(IpNet),
}

/// At most how many labels stand before the zone, at least one; `None` for any number.
type Depth = Option<u8>;

/// How many labels a name can have at most: 127 of one character each (RFC 1035 §2.3.4).
const MAX_DEPTH: u8 = 126;

impl Scope {
    /// Reads a scope.
    ///
    /// # Errors
    /// A [`ScopeError`] that says what the text could have been.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let shape = if let Some(name) = text.strip_prefix('=') {
            if name.starts_with("*.") {
                return Err(ScopeError::ExactWildcard(shown(name)));
            }
            Shape::Name(DnsName::new(name)?)
        } else if let Some(zone) = text.strip_prefix("*..") {
            let (zone, depth) = zone_and_depth(zone)?;
            Shape::Wildcards(zone, depth)
        } else if let Some(zone) = text.strip_prefix("*.") {
            match zone.split_once('/') {
                Some((zone, _)) => return Err(ScopeError::WildcardDepth(shown(zone))),
                None => Shape::Wildcard(below(zone)?),
            }
        } else if let Some(zone) = text.strip_prefix('.') {
            let (zone, depth) = zone_and_depth(zone)?;
            Shape::Below(zone, depth)
        } else {
            Shape::Network(network(text)?)
        };
        Ok(Self(shape))
    }

    /// Whether the identifier is in the set.
    pub fn covers(&self, identifier: &Identifier) -> bool {
        match (&self.0, identifier) {
            (Shape::Name(name), Identifier::Dns(other)) => name == other,
            (Shape::Wildcard(zone), Identifier::Wildcard(base)) => zone == base,
            (Shape::Below(zone, depth), Identifier::Dns(name)) => {
                name.labels_below(zone).is_some_and(|labels| (1..=deepest(zone, *depth)).contains(&labels))
            }
            (Shape::Wildcards(zone, depth), Identifier::Wildcard(base)) => {
                base.labels_below(zone).is_some_and(|labels| labels < deepest(zone, *depth))
            }
            (Shape::Network(network), Identifier::Ip(address)) => network.contains(address),
            _ => false,
        }
    }

    /// Whether a certificate for the identifier is good for anything that the scope covers: what a rule that
    /// denies has to refuse. A wildcard stands for every name with one label more (RFC 6125 §6.4.3).
    pub fn meets(&self, identifier: &Identifier) -> bool {
        let by_wildcard = match (&self.0, identifier) {
            (Shape::Name(name), Identifier::Wildcard(base)) => name.labels_below(base) == Some(1),
            (Shape::Below(zone, depth), Identifier::Wildcard(base)) => {
                base.labels_below(zone).is_some_and(|labels| labels < deepest(zone, *depth))
            }
            _ => false,
        };
        by_wildcard || self.covers(identifier)
    }

    /// An identifier that the scope covers.
    pub fn example(&self) -> Identifier {
        match &self.0 {
            Shape::Name(name) => Identifier::Dns(name.clone()),
            Shape::Below(zone, _) => Identifier::Dns(zone.child('a')),
            Shape::Wildcard(zone) | Shape::Wildcards(zone, _) => Identifier::Wildcard(zone.clone()),
            Shape::Network(network) => Identifier::Ip(network.addr()),
        }
    }

    /// Whether every identifier that `other` covers is covered by this scope, too: exactly, the
    /// length that names can have included.
    pub fn subsumes(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (_, Shape::Name(name)) => self.covers(&Identifier::Dns(name.clone())),
            (_, Shape::Wildcard(base)) => self.covers(&Identifier::Wildcard(base.clone())),
            (Shape::Below(zone, depth), Shape::Below(inner, inner_depth))
            | (Shape::Wildcards(zone, depth), Shape::Wildcards(inner, inner_depth)) => {
                // What lies deepest in the inner zone must not be too deep for the outer one.
                inner
                    .labels_below(zone)
                    .is_some_and(|labels| labels + deepest(inner, *inner_depth) <= deepest(zone, *depth))
            }
            // A set of wildcards that has but one.
            (Shape::Wildcard(base), Shape::Wildcards(zone, depth)) => {
                base == zone && deepest(zone, *depth) == 1
            }
            (Shape::Network(network), Shape::Network(inner)) => network.contains(inner),
            _ => false,
        }
    }
}

/// At most how many labels there can be before a zone, of one character and a dot each.
fn deepest(zone: &DnsName, depth: Depth) -> usize {
    let room = (DnsName::MAX_LENGTH - zone.as_str().len().min(DnsName::MAX_LENGTH)) / 2;
    depth.map_or(room, |depth| room.min(usize::from(depth)))
}

fn zone_and_depth(text: &str) -> Result<(DnsName, Depth), ScopeError> {
    let Some((zone, depth)) = text.split_once('/') else { return Ok((below(text)?, None)) };
    let plain = !depth.starts_with('0') && depth.bytes().all(|byte| byte.is_ascii_digit());
    let depth = depth
        .parse()
        .ok()
        .filter(|depth| plain && (1..=MAX_DEPTH).contains(depth))
        .ok_or_else(|| ScopeError::Depth(shown(depth)))?;
    Ok((below(zone)?, Some(depth)))
}

/// A zone that a name can lie below.
fn below(text: &str) -> Result<DnsName, ScopeError> {
    let zone = DnsName::new(text)?;
    if deepest(&zone, None) == 0 {
        return Err(ScopeError::NoRoom);
    }
    Ok(zone)
}

fn network(text: &str) -> Result<IpNet, ScopeError> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) if !text.contains('/') => return Err(ScopeError::Syntax(shown(text))),
        Err(_) => text.parse().map_err(|_| ScopeError::Syntax(shown(text)))?,
    };
    if network != network.trunc() {
        return Err(ScopeError::HostBits { given: network, network: network.trunc() });
    }
    if let IpAddr::V6(address) = network.addr()
        && address.to_ipv4_mapped().is_some()
        && network.prefix_len() >= 96
    {
        return Err(ScopeError::Mapped(network));
    }
    Ok(network)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, zone, depth) = match &self.0 {
            Shape::Name(name) => ("=", name, None),
            Shape::Wildcard(zone) => ("*.", zone, None),
            Shape::Below(zone, depth) => (".", zone, *depth),
            Shape::Wildcards(zone, depth) => ("*..", zone, *depth),
            Shape::Network(network) if network.prefix_len() == network.max_prefix_len() => {
                return network.addr().fmt(f);
            }
            Shape::Network(network) => return network.fmt(f),
        };
        write!(f, "{before}{}", zone.as_str())?;
        depth.map_or(Ok(()), |depth| write!(f, "/{depth}"))
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::parse(text)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A text that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// It has none of the forms.
    #[error(
        "`{0}` is no scope: write `=name` for one name, `.zone` for the names below a zone, `.zone/N` for those \
         with at most N labels before it, `*.zone` for that wildcard, `*..zone` or `*..zone/N` for wildcards in \
         it, or a network such as 192.0.2.0/24 or 2001:db8::/32 for addresses"
    )]
    Syntax(String),
    /// The name in it is none.
    #[error("the name in the scope: {0}")]
    Name(#[from] NameError),
    /// An exact wildcard.
    #[error("`=` is for names: write `{0}` alone for that wildcard")]
    ExactWildcard(String),
    /// `*.zone/N`.
    #[error("`*.{0}` is one wildcard and takes no depth: write `*..{0}/N` for wildcards in the zone")]
    WildcardDepth(String),
    /// A depth out of range.
    #[error(
        "`/{0}` is no depth: write how many labels may stand before the zone, from 1 to {MAX_DEPTH}, or nothing \
         for any number"
    )]
    Depth(String),
    /// A zone that is so long that nothing fits before it.
    #[error("the zone is so long that no name can lie below it")]
    NoRoom,
    /// A network whose address has bits behind the prefix.
    #[error(
        "`{given}` has bits set behind its prefix: write `{network}` for the network, or the address alone"
    )]
    HostBits {
        /// What was written.
        given: IpNet,
        /// The network that it lies in.
        network: IpNet,
    },
    /// A network of IPv4-mapped addresses.
    #[error("`{0}` holds IPv4 addresses in IPv6 clothes, which cannot be ordered: write the IPv4 network")]
    Mapped(IpNet),
}

/// A text of the configuration, cut so that it can be shown in a message.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
