//! What a receiver sees of the running portal: signed, tried again, once more after a crash, and never somebody whom the
//! configuration does not allow.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use aws_lc_rs::hmac;
use chancery_testkit::{Engine, MovableClock, PortalClient};
use serde_json::{Value, json};

use super::shop::Shop;
use super::{block_on, on_both_engines};

on_both_engines!(
    a_receiver_is_told_and_told_again,
    what_a_killed_portal_owed_is_delivered_after_its_next_start,
    a_receiver_that_is_not_allowed_is_not_called,
);

/// Longer than any delivery takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as a receiver read it.
#[derive(Debug)]
struct Told {
    head: String,
    body: String,
}

/// Somebody who answers every request with the status that a test sets; 0 for no answer at all.
struct Receiver {
    port: u16,
    status: Arc<AtomicU16>,
    inbox: Inbox<Told>,
}

impl Receiver {
    fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, status) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU16::new(status)));
        let (sender, inbox) = channel();
        let answer = Arc::clone(&status);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (sender, answer) = (sender.clone(), Arc::clone(&answer));
                thread::spawn(move || serve(stream.unwrap(), &sender, &answer));
            }
        });
        Self { port, status, inbox }
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    #[track_caller]
    fn next(&self) -> Told {
        self.inbox.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no delivery came: {error}"))
    }

    fn has_seen_no_more(&self) -> bool {
        matches!(self.inbox.try_recv(), Err(mpsc::TryRecvError::Empty))
    }
}

/// Reads one request and answers it.
fn serve(mut stream: TcpStream, sender: &Sender<Told>, status: &AtomicU16) -> Option<()> {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        read.push(byte[0]);
    }
    let head = String::from_utf8(read).ok()?.to_ascii_lowercase();
    let length: usize = field(&head, "content-length").parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    sender.send(Told { head, body: String::from_utf8(body).ok()? }).ok()?;
    let status = status.load(Ordering::SeqCst);
    if status == 0 {
        // The other end hangs up first.
        let _ = stream.read(&mut byte);
        return None;
    }
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).ok()
}

/// The value of a field in a head.
fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let prefix = format!("\r\n{name}: ");
    head.split_once(&prefix).and_then(|(_, rest)| rest.split("\r\n").next()).unwrap_or_default()
}

