//! dns-01 against DNS servers that behave and misbehave.

use std::time::{Duration, Instant};

use chancery_testkit::{DnsManner, DnsRecord, DnsServer};
use chancery_validation::dns01::Dns01;
use chancery_validation::egress::EgressPolicy;
use chancery_validation::resolver::{Protocol, Resolver, ResolverSettings, Zone};
use chancery_validation::{Failure, FailureKind};

const OWNER: &str = "_acme-challenge.a.test";
const DIGEST: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";

fn settings(dns: &DnsServer) -> ResolverSettings {
    ResolverSettings {
        servers: vec![dns.address()],
        timeout: Duration::from_millis(500),
        ..ResolverSettings::default()
    }
}

async fn observe_with(settings: ResolverSettings) -> Result<(), Failure> {
    let resolver = Resolver::new(&settings, EgressPolicy::new(vec![], vec![], vec![])).unwrap();
    Dns01::new(resolver).observe(OWNER, DIGEST).await
}

async fn observe(dns: &DnsServer) -> Result<(), Failure> {
    observe_with(settings(dns)).await
}

#[tokio::test]
async fn one_of_many_records_is_enough() {
    let dns = DnsServer::start();
    dns.set_txt(OWNER, &["v=spf1 -all", DIGEST, ""]);
    assert_eq!(observe(&dns).await, Ok(()));
}

#[tokio::test]
async fn the_strings_of_a_record_are_joined() {
    let dns = DnsServer::start();
    let (first, rest) = DIGEST.split_at(20);
    dns.add(OWNER, DnsRecord::Txt(vec![first.to_owned(), String::new(), rest.to_owned()]));
    assert_eq!(observe(&dns).await, Ok(()));
    dns.clear(OWNER);
    dns.set_txt(OWNER, &[first, rest]);
    assert_eq!(observe(&dns).await.unwrap_err().kind, FailureKind::Mismatch);
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_over_tcp() {
    let dns = DnsServer::start();
    let padding: Vec<String> = (0..40).map(|n| format!("{n:0>60}")).collect();
    let mut values: Vec<&str> = padding.iter().map(String::as_str).collect();
    values.push(DIGEST);
    dns.set_txt(OWNER, &values);
    assert_eq!(observe(&dns).await, Ok(()));
    assert_eq!(dns.queries().iter().map(|query| query.tcp).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn tcp_alone_where_that_is_set() {
    let dns = DnsServer::start();
    dns.set_txt(OWNER, &[DIGEST]);
    let tcp = ResolverSettings { protocol: Protocol::Tcp, ..settings(&dns) };
    assert_eq!(observe_with(tcp.clone()).await, Ok(()));
    assert!(dns.queries().iter().all(|query| query.tcp));
    for (manner, said) in [
        (DnsManner::Silent, "no answer came in time"),
        (DnsManner::WrongId, "answered another question"),
        (DnsManner::WrongQuestion, "answered another question"),
        (DnsManner::Garbage, "cannot be read"),
    ] {
        dns.misbehave(OWNER, manner);
        let failure = observe_with(tcp.clone()).await.unwrap_err();
        assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, true));
        assert!(failure.to_string().contains(said), "{failure}");
    }
}

#[tokio::test]
async fn aliases_are_followed_so_far() {
    let dns = DnsServer::start();
    let alias = |from: &str, to: &str| dns.add(from, DnsRecord::Cname(to.to_owned()));
    alias(OWNER, "c0.test");
    (0..9).for_each(|n| alias(&format!("c{n}.test"), &format!("c{}.test", n + 1)));
    dns.set_txt("c9.test", &[DIGEST]);
    assert_eq!(observe(&dns).await, Ok(()));

    dns.clear("c9.test");
    alias("c9.test", "c10.test");
    dns.set_txt("c10.test", &[DIGEST]);
    let failure = observe(&dns).await.unwrap_err();
    assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, false));
    assert!(failure.to_string().contains("its aliases lead too far"), "{failure}");
}

#[tokio::test]
async fn aliases_in_a_circle_are_told() {
    for circle in [&[OWNER, OWNER][..], &[OWNER, "b.test", OWNER], &[OWNER, "b.test", "c.test", "B.test"]] {
        let dns = DnsServer::start();
        for step in circle.windows(2) {
            dns.add(step[0], DnsRecord::Cname(step[1].to_owned()));
        }
        let failure = observe(&dns).await.unwrap_err();
        assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, false));
        assert!(failure.to_string().contains("its aliases lead in a circle"), "{failure}");
    }
}

