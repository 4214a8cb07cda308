//! `chancery license status`.

use chancery_license::Limit;
use chancery_testkit::{Engine, MovableClock};

use super::{DAY, Desk, json, now, without_incidentals};

#[test]
fn the_state_is_shown_in_full() {
    let desk = Desk::new(Engine::Sqlite);
    let nothing = desk.license(&["status"]).succeeded();
    desk.installation.open_window("free");
    let window = desk.license(&["status"]).succeeded();
    let license = desk.vendor.license().bound_to(&desk.installation.installation_key());
    desk.install(&license.mint());
    desk.install(&desk.vendor.revoke(3).mint());
    let valid = desk.license(&["status"]).succeeded();
    without_incidentals(|| {
        insta::assert_snapshot!("status_without_licence", nothing.stdout);
        insta::assert_snapshot!("status_in_window", window.stdout);
        insta::assert_snapshot!("status_valid", valid.stdout);
    });
}

#[test]
fn a_licence_grows_old() {
    let desk = Desk::new(Engine::Sqlite);
    desk.install(&desk.vendor.license().expires(now() + 10 * DAY).mint());
    let clock = MovableClock::new();
    let at = |day: u32| {
        clock.set_offset(i64::from(day) * 86_400);
        let text = desk.installation.run_at(&clock, &["license", "status"]).succeeded().stdout;
        let json = json(&desk.installation.run_at(&clock, &["license", "status", "--json"]).succeeded());
        (text, json)
    };
    for (day, state, outcome) in
        [(9, "valid", "conforming"), (11, "grace", "conforming"), (18, "expired", "degraded")]
    {
        let (text, json) = at(day);
        assert_eq!((&json["state"], &json["boot"]["outcome"]), (&state.into(), &outcome.into()), "{json}");
        without_incidentals(|| {
            let line = text.lines().find(|line| line.starts_with("State")).unwrap();
            insta::assert_snapshot!(format!("state_{state}"), line);
        });
    }
}

#[test]
fn a_clock_that_was_set_back_is_told() {
    let desk = Desk::new(Engine::Sqlite);
    desk.install(&desk.vendor.license().mint());
    let clock = MovableClock::new();
    clock.set_back(30 * DAY);
    let shown = desk.installation.run_at(&clock, &["license", "status"]).succeeded();
    assert!(shown.stdout.contains("- the clock shows"), "{shown}");
}

#[test]
fn what_does_not_count_is_told() {
    let desk = Desk::new(Engine::Sqlite);
    desk.force_install(
        &desk.vendor.license().entitlements(|allowed| allowed.max_authorities = Limit::Forbidden).mint(),
    );
    let degraded = desk.license(&["status"]).succeeded();
    assert!(degraded.stdout.contains(": [max_cas_exceeded]\n"), "{degraded}");
    desk.license(&["acknowledge-degraded"]).succeeded();
    let acknowledged = desk.license(&["status"]).succeeded();
    without_incidentals(|| insta::assert_snapshot!("status_acknowledged", acknowledged.stdout));

    desk.installation.sql("DELETE FROM settings WHERE name = 'license_record'");
    let damaged = desk.license(&["status"]).succeeded();
    assert!(damaged.stdout.contains(": missing or damaged\n"), "{damaged}");
    let damaged = desk.json(&["status"]);
    assert_eq!((&damaged["state"], &damaged["watermark"]), (&"invalid".into(), &serde_json::Value::Null));
    assert_eq!(damaged["state_details"]["reason"], "watermark_missing");
}

#[test]
fn a_licence_jwt_that_lies_there_is_told_until_it_is_taken_in() {
    let desk = Desk::new(Engine::Sqlite);
    std::fs::write(desk.jwt_file(), desk.vendor.jwt().mint()).unwrap();
    let told = |text: &str| text.contains("license.jwt is not installed: the next start tries to take it in");
    assert!(told(&desk.license(&["status"]).succeeded().stdout));
    desk.installation.serve().terminate();
    let taken = desk.license(&["status"]).succeeded();
    assert!(!told(&taken.stdout) && taken.stdout.contains("JWT, id jwt-test"), "{taken}");
}
