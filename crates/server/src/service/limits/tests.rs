//! Each limit at its edge, to the millisecond, on both engines.

use chancery_acme::ProblemType;
use chancery_acme::challenge::ChallengeType;
use chancery_acme::state::{AuthorizationStatus, OrderStatus};
use chancery_db::{Config, params};
use chancery_testkit::{Database, Engine, Workdir};

use super::*;
use crate::store::MIGRATIONS;
use crate::store::authorizations::NewAuthorization;

const HOUR: Duration = Duration::from_hours(1);

/// A store with three accounts and one issuer, and limits.
struct Store {
    db: Db,
    limits: Limits,
    // Dropped after the connections.
    _database: Database,
    _files: Workdir,
}

fn none() -> Limits {
    Limits {
        requests_per_ip: None,
        accounts_per_ip: None,
        orders_per_account: None,
        names_per_account: None,
        certificates_per_names: None,
        failed_validations: None,
        pending_authorizations: None,
        abuse_per_ip: None,
    }
}

fn rate(text: &str) -> Option<Rate> {
    Some(text.parse().unwrap())
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000) + Duration::from_secs(seconds)
}

fn names(names: &[&str]) -> IdentifierSet {
    let all: Vec<String> = names.iter().map(|name| format!("dns:{name}")).collect();
    IdentifierSet::from_canonical(&all.join(",")).unwrap()
}

impl Store {
    async fn open(engine: Engine, limits: Limits) -> Self {
        let (files, database) = (Workdir::new(), Database::create(engine));
        let config = match &database {
            Database::Sqlite => Config::Sqlite { path: files.join("chancery.db") },
            Database::Postgres { dsn, .. } => Config::Postgres { dsn: dsn.clone().into() },
        };
        let db = Db::open(&config, MIGRATIONS).await.unwrap();
        let accounts = db.write(|tx| {
            for account in 1..=3_i64 {
                tx.execute(
                    "INSERT INTO accounts (id, thumbprint, jwk, spki, status, contact, created_at)
                     VALUES ($1, $2, '{}', $3, 'valid', '[]', 0)",
                    params![account, &account.to_string(), account.to_be_bytes().as_slice()],
                )?;
            }
            tx.execute(
                "INSERT INTO issuers (id, authority, chain_pem) VALUES (1, 'default', 'pem')",
                params![],
            )
        });
        accounts.await.unwrap();
        Self { db, limits, _database: database, _files: files }
    }

    /// Does something in a transaction of its own that a limit may refuse.
    async fn attempt(
        &self,
        act: impl Fn(&mut WriteTx<'_>, &Limits) -> Result<(), Failure> + Send + 'static,
    ) -> Result<(), Reached> {
        let limits = self.limits.clone();
        match self.db.write(move |tx| act(tx, &limits)).await {
            Ok(()) => Ok(()),
            Err(Failure::Limited(reached)) => Err(*reached),
            Err(failure) => panic!("{failure:?}"),
        }
    }

    async fn order(
        &self,
        account_id: i64,
        of: &[&str],
        is_exempt: bool,
        now: Timestamp,
    ) -> Result<(), Reached> {
        let identifiers = names(of);
        self.attempt(move |tx, limits| {
            limits.take_order(tx, Ordering { account_id, identifiers: &identifiers, is_exempt }, now)
        })
        .await
    }

    /// An order whose certificate was issued then; one that is being issued where that is `None`.
    async fn issued(&self, of: &[&str], issued_at: Option<Timestamp>) -> i64 {
        let identifiers = names(of);
        let written = self.db.write(move |tx| {
            let order = tx.query_one(
                "INSERT INTO orders (account_id, status, identifiers, expires_at, created_at, names_digest, csr)
                 VALUES (1, $1, $2, 0, 0, $3, $4) RETURNING id",
                params![
                    if issued_at.is_some() { "valid" } else { "processing" },
                    &identifiers.canonical(),
                    &identifiers.digest(),
                    b"csr".as_slice()
                ],
                |row| row.get::<i64>(0),
            )?;
            let Some(issued_at) = issued_at else { return Ok::<_, chancery_db::Error>(order) };
            let certificate = tx.query_one(
                "INSERT INTO certificates (issuer_id, order_id, account_id, identifiers, serial, not_before, not_after,
                                           prepared_at, issued_at)
                 VALUES (1, $1, 1, '', $2, 0, 0, 0, $3) RETURNING id",
                params![order, order.to_be_bytes().as_slice(), issued_at.unix_millis()],
                |row| row.get::<i64>(0),
            )?;
            tx.execute("UPDATE orders SET certificate_id = $1 WHERE id = $2", params![certificate, order])?;
            Ok(certificate)
        });
        written.await.unwrap()
    }

