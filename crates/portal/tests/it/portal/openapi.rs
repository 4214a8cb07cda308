//! The OpenAPI document is what is published, and what the portal does.

use std::collections::{BTreeMap, BTreeSet};

use chancery_testkit::{Engine, Workdir, rounds, schemathesis};
use serde_json::Value;

use super::document::{operations, text};
use super::shop::{DEVICE, PRODUCT, Shop, activate};
use super::{block_on, on_both_engines};

on_both_engines!(strangers_find_nothing);

/// `docs/openapi.json`.
const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

/// What the document is held to by schemathesis: no 5xx, no status that it does not tell of, and every answer as
/// its schema has it.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

#[test]
fn the_published_document_is_the_programs() {
    let text = text();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PUBLISHED, &text).unwrap();
    }
    let published = std::fs::read_to_string(PUBLISHED).unwrap_or_default();
    assert!(published == text, "docs/openapi.json is old: run the tests once with UPDATE_DOCS=1");
}

/// Client generators name functions after it (OpenAPI 3.1, "Operation Object": unique among all operations).
#[test]
fn every_operation_has_a_name_of_its_own() {
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for operation in operations() {
        named.entry(operation.id).or_default().push(format!("{} {}", operation.method, operation.path));
    }
    named.retain(|id, operations| id.is_empty() || operations.len() > 1);
    assert!(named.is_empty(), "{named:#?}");
}

/// Requests made at random of the document, right and wrong, under a key that may everything but on live data.
fn strangers_find_nothing(engine: Engine) {
    block_on(async {
        let shop = Shop::open(engine);
        let sold = shop.sell(&["--env", "dev"]);
        let key = shop.secret_key("--test");
        let mut server = shop.serve();
        activate(&shop.client(&key), &sold.key, DEVICE).await;

        let directory = Workdir::new();
        directory.write("openapi.json", &text());
        // Where a path has these parameters, they name something.
        let parameters = format!("[parameters]\nslug = \"{PRODUCT}\"\nlicense = \"{}\"\n", sold.id);
        directory.write("schemathesis.toml", &parameters);
        let report = directory.join("report.ndjson");
        let root = shop.root();
        let examples = rounds(6).to_string();
        let found = schemathesis(
            directory.path(),
            &[
                &["--config-file", "schemathesis.toml", "run", "openapi.json"][..],
                &["--url", &shop.url(), "--tls-verify", root.to_str().unwrap()],
                &["--header", &format!("Authorization: Bearer {key}")],
                // It would soon revoke its own.
                &["--exclude-path-regex", "/api_keys/.*/revoke$"],
                &["--checks", CHECKS, "--phases", "coverage,fuzzing,stateful", "--max-examples", &examples],
                &["--continue-on-failure", "--no-shrink", "--warnings", "off", "--request-retries", "3"],
                &["--report", "ndjson", "--report-ndjson-path", report.to_str().unwrap()],
            ]
            .concat(),
        );
        server.terminate();
        assert_eq!(found.code, Some(0), "{found}");
        // It was let in, and came through to what is there.
        let statuses = statuses(&std::fs::read_to_string(report).unwrap());
        for status in [200, 201, 400, 403, 404, 422] {
            assert!(statuses.contains(&status), "no request was answered with {status}: {statuses:?}");
        }
    });
}

/// The statuses of all answers in a report.
fn statuses(report: &str) -> BTreeSet<u64> {
    let mut statuses = BTreeSet::new();
    for line in report.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let interactions = &event["ScenarioFinished"]["recorder"]["interactions"];
        for interaction in interactions.as_object().into_iter().flat_map(serde_json::Map::values) {
            statuses.extend(interaction["response"]["status_code"].as_u64());
        }
    }
    statuses
}
