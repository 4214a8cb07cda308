//! What requests may say, and what they may not.

use chancery_testkit::Engine;
use serde_json::{Value, json};

use crate::portal::shop::{DEVICE, PRODUCT, Shop, Style, act, activate};
use crate::portal::{block_on, on_both_engines};

on_both_engines!(
    clients_say_more_than_is_needed,
    both_styles_mean_the_same,
    whatever_is_repeated_is_safe,
    addresses_are_believed_of_proxies_alone,
);

const ACTIONS: [&str; 5] = ["activate", "validate", "heartbeat", "machine-file", "deactivate"];

/// What client libraries tell of themselves with every POST.
fn telemetry() -> Value {
    json!({
        "sdk_name": "csharp", "sdk_version": "0.4.0", "os_name": "macOS", "os_version": "15.1",
        "platform": "native", "device_model": "Mac15,3", "device_type": "desktop", "architecture": "arm64",
        "cpu_cores": 8, "memory_gb": 16, "locale": "en_GB", "language": "en", "timezone": "Europe/London",
        "app_version": "2.1.0", "app_build": null, "more": { "screen": [2560, 1440] },
    })
}

fn clients_say_more_than_is_needed(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&[]).key;
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        for style in Style::BOTH {
            for action in ACTIONS {
                // It gives back the seat that the actions before it need.
                activate(&client, &key, DEVICE).await;
                let aliases =
                    json!({ "device_id": DEVICE, "device_fingerprint": DEVICE, "telemetry": telemetry() });
                act(&client, style, action, &key, DEVICE, aliases).await.done();

                for wrong in [
                    json!({ "unheard_of": 1 }),
                    json!({ "fingerprint ": DEVICE }),
                    json!({ "Fingerprint": DEVICE }),
                    json!({ "device_id": "another-device" }),
                    json!({ "device_fingerprint": "another-device" }),
                    json!({ "device_id": 12_345_678 }),
                    json!({ "telemetry": "all" }),
                    json!({ "telemetry": 1 }),
                ] {
                    let answer = act(&client, style, action, &key, DEVICE, wrong.clone()).await;
                    assert_eq!(answer.status, 400, "{action} {wrong}: {answer:?}");
                    answer.refused(400, "invalid_arguments");
                }
            }
        }
        // Each of the names alone, and `null` for one that has nothing to say.
        for name in ["fingerprint", "device_id", "device_fingerprint"] {
            let mut body =
                json!({ "license_key": key, "fingerprint": null, "device_id": null, "telemetry": null });
            body[name] = json!(DEVICE);
            let done = client.post(&format!("/products/{PRODUCT}/licenses/activate"), &body).await.done();
            assert_eq!(done["fingerprint"], DEVICE);
        }
        // A member twice, as no JSON library writes it.
        let twice = format!(r#"{{"license_key":"{key}","fingerprint":"{DEVICE}","fingerprint":"{DEVICE}"}}"#);
        let path = format!("/api/v1/products/{PRODUCT}/licenses/validate");
        client.send(http::Method::POST, &path, &[], twice).await.refused(400, "invalid_arguments");
        server.terminate();
    });
}

/// A licence key in the path is the licence key; one in the body as well has to be the same.
fn both_styles_mean_the_same(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let (key, other) = (shop.sell(&[]).key, shop.sell(&[]).key);
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        let in_body = activate(&client, &key, DEVICE).await;
        let in_path = act(&client, Style::Path, "activate", &key, DEVICE, json!({})).await.done();
        assert_eq!(in_body, in_path);
        let same = json!({ "license_key": key });
        act(&client, Style::Path, "validate", &key, DEVICE, same).await.done();
        let different = json!({ "license_key": other });
        act(&client, Style::Path, "validate", &key, DEVICE, different)
            .await
            .refused(400, "invalid_arguments");

        // Programs hold the key of an answer against theirs, so another spelling is another key.
        for style in Style::BOTH {
            for action in ["activate", "validate"] {
                let told = act(&client, style, action, &key.to_lowercase(), DEVICE, json!({})).await;
                told.refused(404, "license_not_found");
            }
        }
        // As it is escaped in a URL.
        let escaped = key.replace('-', "%2D");
        act(&client, Style::Path, "validate", &escaped, DEVICE, json!({})).await.done();
        server.terminate();
    });
}

/// Clients try again after whatever they took for a failure.
fn whatever_is_repeated_is_safe(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&["--seat-limit", "1"]).key;
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        let first = activate(&client, &key, DEVICE).await;
        for style in Style::BOTH {
            for action in ["activate", "validate", "heartbeat", "machine-file"] {
                for _ in 0..3 {
                    act(&client, style, action, &key, DEVICE, json!({})).await.done();
                }
            }
        }
        let again = activate(&client, &key, DEVICE).await;
        assert_eq!((&again["id"], &again["activated_at"]), (&first["id"], &first["activated_at"]));
        assert_eq!(again["license"]["active_seats"], 1);

        // What a later activation of the same device says anew, counts; what it leaves out, stays.
        let named = json!({ "device_name": "PLC", "metadata": { "a": 1 } });
        act(&client, Style::Body, "activate", &key, DEVICE, named).await.done();
        let renamed = json!({ "device_name": "PLC 2" });
        let told = act(&client, Style::Body, "activate", &key, DEVICE, renamed).await.done();
        assert_eq!((&told["device_name"], &told["metadata"]), (&json!("PLC 2"), &json!({ "a": 1 })));

        // A seat that was given back can be taken again, as another activation.
        act(&client, Style::Body, "deactivate", &key, DEVICE, json!({})).await.done();
        act(&client, Style::Path, "deactivate", &key, DEVICE, json!({}))
            .await
            .refused(422, "already_deactivated");
        let new = activate(&client, &key, DEVICE).await;
        assert_ne!(new["id"], first["id"]);
        assert_eq!(new["license"]["active_seats"], 1);
        server.terminate();
    });
}

fn addresses_are_believed_of_proxies_alone(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&[]).key;
        let client = shop.client(&shop.publishable_key());
        let path = format!("/products/{PRODUCT}/licenses/activate");
        let address = async |device: &str| {
            let body = json!({ "license_key": key, "fingerprint": device });
            let told = client.post_with(&path, &[("x-forwarded-for", "203.0.113.9")], &body).await.done();
            told["ip_address"].clone()
        };
        let mut server = shop.serve();
        assert_eq!(address("told-by-anybody").await, "127.0.0.1");
        server.terminate();
        shop.configure(|config| config["server"]["trusted_proxies"] = json!(["127.0.0.0/8"]));
        server.restart();
        assert_eq!(address("told-by-a-proxy").await, "203.0.113.9");
        assert_eq!(
            address("told-by-anybody").await,
            "127.0.0.1",
            "the seat is the one that was taken before"
        );
        server.terminate();
    });
}
