//! How names are proven: each type of challenge from a new order to its certificate, and what is said of those that
//! are failed.

use chancery_testkit::{AlpnManner, DnsManner, DnsRecord, Engine, RawClient};
use chancery_time::{Clock as _, SystemClock, Timestamp};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::on_both_engines;
use crate::validation_site::*;

on_both_engines!(
    each_type_leads_to_a_certificate,
    wildcards_are_proven_in_the_dns_alone,
    a_failed_challenge_says_what_was_seen,
    what_is_being_looked_at_is_processing,
    a_record_that_ends_bounds_what_rests_on_it,
    a_validation_survives_the_death_of_the_server,
    a_challenge_that_the_profile_has_dropped_is_not_taken,
    valid_authorizations_serve_other_orders_until_they_are_given_up,
);

fn each_type_leads_to_a_certificate(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let directory = site.installation.https_client().get(&site.installation.directory_url()).await.1;
        let meta = &serde_json::from_str::<Value>(&directory).unwrap()["meta"];
        assert_eq!(meta["issuerDomainNames"], json!(["localhost"]));
        let prefix = format!("{}/acme/account-hash/", site.installation.url());
        assert_eq!(meta["accountHashPrefix"], prefix);
        assert_eq!((&meta["subdomainAuthAllowed"], &meta["caaIdentities"]), (&json!(true), &Value::Null));

        for kind in ALL {
            let name = format!("{kind}.a.test");
            site.host(&name);
            let order = order(&mut client, &[&name]).await;
            let authorization = read(&mut client, &authorizations(&order.object)[0]).await;
            assert_eq!(offered(&authorization), ALL);
            site.make_ready(&mut client, &order, kind).await;
            assert_eq!(certified(&mut client, &order).await, format!("DNS:{name}"));
            let authorization = read(&mut client, &authorizations(&order.object)[0]).await;
            let passed = challenge(&authorization, kind);
            assert!(passed["validated"].is_string(), "{passed}");
        }
        server.terminate();
    });
}

fn wildcards_are_proven_in_the_dns_alone(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        for kind in [DNS_01, DNS_ACCOUNT_01, DNS_PERSIST_01] {
            let base = format!("{kind}.w.test");
            let order = order(&mut client, &[&format!("*.{base}")]).await;
            let authorization = read(&mut client, &authorizations(&order.object)[0]).await;
            assert_eq!(offered(&authorization), [DNS_01, DNS_ACCOUNT_01, DNS_PERSIST_01]);
            assert_eq!(authorization["identifier"]["value"], base);
            assert_eq!(authorization["wildcard"], true);
            site.make_ready(&mut client, &order, kind).await;
            assert_eq!(certified(&mut client, &order).await, format!("DNS:*.{base}"));
        }

        // The wildcard and its base are two names, and each has its own proof.
        let both = order(&mut client, &["*.b.test", "b.test"]).await;
        assert_eq!(authorizations(&both.object).len(), 2);
        for url in authorizations(&both.object) {
            site.prove(&mut client, &url, DNS_01).await;
        }
        assert_eq!(certified(&mut client, &both).await, "DNS:*.b.test, DNS:b.test");
        server.terminate();
    });
}

/// What is put in place of the right answer for a name, by the URL of the account.
type Failing = fn(&Site, &str, &RawClient);

