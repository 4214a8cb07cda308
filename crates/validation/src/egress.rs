//! Where validation may dial.
//!
//! A client names the host that the server connects to, so without a rule anyone with an account
//! could make the server speak to itself, to its neighbours on the link, or to the metadata service
//! of its cloud (RFC 8555 §10.4, server-side request forgery). The rule is asked for the very address
//! that is dialled, on every hop.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// Which addresses validation may dial.
///
/// Own listeners are always refused. Then `deny` beats `allow`, and `allow` beats the defaults, which
/// refuse every [`SpecialUse`]. All else is allowed, private networks among it: a private CA lives there.
#[derive(Debug, Clone)]
pub struct EgressPolicy {
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
    own_listeners: Vec<SocketAddr>,
    refuses_private: bool,
}

impl EgressPolicy {
    /// A policy with these exceptions to the defaults, on a server that listens on `own_listeners`.
    pub fn new(allow: Vec<IpNet>, deny: Vec<IpNet>, own_listeners: Vec<SocketAddr>) -> Self {
        Self { allow, deny, own_listeners, refuses_private: false }
    }

    /// The same policy, which also refuses the addresses of private networks, and of those for documentation and
    /// measurement, that `allow` does not name: for programs that have no business there.
    #[must_use]
    pub fn refusing_private(self) -> Self {
        Self { refuses_private: true, ..self }
    }

    /// Whether `to` may be dialled.
    ///
    /// An IPv6 address that carries an IPv4 address is judged as both.
    ///
    /// # Errors
    /// The first rule that refuses it.
    pub fn check(&self, to: SocketAddr) -> Result<(), EgressRefusal> {
        let refusal = |reason| Err(EgressRefusal { to, reason });
        for ip in faces(to.ip()) {
            if self.is_own_listener(SocketAddr::new(ip, to.port())) {
                return refusal(RefusalReason::OwnListener);
            }
            if let Some(net) = self.deny.iter().find(|net| net.contains(&ip)) {
                return refusal(RefusalReason::Denied(*net));
            }
            if self.allow.iter().any(|net| net.contains(&ip)) {
                continue;
            }
            let not_public = || SpecialUse::not_public(ip).filter(|_| self.refuses_private);
            if let Some(special) = SpecialUse::of(ip).or_else(not_public) {
                return refusal(RefusalReason::Special(special));
            }
        }
        Ok(())
    }

    /// Whether a connection from `from` to `to` may be used, now that the machine has chosen `from`.
    ///
    /// A server that listens on `0.0.0.0` or `[::]` answers on every address of its machine, and only
    /// the machine knows them all. It connects to itself from the address it connects to, so equal
    /// ends give it away.
    ///
    /// # Errors
    /// When the connection ends at one of the own listeners.
    pub fn check_connected(&self, from: SocketAddr, to: SocketAddr) -> Result<(), EgressRefusal> {
        let stays_here = from.ip().to_canonical() == to.ip().to_canonical();
        let listens_everywhere =
            |own: &SocketAddr| own.ip().to_canonical().is_unspecified() && own.port() == to.port();
        if stays_here && self.own_listeners.iter().any(listens_everywhere) {
            return Err(EgressRefusal { to, reason: RefusalReason::OwnListener });
        }
        Ok(())
    }

    fn is_own_listener(&self, to: SocketAddr) -> bool {
        let reaches = |own: &SocketAddr| {
            let own_ip = own.ip().to_canonical();
            let same_machine = to.ip().is_loopback() || to.ip().is_unspecified();
            own.port() == to.port() && (own_ip == to.ip() || (own_ip.is_unspecified() && same_machine))
        };
        self.own_listeners.iter().any(reaches)
    }
}

/// An address that validation does not dial, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{to} is not dialled for validation: {reason}")]
pub struct EgressRefusal {
    /// The address asked for.
    pub to: SocketAddr,
    /// The rule that refused it.
    pub reason: RefusalReason,
}

/// The rule behind an [`EgressRefusal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalReason {
    /// One of this server's own listeners; nothing overrides this rule.
    OwnListener,
    /// The policy denies this network.
    Denied(IpNet),
    /// Refused by default.
    Special(SpecialUse),
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnListener => f.write_str("this server itself listens there"),
            Self::Denied(net) => write!(f, "the egress policy denies {net}"),
            Self::Special(special) => {
                write!(f, "it is {special}, and the egress policy does not allow it by name")
            }
        }
    }
}

