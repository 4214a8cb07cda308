//! A client library that was written for another service with this API, unchanged.
//!
//! It holds every answer to its own rules, and takes nothing from one that breaks any of them.

use std::path::PathBuf;

use chancery_testkit::{Engine, PortalSite, free_port, licenseseat};
use serde_json::{Value, json};

use super::shop::{DEVICE, OTHER_PRODUCT, PLAN, PRODUCT, SEATS, Shop};
use super::{PORTAL, on_both_engines};

on_both_engines!(
    a_device_lives_with_its_licence_online_and_off,
    every_refusal_is_understood,
    whatever_the_portal_takes_in_the_client_takes_out,
);

/// A program that was built with the library.
struct Program<'a> {
    origin: String,
    api_key: &'a str,
    product: &'a str,
    license_key: &'a str,
    fingerprint: &'a str,
    /// Where the library keeps what it remembers.
    storage: PathBuf,
    /// The signing key that came with the program: its id and itself.
    pinned: Option<(&'a str, &'a str)>,
}

impl<'a> Program<'a> {
    fn new(shop: &Shop, api_key: &'a str, license_key: &'a str, fingerprint: &'a str) -> Self {
        Self {
            // The library takes plain HTTP on loopback alone.
            origin: shop.url().replace("https://", "http://"),
            api_key,
            product: PRODUCT,
            license_key,
            fingerprint,
            storage: shop.beside(&format!("{license_key}-{fingerprint}")),
            pinned: None,
        }
    }

    /// Starts the program, has it take these steps, and gives what each of them came to.
    #[track_caller]
    fn run<const N: usize>(&self, steps: [&str; N]) -> [Value; N] {
        let base = format!("{}/api/v1", self.origin);
        let mut setup = vec![
            ("LICENSESEAT_BASE_URL", base.as_str()),
            ("LICENSESEAT_API_KEY", self.api_key),
            ("LICENSESEAT_PRODUCT_SLUG", self.product),
            ("LICENSESEAT_LICENSE_KEY", self.license_key),
            ("LICENSESEAT_FINGERPRINT", self.fingerprint),
            ("LICENSESEAT_STORAGE", self.storage.to_str().unwrap()),
        ];
        if let Some((id, key)) = self.pinned {
            setup.extend([("LICENSESEAT_SIGNING_KEY_ID", id), ("LICENSESEAT_SIGNING_PUBLIC_KEY", key)]);
        }
        let told = licenseseat(&setup, &steps).succeeded();
        let lines: Vec<Value> = told.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.try_into().unwrap_or_else(|_| panic!("not a line for each step: {told}"))
    }

    /// What one step came to, which has to work.
    #[track_caller]
    fn does(&self, step: &str) -> Value {
        let [told] = self.run([step]);
        told.get("done").unwrap_or_else(|| panic!("{told}")).clone()
    }

    /// Takes one step, which the portal has to refuse in a way that the library takes from it.
    #[track_caller]
    fn is_refused(&self, step: &str, status: u16, code: &str) {
        let [told] = self.run([step]);
        let refused = &told["refused"];
        assert_eq!((&refused["status"], &refused["code"]), (&json!(status), &json!(code)), "{told}");
    }
}

/// A shop whose portal speaks plain HTTP, as behind a proxy.
fn open(engine: Engine) -> Shop {
    let shop = Shop::stocked(PortalSite::new(PORTAL, engine));
    shop.configure(|config| config["server"]["behind_proxy"] = json!(true));
    shop
}

