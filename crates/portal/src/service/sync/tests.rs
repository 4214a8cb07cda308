use std::time::Duration;

use chancery_license::Environment::{Dev, Prod};
use chancery_license::exchange::{Held, Metrics, Nonce, open_response, seal_request};
use chancery_license::key::RANDOM_BYTES;
use chancery_license::{
    Anchor, Database, Keyring, License as LicenseDocument, LicenseKey, Limit, Method, Plan, RevocationList,
    TrustAnchors, open,
};

use super::*;
use crate::service::claims::Claim;
use crate::service::licenses::{self as license_service, Renewal, Revocation, Which};
use crate::service::machine_files::{self, Order};
use crate::service::testing::{Bench, chancery_terms, refused};
use crate::service::{installations, revocations as lists, signing};
use crate::store::activations;

/// A portal with a product of kind chancery, a licence of it for a year, and what verifies its documents.
struct Site {
    bench: Bench,
    keyring: Keyring,
    license: License,
    license_key: LicenseKey,
}

/// A machine that calls.
struct Caller {
    key: InstallationKey,
    pair: SigningKey,
    counter: u64,
    held: Held,
    environment: Environment,
}

/// What a call came to.
struct Reply {
    verdict: Verdict,
    license: Option<LicenseDocument>,
    revocations: Option<RevocationList>,
    warnings: Vec<String>,
}

fn desk() -> Actor {
    Actor::operator("operator")
}

impl Site {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let product = bench.product_of_kind("chancery", Kind::Chancery).await;
        let key = signing::create(&bench.office, &desk(), "chancery", None).await.unwrap();
        signing::activate(&bench.office, &desk(), "chancery", &key.kid).await.unwrap();
        let anchor =
            Anchor { key: key.public_key.clone(), product: "chancery".to_owned(), environment: Prod };
        let keyring = Keyring::new(&TrustAnchors::new(vec![anchor]).unwrap(), "chancery", Prod).unwrap();
        let organisation = bench.organisation("Example Ltd").await;
        let end = bench.now() + Duration::from_secs(365 * 86_400);
        let (license, license_key) = bench
            .license(&product, chancery_terms("pro", Plan::Pro), |license| {
                license.organisation_id = Some(organisation);
                license.expires_at = Some(end);
                license.terms.seat_limit = Some(1);
            })
            .await;
        Self { bench, keyring, license, license_key }
    }

    async fn reply(&self, caller: &mut Caller, license_key: Option<&LicenseKey>) -> Result<Reply, Failure> {
        caller.counter += 1;
        let request = caller.request(license_key, self.bench.now());
        let text = seal_request(&request, &caller.pair).unwrap();
        let sync = answer(&self.bench.office, caller.key.as_str(), &text).await?;
        let sync = serde_json::to_value(sync).unwrap();
        let response = open_response(sync["response"].as_str().unwrap(), &self.keyring, &request).unwrap();
        let response = response.into_document().body;
        let opened = |text: &String| open::<LicenseDocument>(text, &self.keyring).ok();
        let list = |text: &String| open::<RevocationList>(text, &self.keyring).ok();
        let license =
            response.documents.iter().find_map(opened).map(|document| document.into_document().body);
        let revocations =
            response.documents.iter().find_map(list).map(|document| document.into_document().body);
        if let Some(license) = &license {
            caller.held.serial = license.serial;
        }
        if let Some(list) = &revocations {
            caller.held.revocations = list.sequence;
        }
        let (verdict, warnings) = (response.verdict, response.warnings);
        Ok(Reply { verdict, license, revocations, warnings })
    }

    fn which(&self) -> Which {
        Which { slug: None, id: self.license.id.clone() }
    }

    async fn seats(&self) -> i64 {
        let id = self.license.id.clone();
        self.bench.write(move |tx| licenses::by_id(tx, &id)).await.unwrap().active_seats
    }
}

impl Caller {
    fn new(number: u8) -> Self {
        Self {
            key: InstallationKey::from_random(&[number; RANDOM_BYTES]),
            pair: SigningKey::generate(Method::Ed25519).unwrap(),
            counter: 0,
            held: Held::default(),
            environment: Prod,
        }
    }

    fn request(&self, license_key: Option<&LicenseKey>, now: Timestamp) -> Document<Request> {
        let body = Request {
            installation_key: self.key.clone(),
            public_key: self.pair.public().clone(),
            nonce: Nonce::from_random([u8::try_from(self.counter).unwrap(); 32]),
            counter: self.counter,
            license_key: license_key.cloned(),
            machine_name: Some("ca-1".to_owned()),
            held: self.held,
            metrics: Metrics {
                database: Database::Sqlite,
                authorities: 1,
                managed_servers: 3,
                active_certificates: 9,
                version: "0.1.0".parse().unwrap(),
            },
        };
        Document {
            product: "chancery".to_owned(),
            environment: self.environment,
            issued: now.whole_seconds(),
            body,
        }
    }
}

