//! What the tests of this module share: states of the store, made by hand.

use std::sync::Arc;
use std::time::Duration;

use chancery_db::Db;
use chancery_license::entitlements::Entitlements;
use chancery_license::state::{
    AfterGrace, CallHome, DEFAULT_CLOCK_TOLERANCE, Documents, Edition, LicenseTerms, Revocations,
};
use chancery_license::{Configuration, Database, Feature, Plan, SigningKey};
use chancery_time::Timestamp;

use super::change::Office;
use super::facts::{Facts, Form};
use super::held::Held;
use super::installation::Installation;
use super::record::Record;
use super::snapshot::Snapshot;
use super::{anchors, build};
use crate::audit::Trail;
use crate::store::cold_start::Window;

pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// The day that the tests take place on, well after the build.
pub(super) fn today() -> Timestamp {
    build().date + 1_000 * DAY
}

/// A configuration that issues over ACME.
pub(super) fn configuration(database: Database, authorities: u64) -> Configuration {
    Configuration { database, authorities, features: [Feature::Acme].into() }
}

/// A licence of a plan that was issued today and lasts thirty days, with seven of grace.
pub(super) fn license(plan: Plan) -> Facts {
    Facts {
        form: Form::Lic,
        terms: LicenseTerms {
            id: "lic-1".to_owned(),
            edition: Edition { serial: 1, issued: today() },
            not_before: today(),
            expires: today() + 30 * DAY,
            grace: 7 * DAY,
            after_grace: AfterGrace::RenewalsOnly,
            clock_tolerance: DEFAULT_CLOCK_TOLERANCE,
            minimum_version: None,
            newest_build: None,
        },
        plan: plan.name(),
        organisation: "Example".to_owned(),
        email: "ops@example.org".to_owned(),
        bound_to: None,
        entitlements: plan.entitlements(),
        signer: SigningKey::from_ed25519_seed(&[1; 32]).unwrap().public().id(),
    }
}

/// That licence, with other limits.
pub(super) fn license_with(change: impl FnOnce(&mut Entitlements)) -> Facts {
    let mut facts = license(Plan::Enterprise);
    change(&mut facts.entitlements);
    facts
}

/// An installation with neither licence nor window.
pub(super) fn empty() -> Snapshot {
    Snapshot {
        held: Held {
            keyring: anchors(None).unwrap(),
            documents: Documents { licenses: Vec::new(), revocations: None, call_home: CallHome::Disabled },
            licenses: Vec::new(),
        },
        record: Some(Record::starting(&build(), today())),
        window: None,
        acknowledgement: None,
        first_account_at: None,
        changes: 0,
    }
}

/// An installation with an open or elapsed window.
pub(super) fn in_window(plan: Plan, ends_at: Timestamp) -> Snapshot {
    Snapshot { window: Some(Window { plan, ends_at }), ..empty() }
}

/// An installation with that licence.
pub(super) fn licensed(facts: Facts) -> Snapshot {
    let mut snapshot = empty();
    snapshot.held.documents.licenses.push(Ok(facts.terms.clone()));
    snapshot.held.licenses.push((1, facts));
    snapshot
}

/// That installation, after the vendor revoked its licence.
pub(super) fn revoked(facts: Facts) -> Snapshot {
    let mut snapshot = licensed(facts);
    let ids = ["lic-1".to_owned()].into();
    snapshot.held.documents.revocations = Some(Revocations { sequence: 1, ids, ..Revocations::default() });
    snapshot
}

/// An office over a new store in a directory that is gone with the value.
pub(super) async fn office() -> (tempfile::TempDir, Office) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let db = Db::open(&chancery_db::Config::Sqlite { path }, crate::store::MIGRATIONS).await.unwrap();
    let installation = Installation::open(&db, build(), today()).await.unwrap();
    let office = Office {
        db,
        installation: Arc::new(installation),
        anchors: anchors(None).unwrap(),
        configuration: configuration(Database::Sqlite, 1),
        is_online: true,
        profiles: 1,
        build: build(),
        trail: Trail::new("node-1"),
        logged_first_account: None,
    };
    (directory, office)
}
