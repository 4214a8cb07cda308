//! `chancery certificate`: what operators do with issued certificates, and what they are told.

use std::time::Duration;

use chancery_testkit::{Engine, Finished, Installation, MovableClock, RawClient, Responder, Workdir};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::obtained::{obtain, revocation};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(certificates_are_listed_and_shown, a_certificate_is_revoked_at_once);

const DAY: Duration = Duration::from_secs(86_400);

fn certificates_are_listed_and_shown(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::under(&clock, &installation).await;
        client.register(&json!({})).await;
        let mut other = client.another();
        other.register(&json!({})).await;
        let a_day = json!({ "notAfter": (clock.now() + DAY).whole_seconds() });
        let short = obtain(&mut client, &responder, "short.localhost", a_day).await;
        let revoked = obtain(&mut client, &responder, "revoked.localhost", json!({})).await;
        obtain(&mut other, &responder, "other.localhost", json!({})).await;
        let url = client.url("revokeCert");
        assert_eq!(client.post(&url, &revocation(&revoked.der, 4)).await.status, 200);
        server.terminate();

        let run = |arguments: &[&str]| installation.run_at(&clock, &[&["certificate"], arguments].concat());
        let told = run(&["list"]).succeeded();
        without_incidentals(|| insta::assert_snapshot!("listed", told.stdout));
        let list = |arguments: &[&str]| {
            let listed = json(&run(&[&["list", "--json"], arguments].concat()).succeeded());
            let listed = listed["certificates"].as_array().unwrap().clone();
            listed.iter().map(|listed| listed["names"][0].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (own, first, second, third) =
            ("localhost", "short.localhost", "revoked.localhost", "other.localhost");
        assert_eq!(list(&[]), [third, second, first, own]);
        assert_eq!(list(&["--name", "Short.localhost"]), [first]);
        assert_eq!(list(&["--name", "hort.localhost"]), [""; 0]);
        assert_eq!(list(&["--account", "1"]), [second, first]);
        assert_eq!(list(&["--account", &client.account()]), [second, first]);
        assert_eq!(list(&["--profile", "default"]), [third, second, first]);
        assert_eq!(list(&["--profile", "x"]), [""; 0]);
        assert_eq!(list(&["--status", "valid"]), [third, first, own]);
        assert_eq!(list(&["--status", "revoked"]), [second]);
        assert_eq!(list(&["--expiring", "2d"]), [first]);
        assert_eq!(list(&["--expiring", "12h"]), [""; 0]);
        assert_eq!(list(&["--expiring", "52w", "--account", "1"]), [first]);
        let all = json(&run(&["list", "--json"]).succeeded());
        let serial = |nth: usize| all["certificates"][nth]["serial"].as_str().unwrap().to_owned();
        assert_eq!(list(&["--serial", &serial(2).to_uppercase()]), [first]);

        // Page by page.
        let page = json(&run(&["list", "--json", "--limit", "3"]).succeeded());
        assert_eq!(page["before"], serial(2));
        assert_eq!(list(&["--limit", "3", "--before", &serial(2)]), [own]);
        assert_eq!(all["before"], Value::Null);
        let told = run(&["list", "--limit", "1"]).succeeded();
        assert!(told.stdout.ends_with(&format!("There are more: give --before {}\n", serial(0))), "{told}");

        clock.advance(2 * DAY);
        assert_eq!(list(&["--status", "expired"]), [first]);
        assert_eq!(list(&["--status", "valid", "--name", first]), [""; 0]);

        let told = run(&["show", &serial(1)]).succeeded();
        without_incidentals(|| insta::assert_snapshot!("shown", told.stdout));
        let files = Workdir::new();
        let file = files.join("certificate.pem").display().to_string();
        std::fs::write(&file, chancery_pki::certificate::pem(&short.der)).unwrap();
        let shown = json(&run(&["show", "--json", &file]).succeeded());
        assert_eq!((&shown["serial"], &shown["status"]), (&json!(serial(2)), &json!("expired")));
        assert_eq!(shown["pem"], std::fs::read_to_string(&file).unwrap());

        let refused = |arguments: &[&str], words: &str| {
            let refused = run(arguments).exited_with(1);
            assert!(refused.stdout.is_empty() && refused.stderr.contains(words), "{words}: {refused}");
        };
        refused(
            &["show", "abc"],
            "no certificate with the serial number 00000000000000000000000000000abc was issued here",
        );
        refused(&["show", "nowhere.pem"], "nowhere.pem");
        refused(&["list", "--before", "abc"], "--before: no certificate has the serial number");
        let root = installation.root().display().to_string();
        refused(&["show", &root], "the certificate is a CA's");
        std::fs::write(&file, "nothing").unwrap();
        refused(&["show", &file], "it holds no certificate in PEM");
        let mut altered = short.der.clone();
        *altered.last_mut().unwrap() ^= 1;
        std::fs::write(&file, chancery_pki::certificate::pem(&altered)).unwrap();
        refused(&["show", &file], "was not issued here");
        for wrong in [
            &["--limit", "0"],
            &["--name", "a b"],
            &["--expiring", "30"],
            &["--serial", "x"],
            &["--status", "old"],
        ] {
            run(&[&["list"], &wrong[..]].concat()).exited_with(2);
        }
    });
}

