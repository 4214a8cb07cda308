//! sqlx on PostgreSQL with as many connections as chancery-db has.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};

use crate::load::{
    BODY, Figures, INSERT_ACCOUNT, INSERT_ENTRY, RUNS, SELECT_ACCOUNT, SELECT_ENTRY, UPDATE_ACCOUNT, measure,
    scatter,
};

const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";

/// The tables are those that measuring chancery-db has made.
pub(crate) async fn run(dsn: &str, callers: usize, time: Duration) -> anyhow::Result<Figures> {
    let mut options = PgConnectOptions::new().ssl_mode(PgSslMode::Disable);
    for (key, value) in dsn.split_whitespace().filter_map(|pair| pair.split_once('=')) {
        options = match key {
            "host" => options.host(value),
            "port" => options.port(value.parse()?),
            "user" => options.username(value),
            "password" => options.password(value),
            "dbname" => options.database(value),
            other => anyhow::bail!("{other} is not understood here"),
        };
    }
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(60))
        .connect_with(options)
        .await?;
    sqlx::raw_sql("DELETE FROM entry; DELETE FROM account;").execute(&pool).await?;
    measure(callers, time, move |number| {
        let key = scatter(number);
        let pool = pool.clone();
        async move {
            while let Err(error) = transaction(&pool, key).await {
                let collided =
                    error.as_database_error().and_then(|error| error.code()).is_some_and(|c| c == "40001");
                if !collided {
                    return Err(error.into());
                }
            }
            Ok(())
        }
    })
    .await
}

async fn transaction(pool: &sqlx::PgPool, key: i64) -> sqlx::Result<()> {
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
