//! What it costs to ask whether an order may be made, with few accounts and with many. A measurement,
//! not a test: `make bench` runs it.

use std::time::{Duration, Instant};

use chancery_db::{Config, Db, Error, params};
use chancery_license::{Database, Limit};

use super::super::build;
use super::super::testing::{configuration, license_with, licensed, today};
use super::*;
use crate::store::MIGRATIONS;

const SIZES: [i64; 3] = [10, 10_000, 1_000_000];
const ROUNDS: u32 = 20_000;

#[test]
#[ignore = "a measurement: make bench"]
fn admission_at_every_size() {
    println!(
        "| accounts with a certificate | a new account's order | a known account's order | at the cap |"
    );
    println!("|---|---|---|---|");
    for accounts in SIZES {
        tokio::runtime::Runtime::new().unwrap().block_on(measure(accounts));
    }
}

async fn measure(accounts: i64) {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::Sqlite { path: directory.path().join("chancery.db") };
    let db = Db::open(&config, MIGRATIONS).await.unwrap();
    db.write(move |tx| fill(tx, accounts)).await.unwrap();
    let roomy = u64::try_from(accounts).unwrap() + 1_000;
    let newcomer = cost(&db, roomy, accounts + 1).await;
    let known = cost(&db, roomy, 1).await;
    let full = cost(&db, roomy - 1_000, accounts + 1).await;
    println!("| {accounts} | {newcomer:.1?} | {known:.1?} | {full:.1?} |");
}

/// The mean cost of one question, under a limit of that many managed servers.
async fn cost(db: &Db, limit: u64, account_id: i64) -> Duration {
    let facts = license_with(|allowed| {
        allowed.max_managed_servers = Limit::AtMost(limit);
        allowed.max_certificates = Limit::AtMost(limit * 10);
    });
    let snapshot = licensed(facts);
    let configuration = configuration(Database::Sqlite, 1);
    let asked = db.write(move |tx| {
        let times = snapshot.record.map(|record| record.times);
        let mut ask = || {
            let basis = Basis::new(&snapshot, configuration, today(), times, &build());
            let mut applicant =
                StoredApplicant { tx, account_id, identifiers: "dns:new.example", now: today() };
            basis.admit(&mut applicant).map(drop)
        };
        // Settles what the filling left.
        ask()?;
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            ask()?;
        }
        Ok::<_, Error>(begun.elapsed() / ROUNDS)
    });
    asked.await.unwrap()
}

/// Accounts with one active certificate each, and one account without.
fn fill(tx: &mut WriteTx<'_>, accounts: i64) -> Result<(), Error> {
    tx.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n <= $1)
         INSERT INTO accounts (id, thumbprint, jwk, spki, status, contact, created_at)
         SELECT n, 't' || n, '{}', CAST('k' || n AS BLOB), 'valid', '[]', 0 FROM numbers",
        params![accounts],
    )?;
    tx.execute("INSERT INTO issuers (id, authority, chain_pem) VALUES (1, 'default', '')", params![])?;
    tx.execute(
        "INSERT INTO certificates (issuer_id, account_id, identifiers, serial, not_before, not_after,
             prepared_at, issued_at, active_until)
         SELECT 1, id, 'dns:n' || id || '.example', spki, 0, $1 + id, 0, 0, $1 + id FROM accounts WHERE id <= $2",
        params![(today() + Duration::from_secs(86_400)).unix_millis(), accounts],
    )?;
    tx.execute(
        "INSERT INTO managed_servers (account_id, active_until, counted)
         SELECT account_id, active_until, 0 FROM certificates",
        params![],
    )?;
    Ok(())
}
