//! What answers consist of: exactly the members that clients know, none of them absent or null where they do not
//! expect it.

use chancery_testkit::{Answer, Engine, MovableClock};
use http::Method;
use serde_json::{Value, json};

use super::{assert_time, members};
use crate::portal::shop::{DEVICE, PLAN, PRODUCT, SEATS, Shop, Style, act, activate};
use crate::portal::{block_on, on_both_engines};

on_both_engines!(objects_have_exactly_their_members, refusals_come_from_the_router_too, rates_are_told);

const LICENSE: [&str; 12] = [
    "active_entitlements",
    "active_seats",
    "expires_at",
    "key",
    "metadata",
    "mode",
    "object",
    "plan_key",
    "product",
    "seat_limit",
    "starts_at",
    "status",
];
const ACTIVATION: [&str; 10] = [
    "activated_at",
    "deactivated_at",
    "device_name",
    "fingerprint",
    "id",
    "ip_address",
    "license",
    "license_key",
    "metadata",
    "object",
];

#[track_caller]
fn assert_license(license: &Value, key: &str, status: &str, seats: u64) {
    assert_eq!(members(license), LICENSE);
    assert_eq!(license["object"], "license");
    assert_eq!(license["key"], key);
    assert_eq!(license["status"], status);
    assert_eq!(license["mode"], "hardware_locked");
    assert_eq!(license["plan_key"], PLAN);
    assert_eq!(license["active_seats"], seats);
    assert_eq!(license["product"], json!({ "slug": PRODUCT, "name": format!("Product {PRODUCT}") }));
    let mut entitled = Vec::new();
    for entitlement in license["active_entitlements"].as_array().unwrap() {
        assert_eq!(members(entitlement), ["expires_at", "key", "metadata"]);
        entitled.push(entitlement["key"].as_str().unwrap());
    }
    entitled.sort_unstable();
    assert_eq!(entitled, ["export", "reports"]);
    for end in ["starts_at", "expires_at"] {
        if !license[end].is_null() {
            assert_time(&license[end]);
        }
    }
    assert!(license["metadata"].is_null() || license["metadata"].is_object());
}

#[track_caller]
fn assert_activation(activation: &Value, key: &str, seats: u64) {
    assert_eq!(members(activation), ACTIVATION);
    assert_eq!(activation["object"], "activation");
    assert!(activation["id"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(activation["fingerprint"], DEVICE);
    assert_eq!(activation["license_key"], key);
    assert_eq!(activation["deactivated_at"], Value::Null);
    assert_eq!(activation["ip_address"], "127.0.0.1");
    assert_time(&activation["activated_at"]);
    assert_license(&activation["license"], key, "active", seats);
}

fn objects_have_exactly_their_members(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        for style in Style::BOTH {
            let sold = shop.sell(&[]);
            let key = &sold.key;
            let call = async |action, more| act(&client, style, action, key, DEVICE, more).await;

            let before = call("validate", json!({})).await.done();
            assert_eq!(
                members(&before),
                ["activation", "code", "license", "message", "object", "valid", "warnings"]
            );
            assert_eq!((&before["object"], &before["valid"]), (&json!("validation_result"), &json!(false)));
            assert_eq!(
                (&before["code"], &before["activation"]),
                (&json!("device_not_activated"), &Value::Null)
            );
            let message = before["message"].as_str().unwrap();
            assert!((1..=1_024).contains(&message.len()) && !message.contains('\n'), "{message}");
            assert_license(&before["license"], key, "pending", 0);
            assert_eq!(before["license"]["seat_limit"], SEATS);

            let metadata = json!({ "site": "plant 7", "deep": { "n": [1, null, true] } });
            let named = json!({ "device_name": "Factory PLC 07", "metadata": metadata });
            let activated = call("activate", named).await.done();
            assert_activation(&activated, key, 1);
            assert_eq!(activated["device_name"], "Factory PLC 07");
            assert_eq!(activated["metadata"], metadata);
            let again = call("activate", json!({})).await.done();
            assert_eq!(again, activated);

            let valid = call("validate", json!({})).await.done();
            assert_eq!(valid["valid"], true);
            assert_eq!((&valid["code"], &valid["message"]), (&Value::Null, &Value::Null));
            assert!(valid["warnings"].is_null() || valid["warnings"].is_array());
            assert_activation(&valid["activation"], key, 1);
            assert_license(&valid["license"], key, "active", 1);

            let heard = call("heartbeat", json!({})).await.done();
            assert_eq!(members(&heard), ["license", "object", "received_at"]);
            assert_eq!(heard["object"], "heartbeat");
            assert_time(&heard["received_at"]);
            assert_license(&heard["license"], key, "active", 1);

            assert_machine_file(&call("machine-file", json!({})).await.done(), key);

            let left = call("deactivate", json!({})).await.done();
            assert_eq!(members(&left), ["activation_id", "deactivated_at", "object"]);
            assert_eq!((&left["object"], &left["activation_id"]), (&json!("deactivation"), &activated["id"]));
            assert_time(&left["deactivated_at"]);
        }
        what_may_be_null_is(&shop).await;
        what_needs_no_key(&shop).await;
        server.terminate();
    });
}