#[tokio::test]
async fn a_record_that_is_not_there_yet_is_worth_another_look() {
    let dns = DnsServer::start();
    let absent = observe(&dns).await.unwrap_err();
    assert_eq!((absent.kind, absent.transient), (FailureKind::Dns, true));
    assert!(absent.to_string().contains("no TXT record at `_acme-challenge.a.test`"), "{absent}");
    dns.set_txt(OWNER, &["of the last order", "secret"]);
    let other = observe(&dns).await.unwrap_err();
    assert_eq!((other.kind, other.transient), (FailureKind::Mismatch, true));
    assert!(other.to_string().starts_with("none of the 2 TXT records at"), "{other}");
    assert!(!other.to_string().contains("secret"), "{other}");
}

#[tokio::test]
async fn a_server_in_trouble_says_nothing_of_the_name() {
    for manner in [DnsManner::ServFail, DnsManner::Refused, DnsManner::Silent, DnsManner::Referral] {
        let dns = DnsServer::start();
        dns.set_txt(OWNER, &[DIGEST]);
        dns.misbehave(OWNER, manner.clone());
        let failure = observe(&dns).await.unwrap_err();
        assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, true), "{manner:?}: {failure}");
        assert!(failure.to_string().starts_with("cannot look up the TXT records of"), "{failure}");
    }
}

#[tokio::test]
async fn too_many_records_are_told() {
    let dns = DnsServer::start();
    let values: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    dns.set_txt(OWNER, &values.iter().map(String::as_str).collect::<Vec<_>>());
    let failure = observe(&dns).await.unwrap_err();
    assert!(failure.to_string().contains("more than 256 records"), "{failure}");
}

#[tokio::test]
async fn a_look_up_ends_however_slow_each_step_is() {
    let dns = DnsServer::start();
    let slow = DnsManner::Slow(Duration::from_millis(400));
    let hop = |n: u32| if n == 0 { OWNER.to_owned() } else { format!("c{n}.zone{}.test", n % 2) };
    for n in 0..10 {
        dns.add(&hop(n), DnsRecord::Cname(hop(n + 1)));
        dns.misbehave(&hop(n), slow.clone());
    }
    dns.set_txt(&hop(10), &[DIGEST]);
    // The zones make the resolver ask for each alias anew.
    let zone = |n: u32| Zone { name: format!("zone{n}.test"), servers: vec![dns.address()] };
    let settings = ResolverSettings { zones: vec![zone(0), zone(1)], ..settings(&dns) };
    let begun = Instant::now();
    let failure = observe_with(settings).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(failure.to_string().contains("no answer came in time"), "{failure}");
}

#[tokio::test]
async fn a_zone_is_asked_for_at_its_own_servers() {
    let (public, private) = (DnsServer::start(), DnsServer::start());
    public.set_txt(OWNER, &["not this"]);
    private.set_txt(OWNER, &[DIGEST]);
    let zone = Zone { name: "a.test".to_owned(), servers: vec![private.address()] };
    let settings = ResolverSettings { zones: vec![zone], ..settings(&public) };
    assert_eq!(observe_with(settings.clone()).await, Ok(()));
    assert!(public.queries().is_empty());

    // An alias leads out of the zone, and only those who serve its target are believed.
    private.clear(OWNER);
    private.add(OWNER, DnsRecord::Cname("acme.b.test".to_owned()));
    private.set_txt("acme.b.test", &["stale"]);
    public.set_txt("acme.b.test", &[DIGEST]);
    assert_eq!(observe_with(settings).await, Ok(()));
    assert_eq!(public.count("acme.b.test", "TXT"), 1);
}

#[tokio::test]
async fn dnssec_has_to_vouch_for_every_answer_where_that_is_set() {
    let dns = DnsServer::start();
    let settings = ResolverSettings { dnssec: true, ..settings(&dns) };
    dns.set_txt(OWNER, &[DIGEST]);
    let failure = observe_with(settings.clone()).await.unwrap_err();
    assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, false));
    assert!(failure.to_string().contains("DNSSEC does not vouch for the answer"), "{failure}");
    dns.set_authenticated(true);
    assert_eq!(observe_with(settings).await, Ok(()));
}
