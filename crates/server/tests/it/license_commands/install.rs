//! `chancery license install`.

use chancery_license::{Environment, InstallationKey, Limit, Plan};
use chancery_testkit::{Engine, MovableClock, Vendor};

use super::{DAY, Desk, issuing_key, json, key_manifest, now, signed_by, without_incidentals};
use crate::on_both_engines;

on_both_engines!(
    each_kind_of_document_is_installed,
    what_does_not_count_is_refused_and_changes_nothing,
    a_licence_waits_for_its_day,
    a_revocation_list_revokes,
);

fn each_kind_of_document_is_installed(engine: Engine) {
    let desk = Desk::new(engine);
    let jwt = desk.install(&desk.vendor.jwt().mint());
    let lic = desk.install(&desk.vendor.license().serial(3).mint());
    let list = desk.install(&desk.vendor.revoke(5).license("another").mint());
    let manifest = desk.install(&key_manifest(4, &issuing_key()));
    without_incidentals(|| {
        insta::assert_snapshot!("installed_lic", lic.stdout);
        insta::assert_snapshot!("installed_jwt", jwt.stdout);
        insta::assert_snapshot!("installed_revocations", list.stdout);
        insta::assert_snapshot!("installed_keys", manifest.stdout);
    });

    let status = desk.json(&["status"]);
    assert_eq!(status["license"]["serial"], 3, "{status}");
    assert_eq!((&status["revocation_list"], &status["key_manifest"]), (&5.into(), &4.into()));
    desk.installation.serve().terminate();
}

#[test]
fn what_is_installed_already_changes_nothing() {
    let desk = Desk::new(Engine::Sqlite);
    let vendor = &desk.vendor;
    for document in [
        vendor.jwt().mint_eddsa(),
        vendor.license().mint(),
        vendor.revoke(1).mint(),
        key_manifest(1, &issuing_key()),
    ] {
        let installed = json(&desk.license(&["install", &desk.file(&document), "--json"]).succeeded());
        assert!(installed["installed"].is_string(), "{installed}");
        let before = desk.store();
        assert_eq!(desk.install(&document).stdout, "Already installed: nothing changed.\n");
        // An editor may have put a line break at its end.
        assert_eq!(desk.install(&format!("{document}\n")).stdout, "Already installed: nothing changed.\n");
        assert_eq!(desk.store(), before);
        let again = json(&desk.license(&["install", &desk.file(&document), "--json"]).succeeded());
        assert!(again["installed"].is_null(), "{again}");
    }
}

fn what_does_not_count_is_refused_and_changes_nothing(engine: Engine) {
    let desk = Desk::new(engine);
    let (vendor, now) = (&desk.vendor, now());
    let elsewhere = InstallationKey::from_random(&[5; 29]);
    desk.install(&vendor.license().serial(5).mint());
    desk.install(&vendor.revoke(2).license("lic-revoked").mint());
    let newer = || vendor.license().serial(6);
    let forbids = newer().entitlements(|allowed| allowed.max_managed_servers = Limit::Forbidden);
    desk.refuses_to_install([
        (newer().bound_to(elsewhere.as_str()).mint(), "is bound to the installation INST-"),
        (newer().environment(Environment::Prod).mint(), "for the environment prod, and this is dev"),
        (newer().product("other").mint(), "for the product `other`, and this is `chancery`"),
        (newer().newest_build(now - 4_000 * DAY).mint(), "renew the support"),
        (newer().minimum_version("99.0.0").mint(), "needs version 99.0.0 or newer"),
        (
            newer().issued(now - 60 * DAY).not_before(now - 60 * DAY).expires(now - 30 * DAY).mint(),
            "license_expired",
        ),
        (forbids.mint(), "max_managed_servers_zero"),
        (newer().id("lic-revoked").mint(), "the revocation list that is installed revokes it"),
        (vendor.license().serial(4).mint(), "a newer licence document was installed here before (serial 5"),
        (vendor.jwt().mint(), "a newer licence document was installed here before (serial 5"),
        (Vendor::stranger().license().serial(6).mint(), "by no key that is known here"),
        (Vendor::stranger().jwt().mint(), "which is not trusted here"),
        (signed_by(&issuing_key(), &newer().mint()), "by no key that is known here"),
        (vendor.revoke(1).mint(), "number 1 is not newer than number 2"),
        (Vendor::stranger().revoke(9).mint(), "by no key that is known here"),
        (vendor.revoke(9).environment(Environment::Uat).mint(), "for the environment uat, and this is dev"),
    ]);
}

