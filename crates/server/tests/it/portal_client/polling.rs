//! The running server asks by itself.

use std::time::Duration;

use chancery_license::Plan;
use chancery_license::exchange::Verdict;
use chancery_testkit::{Engine, Installation, MovableClock, RawClient, Vendor};
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::status;
use crate::acme::block_on;
use crate::portal_site::{PortalSite, error, response, signed, vendor};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    a_linked_installation_is_served,
    a_start_that_would_be_refused_asks_first,
    it_asks_when_it_is_time_and_no_sooner,
    a_portal_that_is_down_changes_nothing,
    a_revocation_arrives,
);

const HOUR: Duration = Duration::from_secs(3_600);

fn a_linked_installation_is_served(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let portal = PortalSite::start();
    portal.introduce(&installation);
    let license = Vendor::new().license().plan(Plan::Pro).mint();
    portal.answer(Verdict::Licensed, &[license]);
    let mut server = installation.serve();
    server.log_until("a licence came from the portal");
    server.log_until("the licence was read again");
    let shown = status(&installation);
    assert_eq!((&shown["state"], &shown["cold_start"]), (&json!("valid"), &Value::Null));
    assert_eq!(portal.asked().len(), 1);

    // A restart does not ask again.
    server.terminate();
    server.restart();
    installation.run(&["license", "refresh"]).succeeded();
    server.terminate();
    let counters: Vec<u64> = portal.asked().iter().map(|asked| asked.request.body.counter).collect();
    assert_eq!(counters, [1, 2]);
    let told = super::told(&installation, "license.install");
    assert_eq!(told[0]["actor"], "portal", "{told:?}");
}

fn a_start_that_would_be_refused_asks_first(engine: Engine) {
    let installation = Installation::without_window(CHANCERY, engine);
    let portal = PortalSite::start();
    portal.introduce(&installation);
    portal.answer(Verdict::Unlinked, &[]);
    let refused = installation.serve_refused(None).exited_with(3);
    assert!(refused.stderr.contains("LICENSE REQUIRED"), "{refused}");
    assert!(refused.stderr.contains("chancery license refresh -f"), "{refused}");
    assert_eq!(portal.asked().len(), 1);

    // Whoever starts it again and again does not ask again and again.
    portal.answer(Verdict::Licensed, &[Vendor::new().license().plan(Plan::Pro).mint()]);
    installation.serve_refused(None).exited_with(3);
    assert_eq!(portal.asked().len(), 1);
    let clock = MovableClock::new();
    clock.advance(27 * HOUR);
    let mut server = installation.serve_under(&clock);
    server.terminate();
    assert_eq!(portal.asked().len(), 2);
    assert_eq!(status(&installation)["state"], "valid");
}

fn it_asks_when_it_is_time_and_no_sooner(engine: Engine) {
    let installation = Installation::without_window(CHANCERY, engine);
    let clock = MovableClock::new();
    let portal = PortalSite::start();
    portal.introduce(&installation);
    let end = "2040-01-01T00:00:00Z".parse().unwrap();
    let license = Vendor::new().license().plan(Plan::Pro).expires(end).mint();
    let at = |clock: &MovableClock, verdict, documents: &[String]| {
        // The portal knows the right time.
        let (now, documents) = (clock.now().whole_seconds(), documents.to_vec());
        portal.answer_as(move |request| {
            signed(&vendor(), request, |response| {
                response.issued = now;
                response.body.verdict = verdict;
                response.body.documents = documents.clone();
            })
        });
    };
    at(&clock, Verdict::Licensed, &[license]);
    installation.run_at(&clock, &["license", "refresh"]).succeeded();
    assert_due_in(&installation, &clock, 21..27);
    let mut server = installation.serve_under(&clock);
    at(&clock, Verdict::Licensed, &[]);
    clock.advance(27 * HOUR);
    portal.wait_for(2);
    server.log_until("the licence portal answered");
    let asked = portal.asked();
    assert!(asked[1].request.issued >= asked[0].request.issued + 21 * HOUR);

    // After a failure, six hours.
    portal.answer_as(|_| error(503, "unavailable"));
    clock.advance(27 * HOUR);
    portal.wait_for(3);
    server.log_until("the licence portal gave no answer, which changes nothing for now");
    assert_due_in(&installation, &clock, 5..7);
    at(&clock, Verdict::Licensed, &[]);
    clock.advance(7 * HOUR);
    portal.wait_for(4);
    server.log_until("the licence portal answered");
    assert_due_in(&installation, &clock, 21..27);

    // And where an answer says so, it says what of the installation.
    clock.advance(27 * HOUR);
    at(&clock, Verdict::Retired, &[]);
    portal.wait_for(5);
    server.log_until("this installation is retired");
    server.terminate();
    let shown = status(&installation);
    assert_eq!((&shown["verdict"], &shown["state"]), (&json!("retired"), &json!("valid")));
}

