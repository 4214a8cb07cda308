//! The resolver against a DNS server.

use std::net::IpAddr;
use std::time::Duration;

use chancery_validation::resolver::Resolver;
use chancery_validation::{Failure, FailureKind};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use crate::dns::{Dns, Say};

const NAME: &str = "www.example.com";

fn ips(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|ip| ip.parse().unwrap()).collect()
}

async fn look_up(dns: &Dns, timeout: Duration) -> Result<Vec<IpAddr>, Failure> {
    Resolver::with_servers(&[dns.address], timeout).unwrap().addresses(NAME).await
}

async fn failure(say: Say) -> Failure {
    look_up(&Dns::always(say).await, Duration::from_millis(500)).await.unwrap_err()
}

#[tokio::test]
async fn both_families_are_found_and_alternate() {
    let dns = Dns::always(Say::Addresses(ips(&["192.0.2.1", "2001:db8::1", "192.0.2.2"]))).await;
    let addresses = look_up(&dns, Duration::from_secs(5)).await.unwrap();
    assert_eq!(addresses, ips(&["2001:db8::1", "192.0.2.1", "192.0.2.2"]));
    let mut queries = dns.queries();
    queries.sort_by_key(|(_, record_type)| u16::from(*record_type));
    let fqdn = format!("{NAME}.");
    assert_eq!(queries, [(fqdn.clone(), RecordType::A), (fqdn, RecordType::AAAA)]);
}

#[tokio::test]
async fn nothing_is_remembered() {
    let dns = Dns::start(|_, nth| {
        if nth == 0 { Say::Code(ResponseCode::NXDomain) } else { Say::Addresses(ips(&["192.0.2.1"])) }
    })
    .await;
    let resolver = Resolver::with_servers(&[dns.address], Duration::from_secs(5)).unwrap();
    assert!(resolver.addresses(NAME).await.is_err());
    assert_eq!(resolver.addresses(NAME).await, Ok(ips(&["192.0.2.1"])));
    assert_eq!(resolver.addresses(NAME).await, Ok(ips(&["192.0.2.1"])));
    assert_eq!(dns.queries().len(), 6);
}

#[tokio::test]
async fn a_long_answer_comes_over_tcp() {
    let many: Vec<IpAddr> = (1..=200).map(|n| IpAddr::from([192, 0, 2, n])).collect();
    let dns = Dns::always(Say::TooLongForUdp(many.clone())).await;
    let mut addresses = look_up(&dns, Duration::from_secs(5)).await.unwrap();
    addresses.sort();
    assert_eq!(addresses, many);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_lasting_failure() {
    let failure = failure(Say::Code(ResponseCode::NXDomain)).await;
    assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, false));
    assert_eq!(
        failure.to_string(),
        "the DNS has no name `www.example.com`; publish an A or AAAA record for it"
    );
}

#[tokio::test]
async fn a_name_without_addresses_is_a_lasting_failure() {
    let failure = failure(Say::Addresses(vec![])).await;
    assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, false));
    assert!(failure.to_string().contains("neither an A nor an AAAA record"), "{failure}");
}

#[tokio::test]
async fn a_server_in_trouble_is_a_passing_failure() {
    for code in [ResponseCode::ServFail, ResponseCode::Refused] {
        let failure = failure(Say::Code(code)).await;
        assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, true), "{failure}");
        assert!(failure.to_string().contains("the server answered"), "{failure}");
    }
}

#[tokio::test]
async fn a_silent_server_is_a_passing_failure_within_the_time_allowed() {
    let failure = failure(Say::Nothing).await;
    assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, true));
    assert!(failure.to_string().contains("no answer came in time"), "{failure}");
}

#[tokio::test]
async fn one_family_is_enough() {
    let dns = Dns::always(Say::Addresses(ips(&["2001:db8::1"]))).await;
    assert_eq!(look_up(&dns, Duration::from_secs(5)).await, Ok(ips(&["2001:db8::1"])));
}

#[tokio::test]
async fn what_is_no_name_is_not_asked_for() {
    let dns = Dns::always(Say::Nothing).await;
    let resolver = Resolver::with_servers(&[dns.address], Duration::from_secs(5)).unwrap();
    let label = "a".repeat(64);
    for name in ["a..b", label.as_str(), "a b.example", "\u{e9}.example", "a.b\r\n.example"] {
        let failure = resolver.addresses(name).await.unwrap_err();
        assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, false), "{name}");
    }
    assert!(dns.queries().is_empty());
}
