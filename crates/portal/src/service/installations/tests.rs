use std::time::Duration;

use chancery_license::Environment::Prod;
use chancery_license::key::RANDOM_BYTES;
use chancery_license::{LicenseKey, Plan};
use chancery_testkit::Engine;

use super::*;
use crate::service::activations::{self as seats_of, Device};
use crate::service::claims::Claim;
use crate::service::licenses::{Transfer, Which, transfer};
use crate::service::machine_files::{self, Order};
use crate::service::signing;
use crate::service::testing::{Bench, chancery_terms, refused};

const DAY: Duration = Duration::from_secs(86_400);

/// A portal with a product of kind chancery that can sign, and licences of one seat for a year.
struct Site {
    bench: Bench,
    product: Product,
    organisation: String,
}

impl Site {
    async fn new() -> Self {
        Self::on(Engine::Sqlite).await
    }

    async fn on(engine: Engine) -> Self {
        let bench = Bench::on(engine).await;
        let product = bench.product_of_kind("chancery", Kind::Chancery).await;
        let key = signing::create(&bench.office, &desk(), "chancery", None).await.unwrap();
        signing::activate(&bench.office, &desk(), "chancery", &key.kid).await.unwrap();
        let organisation = bench.organisation("Example Ltd").await;
        Self { bench, product, organisation }
    }

    async fn license(&self) -> (License, LicenseKey) {
        let end = self.bench.now() + 365 * DAY;
        let change = |license: &mut License| {
            license.organisation_id = Some(self.organisation.clone());
            license.expires_at = Some(end);
            license.terms.seat_limit = Some(1);
        };
        self.bench.license(&self.product, chancery_terms("pro", Plan::Pro), change).await
    }

    async fn activate(&self, license: &LicenseKey, fingerprint: &str) -> Result<(), Failure> {
        let metadata = json!({ "site": "Hall 7" }).as_object().cloned();
        let device = Device { metadata, ..Device::default() };
        seats_of::activate(&self.bench.office, &desk(), claim(license, fingerprint), device).await.map(|_| ())
    }

    async fn file(&self, license: &LicenseKey, key: &InstallationKey) -> Result<(), Failure> {
        let claim = claim(license, key.as_str());
        machine_files::issue(&self.bench.office, &desk(), claim, Order::default()).await.map(|_| ())
    }

    async fn deactivate(&self, license: &LicenseKey, key: &InstallationKey) {
        seats_of::deactivate(&self.bench.office, &desk(), claim(license, key.as_str())).await.unwrap();
    }

    async fn link(&self, key: &InstallationKey, license: &License) -> Installation {
        link(&self.bench.office, &desk(), key, &license.id, None).await.unwrap()
    }

    async fn retire(&self, key: &InstallationKey) {
        retire(&self.bench.office, &desk(), key).await.unwrap();
    }

    /// The serials that lists have to tell of, and how many lists there were.
    async fn revoked(&self) -> (Vec<u64>, usize) {
        let (product, now) = (self.product.id.clone(), self.bench.now());
        let all = self.bench.write(move |tx| crate::store::revocations::all(tx, &product, Prod, now)).await;
        let mut serials: Vec<u64> = all.into_iter().filter_map(|entry| entry.serial).collect();
        serials.sort_unstable();
        let told = self.bench.told().await;
        (serials, told.iter().filter(|told| told.event == "document.revocations").count())
    }
}

fn desk() -> Actor {
    Actor::operator("operator")
}

fn key(number: u8) -> InstallationKey {
    InstallationKey::from_random(&[number; RANDOM_BYTES])
}

fn claim(license: &LicenseKey, fingerprint: &str) -> Claim {
    Claim::new("chancery".to_owned(), license.reveal(), fingerprint.to_owned()).unwrap()
}

#[tokio::test]
async fn a_retired_installation_takes_no_seat_and_gets_no_file() {
    let site = Site::new().await;
    let ((license, license_key), (_, other_key)) = (site.license().await, site.license().await);
    let box_ = key(1);
    site.activate(&other_key, box_.as_str()).await.unwrap();
    site.link(&box_, &license).await;
    site.retire(&box_).await;
    assert_eq!(refused(site.activate(&license_key, box_.as_str()).await).code, Code::Forbidden);
    // It holds a seat of another licence.
    assert_eq!(refused(site.file(&other_key, &box_).await).code, Code::Forbidden);
    site.link(&box_, &license).await;
    site.file(&license_key, &box_).await.unwrap();
    for fingerprint in ["device-1", &box_.as_str().to_lowercase()] {
        let refusal = refused(site.activate(&license_key, fingerprint).await);
        assert_eq!(refusal.details["field"], "fingerprint");
    }
}

