use std::os::unix::fs::PermissionsExt;

use chancery_license::state::AfterGrace;
use chancery_license::{Database, Environment, Feature, License, Limit, Plan, Set, Verified, open};
use chancery_time::Timestamp;

use crate::desk::Desk;

/// What every licence needs besides its term.
const MINT: &str = "license mint lic --key @root.key --env prod --plan pro --serial 41 --id acme-1 \
                    --organisation Acme_Ltd --email ops@acme.example -o @acme.lic";

fn opened(desk: &Desk) -> Verified<License> {
    open(&desk.read("acme.lic"), &desk.keyring(&["root.key"])).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_licence_opens_under_the_exported_anchor_with_the_defaults_of_its_plan() {
    let desk = Desk::with_keys();
    let told = desk.run(&format!("{MINT} --days 365")).succeeded();
    let verified = opened(&desk);
    let document = verified.document();
    assert_eq!((document.product.as_str(), document.environment), ("chancery", Environment::Prod));

    let license = verified.body();
    assert_eq!((license.id.as_str(), license.serial, license.plan), ("acme-1", 41, Plan::Pro));
    assert_eq!(
        (license.holder.organisation.as_str(), license.holder.email.as_str()),
        ("Acme Ltd", "ops@acme.example")
    );
    assert_eq!(
        (license.not_before, license.expires.since(license.not_before).as_secs()),
        (document.issued, 365 * 86_400)
    );
    assert_eq!(license.entitlements, Plan::Pro.entitlements());
    assert_eq!(
        (license.grace_days, license.after_grace, license.clock_tolerance_hours),
        (7, AfterGrace::RenewalsOnly, 24)
    );
    assert_eq!(
        (&license.installation_key, license.newest_build, license.minimum_version),
        (&None, None, None)
    );

    // The new licence key is told, for it is told nowhere else; the file is nobody else's to read.
    assert!(told.stdout.contains(license.license_key.reveal()), "{told}");
    assert!(told.stdout.contains(&format!("plan=pro expires={}", license.expires)), "{told}");
    let mode = std::fs::metadata(desk.path("acme.lic")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let key = desk.read("root.key");
    assert!(!told.stdout.contains(key.lines().nth(1).unwrap()), "{told}");
}

#[test]
fn a_licence_says_what_was_asked_for() {
    let desk = Desk::with_keys();
    let license_key = "CRT-05AFMS-Y38DJQ-W16BGN-TZ49EK-RX27CH";
    let installation = "INST-05AFMS-Y38DJQ-W16BGN-TZ49EK-RX27CH";
    let told = desk.json(&format!(
        "{MINT} --license-key {license_key} --installation {installation} --not-before 2026-03-01T00:00:00Z \
         --expires 2027-03-01T01:00:00+01:00 --grace-days 0 --after-grace block --clock-tolerance-hours 48 \
         --allow-database postgres --max-authorities 9 --max-managed-servers forbidden --max-certificates 500 \
         --max-users unlimited --max-profiles 9007199254740991 --features none \
         --newest-build 2027-06-01T00:00:00Z --minimum-version 1.4.0"
    ));
    let verified = opened(&desk);
    let license = verified.body();
    assert_eq!(license.license_key.reveal(), license_key);
    assert_eq!(license.installation_key.as_ref().map(|key| key.as_str()), Some(installation));
    assert_eq!(
        (license.not_before, license.expires),
        (at("2026-03-01T00:00:00Z"), at("2027-03-01T00:00:00Z"))
    );
    assert_eq!(
        (license.grace_days, license.after_grace, license.clock_tolerance_hours),
        (0, AfterGrace::Block, 48)
    );
    assert_eq!(license.newest_build, Some(at("2027-06-01T00:00:00Z")));
    assert_eq!(license.minimum_version, Some("1.4.0".parse().unwrap()));
    let entitlements = license.entitlements;
    assert_eq!(entitlements.allowed_databases, Set::from([Database::Postgres]));
    assert_eq!(entitlements.features, Set::<Feature>::EMPTY);
    assert_eq!(
        [entitlements.max_authorities, entitlements.max_managed_servers, entitlements.max_certificates],
        [Limit::AtMost(9), Limit::Forbidden, Limit::AtMost(500)]
    );
    assert_eq!(
        [entitlements.max_users, entitlements.max_profiles],
        [Limit::Unlimited, Limit::AtMost(Limit::MAX)]
    );

    assert_eq!(told["expires"], "2027-03-01T00:00:00Z");
    assert_eq!(told["serial"], 41);
    assert_eq!(told["signed_by"], desk.public_key("root.key").id().to_string());
    // A key that was given is known already.
    assert!(told["license_key"].is_null() && !told.to_string().contains(license_key), "{told}");
}

#[test]
fn another_product_and_environment_are_what_was_asked_for() {
    let desk = Desk::with_keys();
    desk.run(&format!("{} --days 1 --product other", MINT.replace("prod ", "dev "))).succeeded();
    let refused = open::<License>(&desk.read("acme.lic"), &desk.keyring(&["root.key"])).unwrap_err();
    assert_eq!(refused.class(), "wrong_environment");
}

#[test]
fn what_no_program_would_take_is_not_minted() {
    let desk = Desk::with_keys();
    let mint = format!("{MINT} --days 365");
    let other = |from: &str, to: &str| mint.replace(from, to);
    for (words, code, named) in [
        (other("@root.key", "@jwt.key"), 1, &["--key", "RSA key", "--type ed25519"][..]),
        (other("--serial 41", "--serial 0"), 1, &["--serial 0"]),
        (other("--serial 41", "--serial 9007199254740992"), 1, &["serial is a number"]),
        (other("--id acme-1", "--id acme/1"), 1, &["the id of a licence is 1 to 64"]),
        (other("ops@acme.example", "nobody"), 1, &["email is an address"]),
        (other("--days 365", "--days 0"), 1, &["--days"]),
        (other("--days 365", ""), 2, &["--expires", "--days"]),
        (format!("{mint} --expires 2030-01-01T00:00:00Z"), 2, &["--expires", "--days"]),
        (
            other("--days 365", "--not-before 2026-03-01T00:00:00Z --expires 2026-02-01T00:00:00Z"),
            1,
            &["would end at 2026-02-01T00:00:00Z", "begins only at 2026-03-01T00:00:00Z", "--expires"],
        ),
        (other("--days 365", "--expires soon"), 2, &["--expires", "RFC 3339"]),
        (format!("{mint} --grace-days 367"), 1, &["grace_days is 0 to 366"]),
        (format!("{mint} --max-users 0"), 2, &["--max-users", "`forbidden`"]),
        (format!("{mint} --max-certificates many"), 2, &["--max-certificates", "`unlimited`"]),
        (format!("{mint} --features acme,sso"), 2, &["--features", "`sso` is no feature", "acme,api,ha"]),
        (format!("{mint} --allow-database sqlite,sqlite"), 2, &["--allow-database", "twice"]),
        (format!("{mint} --after-grace nothing"), 2, &["--after-grace", "renewals-only, block"]),
        (format!("{mint} --product Chancery"), 1, &["product is 1 to 64"]),
        (format!("{mint} --minimum-version 1.4"), 2, &["--minimum-version"]),
        (
            format!("{mint} --installation CRT-05AFMS-Y38DJQ-W16BGN-TZ49EK-RX27CH"),
            2,
            &["--installation", "INST-"],
        ),
    ] {
        desk.refuses(&words, code, named);
    }

    // A licence key is a secret: one with a mistyped character is not repeated.
    let finished =
        desk.run(&format!("{mint} --license-key CRT-05AFMS-Y38DJQ-W16BGN-TZ49EK-RX27CX")).exited_with(1);
    assert!(
        finished.stderr.contains("--license-key") && finished.stderr.contains("check digit"),
        "{finished}"
    );
    assert!(!finished.stderr.contains("Y38DJQ"), "{finished}");

    desk.run(&mint).succeeded();
    desk.refuses(&mint, 1, &["acme.lic exists already"]);
}
