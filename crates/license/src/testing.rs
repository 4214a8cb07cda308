//! What the tests of documents share: keys from fixed seeds, and a document of each kind.

use chancery_time::Timestamp;

use crate::anchors::{Anchor, Environment, TrustAnchors};
use crate::crypto::SigningKey;
use crate::document::Document;
use crate::key::{InstallationKey, LicenseKey, RANDOM_BYTES};
use crate::keyring::Keyring;
use crate::lic::{Holder, License};
use crate::manifest::{IssuingKey, KeyManifest, Use};
use crate::plan::Plan;
use crate::revocations::{Reason, RevocationList, Revoked};
use crate::state::AfterGrace;

pub(crate) const PRODUCT: &str = "chancery";

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_ed25519_seed(&[seed; 32]).unwrap()
}

/// The production root of the tests.
pub(crate) fn root() -> SigningKey {
    key(1)
}

/// The development root of the tests.
pub(crate) fn dev_root() -> SigningKey {
    key(2)
}

pub(crate) fn anchors() -> TrustAnchors {
    let anchor = |key: &SigningKey, product: &str, environment| Anchor {
        key: key.public().clone(),
        product: product.to_owned(),
        environment,
    };
    TrustAnchors::new(vec![
        anchor(&root(), PRODUCT, Environment::Prod),
        anchor(&dev_root(), PRODUCT, Environment::Dev),
        anchor(&key(3), "other", Environment::Prod),
    ])
    .unwrap()
}

/// The production keyring of the tests, before any manifest.
pub(crate) fn keyring() -> Keyring {
    Keyring::new(&anchors(), PRODUCT, Environment::Prod).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A document of production, issued at the beginning of March 2026.
pub(crate) fn document<T>(body: T) -> Document<T> {
    Document {
        product: PRODUCT.to_owned(),
        environment: Environment::Prod,
        issued: at("2026-03-01T00:00:00Z"),
        body,
    }
}

pub(crate) fn license() -> License {
    License {
        id: "lic-0001".to_owned(),
        serial: 41,
        plan: Plan::Pro,
        holder: Holder { organisation: "Example Ltd".to_owned(), email: "ops@example.com".to_owned() },
        license_key: LicenseKey::from_random(&[7; RANDOM_BYTES]),
        installation_key: Some(InstallationKey::from_random(&[9; RANDOM_BYTES])),
        not_before: at("2026-03-01T00:00:00Z"),
        expires: at("2027-03-01T00:00:00Z"),
        grace_days: 14,
        after_grace: AfterGrace::Block,
        clock_tolerance_hours: 48,
        entitlements: Plan::Pro.entitlements(),
        newest_build: Some(at("2027-03-01T00:00:00Z")),
        minimum_version: Some("0.1.0".parse().unwrap()),
    }
}

pub(crate) fn revocations() -> RevocationList {
    let at = at("2026-02-01T00:00:00Z");
    RevocationList {
        sequence: 12,
        next_update: self::at("2026-04-01T00:00:00Z"),
        licenses: ["lic-0002", "lic-0003"]
            .map(|id| Revoked { what: id.to_owned(), at, reason: Reason::Unpaid })
            .into(),
        serials: [7, 40].map(|serial| Revoked { what: serial, at, reason: Reason::Superseded }).into(),
    }
}

/// A manifest that lets the key of that seed sign licences and revocation lists during 2026.
pub(crate) fn manifest(sequence: u64, seed: u8) -> KeyManifest {
    KeyManifest {
        sequence,
        next_root: None,
        keys: vec![IssuingKey {
            key: key(seed).public().clone(),
            not_before: at("2026-01-01T00:00:00Z"),
            not_after: at("2026-12-31T00:00:00Z"),
            uses: vec![Use::License, Use::Revocations],
        }],
    }
}
