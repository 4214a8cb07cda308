//! What a licence does to a running server, and to the next start of it.

use std::sync::Arc;
use std::time::Duration;

use chancery_license::{Feature, Limit, Plan};
use chancery_testkit::{
    Answer, Engine, Finished, Installation, MovableClock, RawClient, Responder, Vendor, Workdir,
};
use chancery_time::{Clock, SystemClock};
use serde_json::json;

use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    twenty_five_of_sixty_four,
    expires_by_way_of_grace,
    takes_effect_without_a_restart,
    a_degraded_start_is_acknowledged_and_forgotten,
    a_revoked_licence_stops_everything,
);

const DAY: Duration = Duration::from_secs(86_400);

/// 64 accounts order their first certificate at once under a licence for 25 managed servers.
fn twenty_five_of_sixty_four(engine: Engine) {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::without_window(CHANCERY, engine);
        let twenty_five = vendor.license().plan(Plan::Enterprise);
        let twenty_five =
            twenty_five.entitlements(|allowed| allowed.max_managed_servers = Limit::AtMost(25)).mint();
        install(&installation, &twenty_five).succeeded();
        let mut server = installation.serve();
        let responder = Arc::new(Responder::start(installation.http01_port()).await);

        // Everybody comes to the last step before anybody takes it.
        let mut ready = Vec::new();
        let first = RawClient::new(&installation).await;
        for nth in 0..64 {
            let name = format!("server-{nth}.localhost");
            let mut client = first.another();
            client.register(&json!({})).await;
            let finalize = client.ready_order(&responder, &name, json!({})).await;
            ready.push((client, finalize, name));
        }
        let mut racing = tokio::task::JoinSet::new();
        for (mut client, finalize, name) in ready {
            racing.spawn(async move {
                let answer = client.finalize(&finalize, &name).await;
                (client, answer, name)
            });
        }
        let (mut managed, mut refused) = (Vec::new(), Vec::new());
        // Those that made it renew while others still race.
        let mut renewing = tokio::task::JoinSet::new();
        while let Some(raced) = racing.join_next().await {
            let (mut client, answer, name) = raced.unwrap();
            if answer.status == 200 {
                let order = client.new_order(&name, json!({})).await;
                assert_eq!(order.status, 201, "a renewal while others race: {order:?}");
                managed.push((client, name));
            } else {
                let detail = answer.problem(403, "unauthorized");
                assert!(detail.contains("managed_servers_exceeded"), "{detail}");
                refused.push((client, name));
            }
        }
        assert_eq!((managed.len(), refused.len()), (25, 39));
        let now = SystemClock.now().unix_millis();
        let held = format!(
            "SELECT COUNT(DISTINCT account_id) FROM certificates WHERE issued_at IS NOT NULL AND not_after > {now}"
        );
        assert_eq!(installation.query_i64(&held), 25);

        // Full, and every renewal passes; the others are told at newOrder already.
        for (mut client, name) in managed {
            let responder = Arc::clone(&responder);
            renewing.spawn(async move { client.obtain(&responder, &name).await });
        }
        while let Some(renewed) = renewing.join_next().await {
            let renewed = renewed.unwrap();
            assert_eq!(renewed.status, 200, "a renewal at the cap: {renewed:?}");
        }
        for (client, name) in refused.iter_mut().take(3) {
            let detail = client.new_order(name, json!({})).await.problem(403, "unauthorized");
            assert!(detail.contains("managed_servers_exceeded"), "{detail}");
        }
        assert_eq!(installation.query_i64(&held), 25);
        server.terminate();
        assert!(server.log().contains("license.deny"));
    });
}

/// valid → grace → renewals only, under a running server and at its next start.
fn expires_by_way_of_grace(engine: Engine) {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::without_window(CHANCERY, engine);
        let clock = MovableClock::new();
        install(&installation, &vendor.license().plan(Plan::Pro).mint()).succeeded();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::under(&clock, &installation).await;
        obtained(&client.obtain(&responder, "first.localhost").await);

        clock.advance(31 * DAY);
        server.log_until("the licence has expired and is in grace");
        obtained(&client.obtain(&responder, "second.localhost").await);

        clock.advance(7 * DAY);
        denied(&client.new_order("third.localhost", json!({})).await, "license_expired");
        obtained(&client.obtain(&responder, "first.localhost").await);
        server.terminate();

        // The next start wants to be acknowledged, and then goes on as before.
        let refused = installation.serve_refused(Some(&clock)).exited_with(3);
        assert!(refused.stderr.contains("Reasons: license_expired."), "{refused}");
        installation.run_at(&clock, &["license", "acknowledge-degraded"]).succeeded();
        let mut server = installation.serve_under(&clock);
        let mut client = RawClient::under(&clock, &installation).await;
        client.register(&json!({})).await;
        denied(&client.new_order("third.localhost", json!({})).await, "license_expired");

        // A renewal arrives while it runs.
        let renewed = vendor.license().serial(2).issued(clock.now()).not_before(clock.now());
        let renewed = renewed.expires(clock.now() + 365 * DAY).mint();
        install_at(&installation, &clock, &renewed).succeeded();
        server.log_until("the licence was read again");
        obtained(&client.obtain(&responder, "third.localhost").await);
        server.terminate();
    });
}

