//! Requests drawn at random: bytes that are more or less HTTP, and JWS that are more or less right.

use chancery_testkit::{Answer, Installation, RawClient, base64url, certificate_request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// The URLs of every kind of resource, those of objects among them.
#[derive(Debug, Clone)]
pub(super) struct Routes {
    origin: String,
    urls: Vec<String>,
}

impl Routes {
    pub(super) async fn find(client: &mut RawClient, installation: &Installation) -> Self {
        let origin = installation.url();
        let mut urls = vec![
            installation.directory_url(),
            format!("{origin}/acme/default/directory"),
            format!("{origin}/acme/default/new-order"),
            format!("{origin}/healthz"),
            format!("{origin}/readyz"),
            format!("{origin}/"),
        ];
        for resource in
            ["newNonce", "newAccount", "newOrder", "newAuthz", "revokeCert", "keyChange", "renewalInfo"]
        {
            urls.push(client.url(resource));
        }
        let order = client.new_order("arbitrary.localhost", json!({})).await;
        let order_url = order.header("location").expect("an order has a URL").to_owned();
        let order = order.json();
        let authorization = order["authorizations"][0].as_str().expect("a URL").to_owned();
        let challenges = client.post(&authorization, "").await.json()["challenges"].take();
        for challenge in challenges.as_array().expect("a list") {
            urls.push(challenge["url"].as_str().expect("a URL").to_owned());
        }
        let account = client.account();
        urls.push(format!("{account}/orders"));
        urls.push(order["finalize"].as_str().expect("a URL").to_owned());
        urls.push(format!("{origin}/acme/certificate/AAAAAAAAAAAAAAAAAAAAAA"));
        urls.push(format!("{}/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", client.url("renewalInfo")));
        urls.extend([account, order_url, authorization]);
        Self { origin, urls }
    }

    fn any(&self) -> impl Strategy<Value = String> + use<> {
        select(self.urls.clone())
    }

    /// The path of a route, or of one with something done to it.
    fn target(&self) -> impl Strategy<Value = Vec<u8>> + use<> {
        let origin = self.origin.clone();
        let path = self.any().prop_map(move |url| url.replacen(&origin, "", 1).into_bytes());
        let behind = prop_oneof![
            12 => Just(Vec::new()),
            2 => "[/?#][a-zA-Z0-9%./?=&-]{0,30}".prop_map(String::into_bytes),
            1 => vec(any::<u8>(), 0..20),
            1 => "(%[0-9a-fA-F]{2}){1,10}".prop_map(String::into_bytes),
        ];
        (path, behind).prop_map(|(path, behind)| [path, behind].concat())
    }
}

/// Bytes for a connection.
pub(super) fn bytes(routes: &Routes) -> impl Strategy<Value = Vec<u8>> + use<> {
    let request = (method(), routes.target(), vec(field(), 0..8), body(), framing()).prop_map(
        |(method, target, fields, body, framing)| {
            let mut bytes = [method.as_bytes(), b" ", &target, b" HTTP/1.1\r\nHost: localhost\r\n"].concat();
            for (name, value) in fields {
                bytes.extend([name.as_bytes(), b": ", &value, b"\r\n"].concat());
            }
            bytes.extend(framing.head(body.len()).as_bytes());
            bytes.extend(framing.body(&body));
            bytes
        },
    );
    prop_oneof![
        8 => request,
        1 => vec(any::<u8>(), 0..2_000),
        1 => "(GET|POST) [ -~]{0,200} HTTP/(1.0|1.1|2.0|9.9)\r\n([ -~]{0,40}\r\n){0,5}\r\n".prop_map(String::into_bytes),
    ]
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just("POST".to_owned()),
        2 => Just("GET".to_owned()),
        2 => select(vec!["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]).prop_map(str::to_owned),
        1 => "[!-~]{1,12}",
    ]
}

fn field() -> impl Strategy<Value = (String, Vec<u8>)> {
    let names = vec![
        "Content-Type",
        "Content-Encoding",
        "Accept",
        "Host",
        "Expect",
        "Replay-Nonce",
        "User-Agent",
        "X-Forwarded-For",
        "Forwarded",
        "Cookie",
        "Authorization",
        "If-Modified-Since",
        "Range",
        "Upgrade",
        "Connection",
    ];
    let media = select(vec!["application/jose+json", "application/json", "text/plain", "*/*"]);
    prop_oneof![
        6 => Just(("Content-Type".to_owned(), b"application/jose+json".to_vec())),
        1 => media.prop_map(|media| ("Content-Type".to_owned(), media.as_bytes().to_vec())),
        4 => (select(names.clone()), "[ -~]{0,60}").prop_map(|(name, value)| (name.to_owned(), value.into_bytes())),
        // Most of these are for the HTTP parser alone.
        1 => (select(names), vec(any::<u8>(), 0..8)).prop_map(|(name, value)| (name.to_owned(), value)),
        1 => ("[a-zA-Z-]{1,20}", "[ -~]{0,60}").prop_map(|(name, value)| (name, value.into_bytes())),
    ]
}

/// How a body is framed, and how truthfully.
#[derive(Debug, Clone, Copy)]
enum Framing {
    Length,
    /// With a length that is too great by so much.
    TooLong(usize),
    /// With a length that is too small, so that the rest is the next request.
    TooShort,
    Chunked,
    /// Chunks without their end.
    Unended,
    /// Both, as in an attempt to smuggle a request (RFC 9112 §11.2).
    Both,
    None,
}

fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![
        10 => Just(Framing::Length),
        1 => (1_usize..1_000_000_000).prop_map(Framing::TooLong),
        1 => Just(Framing::TooShort),
        2 => Just(Framing::Chunked),
        1 => Just(Framing::Unended),
        1 => Just(Framing::Both),
        1 => Just(Framing::None),
    ]
}

impl Framing {
    fn head(self, length: usize) -> String {
        match self {
            Self::Length => format!("Content-Length: {length}\r\nConnection: close\r\n\r\n"),
            Self::TooLong(more) => format!("Content-Length: {}\r\n\r\n", length + more),
            Self::TooShort => format!("Content-Length: {}\r\n\r\n", length / 2),
            Self::Chunked => "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".to_owned(),
            Self::Unended => "Transfer-Encoding: chunked\r\n\r\n".to_owned(),
            Self::Both => format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Self::None => "\r\n".to_owned(),
        }
    }

    fn body(self, body: &[u8]) -> Vec<u8> {
        let chunk = || [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n"].concat();
        match self {
            Self::Chunked if body.is_empty() => b"0\r\n\r\n".to_vec(),
            Self::Chunked => [chunk(), b"0\r\n\r\n".to_vec()].concat(),
            Self::Unended => chunk(),
            _ => body.to_vec(),
        }
    }
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let part =
        || prop_oneof![vec(any::<u8>(), 0..200), "\\PC{0,100}".prop_map(String::into_bytes), json_text()];
    let jws = (part(), part(), vec(any::<u8>(), 0..80)).prop_map(|(header, payload, signature)| {
        json!({
            "protected": base64url(&header), "payload": base64url(&payload), "signature": base64url(&signature)
        })
        .to_string()
        .into_bytes()
    });
    prop_oneof![
        1 => Just(Vec::new()),
        2 => vec(any::<u8>(), 0..3_000),
        2 => json_text(),
        4 => jws,
    ]
}

fn json_text() -> impl Strategy<Value = Vec<u8>> {
    value().prop_map(|value| value.to_string().into_bytes())
}

/// Any JSON, with the names of members that the protocol has.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,30}".prop_map(Value::from),
        select(vec![
            "dns",
            "ip",
            "a.localhost",
            "*.a.localhost",
            "192.0.2.1",
            "deactivated",
            "default",
            "mailto:a@b.test",
            "ES256",
            "HS256",
            "2027-01-01T00:00:00Z",
            "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE",
        ])
        .prop_map(Value::from),
        vec(any::<u8>(), 0..60).prop_map(|bytes| Value::from(base64url(&bytes))),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let members = vec((member(), inner.clone()), 0..6);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn member() -> impl Strategy<Value = String> {
    let known = vec![
        "identifiers",
        "identifier",
        "type",
        "value",
        "notBefore",
        "notAfter",
        "replaces",
        "profile",
        "ancestorDomain",
        "subdomainAuthAllowed",
        "csr",
        "status",
        "contact",
        "termsOfServiceAgreed",
        "onlyReturnExisting",
        "externalAccountBinding",
        "certificate",
        "reason",
        "account",
        "oldKey",
        "protected",
        "payload",
        "signature",
        "alg",
        "jwk",
        "kid",
        "nonce",
        "url",
        "kty",
        "crv",
        "x",
        "y",
        "n",
        "e",
    ];
    prop_oneof![6 => select(known).prop_map(str::to_owned), 1 => "\\PC{0,12}"]
}

/// A request that is signed as it should be, but for what was drawn.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    url: String,
    payload: Vec<u8>,
    /// Members of the protected header in place of its own.
    header: Vec<(String, Value)>,
    by_jwk: bool,
}

/// Requests whose signatures are good.
pub(super) fn signed(routes: &Routes) -> impl Strategy<Value = Signed> + use<> {
    let payload = prop_oneof![
        1 => Just(Vec::new()),
        1 => vec(any::<u8>(), 0..500),
        2 => json_text(),
        2 => vec((member(), value()), 0..6)
            .prop_map(|members| Value::Object(members.into_iter().collect()).to_string().into_bytes()),
        4 => (select(sound()), vec((member(), value()), 0..2)).prop_map(|(mut payload, changes)| {
            for (member, value) in changes {
                payload[member] = value;
            }
            payload.to_string().into_bytes()
        }),
    ];
    let header = prop_oneof![9 => Just(Vec::new()), 1 => vec((member(), value()), 0..3)];
    let acme: Vec<String> = routes.urls.iter().filter(|url| url.contains("/acme/")).cloned().collect();
    (select(acme), payload, header, proptest::bool::weighted(0.1))
        .prop_map(|(url, payload, header, by_jwk)| Signed { url, payload, header, by_jwk })
        // A closed account is no use for the next case.
        .prop_filter("it closes the account", |request| !contains(&request.payload, b"deactivated"))
}

/// Payloads that some resource takes.
fn sound() -> Vec<Value> {
    let name = json!({ "type": "dns", "value": "sound.localhost" });
    vec![
        json!({}),
        json!({ "identifiers": [name] }),
        json!({ "identifiers": [name, { "type": "ip", "value": "192.0.2.1" }], "notAfter": "2027-01-01T00:00:00Z" }),
        json!({ "identifiers": [{ "type": "dns", "value": "*.localhost", "ancestorDomain": "localhost" }] }),
        json!({ "identifier": name }),
        json!({ "contact": ["mailto:a@b.test"], "termsOfServiceAgreed": true }),
        json!({ "csr": base64url(&certificate_request("arbitrary.localhost")) }),
        json!({ "certificate": base64url(&certificate_request("arbitrary.localhost")), "reason": 1 }),
        json!({ "externalAccountBinding": { "protected": "e30", "payload": "e30", "signature": "AAAA" } }),
    ]
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

impl Signed {
    pub(super) async fn send(&self, client: &mut RawClient) -> Answer {
        let mut header = client.header(&self.url).await;
        if self.by_jwk {
            header.as_object_mut().expect("an object").remove("kid");
            header["jwk"] = client.jwk();
        }
        for (member, value) in &self.header {
            header[member] = value.clone();
        }
        let body = client.key().flattened(&header, &self.payload);
        client.send(&self.url, &body).await
    }
}
