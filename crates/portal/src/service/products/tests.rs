use serde_json::json;

use super::*;
use crate::service::testing::{Bench, refused};
use crate::store::Page;

fn new(body: serde_json::Value) -> NewProduct {
    serde_json::from_value(body).unwrap()
}

const ALL: Page = Page { limit: 100, after: None };

#[tokio::test]
async fn a_slug_names_one_product_for_good() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let made =
        create(office, &actor, new(json!({ "slug": "my-app", "name": "My App" })), None).await.unwrap();
    assert_eq!((made.kind, made.archived_at), (Kind::Generic, None));
    assert_eq!(show(office, &actor, "my-app").await.unwrap(), made);
    let long = "x".repeat(65);
    for body in [
        json!({ "slug": "my-app", "name": "Again" }),
        json!({ "slug": "My-App", "name": "x" }),
        json!({ "slug": "my--app", "name": "x" }),
        json!({ "slug": "", "name": "x" }),
        json!({ "slug": long, "name": "x", "kind": "chancery" }),
    ] {
        let refusal = refused(create(office, &actor, new(body.clone()), None).await);
        assert_eq!(refusal.details["field"], "slug", "{body}");
    }
    // Only documents have the shorter rule.
    assert!(create(office, &actor, new(json!({ "slug": long, "name": "x" })), None).await.is_ok());
    let refusal =
        refused(create(office, &actor, new(json!({ "slug": "b", "name": "b", "kind": "b" })), None).await);
    assert_eq!(refusal.message, "kind: is one of generic, chancery");
    // Bytes of a name count as well as characters.
    for (name, rule) in [
        ("é".repeat(128), "has at most 255 bytes of UTF-8"),
        ("e".repeat(201), "is one line of 1 to 200 characters, without space around it"),
    ] {
        let refusal = refused(create(office, &actor, new(json!({ "slug": "b", "name": name })), None).await);
        assert_eq!(refusal.message, format!("name: {rule}"));
    }
    let plans = new(json!({ "slug": "b", "name": "b", "with_plans": true }));
    assert_eq!(refused(create(office, &actor, plans, None).await).details["field"], "with_plans");
}

#[tokio::test]
async fn the_usual_plans_allow_what_their_names_say() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let body = json!({ "slug": "chancery", "name": "Chancery", "kind": "chancery", "with_plans": true });
    create(office, &actor, new(body), None).await.unwrap();
    let (plans, _, next) = super::plans::list(office, &actor, "chancery", ALL).await.unwrap();
    let keys: Vec<&str> = plans.iter().map(|plan| plan.terms.plan_key.as_str()).collect();
    assert_eq!((keys, next), (vec!["enterprise", "free", "pro", "starter"], None));
    for plan in plans {
        let allowed = plan.terms.chancery.unwrap();
        assert_eq!(allowed.plan.name(), plan.terms.plan_key);
        assert_eq!(allowed.entitlements, allowed.plan.entitlements());
        assert_eq!((plan.valid_days, plan.terms.seat_limit), (Some(365), Some(1)));
    }
}

#[tokio::test]
async fn an_archived_product_comes_back_as_it_was() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let made =
        create(office, &actor, new(json!({ "slug": "my-app", "name": "My App" })), None).await.unwrap();
    let archived = archive(office, &actor, "my-app", true).await.unwrap();
    assert_eq!(archived.archived_at, Some(bench.now()));
    bench.advance(std::time::Duration::from_secs(60));
    assert_eq!(archive(office, &actor, "my-app", true).await.unwrap(), archived);
    assert_eq!(archive(office, &actor, "my-app", false).await.unwrap(), made);
    let changes = ProductChanges { name: Change::Set("Our App".to_owned()) };
    assert_eq!(update(office, &actor, "my-app", changes).await.unwrap().name, "Our App");
    let told = bench.told().await;
    let changed: Vec<_> = told.iter().skip(1).map(|told| told.details["changed"].clone()).collect();
    assert_eq!(changed, [json!(["archived_at"]), json!(["archived_at"]), json!(["name"])]);
}

#[tokio::test]
async fn a_key_for_one_product_sees_no_other() {
    let bench = Bench::new().await;
    let (mine, other) = (bench.product("mine").await, bench.product("other").await);
    let live = bench.secret_key(true).await;
    let bound = Actor { product_id: Some(mine.id.clone()), ..live.clone() };
    assert_eq!(list(&bench.office, &live, ALL).await.unwrap().0, [mine.clone(), other]);
    assert_eq!(list(&bench.office, &bound, ALL).await.unwrap().0, [mine]);
    assert_eq!(refused(show(&bench.office, &bound, "other").await).code, Code::ProductNotFound);
    assert_eq!(refused(archive(&bench.office, &bound, "other", true).await).code, Code::ProductNotFound);
    let third = new(json!({ "slug": "third", "name": "Third" }));
    assert_eq!(refused(create(&bench.office, &bound, third.clone(), None).await).code, Code::Forbidden);
    let test = bench.secret_key(false).await;
    assert_eq!(refused(create(&bench.office, &test, third, None).await).code, Code::Forbidden);
    assert_eq!(refused(archive(&bench.office, &test, "mine", true).await).code, Code::Forbidden);
}
