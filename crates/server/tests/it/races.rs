//! Two requests at the same time for what can be had once: one has it.
//!
//! Each race is run twenty times, and a thousand in `make soak`.

use std::collections::HashSet;

use chancery_testkit::{
    Answer, Engine, Installation, JwsKey, RawClient, Responder, base64url, certificate_request, rounds,
};
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::obtained::{Obtained, finish, revocation};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    an_order_is_finalized_once,
    an_external_key_of_one_use_binds_one_account,
    a_certificate_is_revoked_once,
    a_challenge_is_looked_at_once,
);

/// How often a race is run: 1,000 times where 200 rounds are asked for, as `make soak` does.
fn tries() -> usize {
    rounds(4) * 5
}

fn an_order_is_finalized_once(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&installation).await;
        for number in 0..tries() {
            let name = format!("r{number}.localhost");
            let finalize = client.ready_order(&responder, &name, json!({})).await;
            // Two requests for two keys.
            let requests = [certificate_request(&name), certificate_request(&name)];
            let payloads = requests.map(|request| json!({ "csr": base64url(&request) }).to_string());
            let answers = both(&client, &finalize, &payloads).await;
            let (_, loser) = one_of(&answers, 200);
            loser.problem(403, "orderNotReady");
        }
        server.terminate();
        let count = i64::try_from(tries()).unwrap();
        let issued = "SELECT COUNT(*) FROM certificates WHERE account_id IS NOT NULL AND der IS NOT NULL";
        assert_eq!(installation.query_i64(issued), count);
        let orders = "SELECT COUNT(DISTINCT order_id) FROM certificates WHERE account_id IS NOT NULL";
        assert_eq!(installation.query_i64(orders), count);
    });
}

fn an_external_key_of_one_use_binds_one_account(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let first = RawClient::new(&installation).await;
        let url = first.url("newAccount");
        let made = installation.run(&["eab", "create", "--json"]).succeeded();
        let made: Value = serde_json::from_str(&made.stdout).unwrap();
        let (of_all, hmac_key) = (made["kid"].as_str().unwrap(), made["hmac_key"].as_str().unwrap());
        for number in 0..tries() {
            let kid = &format!("key-{number}");
            copy_external_key(&installation, of_all, kid);
            let clients = [first.another(), first.another()];
            let bodies = clients.each_ref().map(|client| {
                json!({ "externalAccountBinding": client.binding(&url, kid, hmac_key) }).to_string()
            });
            let requests = [
                signed(&clients[0], None, &url, &bodies[0]).await,
                signed(&clients[1], None, &url, &bodies[1]).await,
            ];
            let answers = at_once(&first, requests).await;
            let (_, loser) = one_of(&answers, 201);
            loser.problem(403, "unauthorized");
        }
        server.terminate();
        let count = i64::try_from(tries()).unwrap();
        assert_eq!(installation.query_i64("SELECT COUNT(*) FROM accounts"), count);
        let used = "SELECT COUNT(*) FROM external_account_keys WHERE uses_left = 0";
        assert_eq!(installation.query_i64(used), count);
        let bound = "SELECT COUNT(DISTINCT external_account_key_id) FROM accounts";
        assert_eq!(installation.query_i64(bound), count);
    });
}

fn a_certificate_is_revoked_once(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&installation).await;
        let url = client.url("revokeCert");
        let mut reasons = HashSet::new();
        for number in 0..tries() {
            let name = format!("r{number}.localhost");
            let finalize = client.ready_order(&responder, &name, json!({})).await;
            let Obtained { der, holder, .. } = finish(&mut client, &finalize, &name, JwsKey::p256()).await;
            // The account gives one reason, whoever holds the key another.
            let payloads = [revocation(&der, 4), revocation(&der, 1)];
            let account = client.account();
            let requests = [
                signed(&client, Some(&account), &url, &payloads[0]).await,
                signed(&holder, None, &url, &payloads[1]).await,
            ];
            let answers = at_once(&client, requests).await;
            let (winner, loser) = one_of(&answers, 200);
            loser.problem(400, "alreadyRevoked");
            let reason = if std::ptr::eq(winner, &raw const answers[0]) { 4 } else { 1 };
            reasons.insert((number, reason));
        }
        server.terminate();
        let count = i64::try_from(tries()).unwrap();
        let revoked = "SELECT COUNT(*) FROM certificates WHERE revoked_at IS NOT NULL";
        assert_eq!(installation.query_i64(revoked), count);
        // What was acknowledged is what is kept.
        for reason in [1, 4] {
            let kept = format!("SELECT COUNT(*) FROM certificates WHERE revocation_reason = {reason}");
            let told = reasons.iter().filter(|(_, given)| *given == reason).count();
            assert_eq!(installation.query_i64(&kept), i64::try_from(told).unwrap(), "reason {reason}");
        }
    });
}

