//! The steps of an order (RFC 8555 §7.4), taken by a [`RawClient`].

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use crate::{Answer, RawClient, Responder, certificate_request};

/// How long a server may take to validate, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a client waits before it asks again, so that many of them leave the server time to work.
const PAUSE: Duration = Duration::from_millis(20);

impl RawClient {
    /// Takes one name from nothing to its certificate: registers where there is no account yet, orders,
    /// answers the challenge, and finalizes with a new key.
    ///
    /// Gives the answer to finalize whatever its status; where the order itself is refused, that answer.
    pub async fn obtain(&mut self, responder: &Responder, name: &str) -> Answer {
        if !self.has_account() {
            let registered = self.register(&json!({ "termsOfServiceAgreed": true })).await;
            assert_eq!(registered.status, 201, "{registered:?}");
        }
        let order = self.new_order(name, json!({})).await;
        if order.status != 201 {
            return order;
        }
        let finalize = self.make_ready(responder, &order).await;
        self.finalize(&finalize, name).await
    }

    /// Asks for an order for one name. `wishes` are further members of the payload: `notBefore`, say.
    pub async fn new_order(&mut self, name: &str, wishes: Value) -> Answer {
        let mut payload = wishes;
        payload["identifiers"] = json!([{ "type": "dns", "value": name }]);
        let url = self.url("newOrder");
        self.post(&url, &payload.to_string()).await
    }

    /// Makes an order that must be accepted, and takes it to `ready`; gives the URL where it is finalized.
    pub async fn ready_order(&mut self, responder: &Responder, name: &str, wishes: Value) -> String {
        let order = self.new_order(name, wishes).await;
        assert_eq!(order.status, 201, "{order:?}");
        self.make_ready(responder, &order).await
    }

    /// Finalizes an order for one name with a new key.
    pub async fn finalize(&mut self, url: &str, name: &str) -> Answer {
        let request = Base64UrlUnpadded::encode_string(&certificate_request(name));
        self.post(url, &json!({ "csr": request }).to_string()).await
    }

    /// Answers the http-01 challenges of a new order, and waits until it is ready; gives the URL where it
    /// is finalized.
    pub async fn make_ready(&mut self, responder: &Responder, order: &Answer) -> String {
        let url = order.header("location").expect("a new order has a URL").to_owned();
        let order = order.json();
        for authorization in order["authorizations"].as_array().expect("a list") {
            self.answer_challenge(responder, text(authorization)).await;
        }
        let ready = tokio::time::timeout(PATIENCE, self.wait_until_ready(&url)).await;
        ready.unwrap_or_else(|_| panic!("the order {url} is still pending after {PATIENCE:?}"));
        text(&order["finalize"]).to_owned()
    }

    async fn answer_challenge(&mut self, responder: &Responder, authorization: &str) {
        let authorization = self.post(authorization, "").await.json();
        if authorization["status"] != "pending" {
            return;
        }
        let challenges = authorization["challenges"].as_array().expect("a list");
        let challenge = challenges.iter().find(|challenge| challenge["type"] == "http-01");
        let challenge = challenge.unwrap_or_else(|| panic!("http-01 is not offered: {authorization}"));
        let token = text(&challenge["token"]);
        responder.serve(token, &self.key_authorization(token));
        let answer = self.post(text(&challenge["url"]), "{}").await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn wait_until_ready(&mut self, order: &str) {
        loop {
            let answer = self.post(order, "").await;
            match text(&answer.json()["status"]) {
                "ready" => return,
                "pending" => tokio::time::sleep(PAUSE).await,
                _ => panic!("the order does not become ready: {answer:?}"),
            }
        }
    }
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text"))
}
