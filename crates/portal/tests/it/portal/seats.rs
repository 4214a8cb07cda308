//! Seats when everybody wants one at the same moment.

use std::collections::{HashMap, HashSet};

use chancery_testkit::{Answer, Engine, PortalClient};
use serde_json::json;

use super::shop::{DEVICE, Shop, Style, act, activate};
use super::{block_on, on_both_engines};

on_both_engines!(
    ten_seats_are_taken_by_ten_of_a_hundred,
    one_device_takes_one_seat_however_often_it_asks,
    a_seat_is_given_back_once,
    the_last_seat_goes_round,
);

/// The same action of many devices at once.
async fn at_once(client: &PortalClient, action: &'static str, key: &str, devices: &[String]) -> Vec<Answer> {
    let waiting: Vec<_> = devices
        .iter()
        .map(|device| {
            let (client, key, device) = (client.clone(), key.to_owned(), device.clone());
            tokio::spawn(async move { act(&client, Style::Body, action, &key, &device, json!({})).await })
        })
        .collect();
    let mut answers = Vec::with_capacity(waiting.len());
    for answer in waiting {
        answers.push(answer.await.unwrap());
    }
    answers
}

fn ten_seats_are_taken_by_ten_of_a_hundred(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&["--seat-limit", "10"]).key;
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        let devices: Vec<String> = (0..100).map(|number| format!("racing-device-{number}")).collect();

        let answers = at_once(&client, "activate", &key, &devices).await;
        let (seated, refused): (Vec<_>, Vec<_>) =
            devices.iter().zip(&answers).partition(|(_, answer)| answer.status.is_success());
        assert_eq!(seated.len(), 10);
        let ids: HashSet<String> =
            seated.iter().map(|(_, answer)| answer.done()["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 10);
        for (_, answer) in refused {
            answer.refused(422, "seat_limit_exceeded");
        }
        assert_eq!(shop.active_activations(), 10);

        for (device, answer) in seated {
            let found = act(&client, Style::Path, "validate", &key, device, json!({})).await.done();
            assert_eq!(found["activation"]["id"], answer.json()["id"]);
            assert_eq!(found["license"]["active_seats"], 10);
        }
        server.terminate();
    });
}

fn one_device_takes_one_seat_however_often_it_asks(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&[]).key;
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());

        let answers = at_once(&client, "activate", &key, &vec![DEVICE.to_owned(); 50]).await;
        let mut seen: HashMap<u16, HashSet<String>> = HashMap::new();
        for answer in &answers {
            let done = answer.done();
            assert_eq!(done["license"]["active_seats"], 1, "{answer:?}");
            let id = done["id"].as_str().unwrap().to_owned();
            assert!(seen.entry(answer.status.as_u16()).or_default().insert(id) || answer.status == 200);
        }
        let ids: HashSet<&String> = seen.values().flatten().collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(shop.active_activations(), 1);
        let created = "SELECT COUNT(*) FROM activations";
        assert_eq!(shop.query_i64(created), 1);
        server.terminate();
    });
}

fn a_seat_is_given_back_once(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&[]).key;
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        activate(&client, &key, DEVICE).await;
        activate(&client, &key, "another-device").await;

        let answers = at_once(&client, "deactivate", &key, &vec![DEVICE.to_owned(); 20]).await;
        let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
        assert_eq!(done.len(), 1);
        for answer in refused {
            answer.refused(422, "already_deactivated");
        }
        assert_eq!(activate(&client, &key, "another-device").await["license"]["active_seats"], 1);
        server.terminate();
    });
}

/// Devices that take the one seat and give it back, all at once: it is never taken twice, and free at the end.
fn the_last_seat_goes_round(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let key = shop.sell(&["--seat-limit", "1"]).key;
        let mut server = shop.serve();
        let client = shop.client(&shop.publishable_key());
        let takers: Vec<_> = (0..8)
            .map(|number| {
                let (client, key) = (client.clone(), key.clone());
                tokio::spawn(async move {
                    let device = format!("going-round-{number}");
                    let mut seated = 0;
                    for _ in 0..15 {
                        let answer = act(&client, Style::Body, "activate", &key, &device, json!({})).await;
                        if answer.status.is_success() {
                            assert_eq!(answer.done()["license"]["active_seats"], 1);
                            act(&client, Style::Body, "deactivate", &key, &device, json!({})).await.done();
                            seated += 1;
                        } else {
                            answer.refused(422, "seat_limit_exceeded");
                        }
                    }
                    seated
                })
            })
            .collect();
        let mut seated = 0;
        for taker in takers {
            seated += taker.await.unwrap();
        }
        assert!(seated > 0);
        assert_eq!(shop.query_i64("SELECT COUNT(*) FROM activations"), seated);
        assert_eq!(shop.active_activations(), 0);
        assert_eq!(shop.query_i64("SELECT active_seats FROM licenses"), 0);
        server.terminate();
    });
}
