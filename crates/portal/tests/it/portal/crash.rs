//! Seats after `kill -9`: each is taken, and the same request answers with the same activation, or free.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chancery_testkit::{Engine, PortalClient, rounds};
use serde_json::{Value, json};

use super::shop::{PRODUCT, Shop, Style, act};
use super::{block_on, on_both_engines};

on_both_engines!(seats_survive_a_kill);

/// How many programs ask at the same time.
const PROGRAMS: u64 = 6;
const FINGERPRINTS: &str = "SELECT fingerprint FROM activations";

/// What the programs asked for, and what they were told.
#[derive(Default)]
struct Book {
    next: AtomicU64,
    asked: Mutex<Vec<String>>,
    acknowledged: Mutex<HashMap<String, Value>>,
}

fn seats_survive_a_kill(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&["--seat-limit", "1000000"]).key;
        let client = shop.client(&shop.publishable_key());
        let mut server = shop.serve();
        let book = Arc::new(Book::default());
        let mut checked = 0;
        for round in 0..rounds(6) {
            let programs: Vec<_> = (0..PROGRAMS)
                .map(|_| tokio::spawn(ask_on(client.clone(), key.clone(), Arc::clone(&book))))
                .collect();
            // Each round ends the portal at another moment of its work.
            let pause = 60 + 37 * u64::try_from(round).unwrap() % 200;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            server.kill_9();
            for program in programs {
                program.await.unwrap();
            }
            server.restart();

            let active = shop.active_activations();
            assert_eq!(shop.query_i64("SELECT active_seats FROM licenses"), active, "round {round}");
            checked = check(&shop, &client, &key, &book, checked).await;
        }
        assert!(!book.acknowledged.lock().unwrap().is_empty(), "no activation was ever answered");
        server.terminate();
        shop.run(&["log", "verify"]).succeeded();
    });
}

/// Activates one device after the other until the portal is gone.
async fn ask_on(client: PortalClient, key: String, book: Arc<Book>) {
    loop {
        let device = format!("device-{:08}", book.next.fetch_add(1, Ordering::Relaxed));
        book.asked.lock().unwrap().push(device.clone());
        let body = json!({ "license_key": key, "fingerprint": device });
        let path = format!("/products/{PRODUCT}/licenses/activate");
        let Some(answer) = client.try_post(&path, &body).await else { return };
        book.acknowledged.lock().unwrap().insert(device, answer.done());
    }
}

/// Asks again for every device from the `from`th on, and tells how many there are.
async fn check(shop: &Shop, client: &PortalClient, key: &str, book: &Book, from: usize) -> usize {
    let asked = book.asked.lock().unwrap().clone();
    let acknowledged = book.acknowledged.lock().unwrap().clone();
    let held: HashSet<String> = shop.column(FINGERPRINTS).into_iter().collect();
    for device in &asked[from..] {
        let again = act(client, Style::Body, "activate", key, device, json!({})).await;
        let done = again.done();
        let held = held.contains(device);
        assert_eq!(again.status.as_u16(), if held { 200 } else { 201 }, "{device}");
        if let Some(told) = acknowledged.get(device) {
            assert!(held, "{device} was told that it has a seat");
            assert_eq!(done["id"], told["id"]);
            assert_eq!(done["activated_at"], told["activated_at"]);
        }
    }
    // Each has one seat, and not two.
    let mut taken: Vec<String> = shop.column(FINGERPRINTS);
    taken.sort_unstable();
    let mut expected = asked.clone();
    expected.sort_unstable();
    assert_eq!(taken, expected);
    asked.len()
}
