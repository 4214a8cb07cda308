use serde_json::json;

use super::*;
use crate::domain::Code;
use crate::service::testing::{Bench, refused, terms};
use crate::store::licenses;

fn members(body: Value) -> PlanMembers {
    serde_json::from_value(body).unwrap()
}

#[tokio::test]
async fn a_plan_of_which_little_is_said_has_the_usual_terms() {
    let bench = Bench::new().await;
    bench.product("app").await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let said = members(json!({ "plan_key": "basic", "name": "Basic" }));
    let (plan, product) = create(office, &actor, "app", said, None).await.unwrap();
    assert_eq!((plan.name.as_str(), plan.valid_days), ("Basic", Some(365)));
    let usual = Terms { seat_limit: Some(1), file_grace_days: 7, ..terms("basic") };
    assert_eq!(plan.terms, usual);
    assert_eq!(show(office, &actor, "app", "basic").await.unwrap(), (plan.clone(), product));
    // `null` is for ever and for any number.
    let said = members(json!({ "plan_key": "free", "name": "Free", "seat_limit": null, "valid_days": null }));
    let (plan, _) = create(office, &actor, "app", said, None).await.unwrap();
    assert_eq!((plan.terms.seat_limit, plan.valid_days, plan.terms.chancery), (None, None, None));
}

#[tokio::test]
async fn every_member_is_held_to_its_rule() {
    let bench = Bench::new().await;
    bench.product("app").await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let entitlements =
        |count: usize| json!((0..count).map(|n| json!({ "key": format!("k{n}") })).collect::<Vec<_>>());
    let cases = [
        ("name", json!("x"), json!("")),
        ("mode", json!("floating"), json!("Floating")),
        ("seat_limit", json!(1), json!(0)),
        ("seat_limit", json!(2_147_483_647), json!(2_147_483_648_i64)),
        ("valid_days", json!(1), json!(0)),
        ("valid_days", json!(36_500), json!(36_501)),
        ("grace_days", json!(0), json!(-1)),
        ("grace_days", json!(366), json!(367)),
        ("grace_days", json!(7), json!(null)),
        ("after_grace", json!("block"), json!("renewals-only")),
        ("file_days", json!(1), json!(0)),
        ("file_days", json!(3_650), json!(3_651)),
        ("file_grace_days", json!(0), json!(-1)),
        ("file_grace_days", json!(30), json!(31)),
        ("entitlements", entitlements(500), entitlements(501)),
        ("entitlements", json!([{ "key": "a" }, { "key": "b" }]), json!([{ "key": "a" }, { "key": "a" }])),
        ("entitlements", json!([]), json!([{ "key": "Export" }])),
        ("entitlements", json!([]), json!([{ "key": "a", "metadata": { "x": "x".repeat(200_000) } }])),
        ("metadata", json!({ "a": 1 }), json!({ "x": "x".repeat(200_000) })),
        ("chancery", json!(null), json!({ "plan": "pro" })),
    ];
    for (number, (member, fits, breaks)) in cases.into_iter().enumerate() {
        let with = |plan_key: &str, value: &Value| {
            let mut body = json!({ "plan_key": plan_key, "name": "Plan" });
            body[member] = value.clone();
            members(body)
        };
        let fitting = with(&format!("p{number}"), &fits);
        assert!(create(office, &actor, "app", fitting, None).await.is_ok(), "{member} {fits}");
        let refusal = refused(create(office, &actor, "app", with("other", &breaks), None).await);
        assert_eq!(refusal.details["field"], member, "{member} {}", refusal.message);
        assert!(refusal.message.len() < 200);
    }
    for (body, field) in [
        (json!({ "name": "x" }), "plan_key"),
        (json!({ "plan_key": "x" }), "name"),
        (json!({ "plan_key": "x\n", "name": "x" }), "plan_key"),
        (json!({ "plan_key": "p0", "name": "x" }), "plan_key"),
    ] {
        assert_eq!(refused(create(office, &actor, "app", members(body), None).await).details["field"], field);
    }
}

