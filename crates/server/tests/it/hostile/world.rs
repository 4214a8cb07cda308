//! What the cases of the catalogue start from: a server, accounts, and their objects in every state.

use std::sync::Arc;

use chancery_testkit::{
    Answer, Installation, JwsKey, RawClient, Responder, base64url, certificate_request_by,
};
use http::Method;
use serde_json::{Value, json};

use super::case::Draft;
use crate::obtained::{Obtained, finish, obtain, revocation};

/// The name that no profile serves.
pub(super) const DENIED: &str = "denied.localhost";

/// A server with two accounts that have objects, and others that have none.
pub(super) struct World {
    client: RawClient,
    directory: Value,
    /// The origin of the server.
    pub(super) origin: String,
    /// The account whose requests are bad.
    pub(super) owner: Party,
    /// An account whose objects are none of the owner's.
    pub(super) other: Party,
    /// An account that was closed.
    pub(super) closed: Account,
    /// A key without an account.
    pub(super) stranger: Arc<JwsKey>,
    /// Keys for external account bindings.
    pub(super) external: ExternalKeys,
    /// A certificate of the owner that was revoked.
    pub(super) revoked: Obtained,
    /// The one that the server shows.
    pub(super) own_certificate: Vec<u8>,
    /// Nonces that were spent, and what by.
    pub(super) spent: Vec<(&'static str, String)>,
}

/// A key and the URL of its account.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) key: Arc<JwsKey>,
    pub(super) url: String,
}

/// A key for external account bindings, as an operator hands it out.
pub(super) struct ExternalKey {
    pub(super) kid: String,
    pub(super) hmac_key: String,
}

pub(super) struct ExternalKeys {
    pub(super) usable: ExternalKey,
    pub(super) revoked: ExternalKey,
    /// It had one use.
    pub(super) used: ExternalKey,
}

/// An account with orders.
pub(super) struct Party {
    pub(super) account: Account,
    pub(super) pending: Order,
    pub(super) ready: Order,
    pub(super) valid: Order,
    /// Given up by its authorization.
    pub(super) invalid: Order,
    pub(super) certificate: Obtained,
}

/// The URLs of an order for one name.
pub(super) struct Order {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) finalize: String,
    pub(super) authorization: String,
    pub(super) challenge: String,
}

/// Adds what the cases need to a configuration: a name that is refused, and a profile for bound accounts.
pub(super) fn configure(installation: &Installation) {
    installation.configure(|config| {
        config["profiles"][0]["deny"] = json!([format!("={DENIED}"), "10.0.0.0/8"]);
        let mut bound = config["profiles"][0].clone();
        bound["name"] = json!("bound");
        bound["require_eab"] = json!(true);
        config["profiles"].as_array_mut().unwrap().push(bound);
    });
}

impl World {
    /// Prepares everything on a running server.
    pub(super) async fn prepare(installation: &Installation) -> Self {
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(installation).await;
        let directory = client.unsigned(Method::GET, &installation.directory_url()).await.json();
        let owner = Party::prepare(&mut client, &responder, "owner").await;
        let other = Party::prepare(&mut client.another(), &responder, "other").await;
        let mut closed = client.another();
        register(&mut closed).await;
        let closed_account = Account::of(&closed);
        let answer = closed.post(&closed_account.url, r#"{"status":"deactivated"}"#).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let spent = spend(&mut client).await;
        let external = ExternalKeys::make(installation, &client).await;
        let revoked = revoked(&mut client, &responder).await;
        let own_certificate = installation.https_client().certificate(&installation.url()).await;
        Self {
            external,
            revoked,
            own_certificate,
            directory,
            origin: installation.url(),
            owner,
            other,
            closed: closed_account,
            stranger: Arc::new(JwsKey::p256()),
            spent,
            client,
        }
    }

    /// A URL of the directory.
    pub(super) fn url(&self, resource: &str) -> String {
        let url = self.directory[resource].as_str();
        url.unwrap_or_else(|| panic!("the directory names `{resource}`")).to_owned()
    }

    /// The URL of a resource of a profile's own directory.
    pub(super) fn of_profile(&self, profile: &str, resource: &str) -> String {
        of_profile(&self.url(resource), profile)
    }

    /// A nonce that was not spent yet.
    pub(super) async fn nonce(&mut self) -> String {
        self.client.nonce().await
    }

    pub(super) async fn send(&self, draft: Draft) -> Answer {
        self.client.exchange(draft.request()).await
    }

    /// Whether a nonce lets the owner read their account.
    pub(super) async fn is_usable(&self, nonce: &str) -> bool {
        let Account { key, url } = &self.owner.account;
        self.send(Draft::new(key, Some(url), url, nonce, "")).await.status == 200
    }

    /// A good request of the owner.
    pub(super) fn post(&self, url: &str, nonce: &str, payload: &str) -> Draft {
        self.owner.account.post(url, nonce, payload)
    }

    /// A request of a key that has no account yet for one.
    pub(super) fn registration(&self, nonce: &str, payload: &str) -> Draft {
        Draft::new(&self.stranger, None, &self.url("newAccount"), nonce, payload)
    }

    /// The owner's order for one name.
    pub(super) fn order(&self, nonce: &str, name: &str) -> Draft {
        self.post(&self.url("newOrder"), nonce, &order_payload(name))
    }

    /// Whether the owner's objects are as they were before the cases: the pending order is pending, the ready one
    /// can still be finalized, and the certificate be downloaded.
    pub(super) async fn assert_unharmed(&mut self) {
        let Account { key, url } = self.owner.account.clone();
        for (order, status) in
            [(&self.owner.pending, "pending"), (&self.owner.ready, "ready"), (&self.owner.valid, "valid")]
        {
            let nonce = self.client.nonce().await;
            let answer = self.send(Draft::new(&key, Some(&url), &order.url, &nonce, "")).await;
            assert_eq!(answer.json()["status"], status, "{}: {answer:?}", order.name);
        }
        let nonce = self.client.nonce().await;
        let certificate = &self.owner.certificate.url;
        let answer = self.send(Draft::new(&key, Some(&url), certificate, &nonce, "")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let nonce = self.client.nonce().await;
        let ready = &self.owner.ready;
        let request = certificate_request_by(&JwsKey::p256().pkcs8(), &ready.name);
        let payload = json!({ "csr": base64url(&request) }).to_string();
        let answer = self.send(Draft::new(&key, Some(&url), &ready.finalize, &nonce, &payload)).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (200, &json!("valid")), "{answer:?}");
    }
}

impl Account {
    pub(super) fn of(client: &RawClient) -> Self {
        Self { key: Arc::clone(client.key()), url: client.account() }
    }

