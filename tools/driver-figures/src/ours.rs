//! chancery-db, on both engines.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chancery_db::{Config, Db, Error, Migration, WriteTx, params};

use crate::load::{
    BODY, Figures, INSERT_ACCOUNT, INSERT_ENTRY, RUNS, SCHEMA, SELECT_ACCOUNT, SELECT_ENTRY, UPDATE_ACCOUNT,
    measure, scatter,
};

pub(crate) static MIGRATIONS: [Migration; 1] = [Migration { version: 1, name: "figures", sql: SCHEMA }];

pub(crate) async fn sqlite(file: &Path, callers: usize, time: Duration) -> anyhow::Result<Figures> {
    run(Db::open(&Config::Sqlite { path: file.to_owned() }, &MIGRATIONS).await?, callers, time).await
}

pub(crate) async fn postgres(dsn: &str, callers: usize, time: Duration) -> anyhow::Result<Figures> {
    let config = Config::Postgres { dsn: dsn.to_owned().into() };
    let db = Db::open(&config, &MIGRATIONS).await?;
    db.write(|tx| {
        tx.execute("DELETE FROM entry", &[])?;
        tx.execute("DELETE FROM account", &[])
    })
    .await
    .map_err(|error: Error| error)?;
    run(db, callers, time).await
}

async fn run(db: Db, callers: usize, time: Duration) -> anyhow::Result<Figures> {
    let handle = db.clone();
    let figures = measure(callers, time, move |number| {
        let key = scatter(number);
        let db = db.clone();
        async move { Ok(db.write(move |tx| transaction(tx, key)).await?) }
    })
    .await?;
    handle.close().await;
    Ok(figures)
}

fn transaction(tx: &mut WriteTx<'_>, key: i64) -> Result<(), Error> {
    RUNS.fetch_add(1, Ordering::Relaxed);
    tx.execute(INSERT_ACCOUNT, params![key, "a name of ordinary length", 0])?;
    let account = |tx: &mut WriteTx<'_>| {
        tx.query_one(SELECT_ACCOUNT, params![key], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?)))
    };
    account(tx)?;
    tx.execute(UPDATE_ACCOUNT, params![1, key])?;
    account(tx)?;
    tx.execute(INSERT_ENTRY, params![key, key, &BODY])?;
    tx.query_one(SELECT_ENTRY, params![key], |row| row.get::<Vec<u8>>(0)).map(drop)
}
