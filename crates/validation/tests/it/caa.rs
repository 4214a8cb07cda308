//! Which CAA records count for a name.

use std::time::Duration;

use chancery_testkit::{DnsManner, DnsRecord, DnsServer};
use chancery_validation::FailureKind;
use chancery_validation::caa::{Caa, CaaRecord};
use chancery_validation::resolver::Resolver;

fn caa(dns: &DnsServer) -> Caa {
    Caa::new(Resolver::with_servers(&[dns.address()], Duration::from_millis(500)).unwrap())
}

async fn values(dns: &DnsServer, name: &str) -> Vec<String> {
    caa(dns).relevant(name).await.unwrap().into_iter().map(|record| record.value).collect()
}

/// The names that were asked for, in their order.
fn asked(dns: &DnsServer) -> Vec<String> {
    dns.queries().into_iter().map(|query| query.name).collect()
}

#[tokio::test]
async fn the_first_name_with_records_counts() {
    let dns = DnsServer::start();
    dns.add_caa("test", 0, "issue", "top.test");
    dns.add_caa("a.test", 0, "issue", "ca.test");
    dns.add_caa("b.a.test", 0, "issue", "other.test");
    assert_eq!(values(&dns, "x.y.a.test").await, ["ca.test"]);
    assert_eq!(asked(&dns), ["x.y.a.test", "y.a.test", "a.test"]);
    assert_eq!(values(&dns, "b.a.test").await, ["other.test"]);
    assert_eq!(values(&dns, "*.b.a.test").await, ["other.test"]);
    assert_eq!(values(&dns, "c.test").await, ["top.test"]);
}

#[tokio::test]
async fn without_any_record_the_way_ends_below_the_root() {
    let dns = DnsServer::start();
    dns.set_txt("a.test", &["the name exists, without a CAA record"]);
    assert_eq!(values(&dns, "x.a.test").await, [""; 0]);
    assert_eq!(asked(&dns), ["x.a.test", "a.test", "test"]);
}

#[tokio::test]
async fn records_are_told_as_they_stand() {
    let dns = DnsServer::start();
    dns.add_caa("a.test", 0, "issue", "ca.test; accounturi=https://ca.test/acme/acct/1");
    dns.add_caa("a.test", 129, "Unknown5", "");
    dns.add_caa("a.test", 0, "issuewild", ";");
    let record =
        |flags, tag: &str, value: &str| CaaRecord { flags, tag: tag.to_owned(), value: value.to_owned() };
    assert_eq!(
        caa(&dns).relevant("a.test").await,
        Ok(vec![
            record(0, "issue", "ca.test; accounturi=https://ca.test/acme/acct/1"),
            record(129, "Unknown5", ""),
            record(0, "issuewild", ";"),
        ])
    );
}

#[tokio::test]
async fn aliases_are_followed_and_their_targets_not_climbed() {
    let dns = DnsServer::start();
    dns.add("x.a.test", DnsRecord::Cname("host.b.test".to_owned()));
    dns.add_caa("a.test", 0, "issue", "own.test");
    dns.add_caa("b.test", 0, "issue", "foreign.test");
    assert_eq!(values(&dns, "x.a.test").await, ["own.test"]);
    dns.add_caa("host.b.test", 0, "issue", "target.test");
    assert_eq!(values(&dns, "x.a.test").await, ["target.test"]);
}

#[tokio::test]
async fn a_step_without_an_answer_ends_the_way() {
    for manner in [
        DnsManner::ServFail,
        DnsManner::Refused,
        DnsManner::Silent,
        DnsManner::Garbage,
        DnsManner::Referral,
        DnsManner::AlwaysTruncated,
    ] {
        let dns = DnsServer::start();
        dns.add_caa("test", 0, "issue", "ca.test");
        dns.misbehave("a.test", manner.clone());
        let failure = caa(&dns).relevant("x.a.test").await.unwrap_err();
        assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, true), "{manner:?}: {failure}");
        let said = "cannot look up the CAA records of `a.test`";
        assert!(failure.to_string().starts_with(said), "{manner:?}: {failure}");
        assert_eq!(dns.count("test", "CAA"), 0, "{manner:?}");
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_ends_the_way() {
    let dns = DnsServer::start();
    dns.add_caa("a.test", 0, "no-such tag", "x");
    let failure = caa(&dns).relevant("a.test").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Dns);
    assert!(failure.to_string().contains("cannot be read"), "{failure}");
}

#[tokio::test]
async fn aliases_in_a_circle_end_the_way() {
    let dns = DnsServer::start();
    dns.add("x.a.test", DnsRecord::Cname("y.a.test".to_owned()));
    dns.add("y.a.test", DnsRecord::Cname("x.a.test".to_owned()));
    let failure = caa(&dns).relevant("x.a.test").await.unwrap_err();
    assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, false));
}

#[tokio::test]
async fn many_slow_steps_end_in_time() {
    let dns = DnsServer::start();
    dns.misbehave("*", DnsManner::Slow(Duration::from_millis(50)));
    let resolver = Resolver::with_servers(&[dns.address()], Duration::from_millis(400)).unwrap();
    let failure = Caa::new(resolver).relevant(&vec!["a"; 100].join(".")).await.unwrap_err();
    assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, true));
    assert!(failure.to_string().contains("were not found out within 2.4s"), "{failure}");
    assert!(dns.queries().len() < 60);
}

#[tokio::test]
async fn localhost_has_none() {
    let dns = DnsServer::start();
    for name in ["localhost", "a.localhost", "*.a.localhost", "a.LOCALHOST."] {
        assert_eq!(caa(&dns).relevant(name).await, Ok(vec![]), "{name}");
    }
    assert!(dns.queries().is_empty());
}
