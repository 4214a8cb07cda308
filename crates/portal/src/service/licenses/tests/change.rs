use std::time::Duration;

use chancery_license::Plan;

use super::*;
use crate::service::testing::chancery_terms;
use crate::store::licenses::{self, Entitlement, Terms};
use crate::store::products::Kind;

#[tokio::test]
async fn what_documents_show_raises_the_revision_and_nothing_else_does() {
    let scene = Scene::new().await;
    let organisation = scene.bench.organisation("ACME").await;
    let made = scene.create(json!({ "plan_key": "pro" })).await.unwrap();
    let id = made.license.id;
    let mut revision = 1;
    for (member, value, is_shown) in [
        ("organisation_id", json!(organisation), true),
        ("organisation_id", Value::Null, true),
        ("reference", json!("order 7"), false),
        ("reference", Value::Null, false),
        ("metadata", json!({ "a": 1 }), true),
        ("metadata", Value::Null, true),
        ("starts_at", json!("2026-06-20T00:00:00Z"), true),
        ("starts_at", Value::Null, true),
        ("expires_at", json!("2026-08-01T00:00:00Z"), true),
        ("expires_at", Value::Null, true),
        ("seat_limit", json!(5), true),
        ("seat_limit", Value::Null, true),
        ("mode", json!("named_user"), true),
        ("entitlements", json!([{ "key": "a", "expires_at": null, "metadata": null }]), true),
        ("grace_days", json!(14), true),
        ("after_grace", json!("block"), true),
        ("file_days", json!(60), false),
        ("file_grace_days", json!(5), false),
    ] {
        scene.bench.advance(Duration::from_secs(1));
        let changed = scene.change(&id, json!({ member: value })).await.unwrap();
        revision += i64::from(is_shown);
        assert_eq!(changed.license.revision, revision, "{member}: {value}");
        let details = scene.details(&id).await;
        assert_eq!((&details[member], &details["revision"]), (&value, &json!(revision)), "{member}");
        let told = scene.bench.told().await.pop().unwrap();
        assert_eq!((told.event.as_str(), &told.details["changed"]), ("license.update", &json!([member])));
        // What is so already is no change.
        let events = scene.events().await.len();
        assert_eq!(scene.change(&id, json!({ member: value })).await.unwrap().license.revision, revision);
        assert_eq!(scene.events().await.len(), events, "{member}");
    }
}

#[tokio::test]
async fn another_plan_brings_all_its_terms() {
    let scene = Scene::new().await;
    let made = scene.create(json!({ "plan_key": "pro", "seat_limit": 9, "mode": "floating" })).await.unwrap();
    let id = made.license.id;
    let team = Terms {
        seat_limit: Some(20),
        grace_days: 30,
        file_days: 90,
        entitlements: vec![Entitlement { key: "export".to_owned(), expires_at: None, metadata: None }],
        ..terms("team")
    };
    let plan = scene.bench.plan(&scene.product, team.clone(), Some(365)).await;
    let moved = scene.change(&id, json!({ "plan_key": "team" })).await.unwrap().license;
    assert_eq!((&moved.terms, &moved.plan_id, moved.revision), (&team, &plan.id, 2));
    assert_eq!(moved.expires_at, made.license.expires_at);
    // What is said besides goes before the plan, and naming the present plan brings its terms back.
    let moved = scene.change(&id, json!({ "plan_key": "pro", "seat_limit": 3 })).await.unwrap().license;
    assert_eq!(moved.terms, Terms { seat_limit: Some(3), ..terms("pro") });
    let back = scene.change(&id, json!({ "plan_key": "pro" })).await.unwrap().license;
    assert_eq!((back.terms, back.revision), (terms("pro"), 4));
    assert_eq!(field(scene.change(&id, json!({ "plan_key": "none" })).await).1, "plan_key");
}

