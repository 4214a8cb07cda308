//! Asking a licence portal, as an operator by commands and as the running server.

mod answers;
mod polling;
mod proxies;

use chancery_license::exchange::Verdict;
use chancery_license::{LicenseKey, Limit, Plan};
use chancery_testkit::{Engine, Finished, Installation, Vendor};
use serde_json::{Value, json};

use crate::portal_site::{PortalSite, error, signed, vendor};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    registers_and_keeps_its_name,
    a_refused_registration_leaves_everything_as_it_was,
    refreshes,
    nobody_is_asked_who_is_not_named,
);

/// The licence key of these tests.
fn key() -> String {
    LicenseKey::from_random(&[3; 29]).reveal().to_owned()
}

fn register(installation: &Installation, more: &[&str]) -> Finished {
    let key = key();
    installation.run(&[&["license", "register", "--env", "dev", &key], more].concat())
}

pub(super) fn status(installation: &Installation) -> Value {
    let status = installation.run(&["license", "status", "--json"]).succeeded();
    serde_json::from_str(&status.stdout).unwrap()
}

/// What the audit log was told of a kind of event; the server takes it up when it starts.
fn told(installation: &Installation, event: &str) -> Vec<Value> {
    let query = installation.run(&["audit", "query", "--json", "--event", event]).succeeded();
    query.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn registers_and_keeps_its_name(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let portal = PortalSite::start();
    portal.introduce(&installation);
    let expires = "2040-01-01T00:00:00Z".parse().unwrap();
    let license = Vendor::new().license().plan(Plan::Pro).expires(expires).mint();
    portal.answer(Verdict::Licensed, &[license]);

    let registered = register(&installation, &["--name", "box 7"]).succeeded();
    assert!(
        registered.stdout.starts_with("License registered — plan=pro expires=2040-01-01T00:00:00Z\n"),
        "{registered}"
    );
    let asked = &portal.asked()[0];
    let installation_key = installation.installation_key();
    assert_eq!(asked.line, format!("POST /api/v1/installations/{installation_key}/sync HTTP/1.1"));
    assert_eq!(asked.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["request"]);
    let mut fields: Vec<&str> = asked.fields.iter().map(|(name, _)| name.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["accept", "content-length", "content-type", "host", "user-agent"]);
    let agent = format!("chancery/{}", env!("CARGO_PKG_VERSION"));
    assert!(asked.fields.contains(&("user-agent".to_owned(), agent)));
    assert!(asked.fields.contains(&("content-type".to_owned(), "application/json".to_owned())));
    let request = &asked.request.body;
    assert_eq!(request.license_key.as_ref().unwrap().reveal(), key());
    assert_eq!(
        (request.machine_name.as_deref(), request.counter, request.held.serial),
        (Some("box 7"), 1, 0)
    );

    let status = status(&installation);
    assert_eq!(
        (&status["state"], &status["verdict"], &status["machine_name"], &status["cold_start"]),
        (&json!("valid"), &json!("licensed"), &json!("box 7"), &Value::Null)
    );
    assert!(status["last_contact"].is_string() && status["next_call_home"].is_string(), "{status}");
    assert_eq!(status["portal"], portal.url());

    // The name goes with every question from then on, the licence key with none; the same licence is no news.
    let refreshed = installation.run(&["license", "refresh"]).succeeded();
    assert_eq!(refreshed.stdout, "The portal answered: this installation is licensed.\nNothing is new.\n");
    let request = &portal.asked()[1].request.body;
    assert_eq!(
        (request.machine_name.as_deref(), &request.license_key, request.counter, request.held.serial),
        (Some("box 7"), &None, 2, 1)
    );
    assert_ne!(request.nonce, portal.asked()[0].request.body.nonce);
    assert_eq!(request.public_key, portal.asked()[0].request.body.public_key);

    // Registering again is harmless.
    let again = register(&installation, &["--json"]).succeeded();
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!((&again["registered"]["plan"], &again["verdict"]), (&json!("pro"), &json!("licensed")));

    let mut server = installation.serve();
    server.terminate();
    assert_eq!(told(&installation, "license.register").len(), 2);
    assert!(!server.log().contains(&key()[4..]));
    let history = installation.run(&["license", "history"]).succeeded();
    assert!(history.stdout.contains("license.register") && !history.stdout.contains("CRT-"), "{history}");
}

fn a_refused_registration_leaves_everything_as_it_was(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let portal = PortalSite::start();
    portal.introduce(&installation);
    let before = status(&installation);

    for (status, code, expected) in [
        (404, "license_not_found", "it knows no such licence key"),
        (422, "expired", "the licence has expired"),
        (422, "revoked", "the licence was revoked"),
        (422, "suspended", "the licence is suspended"),
        (422, "seat_limit_exceeded", "every seat of the licence is taken"),
        (422, "product_mismatch", "the licence is for another product"),
        (403, "forbidden", "another key pair"),
        (429, "rate_limited", "asked too often"),
        (418, "unheard_of", "status 418 (unheard_of)"),
        (503, "Licence CRT-7", "status 503"),
    ] {
        portal.answer_as(move |_| error(status, code));
        let refused = register(&installation, &["--name", "box"]).exited_with(1);
        assert!(refused.stderr.contains(expected), "{code}: {refused}");
        assert!(refused.stdout.is_empty(), "{refused}");
        assert!(!refused.stderr.contains("CRT-"), "{refused}");
    }
    portal.answer(Verdict::Suspended, &[]);
    let refused = register(&installation, &[]).exited_with(1);
    assert!(refused.stderr.contains("the portal says that it is suspended"), "{refused}");
    let asked = portal.asked().len();

    // Nothing is asked with a key that was mistyped, or for another environment.
    let mistyped = key().replace("CRT-3", "CRT-4");
    let refused = installation.run(&["license", "register", "--env", "dev", &mistyped]).exited_with(1);
    assert!(refused.stderr.contains("check digit") && !refused.stderr.contains(&mistyped[4..]), "{refused}");
    let refused = installation.run(&["license", "register", "--env", "prod", &key()]).exited_with(1);
    assert!(refused.stderr.contains("--env is prod, and this installation is for dev"), "{refused}");
    assert_eq!(portal.asked().len(), asked);

    let after = status(&installation);
    for member in ["state", "license", "cold_start", "watermark", "machine_name", "last_failure"] {
        if member != "watermark" {
            assert_eq!(after[member], before[member], "{member}");
        }
    }
    let mut server = installation.serve();
    server.terminate();
    let told = told(&installation, "license.register_rejected");
    assert_eq!(told.len(), 12);
    assert!(told.iter().any(|event| event["details"]["error"] == "license_not_found"), "{told:?}");
    assert!(told.iter().all(|event| event["decision"] == "deny" && !event.to_string().contains("CRT-")));
}

fn refreshes(engine: Engine) {
    let vendor_of = Vendor::new();
    let installation = Installation::without_window(CHANCERY, engine);
    let portal = PortalSite::start();
    portal.introduce(&installation);
    let license = |serial, plan| vendor_of.license().plan(plan).serial(serial);

    portal.answer(Verdict::Unlinked, &[]);
    let refreshed = installation.run(&["license", "refresh"]).succeeded();
    assert!(refreshed.stdout.contains("this installation is unlinked.\nNothing is new."), "{refreshed}");
    assert_eq!(status(&installation)["state"], "no_license");

    portal.answer(Verdict::Licensed, &[license(1, Plan::Pro).mint(), vendor_of.revoke(1).serial(90).mint()]);
    let refreshed = installation.run(&["license", "refresh"]).succeeded();
    assert!(
        refreshed.stdout.contains("Revocation list installed — sequence=1\nLicense installed — plan=pro"),
        "{refreshed}"
    );
    let held = |portal: &PortalSite| portal.asked().last().unwrap().request.body.held;
    installation.run(&["license", "refresh"]).succeeded();
    assert_eq!((held(&portal).serial, held(&portal).revocations, held(&portal).keys), (1, 1, 0));

    // One that does not fit is not taken, with the reason; it is told to the audit log once.
    let too_small = license(2, Plan::Enterprise);
    let too_small = too_small.entitlements(|allowed| allowed.max_authorities = Limit::Forbidden).mint();
    portal.answer_as(move |request| {
        signed(&vendor(), request, |response| {
            response.body.documents = vec![too_small.clone()];
            response.body.warnings = vec!["two machines use this installation key".to_owned()];
        })
    });
    for _ in 0..2 {
        let rejected = installation.run(&["license", "refresh"]).exited_with(1);
        assert!(rejected.stderr.contains("Not taken (license): it does not fit"), "{rejected}");
        assert!(rejected.stderr.contains("max_cas_exceeded"), "{rejected}");
        assert!(rejected.stderr.contains("The portal says: two machines use"), "{rejected}");
    }
    let shown = status(&installation);
    assert_eq!((&shown["license"]["serial"], &shown["license"]["plan"]), (&json!(1), &json!("pro")));
    assert_eq!(shown["rejected"][0]["kind"], "license");
    let warnings = shown["warnings"].to_string();
    assert!(warnings.contains("is not taken") && warnings.contains("two machines use"), "{warnings}");

    // What is not offered any more is forgotten.
    portal.answer(Verdict::Licensed, &[license(3, Plan::Starter).mint()]);
    let refreshed = installation.run(&["license", "refresh", "--json"]);
    if engine == Engine::Sqlite {
        let refreshed: Value = serde_json::from_str(&refreshed.succeeded().stdout).unwrap();
        assert_eq!(refreshed["installed"][0]["license"]["plan"], "starter");
        assert_eq!(status(&installation)["rejected"], json!([]));
    } else {
        assert!(refreshed.exited_with(1).stderr.contains("db_not_allowed"));
    }
    let mut server = installation.serve();
    server.terminate();
    let events = told(&installation, "license.refresh_rejected");
    let expected = if engine == Engine::Sqlite { 1 } else { 2 };
    assert_eq!(events.len(), expected, "{events:?}");
    assert_eq!(events[0]["details"]["reasons"], json!(["max_cas_exceeded"]));
}

fn nobody_is_asked_who_is_not_named(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let portal = PortalSite::start();
    for (license, expected) in [
        (json!({}), "no portal is configured"),
        (json!({ "offline": true }), "license.offline is set"),
        (json!({ "offline": true, "portal": { "url": portal.url() } }), "license.offline is set"),
    ] {
        installation.configure(|config| config["license"] = license);
        for refused in [register(&installation, &[]), installation.run(&["license", "refresh"])] {
            let refused = refused.exited_with(1);
            assert!(refused.stderr.contains(expected), "{refused}");
            assert!(refused.stderr.contains("chancery license install FILE"), "{refused}");
        }
        let outbound = installation.run(&["outbound"]).succeeded();
        assert!(outbound.stdout.starts_with("Licensing: nobody is contacted"), "{outbound}");
        installation.run(&["validate"]).succeeded();
    }
    let shown = status(&installation);
    assert_eq!((&shown["portal"], &shown["offline"]), (&Value::Null, &json!(true)));
    let mut server = installation.serve();
    server.terminate();
    assert_eq!(told(&installation, "license.register_rejected").len(), 3);
    assert_eq!(told(&installation, "license.refresh_rejected").len(), 3);
    assert!(portal.asked().is_empty());

    portal.introduce(&installation);
    let outbound = installation.run(&["outbound", "--json"]).succeeded();
    let outbound: Value = serde_json::from_str(&outbound.stdout).unwrap();
    let found = outbound["destinations"].as_array().unwrap().iter();
    let found: Vec<&Value> = found.filter(|found| found["kind"] == "licence_portal").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["to"], format!("localhost:{}", portal.address().port()));
}