fn takes_effect_without_a_restart(engine: Engine) {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        obtained(&client.obtain(&responder, "in-the-window.localhost").await);

        // One managed server is all that this licence allows, and the one is there.
        let license = |serial, servers| {
            let license = vendor.license().plan(Plan::Enterprise).serial(serial);
            license.entitlements(|allowed| allowed.max_managed_servers = Limit::AtMost(servers)).mint()
        };
        install(&installation, &license(1, 1)).succeeded();
        server.log_until("the licence was read again");
        obtained(&client.obtain(&responder, "same-account.localhost").await);
        let mut other = RawClient::new(&installation).await;
        other.register(&json!({})).await;
        denied(&other.new_order("other-account.localhost", json!({})).await, "managed_servers_exceeded");

        install(&installation, &license(2, 2)).succeeded();
        server.log_until("the licence was read again");
        obtained(&other.obtain(&responder, "other-account.localhost").await);

        // A licence JWT that is put into the working directory; any .lic stands above it.
        std::fs::write(installation.server_workdir().join("license.jwt"), vendor.jwt().mint()).unwrap();
        server.log_until("the licence JWT is not taken");
        let status = installation.run(&["license", "status"]).succeeded();
        assert!(status.stdout.contains("enterprise"), "{status}");
        server.terminate();
    });
}

fn a_degraded_start_is_acknowledged_and_forgotten(engine: Engine) {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        obtained(&client.obtain(&responder, "kept.localhost").await);
        server.terminate();

        let no_authorities = |serial| {
            let license = vendor.license().plan(Plan::Enterprise).serial(serial);
            license.entitlements(|allowed| allowed.max_authorities = Limit::Forbidden).mint()
        };
        let refused = install(&installation, &no_authorities(1)).exited_with(1);
        assert!(refused.stderr.contains("max_cas_exceeded"), "{refused}");
        install_forced(&installation, &no_authorities(1)).succeeded();

        let refused = installation.serve_refused(None).exited_with(3);
        let start = refused.stderr.find("LICENSE DEGRADED").unwrap_or_else(|| panic!("no banner: {refused}"));
        insta::with_settings!({filters => vec![
            (r"INST-[0-9A-HJKMNP-TV-Z-]{34}", "[INSTALLATION KEY]"),
            (r"-f \S+/chancery\.yaml", "-f [CONFIG]"),
        ]}, {
            insta::assert_snapshot!("degraded", &refused.stderr[start..]);
        });
        installation.run(&["license", "acknowledge-degraded"]).succeeded();
        let mut server = installation.serve();
        spend_old_nonce(&mut client).await;
        denied(&client.new_order("new.localhost", json!({})).await, "max_cas_exceeded");
        obtained(&client.obtain(&responder, "kept.localhost").await);
        server.terminate();
        assert!(server.log().contains("license.boot_degraded"), "{}", server.log());

        // A conforming start forgets the acknowledgement: the same state has to be acknowledged anew.
        install(&installation, &vendor.license().plan(Plan::Enterprise).serial(2).mint()).succeeded();
        let mut server = installation.serve();
        server.terminate();
        install_forced(&installation, &no_authorities(3)).succeeded();
        installation.serve_refused(None).exited_with(3);
    });
}

fn a_revoked_licence_stops_everything(engine: Engine) {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::without_window(CHANCERY, engine);
        install(&installation, &vendor.license().id("lic-lost").mint()).succeeded();
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        obtained(&client.obtain(&responder, "kept.localhost").await);

        install(&installation, &vendor.revoke(1).license("lic-lost").mint()).succeeded();
        server.log_until("the licence was read again");
        denied(&client.new_order("kept.localhost", json!({})).await, "license_revoked");
        // What there is can still be had.
        let directory = installation.https_client().get(&installation.directory_url()).await;
        assert_eq!(directory.0, 200);
        server.terminate();

        let refused = installation.serve_refused(None).exited_with(3);
        assert!(refused.stderr.contains("LICENSE REVOKED"), "{refused}");
        installation.run(&["license", "acknowledge-degraded"]).exited_with(1);
        installation.serve_refused(None).exited_with(3);
        // The list cannot be made to be forgotten by an older one, nor by removing it.
        install(&installation, &vendor.revoke(1).mint()).exited_with(1);
        installation.sql("DELETE FROM license_documents WHERE kind = 'revocations'");
        let refused = installation.serve_refused(None).exited_with(3);
        assert!(refused.stderr.contains("revocations_missing"), "{refused}");
    });
}

