use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use chancery_time::{Clock as _, SystemClock};
use chancery_web::{CurrentCertificate, Limits, Transport, from_pem, self_signed, server_config};
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::DropGuard;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use super::*;
use crate::config::Webhooks;
use crate::domain::Actor;
use crate::domain::delivery::Secret;
use crate::domain::webhook::Destinations;
use crate::service::testing::Bench;
use crate::service::webhooks::{NewWebhook, create, test};
use crate::store::Page;
use crate::store::deliveries::{Delivery, Status};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// Somebody who is told of events.
struct Receiver {
    address: SocketAddr,
    desk: Arc<ReceivingDesk>,
    _stop: DropGuard,
}

struct ReceivingDesk {
    answer: Mutex<StatusCode>,
    seen: watch::Sender<Vec<(HeaderMap, String)>>,
    held: watch::Sender<bool>,
}

async fn receive(
    State(desk): State<Arc<ReceivingDesk>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    desk.seen.send_modify(|seen| seen.push((headers, String::from_utf8(body.to_vec()).unwrap())));
    desk.held.subscribe().wait_for(|held| !held).await.unwrap();
    let elsewhere = HeaderMap::from_iter([(LOCATION, "/elsewhere".parse().unwrap())]);
    // Far more than anybody reads.
    (*desk.answer.lock().unwrap(), elsewhere, "x".repeat(1_000_000))
}

impl Receiver {
    async fn plain() -> Self {
        Self::start(Transport::Plain).await
    }

    /// One that speaks TLS, with a certificate that is in `file`.
    async fn with_certificate(file: &Path) -> Self {
        let (certificate, key) = self_signed("127.0.0.1", SystemClock.now()).unwrap();
        std::fs::write(file, &certificate).unwrap();
        let current = Arc::new(CurrentCertificate::new(from_pem(&certificate, &key).unwrap()));
        Self::start(Transport::Tls(Arc::new(server_config(current).unwrap()))).await
    }

    async fn start(transport: Transport) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(ReceivingDesk {
            answer: Mutex::new(StatusCode::OK),
            seen: watch::Sender::default(),
            held: watch::Sender::default(),
        });
        let router = Router::new().fallback(receive).with_state(Arc::clone(&desk));
        let (stop, limits) = (CancellationToken::new(), Limits::with_connections(100));
        tokio::spawn(chancery_web::serve(
            listener,
            transport,
            router,
            limits,
            TaskTracker::new(),
            stop.clone(),
        ));
        Self { address, desk, _stop: stop.drop_guard() }
    }

    fn answers(&self, status: StatusCode) {
        *self.desk.answer.lock().unwrap() = status;
    }

    fn hold(&self, holds: bool) {
        self.desk.held.send_replace(holds);
    }

    fn seen(&self) -> Vec<(HeaderMap, String)> {
        self.desk.seen.borrow().clone()
    }

    async fn wait_for(&self, count: usize) {
        let mut seen = self.desk.seen.subscribe();
        tokio::time::timeout(LONG, seen.wait_for(|seen| seen.len() >= count)).await.unwrap().unwrap();
    }
}

/// A portal that may send webhooks to those networks.
async fn bench(allow: &[&str]) -> Bench {
    let mut bench = Bench::new().await;
    let allow = allow.iter().map(|network| network.parse().unwrap()).collect();
    bench.office.destinations = Destinations::new(&Webhooks { allow, deny: vec![], ca_file: None }).into();
    bench
}

/// A webhook of that URL; its id and secret.
async fn webhook(bench: &Bench, url: &str) -> (String, Secret) {
    let new = NewWebhook {
        url: url.to_owned(),
        live: true,
        events: vec!["user.create".to_owned()],
        description: None,
    };
    let made = create(&bench.office, &Actor::operator("x"), new).await.unwrap();
    (made.webhook.id, made.secret)
}

async fn queue(bench: &Bench, id: &str) -> String {
    test(&bench.office, &Actor::operator("x"), id).await.unwrap().id
}

async fn newest(bench: &Bench, id: &str) -> Delivery {
    let page = Page { limit: 1, after: None };
    let (found, _) = deliveries::list(&bench.office, &Actor::operator("x"), id, None, page).await.unwrap();
    found.into_iter().next().unwrap()
}

async fn count(bench: &Bench, id: &str, status: Status) -> usize {
    let page = Page { limit: 100, after: None };
    deliveries::list(&bench.office, &Actor::operator("x"), id, Some(status), page).await.unwrap().0.len()
}

fn round(bench: &Bench, ca_file: Option<&Path>) -> Round {
    let courier = Courier::new(Arc::clone(&bench.office.destinations), ca_file).unwrap();
    Round {
        office: bench.office.clone(),
        courier: Arc::new(courier),
        tasks: JoinSet::new(),
        of: HashMap::new(),
    }
}

/// Delivers what is due now.
async fn deliver(round: &mut Round) {
    round.begin().await.unwrap();
    while round.end_one().await {}
}

