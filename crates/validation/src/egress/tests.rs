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
fn networks_that_are_not_public_are_refused_where_that_is_asked_for() {
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
        ("192.0.0.1:443", Some(Reserved)),
        ("240.0.0.1:443", Some(Reserved)),
        ("192.0.2.1:443", Some(Documentation)),
        ("198.51.100.1:443", Some(Documentation)),
        ("203.0.113.255:443", Some(Documentation)),
        ("[2001:db8:ffff::1]:443", Some(Documentation)),
        ("[3fff:fff::1]:443", Some(Documentation)),
        ("198.18.0.1:443", Some(Benchmarking)),
        ("198.19.255.255:443", Some(Benchmarking)),
        ("[2001:2::1]:443", Some(Benchmarking)),
        ("192.88.99.1:443", Some(Relay)),
        ("[64:ff9b::198.18.0.1]:443", Some(Benchmarking)),
        ("192.0.1.1:443", None),
        ("192.88.98.1:443", None),
        ("198.17.255.255:443", None),
        ("198.20.0.1:443", None),
        ("[2001:2:1::1]:443", None),
        ("[2001:db9::1]:443", None),
        ("[3fff:1000::1]:443", None),
    ] {
        assert_eq!(reason(&policy, to), special.map(RefusalReason::Special), "{to}");
    }
}

#[test]
fn deny_beats_allow_beats_defaults() {
    let policy = policy(&["127.0.0.0/8", "fe80::/10"], &["127.0.0.2/32", "10.0.0.0/8"], &[]);
    assert_eq!(reason(&policy, "127.0.0.1:80"), None);
    assert_eq!(reason(&policy, "[fe80::1]:80"), None);
    assert_eq!(reason(&policy, "127.0.0.2:80"), Some(RefusalReason::Denied("127.0.0.2/32".parse().unwrap())));
    assert_eq!(
        reason(&policy, "[64:ff9b::10.9.9.9]:80"),
        Some(RefusalReason::Denied("10.0.0.0/8".parse().unwrap()))
    );
    assert_eq!(reason(&policy, "[::1]:80"), Some(RefusalReason::Special(SpecialUse::Loopback)));
}

#[test]
fn allowing_a_translator_does_not_allow_what_lies_behind_it() {
    let policy = policy(&["64:ff9b::/96"], &[], &[]);
    assert_eq!(reason(&policy, "[64:ff9b::7f00:1]:80"), Some(RefusalReason::Special(SpecialUse::Loopback)));
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
    let checked = |from: &str, to: &str| policy.check_connected(from.parse().unwrap(), to.parse().unwrap());
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