/// A use of an address for which the defaults refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialUse {
    /// `0.0.0.0/8` (RFC 1122 §3.2.1.3) and `::`, which reach the machine itself.
    Unspecified,
    /// `127.0.0.0/8` and `::1`.
    Loopback,
    /// `169.254.0.0/16` (RFC 3927) and `fe80::/10` (RFC 4291 §2.5.6).
    LinkLocal,
    /// `224.0.0.0/4` (RFC 5771) and `ff00::/8` (RFC 4291 §2.7).
    Multicast,
    /// `255.255.255.255` (RFC 919 §7).
    Broadcast,
    /// An address at which a cloud hands out a machine's credentials.
    CloudMetadata,
    /// Kept for protocols or for nothing, so that no host is found there: `192.0.0.0/24` (RFC 6890
    /// §2.1), `240.0.0.0/4` (RFC 1112 §4), `100::/64` (RFC 6666), `2001:10::/28` (RFC 4843),
    /// `2001:20::/28` (RFC 7343), `5f00::/16` (RFC 9602) and `fec0::/10` (RFC 3879).
    ///
    /// The networks for documentation and measurement are not among them: laboratories number their
    /// hosts from them ([`SpecialUse::Documentation`], [`SpecialUse::Benchmarking`]).
    Reserved,
    /// A private network: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` (RFC 1918 §3), `fc00::/7` (RFC 4193 §3).
    /// Refused by [`EgressPolicy::refusing_private`] alone.
    Private,
    /// Between a provider and its customers: `100.64.0.0/10` (RFC 6598 §7). Refused as [`SpecialUse::Private`] is.
    Shared,
    /// For examples: `192.0.2.0/24`, `198.51.100.0/24`, `203.0.113.0/24` (RFC 5737 §3), `2001:db8::/32` (RFC 3849
    /// §2), `3fff::/20` (RFC 9637 §4). Refused as [`SpecialUse::Private`] is.
    Documentation,
    /// To measure devices with: `198.18.0.0/15` (RFC 2544 §C.2.2), `2001:2::/48` (RFC 5180 §8). Refused as
    /// [`SpecialUse::Private`] is.
    Benchmarking,
    /// The relays of 6to4, `192.88.99.0/24`, which are no more (RFC 7526 §5). Refused as [`SpecialUse::Private`] is.
    Relay,
}

impl SpecialUse {
    fn of(ip: IpAddr) -> Option<Self> {
        if CLOUD_METADATA.contains(&ip) {
            return Some(Self::CloudMetadata);
        }
        match ip {
            IpAddr::V4(v4) if v4.octets().starts_with(&[0]) => Some(Self::Unspecified),
            IpAddr::V4(v4) if v4.is_link_local() => Some(Self::LinkLocal),
            IpAddr::V4(v4) if v4.is_broadcast() => Some(Self::Broadcast),
            IpAddr::V6(v6) if v6.is_unicast_link_local() => Some(Self::LinkLocal),
            _ if ip.is_unspecified() => Some(Self::Unspecified),
            _ if ip.is_loopback() => Some(Self::Loopback),
            _ if ip.is_multicast() => Some(Self::Multicast),
            IpAddr::V4(v4) if is_reserved_v4(v4) => Some(Self::Reserved),
            IpAddr::V6(v6) if is_reserved_v6(v6) => Some(Self::Reserved),
            _ => None,
        }
    }