    /// A good request.
    pub(super) fn post(&self, url: &str, nonce: &str, payload: &str) -> Draft {
        Draft::new(&self.key, Some(&self.url), url, nonce, payload)
    }
}

impl Party {
    async fn prepare(client: &mut RawClient, responder: &Responder, who: &str) -> Self {
        register(client).await;
        let (pending, _) = Order::make(client, &format!("pending.{who}.localhost")).await;
        let (ready, answer) = Order::make(client, &format!("ready.{who}.localhost")).await;
        client.make_ready(responder, &answer).await;
        let (valid, answer) = Order::make(client, &format!("valid.{who}.localhost")).await;
        client.make_ready(responder, &answer).await;
        let certificate = issue(client, &valid).await;
        let (invalid, _) = Order::make(client, &format!("invalid.{who}.localhost")).await;
        let answer = client.post(&invalid.authorization, r#"{"status":"deactivated"}"#).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Self { account: Account::of(client), pending, ready, valid, invalid, certificate }
    }
}

impl Order {
    /// Makes one, and reads where its objects are.
    async fn make(client: &mut RawClient, name: &str) -> (Self, Answer) {
        let made = client.new_order(name, json!({})).await;
        assert_eq!(made.status, 201, "{made:?}");
        let order = made.json();
        let authorization = text(&order["authorizations"][0]);
        let challenges = client.post(&authorization, "").await.json()["challenges"].take();
        let http = challenges.as_array().unwrap().iter().find(|challenge| challenge["type"] == "http-01");
        let order = Self {
            name: name.to_owned(),
            url: made.header("location").unwrap().to_owned(),
            finalize: text(&order["finalize"]),
            authorization,
            challenge: text(&http.unwrap()["url"]),
        };
        (order, made)
    }
}

/// Takes an order of a client to a certificate, which is for a key of its own.
async fn issue(client: &mut RawClient, order: &Order) -> Obtained {
    finish(client, &order.finalize, &order.name, JwsKey::p256()).await
}

/// A certificate of a client that was revoked.
async fn revoked(client: &mut RawClient, responder: &Responder) -> Obtained {
    let certificate = obtain(client, responder, "revoked.owner.localhost", json!({})).await;
    let answer = client.post(&client.url("revokeCert"), &revocation(&certificate.der, 0)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    certificate
}

impl ExternalKeys {
    async fn make(installation: &Installation, client: &RawClient) -> Self {
        let usable = ExternalKey::make(installation, "unlimited");
        let revoked = ExternalKey::make(installation, "unlimited");
        installation.run(&["eab", "revoke", &revoked.kid]).succeeded();
        let used = ExternalKey::make(installation, "1");
        let mut bound = client.another();
        let url = of_profile(&client.url("newAccount"), "bound");
        let payload = json!({ "externalAccountBinding": bound.binding(&url, &used.kid, &used.hmac_key) });
        let answer = bound.post(&url, &payload.to_string()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        Self { usable, revoked, used }
    }
}

impl ExternalKey {
    /// Makes one that binds so many accounts.
    pub(super) fn make(installation: &Installation, uses: &str) -> Self {
        let made = installation.run(&["eab", "create", "--uses", uses, "--json"]).succeeded();
        let made: Value = serde_json::from_str(&made.stdout).expect("JSON");
        Self { kid: text(&made["kid"]), hmac_key: text(&made["hmac_key"]) }
    }
}

/// The URL of that resource in the directory of a profile.
fn of_profile(url: &str, profile: &str) -> String {
    url.replace("/acme/", &format!("/acme/{profile}/"))
}

async fn register(client: &mut RawClient) {
    let answer = client.register(&json!({ "termsOfServiceAgreed": true })).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// Spends nonces in several ways.
async fn spend(client: &mut RawClient) -> Vec<(&'static str, String)> {
    let account = Account::of(client);
    let mut spent = Vec::new();
    let mut spend = async |way, draft: fn(Draft) -> Draft, status: u16| {
        let nonce = client.nonce().await;
        let answer = client.exchange(draft(account.post(&account.url, &nonce, "")).request()).await;
        assert_eq!(answer.status, status, "{way}: {answer:?}");
        spent.push((way, nonce));
    };
    spend("a good request", std::convert::identity, 200).await;
    spend("a wrong signature", |draft| draft.signature(vec![1; 64]), 400).await;
    spend("a wrong URL", |draft| draft.set("url", "https://a.test/"), 401).await;
    spend("a wrong account", |draft| draft.set("kid", "https://a.test/"), 400).await;
    spend("a wrong payload", |draft| draft.payload("[]"), 400).await;
    spent
}

/// The payload of an order for one name.
pub(super) fn order_payload(name: &str) -> String {
    json!({ "identifiers": [{ "type": "dns", "value": name }] }).to_string()
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