#[track_caller]
fn assert_machine_file(file: &Value, key: &str) {
    assert_eq!(members(file), ["data"]);
    let data = &file["data"];
    assert_eq!(members(data), ["attributes", "relationships", "type"]);
    assert_eq!(data["type"], "machine-files");
    let attributes = &data["attributes"];
    assert_eq!(members(attributes), ["algorithm", "certificate", "expiry", "issued", "ttl"]);
    assert_eq!(attributes["algorithm"], "aes-256-gcm+ed25519");
    assert_eq!(attributes["ttl"], 20 * 86_400);
    assert_time(&attributes["issued"]);
    assert_time(&attributes["expiry"]);
    let related = |kind: &str, id: &str| json!({ "data": { "type": kind, "id": id } });
    let expected = json!({ "license": related("licenses", key), "machine": related("machines", DEVICE) });
    assert_eq!(data["relationships"], expected);
}

/// A licence without end, limit and metadata, and a device without name.
async fn what_may_be_null_is(shop: &Shop) {
    let sold = shop.sell(&[]);
    let change = "starts_at = NULL, expires_at = NULL, seat_limit = NULL, metadata = NULL";
    assert_eq!(shop.sql(&format!("UPDATE licenses SET {change} WHERE id = '{}'", sold.id)), 1);
    let activated = activate(&shop.client(&shop.publishable_key()), &sold.key, DEVICE).await;
    assert_activation(&activated, &sold.key, 1);
    for member in ["device_name", "metadata"] {
        assert_eq!(activated[member], Value::Null, "{member}");
    }
    for member in ["starts_at", "expires_at", "seat_limit", "metadata"] {
        assert_eq!(activated["license"][member], Value::Null, "{member}");
    }
}

/// What clients send along with every request is ignored where no key is needed.
async fn what_needs_no_key(shop: &Shop) {
    let kid = shop.signing_key(PRODUCT, "prod");
    for client in [shop.anonymous(), shop.client("pk_live_unknown")] {
        for headers in [&[][..], &[("content-type", "application/json")]] {
            let get = async |path: String| client.send(Method::GET, &path, headers, "").await;
            let health = get("/api/v1/health".to_owned()).await.done();
            assert_eq!(members(&health), ["api_version", "object", "status", "timestamp"]);
            assert_eq!((&health["status"], &health["api_version"]), (&json!("healthy"), &json!("v1")));
            assert_time(&health["timestamp"]);

            let signing_key = get(format!("/api/v1/signing_keys/{kid}")).await.done();
            assert_eq!(
                members(&signing_key),
                ["algorithm", "created_at", "key_id", "object", "public_key", "status"]
            );
            assert_eq!(signing_key["object"], "signing_key");
            assert_eq!(signing_key["key_id"], kid.as_str());
            assert_eq!(signing_key["algorithm"], "Ed25519");
            assert_eq!(signing_key["status"], "active");
            assert_eq!(signing_key["public_key"].as_str().unwrap().len(), 44);
            assert_time(&signing_key["created_at"]);
        }
    }
}

