//! What is taken in is bounded, so that every machine file that is made of it later can be opened.

use base64ct::{Base64, Encoding as _};
use chancery_license::PublicKey;
use chancery_license::machine_file::{Expected, MachineFile, Standing, open};
use chancery_testkit::{Engine, MovableClock, PortalClient};
use chancery_time::Timestamp;
use serde_json::{Map, Value, json};

use crate::portal::shop::{DEVICE, PRODUCT, Shop, Style, act, activate};
use crate::portal::{block_on, on_both_engines};

on_both_engines!(what_is_too_long_is_refused, what_just_fits_opens, terms_are_clipped);

const DAY: i64 = 86_400;

/// The public key under which the portal signs, as a program fetches it.
async fn fetch_key(client: &PortalClient, kid: &str) -> PublicKey {
    let told = client.get(&format!("/signing_keys/{kid}")).await.done();
    let raw = Base64::decode_vec(told["public_key"].as_str().unwrap()).unwrap();
    PublicKey::from_ed25519(&raw.try_into().unwrap()).unwrap()
}

/// Opens the machine file of an answer as the device does.
async fn opened(client: &PortalClient, kid: &str, file: &Value, key: &str, device: &str) -> MachineFile {
    let keys = [(kid.to_owned(), fetch_key(client, kid).await)];
    let expected = Expected {
        license_key: key,
        fingerprint: device,
        product_slug: PRODUCT,
        keys: &keys,
        now: MovableClock::new().now(),
        watermark: None,
    };
    open(file["data"]["attributes"]["certificate"].as_str().unwrap(), &expected).unwrap()
}

/// An object of so many bytes of JSON, in four texts.
fn object_of(bytes: usize) -> Value {
    let texts =
        |last| json!({ "x": ["x".repeat(bytes / 4), "x".repeat(bytes / 4), "x".repeat(bytes / 4), last] });
    let missing = bytes - texts(String::new()).to_string().len();
    texts("x".repeat(missing))
}

/// Objects in objects, so many levels of them.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inner, _| json!({ "x": inner }))
}

fn members(count: usize) -> Value {
    (0..count).map(|number| (format!("m{number}"), json!(number))).collect::<Map<_, _>>().into()
}

/// An object that is, with everything in it, so many values.
fn nodes(count: usize) -> Value {
    json!({ "x": vec![0; count - 2] })
}

fn what_is_too_long_is_refused(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&["--seat-limit", "100"]).key;
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        for device in ["1234567", &"x".repeat(256), "with\nbreak", "with\u{7f}delete"] {
            for action in ["activate", "validate", "deactivate", "heartbeat", "machine-file"] {
                let answer = act(&client, Style::Body, action, &key, device, json!({})).await;
                let error = answer.refused(400, "invalid_arguments");
                assert_eq!(error["details"]["field"], "fingerprint", "{action} of {device:?}: {error}");
            }
        }
        for (wrong, field) in [
            (json!({ "device_name": "" }), "device_name"),
            (json!({ "device_name": "x".repeat(256) }), "device_name"),
            (json!({ "device_name": "é".repeat(128) }), "device_name"),
            (json!({ "device_name": "a\nb" }), "device_name"),
            (json!({ "metadata": object_of(131_073) }), "metadata"),
            (json!({ "metadata": { "x": "x".repeat(65_537) } }), "metadata"),
            (json!({ "metadata": nested(21) }), "metadata"),
            (json!({ "metadata": members(257) }), "metadata"),
            (json!({ "metadata": nodes(4_097) }), "metadata"),
        ] {
            let answer = act(&client, Style::Body, "activate", &key, DEVICE, wrong).await;
            assert_eq!(answer.refused(400, "invalid_arguments")["details"]["field"], field);
        }
        assert_eq!(shop.active_activations(), 0);
        activate(&client, &key, DEVICE).await;
        let components = |count: usize, value: &str| {
            (0..count).map(|number| (format!("c{number}"), json!(value))).collect::<Map<_, _>>()
        };
        for (wrong, field) in [
            (json!({ "fingerprint_components": components(65, "x") }), "fingerprint_components"),
            (json!({ "fingerprint_components": { "cpu": "" } }), "fingerprint_components"),
            (json!({ "fingerprint_components": { "cpu": "x".repeat(1_025) } }), "fingerprint_components"),
            (json!({ "ttl": 0 }), "ttl"),
            (json!({ "ttl": -1 }), "ttl"),
            (json!({ "grace_period": -1 }), "grace_period"),
            (json!({ "grace_period": 31 }), "grace_period"),
            (json!({ "include": ["license", "everything"] }), "include"),
        ] {
            let answer = act(&client, Style::Path, "machine-file", &key, DEVICE, wrong).await;
            assert_eq!(answer.refused(400, "invalid_arguments")["details"]["field"], field);
        }
        for wrong in [
            json!({ "fingerprint_components": { "cpu": 1 } }),
            json!({ "fingerprint_components": [] }),
            json!({ "ttl": "365" }),
            json!({ "ttl": 1.5 }),
            json!({ "include": "license" }),
        ] {
            let answer = act(&client, Style::Path, "machine-file", &key, DEVICE, wrong).await;
            answer.refused(400, "invalid_arguments");
        }
        server.terminate();
    });
}

