//! SQLite reads: on the caller's thread, or handed to reader threads.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chancery_db::{Config, Db, Error, params};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::load::{Figures, RUNS, SELECT_ACCOUNT, measure};
use crate::ours::MIGRATIONS;

const ROWS: i64 = 10_000;
const READERS: usize = 2;

/// As chancery-db does it.
pub(crate) async fn inline(file: &Path, callers: usize, time: Duration) -> anyhow::Result<Figures> {
    let db = filled(file).await?;
    let figures = measure(callers, time, move |number| {
        let db = db.clone();
        async move {
            RUNS.fetch_add(1, Ordering::Relaxed);
            let found: (String, i64) = db
                .read(move |tx| {
                    tx.query_one(SELECT_ACCOUNT, params![number % ROWS], |row| Ok((row.get(0)?, row.get(1)?)))
                })
                .await
                .map_err(|error: Error| error)?;
            std::hint::black_box(found);
            Ok(())
        }
    });
    figures.await
}

struct Request {
    id: i64,
    answer: oneshot::Sender<rusqlite::Result<(String, i64)>>,
}

/// The same read on one of two threads that share a queue.
pub(crate) async fn threads(file: &Path, callers: usize, time: Duration) -> anyhow::Result<Figures> {
    filled(file).await?.close().await;
    let (requests, waiting) = mpsc::channel::<Request>(4_096);
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..READERS {
        let (waiting, connection) = (Arc::clone(&waiting), Connection::open(file)?);
        std::thread::spawn(move || {
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
                let Some(Request { id, answer }) = next else { return };
                let _ = answer.send(read(&connection, id));
            }
        });
    }
    measure(callers, time, move |number| {
        let requests = requests.clone();
        async move {
            RUNS.fetch_add(1, Ordering::Relaxed);
            let (answer, answered) = oneshot::channel();
            requests.send(Request { id: number % ROWS, answer }).await?;
            std::hint::black_box(answered.await??);
            Ok(())
        }
    })
    .await
}

fn read(connection: &Connection, id: i64) -> rusqlite::Result<(String, i64)> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let found =
        connection.prepare_cached(SELECT_ACCOUNT)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)));
    connection.prepare_cached("COMMIT")?.execute([])?;
    found
}

async fn filled(file: &Path) -> anyhow::Result<Db> {
    let db = Db::open(&Config::Sqlite { path: file.to_owned() }, &MIGRATIONS).await?;
    db.write(|tx| {
        for id in 0..ROWS {
            tx.execute("INSERT INTO account (id, name, n) VALUES ($1, $2, $3)", params![id, "somebody", id])?;
        }
        Ok::<_, Error>(())
    })
    .await?;
    Ok(db)
}
