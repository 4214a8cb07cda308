//! What only SQLite has: a file, a log beside it, and other processes.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chancery_db::{Config, Db, Engine, Error, OpenError, params};
use tokio::task::JoinSet;

use crate::engine::{Fresh, SCHEMA, counter, set};

fn path(fresh: &Fresh) -> &Path {
    match &fresh.config {
        Config::Sqlite { path } => path,
        Config::Postgres { .. } => panic!("not a file"),
    }
}

fn log(fresh: &Fresh) -> PathBuf {
    path(fresh).with_extension("db-wal")
}

#[tokio::test]
async fn the_file_is_its_owners_alone_and_closing_empties_the_log() {
    let fresh = Fresh::sqlite();
    let db = fresh.open().await;
    assert_eq!(db.engine(), Engine::Sqlite);
    set(&db, 1, 1).await;
    for file in [path(&fresh).to_owned(), log(&fresh)] {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    assert_eq!(counter(&db, 1).await, Some(1));
    db.close().await;
    assert!(!log(&fresh).exists());
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    let fresh = Fresh::sqlite();
    let missing = path(&fresh).with_file_name("missing").join("test.db");
    let refused = Db::open(&Config::Sqlite { path: missing.clone() }, &SCHEMA).await.err().unwrap();
    assert!(matches!(&refused, OpenError::File { path, .. } if *path == missing), "{refused}");
    assert!(refused.to_string().contains("directory does not exist"), "{refused}");

    std::fs::write(path(&fresh), [b'x'; 4_096]).unwrap();
    let refused = Db::open(&fresh.config, &SCHEMA).await.err().unwrap();
    assert!(refused.to_string().contains("not a SQLite database"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_of_one_file_take_turns() {
    // A second handle stands for a second process: it has its own connections and its own writer.
    let fresh = Fresh::sqlite();
    let (one, two) = (fresh.open().await, fresh.open().await);
    set(&one, 1, 0).await;
    let mut tasks = JoinSet::new();
    for db in [&one, &two, &one, &two] {
        let db = db.clone();
        tasks.spawn(async move {
            for _ in 0..50 {
                db.write(|tx| tx.execute("UPDATE counter SET n = n + $1", params![1]))
                    .await
                    .unwrap_or_else(|error: Error| panic!("{error}"));
            }
        });
    }
    tasks.join_all().await;
    assert_eq!((counter(&one, 1).await, counter(&two, 1).await), (Some(200), Some(200)));
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn placeholders_out_of_order_are_refused() {
    let fresh = Fresh::sqlite();
    let db = fresh.open().await;
    const SWAPPED: &str = "INSERT INTO counter (id, n) VALUES ($2, $1)";
    let error: Error = db.write(|tx| tx.execute(SWAPPED, params![1, 2])).await.unwrap_err();
    assert!(matches!(error, Error::Statement { sql: SWAPPED, .. }), "{error:?}");
    // One that is used twice keeps its number.
    const TWICE: &str = "INSERT INTO counter (id, n) VALUES ($1, $1 + $2)";
    assert_eq!(db.write(|tx| tx.execute(TWICE, params![1, 2])).await, Ok::<_, Error>(1));
    assert_eq!(counter(&db, 1).await, Some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_bounded_under_load() {
    let fresh = Fresh::sqlite();
    let db = fresh.open().await;
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let db = db.clone();
        tasks.spawn(async move {
            for round in 0..250 {
                db.write(move |tx| {
                    let name = format!("{task}-{round}");
                    // Four pages for each transaction.
                    let body = name.clone().into_bytes().repeat(4_096);
                    tx.execute(
                        "INSERT INTO item (name, body) VALUES ($1, $2)",
                        params![&name, body.get(..16_384)],
                    )
                })
                .await
                .unwrap_or_else(|error: Error| panic!("{error}"));
            }
        });
    }
    tasks.join_all().await;
    let written = path(&fresh).metadata().unwrap().len() + log(&fresh).metadata().unwrap().len();
    let log = log(&fresh).metadata().unwrap().len();
    assert!(written > 32 << 20, "{written}");
    assert!(log < 24 << 20, "{log} bytes of log after {written} written");
}