/// A licence that blocks, as every licence JWT does, renews nothing after its grace.
#[test]
fn a_licence_jwt_in_the_working_directory_is_read_and_blocks_after_its_grace() {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
        let clock = MovableClock::new();
        let file = installation.server_workdir().join("license.jwt");
        std::fs::write(&file, vendor.jwt().mint()).unwrap();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::under(&clock, &installation).await;
        obtained(&client.obtain(&responder, "jwt.localhost").await);
        // Taking the file away takes nothing away.
        std::fs::remove_file(&file).unwrap();

        clock.advance(38 * DAY);
        denied(&client.new_order("jwt.localhost", json!({})).await, "license_expired");
        server.terminate();

        // One that was altered is not believed, and says why.
        let altered = Installation::without_window(CHANCERY, Engine::Sqlite);
        let mut token = vendor.jwt().mint();
        token.insert(token.len() / 2, 'A');
        std::fs::write(altered.server_workdir().join("license.jwt"), token).unwrap();
        let refused = altered.serve_refused(None).exited_with(3);
        assert!(refused.stderr.contains("LICENSE INVALID"), "{refused}");
    });
}

#[test]
fn without_the_feature_acme_nothing_new_is_issued() {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
        let token = vendor.jwt().claims(|claims| claims.features = [Feature::Api].into()).mint();
        install(&installation, &token).exited_with(1);
        install_forced(&installation, &token).succeeded();
        installation.run(&["license", "acknowledge-degraded"]).succeeded();
        let mut server = installation.serve();
        let mut client = RawClient::new(&installation).await;
        client.register(&json!({})).await;
        denied(&client.new_order("new.localhost", json!({})).await, "feature_not_licensed");
        server.terminate();
    });
}

#[test]
fn certificates_are_counted_where_the_licence_limits_them() {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
        let token = vendor.jwt().claims(|claims| claims.cert_limit = 2).mint();
        install(&installation, &token).succeeded();
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        obtained(&client.obtain(&responder, "one.localhost").await);
        obtained(&client.obtain(&responder, "two.localhost").await);
        denied(&client.new_order("three.localhost", json!({})).await, "certificates_exceeded");
        obtained(&client.obtain(&responder, "two.localhost").await);
        server.terminate();
    });
}

/// A month back and then eleven days of running: the licence of ten days is over all the same.
#[test]
fn a_clock_set_back_a_month_gains_no_day() {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
        // The CA was made today; a month back from then lies in forty days.
        let clock = MovableClock::new();
        clock.advance(70 * DAY);
        let license = vendor.license().issued(clock.now()).not_before(clock.now());
        let ten_days = license.expires(clock.now() + 10 * DAY).grace_days(0).mint();
        install_at(&installation, &clock, &ten_days).succeeded();
        installation.serve_under(&clock).terminate();

        let clock = MovableClock::with_monotonic();
        clock.advance(40 * DAY);
        let mut server = installation.serve_under(&clock);
        server.log_until("the clock shows");
        let status = installation.run_at(&clock, &["license", "status"]).succeeded();
        assert!(status.stdout.contains("valid") && status.stdout.contains("the clock shows"), "{status}");
        clock.advance(11 * DAY);
        let mut client = RawClient::under(&clock, &installation).await;
        client.register(&json!({})).await;
        denied(&client.new_order("late.localhost", json!({})).await, "license_expired");
        server.terminate();
        // Nor at the next start, nor when it is set back once more.
        installation.serve_refused(Some(&clock)).exited_with(3);
        let clock = MovableClock::new();
        clock.advance(20 * DAY);
        let refused = installation.serve_refused(Some(&clock)).exited_with(3);
        assert!(refused.stderr.contains("license_expired"), "{refused}");
    });
}

/// A clock ten years ahead for a while, and then right again.
#[test]
fn a_clock_ten_years_ahead_and_back_leaves_no_harm() {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
        let clock = MovableClock::new();
        install(&installation, &vendor.license().mint()).succeeded();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        clock.advance(3_650 * DAY);
        let changed = server.log_until("license.change");
        assert!(changed.contains(r#"to="expired""#), "{changed}");
        server.terminate();
        installation.serve_refused(Some(&clock)).exited_with(3);

        clock.set_offset(0);
        let mut server = installation.serve_under(&clock);
        let mut client = RawClient::under(&clock, &installation).await;
        obtained(&client.obtain(&responder, "right-again.localhost").await);
        server.terminate();
    });
}

/// A server that was started again knows none of the nonces of its earlier run.
async fn spend_old_nonce(client: &mut RawClient) {
    client.register(&json!({})).await.problem(400, "badNonce");
    assert_eq!(client.register(&json!({})).await.status, 200);
}

#[track_caller]
fn obtained(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["status"], "valid", "{answer:?}");
}

#[track_caller]
fn denied(answer: &Answer, reason: &str) {
    let detail = answer.problem(403, "unauthorized");
    assert!(detail.contains(reason), "{reason}: {detail}");
}

fn install(installation: &Installation, document: &str) -> Finished {
    let files = Workdir::new();
    installation.run(&["license", "install", &saved(&files, document)])
}

fn install_forced(installation: &Installation, document: &str) -> Finished {
    let files = Workdir::new();
    installation.run(&["license", "install", "--force", &saved(&files, document)])
}

fn install_at(installation: &Installation, clock: &MovableClock, document: &str) -> Finished {
    let files = Workdir::new();
    installation.run_at(clock, &["license", "install", &saved(&files, document)])
}

fn saved(files: &Workdir, document: &str) -> String {
    let path = files.join("document");
    std::fs::write(&path, document).unwrap();
    path.display().to_string()
}
