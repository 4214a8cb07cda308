//! What operators change: acknowledgement, emergency grace, removal; and the history of it all.

use chancery_license::{Database, Limit};
use chancery_testkit::{Engine, MovableClock};

use super::{DAY, Desk, json, now, without_incidentals};
use crate::on_both_engines;

on_both_engines!(a_degraded_state_is_acknowledged, a_licence_is_uninstalled);

/// A licence that fits neither the database nor the authority.
fn tight(desk: &Desk, engine: Engine) -> String {
    let other = match engine {
        Engine::Sqlite => Database::Postgres,
        Engine::Postgres => Database::Sqlite,
    };
    let license = desk.vendor.license().entitlements(|allowed| {
        allowed.allowed_databases = [other].into();
        allowed.max_authorities = Limit::Forbidden;
    });
    license.mint()
}

fn a_degraded_state_is_acknowledged(engine: Engine) {
    let desk = Desk::new(engine);
    desk.force_install(&tight(&desk, engine));
    desk.installation.serve_refused(None).exited_with(3);
    let acknowledged = desk.license(&["acknowledge-degraded"]).succeeded();
    without_incidentals(|| insta::assert_snapshot!("acknowledged", acknowledged.stdout));
    desk.installation.serve().terminate();

    let again = desk.json(&["acknowledge-degraded"]);
    let hash = again["hash"].as_str().unwrap();
    assert!(hash.len() == 64 && acknowledged.stdout.contains(&format!("{}...{}", &hash[..4], &hash[60..])));
    assert_eq!(desk.json(&["status"])["acknowledgement"]["hash"], hash);
    assert_eq!(desk.json(&["status"])["boot"]["acknowledged"], true);

    // A licence with other limits voids it.
    let other =
        desk.vendor.license().serial(2).entitlements(|allowed| allowed.max_authorities = Limit::Forbidden);
    desk.force_install(&other.mint());
    desk.installation.serve_refused(None).exited_with(3);
    let status = desk.license(&["status"]).succeeded();
    assert!(status.stdout.contains(", for what is no longer so\n"), "{status}");
}

#[test]
fn there_may_be_nothing_to_acknowledge() {
    let desk = Desk::new(Engine::Sqlite);
    let refuses = |words| desk.refuses(&["acknowledge-degraded"], words);
    refuses("no licence is installed");
    desk.installation.open_window("free");
    refuses("no licence is installed");
    desk.install(&desk.vendor.license().not_before(now() + DAY).mint());
    refuses("the licence is not_yet_valid, which cannot be acknowledged");
    desk.install(&desk.vendor.license().serial(2).mint());
    refuses("the configuration is within the licence: there is nothing to acknowledge");
    desk.install(&desk.vendor.revoke(1).serial(2).mint());
    refuses("the licence is revoked, which cannot be acknowledged");
}

#[test]
fn the_emergency_grace_is_given_once_for_each_issue() {
    let desk = Desk::new(Engine::Sqlite);
    let refuses = |arguments: &[&str], words: &str| {
        desk.refuses(&[&["force-grace"], arguments].concat(), words);
    };
    refuses(&["--confirm"], "no licence is installed");
    desk.install(&desk.vendor.license().mint());
    refuses(&[], "the state of the licence is `valid`: the emergency grace is for one whose grace is over");

    let expired = |serial| {
        let license =
            desk.vendor.license().serial(serial).issued(now() - 60 * DAY).not_before(now() - 60 * DAY);
        desk.force_install(&license.expires(now() - 30 * DAY).block_after_grace().mint());
    };
    expired(2);
    let before = desk.store();
    let preview = desk.license(&["force-grace"]).succeeded();
    assert_eq!(desk.json(&["force-grace"])["opened"], false);
    assert_eq!(desk.store(), before);
    desk.installation.serve_refused(None).exited_with(3);

    let opened = desk.license(&["force-grace", "--confirm"]).succeeded();
    without_incidentals(|| {
        insta::assert_snapshot!("emergency_grace_preview", preview.stdout);
        insta::assert_snapshot!("emergency_grace_opened", opened.stdout);
    });
    assert_eq!(desk.state(), "grace");
    desk.installation.serve().terminate();
    refuses(&["--confirm"], "was taken already");

    let clock = MovableClock::new();
    clock.advance(4 * DAY);
    let late = json(&desk.installation.run_at(&clock, &["license", "status", "--json"]).succeeded());
    assert_eq!(late["state"], "expired", "it lasts 72 hours: {late}");

    expired(3);
    let status = desk.license(&["status"]).succeeded();
    assert!(status.stdout.contains(": taken for another issue, until "), "{status}");
    assert_eq!(desk.json(&["force-grace", "--confirm"])["opened"], true, "another issue, another grace");
}

fn a_licence_is_uninstalled(engine: Engine) {
    let desk = Desk::new(engine);
    desk.refuses(&["uninstall"], "no licence is installed");
    desk.refuses(&["uninstall", "--confirm"], "no licence is installed");
    let (older, newer) = (desk.vendor.license().serial(1).mint(), desk.vendor.license().serial(2).mint());
    desk.install(&older);
    desk.install(&newer);
    desk.refuses(&["uninstall"], "give --confirm to remove 1 licence document");

    std::fs::write(desk.jwt_file(), desk.vendor.jwt().mint()).unwrap();
    let removed = desk.license(&["uninstall", "--confirm"]).succeeded();
    without_incidentals(|| insta::assert_snapshot!("uninstalled", removed.stdout));
    std::fs::remove_file(desk.jwt_file()).unwrap();
    assert_eq!(desk.state(), "no_license");
    desk.installation.serve_refused(None).exited_with(3);

    desk.refuses_to_install([(&older, "a newer licence document was installed here before (serial 2")]);
    desk.install(&newer);
    assert_eq!(desk.state(), "valid");
    let removed = desk.json(&["uninstall", "--confirm"]);
    assert_eq!((&removed["documents"], &removed["jwt_file"]), (&1.into(), &serde_json::Value::Null));
}

#[test]
fn the_history_tells_what_was_done() {
    let desk = Desk::new(Engine::Sqlite);
    assert_eq!(desk.license(&["history"]).succeeded().stdout, "Nothing was done about licences yet.\n");
    assert_eq!(desk.json(&["history"]), serde_json::json!([]));
    desk.installation.open_window("free");
    desk.force_install(&tight(&desk, Engine::Sqlite));
    desk.license(&["acknowledge-degraded"]).succeeded();
    desk.install(&desk.vendor.revoke(2).mint());
    desk.license(&["uninstall", "--confirm"]).succeeded();

    let told = desk.license(&["history"]).succeeded();
    without_incidentals(|| insta::assert_snapshot!("history", told.stdout));
    let newest = desk.license(&["history", "--limit=2"]).succeeded();
    assert_eq!(newest.stdout, told.stdout.split_inclusive('\n').take(2).collect::<String>());
    let events = desk.json(&["history"]);
    let events: Vec<_> =
        events.as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events.last(), Some(&"cold_start.init"));
    assert_eq!(desk.json(&["history", "--limit=1"])[0]["event"], "license.uninstall");
    desk.license(&["history", "--limit=0"]).exited_with(2);
}
