use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::anchors::Environment;
use crate::document::rules::Rules as _;
use crate::entitlements::Database;
use crate::envelope::Envelope;
use crate::key::{InstallationKey, LicenseKey, RANDOM_BYTES};
use crate::manifest::Use;
use crate::testing::{PRODUCT, dev_root, document, key, keyring, license, manifest, root};
use crate::{License, armour, open, seal};

fn request() -> Document<Request> {
    document(Request {
        installation_key: InstallationKey::from_random(&[9; RANDOM_BYTES]),
        public_key: key(20).public().clone(),
        nonce: Nonce::from_random([1; 32]),
        counter: 7,
        license_key: Some(LicenseKey::from_random(&[7; RANDOM_BYTES])),
        machine_name: Some("ca-1".to_owned()),
        held: Held { serial: 41, revocations: 12, keys: 0 },
        metrics: Metrics {
            database: Database::Postgres,
            authorities: 2,
            managed_servers: 40,
            active_certificates: 312,
            version: "0.1.0".parse().unwrap(),
        },
    })
}

fn response() -> Document<Response> {
    document(Response {
        installation_key: InstallationKey::from_random(&[9; RANDOM_BYTES]),
        nonce: Nonce::from_random([1; 32]),
        counter: 7,
        verdict: Verdict::Licensed,
        documents: vec![seal(&document(license()), &[&root()]).unwrap()],
        warnings: vec!["the licence ends in 20 days".to_owned()],
    })
}

/// The class of what becomes of the request of the tests once its JSON was altered, signed by that key.
fn request_class(signer: &SigningKey, alter: impl FnOnce(&mut Value)) -> &'static str {
    let mut payload = serde_json::to_value(request()).unwrap();
    alter(&mut payload);
    let payload = payload.to_string().into_bytes();
    let envelope = Envelope::sign(&Kind::Request.payload_type(), payload, &[signer]).unwrap();
    let text = armour::encode(Kind::Request.label(), &envelope.write().unwrap());
    open_request(&text, PRODUCT).map_or_else(|error| error.class(), |_| "ok")
}

/// The class of what becomes of the response of the tests once it was altered.
fn response_class(alter: impl FnOnce(&mut Document<Response>)) -> &'static str {
    let mut response = response();
    alter(&mut response);
    let text = match seal(&response, &[&root()]) {
        Ok(text) => text,
        Err(SealError::Document(error)) => return error.class(),
        Err(other) => panic!("{other}"),
    };
    open_response(&text, &keyring(), &request()).map_or_else(|error| error.class(), |_| "ok")
}

#[test]
fn a_request_and_its_response_read_back() {
    let mut minimal = request();
    minimal.body.license_key = None;
    minimal.body.machine_name = None;
    for request in [request(), minimal] {
        let opened = open_request(&seal_request(&request, &key(20)).unwrap(), PRODUCT).unwrap();
        assert_eq!((opened.document(), opened.signer()), (&request, key(20).public().id()));
    }
    let text = seal(&response(), &[&root()]).unwrap();
    let opened = open_response(&text, &keyring(), &request()).unwrap();
    assert_eq!(opened.document(), &response());
    assert!(open::<License>(&opened.body().documents[0], &keyring()).is_ok());
}

#[test]
fn a_request_is_signed_by_the_key_in_it_alone() {
    assert_eq!(request_class(&key(20), |_| {}), "ok");
    assert_eq!(request_class(&key(21), |_| {}), "unknown_key");
    assert_eq!(seal_request(&request(), &key(21)), Err(SealError::NotItsKey(key(21).public().id())));
    // Not even a root signs for an installation, beside it or instead.
    assert_eq!(request_class(&root(), |_| {}), "unknown_key");
    let payload = serde_json::to_vec(&request()).unwrap();
    let sign = |kind: Kind, keys: &[&SigningKey]| {
        let envelope = Envelope::sign(&kind.payload_type(), payload.clone(), keys).unwrap();
        let text = armour::encode(Kind::Request.label(), &envelope.write().unwrap());
        open_request(&text, PRODUCT).map_or_else(|error| error.class(), |_| "ok")
    };
    assert_eq!(sign(Kind::Request, &[&key(20)]), "ok");
    assert_eq!(sign(Kind::Request, &[&key(20), &root()]), "malformed");
    assert_eq!(sign(Kind::Response, &[&key(20)]), "wrong_type");
}

