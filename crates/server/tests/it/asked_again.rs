//! What held when an order was made, or when it was finalized, is asked again before its certificate is.

use std::time::Duration;

use chancery_testkit::{
    Engine, Installation, JwsKey, MovableClock, RawClient, Responder, base64url, certificate_request_by,
};
use serde_json::{Value, json};

use crate::CHANCERY;
use crate::acme::block_on;
use crate::obtained::{finish, obtain, revocation};

/// How long the server may take to find an approved order, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

#[test]
fn an_approved_order_gets_no_certificate_for_the_key_of_an_account() {
    block_on(async {
        let installation = with_approval();
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&installation).await;
        let key = client.another();
        let url = waiting(&mut client, &responder, key.key(), "a.localhost").await;
        let mut holder = key;
        assert_eq!(holder.register(&json!({})).await.status, 201);

        let problem = approved(&installation, &mut client, &url).await;
        assert_eq!(problem["type"], "urn:ietf:params:acme:error:badCSR", "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("key of an account"), "{problem}");
        server.terminate();
    });
}

#[test]
fn an_approved_order_gets_no_certificate_for_a_key_that_leaked() {
    block_on(async {
        let installation = with_approval();
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&installation).await;
        let holder = client.another();
        let first = waiting(&mut client, &responder, holder.key(), "a.localhost").await;
        let second = waiting(&mut client, &responder, holder.key(), "b.localhost").await;
        installation.run(&["order", "approve", &first]).succeeded();
        let order = settled(&mut client, &first).await;
        let chain = client.post(order["certificate"].as_str().unwrap(), "").await;
        let der = crate::obtained::first(&chain.body);
        let revoked = client.post(&client.url("revokeCert"), &revocation(&der, 1)).await;
        assert_eq!(revoked.status, 200, "{revoked:?}");

        let problem = approved(&installation, &mut client, &second).await;
        assert_eq!(problem["type"], "urn:ietf:params:acme:error:badCSR", "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("compromised"), "{problem}");
        server.terminate();
    });
}

#[test]
fn the_policy_of_now_holds_for_orders_that_were_made_before() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&installation).await;
        let finalize = client.ready_order(&responder, "a.localhost", json!({})).await;
        server.terminate();
        installation.configure(|config| config["profiles"][0]["require_approval"] = json!(true));
        server.restart();
        drop(client.nonce().await);
        let key = JwsKey::p256();
        let url = waiting(&mut client, &responder, &key, "b.localhost").await;
        server.terminate();

        installation.configure(|config| config["profiles"][0]["require_eab"] = json!(true));
        server.restart();
        drop(client.nonce().await);
        client.finalize(&finalize, "a.localhost").await.problem(403, "externalAccountRequired");
        server.terminate();

        installation.configure(|config| {
            config["profiles"][0]["require_eab"] = json!(false);
            config["profiles"][0]["deny"] = json!(["=a.localhost", "=b.localhost"]);
        });
        server.restart();
        drop(client.nonce().await);
        client.finalize(&finalize, "a.localhost").await.problem(403, "rejectedIdentifier");
        let problem = approved(&installation, &mut client, &url).await;
        assert_eq!(problem["type"], "urn:ietf:params:acme:error:rejectedIdentifier", "{problem}");
        server.terminate();
        assert_eq!(
            installation.query_i64("SELECT count(*) FROM certificates WHERE account_id IS NOT NULL"),
            0
        );
    });
}

#[test]
fn a_wish_beyond_the_issuing_certificate_is_the_clients_to_change() {
    block_on(async {
        let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
        installation.configure(|config| config["profiles"][0]["max_validity"] = json!("825d"));
        let clock = MovableClock::new();
        // The issuing certificate lasts ten years.
        clock.advance(9 * YEAR);
        installation.run_at(&clock, &["cold-start", "init", "--plan", "enterprise"]).succeeded();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::under(&clock, &installation).await;
        assert_eq!(client.register(&json!({})).await.status, 201);
        let far = clock.now() + 2 * YEAR;
        let finalize = client.ready_order(&responder, "a.localhost", json!({ "notBefore": far })).await;
        let detail = client.finalize(&finalize, "a.localhost").await.problem(400, "malformed");
        assert!(detail.contains("`notBefore`") && detail.contains("issuing certificate"), "{detail}");
        server.terminate();
    });
}