fn what_just_fits_opens(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&["--seat-limit", "100"]).key;
        let kid = shop.signing_key(PRODUCT, "prod");
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        let components: Map<String, Value> =
            (0..64).map(|number| (format!("component-{number}"), json!("v".repeat(1_024)))).collect();
        for (number, metadata) in
            [json!({}), object_of(131_072), nested(20), members(256), nodes(4_096)].into_iter().enumerate()
        {
            let device = format!("{number}{}", "f".repeat(254));
            let named = json!({ "device_name": "é".repeat(127), "metadata": metadata });
            act(&client, Style::Body, "activate", &key, &device, named).await.done();
            let order =
                json!({ "fingerprint_components": components, "include": ["license"], "grace_period": 30 });
            let answer = act(&client, Style::Body, "machine-file", &key, &device, order).await;
            assert_eq!(answer.status, 201, "{answer:?}");
            let file = opened(&client, &kid, &answer.json(), &key, &device).await;
            let machine = &file.contents().machine;
            assert_eq!(machine.fingerprint, device);
            assert_eq!(Value::from(machine.metadata.members()), metadata);
            assert_eq!(machine.fingerprint_components.len(), 64);
            assert_eq!(machine.name.as_deref(), Some("é".repeat(127).as_str()));
        }
        server.terminate();
    });
}

fn terms_are_clipped(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let sold = shop.sell(&["--no-end"]);
        let kid = shop.signing_key(PRODUCT, "prod");
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        activate(&client, &sold.key, DEVICE).await;
        let file = async |order: Value| {
            let answer = act(&client, Style::Path, "machine-file", &sold.key, DEVICE, order).await.done();
            let attributes = answer["data"]["attributes"].clone();
            let file = opened(&client, &kid, &answer, &sold.key, DEVICE).await;
            let time = |member: &str| -> Timestamp { attributes[member].as_str().unwrap().parse().unwrap() };
            let (issued, expiry) = (time("issued"), time("expiry"));
            assert_eq!((file.contents().issued, file.contents().expires), (issued, expiry));
            assert_eq!(attributes["ttl"], expiry.unix_seconds() - issued.unix_seconds());
            assert_eq!(file.standing(), Standing::Valid);
            assert_eq!(file.contents().license.is_some(), attributes["ttl"] == 7 * DAY);
            (attributes["ttl"].as_i64().unwrap(), file.contents().grace.as_secs(), expiry)
        };
        for (order, ttl, grace) in [
            (json!({}), 20 * DAY, 2),
            (json!({ "ttl": null, "grace_period": null }), 20 * DAY, 2),
            (json!({ "ttl": 7, "include": ["license"] }), 7 * DAY, 2),
            (json!({ "ttl": 365, "grace_period": 0, "include": [] }), 365 * DAY, 0),
            (json!({ "ttl": 3_650, "grace_period": 30 }), 3_650 * DAY, 30),
            (json!({ "ttl": 3_651 }), 3_650 * DAY, 2),
            (json!({ "ttl": i64::MAX }), 3_650 * DAY, 2),
        ] {
            let (got, left, _) = file(order.clone()).await;
            assert_eq!((got, left), (ttl, grace * 86_400), "{order}");
        }
        // No file outlives its licence.
        let end = MovableClock::new().now().unix_millis() + 10 * DAY * 1_000 + 999;
        assert_eq!(shop.sql(&format!("UPDATE licenses SET expires_at = {end} WHERE id = '{}'", sold.id)), 1);
        let (ttl, _, expiry) = file(json!({ "ttl": 365 })).await;
        assert_eq!(expiry, Timestamp::from_unix_millis(end).whole_seconds());
        assert!((10 * DAY - 60..=10 * DAY + 1).contains(&ttl), "{ttl}");
        server.terminate();
    });
}