fn a_device_lives_with_its_licence_online_and_off(engine: Engine) {
    let shop = open(engine);
    let (sold, api_key) = (shop.sell(&[]), shop.publishable_key());
    let mut server = shop.serve();
    let program = Program::new(&shop, &api_key, &sold.key, DEVICE);

    let [health, activated, status, valid, beat, export, none, out, opened, elsewhere, releases, token] =
        program.run([
            "health",
            "activate",
            "status",
            "validate",
            "heartbeat",
            "entitlement:export",
            "entitlement:none",
            "check-out:5",
            "open",
            "open:another-machine",
            "releases",
            "offline-token",
        ]);
    assert_eq!(health["done"]["api_version"], "v1", "{health}");
    // The library fetched a signing key and a machine file by itself, and opened the file.
    assert_eq!(activated["done"]["machine_file"], "ready", "{activated}");
    let activation = activated["done"]["license"]["activation_id"].clone();
    assert!(activation.is_string(), "{activated}");
    assert_eq!(status["done"], "active", "{status}");
    assert_eq!(valid["done"]["valid"], true, "{valid}");
    let held = &valid["done"]["activation"];
    assert_eq!((&held["id"], &held["device_name"]), (&activation, &json!("Factory PLC 07")), "{valid}");
    assert_eq!(held["metadata"], json!({ "line": { "number": 7, "halls": ["a", "ä"] } }), "{valid}");
    assert_eq!(valid["done"]["license"]["active_seats"], 1, "{valid}");
    assert_eq!(valid["done"]["license"]["seat_limit"], SEATS, "{valid}");
    assert_eq!(beat["done"]["object"], "heartbeat", "{beat}");
    assert_eq!((&export["done"], &none["done"]), (&json!(true), &json!(false)));
    assert_eq!(out["done"]["ttl"], 5 * 86_400, "{out}");
    let payload = &opened["done"]["payload"];
    assert_eq!(opened["done"]["valid"], true, "{opened}");
    assert_eq!((&payload["machine_id"], &payload["ttl"]), (&activation, &out["done"]["ttl"]), "{opened}");
    assert_eq!(payload["license"]["plan_key"], PLAN, "{opened}");
    assert!(payload["fingerprint_components"]["hostname"].is_string(), "{opened}");
    assert_eq!(elsewhere["done"]["code"], "decryption_failed", "{elsewhere}");
    for later in [releases, token] {
        assert_eq!(later["refused"]["code"], "not_found", "{later}");
    }

    let key_id = out["done"]["key_id"].as_str().unwrap();
    let public_key = program.does(&format!("signing-key:{key_id}"));
    let restored = program.does("restore");
    assert_eq!((&restored["restored"], restored["validation"].get("offline")), (&json!(true), None));
    // Without a network, it counts what the file says.
    let offline = Program {
        origin: format!("http://localhost:{}", free_port()),
        pinned: Some((key_id, public_key.as_str().unwrap())),
        ..Program::new(&shop, &api_key, &sold.key, DEVICE)
    };
    let [restored, export, none] = offline.run(["restore", "entitlement:export", "entitlement:none"]);
    let found = &restored["done"];
    assert_eq!(
        (&found["restored"], &found["validation"]["offline"]),
        (&json!(true), &json!(true)),
        "{found}"
    );
    assert_eq!((&export["done"], &none["done"]), (&json!(true), &json!(false)));

    assert_eq!(shop.active_activations(), 1);
    program.does("deactivate");
    assert_eq!(shop.active_activations(), 0);
    program.does("deactivate");
    let found = program.does("validate");
    assert_eq!((&found["valid"], &found["code"]), (&json!(false), &json!("device_not_activated")), "{found}");
    server.terminate();
}