#[tokio::test]
async fn a_receiver_knows_who_sent_what() {
    let (bench, receiver) = (bench(&["127.0.0.0/8"]).await, Receiver::plain().await);
    let (id, secret) = webhook(&bench, &format!("http://{}/in?x=1", receiver.address)).await;
    let delivery_id = queue(&bench, &id).await;
    deliver(&mut round(&bench, None)).await;
    let [(headers, body)] = receiver.seen().try_into().unwrap();
    assert_eq!(headers["chancery-event"], "webhook.test");
    assert_eq!(headers["chancery-delivery"], delivery_id.as_str());
    assert_eq!(headers["chancery-signature"], secret.sign(bench.now(), &body).as_str());
    assert_eq!(headers["content-type"], "application/json");
    assert!(headers["user-agent"].to_str().unwrap().starts_with("chancery-portal/"));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["object"], &body["id"]), (&Value::from("event"), &Value::from(delivery_id)));
    let delivered = newest(&bench, &id).await;
    assert_eq!(
        (delivered.status, delivered.attempts, delivered.last_status),
        (Status::Delivered, 1, Some(200))
    );
}

#[tokio::test]
async fn a_receiver_that_fails_is_asked_again_when_the_time_has_come() {
    let (bench, receiver) = (bench(&["127.0.0.0/8"]).await, Receiver::plain().await);
    let (id, _) = webhook(&bench, &format!("http://{}/", receiver.address)).await;
    queue(&bench, &id).await;
    receiver.answers(StatusCode::INTERNAL_SERVER_ERROR);
    let mut round = round(&bench, None);
    deliver(&mut round).await;
    deliver(&mut round).await;
    assert_eq!(receiver.seen().len(), 1);
    assert_eq!(newest(&bench, &id).await.last_status, Some(500));
    receiver.answers(StatusCode::NO_CONTENT);
    bench.advance(Duration::from_secs(11));
    deliver(&mut round).await;
    let [(first, first_body), (second, second_body)] = receiver.seen().try_into().unwrap();
    assert_eq!(first["chancery-delivery"], second["chancery-delivery"]);
    assert_eq!(first_body, second_body);
    assert_ne!(first["chancery-signature"], second["chancery-signature"]);
    assert_eq!(newest(&bench, &id).await.status, Status::Delivered);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (bench, receiver) = (bench(&["127.0.0.0/8"]).await, Receiver::plain().await);
    let (id, _) = webhook(&bench, &format!("http://{}/", receiver.address)).await;
    for status in [StatusCode::MOVED_PERMANENTLY, StatusCode::TEMPORARY_REDIRECT] {
        receiver.answers(status);
        queue(&bench, &id).await;
        deliver(&mut round(&bench, None)).await;
        bench.advance(Duration::from_secs(1));
    }
    assert_eq!(receiver.seen().len(), 2);
    let failed = newest(&bench, &id).await;
    assert_eq!((failed.status, failed.last_status), (Status::Pending, Some(307)));
    assert!(failed.last_error.unwrap().contains("not followed"));
}

#[tokio::test]
async fn tls_receivers_are_held_to_the_roots_of_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let (own, other) = (directory.path().join("own.pem"), directory.path().join("other.pem"));
    let receiver = Receiver::with_certificate(&own).await;
    Receiver::with_certificate(&other).await;
    let bench = bench(&["127.0.0.0/8"]).await;
    let (id, _) = webhook(&bench, &format!("https://{}/", receiver.address)).await;
    for untrusting in [None, Some(other.as_path())] {
        queue(&bench, &id).await;
        deliver(&mut round(&bench, untrusting)).await;
        assert!(newest(&bench, &id).await.last_error.is_some());
        bench.advance(Duration::from_secs(1));
    }
    assert!(receiver.seen().is_empty());
    queue(&bench, &id).await;
    deliver(&mut round(&bench, Some(&own))).await;
    assert_eq!(newest(&bench, &id).await.status, Status::Delivered);
    assert_eq!(receiver.seen().len(), 1);
}

#[tokio::test]
async fn what_is_not_allowed_is_not_dialled() {
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    let receiver = Receiver::with_certificate(&roots).await;
    let port = receiver.address.port();
    // Made when it was allowed, or by a name.
    for origin in [
        "http://127.0.0.1",
        "http://localhost",
        "https://127.0.0.1",
        "https://localhost",
        "http://[::ffff:127.0.0.1]",
    ] {
        let url = format!("{origin}:{port}/");
        let mut bench = bench(&["127.0.0.0/8", "::1/128"]).await;
        let (id, _) = webhook(&bench, &url).await;
        queue(&bench, &id).await;
        let allow = vec!["192.0.2.0/24".parse().unwrap()];
        bench.office.destinations =
            Destinations::new(&Webhooks { allow, deny: vec![], ca_file: None }).into();
        let courier = Courier::new(Arc::clone(&bench.office.destinations), Some(&roots)).unwrap();
        let receiving = deliveries::take(&bench.office, &id, 1).await.unwrap().unwrap();
        let outcome = courier.deliver(&receiving.receiver, &receiving.taken[0], bench.now()).await;
        let deliveries::Outcome::Failed(error) = outcome else { panic!("{url}: {outcome:?}") };
        assert!(error.contains("loopback"), "{url}: {error}");
    }
    assert!(receiver.seen().is_empty());
}