fn a_failed_challenge_says_what_was_seen(engine: Engine) {
    const SECRET: &str = "the secret of another host";
    let cases: [(&str, &str, Failing, &str, &str); 14] = [
        (HTTP_01, "h1.test", |site, name, _| site.host(name), "unauthorized", "404"),
        (HTTP_01, "h2.test", |_, _, _| {}, "dns", "h2.test"),
        (
            HTTP_01,
            "h3.test",
            |site, name, _| site.dns.add(name, a([10, 255, 255, 1])),
            "connection",
            "10.255",
        ),
        (
            TLS_ALPN_01,
            "t1.test",
            |site, name, client| {
                site.host(name);
                site.alpn.serve_as(AlpnManner::OtherDigest, name, &client.key_authorization("x"));
            },
            "incorrectResponse",
            "digest",
        ),
        (
            TLS_ALPN_01,
            "t2.test",
            |site, name, client| {
                site.host(name);
                site.alpn.serve_as(AlpnManner::RefusedProtocol, name, &client.key_authorization("x"));
            },
            "tls",
            "acme-tls/1",
        ),
        (DNS_01, "d1.test", |_, _, _| {}, "dns", "_acme-challenge.d1.test"),
        (
            DNS_01,
            "d2.test",
            |site, name, _| site.dns.set_txt(&format!("_acme-challenge.{name}"), &[SECRET]),
            "incorrectResponse",
            "_acme-challenge.d2.test",
        ),
        (
            DNS_01,
            "d3.test",
            |site, name, _| {
                site.dns.misbehave(&format!("_acme-challenge.{name}"), DnsManner::ServFail);
            },
            "dns",
            "_acme-challenge.d3.test",
        ),
        (DNS_ACCOUNT_01, "n1.test", |_, _, _| {}, "dns", "._acme-challenge.n1.test"),
        (DNS_PERSIST_01, "p1.test", |_, _, _| {}, "unauthorized", "_validation-persist.p1.test"),
        (
            DNS_PERSIST_01,
            "p2.test",
            |site, name, _| {
                site.dns.set_txt(
                    &format!("_validation-persist.{name}"),
                    &["localhost; accounturi=https://x.test/1"],
                );
            },
            "unauthorized",
            "not of this account",
        ),
        (
            DNS_PERSIST_01,
            "p3.test",
            |site, name, _| {
                site.dns.set_txt(&format!("_validation-persist.{name}"), &["localhost"]);
            },
            "malformed",
            "no `accounturi`",
        ),
        (
            DNS_PERSIST_01,
            "p4.test",
            |site, name, client| site.persist(client, name, "; persistUntil=1"),
            "unauthorized",
            "persistUntil",
        ),
        (
            DNS_PERSIST_01,
            "*.p5.test",
            |site, _, client| site.persist(client, "p5.test", ""),
            "unauthorized",
            "policy=wildcard",
        ),
    ];
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        site.installation.configure(|config| {
            config["validation"][0]["egress"]["deny"] = json!(["10.255.0.0/16"]);
        });
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let mut begun = vec![];
        for (kind, name, put, ..) in cases {
            put(&site, name, &client);
            let order = order(&mut client, &[name]).await;
            let authorization = read(&mut client, &authorizations(&order.object)[0]).await;
            let challenge = challenge(&authorization, kind);
            begin(&mut client, &challenge).await;
            begun.push((order, challenge));
        }
        for ((_, name, _, problem, says), (order, challenge)) in cases.iter().zip(&begun) {
            let failed = settled(&mut client, challenge).await;
            assert_eq!(failed["status"], "invalid", "{name}: {failed}");
            let error = &failed["error"];
            assert_eq!(kind(error), *problem, "{name}: {error}");
            assert!(detail(error).contains(says), "{name}: {error}");
            assert!(!detail(error).contains(SECRET), "{name}: {error}");
            let authorization = read(&mut client, &authorizations(&order.object)[0]).await;
            assert_eq!(authorization["status"], "invalid", "{name}: {authorization}");
            let order = read(&mut client, &order.url).await;
            assert_eq!(
                (&order["status"], kind(&order["error"])),
                (&json!("invalid"), *problem),
                "{name}: {order}"
            );
        }
        server.terminate();
    });
}

fn what_is_being_looked_at_is_processing(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        site.host("a.test");
        let order = order(&mut client, &["a.test"]).await;
        let url = authorizations(&order.object).remove(0);
        let authorization = read(&mut client, &url).await;
        site.show(&client, &authorization, HTTP_01);
        let held = site.http.hold();
        let challenge = challenge(&authorization, HTTP_01);
        let begun = begin(&mut client, &challenge).await;
        assert_eq!(begun.json()["status"], "processing", "{begun:?}");
        assert_eq!(begun.header("retry-after"), Some("1"));
        let pending = client.post(&url, "").await;
        assert_eq!(pending.json()["status"], "pending", "{pending:?}");
        assert_eq!(pending.header("retry-after"), Some("1"));
        // It is looked at already: to ask again changes nothing.
        assert_eq!(begin(&mut client, &challenge).await.json()["status"], "processing");
        drop(held);
        assert_eq!(settled(&mut client, &challenge).await["status"], "valid");
        assert_eq!(client.post(&url, "").await.header("retry-after"), None);
        server.terminate();
    });
}

