//! Whose request it is where proxies stand in front of the server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Extensions, HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// How many proxies in a row are believed; more is a loop, or an attempt to keep the server busy.
const MAX_HOPS: usize = 16;

/// The proxies that the operator trusts to say whom they speak for.
///
/// Only `X-Forwarded-For` is read. A proxy adds to one header and passes the other on as the client wrote it, so
/// that whoever believed `Forwarded` (RFC 7239) as well would believe the client.
#[derive(Debug)]
pub struct Proxies {
    trusted: Vec<IpNet>,
    /// The key of the configuration that names them.
    setting: &'static str,
    /// Whether the operator was told of a peer that speaks for others and is not trusted.
    told: AtomicBool,
}

impl Proxies {
    /// The proxies that `setting` of the configuration names.
    pub fn new(trusted: &[IpNet], setting: &'static str) -> Self {
        Self { trusted: IpNet::aggregate(&trusted.to_vec()), setting, told: AtomicBool::new(false) }
    }

    /// The address of the client: that of the connection's other end, or, where a trusted proxy is there, the last
    /// one in `X-Forwarded-For` that is not of a trusted proxy. What stands before that the client may have written
    /// itself. Where an element is no address, the proxy that added it is as far as anybody knows.
    pub fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
        // The listener notes the peer of every connection.
        let peer = extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
        if self.is_news(peer, headers) {
            tracing::warn!(
                peer = %peer,
                "`X-Forwarded-For` came from a peer that is not among `{}`, and is not believed. If a proxy of \
                 yours is there, name it: until then all who come through it are one client to the limits, and the \
                 bad requests of one of them block all. This is said once",
                self.setting
            );
        }
        let mut client = peer;
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops.take(MAX_HOPS) {
            if !self.trusts(client) {
                break;
            }
            let Some(address) = std::str::from_utf8(hop).ok().and_then(address) else { break };
            client = address;
        }
        client
    }

    /// Whether a peer speaks for others that may not, for the first time since the server started.
    fn is_news(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        headers.contains_key(X_FORWARDED_FOR)
            && !self.told.load(Ordering::Relaxed)
            && !self.trusts(peer)
            && !self.told.swap(true, Ordering::Relaxed)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// The network by which an address is known: an IPv6 client has a /64 of its own to choose from.
pub fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            format!("{}/64", Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

/// An address, perhaps with a port, as proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const SETTING: &str = "server.trusted_proxies";

    fn client(peer: &str, lines: &[&[u8]]) -> String {
        let proxies =
            Proxies::new(&["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()], SETTING);
        let (mut extensions, mut headers) = (Extensions::new(), HeaderMap::new());
        extensions.insert(Peer(peer.parse().unwrap()));
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
        }
        proxies.client(&extensions, &headers).to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxy_counts() {
        let cases: [(&str, &[&[u8]], &str); 14] = [
            ("192.0.2.1", &[], "192.0.2.1"),
            // Not a proxy: what it says of others is nobody's business.
            ("192.0.2.1", &[b"198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[b"198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"198.51.100.7,10.0.0.3 , 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &[b"203.0.113.9", b"198.51.100.7", b"10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &[b"198.51.100.7:4711"], "198.51.100.7"),
            ("2001:db8::1", &[b"[2001:470::7]:4711"], "2001:470::7"),
            ("2001:db8::1", &[b"[2001:470::7]"], "2001:470::7"),
            ("10.0.0.1", &[b"::ffff:198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"198.51.100.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", &[b"198.51.100.7, \xff\xfe, 10.0.0.2"], "10.0.0.2"),
            // All of them are proxies: the one that is furthest away began it.
            ("10.0.0.1", &[b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ];
        for (peer, lines, expected) in cases {
            assert_eq!(client(peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn a_proxy_that_nobody_named_is_told_of_once() {
        let proxies = Proxies::new(&["10.0.0.0/8".parse().unwrap()], SETTING);
        let (stranger, proxy) = ([192, 0, 2, 1].into(), [10, 0, 0, 1].into());
        let mut headers = HeaderMap::new();
        assert!(!proxies.is_news(stranger, &headers), "it speaks for itself");
        headers.append(X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.7"));
        assert!(!proxies.is_news(proxy, &headers), "it is trusted");
        assert!(proxies.is_news(stranger, &headers));
        assert!(!proxies.is_news(stranger, &headers));
        assert!(!proxies.is_news([192, 0, 2, 2].into(), &headers));
    }

    #[test]
    fn a_row_of_proxies_without_an_end_is_not_followed() {
        let line = ["198.51.100.7"].into_iter().chain(std::iter::repeat_n("10.0.0.2", 5_000));
        let line = line.collect::<Vec<_>>().join(",");
        assert_eq!(client("10.0.0.1", &[line.as_bytes()]), "10.0.0.2");
    }

    #[test]
    fn an_address_is_known_by_its_network() {
        for (address, network) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ] {
            assert_eq!(network_of(address.parse().unwrap()), network, "{address}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(line in "[\\x20-\\x7e]{0,80}|([0-9.:\\[\\], ]{0,60})") {
            let named = client("10.0.0.1", &[line.as_bytes()]);
            prop_assert!(named.parse::<IpAddr>().is_ok());
        }
    }
}
