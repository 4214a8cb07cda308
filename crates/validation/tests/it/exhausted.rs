//! A process that has no file descriptor left.

use std::fs::File;
use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use chancery_validation::FailureKind;
use chancery_validation::egress::EgressPolicy;
use chancery_validation::http01::{Http01, Http01Settings};
use chancery_validation::resolver::Resolver;
use chancery_validation::tls_alpn01::{TlsAlpn01, TlsAlpn01Settings};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::dns;
use crate::web::{Web, response};

/// The limit is the process's, so the test has one of its own.
#[test]
fn without_descriptors_nothing_is_said_of_the_host() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "exhausted::in_a_process_of_its_own", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{child:?}");
}

#[tokio::test]
#[ignore = "uses up the descriptors of its process; the test above runs it"]
async fn in_a_process_of_its_own() {
    let web = Web::start(|_| response("200 OK", "proof")).await;
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    let dns = dns::everywhere(&[loopback]);
    let resolver = Resolver::with_servers(&[dns.address()], Duration::from_secs(5)).unwrap();
    let egress = EgressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()], vec![], vec![]);
    let settings = Http01Settings { port: web.port(), ..Http01Settings::default() };
    let http01 = Http01::new(resolver.clone(), egress.clone(), settings);
    let settings = TlsAlpn01Settings { port: web.port(), ..TlsAlpn01Settings::default() };
    let tls_alpn01 = TlsAlpn01::new(resolver, egress, settings);

    let limit = Rlimit { current: Some(64), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let all: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    for name in ["host.example", "host.localhost", "127.0.0.1"] {
        let over_http = http01.observe(name, "token", "proof").await.unwrap_err();
        let over_tls = tls_alpn01.observe(name, &[0; 32]).await.unwrap_err();
        for failure in [over_http, over_tls] {
            assert_eq!((failure.kind, failure.transient), (FailureKind::Local, true), "{name}: {failure}");
            assert!(failure.to_string().contains("raise the limits"), "{failure}");
        }
    }
    drop(all);
    for name in ["host.example", "host.localhost", "127.0.0.1"] {
        assert_eq!(http01.observe(name, "token", "proof").await, Ok(()), "{name}");
    }
}
