use std::time::Duration;

use super::*;
use crate::domain::{Status, StoredStatus};
use crate::service::testing::Told;
use crate::store::{activations, revocations};

async fn renewed(scene: &Scene, id: &str, renewal: Value) -> Result<Found, Failure> {
    let renewal = serde_json::from_value(renewal).unwrap();
    renew(scene.office(), &scene.actor, by_id(id), renewal, None).await
}

async fn last(scene: &Scene) -> Told {
    scene.bench.told().await.pop().unwrap()
}

#[tokio::test]
async fn an_expired_licence_comes_alive_by_a_renewal() {
    let scene = Scene::new().await;
    let id = scene.create(json!({ "plan_key": "pro" })).await.unwrap().license.id;
    let end = at("2026-07-14T12:00:00Z");
    scene.bench.set(end - Duration::from_millis(1));
    assert_eq!(scene.details(&id).await["status"], "pending");
    scene.bench.set(end);
    assert_eq!(scene.details(&id).await["status"], "expired");
    scene.bench.set(at("2026-08-01T00:00:00Z"));
    let found = renewed(&scene, &id, json!({})).await.unwrap();
    assert_eq!(found.license.expires_at, Some(at("2026-08-31T00:00:00Z")));
    assert_eq!((found.license.status_at(found.at), found.license.revision), (Status::Pending, 2));
    let told = last(&scene).await;
    assert_eq!(told.event, "license.renew");
    assert_eq!(told.details["from"], "2026-07-14T12:00:00Z");
    // Before its end it is counted from there, and an end that is given counts as it is.
    assert_eq!(
        renewed(&scene, &id, json!({})).await.unwrap().license.expires_at,
        Some(at("2026-09-30T00:00:00Z"))
    );
    let to = json!({ "expires_at": "2027-01-01T00:00:00Z" });
    for _ in 0..2 {
        let found = renewed(&scene, &id, to.clone()).await.unwrap().license;
        assert_eq!((found.expires_at, found.revision), (Some(at("2027-01-01T00:00:00Z")), 4));
    }
    let earlier = json!({ "expires_at": "2026-12-01T00:00:00Z" });
    assert_eq!(field(renewed(&scene, &id, earlier).await).1, "expires_at");
}

#[tokio::test]
async fn a_suspension_is_taken_back_to_what_was_before() {
    let scene = Scene::new().await;
    for (before, after) in [(StoredStatus::Pending, "pending"), (StoredStatus::Active, "active")] {
        let (license, _) = scene
            .bench
            .license(&scene.product, terms("pro"), |license| {
                license.status = before;
                license.activated_at = (before == StoredStatus::Active).then_some(license.created_at);
            })
            .await;
        let id = license.id.as_str();
        let (office, actor) = (scene.office(), &scene.actor);
        let why = Suspension { reason: Some("not paid".to_owned()) };
        suspend(office, actor, by_id(id), why, None).await.unwrap();
        assert_eq!(last(&scene).await.details["reason"], "not paid");
        let details = scene.details(id).await;
        assert_eq!((&details["status"], &details["revision"]), (&json!("suspended"), &json!(1)));
        assert_eq!(details["suspended_at"], "2026-06-14T12:00:00Z");
        let events = scene.events().await.len();
        suspend(office, actor, by_id(id), Suspension::default(), None).await.unwrap();
        assert_eq!(scene.events().await.len(), events);
        reinstate(office, actor, by_id(id), Reinstatement {}, None).await.unwrap();
        let details = scene.details(id).await;
        assert_eq!((&details["status"], &details["suspended_at"]), (&json!(after), &Value::Null));
        reinstate(office, actor, by_id(id), Reinstatement {}, None).await.unwrap();
        assert_eq!(scene.events().await.len(), events + 1);
        let why = Suspension { reason: Some("two\nlines".to_owned()) };
        assert_eq!(field(suspend(office, actor, by_id(id), why, None).await).1, "reason");
    }
}

#[tokio::test]
async fn a_revocation_is_for_good_and_on_the_list() {
    let scene = Scene::new().await;
    let id = scene.create(json!({ "plan_key": "pro" })).await.unwrap().license.id;
    let (office, actor) = (scene.office(), &scene.actor);
    let why = |reason: &str| Revocation { reason: Some(reason.to_owned()) };
    assert_eq!(field(revoke(office, actor, by_id(&id), why("angry"), None).await).1, "reason");
    revoke(office, actor, by_id(&id), why("unpaid"), None).await.unwrap();
    scene.bench.advance(Duration::from_secs(60));
    for _ in 0..2 {
        revoke(office, actor, by_id(&id), why("misused"), None).await.unwrap();
    }
    let details = scene.details(&id).await;
    assert_eq!((&details["status"], &details["revocation_reason"]), (&json!("revoked"), &json!("unpaid")));
    assert_eq!(details["revoked_at"], "2026-06-14T12:00:00Z");
    let (product, now) = (scene.product.id.clone(), scene.bench.now());
    let entries = scene
        .bench
        .write(move |tx| revocations::all(tx, &product, chancery_license::Environment::Prod, now))
        .await;
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].license_id.as_str(), entries[0].serial), (id.as_str(), None));
    let of_revocations = scene.events().await.into_iter().filter(|event| event == "license.revoke").count();
    assert_eq!(of_revocations, 1);
    let organisation = scene.bench.organisation("ACME").await;
    let to = Transfer { organisation_id: organisation, release_seats: false };
    for answer in [
        renewed(&scene, &id, json!({})).await,
        suspend(office, actor, by_id(&id), Suspension::default(), None).await,
        reinstate(office, actor, by_id(&id), Reinstatement {}, None).await,
        transfer(office, actor, by_id(&id), to, None).await,
    ] {
        assert_eq!(refused(answer).code, Code::Revoked);
    }
}

#[tokio::test]
async fn a_transfer_changes_the_holder_and_may_empty_the_seats() {
    transferred(Scene::new().await).await;
}

#[tokio::test]
async fn a_transfer_changes_the_holder_and_may_empty_the_seats_on_postgres() {
    transferred(Scene::on(Engine::Postgres).await).await;
}

async fn transferred(scene: Scene) {
    let (one, other) = (scene.bench.organisation("One").await, scene.bench.organisation("Other").await);
    let new = json!({ "plan_key": "pro", "organisation_id": one });
    let id = scene.create(new).await.unwrap().license.id;
    for fingerprint in ["machine-1", "machine-2"] {
        scene.bench.seat(&id, fingerprint).await;
    }
    let to = async |organisation: &str, release_seats| {
        let transfer_to = Transfer { organisation_id: organisation.to_owned(), release_seats };
        transfer(scene.office(), &scene.actor, by_id(&id), transfer_to, None).await
    };
    assert_eq!(field(to("org_0", true).await).1, "organisation_id");
    let moved = to(&other, false).await.unwrap().license;
    assert_eq!((moved.organisation_id.as_ref(), moved.active_seats, moved.revision), (Some(&other), 2, 2));
    assert_eq!(last(&scene).await.details["from"], one);
    let events = scene.events().await.len();
    to(&other, false).await.unwrap();
    assert_eq!(scene.events().await.len(), events);
    let emptied = to(&other, true).await.unwrap().license;
    assert_eq!((emptied.active_seats, emptied.revision), (0, 2));
    assert_eq!(last(&scene).await.details["seats_released"], 2);
    assert_eq!(scene.show(&id).await.license.active_seats, 0);
    let wanted = id.clone();
    let page = Page { limit: 10, after: None };
    let left = scene.bench.write(move |tx| activations::list(tx, &wanted, true, &page)).await;
    assert_eq!(left, []);
}
