//! How far an API key reaches: its class, its environment, its product, its scopes, its end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chancery_testkit::{Answer, Engine, MovableClock, PortalClient};
use serde_json::{Value, json};

use super::document::{Operation, operations};
use super::shop::{DEVICE, OTHER_PRODUCT, PLAN, PRODUCT, Shop, Style, act, act_on, activate};
use super::{block_on, on_both_engines};

on_both_engines!(
    live_and_test_data_never_meet,
    every_operation_asks_for_its_scope,
    a_key_for_one_product_sees_no_other,
    a_key_ends_when_it_is_revoked,
    a_key_ends_when_it_expires,
);

/// The tags of what a program in the field does, with a publishable key.
const FIELD: [&str; 3] = ["activations", "machine-files", "validations"];
/// What such a program reads besides, by the end of the path.
const READ_IN_FIELD: [&str; 2] = ["/manifest", "/revocations"];
const ACTIONS: [&str; 5] = ["activate", "validate", "heartbeat", "machine-file", "deactivate"];

async fn call(client: &PortalClient, operation: &Operation) -> Answer {
    let body = operation.body.as_ref().map(Value::to_string).unwrap_or_default();
    client.send(operation.method.clone(), &operation.filled_path(), &[], body).await
}

fn live_and_test_data_never_meet(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let (live, test) = (shop.sell(&[]), shop.sell(&["--env", "dev"]));
        let mut server = shop.serve();
        let publishable = [shop.publishable_key(), shop.api_key(&["--class", "publishable", "--test"])];
        assert!(publishable[0].starts_with("pk_live_") && publishable[1].starts_with("pk_test_"));
        let secret = [shop.secret_key("--live"), shop.secret_key("--test")];
        assert!(secret[0].starts_with("sk_live_") && secret[1].starts_with("sk_test_"));
        let licences = format!("/products/{PRODUCT}/licenses");

        for (number, (own, foreign)) in [(&live, &test), (&test, &live)].into_iter().enumerate() {
            for key in [&publishable[number], &secret[number]] {
                let client = shop.client(key);
                activate(&client, &own.key, DEVICE).await;
                for style in Style::BOTH {
                    for action in ACTIONS {
                        let answer = act(&client, style, action, &foreign.key, DEVICE, json!({})).await;
                        answer.refused(404, "license_not_found");
                    }
                }
            }
            let vendor = shop.client(&secret[number]);
            assert_eq!(vendor.get(&format!("{licences}/{}", own.id)).await.done()["id"], own.id.as_str());
            let listed = vendor.get(&licences).await.done();
            let ids: Vec<&str> =
                listed["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
            assert_eq!(ids, [own.id.as_str()]);
            let url = format!("{licences}/{}", foreign.id);
            for url in [url.clone(), format!("{url}/activations")] {
                vendor.get(&url).await.refused(404, "license_not_found");
            }
            vendor.patch(&url, &json!({ "metadata": {} })).await.refused(404, "license_not_found");
            for action in ["revoke", "suspend", "reinstate", "renew", "transfer"] {
                let answer = vendor.post(&format!("{url}/{action}"), &required_by(action)).await;
                answer.refused(404, "license_not_found");
            }
            // Nor is anything made over there.
            let other = if number == 0 { "dev" } else { "prod" };
            let order = json!({ "plan_key": PLAN, "environment": other });
            vendor.post(&licences, &order).await.refused(403, "forbidden");
            let made = vendor.post(&licences, &json!({ "plan_key": PLAN })).await.done();
            assert_eq!(made["environment"], if number == 0 { "prod" } else { "dev" });
            vendor
                .post(&format!("/products/{PRODUCT}/signing_keys"), &json!({ "environment": other }))
                .await
                .refused(403, "forbidden");
            let beyond = json!({ "name": "x", "class": "publishable", "live": number == 1 });
            vendor.post("/api_keys", &beyond).await.refused(403, "forbidden");
        }
        server.terminate();
    });
}

/// The body of an action on a licence, by the document.
fn required_by(action: &str) -> Value {
    let path = format!("/licenses/{{license}}/{action}");
    let of = operations().into_iter().find(|operation| operation.path.ends_with(&path));
    of.unwrap().body.unwrap_or_else(|| json!({}))
}

