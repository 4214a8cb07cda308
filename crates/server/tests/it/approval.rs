//! Orders that a person has to approve, on a running server.

use std::time::Duration;

use chancery_testkit::{Answer, Engine, Finished, Installation, MovableClock, RawClient, Responder};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    an_approved_order_is_issued_by_the_running_server,
    a_rejected_order_is_invalid_and_says_why,
    of_those_who_decide_at_once_one_does,
    nobody_decides_and_the_order_lapses,
);

/// How long the server may take to find an approved order, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// An installation of which every order has to be approved.
fn installation(engine: Engine) -> Installation {
    let installation = Installation::new(CHANCERY, engine);
    installation.configure(|config| config["profiles"][0]["require_approval"] = json!(true));
    installation
}

fn order(installation: &Installation, arguments: &[&str]) -> Finished {
    installation.run(&[&["order"], arguments].concat())
}

fn events(installation: &Installation, kind: &str) -> Vec<Value> {
    let found = installation.run(&["audit", "query", "--json", "--event", kind]).succeeded();
    found.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Finalizes an order for a name, which then has to wait; gives its URL.
async fn finalized(client: &mut RawClient, responder: &Responder, name: &str) -> String {
    let finalize = client.ready_order(responder, name, json!({})).await;
    let answer = client.finalize(&finalize, name).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    waits(&answer);
    answer.header("location").unwrap().to_owned()
}

#[track_caller]
fn waits(answer: &Answer) {
    let order = answer.json();
    assert_eq!((&order["status"], &order["certificate"]), (&json!("processing"), &Value::Null), "{answer:?}");
    assert_eq!(answer.header("retry-after"), Some("60"), "{answer:?}");
}

/// The order once it is no longer processing.
async fn settled(client: &mut RawClient, url: &str) -> Value {
    let polling = async {
        loop {
            let answer = client.post(url, "").await;
            if answer.json()["status"] != "processing" {
                return answer.json();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polling).await.expect("the order is settled")
}

async fn registered(installation: &Installation) -> RawClient {
    let mut client = RawClient::new(installation).await;
    assert_eq!(client.register(&json!({})).await.status, 201);
    client
}

fn an_approved_order_is_issued_by_the_running_server(engine: Engine) {
    block_on(async {
        let installation = installation(engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&installation).await;
        let url = finalized(&mut client, &responder, "a.localhost").await;
        let again = finalized(&mut client, &responder, "b.localhost").await;
        // Nothing counts as a certificate as long as it waits, and it waits through a restart.
        assert_eq!(
            installation.query_i64("SELECT count(*) FROM certificates WHERE account_id IS NOT NULL"),
            0
        );
        assert_eq!(installation.query_i64("SELECT count(*) FROM jobs"), 0);
        server.terminate();
        server.restart();
        // The nonce that it has is of the earlier run.
        drop(client.nonce().await);
        waits(&client.post(&url, "").await);

        order(&installation, &["approve", &url, "--reason=ticket 4711"]).succeeded();
        let issued = settled(&mut client, &url).await;
        assert_eq!(issued["status"], "valid", "{issued}");
        let chain = client.post(issued["certificate"].as_str().unwrap(), "").await;
        assert!(chain.body.contains("BEGIN CERTIFICATE"), "{chain:?}");
        waits(&client.post(&again, "").await);

        // What was decided is decided.
        for deed in ["approve", "reject"] {
            let refused = order(&installation, &[deed, &url]).exited_with(1);
            assert!(refused.stderr.contains("it was approved already"), "{refused}");
        }
        // Without a server, the next one issues it.
        server.terminate();
        order(&installation, &["approve", "2"]).succeeded();
        let mut server = installation.serve();
        drop(client.nonce().await);
        assert_eq!(settled(&mut client, &again).await["status"], "valid");
        server.terminate();

        let awaited = events(&installation, "order.await_approval");
        assert_eq!(awaited.len(), 2, "{awaited:?}");
        assert_eq!((&awaited[0]["account_id"], &awaited[0]["source_ip"]), (&json!("1"), &json!("127.0.0.1")));
        let approved = events(&installation, "order.approve");
        assert_eq!(approved.len(), 2, "{approved:?}");
        let details = &approved[0]["details"];
        assert_eq!((&details["order"], &details["reason"]), (&json!(1), &json!("ticket 4711")), "{details}");
        assert_eq!(details["identifiers"], "dns:a.localhost");
        assert!(approved[0]["actor"].as_str().unwrap().starts_with("operator uid="), "{approved:?}");
    });
}

fn a_rejected_order_is_invalid_and_says_why(engine: Engine) {
    block_on(async {
        let installation = installation(engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&installation).await;
        let url = finalized(&mut client, &responder, "a.localhost").await;
        order(&installation, &["reject", "1", "--reason=this host is to be retired"]).succeeded();
        let rejected = client.post(&url, "").await.json();
        assert_eq!(rejected["status"], "invalid", "{rejected}");
        assert_eq!(rejected["error"]["type"], "urn:ietf:params:acme:error:unauthorized");
        assert_eq!(rejected["error"]["detail"], "the order was not approved: this host is to be retired");
        let refused = order(&installation, &["approve", "1"]).exited_with(1);
        assert!(refused.stderr.contains("it was rejected already"), "{refused}");

        // What does not wait cannot be decided.
        let ready = client.ready_order(&responder, "b.localhost", json!({})).await;
        for deed in ["approve", "reject"] {
            let refused = order(&installation, &[deed, "2"]).exited_with(1);
            assert!(refused.stderr.contains("its client has not finalized it"), "{refused}");
            let unknown = order(&installation, &[deed, "77"]).exited_with(1);
            assert!(unknown.stderr.contains("there is no order with the number 77"), "{unknown}");
        }
        // A closed account gets nothing, whoever approves it.
        waits(&client.finalize(&ready, "b.localhost").await);
        let account = client.account();
        client.post(&account, r#"{"status":"deactivated"}"#).await;
        let refused = order(&installation, &["approve", "2"]).exited_with(1);
        assert!(refused.stderr.contains("its account was closed"), "{refused}");
        let left = "SELECT count(*) FROM orders WHERE status = 'invalid' AND approval = 'lapsed'";
        assert_eq!(installation.query_i64(left), 1, "it waits for nobody");
        // No more does it where an operator ends the account.
        let mut another = registered(&installation).await;
        finalized(&mut another, &responder, "c.localhost").await;
        installation.run(&["account", "revoke", &another.account()]).succeeded();
        let revoked = order(&installation, &["show", "3", "--json"]).succeeded();
        let revoked: Value = serde_json::from_str(&revoked.stdout).unwrap();
        assert_eq!((&revoked["status"], &revoked["approval"]), (&json!("invalid"), &json!("lapsed")));
        assert_eq!(revoked["error"]["detail"], "the account was revoked");
        server.terminate();
        assert_eq!(events(&installation, "order.reject").len(), 1);
        assert_eq!(
            installation.query_i64("SELECT count(*) FROM certificates WHERE account_id IS NOT NULL"),
            0
        );
    });
}

fn of_those_who_decide_at_once_one_does(engine: Engine) {
    block_on(async {
        let installation = installation(engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&installation).await;
        let url = finalized(&mut client, &responder, "a.localhost").await;
        let outcomes: Vec<(&str, bool)> = std::thread::scope(|scope| {
            let deeds = ["approve", "reject", "approve", "reject"];
            let racing: Vec<_> = deeds
                .map(|deed| {
                    let installation = &installation;
                    scope
                        .spawn(move || (deed, order(installation, &[deed, "1"]).stdout.starts_with("Order ")))
                })
                .into();
            racing.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let done: Vec<&str> = outcomes.iter().filter(|(_, done)| *done).map(|(deed, _)| *deed).collect();
        assert_eq!(done.len(), 1, "{outcomes:?}");
        let status = settled(&mut client, &url).await["status"].clone();
        assert_eq!(status, if done == ["approve"] { "valid" } else { "invalid" }, "{outcomes:?}");
        server.terminate();
        let told = events(&installation, "order.approve").len() + events(&installation, "order.reject").len();
        assert_eq!(told, 1);
    });
}

fn nobody_decides_and_the_order_lapses(engine: Engine) {
    block_on(async {
        let installation = installation(engine);
        installation.configure(|config| config["profiles"][0]["authorizations_last"] = json!("2h"));
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::under(&clock, &installation).await;
        assert_eq!(client.register(&json!({})).await.status, 201);
        let url = finalized(&mut client, &responder, "a.localhost").await;
        clock.advance(Duration::from_secs(2 * 3_600));
        // Whether or not the server has noticed.
        assert_eq!(client.post(&url, "").await.json()["status"], "invalid");
        let refused = installation.run_at(&clock, &["order", "approve", "1"]).exited_with(1);
        assert!(refused.stderr.contains("it waited until it expired"), "{refused}");
        // It notices at its next start, if not before.
        server.terminate();
        server.restart();
        // The nonce that it has is of the earlier run.
        drop(client.nonce().await);
        let told = async {
            while installation.query_i64("SELECT count(*) FROM orders WHERE approval = 'lapsed'") == 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("the order lapses");
        let lapsed = client.post(&url, "").await.json();
        assert!(
            lapsed["error"]["detail"].as_str().unwrap().contains("before anybody approved it"),
            "{lapsed}"
        );
        server.terminate();
        assert_eq!(events(&installation, "order.invalid").len(), 1);
    });
}

/// The licence is asked of whoever approves, since nothing was recorded when the order was finalized.
#[test]
fn an_approval_is_within_the_licence() {
    block_on(async {
        let installation = installation(Engine::Sqlite);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&installation).await;
        let url = finalized(&mut client, &responder, "a.localhost").await;
        // The window is over, or rather was never as long as that.
        installation
            .sql("UPDATE cold_start SET opened_at = opened_at - 700000000, ends_at = ends_at - 700000000");
        let refused = order(&installation, &["approve", &url]).exited_with(1);
        assert!(refused.stderr.contains("the licence does not allow it (cold_start_elapsed"), "{refused}");
        waits(&client.post(&url, "").await);
        installation
            .sql("UPDATE cold_start SET opened_at = opened_at + 700000000, ends_at = ends_at + 700000000");
        order(&installation, &["approve", &url]).succeeded();
        assert_eq!(settled(&mut client, &url).await["status"], "valid");
        server.terminate();
    });
}