#[tokio::test]
async fn what_a_seat_licensed_goes_with_it() {
    given_back(Site::new().await).await;
}

#[tokio::test]
async fn what_a_seat_licensed_goes_with_it_on_postgres() {
    given_back(Site::on(Engine::Postgres).await).await;
}

async fn given_back(site: Site) {
    let (license, license_key) = site.license().await;
    for number in 1..=2 {
        site.activate(&license_key, key(number).as_str()).await.unwrap();
        site.file(&license_key, &key(number)).await.unwrap();
        site.file(&license_key, &key(number)).await.unwrap();
        site.deactivate(&license_key, &key(number)).await;
    }
    assert_eq!(site.revoked().await, (vec![1, 2, 3, 4], 2));
    site.activate(&license_key, key(3).as_str()).await.unwrap();
    site.file(&license_key, &key(3)).await.unwrap();
    let to = Transfer { organisation_id: site.bench.organisation("ACME").await, release_seats: true };
    let which = Which { slug: None, id: license.id.clone() };
    transfer(&site.bench.office, &desk(), which, to, None).await.unwrap();
    assert_eq!(site.revoked().await, (vec![1, 2, 3, 4, 5], 3));
    let page = Page { limit: 10, after: None };
    let ended = site.bench.write(move |tx| activations::list(tx, &license.id, false, &page)).await;
    assert_eq!(ended.len(), 3);
    assert!(ended.iter().all(|seat| seat.deactivated_at.is_some() && seat.metadata.is_none()));

    // 30 days, 3 of grace, and one for clocks that are behind.
    site.bench.advance(34 * DAY - Duration::from_millis(1));
    assert_eq!(site.revoked().await.0.len(), 5);
    site.bench.advance(Duration::from_millis(1));
    assert!(site.revoked().await.0.is_empty());
    let (_, list) = revocations::issue(&site.bench.office, &desk(), "chancery", None).await.unwrap();
    assert_eq!(list.entries, 0);
}

#[tokio::test]
async fn who_moves_to_another_licence_leaves_what_the_first_one_gave() {
    let site = Site::new().await;
    let ((first, first_key), (second, second_key)) = (site.license().await, site.license().await);
    site.link(&key(1), &first).await;
    site.file(&first_key, &key(1)).await.unwrap();
    site.link(&key(1), &second).await;
    assert_eq!(site.revoked().await, (vec![1], 1));
    site.file(&second_key, &key(1)).await.unwrap();
    site.link(&key(1), &second).await;
    assert_eq!(site.revoked().await, (vec![1], 1));
}

#[tokio::test]
async fn a_file_of_before_the_link_is_revoked_in_its_grace_too() {
    let site = Site::new().await;
    let ((license, license_key), (_, other_key)) = (site.license().await, site.license().await);
    for license in [&license_key, &other_key] {
        site.activate(license, key(1).as_str()).await.unwrap();
        site.file(license, &key(1)).await.unwrap();
    }
    site.link(&key(1), &license).await;
    site.bench.advance(32 * DAY);
    site.retire(&key(1)).await;
    assert_eq!(site.revoked().await, (vec![1, 2], 1));
}

#[tokio::test]
async fn a_seat_is_given_so_many_files_a_day_however_often_it_changes_hands() {
    let site = Site::new().await;
    let (_, license_key) = site.license().await;
    site.activate(&license_key, key(1).as_str()).await.unwrap();
    for _ in 0..24 {
        site.file(&license_key, &key(1)).await.unwrap();
    }
    site.bench.advance(Duration::from_secs(60));
    let refusal = refused(site.file(&license_key, &key(1)).await);
    assert_eq!((refusal.code, &refusal.details["retry_after"]), (Code::RateLimited, &json!(86_341)));
    site.deactivate(&license_key, &key(1)).await;
    site.activate(&license_key, key(2).as_str()).await.unwrap();
    assert_eq!(refused(site.file(&license_key, &key(2)).await).code, Code::RateLimited);
    site.bench.advance(DAY);
    site.file(&license_key, &key(2)).await.unwrap();
}