/// The next question is due in so many whole hours.
fn assert_due_in(installation: &Installation, clock: &MovableClock, hours: std::ops::Range<u64>) {
    let next: Timestamp = status(installation)["next_call_home"].as_str().unwrap().parse().unwrap();
    let wait = next.since(clock.now());
    assert!(hours.contains(&(wait.as_secs() / 3_600)), "{wait:?}");
}

fn a_portal_that_is_down_changes_nothing(engine: Engine) {
    block_on(async {
        let installation = Installation::without_window(CHANCERY, engine);
        let portal = PortalSite::start();
        portal.introduce(&installation);
        portal.answer(Verdict::Licensed, &[Vendor::new().license().plan(Plan::Pro).mint()]);
        installation.run(&["license", "refresh"]).succeeded();
        let ca_file = portal.license()["portal"]["ca_file"].clone();
        let url = format!("https://localhost:{}", chancery_testkit::free_port());
        installation.configure(|config| {
            config["license"] = json!({ "portal": { "url": url, "ca_file": ca_file, "interval": "1h" } });
        });
        // The answer that made the next question due in 24 hours was for another interval.
        let mut server = installation.serve();
        server.log_until("the licence portal gave no answer, which changes nothing for now");
        server.log_until("the licence was read again");
        let mut client = RawClient::new(&installation).await;
        client.register(&json!({})).await;
        let order = client.new_order("still.localhost", json!({})).await;
        assert_eq!(order.status, 201);
        server.terminate();
        let shown = status(&installation);
        assert_eq!((&shown["state"], &shown["failing"]), (&json!("valid"), &json!(true)));
        assert!(shown["last_contact"].is_string());
    });
}

fn a_revocation_arrives(engine: Engine) {
    let vendor_of = Vendor::new();
    let installation = Installation::without_window(CHANCERY, engine);
    let portal = PortalSite::start();
    portal.introduce(&installation);
    portal.answer(Verdict::Licensed, &[vendor_of.license().id("lic-7").plan(Plan::Pro).mint()]);
    installation.run(&["license", "refresh"]).succeeded();
    let mut server = installation.serve();
    let list = vendor_of.revoke(1).license("lic-7").mint();
    portal.answer_as(move |request| {
        let answer = response(request, |_| {});
        signed(&vendor(), request, |response| {
            *response = answer;
            response.body.verdict = Verdict::Revoked;
            response.body.documents = vec![list.clone()];
        })
    });
    let refreshed = installation.run(&["license", "refresh"]).succeeded();
    assert!(refreshed.stdout.contains("IT REVOKES THE INSTALLED LICENCE"), "{refreshed}");
    server.log_until("the state of the licence changed");
    server.terminate();
    let shown = status(&installation);
    assert_eq!((&shown["state"], &shown["verdict"]), (&json!("revoked"), &json!("revoked")));
}

/// Two nodes on one PostgreSQL, where a question is due: one of them asks.
#[test]
fn of_two_nodes_one_asks() {
    let one = Installation::new(CHANCERY, Engine::Postgres);
    one.configure(|config| config["server"]["several_nodes"] = json!(true));
    let portal = PortalSite::start();
    portal.introduce(&one);
    portal.answer(Verdict::Licensed, &[Vendor::new().license().plan(Plan::Pro).mint()]);
    let two = one.another_node();
    let mut servers = [one.serve(), two.serve()];
    servers[0].log_until("the licence was read again");
    one.run(&["license", "refresh"]).succeeded();
    servers.iter_mut().for_each(|server| server.terminate());
    let counters: Vec<u64> = portal.asked().iter().map(|asked| asked.request.body.counter).collect();
    assert_eq!(counters, [1, 2]);
}
