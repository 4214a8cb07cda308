//! Orders for addresses (RFC 8738), and for names and addresses together.

use std::net::{Ipv4Addr, Ipv6Addr};

use chancery_testkit::Engine;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::acme::block_on;
use crate::on_both_engines;
use crate::validation_site::*;

on_both_engines!(
    addresses_are_proven_by_answering_at_them,
    names_wildcards_and_addresses_stand_in_one_order,
    an_address_that_no_challenge_can_prove_is_refused,
);

fn addresses_are_proven_by_answering_at_them(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let (http, alpn) = (site.installation.http01_port(), site.alpn.port());
        let over_v6 = [relay(http).await, relay(alpn).await];
        let mut server = site.installation.serve();
        for (address, shown) in [("127.0.0.1", "127.0.0.1"), ("::1", "0:0:0:0:0:0:0:1")] {
            for kind in [HTTP_01, TLS_ALPN_01] {
                let mut client = site.client().await;
                let order = order(&mut client, &[address]).await;
                let authorization = read(&mut client, &authorizations(&order.object)[0]).await;
                assert_eq!(offered(&authorization), [HTTP_01, TLS_ALPN_01]);
                assert_eq!(authorization["identifier"], json!({ "type": "ip", "value": address }));
                site.make_ready(&mut client, &order, kind).await;
                assert_eq!(certified(&mut client, &order).await, format!("IP Address:{shown}"));
            }
        }
        // RFC 8738 §6: an address is asked for by its name in the DNS.
        let asked: Vec<_> = site.alpn.visits().into_iter().filter_map(|visit| visit.server_name).collect();
        let v6 = format!("1.{}ip6.arpa", "0.".repeat(31));
        assert_eq!(asked, ["1.0.0.127.in-addr.arpa", v6.as_str()]);
        over_v6.iter().for_each(tokio::task::JoinHandle::abort);
        server.terminate();
    });
}

fn names_wildcards_and_addresses_stand_in_one_order(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        site.host("a.test");
        let names = ["A.test", "*.A.test.", "127.0.0.1"];
        let mut mixed = order(&mut client, &names).await;
        assert_eq!(
            mixed.object["identifiers"],
            json!([identifier("a.test"), identifier("*.a.test"), identifier("127.0.0.1")])
        );
        for url in authorizations(&mixed.object) {
            let authorization = read(&mut client, &url).await;
            let kind = if authorization["wildcard"] == true { DNS_01 } else { HTTP_01 };
            site.prove(&mut client, &url, kind).await;
        }
        mixed.names = ["a.test", "*.a.test", "127.0.0.1"].map(str::to_owned).to_vec();
        let certified = certified(&mut client, &mixed).await;
        assert_eq!(certified, "DNS:*.a.test, DNS:a.test, IP Address:127.0.0.1");
        server.terminate();
    });
}

fn an_address_that_no_challenge_can_prove_is_refused(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &[DNS_01]).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let alone = try_order(&mut client, vec![identifier("192.0.2.1")]).await;
        alone.problem(403, "rejectedIdentifier");
        assert_eq!(alone.json()["subproblems"], json!(null));
        let beside = try_order(&mut client, vec![identifier("a.test"), identifier("192.0.2.1")]).await;
        beside.problem(403, "rejectedIdentifier");
        let refused = beside.json();
        let refused = refused["subproblems"].as_array().unwrap();
        assert_eq!(refused.len(), 1, "{beside:?}");
        assert_eq!(refused[0]["identifier"], identifier("192.0.2.1"));
        server.terminate();
    });
}

/// Carries what comes to a port of `::1` to that port of 127.0.0.1.
async fn relay(port: u16) -> tokio::task::JoinHandle<()> {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.expect("a port of ::1");
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut to = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
                // Whoever hangs up first ends it.
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    })
}
