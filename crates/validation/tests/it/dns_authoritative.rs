//! Look-ups at the name servers of the zone itself.

use std::net::IpAddr;
use std::time::Duration;

use chancery_testkit::{DnsManner, DnsRecord, DnsServer};
use chancery_validation::FailureKind;
use chancery_validation::caa::Caa;
use chancery_validation::egress::EgressPolicy;
use chancery_validation::resolver::{Resolver, ResolverError, ResolverSettings};

const OWNER: &str = "_acme-challenge.a.test";

/// A recursive server that knows where the zone `a.test` is served, and the one that serves it.
struct Zone {
    recursive: DnsServer,
    own: DnsServer,
}

impl Zone {
    fn start() -> Self {
        let zone = Self { recursive: DnsServer::start(), own: DnsServer::start() };
        zone.recursive.add("a.test", DnsRecord::Ns("ns1.host.test".to_owned()));
        zone.recursive.set_addresses("ns1.host.test", &["127.0.0.1".parse().unwrap()]);
        zone.recursive.set_txt(OWNER, &["from a cache"]);
        zone.own.set_txt(OWNER, &["from the zone"]);
        zone
    }

    fn resolver_within(&self, egress: EgressPolicy) -> Resolver {
        let settings = ResolverSettings {
            servers: vec![self.recursive.address()],
            authoritative: true,
            authoritative_port: self.own.address().port(),
            timeout: Duration::from_millis(500),
            ..ResolverSettings::default()
        };
        Resolver::new(&settings, egress).unwrap()
    }

    fn resolver(&self) -> Resolver {
        self.resolver_within(loopback())
    }
}

fn loopback() -> EgressPolicy {
    EgressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()], vec![], vec![])
}

#[tokio::test]
async fn the_zone_is_asked_and_no_cache() {
    let zone = Zone::start();
    assert_eq!(zone.resolver().txt(OWNER).await, Ok(vec!["from the zone".to_owned()]));
    assert_eq!(zone.recursive.queries().iter().filter(|query| query.kind == "TXT").count(), 0);
    let asked = zone.own.queries();
    assert_eq!((asked.len(), asked[0].recursion), (1, false));
}

#[tokio::test]
async fn addresses_come_from_the_recursive_servers() {
    let zone = Zone::start();
    let ip: IpAddr = "192.0.2.1".parse().unwrap();
    zone.recursive.set_addresses("www.a.test", &[ip]);
    assert_eq!(zone.resolver().addresses("www.a.test").await, Ok(vec![ip]));
    assert!(zone.own.queries().is_empty());
}

#[tokio::test]
async fn an_alias_leads_to_the_servers_of_its_zone() {
    let zone = Zone::start();
    zone.own.clear(OWNER);
    zone.own.add(OWNER, DnsRecord::Cname("acme.b.test".to_owned()));
    zone.own.set_txt("acme.b.test", &["at the target"]);
    // The name of the alias shows the NS records of its target to who asks there for them.
    zone.recursive.clear(OWNER);
    zone.recursive.add(OWNER, DnsRecord::Cname("acme.b.test".to_owned()));
    zone.recursive.add("acme.b.test", DnsRecord::Ns("ns.wrong.test".to_owned()));
    let failure = zone.resolver().txt(OWNER).await.unwrap_err();
    assert!(
        failure.to_string().contains("no name server of the zone `acme.b.test.` has an address"),
        "{failure}"
    );
    zone.recursive.set_addresses("ns.wrong.test", &["127.0.0.1".parse().unwrap()]);
    assert_eq!(zone.resolver().txt(OWNER).await, Ok(vec!["at the target".to_owned()]));
}

#[tokio::test]
async fn a_server_within_the_bounds_is_enough_and_others_are_not_dialled() {
    let zone = Zone::start();
    let closed = EgressPolicy::new(vec![], vec![], vec![]);
    let failure = zone.resolver_within(closed).txt(OWNER).await.unwrap_err();
    assert_eq!((failure.kind, failure.transient), (FailureKind::Egress, false));
    assert!(failure.to_string().contains("a loopback address"), "{failure}");
    assert!(zone.own.queries().is_empty());

    zone.recursive.add("a.test", DnsRecord::Ns("ns2.host.test".to_owned()));
    zone.recursive.set_addresses("ns2.host.test", &["169.254.169.254".parse().unwrap()]);
    assert_eq!(zone.resolver().txt(OWNER).await, Ok(vec!["from the zone".to_owned()]));
}

#[tokio::test]
async fn a_server_that_is_none_of_the_zone_says_nothing() {
    let zone = Zone::start();
    zone.own.misbehave(OWNER, DnsManner::Referral);
    let failure = zone.resolver().txt(OWNER).await.unwrap_err();
    assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, true));
    assert!(failure.to_string().contains("the server is not one for that name"), "{failure}");
}

#[tokio::test]
async fn a_name_in_no_zone_is_told() {
    let zone = Zone::start();
    let failure = zone.resolver().txt("_acme-challenge.elsewhere.example").await.unwrap_err();
    assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, true));
    assert!(failure.to_string().contains("no name server of a zone above"), "{failure}");
}

#[tokio::test]
async fn caa_records_come_from_the_zone_too() {
    let zone = Zone::start();
    zone.recursive.add_caa("a.test", 0, "issue", "stale.test");
    zone.own.add_caa("a.test", 0, "issue", "ca.test");
    let records = Caa::new(zone.resolver()).relevant("x.a.test").await.unwrap();
    assert_eq!(records.iter().map(|record| record.value.as_str()).collect::<Vec<_>>(), ["ca.test"]);
    assert_eq!(zone.recursive.queries().iter().filter(|query| query.kind == "CAA").count(), 0);
}

#[test]
fn dnssec_is_for_servers_that_validate() {
    let settings = ResolverSettings { authoritative: true, dnssec: true, ..ResolverSettings::default() };
    assert!(matches!(Resolver::new(&settings, loopback()), Err(ResolverError::DnssecAuthoritative)));
}