#[tokio::test]
async fn a_product_of_the_kind_chancery_says_what_its_licences_allow() {
    let bench = Bench::new().await;
    bench.product_of_kind("chancery", Kind::Chancery).await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let (plan, _) =
        create(office, &actor, "chancery", members(json!({ "plan_key": "pro", "name": "Pro" })), None)
            .await
            .unwrap();
    assert_eq!(plan.terms.chancery, Some(ChanceryMember { plan: Offer::Pro, entitlements: None }.into()));
    let refusal = refused(
        create(office, &actor, "chancery", members(json!({ "plan_key": "gold", "name": "Gold" })), None)
            .await,
    );
    assert_eq!(refusal.details["field"], "chancery");
    let mut allowed = serde_json::to_value(Offer::Pro.entitlements()).unwrap();
    allowed["max_authorities"] = json!(9);
    let gold =
        json!({ "plan_key": "gold", "name": "Gold", "chancery": { "plan": "pro", "entitlements": allowed } });
    let (gold, _) = create(office, &actor, "chancery", members(gold), None).await.unwrap();
    let kept = show(office, &actor, "chancery", "gold").await.unwrap().0;
    assert_eq!(kept, gold);
    assert_eq!(serde_json::to_value(kept.terms.chancery.unwrap().entitlements).unwrap(), allowed);
    for (body, field) in
        [(json!({ "chancery": null }), "chancery"), (json!({ "valid_days": null }), "valid_days")]
    {
        let refusal = refused(update(office, &actor, "chancery", "gold", members(body)).await);
        assert_eq!(refusal.details["field"], field);
    }
    // Entitlements are whole or not at all.
    let part = json!({ "chancery": { "plan": "pro", "entitlements": { "max_authorities": 9 } } });
    assert!(serde_json::from_value::<PlanMembers>(part).is_err());
}

#[tokio::test]
async fn a_changed_plan_leaves_licences_as_they_are() {
    let bench = Bench::new().await;
    let product = bench.product("app").await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let (license, _) = bench.license(&product, terms("basic"), |_| {}).await;
    let body = json!({ "seat_limit": 9, "entitlements": [{ "key": "export" }], "plan_key": "basic" });
    let (plan, _) = update(office, &actor, "app", "basic", members(body.clone())).await.unwrap();
    assert_eq!((plan.terms.seat_limit, plan.terms.grace_days), (Some(9), 7));
    let id = license.id.clone();
    let now = bench.write(move |tx| licenses::by_id(tx, &id)).await.unwrap();
    assert_eq!(now, license);
    // The same again is no change.
    update(office, &actor, "app", "basic", members(body)).await.unwrap();
    let told = bench.told().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].details["changed"], json!(["seat_limit", "entitlements"]));
    let refusal =
        refused(update(office, &actor, "app", "basic", members(json!({ "plan_key": "other" }))).await);
    assert_eq!(refusal.details["field"], "plan_key");
    let refusal = refused(update(office, &actor, "app", "none", members(json!({}))).await);
    assert_eq!(refusal.code, Code::NotFound);
}

#[tokio::test]
async fn plans_are_changed_by_live_keys_within_reach() {
    let bench = Bench::new().await;
    let (mine, other) = (bench.product("mine").await, bench.product("other").await);
    for product in [&mine, &other] {
        bench.plan(product, terms("basic"), None).await;
    }
    let (live, test) = (bench.secret_key(true).await, bench.secret_key(false).await);
    let office = &bench.office;
    let bound = Actor { product_id: Some(mine.id.clone()), ..live };
    assert!(archive(office, &bound, "mine", "basic", true).await.unwrap().0.archived_at.is_some());
    assert!(archive(office, &bound, "mine", "basic", false).await.unwrap().0.archived_at.is_none());
    assert_eq!(refused(archive(office, &bound, "other", "basic", true).await).code, Code::ProductNotFound);
    assert_eq!(refused(show(office, &bound, "other", "basic").await).code, Code::ProductNotFound);
    assert!(show(office, &test, "mine", "basic").await.is_ok());
    assert_eq!(refused(archive(office, &test, "mine", "basic", true).await).code, Code::Forbidden);
    assert_eq!(
        refused(update(office, &test, "mine", "basic", members(json!({}))).await).code,
        Code::Forbidden
    );
    let said = members(json!({ "plan_key": "b", "name": "b" }));
    assert_eq!(refused(create(office, &test, "mine", said, None).await).code, Code::Forbidden);
}