    async fn count(&self) -> i64 {
        let counted =
            self.db.read(|tx| tx.query_one("SELECT count(*) FROM rates", params![], |row| row.get::<i64>(0)));
        counted.await.unwrap()
    }
}

/// The wait that a refusal told.
fn wait(refused: Result<(), Reached>) -> Duration {
    refused.expect_err("it is refused").after.expect("waiting helps")
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(future);
}

const MILLI: Duration = Duration::from_millis(1);

fn accounts_of_an_address(engine: Engine) {
    block_on(async {
        let store = Store::open(engine, Limits { accounts_per_ip: rate("2/1h"), ..none() }).await;
        let account = async |from: &str, now| {
            let from = from.parse().unwrap();
            store.attempt(move |tx, limits| limits.take_account(tx, from, now)).await
        };
        account("2001:db8::1", at(0)).await.unwrap();
        account("2001:db8::ffff:1", at(10)).await.unwrap();
        // Another address of the same network; one of another network is not held up.
        let told = wait(account("2001:db8:0:0:2::1", at(20)).await);
        account("2001:db8:0:1::1", at(20)).await.unwrap();
        assert_eq!(told, Duration::from_secs(1_780));
        wait(account("2001:db8::1", at(20) + told - MILLI).await);
        account("2001:db8::1", at(20) + told).await.unwrap();
        account("192.0.2.1", at(0)).await.unwrap();
        account("::ffff:192.0.2.1", at(0)).await.unwrap();
        wait(account("192.0.2.1", at(0)).await);
    });
}

fn orders_and_names_of_an_account(engine: Engine) {
    block_on(async {
        let limits = Limits { orders_per_account: rate("2/1h"), names_per_account: rate("5/1h"), ..none() };
        let store = Store::open(engine, limits).await;
        // Six at once are never allowed, and no waiting helps; the order that was taken with them is given back.
        let six = ["a.test", "b.test", "c.test", "d.test", "e.test", "f.test"];
        for _ in 0..3 {
            let refused = store.order(1, &six, false, at(0)).await.unwrap_err();
            assert_eq!((refused.limit, refused.after), (name::NAMES_PER_ACCOUNT, None));
        }
        assert_eq!(store.count().await, 0, "what is refused uses nothing up");
        store.order(1, &["a.test", "b.test"], false, at(0)).await.unwrap();
        store.order(1, &["a.test"], false, at(0)).await.unwrap();
        let refused = store.order(1, &["a.test"], false, at(0)).await.unwrap_err();
        assert_eq!((refused.limit, refused.account_id), (name::ORDERS_PER_ACCOUNT, Some(1)));
        assert_eq!(refused.problem().kind(), ProblemType::RateLimited);
        assert_eq!(
            refused.problem().detail(),
            "too many orders of this account (orders_per_account): the limit of 2/1h is reached until \
             2027-01-15T08:30:00Z"
        );
        // Of the refused order neither limit took anything.
        assert_eq!(wait(Err(refused)), HOUR / 2);
        wait(store.order(1, &["a.test"], false, at(1_800) - MILLI).await);
        store.order(1, &["a.test", "b.test", "c.test", "d.test"], false, at(1_800)).await.unwrap();
        let refused = store.order(1, &six[..5], false, at(3_600)).await.unwrap_err();
        assert_eq!(refused.limit, name::NAMES_PER_ACCOUNT);

        // Another account has limits of its own, and a renewal none.
        store.order(2, &["a.test"], false, at(0)).await.unwrap();
        for _ in 0..10 {
            store.order(1, &six, true, at(0)).await.unwrap();
        }
    });
}

