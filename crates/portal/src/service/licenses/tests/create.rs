use chancery_license::{Limit, Plan};

use super::*;
use crate::service::testing::chancery_terms;
use crate::store::products::Kind;

#[tokio::test]
async fn a_licence_has_what_its_plan_has() {
    let scene = Scene::new().await;
    let made = scene.create(json!({ "plan_key": "pro", "reference": "order 7" })).await.unwrap();
    let key = made.key.as_ref().unwrap().reveal().to_owned();
    assert!(key.ends_with(&made.license.key_hint) && made.license.key_hint.len() == 4);
    let details = scene.details(&made.license.id).await;
    assert_eq!(
        details,
        json!({
            "object": "license", "id": made.license.id, "key": key, "key_hint": made.license.key_hint,
            "status": "pending", "starts_at": null, "expires_at": "2026-07-14T12:00:00Z",
            "mode": "hardware_locked", "plan_key": "pro", "seat_limit": 2, "active_seats": 0,
            "active_entitlements": [], "metadata": null, "product": { "slug": "app", "name": "app" },
            "environment": "prod", "organisation_id": null, "reference": "order 7", "entitlements": [],
            "grace_days": 7, "after_grace": "renewals_only", "file_days": 30, "file_grace_days": 3,
            "chancery": null, "revision": 1, "created_at": "2026-06-14T12:00:00Z", "activated_at": null,
            "suspended_at": null, "revoked_at": null, "revocation_reason": null,
        })
    );
    let told = scene.bench.told().await.pop().unwrap();
    assert_eq!(told.event, "license.create");
    assert_eq!(
        told.details,
        json!({
            "license": made.license.id, "product": "app", "environment": "prod", "plan_key": "pro",
            "expires_at": "2026-07-14T12:00:00Z", "reference": "order 7",
        })
    );
}

#[tokio::test]
async fn what_the_request_says_goes_before_the_plan() {
    let scene = Scene::new().await;
    let organisation = scene.bench.organisation("ACME").await;
    let made = scene
        .create(json!({
            "plan_key": "pro", "organisation_id": organisation, "starts_at": "2026-07-01T00:00:00.9Z",
            "seat_limit": null, "mode": "floating", "environment": "uat", "metadata": { "a": [1] },
            "entitlements": [
                { "key": "old", "expires_at": "2026-06-14T12:00:00Z" },
                { "key": "new", "expires_at": "2026-06-14T12:00:01Z", "metadata": { "x": 1 } },
            ],
        }))
        .await
        .unwrap();
    let details = scene.details(&made.license.id).await;
    assert_eq!(details["starts_at"], "2026-07-01T00:00:00Z");
    assert_eq!(details["expires_at"], "2026-07-31T00:00:00Z");
    assert_eq!((&details["seat_limit"], &details["mode"]), (&Value::Null, &json!("floating")));
    assert_eq!((&details["environment"], &details["metadata"]), (&json!("uat"), &json!({ "a": [1] })));
    assert_eq!(details["organisation_id"], organisation);
    assert_eq!(details["entitlements"].as_array().unwrap().len(), 2);
    let active = json!([{ "key": "new", "expires_at": "2026-06-14T12:00:01Z", "metadata": { "x": 1 } }]);
    assert_eq!(details["active_entitlements"], active);
    let endless = scene.create(json!({ "plan_key": "pro", "expires_at": null })).await.unwrap();
    assert_eq!(endless.license.expires_at, None);
    let test = Actor { live: Some(false), ..Actor::operator("x") };
    let new = NewLicense { plan_key: "pro".to_owned(), ..NewLicense::default() };
    let usual = create(scene.office(), &test, "app", new, None).await.unwrap();
    assert_eq!(usual.license.environment.name(), "dev");
}

#[tokio::test]
async fn values_that_break_a_rule_are_refused_by_name() {
    let scene = Scene::new().await;
    let archived = scene.bench.plan(&scene.product, terms("old"), None).await;
    let now = scene.bench.now();
    scene
        .bench
        .write(move |tx| {
            let archived = crate::store::plans::Plan { archived_at: Some(now), ..archived.clone() };
            crate::store::plans::update(tx, &archived)
        })
        .await;
    scene.create(json!({ "plan_key": "pro", "reference": "taken" })).await.unwrap();
    let large = json!({ "x": "x".repeat(200_000) });
    for (member, value) in [
        ("plan_key", json!("none")),
        ("plan_key", json!("old")),
        ("organisation_id", json!("org_0")),
        ("reference", json!("taken")),
        ("reference", json!("two\nlines")),
        ("reference", json!("")),
        ("expires_at", json!("2026-01-01T00:00:00Z")),
        ("seat_limit", json!(0)),
        ("mode", json!("site")),
        ("metadata", large),
        ("environment", json!("production")),
        ("entitlements", json!([{ "key": "A" }])),
        ("entitlements", json!([{ "key": "a" }, { "key": "a" }])),
        ("chancery_entitlements", json!(Plan::Free.entitlements())),
    ] {
        let mut new = json!({ "plan_key": "pro", "starts_at": "2026-06-14T12:00:00Z" });
        new[member] = value;
        assert_eq!(field(scene.create(new).await), (Code::InvalidArguments, member.to_owned()));
    }
    // The same reference in another environment is another one.
    assert!(
        scene.create(json!({ "plan_key": "pro", "reference": "taken", "environment": "dev" })).await.is_ok()
    );
    let live = Actor { live: Some(true), ..Actor::operator("x") };
    let new = json!({ "plan_key": "pro", "environment": "dev" });
    let new = serde_json::from_value(new).unwrap();
    assert_eq!(refused(create(scene.office(), &live, "app", new, None).await).code, Code::Forbidden);
    assert_eq!(scene.events().await, ["license.create", "license.create"]);
}

#[tokio::test]
async fn a_chancery_licence_ends_and_carries_entitlements() {
    let bench = Bench::new().await;
    let product = bench.product_of_kind("chancery", Kind::Chancery).await;
    bench.plan(&product, chancery_terms("pro", Plan::Pro), None).await;
    let actor = Actor::operator("x");
    let made = async |new: Value| {
        create(&bench.office, &actor, "chancery", serde_json::from_value(new).unwrap(), None).await
    };
    let missing = (Code::ParameterMissing, "expires_at".to_owned());
    assert_eq!(field(made(json!({ "plan_key": "pro" })).await), missing);
    assert_eq!(field(made(json!({ "plan_key": "pro", "expires_at": null })).await), missing);
    let over = (Code::InvalidArguments, "expires_at".to_owned());
    assert_eq!(field(made(json!({ "plan_key": "pro", "expires_at": "2026-06-14T12:00:00Z" })).await), over);
    let mut more = Plan::Pro.entitlements();
    more.max_authorities = Limit::AtMost(9);
    let new =
        json!({ "plan_key": "pro", "expires_at": "2027-06-14T12:00:00Z", "chancery_entitlements": more });
    let details = serde_json::to_value(made(new).await.unwrap().details()).unwrap();
    assert_eq!(details["chancery"], json!({ "plan": "pro", "entitlements": more }));
}

#[tokio::test]
async fn nothing_is_made_of_an_archived_product() {
    let scene = Scene::new().await;
    let (id, now) = (scene.product.id.clone(), scene.bench.now());
    scene
        .bench
        .write(move |tx| {
            let sql = "UPDATE products SET archived_at = $1 WHERE id = $2";
            tx.execute(sql, chancery_db::params![now.unix_millis(), &id])
        })
        .await;
    assert_eq!(refused(scene.create(json!({ "plan_key": "pro" })).await).code, Code::InvalidArguments);
}
