//! `chancery account`: what operators see of accounts, and do to them.

use chancery_testkit::{Engine, Installation, RawClient, Responder};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(accounts_are_listed_and_shown, a_revoked_account_can_do_nothing);

fn accounts_are_listed_and_shown(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let none = said(&installation, &["list"]);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let key = json(&installation, &["eab", "create", "--label=web farm"]);
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        let mut bound = RawClient::new(&installation).await;
        let binding = bound.binding(&bound.url("newAccount"), &text("kid"), &text("hmac_key"));
        let payload = json!({ "contact": ["mailto:Ops_1@corp.test"], "externalAccountBinding": binding });
        assert_eq!(bound.register(&payload).await.status, 201);
        assert_eq!(bound.obtain(&responder, "a.localhost").await.status, 200);
        let mut closed = bound.another();
        assert_eq!(closed.register(&json!({})).await.status, 201);
        let url = closed.account();
        assert_eq!(closed.post(&url, r#"{"status":"deactivated"}"#).await.status, 200);

        let listed = said(&installation, &["list"]);
        let shown = said(&installation, &["show", &bound.account()]);
        assert_eq!(said(&installation, &["show", "1"]), shown);
        incidentals_aside(|| {
            insta::assert_snapshot!("accounts_none", none);
            insta::assert_snapshot!("accounts_listed", listed);
            insta::assert_snapshot!("account_shown", shown);
        });
        let shown = json(&installation, &["account", "show", "1"]);
        assert_eq!(shown["url"], bound.account(), "{shown}");
        assert_eq!((&shown["orders"], &shown["certificates_in_force"]), (&json!(1), &json!(1)), "{shown}");

        let numbers = |conditions: &[&str]| -> Vec<i64> {
            let page = json(&installation, &[&["account", "list"], conditions].concat());
            page["accounts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["number"].as_i64().unwrap())
                .collect()
        };
        assert_eq!(numbers(&[]), [2, 1]);
        assert_eq!(numbers(&["--status=valid"]), [1]);
        assert_eq!(numbers(&["--status=deactivated"]), [2]);
        assert_eq!(numbers(&["--contact=ops_1@CORP"]), [1]);
        // In what is looked for, every character is itself.
        for nowhere in ["opsx1", "ops%corp", "ops!_1"] {
            assert!(numbers(&["--contact", nowhere]).is_empty(), "{nowhere}");
        }
        assert_eq!(numbers(&["--eab", &text("kid")]), [1]);
        assert!(numbers(&["--eab=nobody's"]).is_empty());
        assert_eq!(numbers(&["--limit=1"]), [2]);
        assert_eq!(numbers(&["--limit=1", "--before=2"]), [1]);
        assert_eq!(numbers(&["--before", &bound.account()]), Vec::<i64>::new());
        assert_eq!(json(&installation, &["account", "list", "--limit=1"])["before"], 2);
        server.terminate();
    });
}

fn a_revoked_account_can_do_nothing(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let mut client = RawClient::new(&installation).await;
        assert_eq!(client.register(&json!({})).await.status, 201);
        let account = client.account();
        assert_eq!(client.new_order("a.localhost", json!({})).await.status, 201);

        let revoked = said(&installation, &["revoke", &account]);
        incidentals_aside(|| insta::assert_snapshot!("account_revoked", revoked));
        for url in
            [account.clone(), client.url("newOrder"), client.url("keyChange"), format!("{account}/orders")]
        {
            let change = client.another().key_change(&account, &client.jwk());
            let payload = if url.ends_with("key-change") { change.to_string() } else { String::new() };
            let payload = if url.ends_with("new-order") {
                json!({ "identifiers": [{ "type": "dns", "value": "b.localhost" }] }).to_string()
            } else {
                payload
            };
            let detail = client.post(&url, &payload).await.problem(401, "unauthorized");
            assert!(detail.contains("revoked"), "{url}: {detail}");
        }
        client.register(&json!({})).await.problem(401, "unauthorized");
        // Its order waits for nobody any more.
        let orders = json(&installation, &["order", "list"]);
        assert!(orders.to_string().contains(r#""status":"invalid""#), "{orders}");
        let again = installation.run(&["account", "revoke", "1"]).exited_with(1);
        assert!(again.stderr.contains("is revoked already"), "{again}");
        server.terminate();

        let told = installation.run(&["audit", "query", "--json", "--event=account.revoke"]).succeeded();
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(told["account_id"], "1", "{told}");
        assert!(told["actor"].as_str().unwrap().starts_with("operator uid="), "{told}");
    });
}

#[test]
fn contacts_are_changed_by_operators_too() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let mut client = RawClient::new(&installation).await;
        assert_eq!(client.register(&json!({ "contact": ["mailto:old@corp.test"] })).await.status, 201);
        let account = client.account();

        let set = ["contacts", "1", "--set=mailto:a@corp.test", "--set=mailto:b@corp.test"];
        let changed = said(&installation, &set);
        assert_eq!(changed, "Contacts changed — account=1 contacts=mailto:a@corp.test mailto:b@corp.test\n");
        let read = client.post(&account, "").await.json();
        assert_eq!(read["contact"], json!(["mailto:a@corp.test", "mailto:b@corp.test"]), "{read}");
        assert_eq!(
            said(&installation, &["contacts", &account, "--clear"]),
            "Contacts changed — account=1 contacts=none\n"
        );
        assert_eq!(client.post(&account, "").await.json()["contact"], json!([]));
        for (arguments, code, says) in [
            (&["contacts", "1", "--set=tel:+1"] as &[&str], 1, "is not a `mailto:` URL"),
            (&["contacts", "1"], 2, "--set"),
            (&["contacts", "7", "--clear"], 1, "no account with the number 7"),
            (&["show", "https://elsewhere.test/acme/account/x"], 1, "is neither the URL of an account under"),
            (&["show", "0"], 1, "no account with the number 0"),
            (&["show", ""], 1, "is neither"),
            (&["show", "99999999999999999999"], 1, "is neither"),
            (&["list", "--status=good"], 2, "valid, deactivated or revoked"),
        ] {
            let refused = installation.run(&[&["account"], arguments].concat()).exited_with(code);
            assert!(refused.stdout.is_empty() && refused.stderr.contains(says), "{says}: {refused}");
        }
        server.terminate();
    });
}

/// What a command says in words.
#[track_caller]
fn said(installation: &Installation, arguments: &[&str]) -> String {
    installation.run(&[&["account"], arguments].concat()).succeeded().stdout
}

/// The JSON that a command prints.
#[track_caller]
fn json(installation: &Installation, arguments: &[&str]) -> Value {
    let said = installation.run(&[arguments, &["--json"]].concat()).succeeded();
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {said}"))
}

/// Leaves out of snapshots what differs from run to run.
fn incidentals_aside(check: impl FnOnce()) {
    insta::with_settings!({filters => vec![
        (r"\b[0-9a-f]{32}\b", "[KEY IDENTIFIER 32 DIGITS LONG ]"),
        (r"https://localhost:\d+/acme/account/\S{22}", "[ACCOUNT]"),
        (r"ES256 \S{43}", "ES256 [THUMBPRINT]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[MINUTE]"),
    ]}, { check() });
}