fn certificates_for_the_same_names(engine: Engine) {
    block_on(async {
        let store = Store::open(engine, Limits { certificates_per_names: rate("3/7d"), ..none() }).await;
        let day = Duration::from_hours(24);
        let (a, now) = (["a.test", "b.test"], at(0) + 30 * day);
        let ask = async |of: &[&str], now| store.order(2, of, false, now).await;
        store.issued(&a, Some(now - 7 * day)).await;
        store.issued(&a, Some(now - 6 * day)).await;
        let revoked = store.issued(&a, Some(now - 5 * day)).await;
        store.issued(&["a.test"], Some(now - day)).await;
        ask(&a, now).await.unwrap();
        // One that is being issued counts.
        store.issued(&a, None).await;
        let refused = ask(&a, now).await.unwrap_err();
        assert_eq!(
            (refused.limit, &*refused.subject),
            (name::CERTIFICATES_PER_NAMES, "dns:a.test,dns:b.test")
        );
        assert_eq!(refused.account_id, Some(2));
        let told = wait(Err(refused));
        assert_eq!(told, day, "then the first of the window has left it");
        wait(ask(&a, now + told - MILLI).await);
        ask(&a, now + told).await.unwrap();
        // Fewer names are other names, and a renewal is not held up.
        ask(&["a.test"], now).await.unwrap();
        store.order(2, &a, true, now).await.unwrap();

        let revoke = store.db.write(move |tx| {
            tx.execute("UPDATE certificates SET revoked_at = 1 WHERE id = $1", params![revoked])
        });
        assert_eq!(revoke.await.unwrap(), 1);
        ask(&a, now).await.unwrap();
    });
}

fn pending_authorizations_of_an_account(engine: Engine) {
    block_on(async {
        let store = Store::open(engine, Limits { pending_authorizations: Some(2), ..none() }).await;
        let authorize = async |account_id, number: usize, status, lapse_at: Timestamp, now: Timestamp| {
            store
                .attempt(move |tx, limits| {
                    let identifiers = names(&["a.test"]);
                    for _ in 0..number {
                        let new = NewAuthorization {
                            account_id,
                            identifier: &identifiers.as_slice()[0],
                            profile: "default",
                            with_subdomains: false,
                            status,
                            expires_at: lapse_at,
                            created_at: now,
                        };
                        let id = crate::store::authorizations::insert(tx, &new)?;
                        crate::store::authorizations::insert_challenge(
                            tx,
                            id,
                            ChallengeType::Http01,
                            "token",
                        )?;
                        limits.ask_pending(tx, account_id, lapse_at, now)?;
                    }
                    Ok(())
                })
                .await
        };
        let pending = AuthorizationStatus::Pending;
        // What lapsed, is settled, or is another's does not count.
        authorize(1, 2, pending, at(5), at(0)).await.unwrap();
        authorize(1, 1, AuthorizationStatus::Valid, at(9_000), at(5)).await.unwrap();
        authorize(2, 2, pending, at(9_000), at(5)).await.unwrap();
        // Three at once are too many, whatever else there is.
        let refused = authorize(1, 3, pending, at(9_000), at(5)).await.unwrap_err();
        assert_eq!((refused.limit, refused.after), (name::PENDING_AUTHORIZATIONS, None));
        authorize(1, 1, pending, at(100), at(5)).await.unwrap();
        authorize(1, 1, pending, at(200), at(5)).await.unwrap();
        let told = wait(authorize(1, 1, pending, at(300), at(5)).await);
        assert_eq!(told, Duration::from_secs(95));
        wait(authorize(1, 1, pending, at(300), at(100) - MILLI).await);
        // Two more have to wait for both.
        assert_eq!(wait(authorize(1, 2, pending, at(300), at(5)).await), Duration::from_secs(95));
        authorize(1, 1, pending, at(300), at(100)).await.unwrap();
    });
}

