use serde_json::{Value, json};

use super::*;
use crate::document::{self, seal};
use crate::envelope::Envelope;
use crate::testing::{at, keyring, root};

/// The licence of the tests as JSON, altered, and signed as it is then.
fn altered(alter: impl FnOnce(&mut Value)) -> Envelope {
    let document = crate::testing::document(crate::testing::license());
    let mut payload: Value = serde_json::to_value(&document).unwrap();
    alter(&mut payload["body"]);
    let payload = serde_json::to_vec(&payload).unwrap();
    Envelope::sign(&Kind::License.payload_type(), payload, &[&root()]).unwrap()
}

fn opened(envelope: &Envelope) -> Result<License, DocumentError> {
    document::open_envelope::<License>(envelope, &keyring()).map(|opened| opened.into_document().body)
}

#[test]
fn members_that_may_be_left_out_have_their_defaults() {
    let envelope = altered(|body| {
        let body = body.as_object_mut().unwrap();
        for name in [
            "installation_key",
            "grace_days",
            "after_grace",
            "clock_tolerance_hours",
            "newest_build",
            "minimum_version",
        ] {
            assert!(body.remove(name).is_some(), "{name}");
        }
    });
    let license = opened(&envelope).unwrap();
    assert_eq!((license.grace_days, license.clock_tolerance_hours), (7, 24));
    assert_eq!(license.after_grace, AfterGrace::RenewalsOnly);
    assert_eq!((license.installation_key, license.newest_build, license.minimum_version), (None, None, None));
}

#[test]
fn every_other_member_is_required() {
    for name in ["id", "serial", "plan", "holder", "license_key", "not_before", "expires", "entitlements"] {
        let refused = opened(&altered(|body| {
            body.as_object_mut().unwrap().remove(name);
        }));
        assert!(matches!(refused, Err(DocumentError::Payload(_))), "{name}: {refused:?}");
    }
}

#[test]
fn each_member_is_held_to_its_rule() {
    for (name, value) in [
        ("id", json!("")),
        ("id", json!("lic 1")),
        ("id", json!("x".repeat(65))),
        ("serial", json!(0)),
        ("serial", json!(9_007_199_254_740_992_u64)),
        ("serial", json!(-1)),
        ("serial", json!(1.0)),
        ("serial", json!("41")),
        ("plan", json!("platinum")),
        ("plan", json!({"pro": null})),
        ("holder", json!(["Example Ltd", "ops@example.com"])),
        ("holder", json!({"organisation": "Example Ltd"})),
        ("holder", json!({"organisation": "Example\nLtd", "email": "ops@example.com"})),
        ("holder", json!({"organisation": " Example Ltd", "email": "ops@example.com"})),
        ("holder", json!({"organisation": "", "email": "ops@example.com"})),
        ("holder", json!({"organisation": "x".repeat(201), "email": "ops@example.com"})),
        ("holder", json!({"organisation": "Example Ltd", "email": "example.com"})),
        ("holder", json!({"organisation": "Example Ltd", "email": "ops@"})),
        ("license_key", json!("CRT-000000-000000-000000-000000-000001")),
        ("installation_key", json!(null)),
        ("installation_key", json!("INST-0")),
        ("not_before", json!(1_772_323_200)),
        ("not_before", json!("2026-03-01")),
        ("not_before", json!("2027-03-01T00:00:00Z")),
        ("expires", json!("2027-03-01T00:00:00+00:00")),
        ("grace_days", json!(367)),
        ("grace_days", json!(null)),
        ("after_grace", json!("allow")),
        ("clock_tolerance_hours", json!(721)),
        ("entitlements", json!([])),
        ("newest_build", json!(null)),
        ("minimum_version", json!("1")),
        ("colour", json!("red")),
    ] {
        let refused = opened(&altered(|body| body[name] = value.clone())).expect_err(name);
        assert_eq!(refused.class(), "malformed", "{name}: {value}: {refused}");
    }
}

#[test]
fn a_bound_licence_fits_one_installation_and_a_free_one_any() {
    let [bound, other] = [9, 8].map(|byte| InstallationKey::from_random(&[byte; crate::key::RANDOM_BYTES]));
    let mut license = crate::testing::license();
    assert_eq!(license.fit_installation(&bound), Ok(()));
    let bound_to = bound.to_string();
    assert_eq!(license.fit_installation(&other), Err(DocumentError::WrongInstallation { bound_to }));
    license.installation_key = None;
    assert_eq!(license.fit_installation(&other), Ok(()));
}

#[test]
fn the_state_function_gets_every_term() {
    let document = crate::testing::document(crate::testing::license());
    let opened = document::open(&seal(&document, &[&root()]).unwrap(), &keyring()).unwrap();
    assert_eq!(
        LicenseTerms::from(&opened),
        LicenseTerms {
            id: "lic-0001".to_owned(),
            edition: Edition { serial: 41, issued: at("2026-03-01T00:00:00Z") },
            not_before: at("2026-03-01T00:00:00Z"),
            expires: at("2027-03-01T00:00:00Z"),
            grace: Duration::from_secs(14 * 86_400),
            after_grace: AfterGrace::Block,
            clock_tolerance: Duration::from_secs(48 * 3_600),
            minimum_version: Some("0.1.0".parse().unwrap()),
            newest_build: Some(at("2027-03-01T00:00:00Z")),
        }
    );
}

#[test]
fn a_debug_form_does_not_tell_the_licence_key() {
    let license = crate::testing::license();
    assert!(!format!("{license:?}").contains(license.license_key.reveal()));
}
