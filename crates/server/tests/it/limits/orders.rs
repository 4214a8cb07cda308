//! Which orders the limits hold up, and what counts beside orders.

use std::time::Duration;

use chancery_testkit::{Engine, MovableClock, Responder};
use serde_json::json;

use super::{HOUR, events, limited, ordered, registered, wait};
use crate::acme::block_on;
use crate::obtained::{obtain, revocation};
use crate::on_both_engines;
use crate::pre_authorization::ahead;

on_both_engines!(a_renewal_is_exempt_in_time_and_once, what_is_authorized_ahead_counts_among_the_names,);

const LIMIT: &str = "orders_per_account";

fn a_renewal_is_exempt_in_time_and_once(engine: Engine) {
    block_on(async {
        let installation = limited(engine, &json!({ "orders_per_account": "2/60d" }));
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&clock, &installation).await;
        let day = json!({ "notAfter": (clock.now() + Duration::from_secs(24 * HOUR)).whole_seconds() });
        let first = obtain(&mut client, &responder, "a.localhost", day.clone()).await;
        let second = obtain(&mut client, &responder, "b.localhost", day).await;
        let renewal = json!({ "replaces": first.cert_id() });
        // Too early: the window is the last third of the day. What is refused does not count as tried.
        wait(&client.new_order("a.localhost", renewal.clone()).await, LIMIT);
        clock.advance(Duration::from_secs(17 * HOUR));
        wait(&client.new_order("c.localhost", json!({})).await, LIMIT);
        // For more than there was.
        let url = client.url("newOrder");
        let names = ["a", "c"].map(|name| json!({ "type": "dns", "value": format!("{name}.localhost") }));
        let more = json!({ "identifiers": names, "replaces": first.cert_id() }).to_string();
        wait(&client.post(&url, &more).await, LIMIT);

        let order = client.new_order("a.localhost", renewal.clone()).await;
        assert_eq!(order.status, 201, "{order:?}");
        // Once it failed, the certificate is worth no further order.
        let authorization = order.json()["authorizations"][0].as_str().unwrap().to_owned();
        assert_eq!(client.post(&authorization, r#"{"status":"deactivated"}"#).await.status, 200);
        wait(&client.new_order("a.localhost", renewal).await, LIMIT);

        // A certificate that was revoked is to be replaced at once.
        let revoke = client.url("revokeCert");
        assert_eq!(client.post(&revoke, &revocation(&second.der, 4)).await.status, 200);
        let replacement = json!({ "replaces": second.cert_id() });
        let third = obtain(&mut client, &responder, "b.localhost", replacement).await;
        // The one in its place is as young as it looks.
        wait(&client.new_order("b.localhost", json!({ "replaces": third.cert_id() })).await, LIMIT);
        // Nor is it worth another for being revoked at once.
        assert_eq!(client.post(&revoke, &revocation(&third.der, 4)).await.status, 200);
        wait(&client.new_order("b.localhost", json!({ "replaces": third.cert_id() })).await, LIMIT);
        server.terminate();
    });
}

fn what_is_authorized_ahead_counts_among_the_names(engine: Engine) {
    block_on(async {
        let installation = limited(engine, &json!({ "names_per_account": "3/1d" }));
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let mut client = registered(&clock, &installation).await;
        let name = |name: &str| json!({ "type": "dns", "value": name });
        assert_eq!(ahead(&mut client, name("a.localhost")).await.status, 201);
        // What is there already costs nothing.
        for _ in 0..4 {
            assert_eq!(ahead(&mut client, name("a.localhost")).await.status, 200);
        }
        assert_eq!(ahead(&mut client, name("b.localhost")).await.status, 201);
        ordered(&mut client, "c.localhost").await;
        wait(&ahead(&mut client, name("d.localhost")).await, "names_per_account");
        wait(&client.new_order("d.localhost", json!({})).await, "names_per_account");
        assert_eq!(ahead(&mut client, name("a.localhost")).await.status, 200);
        assert_eq!(installation.query_i64("SELECT count(*) FROM authorizations"), 3);
        server.terminate();
        assert_eq!(events(&installation, "limit.reached").len(), 1);
    });
}
