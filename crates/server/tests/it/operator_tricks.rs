//! An operator who turns clocks, rows and files to have more than the licence gives.

use std::process::Command;
use std::time::Duration;

use chancery_license::Plan;
use chancery_testkit::{Engine, Finished, Installation, MovableClock, RawClient, Responder, Vendor, Workdir};
use chancery_time::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(a_window_of_a_clock_ahead_does_not_last, a_revoked_licence_is_not_left_behind);

const DAY: Duration = Duration::from_secs(86_400);

/// One command, and one account, under a clock years ahead.
fn a_window_of_a_clock_ahead_does_not_last(engine: Engine) {
    block_on(async {
        let installation = Installation::without_window(CHANCERY, engine);
        installation.run(&["license", "status"]).succeeded();
        let ahead = MovableClock::new();
        ahead.advance(1_600 * DAY);
        installation.run_at(&ahead, &["cold-start", "init", "--plan=enterprise"]).succeeded();
        let mut server = installation.serve_under(&ahead);
        let mut client = RawClient::under(&ahead, &installation).await;
        client.register(&json!({})).await;
        server.terminate();

        // The window does not count, and the account counts from now on.
        let refused = installation.serve_refused(None).exited_with(3);
        assert!(refused.stderr.contains("cold_start_elapsed"), "{refused}");
        let extended = json(&installation.run(&["cold-start", "extend", "--confirm", "--json"]).succeeded());
        let end = extended["window_ends"].as_str().unwrap().parse::<chancery_time::Timestamp>().unwrap();
        assert!(end <= SystemClock.now() + 7 * DAY, "{extended}");
        installation.serve().terminate();
        let clock = MovableClock::new();
        clock.advance(22 * DAY);
        installation.run_at(&clock, &["cold-start", "extend", "--confirm"]).exited_with(1);
        installation.serve_refused(Some(&clock)).exited_with(3);
    });
}

fn a_revoked_licence_is_not_left_behind(engine: Engine) {
    let vendor = Vendor::new();
    let installation = Installation::without_window(CHANCERY, engine);
    install(&installation, &vendor.license().id("lic-lost").mint()).succeeded();
    install(&installation, &vendor.revoke(1).license("lic-lost").mint()).succeeded();
    installation.run(&["license", "uninstall", "--confirm"]).succeeded();
    let refused = installation.run(&["cold-start", "init", "--plan=pro"]).exited_with(1);
    assert!(refused.stderr.contains("revoked"), "{refused}");
    installation.serve_refused(None).exited_with(3);

    // Another licence makes up for it.
    install(&installation, &vendor.license().id("lic-paid").serial(2).mint()).succeeded();
    installation.serve().terminate();
}

/// Taken by a clock ten years ahead, the emergency grace does not count once the clock is right.
#[test]
fn an_emergency_grace_of_a_clock_ahead_does_not_count() {
    let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
    install(&installation, &Vendor::new().license().mint()).succeeded();
    let clock = MovableClock::new();
    clock.advance(3_000 * DAY);
    installation.run_at(&clock, &["license", "force-grace", "--confirm"]).succeeded();
    clock.set_offset(0);
    clock.advance(100 * DAY);
    let status = json(&installation.run_at(&clock, &["license", "status", "--json"]).succeeded());
    assert_eq!(status["state"], "expired", "{status}");
    installation.serve_refused(Some(&clock)).exited_with(3);
}

/// A clock that is ahead for one command does not take the licence away whose renewal waits.
#[test]
fn a_clock_ahead_does_not_end_the_licence_that_is_in_effect() {
    let vendor = Vendor::new();
    let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
    let now = SystemClock.now();
    install(&installation, &vendor.license().plan(Plan::Pro).expires(now + 365 * DAY).mint()).succeeded();
    let waiting = vendor.license().plan(Plan::Pro).serial(2).not_before(now + 300 * DAY);
    let waiting = waiting.expires(now + 700 * DAY).mint();
    let clock = MovableClock::new();
    clock.advance(310 * DAY);
    let files = Workdir::new();
    installation.run_at(&clock, &["license", "install", &saved(&files, &waiting)]).succeeded();
    let list = saved(&files, &vendor.revoke(1).license("another").mint());
    installation.run_at(&clock, &["license", "install", &list]).succeeded();

    let status = json(&installation.run(&["license", "status", "--json"]).succeeded());
    assert_eq!(status["state"], "valid", "{status}");
    installation.serve().terminate();
    let status = json(&installation.run_at(&clock, &["license", "status", "--json"]).succeeded());
    assert_eq!(status["state"], "valid", "{status}");
}

/// Of two documents of one issue nobody could say which one counts.
#[test]
fn one_issue_is_one_document() {
    let vendor = Vendor::new();
    let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
    let issued = SystemClock.now();
    install(&installation, &vendor.jwt().id("first").issued(issued).mint()).succeeded();
    let refused = install(&installation, &vendor.jwt().id("second").issued(issued).mint()).exited_with(1);
    assert!(refused.stderr.contains("same issue"), "{refused}");
    let list = install(&installation, &vendor.revoke(1).license("first").mint()).succeeded();
    assert!(list.stdout.to_lowercase().contains("revoke"), "{list}");
    installation.serve_refused(None).exited_with(3);
}

/// A named pipe in the place of the licence JWT would keep whoever opens it waiting.
#[test]
fn a_named_pipe_is_no_licence() {
    let installation = Installation::new(CHANCERY, Engine::Sqlite);
    let pipe = installation.server_workdir().join("license.jwt");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut server = installation.serve();
    server.log_until("the licence JWT is not taken");
    // It goes on following the store.
    install(&installation, &Vendor::new().license().mint()).succeeded();
    server.log_until("the licence was read again");
    server.terminate();
}

/// A change of the rows is seen by the server that is running: the cap holds for it too.
#[test]
fn the_cap_holds_for_the_server_that_served_the_first_account() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        installation.sql("UPDATE cold_start SET ends_at = 4102444800000");
        installation.sql("UPDATE cold_start SET ends_at = opened_at + 604800000");
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::under(&clock, &installation).await;
        let first = client.obtain(&responder, "first.localhost").await;
        assert_eq!(first.status, 200, "{first:?}");
        server.log_until("the licence was read again");
        installation.sql("UPDATE cold_start SET ends_at = 4102444800000");
        clock.advance(30 * DAY);
        let detail = client.new_order("late.localhost", json!({})).await.problem(403, "unauthorized");
        assert!(detail.contains("cold_start_elapsed"), "{detail}");
        server.terminate();
    });
}

fn install(installation: &Installation, document: &str) -> Finished {
    let files = Workdir::new();
    installation.run(&["license", "install", &saved(&files, document)])
}

fn saved(files: &Workdir, document: &str) -> String {
    files.write("document", document).display().to_string()
}

fn json(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished}"))
}