fn every_refusal_is_understood(engine: Engine) {
    let shop = open(engine);
    let api_key = shop.publishable_key();
    let mut server = shop.serve();
    let between = |starts, expires| ["update", "--starts", starts, "--expires", expires];
    let (past, future) = ("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
    for (change, code) in [
        (&["revoke", "--reason", "unpaid"][..], "revoked"),
        (&["suspend"], "suspended"),
        (&between(past, "2021-01-01T00:00:00Z"), "expired"),
        (&between(future, "2101-01-01T00:00:00Z"), "not_active"),
    ] {
        let sold = shop.sell(&[]);
        let program = Program::new(&shop, &api_key, &sold.key, DEVICE);
        assert_eq!(program.does("activate")["machine_file"], "ready");
        shop.run(&[&["license", change[0], &sold.id], &change[1..]].concat()).succeeded();
        for step in ["activate", "heartbeat", "check-out"] {
            program.is_refused(step, 422, code);
        }
        let found = program.does("validate");
        assert_eq!((&found["valid"], &found["code"]), (&json!(false), &json!(code)), "{found}");
        program.does("deactivate");
    }
    assert_eq!(shop.active_activations(), 0);

    let single = shop.sell(&["--seat-limit", "1"]);
    Program::new(&shop, &api_key, &single.key, DEVICE).does("activate");
    let second = Program::new(&shop, &api_key, &single.key, "another-device");
    second.is_refused("activate", 422, "seat_limit_exceeded");
    second.is_refused("heartbeat", 422, "device_not_activated");
    second.is_refused("check-out", 422, "device_not_activated");

    let others = shop.license(OTHER_PRODUCT, PLAN, &[]).key;
    // The library takes only an answer with the very key that it sent.
    let typed = single.key.to_lowercase();
    for (key, status, code) in [
        (others.as_str(), 422, "product_mismatch"),
        ("CRT-ABCDEF-ABCDEF-ABCDEF-ABCDEF-ABCDEF", 404, "license_not_found"),
        (typed.as_str(), 404, "license_not_found"),
    ] {
        let program = Program::new(&shop, &api_key, key, DEVICE);
        for step in ["activate", "validate", "heartbeat", "check-out"] {
            program.is_refused(step, status, code);
        }
    }
    let program = Program::new(&shop, "pk_live_unknown", &single.key, DEVICE);
    program.is_refused("validate", 401, "invalid_api_key");
    let program = Program { product: "no-such", ..Program::new(&shop, &api_key, &single.key, DEVICE) };
    program.is_refused("validate", 404, "product_not_found");
    assert_eq!(shop.active_activations(), 1);
    server.terminate();
}

/// The largest of everything that the portal allows is within what the library allows.
fn whatever_the_portal_takes_in_the_client_takes_out(engine: Engine) {
    let shop = open(engine);
    let name = format!("{}x", "é".repeat(127));
    shop.json(&["product", "update", PRODUCT, "--name", &name]);
    let entitlements: Vec<Value> =
        (0..500).map(|number| json!({ "key": format!("{number:0100}") })).collect();
    // As much as one argument of a program can be.
    let metadata = json!({ "text": "x".repeat(64 * 1_024), "numbers": vec![-1.5e300; 4_000] }).to_string();
    let sold = shop.sell(&[
        "--seat-limit",
        "unlimited",
        "--no-end",
        "--entitlements",
        &Value::from(entitlements).to_string(),
        "--metadata",
        &metadata,
    ]);
    let (api_key, fingerprint) = (shop.publishable_key(), "ü".repeat(127));
    let mut server = shop.serve();

    let program =
        Program { storage: shop.beside("storage"), ..Program::new(&shop, &api_key, &sold.key, &fingerprint) };
    let [activated, found, out, opened] = program.run(["activate", "validate", "check-out:36600", "open"]);
    assert_eq!(activated["done"]["machine_file"], "ready", "{activated:.300}");
    let license = &found["done"]["license"];
    assert_eq!(license["product"]["name"], name, "{found:.300}");
    assert_eq!(license["active_entitlements"].as_array().unwrap().len(), 500);
    assert_eq!(license["metadata"]["text"].as_str().unwrap().len(), 64 * 1_024);
    assert_eq!(license["seat_limit"], Value::Null);
    assert_eq!(out["done"]["ttl"], 3_650 * 86_400, "{out}");
    let payload = &opened["done"]["payload"];
    assert_eq!(payload["license"]["metadata"], license["metadata"]);
    assert_eq!(payload["license"]["active_entitlements"].as_array().unwrap().len(), 500);
    server.terminate();
}
