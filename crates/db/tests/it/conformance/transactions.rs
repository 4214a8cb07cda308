//! Isolation, rollback, collisions, panics and closing.

use std::sync::Arc;
use std::sync::mpsc;

use chancery_db::{Db, Error, ReadTx, WriteTx, params};
use tokio::task::JoinSet;

use super::on_both_engines;
use crate::engine::{Commits, Fresh, counter, set};

on_both_engines!(
    an_error_leaves_no_trace,
    a_panic_is_its_callers_alone,
    failures_in_a_group_are_their_own,
    no_update_is_lost,
    write_skew_is_impossible,
    a_collision_hidden_in_an_error_is_retried,
    a_read_sees_one_snapshot,
    closing_finishes_what_waits,
    an_abandoned_transaction_may_be_skipped_but_never_halved,
);

/// A caller's own kind of error, which forgets what the database said.
#[derive(Debug, PartialEq, Eq)]
struct Refused;

impl From<Error> for Refused {
    fn from(_: Error) -> Self {
        Self
    }
}

const READ: &str = "SELECT n FROM counter WHERE id = $1";
const INSERT: &str = "INSERT INTO counter (id, n) VALUES ($1, $2)";
const UPDATE: &str = "UPDATE counter SET n = $1 WHERE id = $2";

fn read(tx: &mut ReadTx<'_>, id: i64) -> Result<i64, Error> {
    tx.query_one(READ, params![id], |row| row.get(0))
}

async fn an_error_leaves_no_trace(fresh: &Fresh) {
    let db = fresh.open().await;
    let result: Result<(), Refused> = db
        .write(|tx| {
            tx.execute(INSERT, params![1, 1])?;
            assert_eq!(read(tx, 1), Ok(1));
            Err(Refused)
        })
        .await;
    assert_eq!(result, Err(Refused));
    assert_eq!(counter(&db, 1).await, None);
}

async fn a_panic_is_its_callers_alone(fresh: &Fresh) {
    let db = fresh.open().await;
    let write: Result<(), Error> = db
        .write(|tx| {
            tx.execute(INSERT, params![1, 1])?;
            panic!("on purpose")
        })
        .await;
    assert_eq!(write, Err(Error::Panicked));
    let read: Result<(), Error> = db.read(|_| panic!("on purpose")).await;
    assert_eq!(read, Err(Error::Panicked));
    set(&db, 2, 2).await;
    assert_eq!((counter(&db, 1).await, counter(&db, 2).await), (None, Some(2)));
}

async fn failures_in_a_group_are_their_own(fresh: &Fresh) {
    let db = fresh.open().await;
    // While the first closure waits here, the others queue up behind it; on SQLite they become one group.
    let (release, held) = mpsc::channel::<()>();
    let first = spawn_write(&db, move |tx| {
        // A second run, after a collision, finds the channel closed and goes on.
        let _ = held.recv();
        tx.execute(INSERT, params![0, 0]).map(drop)
    });
    let mut others = JoinSet::new();
    for id in 1..=30 {
        let db = db.clone();
        others.spawn(async move {
            let result: Result<(), Refused> = db
                .write(move |tx| {
                    tx.execute(INSERT, params![id, id])?;
                    match id % 3 {
                        0 => Err(Refused),
                        1 => {
                            assert_ne!(id % 3, 1, "on purpose");
                            Ok(())
                        }
                        _ => Ok(()),
                    }
                })
                .await;
            assert_eq!(result.is_ok(), id % 3 == 2, "{id}");
        });
    }
    release.send(()).unwrap();
    first.await.unwrap().unwrap();
    others.join_all().await;
    let kept: Vec<i64> = db
        .read(|tx| tx.query("SELECT id FROM counter ORDER BY id", &[], |row| row.get(0)))
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    assert_eq!(kept, (0..=30).filter(|id| *id == 0 || id % 3 == 2).collect::<Vec<_>>());
}

