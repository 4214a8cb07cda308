//! The kept numbers against counting one by one, on both engines.

use std::time::Duration;

use chancery_db::{Config, Db};
use chancery_testkit::{Database, Engine, Workdir};

use super::*;
use crate::store::certificates::{self, PreparedRecord};
use crate::store::{MIGRATIONS, orders};

const DAY: Duration = Duration::from_secs(86_400);

/// A store with that many accounts and one issuer.
struct Store {
    db: Db,
    issuer_id: i64,
    // Dropped after the connections.
    _database: Database,
    _files: Workdir,
}

async fn open(engine: Engine, accounts: i64) -> Store {
    let (files, database) = (Workdir::new(), Database::create(engine));
    let config = match &database {
        Database::Sqlite => Config::Sqlite { path: files.join("chancery.db") },
        Database::Postgres { dsn, .. } => Config::Postgres { dsn: dsn.clone().into() },
    };
    let db = Db::open(&config, MIGRATIONS).await.unwrap();
    let issuer_id = db
        .write(move |tx| {
            for account in 1..=accounts {
                tx.execute(
                    "INSERT INTO accounts (id, thumbprint, jwk, spki, status, contact, created_at)
                     VALUES ($1, $2, '{}', $3, 'valid', '[]', 0)",
                    params![account, &account.to_string(), account.to_be_bytes().as_slice()],
                )?;
                tx.execute(
                    "INSERT INTO orders (id, account_id, status, identifiers, expires_at, created_at)
                     VALUES ($1, $1, 'processing', 'dns:a.example', 0, 0)",
                    params![account],
                )?;
            }
            certificates::issuer_id(tx, "default", "pem")
        })
        .await
        .unwrap();
    Store { db, issuer_id, _database: database, _files: files }
}

impl Store {
    /// Records a certificate of an account, and issues it where that is asked for.
    async fn certificate(&self, account_id: i64, serial: u64, until: Timestamp, is_issued: bool) {
        let record = PreparedRecord {
            profile: None,
            issuer_id: self.issuer_id,
            ordered_by: Some((account_id, account_id)),
            identifiers: "dns:a.example".to_owned(),
            serial: serial.to_be_bytes().to_vec(),
            not_before: Timestamp::MIN,
            not_after: until,
            prepared_at: Timestamp::MIN,
        };
        let written = self.db.write(move |tx| {
            let id = certificates::insert_prepared(tx, &record)?;
            if is_issued {
                certificates::set_issued(tx, id, b"der", Timestamp::MIN)?;
            }
            Ok::<_, Error>(())
        });
        written.await.unwrap();
    }

    async fn give_up(&self, account_id: i64) {
        let written = self.db.write(move |tx| {
            assert!(orders::by_id(tx, account_id)?.is_some());
            certificates::give_up_prepared(tx, account_id, account_id)
        });
        written.await.unwrap();
    }

    /// The kept numbers, which must be those that counting gives.
    async fn settled(&self, now: Timestamp) -> (u64, u64) {
        let numbers = self.db.write(move |tx| {
            let kept = (managed_servers(tx, now)?, certificates(tx, now)?);
            let Usage { managed_servers, certificates, .. } = observe(tx, now)?;
            assert_eq!(kept, (managed_servers, certificates), "at {now}");
            Ok::<_, Error>(kept)
        });
        numbers.await.unwrap()
    }
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(future);
}

fn on_day(day: u32) -> Timestamp {
    Timestamp::from_unix_seconds(1_000_000) + day * DAY
}

fn follows_what_is_issued_ends_and_is_given_up(engine: Engine) {
    block_on(async {
        let store = open(engine, 3).await;
        assert_eq!(store.settled(on_day(0)).await, (0, 0));
        store.certificate(1, 1, on_day(10), true).await;
        store.certificate(1, 2, on_day(20), true).await;
        store.certificate(2, 3, on_day(15), true).await;
        // Recorded and not issued yet, it has its place already.
        store.certificate(3, 4, on_day(90), false).await;
        assert_eq!(store.settled(on_day(1)).await, (3, 4));
        store.give_up(3).await;
        assert_eq!(store.settled(on_day(1)).await, (2, 3));

        // A certificate is active before its end, not at it.
        assert_eq!(store.settled(on_day(10)).await, (2, 2));
        assert_eq!(store.settled(on_day(15)).await, (1, 1));
        // A clock ten years ahead, and back.
        assert_eq!(store.settled(on_day(3_650)).await, (0, 0));
        assert_eq!(store.settled(on_day(1)).await, (2, 3));
        // Issued after all, though another node had given it up.
        store.certificate(3, 5, on_day(90), true).await;
        store.give_up(3).await;
        assert_eq!(store.settled(on_day(2)).await, (3, 4));
    });
}

/// Whatever happens in whatever order, the numbers are those of counting.
fn agrees_with_counting(engine: Engine) {
    block_on(async {
        let store = open(engine, 8).await;
        // A small generator in place of a property test, which would open a database for each case.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut serial = 0;
        for _ in 0..300 {
            let (account, day) = (i64::try_from(next(8)).unwrap() + 1, u32::try_from(next(40)).unwrap());
            match next(4) {
                0 | 1 => {
                    serial += 1;
                    store.certificate(account, serial, on_day(day), next(3) > 0).await;
                }
                2 => store.give_up(account).await,
                _ => drop(store.settled(on_day(day)).await),
            }
        }
        for day in [0, 39, 20, 41, 0] {
            store.settled(on_day(day)).await;
        }
    });
}

#[test]
fn sqlite_follows_what_is_issued_ends_and_is_given_up() {
    follows_what_is_issued_ends_and_is_given_up(Engine::Sqlite);
}

#[test]
fn postgres_follows_what_is_issued_ends_and_is_given_up() {
    follows_what_is_issued_ends_and_is_given_up(Engine::Postgres);
}

#[test]
fn sqlite_agrees_with_counting() {
    agrees_with_counting(Engine::Sqlite);
}

#[test]
fn postgres_agrees_with_counting() {
    agrees_with_counting(Engine::Postgres);
}
