//! What is not believed, and how little is said of why.

use std::time::Duration;

use chancery_testkit::{Engine, MovableClock, RawClient};
use serde_json::{Value, json};

use super::{Key, bound_only, create, create_at, events};
use crate::acme::block_on;

#[test]
fn whatever_is_wrong_with_a_key_is_told_the_same_but_to_the_operator() {
    block_on(async {
        let installation = bound_only(Engine::Sqlite);
        let clock = MovableClock::new();
        let aging = create_at(&clock, &installation, &["--expires", "2d"]);
        let revoked = create_at(&clock, &installation, &[]);
        let good = create_at(&clock, &installation, &["--uses", "2"]);
        installation.run_at(&clock, &["eab", "revoke", &revoked.kid]).succeeded();
        let mut server = installation.serve_under(&clock);

        let mut early = RawClient::under(&clock, &installation).await;
        let used_up = create_at(&clock, &installation, &[]);
        assert_eq!(used_up.register(&mut early).await.status, 201);
        clock.advance(Duration::from_secs(3 * 86_400));
        let client = RawClient::under(&clock, &installation).await;
        let unknown = Key { kid: "nobody's".to_owned(), ..good.clone() };
        let forged = Key { hmac_key: aging.hmac_key.clone(), ..good.clone() };
        let mut details = Vec::new();
        for key in [&unknown, &forged, &aging, &revoked, &used_up] {
            let refused = key.register(&mut client.another()).await;
            details.push(refused.problem(403, "unauthorized"));
        }
        details.dedup();
        assert_eq!(details.len(), 1, "{details:?}");
        assert!(details[0].contains("check both with whoever gave you the key"), "{details:?}");
        assert_eq!(good.register(&mut client.another()).await.status, 201);
        server.terminate();

        let told = events(&installation, "eab.refuse");
        let reasons: Vec<_> = told.iter().map(|event| event["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["unknown", "wrong MAC", "expired", "revoked", "used up"]);
        assert!(told.iter().all(|event| event["decision"] == "deny"), "{told:?}");
        assert_eq!(told[0]["details"]["kid"], "nobody's", "{told:?}");
    });
}

#[test]
fn what_is_no_binding_is_malformed_and_uses_nothing_up() {
    block_on(async {
        let installation = bound_only(Engine::Sqlite);
        let key = create(&installation, &[]);
        let mut server = installation.serve();
        let mut client = RawClient::new(&installation).await;
        let url = client.url("newAccount");
        let good = json!({ "alg": "HS256", "kid": key.kid, "url": url });
        let with = |member: &str, value: Value| {
            let mut header = good.clone();
            header[member] = value;
            header
        };
        let (own, other) = (client.jwk().to_string(), client.another().jwk().to_string());
        let mac = |header: &Value, payload: &str| RawClient::mac(header, payload, &key.hmac_key);
        for (binding, says) in [
            (json!(1), "invalid type"),
            (json!({}), "missing field"),
            (mac(&with("alg", json!("none")), &own), "use HS256"),
            (mac(&with("alg", json!("ES256")), &own), "use HS256"),
            (mac(&with("nonce", json!("n")), &own), "nonce"),
            (mac(&with("kid", json!("")), &own), "`kid`"),
            (mac(&with("url", json!(client.url("newOrder"))), &own), "`url`"),
            (mac(&good, &other), "another key"),
            (mac(&good, "{}"), "as a JWK"),
            (mac(&good, ""), "as a JWK"),
        ] {
            let answer = client.register(&json!({ "externalAccountBinding": binding })).await;
            let detail = answer.problem(400, "malformed");
            assert!(detail.contains(says), "{binding}: {detail}");
        }
        assert_eq!(key.register(&mut client).await.status, 201);
        server.terminate();
    });
}