#[tokio::test]
async fn a_registration_takes_a_seat_and_brings_the_licence_once() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    let first = site.reply(&mut caller, None).await.unwrap();
    assert_eq!((first.verdict, first.license), (Verdict::Unlinked, None));

    let registered = site.reply(&mut caller, Some(&site.license_key)).await.unwrap();
    let license = registered.license.unwrap();
    assert_eq!((registered.verdict, license.serial, license.plan), (Verdict::Licensed, 1, Plan::Pro));
    assert_eq!(license.installation_key.as_ref(), Some(&caller.key));
    assert_eq!((license.license_key == site.license_key, site.seats().await), (true, 1));

    // It holds that now; a machine that lost it is sent the same again.
    assert_eq!(site.reply(&mut caller, None).await.unwrap().license, None);
    caller.held.serial = 0;
    assert_eq!(site.reply(&mut caller, Some(&site.license_key)).await.unwrap().license.unwrap().serial, 1);
    assert_eq!(site.seats().await, 1);
    let shown = installations::show(&site.bench.office, &desk(), &caller.key).await.unwrap();
    assert_eq!((shown.name.as_deref(), shown.metrics.unwrap().managed_servers), (Some("ca-1"), 3));

    // The only seat is taken.
    let refusal = refused(site.reply(&mut Caller::new(2), Some(&site.license_key)).await.map(|_| ()));
    assert_eq!(refusal.code, Code::SeatLimitExceeded);
}

#[tokio::test]
async fn a_machine_file_that_was_carried_in_is_followed_by_a_newer_document_and_ends_with_the_installation() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    assert_eq!(site.reply(&mut caller, Some(&site.license_key)).await.unwrap().license.unwrap().serial, 1);
    let claim = Claim::new("chancery".to_owned(), site.license_key.reveal(), caller.key.to_string()).unwrap();
    machine_files::issue(&site.bench.office, &desk(), claim, Order::default()).await.unwrap();

    caller.held.serial = 2;
    assert_eq!(site.reply(&mut caller, None).await.unwrap().license.unwrap().serial, 3);
    assert_eq!(site.reply(&mut caller, None).await.unwrap().license, None);
    // A serial that the portal knows nothing of is nothing to run after.
    caller.held.serial = 40;
    assert_eq!(site.reply(&mut caller, None).await.unwrap().license, None);

    installations::retire(&site.bench.office, &desk(), &caller.key).await.unwrap();
    let list = site.reply(&mut caller, None).await.unwrap().revocations.unwrap();
    let revoked: Vec<u64> = list.serials.iter().map(|entry| entry.what).collect();
    assert_eq!(revoked, [1, 2, 3]);
}

#[tokio::test]
async fn what_is_linked_before_the_first_call_is_delivered_by_it() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    let office = &site.bench.office;
    installations::link(office, &desk(), &caller.key, &site.license.id, Some("west".to_owned()))
        .await
        .unwrap();
    let reply = site.reply(&mut caller, None).await.unwrap();
    assert_eq!((reply.verdict, reply.license.unwrap().serial), (Verdict::Licensed, 1));
    let id = caller.key.to_string();
    let license_id = site.license.id.clone();
    assert!(site.bench.write(move |tx| activations::active(tx, &license_id, &id)).await.is_some());
}

#[tokio::test]
async fn a_change_of_the_licence_is_the_next_issue() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    site.reply(&mut caller, Some(&site.license_key)).await.unwrap();
    let later = site.license.expires_at.unwrap() + Duration::from_secs(86_400);
    let renewal = Renewal { expires_at: Some(later) };
    license_service::renew(&site.bench.office, &desk(), site.which(), renewal, None).await.unwrap();
    let renewed = site.reply(&mut caller, None).await.unwrap().license.unwrap();
    assert_eq!((renewed.serial, renewed.expires), (2, later));
    assert_eq!(site.reply(&mut caller, None).await.unwrap().license, None);
}

