//! The addresses of names, from servers that behave and misbehave.

use std::net::IpAddr;
use std::time::Duration;

use chancery_testkit::{DnsManner, DnsRecord, DnsServer};
use chancery_validation::resolver::Resolver;
use chancery_validation::{Failure, FailureKind};

const NAME: &str = "www.example.com";

fn ips(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|ip| ip.parse().unwrap()).collect()
}

fn resolver(dns: &DnsServer, timeout: Duration) -> Resolver {
    Resolver::with_servers(&[dns.address()], timeout).unwrap()
}

async fn look_up(dns: &DnsServer) -> Result<Vec<IpAddr>, Failure> {
    resolver(dns, Duration::from_secs(5)).addresses(NAME).await
}

async fn failure(manner: DnsManner) -> Failure {
    let dns = DnsServer::start();
    dns.set_addresses(NAME, &ips(&["192.0.2.1"]));
    dns.misbehave(NAME, manner);
    resolver(&dns, Duration::from_millis(500)).addresses(NAME).await.unwrap_err()
}

#[tokio::test]
async fn both_families_are_found_and_alternate() {
    let dns = DnsServer::start();
    dns.set_addresses(NAME, &ips(&["192.0.2.1", "2001:db8::1", "192.0.2.2"]));
    assert_eq!(look_up(&dns).await.unwrap(), ips(&["2001:db8::1", "192.0.2.1", "192.0.2.2"]));
    assert_eq!((dns.count(NAME, "A"), dns.count(NAME, "AAAA"), dns.queries().len()), (1, 1, 2));
    assert!(dns.queries().iter().all(|query| query.recursion));
}

#[tokio::test]
async fn nothing_is_remembered() {
    let dns = DnsServer::start();
    let resolver = resolver(&dns, Duration::from_secs(5));
    assert!(resolver.addresses(NAME).await.is_err());
    dns.set_addresses(NAME, &ips(&["192.0.2.1"]));
    assert_eq!(resolver.addresses(NAME).await, Ok(ips(&["192.0.2.1"])));
    dns.set_addresses(NAME, &ips(&["192.0.2.2"]));
    assert_eq!(resolver.addresses(NAME).await, Ok(ips(&["192.0.2.2"])));
    assert_eq!(dns.queries().len(), 6);
}

#[tokio::test]
async fn a_long_answer_comes_over_tcp() {
    let many: Vec<IpAddr> = (1..=200).map(|n| IpAddr::from([192, 0, 2, n])).collect();
    let dns = DnsServer::start();
    dns.set_addresses(NAME, &many);
    let mut addresses = look_up(&dns).await.unwrap();
    addresses.sort();
    assert_eq!(addresses, many);
    assert!(dns.queries().iter().any(|query| query.tcp));
}

#[tokio::test]
async fn a_name_without_addresses_is_a_lasting_failure() {
    let dns = DnsServer::start();
    for exists in [false, true] {
        if exists {
            dns.set_txt(NAME, &["something else"]);
        }
        let failure = look_up(&dns).await.unwrap_err();
        assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, false));
        let said = "the DNS has neither an A nor an AAAA record for `www.example.com`; publish one";
        assert_eq!(failure.to_string(), said);
    }
}

#[tokio::test]
async fn a_server_in_trouble_is_a_passing_failure() {
    for (manner, said) in [
        (DnsManner::ServFail, "the server answered Server Failure"),
        (DnsManner::Refused, "the server answered Query Refused"),
        (DnsManner::Silent, "no answer came in time"),
        (DnsManner::WrongId, "no answer came in time"),
        (DnsManner::WrongQuestion, "no answer came in time"),
        (DnsManner::Garbage, "cannot be read"),
        (DnsManner::Referral, "the server is not one for that name"),
        (DnsManner::AlwaysTruncated, "truncated its answer even over TCP"),
        (DnsManner::Slow(Duration::from_secs(3)), "no answer came in time"),
    ] {
        let failure = failure(manner.clone()).await;
        assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, true), "{manner:?}: {failure}");
        assert!(failure.to_string().contains(said), "{manner:?}: {failure}");
    }
}

#[tokio::test]
async fn old_and_odd_servers_will_do() {
    for manner in [DnsManner::NoEdns, DnsManner::LowerCase, DnsManner::Truncated] {
        let dns = DnsServer::start();
        dns.set_addresses(NAME, &ips(&["192.0.2.1"]));
        dns.misbehave(NAME, manner.clone());
        assert_eq!(look_up(&dns).await, Ok(ips(&["192.0.2.1"])), "{manner:?}");
    }
}

#[tokio::test]
async fn a_silent_server_is_asked_again_and_its_neighbour_too() {
    let (silent, dns) = (DnsServer::start(), DnsServer::start());
    silent.misbehave("*", DnsManner::Silent);
    dns.set_addresses(NAME, &ips(&["192.0.2.1"]));
    let servers = [silent.address(), dns.address()];
    let resolver = Resolver::with_servers(&servers, Duration::from_secs(1)).unwrap();
    assert_eq!(resolver.addresses(NAME).await, Ok(ips(&["192.0.2.1"])));
    dns.misbehave(NAME, DnsManner::Silent);
    assert!(resolver.addresses(NAME).await.is_err());
    assert_eq!(dns.count(NAME, "A"), 3);
}

#[tokio::test]
async fn one_family_is_enough() {
    let dns = DnsServer::start();
    dns.set_addresses(NAME, &ips(&["2001:db8::1"]));
    assert_eq!(look_up(&dns).await, Ok(ips(&["2001:db8::1"])));
}

#[tokio::test]
async fn aliases_are_followed() {
    let dns = DnsServer::start();
    dns.add(NAME, DnsRecord::Cname("host.example.net".to_owned()));
    dns.set_addresses("host.example.net", &ips(&["192.0.2.1"]));
    assert_eq!(look_up(&dns).await, Ok(ips(&["192.0.2.1"])));
}

#[tokio::test]
async fn what_is_no_name_is_not_asked_for() {
    let dns = DnsServer::start();
    let resolver = resolver(&dns, Duration::from_secs(5));
    let label = "a".repeat(64);
    for name in ["a..b", label.as_str(), "a b.example", "\u{e9}.example", "a.b\r\n.example"] {
        let failure = resolver.addresses(name).await.unwrap_err();
        assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, false), "{name}");
    }
    assert!(dns.queries().is_empty());
}

#[tokio::test]
async fn localhost_and_addresses_need_no_server() {
    let dns = DnsServer::start();
    let resolver = resolver(&dns, Duration::from_secs(5));
    for (name, found) in [
        ("a.localhost", ips(&["127.0.0.1", "::1"])),
        ("192.0.2.7", ips(&["192.0.2.7"])),
        ("2001:db8::7", ips(&["2001:db8::7"])),
    ] {
        assert_eq!(resolver.addresses(name).await, Ok(found), "{name}");
    }
    assert!(dns.queries().is_empty());
}
