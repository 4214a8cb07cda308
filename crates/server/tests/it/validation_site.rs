//! An installation with hosts and a DNS of its own, and the steps of an order through a client that sends what it
//! is told to.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_acme::challenge::{dns_account01_owner, dns01_value};
use chancery_testkit::{
    AlpnResponder, Answer, DnsServer, Engine, Installation, RawClient, Responder, run_program,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use serde_json::{Value, json};

use crate::CHANCERY;

pub(crate) const HTTP_01: &str = "http-01";
pub(crate) const TLS_ALPN_01: &str = "tls-alpn-01";
pub(crate) const DNS_01: &str = "dns-01";
pub(crate) const DNS_ACCOUNT_01: &str = "dns-account-01";
pub(crate) const DNS_PERSIST_01: &str = "dns-persist-01";
pub(crate) const ALL: [&str; 5] = [HTTP_01, TLS_ALPN_01, DNS_01, DNS_ACCOUNT_01, DNS_PERSIST_01];

/// How often an object is read until it is what it will be, and the pause in between.
const POLLS: usize = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// What a challenge is answered from. Every name that the DNS is not told of leads to the hosts.
pub(crate) struct Site {
    pub(crate) installation: Installation,
    pub(crate) dns: DnsServer,
    pub(crate) http: Responder,
    pub(crate) alpn: AlpnResponder,
}

impl Site {
    /// A site whose one profile offers these challenges.
    pub(crate) async fn new(engine: Engine, challenges: &[&str]) -> Self {
        let installation = Installation::new(CHANCERY, engine);
        let (dns, alpn) = (DnsServer::start(), AlpnResponder::start());
        let http = Responder::start(installation.http01_port()).await;
        installation.configure(|config| {
            config["validation"][0]["resolvers"] = json!([dns.address()]);
            config["validation"][0]["dns_timeout"] = json!("1s");
            config["validation"][0]["tls_alpn01"] = json!({ "port": alpn.port() });
            config["profiles"][0]["challenges"] = json!(challenges);
        });
        Self { installation, dns, http, alpn }
    }

    /// A client with an account. The server must be running.
    pub(crate) async fn client(&self) -> RawClient {
        registered(RawClient::new(&self.installation).await).await
    }

    /// Has the DNS lead a name to the hosts of this site.
    pub(crate) fn host(&self, name: &str) {
        self.dns.set_addresses(name, &[std::net::Ipv4Addr::LOCALHOST.into()]);
    }

    /// Puts in place what a challenge of that type asks for.
    pub(crate) fn show(&self, client: &RawClient, authorization: &Value, kind: &str) {
        let name = authorization["identifier"]["value"].as_str().unwrap();
        let challenge = challenge(authorization, kind);
        let shown = || client.key_authorization(challenge["token"].as_str().unwrap());
        let digest = || dns01_value(&shown());
        match kind {
            HTTP_01 => self.http.serve(challenge["token"].as_str().unwrap(), &shown()),
            TLS_ALPN_01 => self.alpn.serve(name, &shown()),
            DNS_01 => self.dns.set_txt(&format!("_acme-challenge.{name}"), &["other", &digest()]),
            DNS_ACCOUNT_01 => self.dns.set_txt(&dns_account01_owner(&client.account(), name), &[&digest()]),
            _ => self.persist(client, name, "; policy=wildcard"),
        }
    }

    /// A record for dns-persist-01, with more parameters behind those that it must have.
    pub(crate) fn persist(&self, client: &RawClient, name: &str, more: &str) {
        let record = format!("localhost; accounturi={}{more}", client.account());
        self.dns.set_txt(&format!("_validation-persist.{name}"), &[&record]);
    }

    /// Passes a challenge of that type for an authorization, and reads the authorization again.
    pub(crate) async fn prove(&self, client: &mut RawClient, url: &str, kind: &str) -> Value {
        let authorization = read(client, url).await;
        assert_eq!(authorization["status"], "pending", "{authorization}");
        self.show(client, &authorization, kind);
        let settled = answer(client, &challenge(&authorization, kind)).await;
        assert_eq!(settled["status"], "valid", "{settled}");
        read(client, url).await
    }

    /// Takes a pending order to ready.
    pub(crate) async fn make_ready(&self, client: &mut RawClient, order: &Order, kind: &str) {
        for url in authorizations(&order.object) {
            let valid = self.prove(client, &url, kind).await;
            assert_eq!(valid["status"], "valid", "{valid}");
        }
        let order = read(client, &order.url).await;
        assert_eq!(order["status"], "ready", "{order}");
    }
}

/// An order, as it was made.
pub(crate) struct Order {
    pub(crate) url: String,
    pub(crate) object: Value,
    pub(crate) names: Vec<String>,
}

/// A client that has registered.
pub(crate) async fn registered(mut client: RawClient) -> RawClient {
    let answer = client.register(&json!({})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    client
}

/// An identifier: of type `ip` where it is an address.
pub(crate) fn identifier(value: &str) -> Value {
    let kind = if value.parse::<std::net::IpAddr>().is_ok() { "ip" } else { "dns" };
    json!({ "type": kind, "value": value })
}

/// A new order for these names.
pub(crate) async fn order(client: &mut RawClient, names: &[&str]) -> Order {
    order_of(client, names.iter().map(|name| identifier(name)).collect()).await
}

/// A new order for identifiers with members of their own.
pub(crate) async fn order_of(client: &mut RawClient, identifiers: Vec<Value>) -> Order {
    let names =
        identifiers.iter().map(|identifier| identifier["value"].as_str().unwrap().to_owned()).collect();
    let made = try_order(client, identifiers).await;
    assert_eq!(made.status, 201, "{made:?}");
    Order { url: made.header("location").unwrap().to_owned(), object: made.json(), names }
}

/// What the server says to an order for these identifiers.
pub(crate) async fn try_order(client: &mut RawClient, identifiers: Vec<Value>) -> Answer {
    let url = client.url("newOrder");
    client.post(&url, &json!({ "identifiers": identifiers }).to_string()).await
}

/// Reads an object.
pub(crate) async fn read(client: &mut RawClient, url: &str) -> Value {
    let answer = client.post(url, "").await;
    assert_eq!(answer.status, 200, "{url}: {answer:?}");
    answer.json()
}

/// The URLs of an order's authorizations.
pub(crate) fn authorizations(order: &Value) -> Vec<String> {
    order["authorizations"].as_array().unwrap().iter().map(|url| url.as_str().unwrap().to_owned()).collect()
}

/// The challenges that an authorization offers, in their order.
pub(crate) fn offered(authorization: &Value) -> Vec<&str> {
    authorization["challenges"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect()
}

/// The challenge of that type.
pub(crate) fn challenge(authorization: &Value, kind: &str) -> Value {
    let challenges = authorization["challenges"].as_array().unwrap();
    let found = challenges.iter().find(|challenge| challenge["type"] == kind);
    found.unwrap_or_else(|| panic!("{kind} is offered: {authorization}")).clone()
}

/// Has a challenge looked at, and waits for what comes of it.
pub(crate) async fn answer(client: &mut RawClient, challenge: &Value) -> Value {
    begin(client, challenge).await;
    settled(client, challenge).await
}

/// Has a challenge looked at.
pub(crate) async fn begin(client: &mut RawClient, challenge: &Value) -> Answer {
    let answer = client.post(challenge["url"].as_str().unwrap(), "{}").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// Waits until a challenge is not processing any more.
pub(crate) async fn settled(client: &mut RawClient, challenge: &Value) -> Value {
    for _ in 0..POLLS {
        let challenge = read(client, challenge["url"].as_str().unwrap()).await;
        if challenge["status"] != "processing" {
            return challenge;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("a challenge is processing for ever: {challenge}");
}

/// Asks for the certificate of an order that is ready.
pub(crate) async fn finalize(client: &mut RawClient, order: &Order) -> Answer {
    let url = order.object["finalize"].as_str().unwrap();
    client.post(url, &finalization(order)).await
}

/// What finalizes an order: a request for its names and a new key.
pub(crate) fn finalization(order: &Order) -> String {
    let mut request = CertificateParams::new(order.names.clone()).unwrap();
    request.distinguished_name = DistinguishedName::new();
    let request = request.serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let csr = Base64UrlUnpadded::encode_string(request.der());
    json!({ "csr": csr }).to_string()
}

/// Finalizes an order and reads which names its certificate is for, as OpenSSL writes them, sorted.
pub(crate) async fn certified(client: &mut RawClient, order: &Order) -> String {
    let answer = finalize(client, order).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let valid = answer.json();
    assert_eq!(valid["status"], "valid", "{valid}");
    let chain = client.post(valid["certificate"].as_str().unwrap(), "").await;
    assert_eq!(chain.status, 200, "{chain:?}");
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("chain.pem");
    std::fs::write(&file, &chain.body).unwrap();
    let names = ["x509", "-noout", "-ext", "subjectAltName", "-in", &file.display().to_string()];
    let text = run_program("openssl", &names).succeeded().stdout;
    let mut names: Vec<_> = text.lines().last().unwrap_or_default().trim().split(", ").collect();
    names.sort_unstable();
    names.join(", ")
}

/// The type of a problem, without the part that all have.
pub(crate) fn kind(problem: &Value) -> &str {
    problem["type"].as_str().unwrap().rsplit(':').next().unwrap()
}

/// The text of a problem.
pub(crate) fn detail(problem: &Value) -> &str {
    problem["detail"].as_str().unwrap()
}