#[tokio::test]
async fn retiring_revokes_what_was_sent_and_frees_the_seat() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    site.reply(&mut caller, Some(&site.license_key)).await.unwrap();
    let office = &site.bench.office;
    installations::retire(office, &desk(), &caller.key).await.unwrap();
    assert_eq!(site.seats().await, 0);
    let reply = site.reply(&mut caller, None).await.unwrap();
    assert_eq!((reply.verdict, reply.license), (Verdict::Retired, None));
    let list = reply.revocations.unwrap();
    assert!(list.find(&site.license.id, 1).is_some() && list.find(&site.license.id, 2).is_none());
    // A second time does nothing; only the vendor brings it back, with another issue.
    installations::retire(office, &desk(), &caller.key).await.unwrap();
    let refusal = refused(site.reply(&mut caller, Some(&site.license_key)).await.map(|_| ()));
    assert_eq!(refusal.code, Code::Forbidden);
    installations::link(office, &desk(), &caller.key, &site.license.id, None).await.unwrap();
    assert_eq!(site.reply(&mut caller, None).await.unwrap().license.unwrap().serial, 2);
    // The seat that is free after an unlinking is another's.
    installations::unlink(office, &desk(), &caller.key).await.unwrap();
    let reply = site.reply(&mut caller, None).await.unwrap();
    assert_eq!(reply.verdict, Verdict::Unlinked);
    assert!(reply.revocations.unwrap().find(&site.license.id, 2).is_some());
    let mut other = Caller::new(2);
    assert_eq!(site.reply(&mut other, Some(&site.license_key)).await.unwrap().license.unwrap().serial, 3);
}

#[tokio::test]
async fn a_revoked_licence_is_told_of_by_verdict_and_list() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    site.reply(&mut caller, Some(&site.license_key)).await.unwrap();
    let revocation = Revocation { reason: None };
    license_service::revoke(&site.bench.office, &desk(), site.which(), revocation, None).await.unwrap();
    let reply = site.reply(&mut caller, None).await.unwrap();
    assert_eq!(reply.verdict, Verdict::Revoked);
    assert!(reply.revocations.unwrap().find(&site.license.id, 0).is_some());
    let refusal = refused(site.reply(&mut Caller::new(2), Some(&site.license_key)).await.map(|_| ()));
    assert_eq!(refusal.code, Code::Revoked);
}

#[tokio::test]
async fn an_end_is_a_verdict_and_no_error() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    site.reply(&mut caller, Some(&site.license_key)).await.unwrap();
    site.bench.set(site.license.expires_at.unwrap());
    assert_eq!(site.reply(&mut caller, None).await.unwrap().verdict, Verdict::Expired);
}

#[tokio::test]
async fn the_first_key_pair_is_the_one_that_counts() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    site.reply(&mut caller, Some(&site.license_key)).await.unwrap();
    let mut thief = Caller { counter: 7, ..Caller::new(1) };
    assert_eq!(refused(site.reply(&mut thief, None).await.map(|_| ())).code, Code::Forbidden);
    installations::unpin(&site.bench.office, &desk(), &caller.key).await.unwrap();
    assert_eq!(site.reply(&mut thief, None).await.unwrap().verdict, Verdict::Licensed);
    assert_eq!(refused(site.reply(&mut caller, None).await.map(|_| ())).code, Code::Forbidden);
}

#[tokio::test]
async fn a_copy_shows_and_locks_nobody_out() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    for _ in 0..3 {
        assert!(site.reply(&mut caller, Some(&site.license_key)).await.unwrap().warnings.is_empty());
    }
    caller.counter = 1;
    let reply = site.reply(&mut caller, None).await.unwrap();
    assert_eq!((reply.verdict, reply.warnings.len()), (Verdict::Licensed, 1));
    let told = site.bench.told().await;
    assert!(told.iter().any(|told| told.event == "installation.clone"), "{told:?}");
    assert!(!format!("{told:?}").contains("CRT-"));
    let shown = installations::show(&site.bench.office, &desk(), &caller.key).await.unwrap();
    assert_eq!((shown.counter, shown.clone_seen_at), (3, Some(site.bench.now())));
}

#[tokio::test]
async fn a_request_is_for_this_installation_product_and_environment() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    caller.counter = 1;
    let office = &site.bench.office;
    let request = caller.request(None, site.bench.now());
    let text = seal_request(&request, &caller.pair).unwrap();
    let code = |outcome: Result<InstallationSync, Failure>| refused(outcome.map(|_| ())).code;
    let other = Caller::new(2);
    assert_eq!(code(answer(office, other.key.as_str(), &text).await), Code::InvalidArguments);
    assert_eq!(code(answer(office, "INST-1", &text).await), Code::InvalidArguments);
    let altered = text.replacen('A', "B", 1);
    assert_eq!(code(answer(office, caller.key.as_str(), &altered).await), Code::InvalidArguments);
    let foreign = Document { product: "another".to_owned(), ..request.clone() };
    let foreign = seal_request(&foreign, &caller.pair).unwrap();
    assert_eq!(code(answer(office, caller.key.as_str(), &foreign).await), Code::ProductNotFound);

    // A licence of another environment is not there, and an installation stays in its own.
    site.reply(&mut caller, Some(&site.license_key)).await.unwrap();
    caller.environment = Dev;
    let key = signing::create(office, &desk(), "chancery", Some(Dev)).await.unwrap();
    signing::activate(office, &desk(), "chancery", &key.kid).await.unwrap();
    assert_eq!(refused(site.reply(&mut caller, None).await.map(|_| ())).code, Code::ProductMismatch);
    let mut fresh = Caller { environment: Dev, ..Caller::new(3) };
    let refusal = refused(site.reply(&mut fresh, Some(&site.license_key)).await.map(|_| ()));
    assert_eq!(refusal.code, Code::LicenseNotFound);
}

