//! Licences on a bench: what each action does, what it refuses, and that doing it again does nothing.

mod change;
mod course;
mod create;

use chancery_license::Environment;
use chancery_testkit::Engine;
use serde_json::{Value, json};

use super::*;
use crate::domain::Status;
use crate::service::testing::{Bench, refused, terms};

/// A bench with a product, a plan `pro` of two seats and 30 days, and an actor who may everything.
struct Scene {
    bench: Bench,
    product: Product,
    actor: Actor,
}

impl Scene {
    async fn new() -> Self {
        Self::on(Engine::Sqlite).await
    }

    async fn on(engine: Engine) -> Self {
        let bench = Bench::on(engine).await;
        let product = bench.product("app").await;
        bench.plan(&product, terms("pro"), Some(30)).await;
        Self { bench, product, actor: Actor::operator("test") }
    }

    fn office(&self) -> &Office {
        &self.bench.office
    }

    /// Makes a licence of what the JSON says.
    async fn create(&self, new: Value) -> Result<Found, Failure> {
        let new = serde_json::from_value(new).unwrap();
        create(self.office(), &self.actor, "app", new, None).await
    }

    async fn change(&self, id: &str, changes: Value) -> Result<Found, Failure> {
        let changes = serde_json::from_value(changes).unwrap();
        change(self.office(), &self.actor, by_id(id), changes).await
    }

    async fn show(&self, id: &str) -> Found {
        show(self.office(), &self.actor, by_id(id)).await.unwrap()
    }

    /// What the API says of a licence now.
    async fn details(&self, id: &str) -> Value {
        serde_json::to_value(self.show(id).await.details()).unwrap()
    }

    /// The names of the events so far.
    async fn events(&self) -> Vec<String> {
        self.bench.told().await.into_iter().map(|told| told.event).collect()
    }
}

