//! The change of an account's key (RFC 8555 §7.3.5).

mod compromised;

use chancery_testkit::{Answer, Engine, Installation, RawClient, Responder, rounds};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    the_account_goes_with_its_new_key,
    a_key_that_has_an_account_is_not_given_to_another,
    one_of_two_changes_that_race_wins,
    a_change_by_another_node_is_noticed,
);

fn the_account_goes_with_its_new_key(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut old = registered(&installation).await;
        let account = old.account();
        let order = old.new_order("a.localhost", json!({})).await;
        assert_eq!(order.status, 201, "{order:?}");
        let mut new = old.another();

        let changed = change(&mut old, &new).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        assert_eq!(changed.header("location"), Some(account.as_str()));
        assert_eq!(changed.json()["key"], new.jwk(), "{changed:?}");

        // The old key is no key of the account any more.
        for url in [account.clone(), old.url("newOrder"), old.url("keyChange")] {
            let detail = old.post(&url, "").await.problem(400, "malformed");
            assert!(detail.contains("signature does not verify"), "{detail}");
        }
        let found = old.register(&json!({ "onlyReturnExisting": true })).await;
        found.problem(400, "accountDoesNotExist");
        let found = new.register(&json!({ "onlyReturnExisting": true })).await;
        assert_eq!((found.status.as_u16(), new.account()), (200, account.clone()), "{found:?}");

        // What was begun under the old key goes on under the new one, which also answers the challenges.
        let orders = new.post(&format!("{account}/orders"), "").await.json();
        assert_eq!(orders["orders"][0], order.header("location").unwrap(), "{orders}");
        let issued = new.obtain(&responder, "a.localhost").await;
        assert_eq!((issued.status.as_u16(), &issued.json()["status"]), (200, &json!("valid")), "{issued:?}");
        server.terminate();

        let told = installation.run(&["audit", "query", "--json", "--event=account.key_change"]).succeeded();
        let mut told: Value = serde_json::from_str(&told.stdout).unwrap();
        told["details"].as_object_mut().unwrap().remove("event_id");
        assert_eq!((&told["account_id"], &told["source_ip"]), (&json!("1"), &json!("127.0.0.1")), "{told}");
        let thumbprint = |client: &RawClient| client.key_authorization("").trim_start_matches('.').to_owned();
        assert_eq!(told["details"], json!({ "from": thumbprint(&old), "to": thumbprint(&new) }));
    });
}

fn a_key_that_has_an_account_is_not_given_to_another(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let mut client = registered(&installation).await;
        let mut other = registered(&installation).await;
        let theirs = other.account();
        for status in ["valid", "deactivated"] {
            other.post(&theirs, &json!({ "status": status }).to_string()).await;
            let taken = change(&mut client, &other).await;
            taken.problem(409, "malformed");
            assert_eq!(taken.header("location"), Some(theirs.as_str()), "{status}");
        }
        // A closed account changes nothing any more (RFC 8555 §7.3.6).
        let unused = client.another();
        change(&mut other, &unused).await.problem(401, "unauthorized");
        let account = client.account();
        assert_eq!(client.post(&account, "").await.status, 200);
        server.terminate();
    });
}

fn one_of_two_changes_that_race_wins(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        installation.configure(|config| {
            config["limits"] =
                json!({ "requests_per_ip": "off", "accounts_per_ip": "off", "abuse_per_ip": "off" });
        });
        let mut server = installation.serve();
        for _ in 0..rounds(4) {
            // One account that wants two keys.
            let mut one = registered(&installation).await;
            let account = one.account();
            let keys = [one.another(), one.another()];
            let (url, jwk) = (one.url("keyChange"), one.jwk());
            let mut bodies = Vec::new();
            for key in &keys {
                let header = one.header(&url).await;
                bodies.push(one.sign(&header, &key.key_change(&account, &jwk).to_string()));
            }
            let (mut first, mut second) = (one.another(), one.another());
            let answers = tokio::join!(first.send(&url, &bodies[0]), second.send(&url, &bodies[1]));
            let won = one_won(&answers.into());
            let mut holders = keys;
            for (index, holder) in holders.iter_mut().enumerate() {
                holder.act_for(&account);
                let read = holder.post(&account, "").await;
                assert_eq!(read.status == 200, index == won, "{read:?}");
            }

            // Two accounts that want one key.
            let (mut a, mut b) = (registered(&installation).await, registered(&installation).await);
            let wanted = a.another();
            let answers = tokio::join!(change(&mut a, &wanted), change(&mut b, &wanted));
            let answers: [Answer; 2] = answers.into();
            let won = answers.iter().position(|answer| answer.status == 200).expect("one wins");
            answers[1 - won].problem(409, "malformed");
            let winner = if won == 0 { a.account() } else { b.account() };
            assert_eq!(answers[1 - won].header("location"), Some(winner.as_str()));
        }
        server.terminate();
    });
}