    /// Of the addresses that only [`EgressPolicy::refusing_private`] refuses.
    fn not_public(ip: IpAddr) -> Option<Self> {
        match ip {
            IpAddr::V4(v4) if v4.is_private() => Some(Self::Private),
            IpAddr::V4(v4) if v4.is_documentation() => Some(Self::Documentation),
            IpAddr::V4(v4) => match v4.octets() {
                [100, 64..=127, ..] => Some(Self::Shared),
                [198, 18..=19, ..] => Some(Self::Benchmarking),
                [192, 88, 99, _] => Some(Self::Relay),
                _ => None,
            },
            IpAddr::V6(v6) if v6.is_unique_local() => Some(Self::Private),
            IpAddr::V6(v6) => match v6.segments() {
                [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(Self::Documentation),
                [0x2001, 2, 0, ..] => Some(Self::Benchmarking),
                _ => None,
            },
        }
    }
}

impl fmt::Display for SpecialUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::CloudMetadata => "the metadata service of a cloud",
            Self::Reserved => "a reserved address",
            Self::Private => "an address of a private network",
            Self::Shared => "an address between a provider and its customers",
            Self::Documentation => "an address for documentation",
            Self::Benchmarking => "an address for measurements",
            Self::Relay => "an address of the former 6to4 relays",
        })
    }
}

fn is_reserved_v4(v4: Ipv4Addr) -> bool {
    matches!(v4.octets(), [192, 0, 0, _] | [240..=255, ..])
}

fn is_reserved_v6(v6: Ipv6Addr) -> bool {
    matches!(
        v6.segments(),
        [0x100, 0, 0, 0, ..] | [0x2001, 0x10..=0x2f, ..] | [0x5f00, ..] | [0xfec0..=0xfeff, ..]
    )
}

/// The metadata services outside of the link-local networks, and the best-known one within.
const CLOUD_METADATA: [IpAddr; 11] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), // most clouds
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), // Alibaba Cloud
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),   // Azure, the host's agent
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),     // Oracle Cloud
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)), // AWS, instances
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)), // AWS, pod identity
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)), // Google Cloud
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)), // Oracle Cloud
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200)), // Alibaba Cloud
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1)), // Linode
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)), // Scaleway
];

/// The address itself and every IPv4 address that a translator or tunnel would find in it.
fn faces(ip: IpAddr) -> impl Iterator<Item = IpAddr> {
    let own = ip.to_canonical();
    let embedded = match own {
        IpAddr::V4(_) => [None; 4],
        IpAddr::V6(v6) => embedded_ipv4(v6),
    };
    // Nothing lies at 0.0.0.0/8 behind a translator: the bits are those of another form.
    let embedded = embedded.into_iter().flatten().filter(|v4| !v4.octets().starts_with(&[0]));
    std::iter::once(own).chain(embedded.map(IpAddr::V4))
}

/// The IPv4 addresses within an IPv6 address that is not IPv4-mapped.
fn embedded_ipv4(v6: Ipv6Addr) -> [Option<Ipv4Addr>; 4] {
    let bits = v6.to_bits();
    let low = |shift: u32, width: u32| ((bits >> shift) & ((1 << width) - 1)) as u32;
    let at = |shift: u32| Some(Ipv4Addr::from_bits(low(shift, 32)));
    match v6.segments() {
        // IPv4-compatible (RFC 4291 §2.5.5.1; `::` and `::1` fall to 0.0.0.0/8) and IPv4-translated
        // (RFC 2765 §2.1).
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => [at(0), None, None, None],
        // NAT64, well-known prefix (RFC 6052 §2.1).
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => [at(0), None, None, None],
        // NAT64, local-use prefix (RFC 8215). The operator may use the /48 or a /56, /64 or /96 of it,
        // and each puts the address elsewhere, around an octet that is always zero (RFC 6052 §2.2).
        [0x64, 0xff9b, 1, ..] => {
            let after_48 = Ipv4Addr::from_bits(low(64, 16) << 16 | low(40, 16));
            let after_56 = Ipv4Addr::from_bits(low(64, 8) << 24 | low(32, 24));
            [at(0), at(24), Some(after_48), Some(after_56)]
        }
        // 6to4 (RFC 3056 §2).
        [0x2002, ..] => [at(80), None, None, None],
        // ISATAP (RFC 5214 §6.1), under any prefix.
        [.., 0 | 0x200, 0x5efe, _, _] => [at(0), None, None, None],
        // Teredo (RFC 4380 §4): the server, and the client with its bits inverted.
        [0x2001, 0, ..] => [at(64), Some(Ipv4Addr::from_bits(!low(0, 32))), None, None],
        _ => [None; 4],
    }
}

#[cfg(test)]
mod tests;
