//! sqlx on SQLite with the same durability: one connection, `BEGIN IMMEDIATE`.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::load::{
    BODY, Figures, INSERT_ACCOUNT, INSERT_ENTRY, RUNS, SCHEMA, SELECT_ACCOUNT, SELECT_ENTRY, UPDATE_ACCOUNT,
    measure, scatter,
};

const BEGIN: &str = "BEGIN IMMEDIATE";

pub(crate) async fn run(file: &Path, callers: usize, time: Duration) -> anyhow::Result<Figures> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(60))
        .connect_with(options)
        .await?;
    sqlx::raw_sql(SCHEMA).execute(&pool).await?;
    measure(callers, time, move |number| {
        let key = scatter(number);
        let pool = pool.clone();
        async move {
            transaction(&pool, key).await?;
            Ok(())
        }
    })
    .await
}

async fn transaction(pool: &sqlx::SqlitePool, key: i64) -> sqlx::Result<()> {
    RUNS.fetch_add(1, Ordering::Relaxed);
    let mut tx = pool.begin_with(BEGIN).await?;
    let insert = sqlx::query(INSERT_ACCOUNT).bind(key).bind("a name of ordinary length").bind(0_i64);
    insert.execute(&mut *tx).await?;
    let row = sqlx::query(SELECT_ACCOUNT).bind(key).fetch_one(&mut *tx).await?;
    let _: (String, i64) = (row.try_get(0)?, row.try_get(1)?);
    sqlx::query(UPDATE_ACCOUNT).bind(1_i64).bind(key).execute(&mut *tx).await?;
    let row = sqlx::query(SELECT_ACCOUNT).bind(key).fetch_one(&mut *tx).await?;
    let _: (String, i64) = (row.try_get(0)?, row.try_get(1)?);
    let insert = sqlx::query(INSERT_ENTRY).bind(key).bind(key).bind(&BODY[..]);
    insert.execute(&mut *tx).await?;
    let row = sqlx::query(SELECT_ENTRY).bind(key).fetch_one(&mut *tx).await?;
    let _: Vec<u8> = row.try_get(0)?;
    tx.commit().await?;
    Ok(())
}