#[test]
fn what_was_altered_or_is_no_document_is_refused() {
    let desk = Desk::new(Engine::Sqlite);
    let vendor = &desk.vendor;
    let [sold, dearer] =
        [1_000, 1_000_000].map(|limit| vendor.jwt().claims(|claims| claims.cert_limit = limit));
    let (sold, dearer) = (sold.mint(), dearer.mint());
    let [header, _, signature] = sold.split('.').collect::<Vec<_>>()[..] else { panic!("{sold}") };
    let dearer = format!("{header}.{}.{signature}", dearer.split('.').nth(1).unwrap());
    let license = vendor.license().mint();
    let cut: String = license.split_inclusive('\n').take(4).collect();
    desk.refuses_to_install([
        (dearer.as_bytes(), "the signature is wrong"),
        (cut.as_bytes(), "is not installed: the armour"),
        (&vec![b'A'; 5 << 20], "is larger than"),
    ]);
    desk.refuses_to_install(
        [&b""[..], b"hello", b"a.b", b"-----BEGIN CERTIFICATE-----\n", b"\xff\xfe\x00", b"{}"]
            .map(|nonsense| (nonsense, "install the file as the vendor sent it")),
    );
    // Wherever one character is another.
    let altered = |part: usize| {
        let mut altered = license.clone().into_bytes();
        let position = 40 + part * (altered.len() - 80) / 12;
        altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
        (altered, "is not installed: ")
    };
    desk.refuses_to_install::<12>(std::array::from_fn(altered));

    let missing = desk.files.join("missing").display().to_string();
    desk.refuses(&["install", &missing], "cannot open");
    let directory = desk.files.path().display().to_string();
    desk.refuses(&["install", &directory], "Is a directory");
}

#[test]
fn what_does_not_fit_is_installed_by_force() {
    let desk = Desk::new(Engine::Sqlite);
    let license = desk.vendor.license().entitlements(|allowed| {
        allowed.allowed_databases = [chancery_license::Database::Postgres].into();
        allowed.max_authorities = Limit::Forbidden;
    });
    let license = license.mint();
    desk.refuses_to_install([(&license, "(db_not_allowed); authorities configured: 1")]);
    let forced = desk.force_install(&license);
    without_incidentals(|| insta::assert_snapshot!("installed_by_force", forced.stdout));
    assert_eq!(desk.json(&["status"])["boot"]["outcome"], "degraded");
    desk.installation.serve_refused(None).exited_with(3);
}

fn a_licence_waits_for_its_day(engine: Engine) {
    let desk = Desk::new(engine);
    desk.installation.open_window("pro");
    let first = desk.vendor.license().serial(1).plan(Plan::Pro).not_before(now() + 5 * DAY);
    let installed = desk.install(&first.expires(now() + 30 * DAY).mint());
    without_incidentals(|| insta::assert_snapshot!("installed_ahead", installed.stdout));
    let status = desk.json(&["status"]);
    assert_eq!(status["state"], "not_yet_valid", "{status}");
    assert_eq!(status["boot"]["outcome"], "cold_start", "the window stays open until then: {status}");

    let clock = MovableClock::new();
    clock.advance(6 * DAY);
    let status = |clock| json(&desk.installation.run_at(clock, &["license", "status", "--json"]).succeeded());
    assert_eq!(status(&clock)["state"], "valid");

    let upgrade = desk.vendor.license().serial(2).plan(Plan::Enterprise).not_before(now() + 10 * DAY);
    let file = desk.file(upgrade.expires(now() + 90 * DAY).mint());
    let installed = desk.installation.run_at(&clock, &["license", "install", &file]).succeeded();
    without_incidentals(|| insta::assert_snapshot!("installed_behind_another", installed.stdout));
    let before = status(&clock);
    assert_eq!((&before["license"]["plan"], &before["waiting"][0]["serial"]), (&"pro".into(), &2.into()));
    let shown = desk.installation.run_at(&clock, &["license", "status"]).succeeded();
    assert!(shown.stdout.contains(".lic, id lic-test, serial 2, plan enterprise, begins at"), "{shown}");
    clock.advance(5 * DAY);
    let after = status(&clock);
    assert_eq!((&after["license"]["plan"], &after["state"]), (&"enterprise".into(), &"valid".into()));
}

fn a_revocation_list_revokes(engine: Engine) {
    let desk = Desk::new(engine);
    desk.install(&desk.vendor.license().mint());
    let revoked = desk.install(&desk.vendor.revoke(7).license("lic-test").mint());
    without_incidentals(|| insta::assert_snapshot!("installed_revoking", revoked.stdout));
    let status = desk.json(&["status"]);
    assert_eq!((&status["state"], &status["boot"]["outcome"]), (&"revoked".into(), &"refused".into()));
    assert!(desk.installation.serve_refused(None).exited_with(3).stderr.contains("LICENSE REVOKED"));

    // Another licence is the way out.
    desk.install(&desk.vendor.license().id("lic-next").serial(2).mint());
    assert_eq!(desk.state(), "valid");
}
