//! Authorizations that speak for the names below their own (RFC 9444).

use chancery_testkit::Engine;
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::on_both_engines;
use crate::pre_authorization::ahead;
use crate::validation_site::*;

on_both_engines!(
    what_was_authorized_ahead_speaks_for_the_names_below,
    an_order_rests_on_the_ancestors_that_its_client_names,
    names_have_to_be_allowed_themselves,
    without_a_challenge_in_the_dns_each_name_is_proven_itself,
    caa_records_of_the_names_themselves_count,
);

const IN_THE_DNS: [&str; 3] = [DNS_01, DNS_ACCOUNT_01, DNS_PERSIST_01];

fn below(value: &str, ancestor: &str) -> Value {
    let mut identifier = identifier(value);
    identifier["ancestorDomain"] = json!(ancestor);
    identifier
}

fn with_subdomains(value: &str) -> Value {
    let mut identifier = identifier(value);
    identifier["subdomainAuthAllowed"] = json!(true);
    identifier
}

fn what_was_authorized_ahead_speaks_for_the_names_below(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        // One for the name alone is another thing.
        let narrow = ahead(&mut client, identifier("b.test")).await;
        let narrow = narrow.header("location").unwrap().to_owned();
        site.prove(&mut client, &narrow, DNS_01).await;
        let made = ahead(&mut client, with_subdomains("b.test")).await;
        assert_eq!(made.status, 201, "{made:?}");
        let (url, object) = (made.header("location").unwrap().to_owned(), made.json());
        assert_eq!(object["subdomainAuthAllowed"], true, "{object}");
        assert_eq!(offered(&object), IN_THE_DNS);
        site.prove(&mut client, &url, DNS_PERSIST_01).await;

        for names in [&["a.b.test"][..], &["x.y.b.test", "*.y.b.test"], &["*.b.test"]] {
            let ready = order(&mut client, names).await;
            assert_eq!(ready.object["status"], "ready", "{}", ready.object);
            assert_eq!(authorizations(&ready.object), std::slice::from_ref(&url));
            let mut shown: Vec<_> = names.iter().map(|name| format!("DNS:{name}")).collect();
            shown.sort();
            assert_eq!(certified(&mut client, &ready).await, shown.join(", "));
        }
        for name in ["ab.test", "test", "b.test.other"] {
            let other = order(&mut client, &[name]).await;
            assert_eq!(other.object["status"], "pending", "{}", other.object);
        }
        let mut stranger = site.client().await;
        let theirs = order(&mut stranger, &["a.b.test"]).await;
        assert_eq!(theirs.object["status"], "pending", "{}", theirs.object);
        // Given up, it speaks for nothing.
        client.post(&url, r#"{"status":"deactivated"}"#).await;
        let after = order(&mut client, &["a.b.test"]).await;
        assert_eq!(after.object["status"], "pending", "{}", after.object);
        server.terminate();
    });
}

fn an_order_rests_on_the_ancestors_that_its_client_names(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let identifiers = vec![
            below("x.b.test", "b.test"),
            below("*.y.b.test", "b.test"),
            identifier("b.test"),
            identifier("c.test"),
        ];
        let made = order_of(&mut client, identifiers).await;
        let urls = authorizations(&made.object);
        assert_eq!(urls.len(), 2, "{}", made.object);
        let mut seen = vec![];
        for url in &urls {
            let authorization = read(&mut client, url).await;
            let wide = authorization["identifier"]["value"] == "b.test";
            assert_eq!(authorization["subdomainAuthAllowed"], if wide { json!(true) } else { Value::Null });
            assert_eq!(authorization["wildcard"], Value::Null, "{authorization}");
            assert_eq!(offered(&authorization), if wide { &IN_THE_DNS[..] } else { &ALL });
            seen.push(authorization["identifier"]["value"].clone());
            site.prove(&mut client, url, DNS_01).await;
        }
        seen.sort_by_key(ToString::to_string);
        assert_eq!(seen, [json!("b.test"), json!("c.test")]);
        let certified = certified(&mut client, &made).await;
        for name in ["DNS:b.test", "DNS:c.test", "DNS:x.b.test", "DNS:*.y.b.test"] {
            assert!(certified.contains(name), "{certified}");
        }
        for (value, ancestor) in [("x.b.test", "c.test"), ("192.0.2.1", "b.test")] {
            try_order(&mut client, vec![below(value, ancestor)]).await.problem(400, "malformed");
        }
        server.terminate();
    });
}

fn names_have_to_be_allowed_themselves(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        site.installation.configure(|config| config["profiles"][0]["allow"] = json!([".b.test/1"]));
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        // The ancestor is only a proof: it need not be a name that could be ordered.
        try_order(&mut client, vec![identifier("b.test")]).await.problem(403, "rejectedIdentifier");
        let allowed = order_of(&mut client, vec![below("a.b.test", "b.test")]).await;
        site.make_ready(&mut client, &allowed, DNS_01).await;
        assert_eq!(certified(&mut client, &allowed).await, "DNS:a.b.test");
        // And the proof allows nothing that the policy does not.
        for refused in [identifier("b.test"), identifier("x.y.b.test"), below("x.y.b.test", "b.test")] {
            try_order(&mut client, vec![refused]).await.problem(403, "rejectedIdentifier");
        }
        server.terminate();
    });
}

fn without_a_challenge_in_the_dns_each_name_is_proven_itself(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &[HTTP_01]).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let directory = site.installation.https_client().get(&site.installation.directory_url()).await.1;
        let meta = &serde_json::from_str::<Value>(&directory).unwrap()["meta"];
        assert_eq!(meta["subdomainAuthAllowed"], Value::Null);
        ahead(&mut client, with_subdomains("b.test")).await.problem(403, "rejectedIdentifier");
        site.host("a.b.test");
        let own = order_of(&mut client, vec![below("a.b.test", "b.test")]).await;
        let authorization = read(&mut client, &authorizations(&own.object)[0]).await;
        assert_eq!(authorization["identifier"], identifier("a.b.test"));
        site.make_ready(&mut client, &own, HTTP_01).await;
        assert_eq!(certified(&mut client, &own).await, "DNS:a.b.test");
        server.terminate();
    });
}

fn caa_records_of_the_names_themselves_count(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        site.installation.configure(|config| config["profiles"][0]["caa"] = json!(true));
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        // The ancestor is not what will be certified.
        site.dns.add_caa("b.test", 0, "issue", ";");
        site.dns.add_caa("good.b.test", 0, "issue", "localhost");
        let made = ahead(&mut client, with_subdomains("b.test")).await;
        site.prove(&mut client, made.header("location").unwrap(), DNS_01).await;
        let good = order(&mut client, &["good.b.test"]).await;
        assert_eq!(certified(&mut client, &good).await, "DNS:good.b.test");
        for name in ["b.test", "bad.b.test"] {
            let bad = order(&mut client, &[name]).await;
            assert_eq!(bad.object["status"], "ready", "{}", bad.object);
            let detail = finalize(&mut client, &bad).await.problem(403, "caa");
            assert!(detail.contains(name), "{detail}");
        }
        server.terminate();
    });
}