/// The account that ordered a certificate bans its key; another that answers for its names does not.
#[test]
fn a_key_that_leaked_gets_no_account() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut owner = registered(&installation).await;
        let mut other = owner.another();
        other.register(&json!({})).await;
        let url = owner.url("revokeCert");

        let mut moved = obtain(&mut owner, &responder, "moved.localhost", json!({})).await;
        other.ready_order(&responder, "moved.localhost", json!({})).await;
        assert_eq!(other.post(&url, &revocation(&moved.der, 1)).await.status, 200);
        assert_eq!(installation.query_i64("SELECT count(*) FROM compromised_keys"), 0);
        assert_eq!(moved.holder.register(&json!({})).await.status, 201);

        let finalize = owner.ready_order(&responder, "leaked.localhost", json!({})).await;
        let mut leaked = finish(&mut owner, &finalize, "leaked.localhost", JwsKey::p256()).await;
        assert_eq!(owner.post(&url, &revocation(&leaked.der, 1)).await.status, 200);
        let detail = leaked.holder.register(&json!({})).await.problem(400, "badPublicKey");
        assert!(detail.contains("compromised"), "{detail}");
        let inner = leaked.holder.key_change(&owner.account(), &owner.jwk());
        let change = owner.url("keyChange");
        owner.post(&change, &inner.to_string()).await.problem(400, "badPublicKey");
        server.terminate();
    });
}

/// Whoever is spared every proof has shown nothing that undoes the certificate of another.
#[test]
fn names_without_proof_revoke_nothing_of_others() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let created = installation.run(&["eab", "create", "--skip-validation", "--json"]).succeeded();
        let key: Value = serde_json::from_str(&created.stdout).unwrap();
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut owner = registered(&installation).await;
        let certificate = obtain(&mut owner, &responder, "a.localhost", json!({})).await;
        let mut trusted = owner.another();
        let text = |name: &str| key[name].as_str().unwrap();
        let binding = trusted.binding(&owner.url("newAccount"), text("kid"), text("hmac_key"));
        let made = trusted.register(&json!({ "externalAccountBinding": binding })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let order = trusted.new_order("a.localhost", json!({})).await;
        assert_eq!(order.json()["status"], "ready", "{order:?}");

        let url = owner.url("revokeCert");
        trusted.post(&url, &revocation(&certificate.der, 1)).await.problem(403, "unauthorized");
        let order = order.json();
        let finalize = order["finalize"].as_str().unwrap();
        let own = finish(&mut trusted, finalize, "a.localhost", JwsKey::p256()).await;
        assert_eq!(trusted.post(&url, &revocation(&own.der, 4)).await.status, 200);
        server.terminate();
    });
}

/// An installation of which every order has to be approved.
fn with_approval() -> Installation {
    let installation = Installation::new(CHANCERY, Engine::Sqlite);
    installation.configure(|config| config["profiles"][0]["require_approval"] = json!(true));
    installation
}

async fn registered(installation: &Installation) -> RawClient {
    let mut client = RawClient::new(installation).await;
    assert_eq!(client.register(&json!({})).await.status, 201);
    client
}

/// Finalizes an order for a name with that key, which then waits for approval; gives its URL.
async fn waiting(client: &mut RawClient, responder: &Responder, key: &JwsKey, name: &str) -> String {
    let finalize = client.ready_order(responder, name, json!({})).await;
    let csr = base64url(&certificate_request_by(&key.pkcs8(), name));
    let answer = client.post(&finalize, &json!({ "csr": csr }).to_string()).await;
    assert_eq!(answer.json()["status"], "processing", "{answer:?}");
    answer.header("location").unwrap().to_owned()
}

/// Approves an order that cannot be issued; gives its problem.
async fn approved(installation: &Installation, client: &mut RawClient, url: &str) -> Value {
    installation.run(&["order", "approve", url]).succeeded();
    let order = settled(client, url).await;
    assert_eq!(order["status"], "invalid", "{order}");
    order["error"].clone()
}

/// The order once it is no longer processing.
async fn settled(client: &mut RawClient, url: &str) -> Value {
    let polling = async {
        loop {
            let order = client.post(url, "").await.json();
            if order["status"] != "processing" {
                return order;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polling).await.expect("the order is settled")
}