/// Nodes keep the keys that they have parsed, and are not told when another one changes them.
fn a_change_by_another_node_is_noticed(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let mut old = registered(&installation).await;
        let mut new = registered(&installation).await;
        let account = old.account();
        assert_eq!(old.post(&account, "").await.status, 200);
        installation.sql("CREATE TABLE moved AS SELECT thumbprint, jwk, spki FROM accounts WHERE id = 2");
        assert_eq!(installation.sql("DELETE FROM accounts WHERE id = 2"), 1);
        let changed = installation.sql(
            "UPDATE accounts SET thumbprint = (SELECT thumbprint FROM moved), jwk = (SELECT jwk FROM moved),
                                 spki = (SELECT spki FROM moved) WHERE id = 1",
        );
        assert_eq!(changed, 1);

        let detail = old.post(&account, "").await.problem(400, "malformed");
        assert!(detail.contains("signature does not verify"), "{detail}");
        new.act_for(&account);
        let read = new.post(&account, "").await;
        assert_eq!((read.status.as_u16(), &read.json()["key"]), (200, &new.jwk()), "{read:?}");
        old.post(&account, "").await.problem(400, "malformed");
        server.terminate();
    });
}

#[test]
fn each_part_of_a_change_has_to_be_right() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let mut client = registered(&installation).await;
        let new = client.another();
        let (account, url) = (client.account(), client.url("keyChange"));
        let header = json!({ "alg": "ES256", "jwk": new.jwk(), "url": url });
        let payload = json!({ "account": account, "oldKey": client.jwk() });
        let with = |object: &Value, member: &str, value: Value| {
            let mut object = object.clone();
            object[member] = value;
            object
        };
        let by_kid = json!({ "alg": "ES256", "kid": account, "url": url });
        let inner = |header: &Value, payload: &Value| new.sign(header, &payload.to_string()).to_string();
        for (body, says) in [
            (String::new(), "flattened JSON"),
            ("{}".to_owned(), "flattened JSON"),
            (inner(&by_kid, &payload), "has a `kid`"),
            (inner(&with(&header, "nonce", json!("n")), &payload), "has a `nonce`"),
            (inner(&with(&header, "url", json!(account)), &payload), "same `url`"),
            (inner(&header, &with(&payload, "account", json!(url))), "`account`"),
            (inner(&header, &with(&payload, "oldKey", new.jwk())), "`oldKey`"),
            (inner(&header, &json!({ "account": account })), "oldKey"),
            (inner(&with(&header, "jwk", client.jwk()), &payload), "signature does not verify"),
            (
                client.sign(&with(&header, "jwk", client.jwk()), &payload.to_string()).to_string(),
                "has already",
            ),
        ] {
            let detail = client.post(&url, &body).await.problem(400, "malformed");
            assert!(detail.contains(says), "{says}: {detail}");
        }
        let small = json!({ "kty": "RSA", "e": "AQAB", "n": "v".repeat(171) });
        let weak = inner(&with(&with(&header, "jwk", small), "alg", json!("RS256")), &payload);
        client.post(&url, &weak).await.problem(400, "badPublicKey");
        let unsigned = inner(&with(&header, "alg", json!("none")), &payload);
        client.post(&url, &unsigned).await.problem(400, "badSignatureAlgorithm");

        // The request around it is signed for an account, not by a key.
        let mut stranger = client.another();
        stranger.post(&url, &inner(&header, &payload)).await.problem(400, "malformed");
        assert_eq!(client.post(&account, "").await.json()["key"], client.jwk());
        assert_eq!(change(&mut client, &new).await.status, 200);
        server.terminate();
    });
}

async fn registered(installation: &Installation) -> RawClient {
    let mut client = RawClient::new(installation).await;
    assert_eq!(client.register(&json!({})).await.status, 201);
    client
}

/// Asks for the other client's key in place of its own.
async fn change(client: &mut RawClient, new: &RawClient) -> Answer {
    let inner = new.key_change(&client.account(), &client.jwk());
    let url = client.url("keyChange");
    client.post(&url, &inner.to_string()).await
}

/// Which of two answers is the one that changed something; the other has to be that of an old key.
fn one_won(answers: &[Answer; 2]) -> usize {
    let won = answers.iter().position(|answer| answer.status == 200);
    let won = won.unwrap_or_else(|| panic!("none won: {answers:?}"));
    answers[1 - won].problem(400, "malformed");
    won
}
