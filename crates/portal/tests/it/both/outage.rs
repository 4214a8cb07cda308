//! A portal that is down for longer than anybody likes.

use std::time::Duration;

use chancery_testkit::{Engine, Responder, TestServer};
use serde_json::json;

use super::stage::{Stage, accepted, count, denied, text};
use super::{DAY, HOUR, TO_THE_NEXT_POLL};
use crate::portal::{block_on, on_both_engines};

on_both_engines!(a_week_without_the_portal_changes_nothing, a_licence_ends_while_the_portal_is_down);

/// Longer than a program takes to do what it was woken up for.
const MOMENT: Duration = Duration::from_mins(5);
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
        let down_at = stage.clock.now();
        // The next question as usual, and then every six hours, a tenth sooner or later.
        stage.failed_after(DAY * 9 / 10, DAY * 11 / 10, &server).await;
        while stage.clock.now() < down_at + 7 * DAY {
            stage.failed_after(6 * HOUR * 9 / 10, 6 * HOUR * 11 / 10, &server).await;
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
        // Once a day, or at the next look after it, the log says it too, beside each try.
        assert!(count(&server.log(), "the licence portal could not be reached: renewals") >= 5);

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
        for day in 0..11 {
            let shown = stage.status();
            states.push(text(&shown, "state"));
            let warned = shown["warnings"].to_string().contains("the licence portal could not be reached");
            assert_eq!(warned, day > 0, "day {day}: {shown}");
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
                stage.pass(TO_THE_NEXT_POLL / 2).await;
            }
            stage.until("it has asked", || count(&server.log(), FAILED) > 0).await;
        }
        states.dedup();
        assert_eq!(states, ["valid", "grace", "expired"]);
        let log = server.log();
        assert!(log.contains("the licence has expired and is in grace"), "{log}");
        assert!(log.contains("the licence has expired and its grace is over"), "{log}");

        // So near its end, and after it, the portal is asked every hour.
        let before = count(&server.log(), FAILED);
        stage.pass(2 * HOUR).await;
        stage.until("it has asked", || count(&server.log(), FAILED) > before).await;
        for _ in 0..4 {
            stage.failed_after(HOUR * 9 / 10, HOUR * 11 / 10, &server).await;
        }

        stage.vendor(&["license", "renew", &license.id, "--expires", &end(365)]);
        portal.restart();
        stage.poll_after(2 * HOUR, &server).await;
        assert_eq!(stage.status()["state"], "valid");
        client.nonce().await;
        accepted(&client.new_order("again.localhost", json!({})).await);
        stage.close([portal, server]);
    });
}

impl Stage {
    /// Lets time pass until the server asks in vain, which it does after between `least` and `most`.
    async fn failed_after(&self, least: Duration, most: Duration, server: &TestServer<'_>) {
        let before = count(&server.log(), FAILED);
        // It asked a moment after the clock was moved.
        self.pass(least - MOMENT).await;
        assert_eq!(count(&server.log(), FAILED), before, "it asks before {least:?} have passed");
        self.pass(most - least + 2 * MOMENT).await;
        self.until("it has asked", || count(&server.log(), FAILED) > before).await;
    }
}