async fn no_update_is_lost(fresh: &Fresh) {
    let db = fresh.open().await;
    set(&db, 1, 0).await;
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let db = db.clone();
        tasks.spawn(async move {
            for _ in 0..10 {
                let step = if task % 2 == 0 { 1 } else { 100 };
                db.write(move |tx: &mut WriteTx<'_>| {
                    let n = read(tx, 1)?;
                    tx.execute(UPDATE, params![n + step, 1])
                })
                .await
                .unwrap_or_else(|error: Error| panic!("{error}"));
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(counter(&db, 1).await, Some(80 + 8_000));
}

async fn write_skew_is_impossible(fresh: &Fresh) {
    // Each takes one from its own counter if the sum allows it. Snapshot isolation would let both.
    let db = fresh.open().await;
    for round in 0..20 {
        set(&db, 1, 1).await;
        set(&db, 2, 1).await;
        let take = |id: i64| {
            spawn_write(&db, move |tx| {
                if read(tx, 1)? + read(tx, 2)? >= 2 {
                    tx.execute(UPDATE, params![0, id])?;
                }
                Ok(())
            })
        };
        let (one, two) = tokio::join!(take(1), take(2));
        one.unwrap().unwrap();
        two.unwrap().unwrap();
        let sum = counter(&db, 1).await.unwrap() + counter(&db, 2).await.unwrap();
        assert_eq!(sum, 1, "round {round}");
    }
}

async fn a_collision_hidden_in_an_error_is_retried(fresh: &Fresh) {
    let db = fresh.open().await;
    set(&db, 1, 0).await;
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let db = db.clone();
        tasks.spawn(async move {
            db.write(|tx| {
                let n = read(tx, 1).map_err(|_| Refused)?;
                tx.execute(UPDATE, params![n + 1, 1]).map_err(|_| Refused)
            })
            .await
        });
    }
    for result in tasks.join_all().await {
        assert_eq!(result, Ok(1));
    }
    assert_eq!(counter(&db, 1).await, Some(16));
}

async fn a_read_sees_one_snapshot(fresh: &Fresh) {
    let db = fresh.open().await;
    set(&db, 1, 1).await;
    let (seen, wait_seen) = mpsc::channel();
    let (written, wait_written) = mpsc::channel();
    let reader = {
        let db = db.clone();
        tokio::spawn(async move {
            db.read(move |tx| {
                let before = read(tx, 1)?;
                seen.send(()).unwrap();
                wait_written.recv().unwrap();
                Ok::<_, Error>((before, read(tx, 1)?))
            })
            .await
        })
    };
    tokio::task::spawn_blocking(move || wait_seen.recv().unwrap()).await.unwrap();
    set(&db, 1, 2).await;
    written.send(()).unwrap();
    assert_eq!(reader.await.unwrap(), Ok((1, 1)));
    assert_eq!(counter(&db, 1).await, Some(2));
}

async fn closing_finishes_what_waits(fresh: &Fresh) {
    let db = fresh.open().await;
    let (release, held) = mpsc::channel::<()>();
    let (started, wait_started) = mpsc::channel();
    let first = spawn_write(&db, move |tx| {
        let _ = started.send(());
        let _ = held.recv();
        tx.execute(INSERT, params![0, 0]).map(drop)
    });
    tokio::task::spawn_blocking(move || wait_started.recv().unwrap()).await.unwrap();
    // On this task the writes join the queue in order, and the request to close comes after them.
    let mut waiting = Vec::new();
    for id in 1..=5 {
        let mut write = Box::pin(db.write(move |tx| tx.execute(INSERT, params![id, id])));
        assert!(poll_once(&mut write).await.is_none());
        waiting.push(write);
    }
    let mut close = Box::pin(db.close());
    assert!(poll_once(&mut close).await.is_none());
    release.send(()).unwrap();
    close.await;
    first.await.unwrap().unwrap();
    for write in waiting {
        assert_eq!(write.await, Ok::<_, Error>(1));
    }
    db.close().await;
    assert_eq!(db.write(|_| Ok(())).await, Err(Error::Closed));
    assert_eq!(db.read(|_| Ok(())).await, Err(Error::Closed));

    let again = fresh.open().await;
    assert_eq!(counter(&again, 5).await, Some(5));
}

async fn an_abandoned_transaction_may_be_skipped_but_never_halved(fresh: &Fresh) {
    let db = fresh.open().await;
    for round in 0..40 {
        let mut write = Box::pin(db.write(move |tx| {
            tx.execute(INSERT, params![2 * round, 0])?;
            tx.execute(INSERT, params![2 * round + 1, 0])
        }));
        let answer: Option<Result<u64, Error>> = poll_once(&mut write).await;
        drop((write, answer));
    }
    db.close().await;
    let again = fresh.open().await;
    for round in 0..40 {
        let halves = (counter(&again, 2 * round).await, counter(&again, 2 * round + 1).await);
        assert!(matches!(halves, (None, None) | (Some(0), Some(0))), "{halves:?}");
    }
}

/// A group of waiting writes shares commits, which only SQLite promises.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_writes_share_a_commit() {
    let fresh = Fresh::sqlite();
    let commits = Arc::new(Commits::default());
    let db = fresh.open_with_faults(commits.clone()).await;
    let (release, held) = mpsc::channel::<()>();
    let (started, wait_started) = mpsc::channel();
    let first = spawn_write(&db, move |tx| {
        started.send(()).unwrap();
        held.recv().unwrap();
        tx.execute(INSERT, params![0, 0]).map(drop)
    });
    tokio::task::spawn_blocking(move || wait_started.recv().unwrap()).await.unwrap();
    let mut waiting = Vec::new();
    for id in 1..=300 {
        let mut write = Box::pin(db.write(move |tx| tx.execute(INSERT, params![id, id])));
        assert!(poll_once(&mut write).await.is_none());
        waiting.push(write);
    }
    release.send(()).unwrap();
    first.await.unwrap().unwrap();
    for write in waiting {
        assert_eq!(write.await, Ok::<_, Error>(1));
    }
    // 301 transactions, 256 to a commit at most.
    assert_eq!(commits.seen.load(std::sync::atomic::Ordering::SeqCst), 2);
}

fn spawn_write(
    db: &Db,
    closure: impl FnMut(&mut WriteTx<'_>) -> Result<(), Error> + Send + 'static,
) -> tokio::task::JoinHandle<Result<(), Error>> {
    let db = db.clone();
    tokio::spawn(async move { db.write(closure).await })
}

/// Polls a future once: enough for a write to join the queue.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| match std::pin::Pin::new(&mut *future).poll(context) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}
