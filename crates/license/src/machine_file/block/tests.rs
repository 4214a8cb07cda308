use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::machine_file::{IncludedLicense, Machine, Mode};
use crate::testing::at;

fn block() -> Block {
    Block {
        id: "lic-7".to_owned(),
        serial: 12,
        plan: Plan::Pro,
        holder: Holder { organisation: "Example Ltd".to_owned(), email: "ops@example.com".to_owned() },
        after_grace: AfterGrace::Block,
        clock_tolerance_hours: 24,
        entitlements: Plan::Pro.entitlements(),
        newest_build: Some(at("2027-01-01T00:00:00Z")),
        minimum_version: Some("1.2.0".parse().unwrap()),
    }
}

fn contents(metadata: Option<Metadata>) -> Contents {
    Contents {
        kid: "k".to_owned(),
        issued: at("2026-03-01T00:00:00Z"),
        not_before: at("2026-03-02T00:00:00Z"),
        expires: at("2026-04-01T00:00:00Z"),
        grace: Duration::from_secs(7 * 86_400),
        license_expires: None,
        product_slug: "chancery".to_owned(),
        machine: Machine {
            activation_id: "act-1".to_owned(),
            fingerprint: "machine-0001".to_owned(),
            fingerprint_components: BTreeMap::new(),
            name: None,
            platform: None,
            created: at("2026-02-01T00:00:00Z"),
            metadata: Metadata::default(),
        },
        license: metadata.map(|metadata| IncludedLicense {
            mode: Mode::HardwareLocked,
            seat_limit: None,
            plan_key: "pro".to_owned(),
            starts_at: None,
            entitlements: vec![],
            metadata,
        }),
    }
}

/// What becomes of the block of the tests, written and altered.
fn altered(alter: impl FnOnce(&mut Value)) -> Result<Block, BlockError> {
    let mut value = written();
    alter(&mut value);
    read(&json!({ "chancery": value }).to_string())
}

fn read(metadata: &str) -> Result<Block, BlockError> {
    Block::of(&contents(Some(parsed(metadata))))
}

fn parsed(metadata: &str) -> Metadata {
    Metadata::parse(metadata).unwrap()
}

/// The block of the tests, as it stands in a file.
fn written() -> Value {
    serde_json::to_value(block()).unwrap()
}

#[test]
fn what_is_written_is_read_beside_what_the_licence_has_of_its_own() {
    let own = json!({ "contract": 7, "chancery": "not ours" }).as_object().unwrap().clone();
    let small = Block { newest_build: None, minimum_version: None, ..block() };
    for block in [block(), small] {
        let metadata = block.beside(own.clone()).unwrap();
        assert_eq!(metadata.members()["contract"], 7);
        assert_eq!(Block::of(&contents(Some(metadata))), Ok(block));
    }
}

#[test]
fn without_a_block_a_file_licenses_nothing() {
    for none in
        [Block::of(&contents(None)), read("{}"), read(r#"{"chancery":null}"#), read(r#"{"Chancery":{}}"#)]
    {
        assert_eq!(none, Err(BlockError::Missing));
    }
    assert_eq!(BlockError::Missing.reason(), InvalidReason::WrongType);
}

#[test]
fn a_block_that_breaks_a_rule_is_neither_read_nor_written() {
    let long = "x".repeat(201);
    for (member, value, words) in [
        ("id", json!(""), "the id of a licence"),
        ("id", json!("a b"), "the id of a licence"),
        ("serial", json!(0), "serial is"),
        ("serial", json!(1_u64 << 53), "serial is"),
        ("holder", json!({ "organisation": long, "email": "a@b" }), "organisation is"),
        ("holder", json!({ "organisation": "A", "email": "b" }), "email is"),
        ("clock_tolerance_hours", json!(721), "clock_tolerance_hours is"),
    ] {
        let refused = altered(|block| block[member] = value.clone()).unwrap_err();
        assert!(matches!(refused, BlockError::Rule(rule) if rule.starts_with(words)), "{member}: {refused}");
        assert_eq!(refused.reason(), InvalidReason::Malformed);
        let mut written = written();
        written[member] = value;
        let written: Block = serde_json::from_value(written).unwrap();
        assert_eq!(written.beside(Map::new()), Err(refused));
    }
}

#[test]
fn a_block_has_one_form() {
    for alter in [
        (|block: &mut Value| block["new"] = json!(1)) as fn(&mut Value),
        |block| drop(block.as_object_mut().unwrap().remove("after_grace")),
        |block| drop(block.as_object_mut().unwrap().remove("clock_tolerance_hours")),
        |block| block["plan"] = json!("Pro"),
        |block| block["plan"] = json!({ "pro": null }),
        |block| block["after_grace"] = json!("allow"),
        |block| block["serial"] = json!("12"),
        |block| block["newest_build"] = Value::Null,
        |block| block["newest_build"] = json!("2027-01-01T00:00:00+01:00"),
        |block| block["minimum_version"] = Value::Null,
        |block| block["holder"] = json!(["A", "a@b"]),
        |block| block["holder"]["phone"] = json!("1"),
        |block| block["entitlements"]["max_robots"] = json!(1),
        |block| *block = json!([]),
        |block| *block = json!("pro"),
        |block| block["id"] = json!([[[1]]]),
    ] {
        let refused = altered(alter).unwrap_err();
        assert!(matches!(refused, BlockError::Json(_)), "{refused:?}");
    }
    let half = "y".repeat(limits::MAX_METADATA_BYTES / 2 - 10);
    let large = json!({ "x": half, "z": half }).as_object().unwrap().clone();
    assert!(matches!(block().beside(large), Err(BlockError::Metadata(_))));
}

#[test]
fn the_terms_are_those_of_the_file_within_the_licence() {
    let metadata = block().beside(Map::new()).unwrap();
    let day = Duration::from_secs(86_400);
    let end = at("2026-04-01T00:00:00Z");
    for (license_ends, expires, grace) in [
        (None, end, 7 * day),
        (Some(end + 30 * day), end, 7 * day),
        (Some(end + 2 * day), end, 2 * day),
        (Some(end), end, Duration::ZERO),
        (Some(end - day), end - day, Duration::ZERO),
    ] {
        let contents = Contents { license_expires: license_ends, ..contents(Some(metadata.clone())) };
        let terms = block().terms(&contents);
        assert_eq!((terms.expires, terms.grace), (expires, grace), "{license_ends:?}");
        assert_eq!(terms.edition, Edition { serial: 12, issued: contents.issued });
        assert_eq!((terms.not_before, terms.after_grace), (contents.not_before, AfterGrace::Block));
        assert_eq!((terms.id.as_str(), terms.clock_tolerance), ("lic-7", day));
        assert_eq!(
            (terms.minimum_version, terms.newest_build),
            (block().minimum_version, block().newest_build)
        );
    }
}

proptest! {
    #[test]
    fn no_metadata_makes_it_panic(text in r#"\{("chancery":)?[\[\]{}":,a-c0-2]{0,30}\}"#) {
        if let Ok(metadata) = Metadata::parse(&text) {
            prop_assert!(Block::of(&contents(Some(metadata))).is_err());
        }
    }
}
