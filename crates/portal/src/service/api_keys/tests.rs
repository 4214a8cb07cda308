use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::Role;
use crate::service::testing::{Bench, refused};
use crate::service::users::NewUser;

fn new(body: serde_json::Value) -> NewApiKey {
    let mut all = json!({ "name": "a key", "class": "secret", "live": true, "scopes": ["all"] });
    all.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

/// The actor that a request with that key would have.
async fn actor_of(bench: &Bench, made: &Made) -> Actor {
    let hash = api_keys::hash(&made.secret);
    let known = bench.write(move |tx| api_keys::by_hash(tx, &hash)).await.unwrap();
    assert!(known.counts_at(bench.now()));
    Actor {
        name: format!("key:{}", known.id),
        permissions: known.scopes.and(known.role.map_or_else(Permissions::all, Role::permissions)),
        api_key_id: Some(known.id),
        live: Some(known.live),
        product_id: known.product_id,
    }
}

const PAGE: Page = Page { limit: 100, after: None };

#[tokio::test]
async fn a_key_is_shown_once_and_found_by_its_hash() {
    let bench = Bench::new().await;
    let (office, operator) = (&bench.office, Actor::operator("x"));
    for (class, live, prefix) in [
        ("publishable", true, "pk_live_"),
        ("publishable", false, "pk_test_"),
        ("secret", true, "sk_live_"),
        ("secret", false, "sk_test_"),
    ] {
        let scopes = if class == "secret" { json!(["all"]) } else { json!(null) };
        let made = create(office, &operator, new(json!({ "class": class, "live": live, "scopes": scopes })))
            .await
            .unwrap();
        let digits = made.secret.strip_prefix(prefix).unwrap();
        assert_eq!((digits.len(), made.api_key.hint.len()), (32, 12));
        assert!(made.secret.starts_with(&made.api_key.hint));
        let actor = actor_of(&bench, &made).await;
        assert_eq!(actor.live, Some(live));
        if class == "secret" {
            assert_eq!(actor.permissions, Permissions::all());
        } else {
            assert_eq!(actor.permissions, [Permission::Use].into_iter().collect());
        }
        let (debug, log) = (format!("{made:?}"), format!("{:?}", bench.told().await));
        assert!(!debug.contains(digits) && !log.contains(digits));
    }
    assert_eq!(list(office, &operator, PAGE).await.unwrap().0.len(), 4);
}

#[tokio::test]
async fn what_is_asked_for_is_held_to_its_rules() {
    let bench = Bench::new().await;
    let operator = Actor::operator("x");
    for (body, code, field) in [
        (json!({ "scopes": null }), Code::ParameterMissing, "scopes"),
        (json!({ "scopes": [] }), Code::ParameterMissing, "scopes"),
        (json!({ "scopes": ["licenses"] }), Code::InvalidArguments, "scopes"),
        (json!({ "scopes": ["all", "log:read"] }), Code::InvalidArguments, "scopes"),
        (json!({ "class": "publishable" }), Code::InvalidArguments, "scopes"),
        (json!({ "class": "private" }), Code::InvalidArguments, "class"),
        (json!({ "name": "" }), Code::InvalidArguments, "name"),
        (json!({ "user": "usr_none" }), Code::InvalidArguments, "user"),
        (json!({ "expires_at": bench.now() }), Code::InvalidArguments, "expires_at"),
    ] {
        let refusal = refused(create(&bench.office, &operator, new(body.clone())).await);
        assert_eq!((refusal.code, &refusal.details["field"]), (code, &json!(field)), "{body}");
    }
    let refusal = refused(create(&bench.office, &operator, new(json!({ "product": "none" }))).await);
    assert_eq!(refusal.code, Code::ProductNotFound);
}

#[tokio::test]
async fn a_key_reaches_no_further_than_its_maker() {
    let bench = Bench::new().await;
    let (mine, other) = (bench.product("mine").await, bench.product("other").await);
    let (office, operator) = (&bench.office, Actor::operator("x"));
    let end = bench.now() + Duration::from_secs(3_600);
    let scopes = json!(["api_keys:manage", "licenses:read"]);
    let maker = create(
        office,
        &operator,
        new(json!({ "scopes": scopes, "product": "mine", "expires_at": end.whole_seconds() })),
    )
    .await
    .unwrap();
    let maker = actor_of(&bench, &maker).await;
    for (body, why) in [
        (json!({ "product": "mine", "scopes": ["licenses:create"] }), "licenses:create"),
        (json!({ "product": "mine", "live": false }), "live key makes live keys"),
        (json!({}), "for one product"),
        (json!({ "product": "mine", "class": "publishable", "scopes": null }), "the scope use"),
        (json!({ "product": "mine", "expires_at": end + Duration::from_secs(1) }), "end no later"),
    ] {
        let refusal = refused(create(office, &maker, new(body.clone())).await);
        assert_eq!(refusal.code, Code::Forbidden, "{body}");
        assert!(refusal.message.contains(why), "{body}: {}", refusal.message);
    }
    let refusal = refused(create(office, &maker, new(json!({ "product": "other" }))).await);
    assert_eq!(refusal.code, Code::ProductNotFound);
    let made = create(office, &maker, new(json!({ "product": "mine" }))).await.unwrap().api_key;
    assert_eq!((made.product_id.as_deref(), made.expires_at), (Some(mine.id.as_str()), Some(end)));
    assert_eq!(made.scopes, maker.permissions);
    // It sees the keys of its product, and of its half of the data.
    for body in [json!({ "product": "other" }), json!({ "product": "mine", "live": false }), json!({})] {
        let unseen = create(office, &operator, new(body)).await.unwrap().api_key;
        assert_eq!(refused(show(office, &maker, &unseen.id).await).code, Code::NotFound);
        assert_eq!(refused(revoke(office, &maker, &unseen.id).await).code, Code::NotFound);
    }
    assert_eq!(list(office, &maker, PAGE).await.unwrap().0.len(), 2);
    assert_ne!(mine.id, other.id);
}

#[tokio::test]
async fn a_users_key_is_bounded_by_the_role_and_makes_keys_of_the_same_user() {
    let bench = Bench::new().await;
    let (office, operator) = (&bench.office, Actor::operator("x"));
    let user = |email: &str, role: Role| NewUser {
        email: email.to_owned(),
        name: "Somebody".to_owned(),
        role: role.name().to_owned(),
    };
    let admin = users::create(office, &operator, user("ann@example.com", Role::Admin), None).await.unwrap();
    let owner = users::create(office, &operator, user("own@example.com", Role::Owner), None).await.unwrap();
    let refusal = refused(
        create(office, &operator, new(json!({ "user": "ann@example.com", "scopes": ["users:manage"] })))
            .await,
    );
    assert_eq!(refusal.details["field"], "scopes");
    let made = create(office, &operator, new(json!({ "user": "ann@example.com" }))).await.unwrap();
    assert_eq!(made.api_key.scopes, Role::Admin.permissions());
    let actor = actor_of(&bench, &made).await;
    let child = create(office, &actor, new(json!({}))).await.unwrap();
    assert_eq!(child.api_key.user_id.as_deref(), Some(admin.id.as_str()));
    let refusal = refused(create(office, &actor, new(json!({ "user": owner.id }))).await);
    assert_eq!(refusal.code, Code::Forbidden);
    // Whatever becomes of the user becomes of both keys.
    let viewer =
        users::UserChanges { role: crate::domain::Change::Set("viewer".to_owned()), ..Default::default() };
    users::update(office, &operator, &admin.id, viewer).await.unwrap();
    assert!(actor_of(&bench, &child).await.permissions.are_within(Role::Viewer.permissions()));
    users::disable(office, &operator, &admin.id, true).await.unwrap();
    let (hash, now) = (api_keys::hash(&child.secret), bench.now());
    let known = bench.write(move |tx| api_keys::by_hash(tx, &hash)).await.unwrap();
    assert!(!known.counts_at(now));
    let refusal = refused(create(office, &operator, new(json!({ "user": admin.id }))).await);
    assert_eq!(refusal.details["field"], "user");
}

#[tokio::test]
async fn a_revoked_key_is_revoked_once() {
    let bench = Bench::new().await;
    let (office, operator) = (&bench.office, Actor::operator("x"));
    let made = create(office, &operator, new(json!({}))).await.unwrap();
    let revoked = revoke(office, &operator, &made.api_key.id).await.unwrap();
    assert_eq!(revoked.revoked_at, Some(bench.now()));
    bench.advance(Duration::from_secs(60));
    assert_eq!(revoke(office, &operator, &made.api_key.id).await.unwrap(), revoked);
    let (hash, now) = (api_keys::hash(&made.secret), bench.now());
    let known = bench.write(move |tx| api_keys::by_hash(tx, &hash)).await.unwrap();
    assert!(!known.counts_at(now));
    let told: Vec<String> = bench.told().await.into_iter().map(|told| told.event).collect();
    assert_eq!(told, ["api_key.create", "api_key.revoke"]);
}

fn permissions() -> impl Strategy<Value = Permissions> {
    proptest::sample::subsequence(Permission::ALL, 0..=Permission::ALL.len())
        .prop_map(|permissions| permissions.into_iter().collect())
}

proptest! {
    #[test]
    fn what_is_granted_is_what_was_asked_for_and_nobody_lacks(
        wanted in permissions(), maker in permissions(), role in permissions(),
    ) {
        let granted = within(wanted, maker, role);
        prop_assert_eq!(granted.is_ok(), wanted.are_within(maker.and(role)));
        match granted {
            Ok(granted) => prop_assert_eq!(granted, wanted),
            Err(refusal) => {
                let is_beyond_maker = !wanted.are_within(maker);
                prop_assert_eq!(refusal.code == Code::Forbidden, is_beyond_maker);
            }
        }
    }
}