#[test]
fn an_altered_request_is_refused_before_it_is_read() {
    let text = seal_request(&request(), &key(20)).unwrap();
    let content = armour::decode(&text, Kind::Request.label(), 16 * 1_024).unwrap();
    let mut envelope = Envelope::read(&content, 16 * 1_024).unwrap();
    let altered = String::from_utf8(envelope.payload).unwrap().replace("\"counter\":7", "\"counter\":0");
    envelope.payload = altered.into_bytes();
    let text = armour::encode(Kind::Request.label(), &envelope.write().unwrap());
    assert_eq!(open_request(&text, PRODUCT), Err(DocumentError::BadSignature(key(20).public().id())));
}

#[test]
fn a_request_keeps_to_its_rules() {
    assert_eq!(request_class(&key(20), |payload| payload["product"] = json!("other")), "wrong_product");
    assert_eq!(request_class(&key(20), |payload| payload["environment"] = json!("dev")), "ok");
    for (pointer, value) in [
        ("/body/new", json!(1)),
        ("/body/counter", json!(0)),
        ("/body/counter", json!(1_u64 << 53)),
        ("/body/nonce", json!("AAAA")),
        ("/body/license_key", Value::Null),
        ("/body/license_key", json!("crt-000000-000000-000000-000000-000000")),
        ("/body/installation_key", json!("INST-000000-000000-000000-000000-000001")),
        ("/body/machine_name", json!("")),
        ("/body/machine_name", json!("a\nb")),
        ("/body/held/serial", json!(1_u64 << 53)),
        ("/body/held/new", json!(1)),
        ("/body/metrics/new", json!(1)),
        ("/body/metrics/database", json!("mysql")),
        ("/body/metrics/version", json!("1")),
        ("/body/metrics/authorities", json!(-1)),
        ("/body/metrics/active_certificates", json!(1_u64 << 53)),
    ] {
        let class = request_class(&key(20), |payload| {
            let (object, name) = pointer.rsplit_once('/').unwrap();
            payload.pointer_mut(object).unwrap()[name] = value.clone();
        });
        assert_eq!(class, "malformed", "{pointer} {value}");
    }
}

#[test]
fn a_response_answers_one_request() {
    assert_eq!(response_class(|_| {}), "ok");
    let other = InstallationKey::from_random(&[8; RANDOM_BYTES]);
    assert_eq!(response_class(|response| response.body.installation_key = other), "wrong_installation");
    assert_eq!(response_class(|response| response.body.nonce = Nonce::from_random([2; 32])), "other_request");
    assert_eq!(response_class(|response| response.body.counter = 6), "other_counter");
    assert_eq!(response_class(|response| response.product = "other".to_owned()), "wrong_product");
    assert_eq!(response_class(|response| response.environment = Environment::Dev), "wrong_environment");
    // What the keyring would take is held against the request all the same.
    let text = seal(&response(), &[&root()]).unwrap();
    let open_for =
        |request: &Document<Request>| open_response(&text, &keyring(), request).unwrap_err().class();
    assert_eq!(open_for(&Document { product: "other".to_owned(), ..request() }), "wrong_product");
    assert_eq!(open_for(&Document { environment: Environment::Dev, ..request() }), "wrong_environment");
}

