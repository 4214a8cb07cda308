//! `kill -9` at any moment loses no event and repeats none.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::{Arc, Mutex};

use chancery_testkit::{Engine, Installation, RawClient, Responder, rounds};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Auditor, directory, wait_until_written};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(nothing_is_lost_or_repeated_under_load, what_is_in_log_and_store_is_told_once);

/// How many clients order at once.
const CLIENTS: usize = 4;
/// The most steps that clients come forward before the kill.
const MOST_STEPS: u64 = 60;

fn nothing_is_lost_or_repeated_under_load(engine: Engine) {
    on_one_thread(async {
        let installation = Installation::new(CHANCERY, engine);
        // Short segments, so that there are kills while one ends too.
        installation.configure(|config| {
            config["audit"] = json!({ "segment_mib": 1, "checkpoint_every": 40, "compress": true });
        });
        let mut server = installation.serve();
        let responder = Arc::new(Responder::start(installation.http01_port()).await);
        let auditor = Auditor::new(&installation);
        let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
        let rounds = rounds(6);

        for round in 0..rounds {
            let first = RawClient::new(&installation).await;
            let steps = watch::Sender::new(0);
            let mut clients = JoinSet::new();
            for number in 0..CLIENTS {
                let (responder, acknowledged) = (Arc::clone(&responder), Arc::clone(&acknowledged));
                let (client, steps) = (first.another(), steps.clone());
                let prefix = format!("r{round}-c{number}");
                clients.spawn(order_on_and_on(client, responder, prefix, steps, acknowledged));
            }
            let moment = async {
                reached(&steps, random() % MOST_STEPS + 1).await;
                if round % 2 == 1 {
                    growth(&directory(&installation)).await;
                }
            };
            tokio::select! {
                () = moment => {}
                Some(ended) = clients.join_next() => match ended {
                    Ok(never) => match never {},
                    Err(failed) => std::panic::resume_unwind(failed.into_panic()),
                }
            }
            // On this thread no client sees the server gone.
            server.kill_9();
            clients.shutdown().await;
            auditor.examine();
            server.restart();
        }
        server.terminate();

        let examined = auditor.examine_whole();
        assert_eq!(examined.count("server.start"), rounds + 1);
        assert_eq!(examined.count("server.stop"), 1);
        let acknowledged = acknowledged.lock().unwrap();
        let missing = |told: HashSet<&str>, names: &[String]| -> Vec<String> {
            names.iter().filter(|name| !told.contains(format!("dns:{name}").as_str())).cloned().collect()
        };
        assert_eq!(missing(examined.identifiers("order.create"), &acknowledged.orders), [""; 0]);
        assert_eq!(missing(examined.identifiers("certificate.issue"), &acknowledged.certificates), [""; 0]);
    });
}

/// Kills the server when it has written a line and not yet pinned it, until that was hit.
fn what_is_in_log_and_store_is_told_once(engine: Engine) {
    const TRIES: usize = 50;
    on_one_thread(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let auditor = Auditor::new(&installation);
        let mut hits = 0;
        for _ in 0..TRIES {
            wait_until_written(&installation).await;
            let mut client = RawClient::new(&installation).await;
            let answer = client.register(&json!({ "termsOfServiceAgreed": true })).await;
            assert_eq!(answer.status, 201, "{answer:?}");
            growth(&directory(&installation)).await;
            server.kill_9();
            hits += auditor.examine().report.in_flight.len();
            server.restart();
            if hits >= 3 {
                break;
            }
        }
        server.terminate();
        assert!(hits > 0, "in {TRIES} tries the kill never came between log and store");
        auditor.examine_whole();
    });
}

/// What clients have read the answer to: the names that were ordered, and those that certificates were
/// issued for.
#[derive(Default)]
struct Acknowledged {
    orders: Vec<String>,
    certificates: Vec<String>,
}

/// Orders one certificate after the other, and tells of every step.
async fn order_on_and_on(
    mut client: RawClient,
    responder: Arc<Responder>,
    prefix: String,
    steps: watch::Sender<u64>,
    acknowledged: Arc<Mutex<Acknowledged>>,
) -> std::convert::Infallible {
    let step = || steps.send_modify(|steps| *steps += 1);
    let registered = client.register(&json!({ "termsOfServiceAgreed": true })).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    step();
    for number in 0.. {
        let name = format!("{prefix}-{number}.localhost");
        let finalize = client.ready_order(&responder, &name, json!({})).await;
        acknowledged.lock().unwrap().orders.push(name.clone());
        step();
        let answer = client.finalize(&finalize, &name).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        acknowledged.lock().unwrap().certificates.push(name);
        step();
    }
    unreachable!("names do not run out")
}

async fn reached(steps: &watch::Sender<u64>, target: u64) {
    let mut steps = steps.subscribe();
    steps.wait_for(|steps| *steps >= target).await.expect("the sender is still there");
}

/// Waits until the log in a directory is longer than it is now: what it grows by is on its way to the disk,
/// and not pinned yet.
async fn growth(directory: &Path) {
    let before = length(directory);
    while length(directory) == before {
        tokio::task::yield_now().await;
    }
}

fn length(directory: &Path) -> u64 {
    let Ok(files) = std::fs::read_dir(directory) else { return 0 };
    let lengths = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len()));
    lengths.sum()
}

fn random() -> u64 {
    RandomState::new().hash_one(0)
}

/// Runs a scenario such that whatever blocks it, as the end of the server does, holds up its clients too.
fn on_one_thread(scenario: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(scenario);
}
