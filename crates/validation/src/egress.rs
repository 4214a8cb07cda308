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

    /// The same policy, which also refuses the addresses of private networks that `allow` does not name: for
    /// programs that have no business there.
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
            let private = || SpecialUse::private(ip).filter(|_| self.refuses_private);
            if let Some(special) = SpecialUse::of(ip).or_else(private) {
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
    /// hosts from them.
    Reserved,
    /// A private network: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` (RFC 1918 §3), `fc00::/7` (RFC 4193 §3).
    /// Refused by [`EgressPolicy::refusing_private`] alone.
    Private,
    /// Between a provider and its customers: `100.64.0.0/10` (RFC 6598 §7). Refused as [`SpecialUse::Private`] is.
    Shared,
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

    fn private(ip: IpAddr) -> Option<Self> {
        match ip {
            IpAddr::V4(v4) if v4.is_private() => Some(Self::Private),
            IpAddr::V4(v4) if matches!(v4.octets(), [100, 64..=127, ..]) => Some(Self::Shared),
            IpAddr::V6(v6) if v6.is_unique_local() => Some(Self::Private),
            _ => None,
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(allow: &[&str], deny: &[&str], own: &[&str]) -> EgressPolicy {
        let nets = |list: &[&str]| list.iter().map(|net| net.parse().unwrap()).collect();
        EgressPolicy::new(nets(allow), nets(deny), own.iter().map(|own| own.parse().unwrap()).collect())
    }

    fn reason(policy: &EgressPolicy, to: &str) -> Option<RefusalReason> {
        policy.check(to.parse().unwrap()).err().map(|refusal| refusal.reason)
    }

    #[test]
    fn refuses_special_addresses_by_default() {
        use SpecialUse::*;
        let table = [
            ("0.0.0.0:80", Unspecified),
            ("0.1.2.3:80", Unspecified),
            ("[::]:80", Unspecified),
            ("127.0.0.1:80", Loopback),
            ("127.255.255.254:80", Loopback),
            ("[::1]:80", Loopback),
            ("169.254.0.1:80", LinkLocal),
            ("[fe80::1]:80", LinkLocal),
            ("[febf::1]:80", LinkLocal),
            ("224.0.0.1:80", Multicast),
            ("239.255.255.250:80", Multicast),
            ("[ff02::1]:80", Multicast),
            ("255.255.255.255:80", Broadcast),
            ("169.254.169.254:80", CloudMetadata),
            ("100.100.100.200:80", CloudMetadata),
            ("168.63.129.16:80", CloudMetadata),
            ("192.0.0.192:80", CloudMetadata),
            ("[fd00:ec2::254]:80", CloudMetadata),
            ("[fd20:ce::254]:80", CloudMetadata),
            ("[fd00:c1::a9fe:a9fe]:80", CloudMetadata),
            ("[fd00:100::100:200]:80", CloudMetadata),
            ("[fd00:a9fe:a9fe::1]:80", CloudMetadata),
            ("[fd00:42::42]:80", CloudMetadata),
            ("192.0.0.8:80", Reserved),
            ("240.0.0.1:80", Reserved),
            ("255.255.255.254:80", Reserved),
            ("[100::1]:80", Reserved),
            ("[2001:10::1]:80", Reserved),
            ("[2001:2f:ffff::1]:80", Reserved),
            ("[5f00::1]:80", Reserved),
            ("[fec0::1]:80", Reserved),
            ("[feff::1]:80", Reserved),
            // Loopback in every dress that carries IPv4.
            ("[::ffff:127.0.0.1]:80", Loopback),
            ("[::127.0.0.1]:80", Loopback),
            ("[::ffff:0:127.0.0.1]:80", Loopback),
            ("[64:ff9b::127.0.0.1]:80", Loopback),
            ("[64:ff9b:1::127.0.0.1]:80", Loopback),
            ("[64:ff9b:1:7f00:0:100::]:80", Loopback),
            ("[64:ff9b:1:7f:0:1::]:80", Loopback),
            ("[64:ff9b:1:5:7f:0:100::]:80", Loopback),
            ("[2002:7f00:1::]:80", Loopback),
            ("[2001:0:7f00:1::]:80", Loopback),
            ("[2001::80ff:fffe]:80", Loopback),
            ("[64:ff9b::169.254.169.254]:80", CloudMetadata),
            ("[2001:db8::5efe:169.254.169.254]:80", CloudMetadata),
            ("[fd12:3456::200:5efe:127.0.0.1]:80", Loopback),
        ];
        let policy = policy(&[], &[], &[]);
        for (to, special) in table {
            assert_eq!(reason(&policy, to), Some(RefusalReason::Special(special)), "{to}");
        }
    }

    #[test]
    fn allows_private_and_public_addresses_by_default() {
        let policy = policy(&[], &[], &[]);
        for to in [
            "10.0.0.1:80",
            "172.16.0.1:80",
            "192.168.1.1:443",
            "100.64.0.1:80",
            "192.0.1.1:80",
            "192.0.2.1:80",
            "198.18.0.1:80",
            "198.51.100.1:80",
            "[100:0:0:1::1]:80",
            "[2001:30::1]:80",
            "[3fff::1]:80",
            "[fd12:3456::1]:80",
            "[2001:db8::1]:80",
            "[64:ff9b::10.0.0.1]:80",
            "[64:ff9b:1:5:a:0:100::]:80",
            "[2002:a00:1::1]:80",
        ] {
            assert_eq!(reason(&policy, to), None, "{to}");
        }
    }

    #[test]
    fn private_networks_are_refused_where_that_is_asked_for() {
        use SpecialUse::*;
        let policy = policy(&["10.1.0.0/16", "fd12::/16"], &[], &[]).refusing_private();
        for (to, special) in [
            ("10.0.0.1:443", Some(Private)),
            ("172.16.0.1:443", Some(Private)),
            ("172.31.255.254:443", Some(Private)),
            ("192.168.1.1:443", Some(Private)),
            ("100.64.0.1:443", Some(Shared)),
            ("100.127.255.254:443", Some(Shared)),
            ("[fd00::1]:443", Some(Private)),
            ("[::ffff:10.0.0.1]:443", Some(Private)),
            ("[64:ff9b::192.168.1.1]:443", Some(Private)),
            ("[2002:a00:1::]:443", Some(Private)),
            ("127.0.0.1:443", Some(Loopback)),
            ("10.1.0.1:443", None),
            ("[::ffff:10.1.0.1]:443", None),
            ("[fd12::1]:443", None),
            ("172.32.0.1:443", None),
            ("100.128.0.1:443", None),
            ("198.51.100.1:443", None),
            ("[2001:db8::1]:443", None),
        ] {
            assert_eq!(reason(&policy, to), special.map(RefusalReason::Special), "{to}");
        }
    }

    #[test]
    fn deny_beats_allow_beats_defaults() {
        let policy = policy(&["127.0.0.0/8", "fe80::/10"], &["127.0.0.2/32", "10.0.0.0/8"], &[]);
        assert_eq!(reason(&policy, "127.0.0.1:80"), None);
        assert_eq!(reason(&policy, "[fe80::1]:80"), None);
        assert_eq!(
            reason(&policy, "127.0.0.2:80"),
            Some(RefusalReason::Denied("127.0.0.2/32".parse().unwrap()))
        );
        assert_eq!(
            reason(&policy, "[64:ff9b::10.9.9.9]:80"),
            Some(RefusalReason::Denied("10.0.0.0/8".parse().unwrap()))
        );
        assert_eq!(reason(&policy, "[::1]:80"), Some(RefusalReason::Special(SpecialUse::Loopback)));
    }

    #[test]
    fn allowing_a_translator_does_not_allow_what_lies_behind_it() {
        let policy = policy(&["64:ff9b::/96"], &[], &[]);
        assert_eq!(
            reason(&policy, "[64:ff9b::7f00:1]:80"),
            Some(RefusalReason::Special(SpecialUse::Loopback))
        );
    }

    #[test]
    fn own_listeners_are_refused_whatever_is_allowed() {
        let policy = policy(&["0.0.0.0/0", "::/0"], &[], &["10.0.0.1:443", "0.0.0.0:8443", "[::]:9443"]);
        for to in [
            "10.0.0.1:443",
            "[::ffff:10.0.0.1]:443",
            "[64:ff9b::10.0.0.1]:443",
            "127.0.0.1:8443",
            "127.9.9.9:8443",
            "0.0.0.0:8443",
            "[::1]:9443",
            "127.0.0.1:9443",
        ] {
            assert_eq!(reason(&policy, to), Some(RefusalReason::OwnListener), "{to}");
        }
        for to in ["10.0.0.1:80", "10.0.0.2:443", "127.0.0.1:443"] {
            assert_eq!(reason(&policy, to), None, "{to}");
        }
    }

    #[test]
    fn a_connection_that_stays_on_the_machine_does_not_reach_its_listeners() {
        let policy = policy(&[], &[], &["0.0.0.0:443"]);
        let checked =
            |from: &str, to: &str| policy.check_connected(from.parse().unwrap(), to.parse().unwrap());
        assert!(checked("10.0.0.1:40000", "10.0.0.1:443").is_err());
        assert!(checked("10.0.0.1:40000", "10.0.0.2:443").is_ok());
        assert!(checked("10.0.0.1:40000", "10.0.0.1:80").is_ok());
    }

    #[test]
    fn a_refusal_says_why() {
        let refusal = policy(&[], &[], &[]).check("127.0.0.1:80".parse().unwrap()).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "127.0.0.1:80 is not dialled for validation: it is a loopback address, and the egress policy \
             does not allow it by name"
        );
    }

    proptest! {
        /// Whatever carries a denied IPv4 address is refused as that address is.
        #[test]
        fn no_dress_hides_an_ipv4_address(bits in 0x0100_0000..=u32::MAX) {
            let v4 = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = v4.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let policy = EgressPolicy::new(vec![], vec![IpNet::from(IpAddr::V4(v4))], vec![]);
            for dress in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0xfd12, 0, 0, 0, 0x200, 0x5efe, high, low),
                Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
            ] {
                prop_assert!(policy.check(SocketAddr::new(dress.into(), 80)).is_err(), "{}", dress);
            }
        }
    }
}