impl Told {
    /// Verifies the signature as docs/portal.md says.
    #[track_caller]
    fn is_signed_with(&self, secret: &str) {
        let signature = field(&self.head, "chancery-signature");
        let (time, tag) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let tag: Vec<u8> =
            (0..tag.len()).step_by(2).map(|at| u8::from_str_radix(&tag[at..at + 2], 16).unwrap()).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        hmac::verify(&key, format!("{time}.{}", self.body).as_bytes(), &tag).unwrap();
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A shop whose webhooks may go to this machine.
fn open(engine: Engine) -> Shop {
    let shop = Shop::open(engine);
    shop.configure(|config| config["webhooks"] = json!({ "allow": ["127.0.0.1/32"] }));
    shop
}

async fn create(client: &PortalClient, receiver: &Receiver, events: &[&str]) -> Value {
    let url = format!("http://127.0.0.1:{}/in", receiver.port);
    client.post("/webhooks", &json!({ "url": url, "live": true, "events": events })).await.done()
}

/// The only delivery of a webhook, once it is so.
async fn delivery(client: &PortalClient, id: &str, status: &str) -> Value {
    let path = format!("/webhooks/{id}/deliveries?status={status}");
    for _ in 0..600 {
        let found = client.get(&path).await.done();
        if let [delivery] = found["data"].as_array().unwrap().as_slice() {
            return delivery.clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!(
        "{id} has no delivery that is {status}: {:?}",
        client.get(&format!("/webhooks/{id}/deliveries")).await
    );
}

fn a_receiver_is_told_and_told_again(engine: Engine) {
    block_on(async {
        let (shop, clock, receiver) = (open(engine), MovableClock::new(), Receiver::start(503));
        let mut server = shop.serve_under(&clock);
        let client = shop.client_under(&clock, &shop.secret_key("--live"));
        let webhook = create(&client, &receiver, &["organisation.create"]).await;
        let (id, secret) = (webhook["id"].as_str().unwrap(), webhook["secret"].as_str().unwrap());
        let organisation = json!({ "name": "Example", "email": "it@example.com" });
        let organisation = client.post("/organisations", &organisation).await.done();

        let first = receiver.next();
        first.is_signed_with(secret);
        assert!(first.head.starts_with("post /in http/1.1\r\n"), "{}", first.head);
        assert_eq!(field(&first.head, "chancery-event"), "organisation.create");
        let event = first.json();
        assert_eq!((&event["object"], &event["type"]), (&json!("event"), &json!("organisation.create")));
        assert_eq!(
            (&event["environment"], &event["data"]["organisation"]),
            (&Value::Null, &organisation["id"])
        );
        assert_eq!(field(&first.head, "chancery-delivery"), event["id"].as_str().unwrap());

        // What came of the attempt is kept before the clock moves.
        while delivery(&client, id, "pending").await["last_status"] != 503 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        receiver.answers(200);
        clock.advance(Duration::from_secs(12));
        let second = receiver.next();
        second.is_signed_with(secret);
        assert_eq!(second.body, first.body);
        let delivered = delivery(&client, id, "delivered").await;
        assert_eq!((&delivered["attempts"], &delivered["last_status"]), (&json!(2), &json!(200)));

        let rotated = client.post(&format!("/webhooks/{id}/rotate_secret"), &json!({})).await.done();
        let again = format!("/webhooks/{id}/deliveries/{}/redeliver", delivered["id"].as_str().unwrap());
        client.post(&again, &json!({})).await.done();
        let third = receiver.next();
        third.is_signed_with(rotated["secret"].as_str().unwrap());
        assert_eq!(third.body, first.body);

        client.post(&format!("/webhooks/{id}/disable"), &json!({})).await.done();
        client.post(&format!("/webhooks/{id}/test"), &json!({})).await.refused(422, "not_active");
        client.post(&format!("/webhooks/{id}/enable"), &json!({})).await.done();
        client.patch(&format!("/webhooks/{id}"), &json!({ "events": [], "description": "x" })).await.done();
        assert_eq!(receiver.next().json()["type"], "webhook.update");
        shop.run_at(&clock, &["webhook", "test", id]).succeeded();
        assert_eq!(receiver.next().json()["type"], "webhook.test");
        let shown = client.get(&format!("/webhooks/{id}")).await.done();
        assert!(shown.get("secret").is_none(), "{shown}");
        server.terminate();
        assert!(receiver.has_seen_no_more());
        assert!(!server.log().contains("whsec_"));
    });
}

fn what_a_killed_portal_owed_is_delivered_after_its_next_start(engine: Engine) {
    block_on(async {
        let (shop, clock, receiver) = (open(engine), MovableClock::new(), Receiver::start(0));
        let mut server = shop.serve_under(&clock);
        let client = shop.client_under(&clock, &shop.secret_key("--live"));
        let webhook = create(&client, &receiver, &["organisation.create"]).await;
        let id = webhook["id"].as_str().unwrap();
        client.post(&format!("/webhooks/{id}/test"), &json!({})).await.done();
        let first = receiver.next();
        server.kill_9();
        receiver.answers(204);
        clock.advance(Duration::from_secs(61));
        server.restart();
        let second = receiver.next();
        assert_eq!(second.body, first.body);
        assert_eq!(delivery(&client, id, "delivered").await["attempts"], 2);
        server.terminate();
    });
}

fn a_receiver_that_is_not_allowed_is_not_called(engine: Engine) {
    block_on(async {
        let (shop, receiver) = (Shop::open(engine), Receiver::start(200));
        let mut server = shop.serve();
        let client = shop.client(&shop.secret_key("--live"));
        for url in [
            format!("http://127.0.0.1:{}/", receiver.port),
            format!("https://127.1:{}/", receiver.port),
            format!("https://[::ffff:127.0.0.1]:{}/", receiver.port),
            format!("http://localhost:{}/", receiver.port),
        ] {
            let refusal = client.post("/webhooks", &json!({ "url": url, "live": true })).await;
            assert_eq!(refusal.refused(400, "invalid_arguments")["details"]["field"], "url", "{url}");
        }
        // Where a name leads is known once it is looked up.
        let url = format!("https://localhost:{}/", receiver.port);
        let webhook = client
            .post("/webhooks", &json!({ "url": url, "live": true, "events": ["user.create"] }))
            .await
            .done();
        let id = webhook["id"].as_str().unwrap();
        client.post(&format!("/webhooks/{id}/test"), &json!({})).await.done();
        let error = loop {
            let found = delivery(&client, id, "pending").await;
            match found["last_error"].as_str() {
                Some(error) => break error.to_owned(),
                None => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        };
        // On a machine without roots it does not even come to that.
        assert!(error.contains("webhooks."), "{error}");
        assert!(receiver.has_seen_no_more());
        server.terminate();
    });
}