fn failed_validations_of_a_name(engine: Engine) {
    block_on(async {
        let store = Store::open(engine, Limits { failed_validations: rate("2/1h"), ..none() }).await;
        let ask = async |account, of: &str, now| {
            let identifiers = names(&[of]);
            let asked = store.attempt(move |tx, limits| {
                limits.ask_validation(tx, account, &identifiers.as_slice()[0], now)
            });
            asked.await
        };
        let note = async |passed| {
            let noted = store.attempt(move |tx, limits| {
                let identifiers = names(&["a.test"]);
                Ok(limits.note_validation(tx, 1, &identifiers.as_slice()[0], passed, at(0))?)
            });
            noted.await.unwrap();
        };
        // To ask costs nothing, and five that failed at once are no worse than two.
        ask(1, "a.test", at(0)).await.unwrap();
        assert_eq!(store.count().await, 0);
        for failed in 0..5 {
            if failed < 2 {
                ask(1, "a.test", at(0)).await.unwrap();
            }
            note(false).await;
        }
        let refused = ask(1, "a.test", at(0)).await.unwrap_err();
        assert!(
            refused.problem().detail().contains("failed validations of a.test by this account"),
            "{refused:?}"
        );
        assert_eq!(wait(Err(refused)), HOUR / 2);
        wait(ask(1, "a.test", at(1_800) - MILLI).await);
        ask(1, "a.test", at(1_800)).await.unwrap();
        ask(1, "b.test", at(0)).await.unwrap();
        ask(2, "a.test", at(0)).await.unwrap();
        // A success makes up for all of it.
        note(true).await;
        ask(1, "a.test", at(0)).await.unwrap();
        assert_eq!(store.count().await, 0);
    });
}

/// Of many that race for few places, exactly so many get one.
fn racing_orders_never_exceed_a_limit(engine: Engine) {
    block_on(async {
        let limits =
            Limits { orders_per_account: rate("7/1h"), names_per_account: rate("1000/1h"), ..none() };
        let store = Store::open(engine, limits).await;
        let racing = (0..40).map(|_| {
            let (db, limits) = (store.db.clone(), store.limits.clone());
            tokio::spawn(async move {
                let taken = db.write(move |tx| {
                    let identifiers = names(&["a.test"]);
                    let order = Ordering { account_id: 1, identifiers: &identifiers, is_exempt: false };
                    limits.take_order(tx, order, at(0))
                });
                match taken.await {
                    Ok(()) => true,
                    Err(Failure::Limited(_)) => false,
                    Err(failure) => panic!("{failure:?}"),
                }
            })
        });
        let mut admitted = 0;
        for racer in racing.collect::<Vec<_>>() {
            admitted += u32::from(racer.await.unwrap());
        }
        assert_eq!(admitted, 7);
    });
}