fn a_certificate_is_revoked_at_once(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        client.register(&json!({})).await;
        let one = obtain(&mut client, &responder, "one.localhost", json!({})).await;
        let two = obtain(&mut client, &responder, "two.localhost", json!({})).await;
        let run = |arguments: &[&str]| installation.run(&[&["certificate"], arguments].concat());
        let listed = json(&run(&["list", "--json", "--name", "one.localhost"]).succeeded());
        let serial = listed["certificates"][0]["serial"].as_str().unwrap().to_owned();

        let told = run(&["revoke", &serial, "--reason", "keyCompromise"]).succeeded();
        without_incidentals(|| insta::assert_snapshot!("revoked", told.stdout));
        client.post(&one.url, "").await.problem(404, "malformed");
        let url = client.url("revokeCert");
        client.post(&url, &revocation(&one.der, 1)).await.problem(400, "alreadyRevoked");

        let again = run(&["revoke", &serial]).exited_with(1);
        assert!(again.stderr.contains(&format!("the certificate {serial} was revoked at 20")), "{again}");
        for (reason, says) in
            [("2", "for the certificate of an authority"), ("lost", "there is no reason `lost`")]
        {
            let refused = run(&["revoke", &serial, "--reason", reason]).exited_with(2);
            assert!(refused.stderr.contains(says), "{refused}");
        }

        let files = Workdir::new();
        let file = files.join("two.pem").display().to_string();
        std::fs::write(&file, chancery_pki::certificate::pem(&two.der)).unwrap();
        let revoked = json(&run(&["revoke", "--json", &file]).succeeded());
        assert_eq!((&revoked["status"], &revoked["reason"]), (&json!("revoked"), &Value::Null));
        client.post(&two.url, "").await.problem(404, "malformed");

        let own = json(&run(&["list", "--json", "--name", "localhost"]).succeeded());
        let own = own["certificates"][0]["serial"].as_str().unwrap().to_owned();
        let told = run(&["revoke", &own, "--reason", "4"]).succeeded();
        assert!(told.stdout.contains("The server goes on showing it"), "{told}");
        assert_eq!(client.post(&client.account(), "").await.status, 200);

        server.terminate();
        let told = installation.run(&["audit", "query", "--event", "certificate.*", "--json"]).succeeded();
        let lines: Vec<Value> = told.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let revoked: Vec<&Value> =
            lines.iter().filter(|line| line["event"] == "certificate.revoke").collect();
        assert_eq!(revoked.len(), 3, "{told}");
        for line in revoked {
            assert!(line["actor"].as_str().unwrap().starts_with("operator uid="), "{line}");
            assert_eq!(line["details"]["by"], "operator");
        }
    });
}

#[track_caller]
fn json(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {finished}"))
}

/// Runs assertions on snapshots without what differs from run to run.
fn without_incidentals(check: impl FnOnce()) {
    insta::with_settings!({filters => vec![
        (r"\b[0-9a-f]{32}\b", "[SERIAL]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "[SECOND]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[MINUTE]"),
        (r"(?s)-----BEGIN CERTIFICATE-----.*", "[PEM]"),
    ]}, { check() });
}
