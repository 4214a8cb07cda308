//! Keys on a bench, also when two requests race.

use chancery_testkit::Engine;
use serde_json::json;

use super::*;
use crate::service::licenses::{self, NewLicense, Renewal, Which};
use crate::service::seats;
use crate::service::testing::{Bench, refused, terms};
use crate::store::products::Product;

const DAY: Duration = Duration::from_secs(86_400);

async fn bench() -> (Bench, Product) {
    on(Engine::Sqlite).await
}

async fn on(engine: Engine) -> (Bench, Product) {
    let bench = Bench::on(engine).await;
    let product = bench.product("app").await;
    bench.plan(&product, terms("pro"), Some(30)).await;
    (bench, product)
}

fn once(key: &str, body: &str) -> Option<Once> {
    Some(Once::new(key.as_bytes(), "POST", "/products/app/licenses", body.as_bytes()).unwrap())
}

async fn create(bench: &Bench, actor: &Actor, once: Option<Once>) -> Result<licenses::Found, Failure> {
    let new = NewLicense { plan_key: "pro".to_owned(), ..NewLicense::default() };
    licenses::create(&bench.office, actor, "app", new, once).await
}

#[test]
fn a_key_stands_for_method_path_and_body() {
    let of = |method, path, body: &str| Once::new(b"k", method, path, body.as_bytes()).unwrap();
    let first = of("POST", "/a", "{}");
    assert_eq!(of("POST", "/a", "{}"), first);
    for other in
        [of("PUT", "/a", "{}"), of("POST", "/b", "{}"), of("POST", "/a", "{ }"), of("POST", "/a{", "}")]
    {
        assert_ne!(other, first);
    }
}

#[test]
fn a_key_is_visible_ascii() {
    let longest = "k".repeat(255);
    for (key, is_key) in [
        (longest.as_str(), true),
        ("~!", true),
        ("", false),
        ("a b", false),
        ("schlüssel", false),
        (&"k".repeat(256), false),
    ] {
        assert_eq!(Once::new(key.as_bytes(), "POST", "/", b"").is_ok(), is_key, "{key}");
    }
}

#[tokio::test]
async fn the_same_request_is_done_once_and_answered_with_what_is_now() {
    let (bench, _) = bench().await;
    let (actor, other) = (bench.secret_key(true).await, bench.secret_key(true).await);
    let first = create(&bench, &actor, once("k", "{}")).await.unwrap();
    let by_id = || Which { slug: None, id: first.license.id.clone() };
    let changes = serde_json::from_value(json!({ "seat_limit": 7 })).unwrap();
    licenses::change(&bench.office, &actor, by_id(), changes).await.unwrap();
    let again = create(&bench, &actor, once("k", "{}")).await.unwrap();
    assert_eq!((&again.license.id, again.license.terms.seat_limit), (&first.license.id, Some(7)));
    assert_eq!(again.key, first.key);
    let made = bench.told().await.into_iter().filter(|told| told.event == "license.create").count();
    assert_eq!(made, 1);
    // Another request, another caller, and no key at all.
    let refusal = refused(create(&bench, &actor, once("k", r#"{"x":1}"#)).await);
    assert_eq!(
        (refusal.code, &refusal.details["field"]),
        (Code::InvalidArguments, &json!("Idempotency-Key"))
    );
    assert_ne!(create(&bench, &other, once("k", "{}")).await.unwrap().license.id, first.license.id);
    let (one, two) =
        (create(&bench, &actor, None).await.unwrap(), create(&bench, &actor, None).await.unwrap());
    assert_ne!(one.license.id, two.license.id);
}

#[tokio::test]
async fn a_renewal_that_is_sent_again_renews_once() {
    let (bench, product) = bench().await;
    let actor = bench.secret_key(true).await;
    let license = create(&bench, &actor, None).await.unwrap().license;
    let renew = async || {
        let which = Which { slug: None, id: license.id.clone() };
        licenses::renew(&bench.office, &actor, which, Renewal::default(), once("r", ""))
            .await
            .unwrap()
            .license
    };
    let first = renew().await;
    assert_eq!(first.expires_at, license.expires_at.map(|end| end + DAY * 30));
    assert_eq!(renew().await, first);
    // A seat, too: what is told again is the seat as it is.
    let seat = bench.seat(&license.id, "machine-1").await;
    for _ in 0..2 {
        let which = Which { slug: Some(product.slug.clone()), id: license.id.clone() };
        let released = seats::release(&bench.office, &actor, which, &seat, once("s", "")).await.unwrap();
        assert!(released.deactivated_at.is_some());
    }
}

#[tokio::test]
async fn of_requests_that_race_one_is_done() {
    race(bench().await.0).await;
}

#[tokio::test]
async fn of_requests_that_race_one_is_done_on_postgres() {
    race(on(Engine::Postgres).await.0).await;
}

async fn race(bench: Bench) {
    let actor = bench.secret_key(true).await;
    let race = (0..8).map(|_| {
        let (office, actor) = (bench.office.clone(), actor.clone());
        let new = NewLicense { plan_key: "pro".to_owned(), ..NewLicense::default() };
        tokio::spawn(async move { licenses::create(&office, &actor, "app", new, once("k", "{}")).await })
    });
    let race: Vec<_> = race.collect();
    let mut ids = Vec::new();
    for racer in race {
        ids.push(racer.await.unwrap().unwrap().license.id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(bench.told().await.len(), 1);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let (bench, product) = bench().await;
    let actor = bench.secret_key(true).await;
    let new = || NewLicense { plan_key: "late".to_owned(), ..NewLicense::default() };
    refused(licenses::create(&bench.office, &actor, "app", new(), once("k", "{}")).await);
    bench.plan(&product, terms("late"), None).await;
    assert!(licenses::create(&bench.office, &actor, "app", new(), once("k", "{}")).await.is_ok());
}

#[tokio::test]
async fn a_key_is_kept_for_a_day_and_then_swept() {
    kept_for_a_day(bench().await.0).await;
}

#[tokio::test]
async fn a_key_is_kept_for_a_day_and_then_swept_on_postgres() {
    kept_for_a_day(on(Engine::Postgres).await.0).await;
}

async fn kept_for_a_day(bench: Bench) {
    let actor = bench.secret_key(true).await;
    let first = create(&bench, &actor, once("k", "{}")).await.unwrap().license.id;
    create(&bench, &actor, once("later", "{}")).await.unwrap();
    bench.advance(DAY - Duration::from_millis(1));
    assert_eq!(create(&bench, &actor, once("k", "{}")).await.unwrap().license.id, first);
    assert_eq!(sweep(&bench.office).await.unwrap(), 0);
    bench.advance(Duration::from_millis(1));
    // It is forgotten to the minute, whether it was swept or not.
    let second = create(&bench, &actor, once("k", "[]")).await.unwrap().license.id;
    assert_ne!(second, first);
    assert_eq!(sweep(&bench.office).await.unwrap(), 1);
    assert_eq!(create(&bench, &actor, once("k", "[]")).await.unwrap().license.id, second);
}
