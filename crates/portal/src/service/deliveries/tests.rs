use chancery_license::Environment;
use serde_json::{Value, json};

use super::*;
use crate::domain::Code;
use crate::service::api_keys::{self, NewApiKey};
use crate::service::claims::Claim;
use crate::service::testing::{Bench, refused, terms};
use crate::service::webhooks::{NewWebhook, create, rotate_secret, set_enabled, test};
use crate::service::{activations, licenses, machine_files, signing};

const MINUTE: Duration = Duration::from_secs(60);

fn operator() -> Actor {
    Actor::operator("x")
}

async fn webhook(bench: &Bench, live: bool, events: &[&str]) -> String {
    let events = events.iter().map(|event| (*event).to_owned()).collect();
    let new = NewWebhook { url: "https://hooks.example.com/".to_owned(), live, events, description: None };
    create(&bench.office, &operator(), new).await.unwrap().webhook.id
}

/// Something happens.
async fn note(bench: &Bench, environment: Option<Environment>) {
    bench
        .office
        .write(move |office, tx| {
            let (kind, actor) = (events::LICENSE_SUSPEND, operator());
            let details = json!({ "license": "lic_1" });
            office.note(tx, &Note { kind, actor: &actor, environment, details }, office.now())
        })
        .await
        .unwrap();
}

async fn all(bench: &Bench, webhook_id: &str) -> Vec<Delivery> {
    let page = Page { limit: 100, after: None };
    list(&bench.office, &operator(), webhook_id, None, page).await.unwrap().0
}

async fn only(bench: &Bench, webhook_id: &str) -> Delivery {
    let [delivery] = all(bench, webhook_id).await.try_into().unwrap();
    delivery
}

async fn take_one(bench: &Bench, webhook_id: &str) -> Option<Taken> {
    let batch = take(&bench.office, webhook_id, 1).await.unwrap()?;
    batch.taken.into_iter().next()
}

async fn fail(bench: &Bench, webhook_id: &str, taken: &Taken) {
    settle(&bench.office, webhook_id, taken, Outcome::Answered(500)).await.unwrap();
}

/// Fails a delivery as often as it is tried.
async fn give_up(bench: &Bench, webhook_id: &str) -> i64 {
    let mut attempts = 0;
    while let Some(taken) = take_one(bench, webhook_id).await {
        attempts = taken.attempts;
        fail(bench, webhook_id, &taken).await;
        bench.advance(27 * 60 * MINUTE);
    }
    attempts
}

#[tokio::test]
async fn an_event_is_queued_for_whoever_hears_it() {
    let bench = Bench::new().await;
    let live = webhook(&bench, true, &["license.suspend"]).await;
    let of_test = webhook(&bench, false, &["license.suspend"]).await;
    let other = webhook(&bench, true, &["license.revoke"]).await;
    let disabled = webhook(&bench, true, &["license.suspend"]).await;
    set_enabled(&bench.office, &operator(), &disabled, false).await.unwrap();
    for environment in [Some(Environment::Prod), Some(Environment::Uat), None] {
        note(&bench, environment).await;
    }
    let counts = [all(&bench, &live).await.len(), all(&bench, &of_test).await.len()];
    assert_eq!(counts, [2, 1]);
    assert!(all(&bench, &other).await.is_empty() && all(&bench, &disabled).await.is_empty());

    let taken = take_one(&bench, &of_test).await.unwrap();
    let expected = format!(
        r#"{{"object":"event","id":"{}","type":"license.suspend","created_at":"2026-06-14T12:00:00Z","environment":"uat","data":{{"license":"lic_1"}}}}"#,
        taken.id
    );
    assert_eq!(taken.body, expected);
    let batch = take(&bench.office, &live, 10).await.unwrap().unwrap();
    let environments: Vec<Value> = batch
        .taken
        .iter()
        .map(|taken| serde_json::from_str::<Value>(&taken.body).unwrap()["environment"].clone())
        .collect();
    assert!(environments.contains(&json!("prod")) && environments.contains(&Value::Null));
}

#[tokio::test]
async fn a_change_that_fails_tells_nobody() {
    let bench = Bench::new().await;
    let id = webhook(&bench, true, &[]).await;
    let before = all(&bench, &id).await.len();
    let failed = bench.office.write(|office, tx| {
        let (kind, actor) = (events::LICENSE_SUSPEND, operator());
        let note = Note { kind, actor: &actor, environment: None, details: json!({}) };
        office.note(tx, &note, office.now())?;
        Err::<(), _>(Refusal::not_found("licence").into())
    });
    refused(failed.await);
    assert_eq!(all(&bench, &id).await.len(), before);
}

