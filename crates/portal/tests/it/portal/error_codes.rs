//! Every error code of the API, by a request that earns it, in both styles.

use std::collections::BTreeSet;

use chancery_testkit::{Answer, Engine, PortalClient, SoldLicense};
use http::Method;
use serde_json::{Value, json};

use super::shop::{DEVICE, OTHER_PRODUCT, PLAN, PRODUCT, SEATS, Shop, Style, act, act_on, activate};
use super::{block_on, on_both_engines};

on_both_engines!(each_code_is_earned);

/// All that there are.
const CODES: [&str; 18] = [
    "activation_not_found",
    "already_deactivated",
    "authentication_required",
    "device_not_activated",
    "expired",
    "forbidden",
    "invalid_api_key",
    "invalid_arguments",
    "license_not_found",
    "not_active",
    "not_found",
    "parameter_missing",
    "product_mismatch",
    "product_not_found",
    "rate_limited",
    "revoked",
    "seat_limit_exceeded",
    "suspended",
];

/// What every client can do.
const ACTIONS: [&str; 5] = ["activate", "validate", "heartbeat", "machine-file", "deactivate"];

/// A well-formed key of no licence, and keys that nobody was ever sold.
const WRONG_KEYS: [&str; 3] = ["CRT-ABCDEF-ABCDEF-ABCDEF-ABCDEF-ABCDEF", "not-a-key", "CRT-"];

/// Clients, and which codes they were refused with.
struct Ledger {
    client: PortalClient,
    earned: BTreeSet<String>,
}

impl Ledger {
    #[track_caller]
    fn refused(&mut self, answer: &Answer, status: u16, code: &str) -> Value {
        self.earned.insert(code.to_owned());
        answer.refused(status, code)
    }

    /// Does that action in both styles, which both have to be refused alike.
    async fn refuses(&mut self, action: &str, key: &str, device: &str, status: u16, code: &str) {
        for style in Style::BOTH {
            let answer = act(&self.client, style, action, key, device, json!({})).await;
            self.refused(&answer, status, code);
        }
    }
}

fn each_code_is_earned(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let mut server = shop.serve();
        let mut ledger = Ledger { client: shop.client(&shop.publishable_key()), earned: BTreeSet::new() };

        what_is_asked_for_wrongly(&shop, &mut ledger).await;
        who_asks(&shop, &mut ledger).await;
        what_is_not_there(&shop, &mut ledger).await;
        licences_that_do_not_count(&shop, &mut ledger).await;
        seats(&shop, &mut ledger).await;
        server.terminate();

        shop.configure(|config| config["limits"] = json!({ "requests_per_key": "1/1h" }));
        server.restart();
        let client = shop.client(&shop.publishable_key());
        client.get("/products/none/licenses/none").await;
        let limited = client.get("/products/none/licenses/none").await;
        ledger.refused(&limited, 429, "rate_limited");
        server.terminate();

        assert_eq!(ledger.earned.iter().map(String::as_str).collect::<Vec<_>>(), CODES);
    });
}

async fn what_is_asked_for_wrongly(shop: &Shop, ledger: &mut Ledger) {
    let key = shop.sell(&[]).key;
    let client = ledger.client.clone();
    for action in ACTIONS {
        let in_body = format!("/products/{PRODUCT}/licenses/{action}");
        let in_path = format!("/products/{PRODUCT}/licenses/{key}/{action}");
        let no_device = client.post(&in_body, &json!({ "license_key": key })).await;
        assert_eq!(ledger.refused(&no_device, 400, "parameter_missing")["details"]["field"], "fingerprint");
        let no_device = client.post(&in_path, &json!({})).await;
        assert_eq!(ledger.refused(&no_device, 400, "parameter_missing")["details"]["field"], "fingerprint");
        let no_key = client.post(&in_body, &json!({ "fingerprint": DEVICE })).await;
        assert_eq!(ledger.refused(&no_key, 400, "parameter_missing")["details"]["field"], "license_key");
        ledger.refuses(action, &key, "short", 400, "invalid_arguments").await;
    }
}

async fn who_asks(shop: &Shop, ledger: &mut Ledger) {
    let key = shop.sell(&[]).key;
    let licences = format!("/products/{PRODUCT}/licenses");
    for action in ACTIONS {
        for style in Style::BOTH {
            let nobody = act(&shop.anonymous(), style, action, &key, DEVICE, json!({})).await;
            ledger.refused(&nobody, 401, "authentication_required");
            for wrong in ["pk_live_unknown", "sk_test_0000000000", ""] {
                let wrong = shop.anonymous().with_key(wrong);
                let answer = act(&wrong, style, action, &key, DEVICE, json!({})).await;
                ledger.refused(&answer, 401, "invalid_api_key");
            }
        }
    }
    for scheme in ["Basic eDp5", "Bearer", "pk_live_unknown"] {
        let (nobody, path) = (shop.anonymous(), format!("/api/v1{licences}"));
        let answer = nobody.send(Method::GET, &path, &[("authorization", scheme)], "").await;
        ledger.refused(&answer, 401, "invalid_api_key");
    }
    // A publishable key does client actions alone.
    let sold = ledger.client.post(&licences, &json!({ "plan_key": PLAN })).await;
    ledger.refused(&sold, 403, "forbidden");
    let listed = ledger.client.get(&licences).await;
    ledger.refused(&listed, 403, "forbidden");
}

