use base64ct::{Base64, Encoding as _};
use chancery_license::exchange::seal_request;
use serde_json::Value;

use super::*;
use crate::licensing::testing::{office, today};

/// Everything that is sent, and nothing else. Whoever adds to it adds to `docs/licensing.md`, and thinks twice.
const SENT: [&str; 20] = [
    "body",
    "body.counter",
    "body.held",
    "body.held.keys",
    "body.held.revocations",
    "body.held.serial",
    "body.installation_key",
    "body.license_key",
    "body.machine_name",
    "body.metrics",
    "body.metrics.active_certificates",
    "body.metrics.authorities",
    "body.metrics.database",
    "body.metrics.managed_servers",
    "body.metrics.version",
    "body.nonce",
    "body.public_key",
    "environment",
    "issued",
    "product",
];

const PAGE: &str = include_str!("../../../../../../docs/licensing.md");

/// The names of all members, each behind those that hold it.
fn members(value: &Value, of: &str, found: &mut Vec<String>) {
    let Value::Object(object) = value else {
        assert!(!value.is_array(), "{of}: a list could hold anything");
        return;
    };
    for (name, value) in object {
        let name = if of.is_empty() { name.clone() } else { format!("{of}.{name}") };
        members(value, &name, found);
        found.push(name);
    }
}

/// What stands in the armour, whoever signed it.
fn payload(sealed: &str) -> Value {
    let decode = |text: &str| Base64::decode_vec(text).unwrap();
    let body: String = sealed.lines().filter(|line| !line.starts_with("-----")).collect();
    let envelope: Value = serde_json::from_slice(&decode(&body)).unwrap();
    let of_envelope: Vec<&String> = envelope.as_object().unwrap().keys().collect();
    assert_eq!(of_envelope, ["payload", "payloadType", "signatures"]);
    let signatures = envelope["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 1);
    assert_eq!(signatures[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["keyid", "sig"]);
    serde_json::from_slice(&decode(envelope["payload"].as_str().unwrap())).unwrap()
}

#[tokio::test]
async fn nothing_is_sent_that_is_not_listed() {
    let (_directory, office) = office().await;
    let snapshot = office.snapshot().await.unwrap();
    let sent = |license_key, machine_name| {
        let question = Question {
            nonce: Nonce::from_random([5; 32]),
            counter: 7,
            license_key,
            machine_name,
            snapshot: &snapshot,
            usage: Usage { managed_servers: 3, certificates: 4, users: 0, profiles: 1 },
        };
        payload(&seal_request(&question.document(&office, today()), &office.installation.signing).unwrap())
    };
    let all = sent(Some(LicenseKey::from_random(&[1; 29])), Some("box".to_owned()));
    let mut found = Vec::new();
    members(&all, "", &mut found);
    found.sort_unstable();
    assert_eq!(found, SENT);
    assert_eq!(all["body"]["metrics"]["managed_servers"], 3);
    assert_eq!(all["body"]["metrics"]["active_certificates"], 4);
    assert_eq!(all["body"]["metrics"]["database"], "sqlite");
    assert_eq!(all["body"]["held"]["serial"], 0);

    let poll = sent(None, None);
    let mut found = Vec::new();
    members(&poll, "", &mut found);
    found.sort_unstable();
    let usual = SENT.iter().filter(|name| !matches!(**name, "body.license_key" | "body.machine_name"));
    assert_eq!(found, usual.copied().collect::<Vec<_>>());
}

#[test]
fn the_page_lists_every_member() {
    let (_, section) = PAGE.split_once("\n### What is sent\n").expect("the section");
    let (section, _) = section.split_once("\n#").expect("a section behind it");
    for name in SENT {
        let leaf = name.rsplit('.').next().unwrap();
        assert!(section.contains(&format!("`{leaf}`")), "{name} is not listed in docs/licensing.md");
    }
}
