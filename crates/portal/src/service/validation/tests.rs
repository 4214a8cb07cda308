use chancery_license::LicenseKey;
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::domain::{Code, StoredStatus};
use crate::service::activations::{Device, activate};
use crate::service::testing::{Bench, refused, terms};
use crate::store::licenses::Entitlement;

const DEVICE: &str = "device-0001";

fn claim(slug: &str, key: &LicenseKey) -> Claim {
    Claim::new(slug.to_owned(), key.reveal(), DEVICE.to_owned()).unwrap()
}

async fn validated(bench: &Bench, key: &LicenseKey) -> Value {
    let actor = Actor::operator("x");
    serde_json::to_value(validate(&bench.office, &actor, claim("app", key)).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_device_with_a_seat_may_use_the_licence() {
    let bench = Bench::new().await;
    let product = bench.product("app").await;
    let soon: Timestamp = "2026-06-20T00:00:00.5Z".parse().unwrap();
    let entitlement = |key: &str, expires_at| Entitlement { key: key.to_owned(), expires_at, metadata: None };
    let (_, key) = bench
        .license(&product, terms("pro"), |license| {
            license.starts_at = Some("2026-06-14T12:00:00.000Z".parse().unwrap());
            license.expires_at = Some(soon);
            license.metadata = Some(Default::default());
            license.terms.seat_limit = None;
            license.terms.entitlements =
                vec![entitlement("export", None), entitlement("import", Some(bench.now()))];
        })
        .await;
    let actor = Actor::operator("x");
    let (activation, _) =
        activate(&bench.office, &actor, claim("app", &key), Device::default()).await.unwrap();
    let told = bench.told().await;
    let activation = serde_json::to_value(activation).unwrap();
    let license = json!({
        "object": "license",
        "key": key.reveal(),
        "status": "active",
        "starts_at": "2026-06-14T12:00:00Z",
        "expires_at": "2026-06-20T00:00:00Z",
        "mode": "hardware_locked",
        "plan_key": "pro",
        "seat_limit": null,
        "active_seats": 1,
        "active_entitlements": [{ "key": "export", "expires_at": null, "metadata": null }],
        "metadata": {},
        "product": { "slug": "app", "name": "app" },
    });
    assert_eq!(activation["license"], license);
    let expected = json!({
        "object": "validation_result",
        "valid": true,
        "code": null,
        "message": null,
        "warnings": [{ "code": "expires_soon", "message": "the licence ends on 2026-06-20T00:00:00Z: renew it" }],
        "license": license,
        "activation": activation,
    });
    assert_eq!(validated(&bench, &key).await, expected);
    assert_eq!(bench.told().await, told);
}

#[tokio::test]
async fn whatever_is_wrong_is_told_with_the_whole_licence() {
    let bench = Bench::new().await;
    let product = bench.product("app").await;
    let now = bench.now();
    let later = now + std::time::Duration::from_secs(1);
    for (status, starts_at, expires_at, code, shown) in [
        (StoredStatus::Pending, None, None, "device_not_activated", "pending"),
        (StoredStatus::Active, None, None, "device_not_activated", "active"),
        (StoredStatus::Active, Some(later), None, "not_active", "active"),
        (StoredStatus::Pending, None, Some(now), "expired", "expired"),
        (StoredStatus::Suspended, None, Some(now), "suspended", "suspended"),
        (StoredStatus::Revoked, None, Some(now), "revoked", "revoked"),
    ] {
        let (_, key) = bench
            .license(&product, terms("pro"), |license| {
                (license.status, license.starts_at, license.expires_at) = (status, starts_at, expires_at);
            })
            .await;
        let answer = validated(&bench, &key).await;
        assert_eq!((&answer["valid"], &answer["code"]), (&json!(false), &json!(code)));
        assert!(answer["message"].as_str().is_some_and(|message| !message.is_empty()), "{code}");
        assert_eq!(
            (&answer["license"]["status"], &answer["license"]["key"]),
            (&json!(shown), &json!(key.reveal()))
        );
        assert_eq!((&answer["activation"], &answer["warnings"]), (&Value::Null, &Value::Null));
    }
}

#[tokio::test]
async fn a_licence_that_ends_keeps_its_activations_in_the_answer() {
    let bench = Bench::new().await;
    let product = bench.product("app").await;
    let end = bench.now() + std::time::Duration::from_secs(60);
    let (_, key) = bench.license(&product, terms("pro"), |license| license.expires_at = Some(end)).await;
    activate(&bench.office, &Actor::operator("x"), claim("app", &key), Device::default()).await.unwrap();
    bench.set(end);
    let answer = validated(&bench, &key).await;
    assert_eq!((&answer["valid"], &answer["code"]), (&json!(false), &json!("expired")));
    assert_eq!(answer["activation"]["fingerprint"], DEVICE);
    assert_eq!(answer["activation"]["license"], answer["license"]);
}

#[tokio::test]
async fn only_what_is_not_a_licence_of_the_product_is_refused() {
    let bench = Bench::new().await;
    let (app, _) = (bench.product("app").await, bench.product("other").await);
    let (_, key) = bench.license(&app, terms("pro"), |_| ()).await;
    let actor = Actor::operator("x");
    let code = async |slug: &str, key: &LicenseKey| {
        refused(validate(&bench.office, &actor, claim(slug, key)).await).code
    };
    assert_eq!(code("other", &key).await, Code::ProductMismatch);
    assert_eq!(code("absent", &key).await, Code::ProductNotFound);
    assert_eq!(code("app", &LicenseKey::from_random(&[9; 29])).await, Code::LicenseNotFound);
}