/// Draft-ietf-acme-dns-persist-02 §4.1; and no order outlasts its authorizations.
fn a_record_that_ends_bounds_what_rests_on_it(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        // Shorter than an order and an authorization last by themselves.
        let until = SystemClock.now().unix_millis() / 1_000 + 5 * 86_400;
        let order = order(&mut client, &["a.test"]).await;
        let url = authorizations(&order.object).remove(0);
        let authorization = read(&mut client, &url).await;
        site.persist(&client, "a.test", &format!("; persistUntil={until}"));
        let passed = answer(&mut client, &challenge(&authorization, DNS_PERSIST_01)).await;
        assert_eq!(passed["status"], "valid", "{passed}");
        let (valid, ready) = (read(&mut client, &url).await, read(&mut client, &order.url).await);
        assert_eq!(ready["status"], "ready", "{ready}");
        assert_eq!(valid["expires"], ready["expires"], "{valid} {ready}");
        let expires: String = valid["expires"].as_str().unwrap().to_owned();
        let expected = Timestamp::from_unix_seconds(until);
        assert_eq!(expires, expected.to_string());
        server.terminate();
    });
}

fn a_validation_survives_the_death_of_the_server(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let kinds = [DNS_01, DNS_ACCOUNT_01, DNS_PERSIST_01];
        let mut begun = vec![];
        for kind in kinds {
            // There is no record yet: it will be looked again.
            let name = format!("{kind}.a.test");
            let order = order(&mut client, &[&name]).await;
            let authorization = read(&mut client, &authorizations(&order.object)[0]).await;
            begin(&mut client, &challenge(&authorization, kind)).await;
            begun.push((kind, authorization));
        }
        // A nonce is of the server's life.
        client.nonce().await;
        server.kill_9();
        for (kind, authorization) in &begun {
            site.host(&format!("{kind}.a.test"));
            site.show(&client, authorization, kind);
        }
        server.restart();
        for (kind, authorization) in &begun {
            let settled = settled(&mut client, &challenge(authorization, kind)).await;
            assert_eq!(settled["status"], "valid", "{kind}: {settled}");
        }
        server.terminate();
    });
}

fn a_challenge_that_the_profile_has_dropped_is_not_taken(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &[HTTP_01, DNS_01]).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let mut offered = vec![];
        for name in ["a.test", "b.test"] {
            site.host(name);
            let order = order(&mut client, &[name]).await;
            offered.push(read(&mut client, &authorizations(&order.object)[0]).await);
        }
        server.terminate();
        site.installation.configure(|config| config["profiles"][0]["challenges"] = json!([DNS_01]));
        server.restart();
        // The nonce that it has is of the earlier run.
        drop(client.nonce().await);
        for (authorization, by, status) in [(&offered[0], HTTP_01, "invalid"), (&offered[1], DNS_01, "valid")]
        {
            site.show(&client, authorization, by);
            let settled = answer(&mut client, &challenge(authorization, by)).await;
            assert_eq!(settled["status"], status, "{by}: {settled}");
            if status == "invalid" {
                assert_eq!(kind(&settled["error"]), "unauthorized", "{settled}");
                assert!(detail(&settled["error"]).contains("does not take http-01 any more"), "{settled}");
            }
        }
        server.terminate();
    });
}

/// RFC 8555 §7.1.6, §7.5.2.
fn valid_authorizations_serve_other_orders_until_they_are_given_up(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let first = order(&mut client, &["a.test"]).await;
        site.make_ready(&mut client, &first, DNS_01).await;
        let second = order(&mut client, &["a.test"]).await;
        assert_eq!(second.object["status"], "ready", "{}", second.object);
        assert_eq!(authorizations(&second.object), authorizations(&first.object));
        let mixed = order(&mut client, &["a.test", "b.test"]).await;
        assert_eq!(mixed.object["status"], "pending", "{}", mixed.object);
        assert_eq!(authorizations(&mixed.object).len(), 2);
        // What is pending belongs to its order alone.
        let other = order(&mut client, &["b.test"]).await;
        assert!(!authorizations(&mixed.object).contains(&authorizations(&other.object)[0]));
        // Another account has no part in it.
        let mut stranger = site.client().await;
        let theirs = order(&mut stranger, &["a.test"]).await;
        assert_eq!(theirs.object["status"], "pending", "{}", theirs.object);

        let given_up = authorizations(&first.object).remove(0);
        let answer = client.post(&given_up, r#"{"status":"deactivated"}"#).await;
        assert_eq!(answer.json()["status"], "deactivated", "{answer:?}");
        for open in [&first, &second, &mixed] {
            let ended = read(&mut client, &open.url).await;
            assert_eq!(ended["status"], "invalid", "{ended}");
            finalize(&mut client, open).await.problem(403, "orderNotReady");
        }
        assert_eq!(read(&mut client, &other.url).await["status"], "pending");
        let anew = order(&mut client, &["a.test"]).await;
        assert_eq!(anew.object["status"], "pending", "{}", anew.object);
        server.terminate();
    });
}

fn a(octets: [u8; 4]) -> DnsRecord {
    DnsRecord::A(octets.into())
}