#[tokio::test]
async fn a_name_within_the_allowed_networks_may_be_spoken_to_without_tls() {
    let (bench, receiver) = (bench(&["127.0.0.0/8", "::1/128"]).await, Receiver::plain().await);
    let (id, _) = webhook(&bench, &format!("http://localhost:{}/", receiver.address.port())).await;
    queue(&bench, &id).await;
    deliver(&mut round(&bench, None)).await;
    assert_eq!(newest(&bench, &id).await.status, Status::Delivered);
}

#[tokio::test]
async fn a_slow_receiver_holds_up_nobody_else() {
    let (slow, quick) = (Receiver::plain().await, Receiver::plain().await);
    let bench = bench(&["127.0.0.0/8"]).await;
    let (of_slow, _) = webhook(&bench, &format!("http://{}/", slow.address)).await;
    let (of_quick, _) = webhook(&bench, &format!("http://{}/", quick.address)).await;
    slow.hold(true);
    for _ in 0..AT_ONCE + 2 {
        queue(&bench, &of_slow).await;
        queue(&bench, &of_quick).await;
    }
    let mut round = round(&bench, None);
    while count(&bench, &of_quick, Status::Delivered).await < AT_ONCE + 2 {
        round.begin().await.unwrap();
        assert!(tokio::time::timeout(LONG, round.end_one()).await.unwrap());
    }
    slow.wait_for(AT_ONCE).await;
    assert_eq!(slow.seen().len(), AT_ONCE);
    assert_eq!(count(&bench, &of_slow, Status::Pending).await, AT_ONCE + 2);
    slow.hold(false);
    while round.end_one().await {}
    deliver(&mut round).await;
    assert_eq!(count(&bench, &of_slow, Status::Delivered).await, AT_ONCE + 2);
    assert_eq!(slow.seen().len(), AT_ONCE + 2);
}

#[tokio::test]
async fn what_a_crashed_process_held_is_delivered_by_another() {
    let (bench, receiver) = (bench(&["127.0.0.0/8"]).await, Receiver::plain().await);
    let (id, _) = webhook(&bench, &format!("http://{}/", receiver.address)).await;
    queue(&bench, &id).await;
    let crashed = deliveries::take(&bench.office, &id, 1).await.unwrap().unwrap();
    let mut other = round(&bench, None);
    deliver(&mut other).await;
    assert!(receiver.seen().is_empty());
    bench.advance(Duration::from_secs(60));
    deliver(&mut other).await;
    assert_eq!(receiver.seen().len(), 1);
    let delivered = newest(&bench, &id).await;
    assert_eq!(
        (&delivered.id, delivered.status, delivered.attempts),
        (&crashed.taken[0].id, Status::Delivered, 2)
    );
}

#[tokio::test]
async fn what_is_under_way_at_the_stop_is_finished_and_nothing_else_begun() {
    let (bench, receiver) = (bench(&["127.0.0.0/8"]).await, Receiver::plain().await);
    let (id, _) = webhook(&bench, &format!("http://{}/", receiver.address)).await;
    receiver.hold(true);
    queue(&bench, &id).await;
    let (stop, courier) = (CancellationToken::new(), round(&bench, None).courier);
    let running = tokio::spawn(run(bench.office.clone(), courier, stop.clone()));
    receiver.wait_for(1).await;
    stop.cancel();
    queue(&bench, &id).await;
    tokio::task::yield_now().await;
    assert!(!running.is_finished());
    receiver.hold(false);
    tokio::time::timeout(LONG, running).await.unwrap().unwrap();
    assert_eq!(receiver.seen().len(), 1);
    assert_eq!(
        [count(&bench, &id, Status::Delivered).await, count(&bench, &id, Status::Pending).await],
        [1, 1]
    );
}

#[tokio::test]
async fn a_secret_that_does_not_open_signs_nothing() {
    let (bench, receiver) = (bench(&["127.0.0.0/8"]).await, Receiver::plain().await);
    let (id, _) = webhook(&bench, &format!("http://{}/", receiver.address)).await;
    queue(&bench, &id).await;
    let wanted = id.clone();
    bench.write(move |tx| crate::store::webhooks::set_secret(tx, &wanted, b"altered")).await;
    deliver(&mut round(&bench, None)).await;
    assert!(receiver.seen().is_empty());
    assert!(newest(&bench, &id).await.last_error.unwrap().contains("does not open"));
    // Once it is right again, so is the next attempt.
    let sealed = bench.office.vault.seal(crate::vault::Purpose::WebhookSecret, &id, b"whsec_x").unwrap();
    let wanted = id.clone();
    bench.write(move |tx| crate::store::webhooks::set_secret(tx, &wanted, &sealed)).await;
    bench.advance(Duration::from_secs(11));
    deliver(&mut round(&bench, None)).await;
    let [(headers, body)] = receiver.seen().try_into().unwrap();
    let secret = Secret::kept(Zeroizing::new("whsec_x".to_owned()));
    assert_eq!(headers["chancery-signature"], secret.sign(bench.now(), &body).as_str());
}
