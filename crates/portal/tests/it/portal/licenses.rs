//! Licences as the vendor's own programs make and change them, and what devices see of it.

use std::collections::BTreeSet;

use chancery_testkit::{Engine, PortalClient};
use serde_json::{Value, json};

use super::shop::{DEVICE, PLAN, PRODUCT, Shop, Style, act, activate};
use super::{block_on, on_both_engines};

on_both_engines!(
    a_request_that_comes_twice_is_done_once,
    a_licence_is_found_again,
    a_licence_takes_its_course,
    what_no_device_could_read_is_refused,
);

const LICENSES: &str = "/products/my-app/licenses";

/// What a device is told of its licence now: the code, or none where it is valid.
async fn told(field: &PortalClient, key: &str) -> Option<String> {
    let told = act(field, Style::Body, "validate", key, DEVICE, json!({})).await.done();
    assert_eq!(told["valid"] == true, told["code"].is_null(), "{told}");
    told["code"].as_str().map(str::to_owned)
}

fn text(object: &Value, member: &str) -> String {
    object[member].as_str().unwrap_or_else(|| panic!("no {member}: {object}")).to_owned()
}

fn a_request_that_comes_twice_is_done_once(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let mut server = shop.serve();
        let vendor = shop.client(&shop.secret_key("--live"));
        let order = json!({ "plan_key": PLAN, "metadata": { "order": 4_711 } });
        let once = [("idempotency-key", "order-4711")];

        let racing: Vec<_> = (0..20)
            .map(|_| {
                let (vendor, order) = (vendor.clone(), order.clone());
                tokio::spawn(async move { vendor.post_with(LICENSES, &once, &order).await.done() })
            })
            .collect();
        let mut made = BTreeSet::new();
        for one in racing {
            let one = one.await.unwrap();
            made.insert((text(&one, "id"), text(&one, "key")));
        }
        assert_eq!(made.len(), 1);
        assert_eq!(shop.query_i64("SELECT COUNT(*) FROM licenses"), 1);
        let (id, _) = made.pop_first().unwrap();

        // Another request under the same key, and the same one under another or by another API key.
        let other = vendor.post_with(LICENSES, &once, &json!({ "plan_key": PLAN })).await;
        assert_eq!(other.refused(400, "invalid_arguments")["details"]["field"], "Idempotency-Key");
        for wrong in ["", "with space", &"x".repeat(256)] {
            let answer = vendor.post_with(LICENSES, &[("idempotency-key", wrong)], &order).await;
            assert_eq!(answer.refused(400, "invalid_arguments")["details"]["field"], "Idempotency-Key");
        }
        let another = vendor.post_with(LICENSES, &[("idempotency-key", "order-4712")], &order).await.done();
        let colleague = shop.client(&shop.secret_key("--live"));
        let third = colleague.post_with(LICENSES, &once, &order).await.done();
        assert_eq!(BTreeSet::from([id.clone(), text(&another, "id"), text(&third, "id")]).len(), 3);

        // A renewal that is sent again renews once.
        let renew = format!("{LICENSES}/{id}/renew");
        let renewed = vendor.post_with(&renew, &[("idempotency-key", "r1")], &json!({})).await.done();
        let again = vendor.post_with(&renew, &[("idempotency-key", "r1")], &json!({})).await.done();
        assert_eq!(again["expires_at"], renewed["expires_at"]);
        let next = vendor.post_with(&renew, &[("idempotency-key", "r2")], &json!({})).await.done();
        assert!(text(&next, "expires_at") > text(&renewed, "expires_at"));

        // A refused request leaves its key free.
        let wrong =
            vendor.post_with(LICENSES, &[("idempotency-key", "free")], &json!({ "plan_key": "none" })).await;
        assert!(wrong.status.is_client_error(), "{wrong:?}");
        vendor.post_with(LICENSES, &[("idempotency-key", "free")], &order).await.done();
        server.terminate();
    });
}

