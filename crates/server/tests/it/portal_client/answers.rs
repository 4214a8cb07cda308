//! Answers that do not count: each changes nothing, and says why.

use std::sync::{Arc, Mutex};

use chancery_license::exchange::{Request, Verdict};
use chancery_license::key::RANDOM_BYTES;
use chancery_license::manifest::{IssuingKey, Use};
use chancery_license::{Document, Environment, InstallationKey, KeyManifest, Plan, SigningKey, seal};
use chancery_testkit::{Engine, Installation, Vendor};
use chancery_time::{Clock, SystemClock};
use serde_json::json;

use super::status;
use crate::portal_site::{PortalSite, Reply, body, error, response, signed, vendor};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(answers_that_do_not_count, a_signing_key_is_rotated, a_misdated_licence_is_mended);

/// Which answer does not count, how it is made, and what is said of it.
type Case = (&'static str, Box<dyn Fn(&Document<Request>) -> Reply + Send>, &'static str);

fn answers_that_do_not_count(engine: Engine) {
    let vendor_of = Vendor::new();
    let installation = Installation::without_window(CHANCERY, engine);
    let portal = PortalSite::start();
    portal.introduce(&installation);
    let license = |serial| vendor_of.license().plan(Plan::Pro).serial(serial).mint();

    // The first answer is kept, to be given again.
    let kept: Arc<Mutex<Option<String>>> = Arc::default();
    let (first, keeper) = (license(1), Arc::clone(&kept));
    portal.answer_as(move |request| {
        let answer = response(request, |response| response.body.documents = vec![first.clone()]);
        let sealed = seal(&answer, &[&vendor()]).unwrap();
        *keeper.lock().unwrap() = Some(sealed.clone());
        Reply::Plain(200, "", body(&sealed))
    });
    installation.run(&["license", "refresh"]).succeeded();
    let replayed = kept.lock().unwrap().clone().unwrap();
    let newer = license(2);
    let stranger = SigningKey::from_ed25519_seed(&[77; 32]).unwrap();
    let foreign = InstallationKey::from_random(&[9; RANDOM_BYTES]);

    let with = |change: fn(&mut Document<chancery_license::exchange::Response>)| {
        let newer = newer.clone();
        let manner = move |request: &Document<Request>| {
            signed(&vendor(), request, |response| {
                response.body.documents = vec![newer.clone()];
                change(response);
            })
        };
        Box::new(manner)
    };
    let of_stranger = {
        let newer = newer.clone();
        move |request: &Document<Request>| {
            signed(&stranger, request, |response| response.body.documents = vec![newer.clone()])
        }
    };
    let of_other = {
        let newer = newer.clone();
        move |request: &Document<Request>| {
            signed(&vendor(), request, |response| {
                response.body.documents = vec![newer.clone()];
                response.body.installation_key = foreign.clone();
            })
        }
    };
    let altered = replayed.replacen('A', "B", 1);
    let location = "Location: https://localhost/elsewhere\r\n";
    let cases: Vec<Case> = vec![
        ("a stranger's signature", Box::new(of_stranger), "the answer of the portal does not count"),
        ("a replay", Box::new(move |_| Reply::Plain(200, "", body(&replayed))), "answers another request"),
        ("another installation's", Box::new(of_other), "is for the installation INST-"),
        ("another number", with(|response| response.body.counter += 1), "answers exchange"),
        ("another environment", with(|response| response.environment = Environment::Prod), "does not count"),
        ("an altered one", Box::new(move |_| Reply::Plain(200, "", body(&altered))), "does not count"),
        ("too many bytes", Box::new(|_| Reply::Endless), "more than 11534336 bytes"),
        (
            "a redirect",
            Box::new(move |_| Reply::Plain(307, location, String::new())),
            "status 307, which leads elsewhere",
        ),
        ("a fault", Box::new(|_| error(500, "internal")), "status 500 (internal)"),
        ("no JSON", Box::new(|_| Reply::Plain(200, "", "<html>".to_owned())), "something that is no answer"),
        (
            "another object",
            Box::new(|_| Reply::Plain(200, "", json!({"object": "a", "response": "b"}).to_string())),
            "something that is no answer",
        ),
        ("no armour", Box::new(|_| Reply::Plain(200, "", body("hello"))), "does not count"),
        ("silence", Box::new(|_| Reply::Nothing), "could not be reached"),
    ];
    let before = status(&installation);
    let mut asked = portal.asked().len();
    for (what, manner, expected) in cases {
        portal.answer_as(manner);
        let refused = installation.run(&["license", "refresh"]).exited_with(1);
        assert!(refused.stderr.contains(expected), "{what}: {refused}");
        assert!(refused.stdout.is_empty(), "{what}: {refused}");
        let after = status(&installation);
        for member in ["state", "license", "last_contact", "verdict", "key_manifest", "revocation_list"] {
            assert_eq!(after[member], before[member], "{what}: {member}");
        }
        assert_eq!(after["failing"], true, "{what}");
        assert!(after["last_failure"]["reason"].as_str().unwrap().contains(expected), "{what}");
        let warnings = after["warnings"].to_string();
        assert!(warnings.contains("the licence portal could not be reached"), "{what}: {warnings}");
        // No redirect was followed, and nothing was tried again.
        asked += 1;
        assert_eq!(portal.asked().len(), asked, "{what}");
    }
    portal.answer(Verdict::Licensed, &[newer]);
    installation.run(&["license", "refresh"]).succeeded();
    let after = status(&installation);
    assert_eq!((&after["license"]["serial"], &after["failing"]), (&json!(2), &json!(false)));

    // A portal that nobody vouches for, and none at all.
    let closed = chancery_testkit::free_port();
    for (url, expected) in [
        (portal.url(), "the portal could not be reached"),
        (format!("https://localhost:{closed}"), "the portal could not be reached"),
        ("https://portal.invalid".to_owned(), "the portal could not be reached"),
    ] {
        let ca_file = installation.root().display().to_string();
        installation
            .configure(|config| config["license"] = json!({"portal": {"url": url, "ca_file": ca_file}}));
        let refused = installation.run(&["license", "refresh"]).exited_with(1);
        assert!(refused.stderr.contains(expected), "{refused}");
    }
}