/// So it is with those that finalize: who looks and who is being issued cannot pass each other.
fn racing_finalizations_never_exceed_a_limit(engine: Engine) {
    block_on(async {
        let store = Store::open(engine, Limits { certificates_per_names: rate("3/7d"), ..none() }).await;
        let open = store.db.write(|tx| {
            for order in 1..=20_i64 {
                tx.execute(
                    "INSERT INTO orders (id, account_id, status, identifiers, expires_at, created_at, names_digest)
                     VALUES ($1, 1, 'ready', 'dns:a.test', 0, 0, $2)",
                    params![order, &names(&["a.test"]).digest()],
                )?;
            }
            Ok::<_, chancery_db::Error>(())
        });
        open.await.unwrap();
        let racing = (1..=20).map(|order_id| {
            let (db, limits) = (store.db.clone(), store.limits.clone());
            tokio::spawn(async move {
                let finalized = db.write(move |tx| {
                    let identifiers = names(&["a.test"]);
                    let order = Ordering { account_id: 1, identifiers: &identifiers, is_exempt: false };
                    limits.ask_certificate(tx, order, at(0))?;
                    assert!(orders::set_processing(tx, order_id, b"csr")?);
                    Ok::<_, Failure>(())
                });
                match finalized.await {
                    Ok(()) => true,
                    Err(Failure::Limited(_)) => false,
                    Err(failure) => panic!("{failure:?}"),
                }
            })
        });
        let mut admitted = 0;
        for racer in racing.collect::<Vec<_>>() {
            admitted += u32::from(racer.await.unwrap());
        }
        assert_eq!(admitted, 3);
        let processing = store.db.read(|tx| {
            tx.query_one(
                "SELECT count(*) FROM orders WHERE status = $1",
                params![OrderStatus::Processing.name()],
                |row| row.get::<i64>(0),
            )
        });
        assert_eq!(processing.await.unwrap(), 3);
    });
}

fn a_changed_rate_starts_afresh_and_a_clock_set_back_is_forgiven(engine: Engine) {
    block_on(async {
        let mut store = Store::open(engine, Limits { orders_per_account: rate("1/1h"), ..none() }).await;
        let year = 365 * Duration::from_hours(24);
        store.order(1, &["a.test"], false, at(0) + year).await.unwrap();
        // That was under a clock a year ahead.
        store.order(1, &["a.test"], false, at(0)).await.unwrap();
        wait(store.order(1, &["a.test"], false, at(0)).await);
        store.limits.orders_per_account = rate("1/2h");
        store.order(1, &["a.test"], false, at(0)).await.unwrap();
        wait(store.order(1, &["a.test"], false, at(0)).await);
    });
}

fn what_is_paid_off_is_removed(engine: Engine) {
    block_on(async {
        let store = Store::open(engine, none()).await;
        let rows = 2 * PAGE + 10;
        let fill = store.db.write(move |tx| {
            for row in 0..rows {
                // Every third one is still owed.
                let until = if row % 3 == 0 { at(10) + MILLI } else { at(10) };
                rates::keep(tx, "orders_per_account 1/1h", &format!("{row:08}"), until.into())?;
            }
            Ok::<_, chancery_db::Error>(())
        });
        fill.await.unwrap();
        let mut after = Key::default();
        for round in 0..3 {
            assert_eq!(after == Key::default(), round == 0, "{after:?}");
            after = prune(&store.db, after, at(10)).await.unwrap();
        }
        assert_eq!((after, store.count().await), (Key::default(), rows / 3 + i64::from(rows % 3 > 0)));
        prune(&store.db, Key::default(), at(11)).await.unwrap();
        assert!(store.count().await < rows / 3);
    });
}

macro_rules! on_both_engines {
    ($($scenario:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $scenario() {
                super::$scenario(chancery_testkit::Engine::Sqlite);
            })+
        }
        mod postgres {
            $(#[test]
            fn $scenario() {
                super::$scenario(chancery_testkit::Engine::Postgres);
            })+
        }
    };
}

on_both_engines!(
    accounts_of_an_address,
    orders_and_names_of_an_account,
    certificates_for_the_same_names,
    pending_authorizations_of_an_account,
    failed_validations_of_a_name,
    racing_orders_never_exceed_a_limit,
    racing_finalizations_never_exceed_a_limit,
    a_changed_rate_starts_afresh_and_a_clock_set_back_is_forgiven,
    what_is_paid_off_is_removed,
);
