//! What a server tells its portal over days, read on the way there.

use std::collections::BTreeSet;

use base64ct::{Base64, Encoding as _};
use chancery_testkit::{Engine, RawClient, Responder, SocketTrace};
use serde_json::{Value, json};

use super::relay::Relay;
use super::stage::Stage;
use super::wire::Message;
use crate::portal::{block_on, on_both_engines};

on_both_engines!(only_what_is_listed_is_sent_and_to_one_place);

/// What docs/licensing.md lists under "What is sent", but for the two members that not every request has.
const LISTED: [&str; 15] = [
    "product",
    "environment",
    "issued",
    "body.installation_key",
    "body.public_key",
    "body.nonce",
    "body.counter",
    "body.held.serial",
    "body.held.revocations",
    "body.held.keys",
    "body.metrics.database",
    "body.metrics.authorities",
    "body.metrics.managed_servers",
    "body.metrics.active_certificates",
    "body.metrics.version",
];
const LICENSE_KEY: &str = "body.license_key";
const MACHINE_NAME: &str = "body.machine_name";

/// What nobody beyond the server shall hear of.
const ACCOUNTS: [&str; 2] = ["quokka", "numbat"];
const NAMES: [&str; 2] = ["wombat-of-the-west", "bandicoot-of-the-east"];

fn only_what_is_listed_is_sent_and_to_one_place(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        let portal = stage.open_portal();
        let relay = Relay::before(&stage.portal);
        stage.connect(|portal| portal["url"] = json!(relay.url()));
        let license = stage.sell("pro", &[]);
        stage.link(&license);
        stage.customer(&["license", "refresh"]).succeeded();
        let trace = SocketTrace::new();
        let traced = stage.server.traced(&trace);
        let server = traced.serve_under(&stage.clock);
        let responder = Responder::start(stage.server.http01_port()).await;

        let mut secrets = vec![license.key.clone(), stage.server.url()];
        for (account, name) in ACCOUNTS.iter().zip(NAMES) {
            let mut client = RawClient::under(&stage.clock, &stage.server).await;
            let contact = format!("mailto:{account}@example.org");
            let payload = json!({ "termsOfServiceAgreed": true, "contact": [contact] });
            assert_eq!(client.register(&payload).await.status, 201);
            let issued = client.obtain(&responder, &format!("{name}.localhost")).await;
            assert_eq!(issued.status, 200, "{issued:?}");
            let url = issued.json()["certificate"].as_str().unwrap().to_owned();
            let certificate = client.post(&url, "").await.body;
            // The middle of the certificate, where no two are alike.
            secrets.extend(certificate.lines().skip(3).take(3).map(str::to_owned));
            secrets.extend([url, client.account()]);
            stage.next_poll(&server).await;
        }
        secrets.extend(ACCOUNTS.iter().chain(&NAMES).map(|&name| name.to_owned()));
        stage.next_poll(&server).await;
        let registration = relay.seen().len();
        stage.register(&license.key, &["--name", "box 7"]).succeeded();
        stage.next_poll(&server).await;

        let seen = relay.seen();
        assert!(registration >= 4 && seen.len() > registration + 1, "{registration} of {}", seen.len());
        for (number, message) in seen.iter().enumerate() {
            let mut wanted: BTreeSet<&str> = LISTED.into();
            if number == registration {
                wanted.insert(LICENSE_KEY);
            }
            if number >= registration {
                wanted.insert(MACHINE_NAME);
            }
            let payload = payload(&stage, relay.port(), message);
            let members = members(&payload);
            assert_eq!(members.iter().map(String::as_str).collect::<BTreeSet<_>>(), wanted, "{payload}");

            let body = String::from_utf8_lossy(&message.body);
            let all = format!("{}{:?}{body}{payload}", message.line, message.fields).to_lowercase();
            let known = |secret: &&String| number != registration || **secret != license.key;
            for secret in secrets.iter().filter(known) {
                assert!(!all.contains(&secret.to_lowercase()), "{secret} in {all}");
            }
        }
        let metrics = &payload(&stage, relay.port(), &seen[registration])["body"]["metrics"];
        let database = if engine == Engine::Sqlite { "sqlite" } else { "postgres" };
        assert_eq!((&metrics["database"], &metrics["authorities"]), (&json!(database), &json!(1)));
        assert_eq!((&metrics["managed_servers"], &metrics["active_certificates"]), (&json!(2), &json!(2)));
        stage.close([portal, server]);

        // Beside the portal there is whom the server validates, here on loopback, and the database.
        let mut others = destinations(&trace);
        assert!(others.remove(&relay.port()), "{others:?}");
        others.remove(&stage.server.http01_port());
        if engine == Engine::Postgres {
            others.remove(&postgres_port());
        }
        assert_eq!(others, BTreeSet::new());
    });
}

/// What is signed in a request, whose head says nothing that is not needed.
fn payload(stage: &Stage, port: u16, message: &Message) -> Value {
    let key = stage.server.installation_key();
    assert_eq!(message.line, format!("POST /api/v1/installations/{key}/sync HTTP/1.1"));
    let mut fields = message.fields.clone();
    fields.sort_unstable();
    let expected = [
        "accept: application/json".to_owned(),
        format!("content-length: {}", message.body.len()),
        "content-type: application/json".to_owned(),
        format!("host: localhost:{port}"),
        format!("user-agent: chancery/{}", env!("CARGO_PKG_VERSION")),
    ];
    assert_eq!(fields, expected);

    let body: Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["request"]);
    let armour = body["request"].as_str().unwrap();
    let lines: Vec<&str> = armour.trim_end().lines().collect();
    assert_eq!(lines[0], "-----BEGIN CHANCERY REQUEST-----");
    assert_eq!(lines[lines.len() - 1], "-----END CHANCERY REQUEST-----");
    let envelope = Base64::decode_vec(&lines[1..lines.len() - 1].concat()).unwrap();
    let envelope: Value = serde_json::from_slice(&envelope).unwrap();
    assert_eq!(envelope.as_object().unwrap().len(), 3, "{envelope}");
    assert_eq!(envelope["signatures"].as_array().unwrap().len(), 1, "{envelope}");
    assert_eq!(envelope["signatures"][0].as_object().unwrap().len(), 2, "{envelope}");
    let payload = Base64::decode_vec(envelope["payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// The paths of all values in an object.
fn members(value: &Value) -> Vec<String> {
    let Some(object) = value.as_object() else { return vec![String::new()] };
    let below = |(name, value)| {
        members(value).into_iter().map(move |rest| format!("{name}.{rest}").trim_end_matches('.').to_owned())
    };
    object.iter().flat_map(below).collect()
}

/// The ports to which the program has connected, all of them on this host.
fn destinations(trace: &SocketTrace) -> BTreeSet<u16> {
    let calls = trace.calls();
    let calls = calls.iter().filter(|call| call.name == "connect" && call.rest.contains("sa_family=AF_INET"));
    calls
        .map(|call| {
            let is_here = call.rest.contains(r#"inet_addr("127.0.0.1")"#) || call.rest.contains(r#""::1""#);
            assert!(is_here, "a connection to another host: {call}");
            let port = call.rest.split("_port=htons(").nth(1).and_then(|rest| rest.split(')').next());
            port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no port: {call}"))
        })
        .collect()
}

fn postgres_port() -> u16 {
    let dsn = std::env::var("CHANCERY_TEST_POSTGRES").unwrap();
    dsn.split_whitespace().find_map(|pair| pair.strip_prefix("port=")).unwrap().parse().unwrap()
}