async fn what_is_not_there(shop: &Shop, ledger: &mut Ledger) {
    let key = shop.sell(&[]).key;
    let others = shop.license(OTHER_PRODUCT, PLAN, &[]).key;
    for action in ACTIONS {
        for wrong in WRONG_KEYS {
            ledger.refuses(action, wrong, DEVICE, 404, "license_not_found").await;
        }
        ledger.refuses(action, &misspelt(&key), DEVICE, 404, "license_not_found").await;
        ledger.refuses(action, &others, DEVICE, 422, "product_mismatch").await;
        for style in Style::BOTH {
            let answer = act_on(&ledger.client, "no-such", style, action, &key, DEVICE, json!({})).await;
            ledger.refused(&answer, 404, "product_not_found");
        }
    }
    ledger.refuses("deactivate", &key, "never-seen", 404, "activation_not_found").await;
    for path in ["/signing_keys/unknown", "/nothing", "/releases", "/products/my-app/releases"] {
        let answer = ledger.client.get(path).await;
        ledger.refused(&answer, 404, "not_found");
    }
    let token =
        ledger.client.post(&format!("/products/{PRODUCT}/licenses/{key}/offline-token"), &json!({})).await;
    ledger.refused(&token, 404, "not_found");
}

async fn licences_that_do_not_count(shop: &Shop, ledger: &mut Ledger) {
    let update = |license: &SoldLicense, change: &str| {
        assert_eq!(shop.sql(&format!("UPDATE licenses SET {change} WHERE id = '{}'", license.id)), 1);
    };
    for (code, change) in [
        ("expired", "expires_at = 1000000"),
        ("revoked", "status = 'revoked'"),
        ("suspended", "status = 'suspended'"),
        ("not_active", "starts_at = 4000000000000, expires_at = NULL"),
    ] {
        let sold = shop.sell(&[]);
        let held = activate(&ledger.client, &sold.key, DEVICE).await;
        update(&sold, change);
        for action in ["activate", "heartbeat", "machine-file"] {
            ledger.refuses(action, &sold.key, DEVICE, 422, code).await;
            ledger.refuses(action, &sold.key, "another-device", 422, code).await;
        }
        // Whoever validates is told all the same, with the whole licence.
        for style in Style::BOTH {
            for (device, activation) in [(DEVICE, &held["id"]), ("another-device", &Value::Null)] {
                let told = act(&ledger.client, style, "validate", &sold.key, device, json!({})).await.done();
                assert_eq!((&told["valid"], &told["code"]), (&json!(false), &json!(code)), "{told}");
                assert_eq!(told["activation"]["id"], *activation, "{told}");
                assert_eq!(told["license"]["active_seats"], 1, "{told}");
                if code != "not_active" {
                    assert_eq!(told["license"]["status"], code, "{told}");
                }
            }
        }
        // A seat is given back whatever the licence is worth.
        act(&ledger.client, Style::Body, "deactivate", &sold.key, DEVICE, json!({})).await.done();
    }
}

async fn seats(shop: &Shop, ledger: &mut Ledger) {
    let key = shop.sell(&[]).key;
    ledger.refuses("heartbeat", &key, DEVICE, 422, "device_not_activated").await;
    ledger.refuses("machine-file", &key, DEVICE, 422, "device_not_activated").await;
    for number in 0..SEATS {
        activate(&ledger.client, &key, &format!("device-number-{number}")).await;
    }
    ledger.refuses("activate", &key, DEVICE, 422, "seat_limit_exceeded").await;
    let path = Style::Path;
    act(&ledger.client, path, "deactivate", &key, "device-number-0", json!({})).await.done();
    ledger.refuses("deactivate", &key, "device-number-0", 422, "already_deactivated").await;
    ledger.refuses("heartbeat", &key, "device-number-0", 422, "device_not_activated").await;
}

/// The key with two neighbouring characters exchanged, which its check digits notice.
fn misspelt(key: &str) -> String {
    let mut letters: Vec<char> = key.chars().collect();
    let place = (4..letters.len() - 1).find(|place| {
        letters[*place] != letters[*place + 1] && letters[*place] != '-' && letters[*place + 1] != '-'
    });
    let place = place.unwrap();
    letters.swap(place, place + 1);
    letters.into_iter().collect()
}
