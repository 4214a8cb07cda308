//! `chancery order`: what operators see of orders, and are told when they decide.

use chancery_testkit::{Engine, Installation, RawClient, Responder};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(orders_are_listed_and_shown);

fn orders_are_listed_and_shown(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        installation.configure(|config| {
            let mut careful = config["profiles"][0].clone();
            careful["name"] = json!("careful");
            careful["allow"] = json!([".careful.localhost"]);
            careful["require_approval"] = json!(true);
            config["profiles"].as_array_mut().unwrap().insert(0, careful);
        });
        let none = said(&installation, &["list"]);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        assert_eq!(client.obtain(&responder, "a.localhost").await.status, 200);
        for name in ["b.careful.localhost", "c.careful.localhost"] {
            let finalize = client.ready_order(&responder, name, json!({})).await;
            assert_eq!(client.finalize(&finalize, name).await.json()["status"], "processing");
        }
        let mut other = client.another();
        assert_eq!(other.register(&json!({})).await.status, 201);
        let names: Vec<Value> =
            (0..5).map(|number| json!({ "type": "dns", "value": format!("n{number}.localhost") })).collect();
        let new_order = other.url("newOrder");
        let open = other.post(&new_order, &json!({ "identifiers": names }).to_string()).await;
        let url = open.header("location").unwrap().to_owned();

        let approved = said(&installation, &["approve", "2", "--reason=ticket 4711"]);
        let rejected = said(&installation, &["reject", "3", "--reason=not this one"]);
        let issued =
            client.post(&format!("{}/orders", client.account()), "").await.json()["orders"][1].take();
        while client.post(issued.as_str().unwrap(), "").await.json()["status"] == "processing" {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let listed = said(&installation, &["list"]);
        let shown = said(&installation, &["show", issued.as_str().unwrap()]);
        assert_eq!(said(&installation, &["show", "2"]), shown);
        incidentals_aside(|| {
            insta::assert_snapshot!("orders_none", none);
            insta::assert_snapshot!("orders_listed", listed);
            insta::assert_snapshot!("order_shown", shown);
            insta::assert_snapshot!("order_shown_rejected", said(&installation, &["show", "3"]));
            insta::assert_snapshot!("order_approved", approved);
            insta::assert_snapshot!("order_rejected", rejected);
        });
        let shown = json(&installation, &["show", "3"]);
        assert_eq!(
            (&shown["status"], &shown["approval"]),
            (&json!("invalid"), &json!("rejected")),
            "{shown}"
        );
        assert_eq!(shown["error"]["detail"], "the order was not approved: not this one", "{shown}");
        assert_eq!(shown["authorizations"][0]["status"], "valid", "{shown}");
        assert_eq!(json(&installation, &["show", &url])["url"], url);

        let numbers = |conditions: &[&str]| -> Vec<i64> {
            let page = json(&installation, &[&["list"], conditions].concat());
            page["orders"].as_array().unwrap().iter().map(|entry| entry["number"].as_i64().unwrap()).collect()
        };
        assert_eq!(numbers(&[]), [4, 3, 2, 1]);
        assert_eq!(numbers(&["--status=pending"]), [4]);
        assert_eq!(numbers(&["--status=valid"]), [2, 1]);
        assert_eq!(numbers(&["--approval=approved"]), [2]);
        assert_eq!(numbers(&["--approval=waiting"]), Vec::<i64>::new());
        assert_eq!(numbers(&["--account=2"]), [4]);
        assert_eq!(numbers(&["--account", &client.account()]), [3, 2, 1]);
        assert_eq!(numbers(&["--name=N3.localhost"]), [4]);
        // In what is looked for, every character is itself, and a name is a whole name.
        for nowhere in ["3.localhost", "localhost", "n.localhost"] {
            assert!(numbers(&["--name", nowhere]).is_empty(), "{nowhere}");
        }
        assert_eq!(numbers(&["--profile=careful"]), [3, 2]);
        assert_eq!(numbers(&["--profile=careful", "--status=invalid"]), [3]);
        assert_eq!(numbers(&["--limit=2"]), [4, 3]);
        assert_eq!(numbers(&["--limit=2", "--before", &url]), [3, 2]);
        let page = json(&installation, &["list", "--limit=2"]);
        assert_eq!(
            (&page["before"], page["orders"][0]["identifiers"][0]["value"].as_str()),
            (&json!(3), Some("n0.localhost"))
        );
        assert!(said(&installation, &["list", "--limit=2"]).contains("There are more: give --before 3"));
        // Time makes an order invalid that nobody wrote to.
        installation.sql("UPDATE orders SET expires_at = 1 WHERE id = 4");
        assert_eq!(numbers(&["--status=pending"]), Vec::<i64>::new());
        assert_eq!(numbers(&["--status=invalid"]), [4, 3]);
        server.terminate();
    });
}

#[test]
fn what_is_wrong_is_said() {
    let installation = Installation::new(CHANCERY, Engine::Sqlite);
    for (arguments, code, says) in [
        (&["show", "7"] as &[&str], 1, "there is no order with the number 7"),
        (&["show", "https://elsewhere.test/acme/order/x"], 1, "is neither the URL of an order under"),
        (&["show", ""], 1, "is neither"),
        (&["show", "99999999999999999999"], 1, "is neither"),
        (&["show"], 2, "ORDER"),
        (&["approve", "7"], 1, "there is no order with the number 7"),
        (&["reject", "7", "--reason= "], 2, "a reason is one line of 1 to 500 characters"),
        (&["list", "--status=good"], 2, "pending, ready, processing, valid or invalid"),
        (&["list", "--approval=good"], 2, "waiting, approved, rejected or lapsed"),
        (&["list", "--name=a b"], 2, "`a b`"),
        (&["list", "--account=x"], 1, "is neither the URL of an account under"),
        (&["list", "--limit=0"], 2, "1..=10000"),
    ] {
        let refused = installation.run(&[&["order"], arguments].concat()).exited_with(code);
        assert!(refused.stdout.is_empty() && refused.stderr.contains(says), "{says}: {refused}");
    }
}

/// What a command says in words.
#[track_caller]
fn said(installation: &Installation, arguments: &[&str]) -> String {
    installation.run(&[&["order"], arguments].concat()).succeeded().stdout
}

/// The JSON that a command prints.
#[track_caller]
fn json(installation: &Installation, arguments: &[&str]) -> Value {
    let said = installation.run(&[&["order"], arguments, &["--json"]].concat()).succeeded();
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {said}"))
}

/// Runs assertions on snapshots without what differs from run to run.
fn incidentals_aside(check: impl FnOnce()) {
    insta::with_settings!({filters => vec![
        (r"https://localhost:\d+/acme/order/\S+", "[URL]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[MINUTE]"),
    ]}, { check() });
}