#[tokio::test]
async fn a_delivery_is_held_by_one_until_its_lease_ends() {
    let bench = Bench::new().await;
    let id = webhook(&bench, true, &["license.suspend"]).await;
    note(&bench, None).await;
    assert_eq!(waiting(&bench.office).await.unwrap(), std::slice::from_ref(&id));
    let crashed = take_one(&bench, &id).await.unwrap();
    assert!(waiting(&bench.office).await.unwrap().is_empty());
    bench.advance(LEASE - Duration::from_millis(1));
    assert_eq!(take_one(&bench, &id).await, None);
    bench.advance(Duration::from_millis(1));
    assert_eq!(waiting(&bench.office).await.unwrap(), std::slice::from_ref(&id));
    let takeover = take_one(&bench, &id).await.unwrap();
    assert_eq!((&takeover.id, &takeover.body, takeover.attempts), (&crashed.id, &crashed.body, 2));
    // Whoever was thought dead comes back, and has no say any more.
    fail(&bench, &id, &crashed).await;
    let held = only(&bench, &id).await;
    assert_eq!((held.status, held.last_status), (Status::Pending, None));
    settle(&bench.office, &id, &takeover, Outcome::Answered(204)).await.unwrap();
    let settled = only(&bench, &id).await;
    assert_eq!(
        (settled.status, settled.last_status, settled.last_error),
        (Status::Delivered, Some(204), None)
    );
    assert_eq!(settled.finished_at, Some(bench.now()));
}

#[tokio::test]
async fn a_delivery_that_fails_is_tried_again_until_it_is_given_up() {
    let bench = Bench::new().await;
    let id = webhook(&bench, true, &["license.suspend"]).await;
    note(&bench, None).await;
    let taken = take_one(&bench, &id).await.unwrap();
    fail(&bench, &id, &taken).await;
    let failed = only(&bench, &id).await;
    assert_eq!(
        (failed.status, failed.last_error.as_deref()),
        (Status::Pending, Some("the receiver answered 500"))
    );
    bench.advance(Duration::from_secs(9));
    assert_eq!(take_one(&bench, &id).await, None);
    bench.advance(Duration::from_secs(2));
    let again = take_one(&bench, &id).await.unwrap();
    assert_eq!((&again.id, again.attempts), (&taken.id, 2));
    settle(&bench.office, &id, &again, Outcome::Failed("connection\nrefused".to_owned())).await.unwrap();
    assert_eq!(only(&bench, &id).await.last_error.as_deref(), Some("connection refused"));
    bench.advance(2 * MINUTE);
    assert_eq!(give_up(&bench, &id).await, 9);
    let given_up = only(&bench, &id).await;
    assert_eq!((given_up.status, given_up.attempts), (Status::Failed, 9));
    let told = bench.told().await.pop().unwrap();
    let details = json!({
        "webhook": id, "delivery": taken.id, "event": "license.suspend", "error": "the receiver answered 500",
    });
    assert_eq!((told.event.as_str(), told.details), ("webhook.fail", details));
}

#[tokio::test]
async fn that_webhooks_fail_is_told_once_and_not_for_ever() {
    let bench = Bench::new().await;
    let (one, other) =
        (webhook(&bench, true, &["webhook.fail"]).await, webhook(&bench, true, &["webhook.fail"]).await);
    test(&bench.office, &operator(), &one).await.unwrap();
    assert_eq!(give_up(&bench, &one).await, 9);
    give_up(&bench, &other).await;
    let events =
        |deliveries: Vec<Delivery>| deliveries.into_iter().map(|delivery| delivery.event).collect::<Vec<_>>();
    assert_eq!(events(all(&bench, &one).await), ["webhook.fail", "webhook.test"]);
    assert_eq!(events(all(&bench, &other).await), ["webhook.fail"]);
    let told = bench.told().await;
    assert_eq!(told.iter().filter(|told| told.event == "webhook.fail").count(), 3);
}

#[tokio::test]
async fn a_test_is_sent_to_one_webhook_whatever_it_wants() {
    let bench = Bench::new().await;
    let (one, other) = (webhook(&bench, false, &["license.revoke"]).await, webhook(&bench, true, &[]).await);
    let before = all(&bench, &other).await.len();
    let queued = test(&bench.office, &operator(), &one).await.unwrap();
    assert_eq!((queued.event.as_str(), queued.status), ("webhook.test", Status::Pending));
    assert_eq!(only(&bench, &one).await, queued);
    assert_eq!(all(&bench, &other).await.len(), before);
}

#[tokio::test]
async fn a_delivery_can_be_put_in_line_again_and_keeps_its_id() {
    let bench = Bench::new().await;
    let id = webhook(&bench, true, &["license.suspend"]).await;
    note(&bench, None).await;
    give_up(&bench, &id).await;
    let failed = only(&bench, &id).await;
    let queued = redeliver(&bench.office, &operator(), &id, &failed.id).await.unwrap();
    assert_eq!((queued.status, queued.attempts, queued.finished_at), (Status::Pending, 0, None));
    let taken = take_one(&bench, &id).await.unwrap();
    assert_eq!((&taken.id, taken.attempts), (&failed.id, 1));
    // While it is under way it can be too, and what comes of the earlier attempt no longer counts.
    redeliver(&bench.office, &operator(), &id, &failed.id).await.unwrap();
    bench.advance(Duration::from_secs(1));
    let again = take_one(&bench, &id).await.unwrap();
    fail(&bench, &id, &taken).await;
    settle(&bench.office, &id, &again, Outcome::Answered(200)).await.unwrap();
    assert_eq!(only(&bench, &id).await.status, Status::Delivered);
    set_enabled(&bench.office, &operator(), &id, false).await.unwrap();
    let refusal = refused(redeliver(&bench.office, &operator(), &id, &failed.id).await);
    assert_eq!(refusal.code, Code::NotActive);
}