fn refusals_come_from_the_router_too(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        let activate = format!("/api/v1/products/{PRODUCT}/licenses/activate");

        for path in [
            "/",
            "/api",
            "/api/v1",
            "/api/v1/",
            "/api/v1/nothing",
            "/api/v1/health/",
            "/api/v1//health",
            "/api/v1/HEALTH",
            "/api/v1/health/../health",
            "/api/v2/health",
            "/api/v1/products/%ff/licenses/activate/x",
        ] {
            for method in [Method::GET, Method::POST] {
                client.send(method, path, &[], "").await.refused(404, "not_found");
            }
        }
        for (method, path) in [
            (Method::DELETE, activate.as_str()),
            (Method::PUT, activate.as_str()),
            (Method::POST, "/api/v1/health"),
            (Method::DELETE, "/api/v1/signing_keys/x"),
        ] {
            let answer = client.send(method, path, &[], "").await;
            answer.refused(405, "invalid_arguments");
            assert!(answer.header("allow").is_some_and(|allow| !allow.is_empty()), "{answer:?}");
        }
        for body in ["{", "[]", "\"x\"", "null", "7", "\u{feff}{}", "{\"fingerprint\":\"\u{1}\"}", "{} {}"] {
            client.send(Method::POST, &activate, &[], body).await.refused(400, "invalid_arguments");
        }
        let bytes: Vec<u8> = vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}'];
        client.send(Method::POST, &activate, &[], bytes).await.refused(400, "invalid_arguments");
        let long = format!("{{\"metadata\":{{\"x\":\"{}\"}}}}", "x".repeat(1_100_000));
        client.send(Method::POST, &activate, &[], long).await.refused(400, "invalid_arguments");
        let deep = format!("{{\"metadata\":{}1{}}}", "{\"x\":".repeat(5_000), "}".repeat(5_000));
        client.send(Method::POST, &activate, &[], deep).await.refused(400, "invalid_arguments");
        // Whatever a client says that the body is.
        let odd = client.send(Method::POST, &activate, &[("content-encoding", "gzip")], "{}").await;
        odd.refused(400, "parameter_missing");
        server.terminate();
    });
}

fn rates_are_told(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&[]).key;
        shop.configure(|config| {
            config["limits"] = json!({ "requests_per_key": "5/1h", "requests_per_ip": "4/1h" });
        });
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        // What a client does at its start fits, whatever the answers are.
        for (remaining, action) in [(4, "activate"), (3, "machine-file"), (2, "validate"), (1, "nonsense")] {
            let answer = act(&client, Style::Path, action, &key, DEVICE, json!({})).await;
            if action != "nonsense" {
                answer.done();
                assert_rate(&answer, 5, remaining);
                assert_eq!(answer.header("retry-after"), None);
            }
        }
        let refused = act(&client, Style::Body, "heartbeat", &key, "unknown-device", json!({})).await;
        refused.refused(422, "device_not_activated");
        let left: u64 = refused.header("x-ratelimit-remaining").unwrap().parse().unwrap();
        for _ in 0..left {
            act(&client, Style::Body, "heartbeat", &key, DEVICE, json!({})).await.done();
        }
        let limited = act(&client, Style::Body, "heartbeat", &key, DEVICE, json!({})).await;
        limited.refused(429, "rate_limited");
        assert_rate(&limited, 5, 0);
        let seconds: u64 = limited.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=720).contains(&seconds), "{limited:?}");
        // Another key is another caller.
        activate(&shop.client(&shop.publishable_key()), &key, DEVICE).await;

        // Without a key, and with wrong ones, the address is counted.
        for (remaining, client) in
            [(3, shop.anonymous()), (2, shop.client("pk_live_x")), (1, shop.client("x"))]
        {
            let answer = client.get(&format!("/products/{PRODUCT}/licenses")).await;
            assert_eq!(answer.status, 401);
            assert_rate(&answer, 4, remaining);
        }
        let health = shop.anonymous().get("/health").await;
        health.done();
        assert_rate(&health, 4, 0);
        for answer in [shop.anonymous().get("/health").await, shop.client("guess").get("/products").await] {
            answer.refused(429, "rate_limited");
            assert_rate(&answer, 4, 0);
            assert!(answer.header("retry-after").is_some());
        }
        server.terminate();
    });
}

#[track_caller]
fn assert_rate(answer: &Answer, limit: u64, remaining: u64) {
    let number = |name| -> Option<u64> { answer.header(name)?.parse().ok() };
    assert_eq!(number("x-ratelimit-limit"), Some(limit), "{answer:?}");
    assert_eq!(number("x-ratelimit-remaining"), Some(remaining), "{answer:?}");
    let now = u64::try_from(MovableClock::new().now().unix_seconds()).unwrap();
    let reset = number("x-ratelimit-reset").unwrap();
    assert!(((now - 5)..=(now + 3_601)).contains(&reset), "{reset} at {now}: {answer:?}");
}
