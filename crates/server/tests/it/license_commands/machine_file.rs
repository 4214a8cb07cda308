//! Machine files, which license an installation alone.

use chancery_license::{InstallationKey, LicenseKey, Limit, Plan};
use chancery_testkit::{Engine, Finished, MachineFileBuilder, MovableClock, Vendor, run_program};

use super::{DAY, Desk, assert_refused, issuing_key, json, key_manifest, now, without_incidentals};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    a_machine_file_licenses_alone,
    a_machine_file_grows_old,
    the_newest_document_counts_whichever_its_kind,
    a_machine_file_is_revoked_by_id_and_by_serial,
);

impl Desk {
    /// A machine file for this installation.
    fn machine_file(&self) -> MachineFileBuilder<'_> {
        self.vendor.machine_file(&self.installation.installation_key())
    }

    /// A file that holds the licence key.
    fn key_file(&self) -> String {
        self.key_file_of(&self.vendor.license_key())
    }

    fn key_file_of(&self, key: &LicenseKey) -> String {
        let path = self.files.join("license.key");
        std::fs::write(&path, format!("{}\n", key.reveal())).unwrap();
        path.display().to_string()
    }

    /// `chancery license COMMAND FILE --license-key-file …`, of a machine file.
    fn with_key(&self, command: &[&str], machine_file: &str) -> Finished {
        let (file, key) = (self.file(machine_file), self.key_file());
        self.license(&[command, &[&file, "--license-key-file", &key]].concat())
    }

    fn install_machine_file(&self, file: MachineFileBuilder<'_>) -> Finished {
        self.with_key(&["install"], &file.mint()).succeeded()
    }

    /// Brings machine files of which each has to be refused with its words, and which change nothing.
    #[track_caller]
    fn refuses_machine_files<const N: usize>(&self, files: [(MachineFileBuilder<'_>, &str); N]) {
        let before = self.store();
        for (file, words) in files {
            assert_refused(&self.with_key(&["install"], &file.mint()), words);
        }
        assert_eq!(self.store(), before);
    }
}

fn a_machine_file_licenses_alone(engine: Engine) {
    let desk = Desk::new(engine);
    desk.installation.open_window("pro");
    let file = desk.machine_file().serial(4).mint();
    let installed = desk.with_key(&["install"], &file).succeeded();
    without_incidentals(|| insta::assert_snapshot!("installed_machine_file", installed.stdout));

    let status = desk.json(&["status"]);
    let license = &status["license"];
    assert_eq!((&status["state"], &license["form"]), (&"valid".into(), &"machine_file".into()), "{status}");
    assert_eq!((&license["serial"], &license["plan"]), (&4.into(), &"pro".into()));
    assert_eq!(license["bound_to"], status["installation_key"]);
    assert!(status["cold_start"].is_null(), "it ends a cold start: {status}");
    let shown = desk.license(&["status"]).succeeded();
    assert!(shown.stdout.contains("machine file, id lic-test, serial 4"), "{shown}");
    desk.installation.serve().terminate();

    let again = desk.with_key(&["install"], &format!("{file}\n")).succeeded();
    assert_eq!(again.stdout, "Already installed: nothing changed.\n");
    let history = desk.json(&["history"]);
    assert_eq!(history[0]["event"], "license.install", "{history}");
    assert_eq!(history[0]["details"]["form"], "machine_file", "{history}");
    for shown in [&installed, &shown, &desk.license(&["history"]).succeeded()] {
        assert!(!format!("{shown}").contains("CRT-"), "{shown}");
    }

    desk.license(&["uninstall", "--confirm"]).succeeded();
    assert_eq!(desk.state(), "no_license");
}

#[test]
fn the_key_comes_from_a_file_or_the_environment_and_no_key_is_shown() {
    let desk = Desk::new(Engine::Sqlite);
    let document = desk.file(desk.machine_file().mint());
    let key = desk.vendor.license_key();
    desk.refuses(&["install", &document], "give --license-key-file FILE, or set CHANCERY_LICENSE_KEY");

    let another = LicenseKey::from_random(&[8; 29]);
    let wrong = desk.key_file_of(&another);
    let foreign = desk.license(&["install", &document, "--license-key-file", &wrong]);
    assert_refused(&foreign, "made for another machine or another licence key");
    std::fs::write(&wrong, key.reveal().replace("CRT-7", "CRT-6")).unwrap();
    let mistyped = desk.license(&["install", &document, "--license-key-file", &wrong]);
    assert_refused(&mistyped, "check digit");
    for refused in [foreign, mistyped] {
        assert!(!refused.stderr.contains("CRT-"), "{refused}");
    }

    let with_variable = |key: &str| {
        desk.installation.run_with(&[("CHANCERY_LICENSE_KEY", key)], &["license", "install", &document])
    };
    assert_refused(&with_variable("CRT-1"), "CHANCERY_LICENSE_KEY");
    with_variable(key.reveal()).succeeded();
    assert_eq!(desk.state(), "valid");
}

#[test]
fn a_machine_file_that_does_not_count_is_refused_and_changes_nothing() {
    let desk = Desk::new(Engine::Sqlite);
    let (vendor, now) = (&desk.vendor, now());
    let elsewhere = InstallationKey::from_random(&[5; 29]);
    let ours = desk.installation.installation_key();
    desk.install_machine_file(desk.machine_file().serial(5));
    desk.install(&vendor.revoke(2).license("lic-revoked").mint());
    let newer = || desk.machine_file().serial(6);
    let stranger = Vendor::stranger();
    let old = || newer().issued(now - 60 * DAY).expires(now - 30 * DAY);
    desk.refuses_machine_files([
        (
            vendor.machine_file(elsewhere.as_str()).serial(6),
            &format!("The fingerprint of this installation is {ours}: have the vendor make"),
        ),
        (newer().product("other"), "for the product `other`, and this is `chancery`"),
        (newer().without_block(), "it licenses no installation"),
        (
            newer().entitlements(|allowed| allowed.max_managed_servers = Limit::Forbidden),
            "max_managed_servers_zero",
        ),
        (newer().id("lic-revoked"), "the revocation list that is installed revokes it"),
        (desk.machine_file().serial(4), "a newer licence document was installed here before (serial 5"),
        (old(), "license_expired"),
        (stranger.machine_file(&ours).serial(6), "which is not known here"),
    ]);
    let history = desk.json(&["history"]);
    assert_eq!(history[0]["event"], "license.install", "{history}");
    desk.installation.serve().terminate();
    let told = desk.installation.run(&["audit", "query", "--json"]).succeeded();
    assert!(told.stdout.contains("license.installation_mismatch"), "{told}");
    assert!(!told.stdout.contains("CRT-"), "{told}");

    // What another key signs counts where a manifest vouches for it.
    let issuing = issuing_key();
    desk.install(&key_manifest(1, &issuing));
    desk.install_machine_file(newer().signed_by(&issuing));
    assert_eq!(desk.json(&["status"])["license"]["serial"], 6);
}

fn a_machine_file_grows_old(engine: Engine) {
    let desk = Desk::new(engine);
    let now = now();
    desk.install_machine_file(
        desk.machine_file().expires(now + 10 * DAY).grace_days(7).license_expires(now + 13 * DAY),
    );
    let clock = MovableClock::new();
    let at = |day: i64| {
        clock.set_offset(day * 86_400);
        json(&desk.installation.run_at(&clock, &["license", "status", "--json"]).succeeded())
    };
    for (day, state, outcome) in
        [(9, "valid", "conforming"), (11, "grace", "conforming"), (14, "expired", "degraded")]
    {
        let status = at(day);
        assert_eq!(
            (&status["state"], &status["boot"]["outcome"]),
            (&state.into(), &outcome.into()),
            "{status}"
        );
    }
    assert_eq!(
        at(14)["state_details"]["since"],
        (now + 13 * DAY).to_string(),
        "nothing outlives the licence"
    );
    assert_eq!(at(14)["state_details"]["then"], "renewals_only");

    // The next file is a way out, also where the clock shows too little for it.
    let late = now + 20 * DAY;
    let file = desk.machine_file().serial(2).issued(late).expires(late + 30 * DAY);
    desk.install_machine_file(file);
    let status = desk.json(&["status"]);
    assert_eq!(status["state"], "valid", "{status}");
    assert!(status["warnings"].to_string().contains("has been seen before"), "{status}");
}

fn the_newest_document_counts_whichever_its_kind(engine: Engine) {
    let desk = Desk::new(engine);
    desk.install(&desk.vendor.license().serial(1).plan(Plan::Pro).mint());
    desk.install_machine_file(desk.machine_file().serial(2).plan(Plan::Enterprise));
    let in_effect = || {
        let license = desk.json(&["status"])["license"].take();
        (license["form"].as_str().unwrap().to_owned(), license["plan"].as_str().unwrap().to_owned())
    };
    assert_eq!(in_effect(), ("machine_file".to_owned(), "enterprise".to_owned()));
    desk.refuses_to_install([(desk.vendor.license().serial(1).mint(), "a newer licence document")]);
    desk.install(&desk.vendor.license().serial(3).plan(Plan::Pro).mint());
    assert_eq!(in_effect(), ("lic".to_owned(), "pro".to_owned()));

    // One that begins later waits for its day.
    let ahead = desk.machine_file().serial(4).not_before(now() + 5 * DAY);
    let installed = desk.install_machine_file(ahead);
    assert!(installed.stdout.contains("the licence before it counts until then"), "{installed}");
    assert_eq!(in_effect().0, "lic");
    let clock = MovableClock::new();
    clock.advance(6 * DAY);
    let status = json(&desk.installation.run_at(&clock, &["license", "status", "--json"]).succeeded());
    assert_eq!(status["license"]["form"], "machine_file", "{status}");
}

fn a_machine_file_is_revoked_by_id_and_by_serial(engine: Engine) {
    let desk = Desk::new(engine);
    desk.install_machine_file(desk.machine_file().id("lic-a").serial(1));
    desk.install(&desk.vendor.revoke(1).license("lic-a").mint());
    assert_eq!(desk.state(), "revoked");
    desk.install_machine_file(desk.machine_file().id("lic-b").serial(2));
    assert_eq!(desk.state(), "valid");
    desk.install(&desk.vendor.revoke(2).license("lic-a").serial(2).mint());
    assert_eq!(desk.state(), "revoked");
    assert!(desk.installation.serve_refused(None).exited_with(3).stderr.contains("LICENSE REVOKED"));
}

#[test]
fn what_does_not_fit_is_installed_by_force() {
    let desk = Desk::new(Engine::Sqlite);
    let file = desk.machine_file().entitlements(|allowed| allowed.max_authorities = Limit::Forbidden).mint();
    assert_refused(&desk.with_key(&["install"], &file), "(max_cas_exceeded)");
    let explained = json(&desk.with_key(&["explain", "--json"], &file).succeeded());
    assert_eq!(
        (&explained["boot"]["outcome"], &explained["needs_force"][0]),
        (&"degraded".into(), &"max_cas_exceeded".into())
    );
    assert_eq!(desk.state(), "no_license", "explaining installs nothing");
    desk.with_key(&["install", "--force"], &file).succeeded();
    assert_eq!(desk.json(&["status"])["boot"]["outcome"], "degraded");
}

#[test]
fn without_its_key_in_the_store_a_machine_file_counts_no_more() {
    let desk = Desk::new(Engine::Sqlite);
    desk.install_machine_file(desk.machine_file());
    for key in ["NULL", "'CRT-nonsense'", "'CRT-000000-000000-000000-000000-000000'"] {
        desk.installation.sql(&format!("UPDATE license_documents SET license_key = {key}"));
        let status = desk.json(&["status"]);
        assert_eq!(status["state"], "invalid", "{key}: {status}");
    }
    desk.license(&["uninstall", "--confirm"]).succeeded();
    desk.install_machine_file(desk.machine_file());
    assert_eq!(desk.state(), "valid");
}

#[test]
fn inspecting_says_what_can_be_said() {
    let desk = Desk::new(Engine::Sqlite);
    let machine = InstallationKey::from_random(&[5; 29]);
    let file = desk
        .file(desk.vendor.machine_file(machine.as_str()).serial(9).license_expires(now() + 33 * DAY).mint());
    let key = desk.key_file();
    let inspect =
        |options: &[&str]| run_program(CHANCERY, &[&["license", "inspect", &file], options].concat());
    let opened = ["--fingerprint", machine.as_str(), "--license-key-file", &key];
    let [sealed, shown] = [&[][..], &opened].map(|options| inspect(options).succeeded().stdout);
    without_incidentals(|| {
        insta::assert_snapshot!("inspected_machine_file_sealed", sealed);
        insta::assert_snapshot!("inspected_machine_file", shown);
    });
    assert!(!shown.contains("CRT-"), "{shown}");
    let sealed = json(&inspect(&["--json"]).succeeded());
    assert_eq!((&sealed["type"], &sealed["content"]), (&"machine_file".into(), &serde_json::Value::Null));
    let shown = json(&inspect(&[&opened[..], &["--json"]].concat()).succeeded());
    assert_eq!(shown["content"]["machine"]["fingerprint"], machine.as_str());
    assert_eq!(shown["content"]["license"]["serial"], 9, "{shown}");
    assert!(!shown.to_string().contains("CRT-"), "{shown}");

    assert_refused(&inspect(&["--license-key-file", &key]), "give --fingerprint INST-… too");
    assert_refused(&inspect(&["--fingerprint", machine.as_str()]), "give --license-key-file FILE");
    let another = InstallationKey::from_random(&[6; 29]);
    let foreign = inspect(&["--fingerprint", another.as_str(), "--license-key-file", &key]);
    assert_refused(&foreign, "made for another machine or another licence");
    assert!(!foreign.stderr.contains("of this installation"), "{foreign}");

    desk.file(Vendor::stranger().machine_file(machine.as_str()).mint());
    assert_refused(&inspect(&[]), "which is not known here");
    desk.file(desk.vendor.machine_file(machine.as_str()).without_block().mint());
    let unlicensing = inspect(&opened).succeeded();
    assert!(unlicensing.stdout.contains("nothing: it licenses no installation"), "{unlicensing}");
}