#[tokio::test]
async fn a_disabled_webhook_is_sent_nothing_until_it_is_enabled_again() {
    let bench = Bench::new().await;
    let id = webhook(&bench, true, &["license.suspend"]).await;
    note(&bench, None).await;
    set_enabled(&bench.office, &operator(), &id, false).await.unwrap();
    note(&bench, None).await;
    assert!(waiting(&bench.office).await.unwrap().is_empty());
    assert_eq!(take_one(&bench, &id).await, None);
    set_enabled(&bench.office, &operator(), &id, true).await.unwrap();
    assert!(take_one(&bench, &id).await.is_some());
    assert_eq!(take_one(&bench, &id).await, None);
}

#[tokio::test]
async fn deliveries_are_removed_thirty_days_after_they_ended() {
    let bench = Bench::new().await;
    let (one, disabled) = (
        webhook(&bench, true, &["license.suspend"]).await,
        webhook(&bench, true, &["license.suspend"]).await,
    );
    note(&bench, None).await;
    let taken = take_one(&bench, &one).await.unwrap();
    settle(&bench.office, &one, &taken, Outcome::Answered(200)).await.unwrap();
    note(&bench, None).await;
    set_enabled(&bench.office, &operator(), &disabled, false).await.unwrap();
    bench.advance(KEPT - Duration::from_millis(1));
    assert_eq!(sweep(&bench.office).await.unwrap(), 0);
    bench.advance(Duration::from_millis(1));
    assert_eq!(sweep(&bench.office).await.unwrap(), 3);
    // What is still owed to an enabled webhook stays, however old.
    assert_eq!(only(&bench, &one).await.status, Status::Pending);
    assert!(all(&bench, &disabled).await.is_empty());
}

#[tokio::test]
async fn a_secret_that_does_not_open_fails_the_attempt() {
    let bench = Bench::new().await;
    let id = webhook(&bench, true, &["license.suspend"]).await;
    note(&bench, None).await;
    let wanted = id.clone();
    bench.write(move |tx| webhooks::set_secret(tx, &wanted, b"altered")).await;
    let batch = take(&bench.office, &id, 1).await.unwrap().unwrap();
    assert!(batch.receiver.secret.is_err());
    assert_eq!(batch.taken.len(), 1);
}

#[tokio::test]
async fn no_event_holds_a_licence_key_or_a_secret() {
    let bench = Bench::new().await;
    let id = webhook(&bench, true, &[]).await;
    let product = bench.product("app").await;
    let (license, key) = bench.license(&product, terms("pro"), |_| ()).await;
    let claim = || Claim::new("app".to_owned(), key.reveal(), "device-0001".to_owned()).unwrap();
    let (office, actor) = (&bench.office, operator());
    activations::activate(office, &actor, claim(), activations::Device::default()).await.unwrap();
    let signing_key = signing::create(office, &actor, "app", Some(Environment::Prod)).await.unwrap();
    signing::activate(office, &actor, "app", &signing_key.kid).await.unwrap();
    machine_files::issue(office, &actor, claim(), machine_files::Order::default()).await.unwrap();
    activations::deactivate(office, &actor, claim()).await.unwrap();
    let which = || licenses::Which { slug: None, id: license.id.clone() };
    licenses::suspend(office, &actor, which(), licenses::Suspension::default(), None).await.unwrap();
    licenses::revoke(office, &actor, which(), licenses::Revocation::default(), None).await.unwrap();
    let (name, class) = ("shop".to_owned(), "secret".to_owned());
    let scopes = Some(vec!["all".to_owned()]);
    let new = NewApiKey { name, class, live: true, scopes, ..NewApiKey::default() };
    let api_key = api_keys::create(office, &actor, new).await.unwrap();
    let rotated = rotate_secret(office, &actor, &id).await.unwrap();
    assert!(all(&bench, &id).await.len() >= 10);
    let bodies: Vec<String> = bench
        .write(|tx| {
            let told = "SELECT body FROM webhook_deliveries UNION ALL SELECT details FROM audit_outbox";
            tx.query(told, &[], |row| row.get(0))
        })
        .await;
    assert!(bodies.iter().any(|body| body.contains(&license.id)));
    let without_prefix = key.reveal().trim_start_matches("CRT-");
    for body in bodies {
        for secret in ["CRT-", "whsec_", without_prefix, &api_key.secret, rotated.secret.reveal()] {
            assert!(!body.contains(secret), "{body}");
        }
    }
}