#[tokio::test]
async fn a_limit_does_not_fall_below_the_seats_that_are_taken() {
    let scene = Scene::new().await;
    let id = scene.create(json!({ "plan_key": "pro" })).await.unwrap().license.id;
    let now = scene.bench.now();
    let wanted = id.clone();
    scene
        .bench
        .write(move |tx| Ok(licenses::take_seat(tx, &wanted, now)? && licenses::take_seat(tx, &wanted, now)?))
        .await;
    scene.bench.plan(&scene.product, Terms { seat_limit: Some(1), ..terms("free") }, None).await;
    for changes in [json!({ "seat_limit": 1 }), json!({ "plan_key": "free" })] {
        let refusal = refused(scene.change(&id, changes).await);
        assert_eq!(refusal.code, Code::SeatLimitExceeded);
        assert_eq!(
            (&refusal.details["active_seats"], &refusal.details["seat_limit"]),
            (&json!(2), &json!(1))
        );
    }
    let changed = scene.change(&id, json!({ "plan_key": "free", "seat_limit": 2 })).await.unwrap().license;
    assert_eq!((changed.active_seats, changed.terms.seat_limit), (2, Some(2)));
}

#[tokio::test]
async fn values_that_break_a_rule_change_nothing() {
    let scene = Scene::new().await;
    scene.create(json!({ "plan_key": "pro", "reference": "taken" })).await.unwrap();
    let id = scene.create(json!({ "plan_key": "pro" })).await.unwrap().license.id;
    let before = scene.details(&id).await;
    for (member, value) in [
        ("plan_key", Value::Null),
        ("organisation_id", json!("org_0")),
        ("reference", json!("taken")),
        ("expires_at", json!("2026-06-01T00:00:00Z")),
        ("seat_limit", json!(-1)),
        ("mode", Value::Null),
        ("mode", json!("x")),
        ("entitlements", Value::Null),
        ("grace_days", json!(367)),
        ("grace_days", Value::Null),
        ("after_grace", json!("renewals-only")),
        ("file_days", json!(0)),
        ("file_grace_days", json!(31)),
        ("chancery_entitlements", json!(Plan::Free.entitlements())),
    ] {
        let mut changes = json!({ "starts_at": "2026-06-10T00:00:00Z" });
        changes[member] = value;
        assert_eq!(field(scene.change(&id, changes).await), (Code::InvalidArguments, member.to_owned()));
    }
    assert_eq!(scene.details(&id).await, before);
}

#[tokio::test]
async fn of_a_revoked_licence_only_the_books_may_change() {
    let scene = Scene::new().await;
    let id = scene.create(json!({ "plan_key": "pro" })).await.unwrap().license.id;
    revoke(scene.office(), &scene.actor, by_id(&id), Revocation::default(), None).await.unwrap();
    assert_eq!(refused(scene.change(&id, json!({ "seat_limit": 3 })).await).code, Code::Revoked);
    let changed = scene.change(&id, json!({ "reference": "refunded" })).await.unwrap().license;
    assert_eq!(changed.reference.as_deref(), Some("refunded"));
}

#[tokio::test]
async fn a_chancery_licence_keeps_an_end_and_its_entitlements_are_replaced_whole() {
    let bench = Bench::new().await;
    let product = bench.product_of_kind("chancery", Kind::Chancery).await;
    let (license, _) = bench
        .license(&product, chancery_terms("pro", Plan::Pro), |license| {
            license.expires_at = Some(at("2027-01-01T00:00:00Z"));
        })
        .await;
    let actor = Actor::operator("x");
    let changed = async |changes: Value| {
        let changes = serde_json::from_value(changes).unwrap();
        change(&bench.office, &actor, by_id(&license.id), changes).await
    };
    assert_eq!(field(changed(json!({ "expires_at": null })).await).1, "expires_at");
    assert_eq!(field(changed(json!({ "chancery_entitlements": null })).await).1, "chancery_entitlements");
    let entitlements = Plan::Enterprise.entitlements();
    let found = changed(json!({ "chancery_entitlements": entitlements })).await.unwrap().license;
    let allowed = found.terms.chancery.unwrap();
    assert_eq!((allowed.plan, allowed.entitlements, found.revision), (Plan::Pro, entitlements, 2));
}
