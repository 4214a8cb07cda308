//! `chancery license register` against a portal.

use chancery_testkit::Engine;
use serde_json::json;

use super::HOUR;
use super::stage::Stage;
use crate::portal::on_both_engines;

on_both_engines!(a_server_is_registered, a_registration_that_is_refused_changes_nothing);

fn a_server_is_registered(engine: Engine) {
    let stage = Stage::set(engine);
    let license = stage.sell("pro", &["--seat-limit", "1"]);
    stage.server.open_window("enterprise");
    let portal = stage.open_portal();

    let registered = stage.register(&license.key, &["--name", "box 7"]).succeeded();
    let shown = stage.status();
    let expires = shown["license"]["expires"].as_str().unwrap();
    let first = format!("License registered — plan=pro expires={expires}\n");
    assert!(registered.stdout.starts_with(&first), "{registered}");
    assert_eq!(
        (&shown["state"], &shown["verdict"], &shown["cold_start"], &shown["license"]["plan"]),
        (&json!("valid"), &json!("licensed"), &json!(null), &json!("pro"))
    );
    assert_eq!(shown["license"]["signed_by"], stage.kid);
    assert_eq!(stage.seats(&license), 1);
    let seen = stage.seen_by_vendor();
    assert_eq!((&seen["name"], &seen["license_id"]), (&json!("box 7"), &json!(license.id)));

    // A second time is harmless, and takes no second seat.
    stage.register(&license.key, &[]).succeeded();
    assert_eq!(stage.seats(&license), 1);
    let server = stage.serve();
    stage.close([portal, server]);
}

fn a_registration_that_is_refused_changes_nothing(engine: Engine) {
    let stage = Stage::set(engine);
    let sold = |options: &[&str]| stage.sell("pro", options);
    let (revoked, suspended, taken) = (sold(&[]), sold(&[]), sold(&["--seat-limit", "1"]));
    let soon = (stage.clock.now() + HOUR).whole_seconds().to_string();
    let (expired, elsewhere) = (sold(&["--expires", &soon]), stage.sell_for("staging", "pro", &[]));
    let unsold = stage.sell("pro", &[]);
    stage.vendor(&["license", "revoke", &revoked.id]);
    stage.vendor(&["license", "suspend", &suspended.id]);
    let somebody = "INST-05AFMS-Y38DJQ-W16BGN-TZ49EK-RX27CH";
    stage.vendor(&["installation", "link", somebody, "--license", &taken.id]);
    stage.server.open_window("enterprise");
    stage.clock.advance(2 * HOUR);
    let before = stage.status();
    let portal = stage.open_portal();

    let unknown = another_key(&unsold.key);
    for (key, expected) in [
        (&unknown, "it knows no such licence key"),
        (&revoked.key, "the licence was revoked"),
        (&suspended.key, "the licence is suspended"),
        (&expired.key, "the licence has expired"),
        (&taken.key, "every seat of the licence is taken"),
        // It is a key of the environment staging, and the server asks for dev.
        (&elsewhere.key, "it knows no such licence key"),
    ] {
        let refused = stage.register(key, &["--name", "box"]).exited_with(1);
        assert!(refused.stderr.contains(expected), "{expected}: {refused}");
        assert_eq!(refused.stdout, "", "{refused}");
    }
    assert_eq!(stage.seats(&taken), 1);
    assert_eq!(stage.seats(&unsold), 0);

    // Nothing is sent with a key that was mistyped, or for another environment.
    let asked = portal.log().matches("/sync").count();
    let last = if unsold.key.ends_with('0') { "1" } else { "0" };
    let mistyped = format!("{}{last}", &unsold.key[..unsold.key.len() - 1]);
    let refused = stage.register(&mistyped, &[]).exited_with(1);
    assert!(refused.stderr.contains("check digit"), "{refused}");
    let refused = stage.customer(&["license", "register", "--env", "staging", &unsold.key]).exited_with(1);
    assert!(refused.stderr.contains("--env is staging, and this installation is for dev"), "{refused}");
    assert_eq!(portal.log().matches("/sync").count(), asked);

    let after = stage.status();
    for member in
        ["state", "license", "waiting", "cold_start", "machine_name", "verdict", "last_failure", "rejected"]
    {
        assert_eq!(after[member], before[member], "{member}");
    }
    let server = stage.serve();
    stage.close([portal, server]);
    assert_eq!(stage.audited("license.register_rejected").len(), 7);
}

/// A licence key that is well formed, and that nobody was given.
fn another_key(like: &str) -> String {
    let random = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let key = chancery_license::LicenseKey::from_random(&random);
    assert_ne!(key.reveal(), like);
    key.reveal().to_owned()
}
