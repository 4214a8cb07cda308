//! A portal that is down for longer than anybody likes.

use chancery_testkit::{Engine, Responder};
use chancery_time::Timestamp;
use serde_json::json;

use super::stage::{Stage, accepted, count, denied, text};
use super::{DAY, HOUR};
use crate::portal::{block_on, on_both_engines};

on_both_engines!(a_week_without_the_portal_changes_nothing, a_licence_ends_while_the_portal_is_down);

/// What the running server writes about a question that came to nothing.
const FAILED: &str = "the licence portal gave no answer, which changes nothing for now";

fn a_week_without_the_portal_changes_nothing(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        let mut portal = stage.open_portal();
        stage.licensed("pro", &[]);
        let server = stage.serve();
        let mut client = stage.client().await;
        stage.next_poll(&server).await;
        let contact = text(&stage.status(), "last_contact");

        portal.terminate();
        for _ in 0..8 * 24 {
            stage.pass(HOUR).await;
        }
        client.nonce().await;
        accepted(&client.new_order("still.localhost", json!({})).await);
        let shown = stage.status();
        assert_eq!(
            (&shown["state"], &shown["failing"], text(&shown, "last_contact")),
            (&json!("valid"), &json!(true), contact.clone())
        );
        let told = stage.customer(&["license", "status"]).succeeded();
        for expected in ["the licence portal could not be reached", "Last failure"] {
            assert!(told.stdout.contains(expected), "{told}");
        }
        // Once a day at least the log says it, too, beside each try.
        assert!(count(&server.log(), "the licence portal could not be reached: renewals") >= 7);

        // Every six hours, a tenth sooner or later, as far as steps of an hour show it.
        let asked = times(&server.log(), FAILED);
        for pair in asked.windows(2) {
            let wait = pair[1].since(pair[0]);
            assert!(5 * HOUR <= wait && wait <= 8 * HOUR, "{wait:?}");
        }
        assert!((24..=36).contains(&asked.len()), "{}", asked.len());

        portal.restart();
        stage.poll_after(7 * HOUR, &server).await;
        let shown = stage.status();
        assert_eq!((&shown["state"], &shown["failing"]), (&json!("valid"), &json!(false)));
        assert!(text(&shown, "last_contact") > contact);
        assert!(!shown["warnings"].to_string().contains("could not be reached"), "{shown}");
        stage.close([portal, server]);
    });
}

/// Valid, then in grace, then over, with a warning from the first day on; and mended by the first answer.
fn a_licence_ends_while_the_portal_is_down(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        let mut portal = stage.open_portal();
        let end = |days: u32| (stage.clock.now() + days * DAY).whole_seconds().to_string();
        let license = stage.licensed("pro", &["--expires", &end(3)]);
        let server = stage.serve();
        let responder = Responder::start(stage.server.http01_port()).await;
        let mut client = stage.client().await;
        portal.terminate();
        assert_eq!(client.obtain(&responder, "known.localhost").await.status, 200);

        let mut states = Vec::new();
        for day in 0..12 {
            let shown = stage.status();
            states.push(text(&shown, "state"));
            let warned = shown["warnings"].to_string().contains("the licence portal could not be reached");
            assert_eq!(warned, day > 1, "day {day}: {shown}");
            client.nonce().await;
            let new = client.new_order(&format!("day-{day}.localhost"), json!({})).await;
            if states.last().is_some_and(|state| state == "expired") {
                denied(&new, "license_expired");
                // What is there goes on being renewed.
                accepted(&client.new_order("known.localhost", json!({})).await);
            } else {
                accepted(&new);
            }
            for _ in 0..2 {
                stage.pass(12 * HOUR + HOUR / 4).await;
            }
        }
        states.dedup();
        assert_eq!(states, ["valid", "grace", "expired"]);
        let log = server.log();
        assert!(log.contains("the licence has expired and is in grace"), "{log}");
        assert!(log.contains("the licence has expired and its grace is over"), "{log}");

        // So near its end, and after it, the portal is asked every hour.
        let before = count(&server.log(), FAILED);
        for _ in 0..8 {
            stage.pass(HOUR / 2).await;
        }
        assert!((2..=4).contains(&(count(&server.log(), FAILED) - before)));

        stage.vendor(&["license", "renew", &license.id, "--expires", &end(365)]);
        portal.restart();
        stage.poll_after(2 * HOUR, &server).await;
        assert_eq!(stage.status()["state"], "valid");
        client.nonce().await;
        accepted(&client.new_order("again.localhost", json!({})).await);
        stage.close([portal, server]);
    });
}

/// When lines of a log were written that hold a text.
fn times(log: &str, what: &str) -> Vec<Timestamp> {
    let lines = log.lines().filter(|line| line.contains(what));
    lines.map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect()
}