#[tokio::test]
async fn what_was_recorded_changes_nothing_when_it_is_sent_again() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    let office = &site.bench.office;
    caller.counter = 1;
    let recorded =
        seal_request(&caller.request(Some(&site.license_key), site.bench.now()), &caller.pair).unwrap();
    answer(office, caller.key.as_str(), &recorded).await.unwrap();
    installations::unlink(office, &desk(), &caller.key).await.unwrap();
    answer(office, caller.key.as_str(), &recorded).await.unwrap();
    let shown = installations::show(office, &desk(), &caller.key).await.unwrap();
    assert_eq!((shown.license_id, site.seats().await), (None, 0));
    // Nor does it bring back the key pair that was forgotten.
    installations::unpin(office, &desk(), &caller.key).await.unwrap();
    let refusal = refused(answer(office, caller.key.as_str(), &recorded).await.map(|_| ()));
    assert_eq!(refusal.code, Code::Forbidden);
}

#[tokio::test]
async fn who_has_a_licence_does_not_lose_it_to_one_that_is_too_small() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    site.reply(&mut caller, Some(&site.license_key)).await.unwrap();
    let product = site.bench.write(|tx| products::by_slug(tx, "chancery")).await.unwrap();
    let mut terms = chancery_terms("tiny", Plan::Free);
    let tiny = terms.chancery.as_mut().unwrap();
    tiny.entitlements.max_managed_servers = Limit::AtMost(2);
    let (organisation, end) = (site.license.organisation_id.clone(), site.license.expires_at);
    let (_, small) = site
        .bench
        .license(&product, terms, |license| {
            license.organisation_id = organisation;
            license.expires_at = end;
        })
        .await;
    let refusal = refused(site.reply(&mut caller, Some(&small)).await.map(|_| ()));
    assert_eq!(
        (refusal.code, &refusal.details["reasons"][0]),
        (Code::NotActive, &json!("managed_servers_exceeded"))
    );
    let reply = site.reply(&mut caller, None).await.unwrap();
    assert_eq!((reply.verdict, reply.revocations), (Verdict::Licensed, None));
    assert_eq!(site.seats().await, 1);
}

#[tokio::test]
async fn nothing_is_kept_of_a_key_that_somebody_made_up() {
    let site = Site::new().await;
    assert_eq!(site.reply(&mut Caller::new(1), None).await.unwrap().verdict, Verdict::Unlinked);
    let key = Caller::new(1).key;
    let refusal = refused(installations::show(&site.bench.office, &desk(), &key).await);
    assert_eq!(refusal.code, Code::NotFound);
    assert!(!site.bench.told().await.iter().any(|told| told.event == "document.response"));
}

#[tokio::test]
async fn what_keeps_a_document_from_being_made_is_a_warning() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    site.reply(&mut caller, Some(&site.license_key)).await.unwrap();
    let id = site.license.id.clone();
    site.bench
        .write(move |tx| {
            tx.execute(
                "UPDATE licenses SET organisation_id = NULL, revision = revision + 1 WHERE id = $1",
                chancery_db::params![&id],
            )
        })
        .await;
    let reply = site.reply(&mut caller, None).await.unwrap();
    assert_eq!((reply.verdict, reply.license), (Verdict::Licensed, None));
    assert!(reply.warnings[0].contains("an organisation"), "{:?}", reply.warnings);
}

#[tokio::test]
async fn a_newer_list_alone_is_sent() {
    let site = Site::new().await;
    let mut caller = Caller::new(1);
    lists::issue(&site.bench.office, &desk(), "chancery", None).await.unwrap();
    assert_eq!(site.reply(&mut caller, None).await.unwrap().revocations.unwrap().sequence, 1);
    assert_eq!(site.reply(&mut caller, None).await.unwrap().revocations, None);
    lists::issue(&site.bench.office, &desk(), "chancery", None).await.unwrap();
    assert_eq!(site.reply(&mut caller, None).await.unwrap().revocations.unwrap().sequence, 2);
}