fn by_id(id: &str) -> Which {
    Which { slug: None, id: id.to_owned() }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The member that a refusal is about.
fn field<T: std::fmt::Debug>(answer: Result<T, Failure>) -> (Code, String) {
    let refusal = refused(answer);
    let field = refusal.details.get("field").and_then(Value::as_str).unwrap_or_default();
    (refusal.code, field.to_owned())
}

#[tokio::test]
async fn what_is_out_of_reach_is_not_there() {
    let scene = Scene::new().await;
    let other = scene.bench.product("other").await;
    let id = scene.create(json!({ "plan_key": "pro" })).await.unwrap().license.id;
    let in_product = |slug: &str| Which { slug: Some(slug.to_owned()), id: id.clone() };
    let test = Actor { live: Some(false), ..Actor::operator("x") };
    let foreign = Actor { product_id: Some(other.id), ..Actor::operator("x") };
    for (actor, which, code) in [
        (&scene.actor, in_product("other"), Code::LicenseNotFound),
        (&scene.actor, in_product("none"), Code::ProductNotFound),
        (&scene.actor, by_id("lic_0"), Code::LicenseNotFound),
        (&test, in_product("app"), Code::LicenseNotFound),
        (&foreign, in_product("app"), Code::ProductNotFound),
        (&foreign, by_id(&id), Code::LicenseNotFound),
    ] {
        assert_eq!(refused(show(scene.office(), actor, which.clone()).await).code, code, "{which:?}");
        let revoked = revoke(scene.office(), actor, which.clone(), Revocation::default(), None).await;
        assert_eq!(refused(revoked).code, code, "{which:?}");
    }
    assert!(show(scene.office(), &scene.actor, in_product("app")).await.is_ok());
}

#[tokio::test]
async fn each_action_asks_for_its_permission() {
    let scene = Scene::new().await;
    let license = scene.create(json!({ "plan_key": "pro" })).await.unwrap().license;
    let (office, id) = (scene.office(), license.id.as_str());
    let may = |permissions: &[Permission]| Actor {
        permissions: permissions.iter().copied().collect(),
        ..Actor::operator("x")
    };
    let without = |permission: Permission| {
        let others = Permission::ALL.iter().copied().filter(|one| *one != permission);
        Actor { permissions: others.collect(), ..Actor::operator("x") }
    };
    let reader = without(Permission::LicensesRead);
    assert_eq!(refused(show(office, &reader, by_id(id)).await).code, Code::Forbidden);
    let all = list(office, &reader, "app", Wanted::default(), Page { limit: 1, after: None }).await;
    assert_eq!(refused(all).code, Code::Forbidden);
    let new = NewLicense { plan_key: "pro".to_owned(), ..NewLicense::default() };
    let made = create(office, &without(Permission::LicensesCreate), "app", new.clone(), None).await;
    assert_eq!(refused(made).code, Code::Forbidden);
    let updater = without(Permission::LicensesUpdate);
    for answer in [
        change(office, &updater, by_id(id), LicenseChanges::default()).await,
        renew(office, &updater, by_id(id), Renewal::default(), None).await,
        suspend(office, &updater, by_id(id), Suspension::default(), None).await,
        reinstate(office, &updater, by_id(id), Reinstatement {}, None).await,
        transfer(office, &updater, by_id(id), Transfer::default(), None).await,
        revoke(office, &without(Permission::LicensesRevoke), by_id(id), Revocation::default(), None).await,
    ] {
        assert_eq!(refused(answer).code, Code::Forbidden);
    }
    // Whoever makes a licence is told its key; whoever only changes it is not.
    let made = create(office, &may(&[Permission::LicensesCreate]), "app", new, None).await.unwrap();
    assert!(made.key.is_some());
    let renewed =
        renew(office, &may(&[Permission::LicensesUpdate]), by_id(id), Renewal::default(), None).await;
    assert!(renewed.unwrap().key.is_none());
    assert!(scene.show(id).await.key.is_some());
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_parts() {
    filtered_lists(Scene::new().await).await;
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_parts_on_postgres() {
    filtered_lists(Scene::on(Engine::Postgres).await).await;
}

async fn filtered_lists(scene: Scene) {
    let organisation = scene.bench.organisation("ACME").await;
    scene.bench.plan(&scene.product, terms("free"), None).await;
    let mut ids = Vec::new();
    for new in [
        json!({ "plan_key": "free", "reference": "one" }),
        json!({ "plan_key": "pro", "organisation_id": organisation }),
        json!({ "plan_key": "pro", "environment": "dev", "reference": "one" }),
        json!({ "plan_key": "pro", "expires_at": "2026-06-15T12:00:00Z" }),
    ] {
        ids.push(scene.create(new).await.unwrap().license.id);
        scene.bench.advance(std::time::Duration::from_secs(1));
    }
    suspend(scene.office(), &scene.actor, by_id(&ids[1]), Suspension::default(), None).await.unwrap();
    scene.bench.set(at("2026-06-15T12:00:00Z"));
    let listed = async |actor: &Actor, wanted: Wanted, limit, after: Option<&str>| {
        let page = Page { limit, after: after.map(str::to_owned) };
        let (found, next) = list(scene.office(), actor, "app", wanted, page).await.unwrap();
        assert!(found.iter().all(|found| found.key.is_none()));
        let numbers: Vec<usize> =
            found.iter().map(|found| ids.iter().position(|id| *id == found.license.id).unwrap()).collect();
        (numbers, next)
    };
    let wanted = |alter: &dyn Fn(&mut Wanted)| {
        let mut wanted = Wanted::default();
        alter(&mut wanted);
        wanted
    };
    let text = |text: &str| Some(text.to_owned());
    for (alter, expected) in [
        (&|_: &mut Wanted| () as _, vec![3, 2, 1, 0]),
        (&|wanted: &mut Wanted| wanted.status = Some(Status::Pending), vec![2, 0]),
        (&|wanted: &mut Wanted| wanted.status = Some(Status::Suspended), vec![1]),
        // It ends at this very instant.
        (&|wanted: &mut Wanted| wanted.status = Some(Status::Expired), vec![3]),
        (&|wanted: &mut Wanted| wanted.plan_key = text("free"), vec![0]),
        (&|wanted: &mut Wanted| wanted.organisation_id = text(&organisation), vec![1]),
        (&|wanted: &mut Wanted| wanted.reference = text("one"), vec![2, 0]),
        (&|wanted: &mut Wanted| wanted.environment = Some(Environment::Dev), vec![2]),
        (&|wanted: &mut Wanted| wanted.expires_before = Some(at("2026-06-15T12:00:00Z")), vec![]),
        (&|wanted: &mut Wanted| wanted.expires_before = Some(at("2026-06-15T12:00:01Z")), vec![3]),
    ] as [(&dyn Fn(&mut Wanted), Vec<usize>); 10]
    {
        assert_eq!(listed(&scene.actor, wanted(alter), 10, None).await, (expected, None));
    }
    let all = Wanted::default;
    let live = Actor { live: Some(true), ..Actor::operator("x") };
    assert_eq!(listed(&live, all(), 10, None).await.0, [3, 1, 0]);
    let (first, next) = listed(&scene.actor, all(), 3, None).await;
    assert_eq!((first, next.as_deref()), (vec![3, 2, 1], Some(ids[1].as_str())));
    assert_eq!(listed(&scene.actor, all(), 3, next.as_deref()).await, (vec![0], None));
    assert_eq!(listed(&scene.actor, all(), 4, None).await.1, None);
}