fn every_operation_asks_for_its_scope(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let mut server = shop.serve();
        let nobody = shop.anonymous();
        let publishable = shop.client(&shop.publishable_key());
        // Between them they have every scope but one each; what either may not do asks for that one.
        let (log, field) = (shop.client(&scoped(&shop, "log:read")), shop.client(&scoped(&shop, "use")));
        let mut asked_for = BTreeSet::new();
        for operation in operations() {
            let what = format!("{} {}", operation.method, operation.path);
            let answer = call(&nobody, &operation).await;
            if !operation.needs_key {
                assert!(answer.status != 401 && answer.status != 403, "{what}: {answer:?}");
                continue;
            }
            answer.refused(401, "authentication_required");
            call(&shop.client("sk_live_wrong"), &operation).await.refused(401, "invalid_api_key");
            let is_read =
                operation.body.is_none() && READ_IN_FIELD.iter().any(|end| operation.path.ends_with(end));
            let is_field = is_read || FIELD.contains(&operation.tag.as_str());
            for (client, may) in
                [(&publishable, is_field), (&field, is_field), (&log, operation.tag == "log")]
            {
                let answer = call(client, &operation).await;
                if may {
                    assert!([200, 400, 404].contains(&answer.status.as_u16()), "{what}: {answer:?}");
                    continue;
                }
                assert_eq!(answer.status, 403, "{what}: {answer:?}");
                let error = answer.refused(403, "forbidden");
                if let Some(scope) = error["details"]["scope"].as_str() {
                    asked_for.insert(scope.to_owned());
                }
            }
        }
        let known = [
            "api_keys:manage",
            "catalogue:read",
            "catalogue:write",
            "installations:read",
            "installations:write",
            "licenses:create",
            "licenses:read",
            "licenses:revoke",
            "licenses:update",
            "log:read",
            "signing:manage",
            "users:manage",
            "webhooks:manage",
        ];
        for scope in known {
            assert!(asked_for.contains(scope), "nothing asks for {scope}: {asked_for:?}");
        }
        server.terminate();
    });
}

fn scoped(shop: &Shop, scope: &str) -> String {
    shop.api_key(&["--class", "secret", "--live", "--scopes", scope])
}

fn a_key_for_one_product_sees_no_other(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let (own, other) = (shop.sell(&[]), shop.license(OTHER_PRODUCT, PLAN, &[]));
        let mut server = shop.serve();
        let restricted = ["--live", "--product", PRODUCT];
        let field = shop.client(&shop.api_key(&[&["--class", "publishable"][..], &restricted].concat()));
        let vendor = shop
            .client(&shop.api_key(&[&["--class", "secret", "--scopes", "all"][..], &restricted].concat()));
        activate(&field, &own.key, DEVICE).await;
        for style in Style::BOTH {
            for action in ACTIONS {
                let there = act_on(&field, OTHER_PRODUCT, style, action, &other.key, DEVICE, json!({})).await;
                there.refused(404, "product_not_found");
                let here = act(&field, style, action, &other.key, DEVICE, json!({})).await;
                assert!([404, 422].contains(&here.status.as_u16()), "{here:?}");
            }
        }
        for path in ["", "/licenses", "/plans", "/signing_keys", "/installations"] {
            assert!(vendor.get(&format!("/products/{PRODUCT}{path}")).await.status.is_success(), "{path}");
            vendor.get(&format!("/products/{OTHER_PRODUCT}{path}")).await.refused(404, "product_not_found");
        }
        let products = vendor.get("/products").await.done();
        let slugs: Vec<&Value> =
            products["data"].as_array().unwrap().iter().map(|product| &product["slug"]).collect();
        assert_eq!(slugs, [PRODUCT]);
        let of_other = format!("/products/{PRODUCT}/licenses/{}", other.id);
        vendor.get(&of_other).await.refused(404, "license_not_found");
        // A key makes no key that reaches further than it does.
        for wrong in [
            json!({ "name": "x", "class": "publishable", "live": true }),
            json!({ "name": "x", "class": "publishable", "live": true, "product": OTHER_PRODUCT }),
        ] {
            let answer = vendor.post("/api_keys", &wrong).await;
            assert!([403, 404].contains(&answer.status.as_u16()), "{answer:?}");
        }
        server.terminate();
    });
}

fn a_key_ends_when_it_is_revoked(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let licence = shop.sell(&[]);
        let mut server = shop.serve();
        let made = shop.json(&["api-key", "create", "--name", "x", "--class", "publishable", "--live"]);
        let client = shop.client(made["key"].as_str().unwrap());
        activate(&client, &licence.key, DEVICE).await;

        // By the command line, which is another process.
        shop.run(&["api-key", "revoke", made["id"].as_str().unwrap()]).succeeded();
        let revoked = Instant::now();
        loop {
            let answer = act(&client, Style::Body, "validate", &licence.key, DEVICE, json!({})).await;
            if answer.status == 401 {
                answer.refused(401, "invalid_api_key");
                break;
            }
            answer.done();
            assert!(revoked.elapsed() < Duration::from_secs(2), "the key still works");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        // By the API, of itself: the node that was asked knows it too, in a second.
        let made = shop
            .json(&["api-key", "create", "--name", "x", "--class", "secret", "--live", "--scopes", "all"]);
        let vendor = shop.client(made["key"].as_str().unwrap());
        vendor.post(&format!("/api_keys/{}/revoke", made["id"].as_str().unwrap()), &json!({})).await.done();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        vendor.get("/products").await.refused(401, "invalid_api_key");
        server.terminate();
    });
}

fn a_key_ends_when_it_expires(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let clock = MovableClock::new();
        let mut server = shop.serve_under(&clock);
        let end = (clock.now() + Duration::from_secs(3_600)).whole_seconds().to_string();
        let key = shop.api_key(&["--class", "secret", "--live", "--scopes", "all", "--expires-at", &end]);
        let client = shop.client_under(&clock, &key);
        client.get("/products").await.done();
        clock.advance(Duration::from_secs(3_601));
        client.get("/products").await.refused(401, "invalid_api_key");
        server.terminate();
    });
}