fn a_licence_is_found_again(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let mut server = shop.serve();
        let vendor = shop.client(&shop.secret_key("--live"));
        let mut made = Vec::new();
        for number in 0..25 {
            let order = json!({ "plan_key": PLAN, "reference": format!("order-{number}") });
            let one = vendor.post(LICENSES, &order).await;
            assert_eq!(one.status, 201, "{one:?}");
            made.push(text(&one.json(), "id"));
        }
        // Page by page: each once, and none besides.
        for limit in [1, 7, 25, 100] {
            let (mut found, mut after) = (Vec::new(), None::<String>);
            loop {
                let from = after.map(|after| format!("&after={after}")).unwrap_or_default();
                let page = vendor.get(&format!("{LICENSES}?limit={limit}{from}")).await.done();
                let data = page["data"].as_array().unwrap();
                assert!(data.len() <= limit);
                found.extend(data.iter().map(|one| text(one, "id")));
                after = page["next"].as_str().map(str::to_owned);
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found.len(), 25, "in pages of {limit}");
            assert_eq!(found.iter().collect::<BTreeSet<_>>(), made.iter().collect(), "in pages of {limit}");
        }
        for wrong in ["limit=0", "limit=101", "limit=x", "status=lost", "nonsense=1"] {
            vendor.get(&format!("{LICENSES}?{wrong}")).await.refused(400, "invalid_arguments");
        }
        let by_reference = vendor.get(&format!("{LICENSES}?reference=order-7")).await.done();
        assert_eq!(by_reference["data"].as_array().unwrap().len(), 1);
        assert_eq!(by_reference["data"][0]["id"], made[7].as_str());
        let taken = vendor.post(LICENSES, &json!({ "plan_key": PLAN, "reference": "order-7" })).await;
        assert_eq!(taken.refused(400, "invalid_arguments")["details"]["field"], "reference");
        vendor.get(&format!("{LICENSES}/lic_unknown")).await.refused(404, "license_not_found");
        let none = vendor.get(&format!("{LICENSES}?reference=order-99")).await.done();
        assert_eq!(none["data"], json!([]));
        server.terminate();
    });
}

fn a_licence_takes_its_course(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let mut server = shop.serve();
        let vendor = shop.client(&shop.secret_key("--live"));
        let field = shop.client(&shop.publishable_key());
        let made = vendor.post(LICENSES, &json!({ "plan_key": PLAN })).await.done();
        let (id, key) = (text(&made, "id"), text(&made, "key"));
        let url = format!("{LICENSES}/{id}");
        assert_eq!(made["status"], "pending");
        let seat = activate(&field, &key, DEVICE).await;
        assert_eq!(vendor.get(&url).await.done()["status"], "active");

        for _ in 0..2 {
            assert_eq!(
                vendor.post(&format!("{url}/suspend"), &json!({})).await.done()["status"],
                "suspended"
            );
        }
        assert_eq!(told(&field, &key).await.as_deref(), Some("suspended"));
        for _ in 0..2 {
            assert_eq!(vendor.post(&format!("{url}/reinstate"), &json!({})).await.done()["status"], "active");
        }
        assert_eq!(told(&field, &key).await, None);

        // A seat that the vendor takes back is gone, and the device may ask for one again.
        let seats = vendor.get(&format!("{url}/activations")).await.done();
        assert_eq!(seats["data"][0]["id"], seat["id"]);
        let release = format!("{url}/activations/{}/deactivate", text(&seat, "id"));
        vendor.post(&release, &json!({})).await.done();
        assert_eq!(told(&field, &key).await.as_deref(), Some("device_not_activated"));
        act(&field, Style::Body, "deactivate", &key, DEVICE, json!({}))
            .await
            .refused(422, "already_deactivated");
        activate(&field, &key, DEVICE).await;

        // What the vendor changes, the device is told at once.
        let changed = json!({ "metadata": { "tier": 2 }, "seat_limit": 9 });
        vendor.patch(&url, &changed).await.done();
        let seen = act(&field, Style::Path, "validate", &key, DEVICE, json!({})).await.done();
        assert_eq!(
            (&seen["license"]["seat_limit"], &seen["license"]["metadata"]),
            (&json!(9), &json!({ "tier": 2 }))
        );
        let cleared = vendor.patch(&url, &json!({ "metadata": null, "expires_at": null })).await.done();
        assert_eq!((&cleared["metadata"], &cleared["expires_at"]), (&Value::Null, &Value::Null));
        assert_eq!(cleared["seat_limit"], 9, "what is left out stays");

        // Handed on, with its seats or without.
        let customer = json!({ "name": "ACME", "email": "it@example.com" });
        let customer = text(&vendor.post("/organisations", &customer).await.done(), "id");
        let handed = json!({ "organisation_id": customer });
        let owned = vendor.post(&format!("{url}/transfer"), &handed).await.done();
        assert_eq!((&owned["organisation_id"], &owned["active_seats"]), (&json!(customer), &json!(1)));
        let handed = json!({ "organisation_id": customer, "release_seats": true });
        let owned = vendor.post(&format!("{url}/transfer"), &handed).await.done();
        assert_eq!(owned["active_seats"], 0);
        assert_eq!(shop.active_activations(), 0);
        activate(&field, &key, DEVICE).await;

        // Revoked is for good.
        for _ in 0..2 {
            assert_eq!(vendor.post(&format!("{url}/revoke"), &json!({})).await.done()["status"], "revoked");
        }
        assert_eq!(told(&field, &key).await.as_deref(), Some("revoked"));
        for action in ["reinstate", "renew", "suspend"] {
            vendor.post(&format!("{url}/{action}"), &json!({})).await.refused(422, "revoked");
        }
        act(&field, Style::Body, "deactivate", &key, DEVICE, json!({})).await.done();
        server.terminate();
        // The log tells it all, and is whole.
        let verified = shop.run(&["log", "verify"]).succeeded();
        assert!(!verified.stdout.is_empty());
    });
}

