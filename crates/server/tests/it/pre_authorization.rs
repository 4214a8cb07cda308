//! Authorizations ahead of any order (RFC 8555 §7.4.1).

use chancery_testkit::{Answer, Engine, RawClient};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::on_both_engines;
use crate::validation_site::*;

on_both_engines!(
    an_order_for_what_was_authorized_ahead_is_ready_at_once,
    what_cannot_be_authorized_ahead_is_refused,
    an_authorization_ahead_is_of_its_profile,
    one_that_is_given_up_serves_no_order,
);

/// What the server says to a request for an authorization.
pub(crate) async fn ahead(client: &mut RawClient, identifier: Value) -> Answer {
    let url = client.url("newAuthz");
    client.post(&url, &json!({ "identifier": identifier }).to_string()).await
}

fn an_order_for_what_was_authorized_ahead_is_ready_at_once(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        // The authorization of an order under way is the order's own.
        let under_way = order(&mut client, &["a.test"]).await;

        let made = ahead(&mut client, identifier("A.test.")).await;
        assert_eq!(made.status, 201, "{made:?}");
        let (url, object) = (made.header("location").unwrap().to_owned(), made.json());
        assert_eq!((&object["status"], &object["identifier"]), (&json!("pending"), &identifier("a.test")));
        assert_eq!(offered(&object), ALL);
        assert!(!authorizations(&under_way.object).contains(&url));
        assert_eq!(read(&mut client, &url).await, object);

        // RFC 8555 §7.4.1: what exists is returned.
        let again = ahead(&mut client, identifier("a.test")).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (200, Some(url.as_str())), "{again:?}");
        site.prove(&mut client, &url, DNS_01).await;
        let again = ahead(&mut client, identifier("a.test")).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (200, Some(url.as_str())), "{again:?}");
        assert_eq!(again.json()["status"], "valid");

        let ready = order(&mut client, &["a.test"]).await;
        assert_eq!(ready.object["status"], "ready", "{}", ready.object);
        assert_eq!(authorizations(&ready.object), [url]);
        assert_eq!(certified(&mut client, &ready).await, "DNS:a.test");
        server.terminate();
        let told = site.installation.run(&["audit", "query", "--event", "authorization.create"]).succeeded();
        assert_eq!(told.stdout.matches("authorization.create").count(), 1, "{told}");
    });
}

fn what_cannot_be_authorized_ahead_is_refused(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &[HTTP_01]).await;
        site.installation
            .configure(|config| config["profiles"][0]["allow"] = json!([".corp.test", "127.0.0.0/8"]));
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let below = |value: &str| {
            let mut identifier = identifier(value);
            identifier["subdomainAuthAllowed"] = json!(true);
            identifier
        };
        for (identifier, status, kind, says) in [
            (identifier("*.a.corp.test"), 400, "malformed", "wildcard"),
            (identifier("a_b.corp.test"), 400, "malformed", "a_b"),
            (identifier("a.test"), 403, "rejectedIdentifier", "a.test"),
            (below("a.corp.test"), 403, "rejectedIdentifier", "subdomainAuthAllowed"),
            (below("127.0.0.1"), 400, "malformed", "subdomainAuthAllowed"),
            (json!({ "type": "email", "value": "a@b.test" }), 400, "unsupportedIdentifier", "email"),
            (json!(["dns", "a.corp.test"]), 400, "malformed", "object"),
        ] {
            let detail = ahead(&mut client, identifier.clone()).await.problem(status, kind);
            assert!(detail.contains(says), "{identifier}: {detail}");
        }
        assert_eq!(ahead(&mut client, identifier("127.0.0.1")).await.status, 201);
        let account = client.account();
        client.post(&account, r#"{"status":"deactivated"}"#).await;
        ahead(&mut client, identifier("a.corp.test")).await.problem(401, "unauthorized");
        server.terminate();
    });
}

fn an_authorization_ahead_is_of_its_profile(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        site.installation.configure(|config| {
            let mut second = config["profiles"][0].clone();
            second["name"] = json!("second");
            second["challenges"] = json!([DNS_01]);
            config["profiles"].as_array_mut().unwrap().push(second);
        });
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let url = format!("{}/acme/second/new-authz", site.installation.url());
        let payload = json!({ "identifier": identifier("a.test") }).to_string();
        let made = client.post(&url, &payload).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(offered(&made.json()), [DNS_01]);
        let authorization = made.header("location").unwrap().to_owned();
        site.prove(&mut client, &authorization, DNS_01).await;

        let other = order(&mut client, &["a.test"]).await;
        assert_eq!(other.object["status"], "pending", "{}", other.object);
        let new_order = client.url("newOrder");
        let payload = json!({ "identifiers": [identifier("a.test")], "profile": "second" });
        let own = client.post(&new_order, &payload.to_string()).await;
        assert_eq!(own.json()["status"], "ready", "{own:?}");
        assert_eq!(own.json()["authorizations"], json!([authorization]));
        let none = format!("{}/acme/third/new-authz", site.installation.url());
        client.post(&none, "{}").await.problem(404, "malformed");
        server.terminate();
    });
}

fn one_that_is_given_up_serves_no_order(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let url = ahead(&mut client, identifier("a.test")).await.header("location").unwrap().to_owned();
        site.prove(&mut client, &url, DNS_01).await;
        let ready = order(&mut client, &["a.test"]).await;
        assert_eq!(ready.object["status"], "ready", "{}", ready.object);
        let given_up = client.post(&url, r#"{"status":"deactivated"}"#).await;
        assert_eq!(given_up.json()["status"], "deactivated", "{given_up:?}");
        finalize(&mut client, &ready).await.problem(403, "orderNotReady");
        let anew = ahead(&mut client, identifier("a.test")).await;
        assert_eq!(anew.status, 201, "{anew:?}");
        assert_ne!(anew.header("location"), Some(url.as_str()));
        server.terminate();
    });
}