#[test]
fn a_key_for_licences_signs_responses() {
    let by = |keyring: &Keyring, key: &SigningKey| {
        let text = seal(&response(), &[key]).unwrap();
        open_response(&text, keyring, &request()).map_or_else(|error| error.class(), |_| "ok")
    };
    assert_eq!(by(&keyring(), &key(5)), "unknown_key");
    assert_eq!(by(&keyring(), &key(20)), "unknown_key", "an installation answers nobody");
    assert_eq!(by(&keyring(), &dev_root()), "wrong_environment");
    for (uses, class) in [(vec![Use::License], "ok"), (vec![Use::Revocations], "key_not_for_this")] {
        let mut manifest = manifest(1, 5);
        manifest.keys[0].uses = uses;
        let keyring = keyring().admit(&seal(&document(manifest), &[&root()]).unwrap()).unwrap();
        assert_eq!(by(&keyring, &key(5)), class);
    }
}

#[test]
fn a_response_keeps_to_its_rules() {
    let check = |alter: &dyn Fn(&mut Response)| {
        let mut body = response().body;
        alter(&mut body);
        body.check()
    };
    let list = seal(&document(crate::testing::revocations()), &[&root()]).unwrap();
    let file = "-----BEGIN MACHINE FILE-----\n";
    let of_length = |length: usize| vec![format!("{file}{}", "x".repeat(length - file.len()))];
    let request = seal_request(&request(), &key(20)).unwrap();
    for (documents, is_good) in [
        (vec![], true),
        (vec![list.clone(); 8], true),
        (vec![list; 9], false),
        (of_length(5 * 1_024 * 1_024), true),
        (of_length(5 * 1_024 * 1_024 + 1), false),
        (vec![String::new()], false),
        (vec![request], false),
        (vec![seal(&response(), &[&root()]).unwrap()], false),
    ] {
        let found = check(&|body| body.documents.clone_from(&documents));
        assert_eq!(found.is_ok(), is_good, "{} {:.60}", documents.len(), documents.concat());
    }
    for (warnings, is_good) in [
        (vec!["x".repeat(300); 8], true),
        (vec!["x".to_owned(); 9], false),
        (vec!["x".repeat(301)], false),
        (vec![String::new()], false),
        (vec!["two\nlines".to_owned()], false),
    ] {
        let found = check(&|body| body.warnings.clone_from(&warnings));
        assert_eq!(found.is_ok(), is_good, "{warnings:?}");
    }
    assert!(check(&|body| body.counter = 0).is_err());
    for verdict in Verdict::ALL {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.name());
    }
}

#[test]
fn the_largest_response_fits() {
    let mut response = response();
    // A line break is two bytes of JSON.
    let line = format!("{}\n", "x".repeat(64));
    let head = "-----BEGIN CHANCERY REVOCATIONS-----\n";
    let mut text = head.to_owned() + &line.repeat(5 * 1_024 * 1_024 / line.len() - 1);
    text.push_str(&"x".repeat(5 * 1_024 * 1_024 - text.len()));
    response.body.documents = vec![text];
    response.body.warnings = vec!["\u{1f4dc}".repeat(300); 8];
    assert!(seal(&response, &[&root()]).is_ok());
}

proptest! {
    #[test]
    fn nonces_read_back(random: [u8; 32]) {
        let nonce = Nonce::from_random(random);
        let json = serde_json::to_string(&nonce).unwrap();
        prop_assert_eq!(serde_json::from_str::<Nonce>(&json).unwrap(), nonce);
        prop_assert_eq!(nonce.as_bytes(), &random);
    }

    #[test]
    fn any_request_reads_back(random: [u8; 32], counter in 1..(1_u64 << 53), name in "[^\\p{Cc}]{1,60}") {
        let mut request = request();
        request.body.nonce = Nonce::from_random(random);
        request.body.counter = counter;
        request.body.machine_name = Some(name);
        let text = seal_request(&request, &key(20)).unwrap();
        prop_assert_eq!(open_request(&text, PRODUCT).unwrap().into_document(), request);
    }
}
