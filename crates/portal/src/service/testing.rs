//! What the tests of services begin with: a portal in a directory of its own, under a clock that stands still.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chancery_db::{Config, Db, WriteTx, params};
use chancery_license::key::RANDOM_BYTES;
use chancery_license::state::AfterGrace;
use chancery_license::{Environment, LicenseKey, Plan};
use chancery_testkit::{Database, Engine};
use chancery_time::{Clock, Timestamp};
use chancery_trail::{Keys, Trail};
use serde_json::Value;
use tempfile::TempDir;

use super::log::Log;
use super::{Failure, Office, Signers};
use crate::config::{Revocations, Webhooks};
use crate::domain::webhook::Destinations;
use crate::domain::{Actor, Mode, Permission, Permissions, Refusal, StoredStatus};
use crate::id::IdKind;
use crate::random;
use crate::store::activations::{self, Activation};
use crate::store::licenses::{self, Allowed, License, Terms};
use crate::store::products::{self, Kind, Product};
use crate::store::{self, plans, settings};
use crate::vault::{Purpose, Vault};

/// A portal for one test. It begins at 2026-06-14T12:00:00Z.
pub(crate) struct Bench {
    pub(crate) office: Office,
    clock: Arc<StillClock>,
    _workdir: TempDir,
    _database: Database,
}