fn a_challenge_is_looked_at_once(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&installation).await;
        for number in 0..tries() {
            let order = client.new_order(&format!("r{number}.localhost"), json!({})).await;
            assert_eq!(order.status, 201, "{order:?}");
            let order = order.json();
            let authorization = order["authorizations"][0].as_str().unwrap();
            let challenges = client.post(authorization, "").await.json()["challenges"].take();
            let http = challenges.as_array().unwrap().iter().find(|challenge| challenge["type"] == "http-01");
            let challenge = http.unwrap();
            let token = challenge["token"].as_str().unwrap();
            responder.serve(token, &client.key_authorization(token));
            let url = challenge["url"].as_str().unwrap();
            for answer in both(&client, url, &["{}".to_owned(), "{}".to_owned()]).await {
                assert_eq!(answer.status, 200, "{answer:?}");
                let status = answer.json()["status"].take();
                assert!(status == "processing" || status == "valid", "{answer:?}");
            }
            let (url, authorization) = (url.to_owned(), authorization.to_owned());
            wait_until_valid(&mut client, &authorization).await;
            // A third time, after the end.
            let again = client.post(&url, "{}").await;
            assert_eq!((again.status.as_u16(), &again.json()["status"]), (200, &json!("valid")), "{again:?}");
            assert_eq!(responder.requests(), number + 1, "each was looked at once");
        }
        server.terminate();
    });
}

/// Adds an external key that is another but for its identifier: a command for each would take as long as all else.
fn copy_external_key(installation: &Installation, from: &str, to: &str) {
    let others = "hmac_key, label, policy, uses_left, expires_at, revoked_at, created_at";
    let added = installation.sql(&format!(
        "INSERT INTO external_account_keys (kid, {others}) \
         SELECT '{to}', {others} FROM external_account_keys WHERE kid = '{from}'"
    ));
    assert_eq!(added, 1);
}

async fn registered(installation: &Installation) -> RawClient {
    let mut client = RawClient::new(installation).await;
    let answer = client.register(&json!({})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    client
}

/// Two requests of an account at the same time.
async fn both(client: &RawClient, url: &str, payloads: &[String; 2]) -> [Answer; 2] {
    let account = client.account();
    let requests = [
        signed(client, Some(&account), url, &payloads[0]).await,
        signed(client, Some(&account), url, &payloads[1]).await,
    ];
    at_once(client, requests).await
}

/// Sends two requests at the same time.
async fn at_once(client: &RawClient, requests: [Request<Full<Bytes>>; 2]) -> [Answer; 2] {
    let [one, other] = requests;
    let (one, other) = tokio::join!(client.exchange(one), client.exchange(other));
    [one, other]
}

/// A request with a nonce of its own, ready to be sent.
async fn signed(client: &RawClient, account: Option<&str>, url: &str, payload: &str) -> Request<Full<Bytes>> {
    let answer = client.unsigned(Method::HEAD, &client.url("newNonce")).await;
    let nonce = answer.header("replay-nonce").expect("newNonce gives a nonce");
    let mut header = json!({ "alg": client.key().alg(), "nonce": nonce, "url": url });
    match account {
        Some(account) => header["kid"] = json!(account),
        None => header["jwk"] = client.jwk(),
    }
    let body = client.key().flattened(&header, payload.as_bytes()).to_string();
    Request::post(url).header(CONTENT_TYPE, "application/jose+json").body(Full::from(body)).unwrap()
}

/// The one answer of two with that status, and the other.
#[track_caller]
fn one_of(answers: &[Answer; 2], status: u16) -> (&Answer, &Answer) {
    match answers.each_ref().map(|answer| answer.status == status) {
        [true, false] => (&answers[0], &answers[1]),
        [false, true] => (&answers[1], &answers[0]),
        _ => panic!("not exactly one of them has the status {status}: {answers:?}"),
    }
}

async fn wait_until_valid(client: &mut RawClient, authorization: &str) {
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(10);
    for _ in 0..6_000 {
        let object = client.post(authorization, "").await.json();
        match object["status"].as_str() {
            Some("valid") => return,
            Some("pending") => tokio::time::sleep(PAUSE).await,
            _ => panic!("{object}"),
        }
    }
    panic!("{authorization} does not become valid");
}
