//! Seats on a bench.

use std::time::Duration;

use chancery_license::key::RANDOM_BYTES;
use chancery_license::{InstallationKey, Plan};
use chancery_testkit::Engine;

use super::*;
use crate::service::installations;
use crate::service::licenses::{Transfer, transfer};
use crate::service::testing::{Bench, chancery_terms, refused, terms};
use crate::store::products::Kind;

fn which(id: &str) -> Which {
    Which { slug: Some("app".to_owned()), id: id.to_owned() }
}

#[tokio::test]
async fn a_seat_is_given_back_once() {
    let bench = Bench::new().await;
    let product = bench.product("app").await;
    let (license, _) = bench.license(&product, terms("pro"), |_| ()).await;
    let (other, _) = bench.license(&product, terms("pro"), |_| ()).await;
    let (first, second) =
        (bench.seat(&license.id, "machine-1").await, bench.seat(&license.id, "machine-2").await);
    let actor = Actor::operator("x");
    let release =
        async |license: &str, seat: &str| release(&bench.office, &actor, which(license), seat, None).await;
    assert_eq!(refused(release(&other.id, &first).await).code, Code::ActivationNotFound);
    assert_eq!(refused(release(&license.id, "act_0").await).code, Code::ActivationNotFound);
    bench.advance(Duration::from_secs(5));
    let ended = bench.now();
    for _ in 0..2 {
        assert_eq!(release(&license.id, &first).await.unwrap().deactivated_at, Some(ended));
        bench.advance(Duration::from_secs(5));
    }
    let told = bench.told().await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].event.as_str(), &told[0].details["activation"]),
        ("activation.deactivate", &json!(first))
    );
    let license_id = license.id.clone();
    let seats = bench.write(move |tx| Ok(licenses::by_id(tx, &license_id)?.unwrap().active_seats)).await;
    assert_eq!(seats, 1);
    let listed = async |only_active| {
        let page = Page { limit: 10, after: None };
        let (seats, next) = list(&bench.office, &actor, which(&license.id), only_active, page).await.unwrap();
        assert_eq!(next, None);
        seats.into_iter().map(|seat| seat.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(true).await, std::slice::from_ref(&second));
    let mut all = listed(false).await;
    all.sort();
    let mut both = [first, second];
    both.sort();
    assert_eq!(all, both);
}

#[tokio::test]
async fn seats_come_in_parts_the_newest_first() {
    parts(Bench::new().await).await;
}

#[tokio::test]
async fn seats_come_in_parts_the_newest_first_on_postgres() {
    parts(Bench::on(Engine::Postgres).await).await;
}

async fn parts(bench: Bench) {
    let product = bench.product("app").await;
    let (license, _) = bench.license(&product, terms("pro"), |license| license.terms.seat_limit = None).await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(bench.seat(&license.id, &format!("machine-{number}")).await);
        bench.advance(Duration::from_secs(1));
    }
    ids.reverse();
    let part = async |after: Option<String>| {
        let page = Page { limit: 2, after };
        let actor = Actor::operator("x");
        let (seats, next) = list(&bench.office, &actor, which(&license.id), true, page).await.unwrap();
        (seats.into_iter().map(|seat| seat.id).collect::<Vec<_>>(), next)
    };
    let (first, next) = part(None).await;
    assert_eq!((first.as_slice(), &next), (&ids[..2], &Some(ids[1].clone())));
    assert_eq!(part(next).await, (ids[2..].to_vec(), None));
}

#[tokio::test]
async fn a_seat_of_an_installation_goes_with_its_link_alone() {
    let bench = Bench::new().await;
    let product = bench.product_of_kind("app", Kind::Chancery).await;
    let (license, _) = bench.license(&product, chancery_terms("pro", Plan::Pro), |_| ()).await;
    let (actor, key) = (Actor::operator("x"), InstallationKey::from_random(&[3; RANDOM_BYTES]));
    let linked = installations::link(&bench.office, &actor, &key, &license.id, None).await.unwrap();
    let seat = linked.activation_id.unwrap();
    let refusal = refused(release(&bench.office, &actor, which(&license.id), &seat, None).await);
    assert_eq!(refusal.details["installation_key"], key.as_str());
    let to = Transfer { organisation_id: bench.organisation("ACME").await, release_seats: true };
    let refusal = refused(transfer(&bench.office, &actor, which(&license.id), to.clone(), None).await);
    assert_eq!(refusal.details["field"], "release_seats");
    installations::unlink(&bench.office, &actor, &key).await.unwrap();
    assert!(
        release(&bench.office, &actor, which(&license.id), &seat, None)
            .await
            .unwrap()
            .deactivated_at
            .is_some()
    );
    assert!(transfer(&bench.office, &actor, which(&license.id), to, None).await.is_ok());
}
