//! What only PostgreSQL has: a server that goes away.

use chancery_db::{Config, Db, Engine, Error, OpenError};

use crate::engine::{Fresh, SCHEMA, counter, server, set};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_connections_are_replaced() {
    let fresh = Fresh::postgres().await;
    let db = fresh.open().await;
    assert_eq!(db.engine(), Engine::Postgres);
    set(&db, 1, 1).await;
    for round in 0..3 {
        kill_others(&db).await;
        set(&db, 1, round).await;
        assert_eq!(counter(&db, 1).await, Some(round));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lost_within_a_closure_is_retried() {
    let fresh = Fresh::postgres().await;
    let db = fresh.open().await;
    set(&db, 1, 1).await;
    let mut runs = 0;
    let runs = db
        .write(move |tx| {
            runs += 1;
            tx.execute("UPDATE counter SET n = n + 1", &[])?;
            if runs == 1 {
                tx.query("SELECT pg_terminate_backend(pg_backend_pid())", &[], |row| row.get::<i64>(0))?;
            }
            Ok::<_, Error>(runs)
        })
        .await;
    assert_eq!(runs, Ok(2));
    assert_eq!(counter(&db, 1).await, Some(2));
}

#[tokio::test]
async fn a_refused_connection_does_not_tell_the_password() {
    let wrong: String = server()
        .split_whitespace()
        .map(|pair| if pair.starts_with("password=") { "password=hunter2" } else { pair })
        .collect::<Vec<_>>()
        .join(" ");
    let error = Db::open(&Config::Postgres { dsn: wrong.into() }, &SCHEMA).await.err().unwrap();
    assert!(matches!(error, OpenError::Connect { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

/// Ends every other connection to the database, as a restart of the server would.
async fn kill_others(db: &Db) {
    db.read(|tx| {
        tx.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
            &[],
            |row| row.get::<i64>(0),
        )
    })
    .await
    .unwrap_or_else(|error: Error| panic!("{error}"));
}