/// A clock that moves when it is told to.
#[derive(Debug)]
struct StillClock(Mutex<Timestamp>);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// An event of the issuance log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) event: String,
    pub(crate) details: Value,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::on(Engine::Sqlite).await
    }

    pub(crate) async fn on(engine: Engine) -> Self {
        let workdir = tempfile::tempdir().unwrap();
        Vault::create(workdir.path()).unwrap();
        let database = Database::create(engine);
        let config = match &database {
            Database::Sqlite => Config::Sqlite { path: workdir.path().join("portal.db") },
            Database::Postgres { dsn, .. } => Config::Postgres { dsn: dsn.clone().into() },
        };
        let clock = Arc::new(StillClock(Mutex::new("2026-06-14T12:00:00Z".parse().unwrap())));
        let db = Db::open(&config, store::MIGRATIONS).await.unwrap();
        let log_keys = Keys::open(&db, "bench", settings::find_or_insert).await.unwrap();
        let office = Office {
            db,
            vault: Arc::new(Vault::open(workdir.path()).unwrap()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            trail: Trail::new("bench"),
            log: Arc::new(Log::new(log_keys, chancery_trail::directory(workdir.path()))),
            signers: Signers::default(),
            revocations: Revocations { next_update: Duration::from_secs(30 * 86_400) },
            destinations: Arc::new(Destinations::new(&Webhooks {
                allow: vec![],
                deny: vec![],
                ca_file: None,
            })),
        };
        Self { office, clock, _workdir: workdir, _database: database }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.office.now()
    }

    pub(crate) fn set(&self, now: Timestamp) {
        *self.clock.0.lock().unwrap() = now;
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// Does something to the store that no service does.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        change: impl Fn(&mut WriteTx<'_>) -> Result<T, chancery_db::Error> + Send + 'static,
    ) -> T {
        self.office.write(move |_, tx| Ok(change(tx)?)).await.unwrap()
    }

    /// A product of kind generic.
    pub(crate) async fn product(&self, slug: &str) -> Product {
        self.product_of_kind(slug, Kind::Generic).await
    }

    pub(crate) async fn product_of_kind(&self, slug: &str, kind: Kind) -> Product {
        let (id, slug, now) = (IdKind::Product.fresh().unwrap(), slug.to_owned(), self.now());
        self.write(move |tx| {
            tx.execute(
                "INSERT INTO products (id, slug, name, kind, created_at) VALUES ($1, $2, $2, $3, $4)",
                params![&id, &slug, kind.name(), now.unix_millis()],
            )?;
            Ok(products::by_slug(tx, &slug)?.unwrap())
        })
        .await
    }

    /// A plan of the product with these terms.
    pub(crate) async fn plan(&self, product: &Product, terms: Terms, valid_days: Option<i64>) -> plans::Plan {
        let plan = plans::Plan {
            id: IdKind::Plan.fresh().unwrap(),
            product_id: product.id.clone(),
            name: terms.plan_key.clone(),
            valid_days,
            terms,
            metadata: None,
            created_at: self.now(),
            archived_at: None,
        };
        let new = plan.clone();
        assert!(self.write(move |tx| plans::insert(tx, &new)).await);
        plan
    }

    /// A licence under a plan with these terms, for prod and for ever, as `change` leaves it; and its key.
    pub(crate) async fn license(
        &self,
        product: &Product,
        terms: Terms,
        change: impl FnOnce(&mut License),
    ) -> (License, LicenseKey) {
        let (product_id, plan_key) = (product.id.clone(), terms.plan_key.clone());
        let plan_id = match self.write(move |tx| plans::by_key(tx, &product_id, &plan_key)).await {
            Some(plan) => plan.id,
            None => self.plan(product, terms.clone(), None).await.id,
        };
        let key = LicenseKey::from_random(&random::bytes::<RANDOM_BYTES>().unwrap());
        let mut license = License {
            id: IdKind::License.fresh().unwrap(),
            product_id: product.id.clone(),
            plan_id,
            organisation_id: None,
            environment: Environment::Prod,
            key_hint: licenses::hint(&key),
            status: StoredStatus::Pending,
            terms,
            active_seats: 0,
            starts_at: None,
            expires_at: None,
            metadata: None,
            reference: None,
            revision: 1,
            created_at: self.now(),
            activated_at: None,
            suspended_at: None,
            revoked_at: None,
            revocation_reason: None,
        };
        change(&mut license);
        let vault = &self.office.vault;
        let sealed = vault.seal(Purpose::LicenseKey, &license.id, key.reveal().as_bytes()).unwrap();
        let hash = vault.key_hash(&key);
        let new = license.clone();
        self.write(move |tx| licenses::insert(tx, &new, &hash, &sealed)).await;
        (license, key)
    }

    /// A seat of the licence, taken by a device; its id.
    pub(crate) async fn seat(&self, license_id: &str, fingerprint: &str) -> String {
        let now = self.now();
        let seat = Activation {
            id: IdKind::Activation.fresh().unwrap(),
            license_id: license_id.to_owned(),
            fingerprint: fingerprint.to_owned(),
            device_name: None,
            metadata: None,
            ip_address: None,
            activated_at: now,
            last_seen_at: now,
            deactivated_at: None,
        };
        let id = seat.id.clone();
        let taken = self
            .write(move |tx| {
                activations::insert(tx, &seat)?;
                licenses::take_seat(tx, &seat.license_id, now)
            })
            .await;
        assert!(taken);
        id
    }

    /// An organisation; its id.
    pub(crate) async fn organisation(&self, name: &str) -> String {
        let (id, name, now) = (IdKind::Organisation.fresh().unwrap(), name.to_owned(), self.now());
        self.write(move |tx| {
            tx.execute(
                "INSERT INTO organisations (id, name, email, created_at) VALUES ($1, $2, 'it@example.com', $3)",
                params![&id, &name, now.unix_millis()],
            )?;
            Ok(id.clone())
        })
        .await
    }

    /// A secret key that may do everything to live data, or to test data, and is in the store.
    pub(crate) async fn secret_key(&self, live: bool) -> Actor {
        let id = IdKind::ApiKey.fresh().unwrap();
        let (kept, now) = (id.clone(), self.now());
        self.write(move |tx| {
            let scopes: Vec<&str> = Permissions::all().iter().map(Permission::name).collect();
            tx.execute(
                "INSERT INTO api_keys (id, key_hash, hint, name, class, live, scopes, created_at)
                 VALUES ($1, $2, 'sk', 'bench', 'secret', $3, $4, $5)",
                params![
                    &kept,
                    kept.as_bytes(),
                    i64::from(live),
                    &serde_json::to_string(&scopes).unwrap(),
                    now.unix_millis()
                ],
            )?;
            Ok(())
        })
        .await;
        Actor {
            name: format!("key:{id}"),
            permissions: Permissions::all(),
            api_key_id: Some(id),
            live: Some(live),
            product_id: None,
        }
    }

    /// What the issuance log was told so far.
    pub(crate) async fn told(&self) -> Vec<Told> {
        self.write(|tx| {
            tx.query("SELECT event, details FROM audit_outbox ORDER BY id", params![], |row| {
                Ok(Told { event: row.get(0)?, details: store::json(row, 1)? })
            })
        })
        .await
    }
}

/// Terms under the plan key: two machines, a week of grace, nothing special.
pub(crate) fn terms(plan_key: &str) -> Terms {
    Terms {
        plan_key: plan_key.to_owned(),
        mode: Mode::HardwareLocked,
        seat_limit: Some(2),
        grace_days: 7,
        after_grace: AfterGrace::RenewalsOnly,
        file_days: 30,
        file_grace_days: 3,
        entitlements: Vec::new(),
        chancery: None,
    }
}

/// The same for a product of kind chancery.
pub(crate) fn chancery_terms(plan_key: &str, plan: Plan) -> Terms {
    Terms { chancery: Some(Allowed { plan, entitlements: plan.entitlements() }), ..terms(plan_key) }
}

/// The refusal that was asked for.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Failure>) -> Refusal {
    match answer {
        Err(Failure::Refused(refusal)) => *refusal,
        other => panic!("this should have been refused: {other:?}"),
    }
}