/// The vendor signs with a key that the installation does not know yet, and sends the manifest that lists it.
fn a_signing_key_is_rotated(engine: Engine) {
    let installation = Installation::without_window(CHANCERY, engine);
    let portal = PortalSite::start();
    portal.introduce(&installation);
    let now = SystemClock.now().whole_seconds();
    let manifest = |sequence, seed| {
        let key = SigningKey::from_ed25519_seed(&[seed; 32]).unwrap();
        let listed = IssuingKey {
            key: key.public().clone(),
            not_before: now,
            not_after: "2040-01-01T00:00:00Z".parse().unwrap(),
            uses: vec![Use::License],
        };
        let body = KeyManifest { sequence, next_root: None, keys: vec![listed] };
        let document =
            Document { product: "chancery".to_owned(), environment: Environment::Dev, issued: now, body };
        seal(&document, &[&vendor()]).unwrap()
    };
    for (sequence, seed) in [(1, 21_u8), (2, 22)] {
        let keys = manifest(sequence, seed);
        let license = Vendor::new().license().plan(Plan::Pro).serial(sequence).mint();
        portal.answer_as(move |request| {
            let answer = response(request, |response| response.body.documents = vec![license.clone()]);
            let sealed = seal(&answer, &[&SigningKey::from_ed25519_seed(&[seed; 32]).unwrap()]).unwrap();
            let body = json!({ "object": "installation_sync", "response": sealed, "keys": [keys] });
            Reply::Plain(200, "", body.to_string())
        });
        let refreshed = installation.run(&["license", "refresh"]).succeeded();
        assert!(
            refreshed.stdout.contains(&format!("Key manifest installed — sequence={sequence}")),
            "{refreshed}"
        );
        let shown = status(&installation);
        assert_eq!(
            (&shown["key_manifest"], &shown["license"]["serial"]),
            (&json!(sequence), &json!(sequence))
        );
    }
    // The key that was replaced signs nothing any more.
    portal.answer_as(move |request| {
        signed(&SigningKey::from_ed25519_seed(&[21; 32]).unwrap(), request, |_| {})
    });
    let refused = installation.run(&["license", "refresh"]).exited_with(1);
    assert!(refused.stderr.contains("does not count"), "{refused}");
}

/// The clock of the vendor was two years ahead when it signed a licence; a fresh answer sets the time right, in
/// the running server too, where the time that it remembers would undo it.
fn a_misdated_licence_is_mended(engine: Engine) {
    let vendor_of = Vendor::new();
    let installation = Installation::without_window(CHANCERY, engine);
    let portal = PortalSite::start();
    portal.introduce(&installation);
    let ahead = SystemClock.now().whole_seconds() + std::time::Duration::from_secs(700 * 86_400);
    let end = "2040-01-01T00:00:00Z".parse().unwrap();
    let misdated = vendor_of.license().issued(ahead).not_before(ahead).expires(end).mint();
    portal.answer(Verdict::Licensed, &[misdated]);
    installation.run(&["license", "refresh"]).succeeded();
    let year = |shown: &serde_json::Value| shown["watermark"].as_str().unwrap()[..4].parse::<i32>().unwrap();
    let shown = status(&installation);
    assert!(shown["warnings"].to_string().contains("has been seen before"), "{shown}");

    let mut server = installation.serve();
    server.log_until("has been seen before");
    let right = vendor_of.license().serial(2).expires(end).mint();
    portal.answer(Verdict::Licensed, &[right]);
    installation.run(&["license", "refresh"]).succeeded();
    server.log_until("the licence was read again");
    // The server stores how far the time has come when it ends.
    server.terminate();
    let shown = status(&installation);
    assert_eq!(shown["license"]["serial"], 2);
    assert!(!shown["warnings"].to_string().contains("has been seen before"), "{shown}");
    assert!(year(&shown) <= SystemClock.now().to_string()[..4].parse().unwrap(), "{shown}");
}
