//! Renewal information, and orders that replace certificates (RFC 9773).

use std::time::Duration;

use chancery_testkit::{Answer, Engine, Installation, MovableClock, RawClient, Responder};
use chancery_time::Timestamp;
use http::Method;
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::obtained::{Obtained, obtain, revocation};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(windows_lie_in_the_last_third_and_collapse, a_certificate_is_replaced_once);

const DAY: Duration = Duration::from_secs(86_400);

fn windows_lie_in_the_last_third_and_collapse(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::under(&clock, &installation).await;
        client.register(&json!({})).await;
        let directory_entry = client.url("renewalInfo");
        assert!(!directory_entry.ends_with('/'), "{directory_entry}");

        let issued_at = clock.now();
        // Serial numbers of which some begin with a bit that is set.
        for name in ["a.localhost", "b.localhost", "c.localhost", "d.localhost"] {
            let certificate = obtain(&mut client, &responder, name, json!({})).await;
            let answer = info(&client, &certificate).await;
            let (start, end) = window(&answer);
            let expected = issued_at + 60 * DAY;
            let distance = start.since(expected).max(expected.since(start));
            assert!(distance < Duration::from_secs(2 * 3_600), "{start} is far from {expected}");
            assert_eq!(end.since(start), 2 * DAY, "{answer:?}");
            assert_eq!(answer.header("retry-after"), Some("21600"));
            assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("replay-nonce"), None);
        }

        let wishes = json!({ "notAfter": (clock.now() + DAY).whole_seconds() });
        let short = obtain(&mut client, &responder, "short.localhost", wishes).await;
        let answer = info(&client, &short).await;
        let (start, end) = window(&answer);
        let a_sixth = DAY / 6;
        assert!(
            end.since(start) >= a_sixth && end.since(start) < a_sixth + Duration::from_secs(900),
            "{answer:?}"
        );
        let asked_again: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((3_600..4_000).contains(&asked_again), "{asked_again}");

        // The window stays where it is as time goes by, until the certificate is revoked.
        clock.advance(DAY * 3 / 4);
        assert_eq!(window(&info(&client, &short).await), (start, end));
        assert!(start < clock.now());
        clock.advance(DAY);
        assert_eq!(window(&info(&client, &short).await), (start, end));
        let certificate = obtain(&mut client, &responder, "revoked.localhost", json!({})).await;
        let url = client.url("revokeCert");
        assert_eq!(client.post(&url, &revocation(&certificate.der, 1)).await.status, 200);
        let (start, end) = window(&info(&client, &certificate).await);
        assert!(end <= clock.now() && clock.now().since(end) < Duration::from_secs(600), "{end}");
        assert_eq!(end.since(start), Duration::from_secs(3_600));
        clock.advance(DAY);
        assert_eq!(window(&info(&client, &certificate).await), (start, end));
        server.terminate();
    });
}

#[test]
fn names_of_no_certificate_are_told_apart_from_what_is_none() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        client.register(&json!({})).await;
        let certificate = obtain(&mut client, &responder, "a.localhost", json!({})).await;
        let id = certificate.cert_id();
        let (key, serial) = id.split_once('.').unwrap();

        let of = |name: &str| format!("{}/{name}", client.url("renewalInfo"));
        for name in
            ["x", "a.b.c", &format!("{key}="), &format!("{key}.{serial}="), &format!(".{serial}"), "%ff.AQ"]
        {
            let detail = client.unsigned(Method::GET, &of(name)).await.problem(400, "malformed");
            assert!(
                detail.contains("certificate identifier") || detail.contains("key identifier"),
                "{detail}"
            );
        }
        // No such serial number, one that is longer than ours, and that of another issuer.
        for name in
            [&format!("{key}.AQ"), &format!("{key}.AQAAAAAAAAAAAAAAAAAAAAAAAAA"), &format!("AAAA.{serial}")]
        {
            client.unsigned(Method::GET, &of(name)).await.problem(404, "malformed");
        }
        let head = client.unsigned(Method::HEAD, &of(&id)).await;
        assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""), "{head:?}");
        let url = of(&id);
        client.post(&url, "").await.problem(405, "malformed");
        let at_the_entry = client.url("renewalInfo");
        client.unsigned(Method::GET, &at_the_entry).await.problem(404, "malformed");
        server.terminate();
    });
}

fn a_certificate_is_replaced_once(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::under(&clock, &installation).await;
        client.register(&json!({})).await;
        let mut other = client.another();
        other.register(&json!({})).await;
        let first = obtain(&mut client, &responder, "a.localhost", json!({})).await;
        let replaces = |certificate: &Obtained| json!({ "replaces": certificate.cert_id() });

        // What does not fit.
        let wish = replaces(&first);
        other.new_order("a.localhost", wish.clone()).await.problem(404, "malformed");
        let unknown = json!({ "replaces": "AAAA.AQ" });
        client.new_order("a.localhost", unknown).await.problem(404, "malformed");
        client.new_order("a.localhost", json!({ "replaces": "x" })).await.problem(400, "malformed");
        let detail = client.new_order("b.localhost", wish.clone()).await.problem(400, "malformed");
        assert!(detail.contains("has no name of the certificate"), "{detail}");

        // An order that may still come to something stands for all.
        let order = client.new_order("a.localhost", wish.clone()).await;
        assert_eq!((order.status.as_u16(), &order.json()["replaces"]), (201, &wish["replaces"]), "{order:?}");
        let order_url = order.header("location").unwrap().to_owned();
        assert_eq!(client.post(&order_url, "").await.json()["replaces"], wish["replaces"]);
        client.new_order("a.localhost", wish.clone()).await.problem(409, "alreadyReplaced");

        // One that failed does not.
        let authorization = order.json()["authorizations"][0].as_str().unwrap().to_owned();
        client.post(&authorization, r#"{"status":"deactivated"}"#).await;
        assert_eq!(client.post(&order_url, "").await.json()["status"], "invalid");
        let lapsing = client.new_order("a.localhost", wish.clone()).await;
        assert_eq!(lapsing.status, 201, "{lapsing:?}");
        client.new_order("a.localhost", wish.clone()).await.problem(409, "alreadyReplaced");

        // Nor does one whose time ran out.
        clock.advance(8 * DAY);
        let second = obtain(&mut client, &responder, "a.localhost", wish.clone()).await;
        client.new_order("a.localhost", wish.clone()).await.problem(409, "alreadyReplaced");
        // One that was issued stays, for good.
        clock.advance(8 * DAY);
        client.new_order("a.localhost", wish).await.problem(409, "alreadyReplaced");

        // What was revoked is replaced like any other.
        let url = client.url("revokeCert");
        assert_eq!(client.post(&url, &revocation(&second.der, 4)).await.status, 200);
        obtain(&mut client, &responder, "a.localhost", replaces(&second)).await;
        client.new_order("a.localhost", replaces(&second)).await.problem(409, "alreadyReplaced");
        server.terminate();
    });
}

async fn info(client: &RawClient, certificate: &Obtained) -> Answer {
    let url = format!("{}/{}", client.url("renewalInfo"), certificate.cert_id());
    let answer = client.unsigned(Method::GET, &url).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn window(answer: &Answer) -> (Timestamp, Timestamp) {
    let instant = |value: &Value| value.as_str().unwrap().parse().unwrap();
    let window = &answer.json()["suggestedWindow"];
    (instant(&window["start"]), instant(&window["end"]))
}
