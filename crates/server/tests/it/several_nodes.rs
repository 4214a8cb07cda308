//! Two nodes on one PostgreSQL, as behind a balancer.

use chancery_testkit::{Engine, Installation, RawClient, Responder};
use http::Method;
use serde_json::json;

use crate::CHANCERY;
use crate::acme::block_on;

/// A client whose requests go now to one node, now to the other, need not know of it; and a nonce is redeemed once,
/// on whichever node.
#[test]
fn a_client_may_go_from_one_to_the_other() {
    block_on(async {
        let one = Installation::new(CHANCERY, Engine::Postgres);
        one.configure(|config| config["server"]["several_nodes"] = json!(true));
        let two = one.another_node();
        let mut servers = [one.serve(), two.serve()];
        let responder = Responder::start(one.http01_port()).await;
        let mut client = RawClient::new(&one).await;
        let there = |url: &str| url.replace(&one.node_url(), &two.node_url());

        // A nonce of the second node, redeemed on the first; then again, on both.
        let answer = client.unsigned(Method::HEAD, &there(&client.url("newNonce"))).await;
        let nonce = answer.header("replay-nonce").unwrap().to_owned();
        let url = client.url("newAccount");
        let header = json!({ "alg": "ES256", "nonce": nonce, "url": url, "jwk": client.jwk() });
        let body = client.sign(&header, "{}");
        assert_eq!(client.send(&url, &body).await.status, 201);
        client.send(&url, &body).await.problem(400, "badNonce");
        client.send(&there(&url), &body).await.problem(400, "badNonce");

        // Each request goes to the node that did not answer the one before.
        assert_eq!(client.register(&json!({})).await.status, 200);
        for (number, is_there) in [true, false, true, false].into_iter().enumerate() {
            let url = client.account();
            let header = client.header(&url).await;
            let body = client.sign(&header, "");
            let at = if is_there { there(&url) } else { url };
            let answer = client.send(&at, &body).await;
            assert_eq!(answer.status, 200, "request {number}: {answer:?}");
        }
        let obtained = client.obtain(&responder, "one.localhost").await;
        assert_eq!(obtained.json()["status"], "valid", "{obtained:?}");
        assert!(one.query_i64("SELECT COUNT(*) FROM redeemed_nonces") >= 5);
        servers.iter_mut().for_each(|server| server.terminate());
    });
}
