//! `chancery license explain`.

use chancery_license::{Limit, Plan};
use chancery_testkit::{Engine, RawClient, Responder};
use serde_json::{Value, json};

use super::{DAY, Desk, issuing_key, key_manifest, now, without_incidentals};
use crate::acme::block_on;
use crate::on_both_engines;

on_both_engines!(the_server_does_as_explained);

/// Whether an order of a new account, one of an account with certificates, and a renewal are accepted.
fn accepted(explained: &Value) -> [bool; 3] {
    ["new_account", "known_account", "renewal"]
        .map(|order| explained["orders"][order]["accepted"].as_bool().unwrap())
}

#[test]
fn what_is_installed_is_explained() {
    let desk = Desk::new(Engine::Sqlite);
    let nothing = desk.license(&["explain"]).succeeded();
    desk.installation.open_window("free");
    let window = desk.license(&["explain"]).succeeded();
    desk.install(&desk.vendor.license().mint());
    let licensed = desk.license(&["explain"]).succeeded();
    without_incidentals(|| {
        insta::assert_snapshot!("explained_without_licence", nothing.stdout);
        insta::assert_snapshot!("explained_in_window", window.stdout);
        insta::assert_snapshot!("explained_licence", licensed.stdout);
    });
}

#[test]
fn a_plan_is_explained_as_if_it_were_licensed() {
    let desk = Desk::new(Engine::Sqlite);
    // A licence of a larger serial than any plan's must not stand in its way.
    let tight = desk.vendor.license().serial(9_000).entitlements(|allowed| {
        allowed.max_authorities = Limit::Forbidden;
    });
    desk.force_install(&tight.mint());
    let before = desk.store();
    assert_eq!(accepted(&desk.json(&["explain"])), [false, false, true]);
    for plan in Plan::ALL {
        let explained = desk.json(&["explain", "--plan", plan.name()]);
        assert_eq!(explained["boot"]["outcome"], "conforming", "{explained}");
        assert_eq!(accepted(&explained), [true; 3], "{explained}");
    }
    let shown = desk.license(&["explain", "--plan=starter"]).succeeded();
    without_incidentals(|| insta::assert_snapshot!("explained_plan", shown.stdout));
    assert_eq!(desk.store(), before);
    let unknown = desk.license(&["explain", "--plan=gold"]).exited_with(2);
    assert!(unknown.stderr.contains("`gold` is not a plan"), "{unknown}");
}

#[test]
fn a_plan_without_postgresql_is_explained_on_postgresql() {
    let desk = Desk::new(Engine::Postgres);
    let explained = desk.json(&["explain", "--plan=starter"]);
    assert_eq!(explained["boot"]["reasons"], json!(["db_not_allowed"]), "{explained}");
    assert_eq!(accepted(&explained), [false, false, true], "{explained}");
}

#[test]
fn a_document_is_explained_as_if_it_were_installed() {
    let desk = Desk::new(Engine::Sqlite);
    let vendor = &desk.vendor;
    desk.install(&vendor.license().serial(2).mint());
    let before = desk.store();

    let forbids = vendor.license().serial(3).entitlements(|allowed| {
        allowed.max_managed_servers = Limit::Forbidden;
    });
    let shown = desk.license(&["explain", &desk.file(forbids.mint())]).succeeded();
    without_incidentals(|| insta::assert_snapshot!("explained_document", shown.stdout));

    // `.lic` after its grace: renewals alone; a JWT: nothing. A list may revoke; a manifest changes nothing.
    let (past, end) = (now() - 60 * DAY, now() - 30 * DAY);
    let expired = vendor.license().serial(3).issued(past).not_before(past).expires(end);
    let revoking = vendor.revoke(1).license("lic-test");
    for (document, outcome, expected) in [
        (vendor.license().serial(3).mint(), "conforming", [true; 3]),
        (vendor.license().serial(2).mint(), "conforming", [true; 3]),
        (expired.mint(), "degraded", [false, false, true]),
        (revoking.mint(), "refused", [false; 3]),
        (key_manifest(1, &issuing_key()), "conforming", [true; 3]),
    ] {
        let explained = desk.json(&["explain", &desk.file(document)]);
        assert_eq!(explained["boot"]["outcome"], outcome, "{explained}");
        assert_eq!(accepted(&explained), expected, "{explained}");
    }
    assert_eq!(desk.store(), before, "nothing was written");

    let older = desk.file(vendor.license().serial(1).mint());
    desk.refuses(&["explain", &older], "would not be installed: a newer licence document");
    let both = desk.license(&["explain", &older, "--plan=pro"]).exited_with(2);
    assert!(both.stderr.contains("cannot be used with"), "{both}");
}

fn the_server_does_as_explained(engine: Engine) {
    block_on(async {
        let desk = Desk::new(engine);
        let one_server = desk.vendor.license().entitlements(|allowed| {
            allowed.max_managed_servers = Limit::AtMost(1);
        });
        desk.install(&one_server.mint());
        assert_eq!(accepted(&desk.json(&["explain"])), [true; 3]);

        let mut server = desk.installation.serve();
        let responder = Responder::start(desk.installation.http01_port()).await;
        let mut first = RawClient::new(&desk.installation).await;
        assert_eq!(first.obtain(&responder, "one.localhost").await.status, 200);
        let explained = desk.json(&["explain"]);
        assert_eq!(explained["orders"]["new_account"]["reasons"], json!(["managed_servers_exceeded"]));
        assert_eq!(accepted(&explained), [false, true, true], "{explained}");
        let limits = &desk.json(&["status"])["limits"];
        assert_eq!(limits["managed_servers"], json!({ "used": 1, "limit": 1 }));
        let shown = desk.license(&["status"]).succeeded();
        assert!(
            shown.stdout.contains(": 1 of 1\n") && shown.stdout.contains(": 1 of unlimited\n"),
            "{shown}"
        );

        let mut second = first.another();
        let refused = second.obtain(&responder, "two.localhost").await;
        assert!(refused.problem(403, "unauthorized").contains("managed_servers_exceeded"), "{refused:?}");
        assert_eq!(first.obtain(&responder, "three.localhost").await.status, 200);
        assert_eq!(first.obtain(&responder, "one.localhost").await.status, 200);
        server.terminate();
    });
}