/// Whatever a licence says is held to what every client reads.
fn what_no_device_could_read_is_refused(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let mut server = shop.serve();
        let vendor = shop.client(&shop.secret_key("--live"));
        let made = vendor.post(LICENSES, &json!({ "plan_key": PLAN })).await.done();
        let url = format!("{LICENSES}/{}", text(&made, "id"));
        let entitled =
            |count: usize| (0..count).map(|n| json!({ "key": format!("e{n}") })).collect::<Vec<_>>();
        for (wrong, field) in [
            (json!({ "seat_limit": 0 }), "seat_limit"),
            (json!({ "seat_limit": -1 }), "seat_limit"),
            (json!({ "mode": "Floating" }), "mode"),
            (json!({ "metadata": { "x": "x".repeat(131_072) } }), "metadata"),
            (json!({ "entitlements": entitled(501) }), "entitlements"),
            (json!({ "entitlements": [{ "key": "Upper" }] }), "entitlements"),
            (json!({ "entitlements": [{ "key": "a" }, { "key": "a" }] }), "entitlements"),
            (
                json!({ "starts_at": "2036-01-01T00:00:00Z", "expires_at": "2036-01-01T00:00:00Z" }),
                "expires_at",
            ),
            (
                json!({ "starts_at": "2036-01-01T00:00:00.2Z", "expires_at": "2036-01-01T00:00:00.9Z" }),
                "expires_at",
            ),
            (json!({ "reference": "" }), "reference"),
        ] {
            let patched = vendor.patch(&url, &wrong).await;
            assert_eq!(patched.refused(400, "invalid_arguments")["details"]["field"], field, "{wrong:.200}");
            let mut order = wrong.clone();
            order["plan_key"] = json!(PLAN);
            let refused = vendor.post(LICENSES, &order).await;
            assert_eq!(refused.refused(400, "invalid_arguments")["details"]["field"], field, "{wrong:.200}");
        }
        for wrong in
            [json!({ "plan_key": null }), json!({ "plan_key": "none" }), json!({ "status": "active" })]
        {
            let answer = vendor.patch(&url, &wrong).await;
            assert!(answer.status.is_client_error(), "{wrong}: {answer:?}");
        }
        let full = json!({ "entitlements": entitled(500), "metadata": { "x": "x".repeat(65_000), "y": "y".repeat(65_000) } });
        let told = vendor.patch(&url, &full).await.done();
        assert_eq!(told["active_entitlements"].as_array().unwrap().len(), 500);
        // And a machine file of all that can be had.
        let field = shop.client(&shop.publishable_key());
        activate(&field, &text(&made, "key"), DEVICE).await;
        let order = json!({ "include": ["license"] });
        act(&field, Style::Body, "machine-file", &text(&made, "key"), DEVICE, order).await.done();
        assert_eq!(
            vendor.get(&format!("/products/{PRODUCT}/licenses?status=active")).await.done()["data"][0]["id"],
            made["id"]
        );
        server.terminate();
    });
}
