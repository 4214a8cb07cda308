//! What callers see, and what is persisted, when a commit breaks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chancery_db::{Error, params};

use super::on_both_engines;
use crate::engine::{Commits, Fresh, counter};

on_both_engines!(broken_before_the_commit_nothing_is_kept, broken_after_the_commit_everything_is_kept);

const INSERT: &str = "INSERT INTO counter (id, n) VALUES ($1, $2)";

async fn broken_before_the_commit_nothing_is_kept(fresh: &Fresh) {
    let commits = Arc::new(Commits::default());
    let db = fresh.open_with_faults(commits.clone()).await;
    commits.fail_before.store(1, Ordering::SeqCst);
    let result: Result<u64, Error> = db.write(|tx| tx.execute(INSERT, params![1, 1])).await;
    assert!(matches!(result, Err(Error::Unavailable { .. })), "{result:?}");
    assert_eq!(counter(&db, 1).await, None);

    assert_eq!(db.write(|tx| tx.execute(INSERT, params![1, 1])).await, Ok::<_, Error>(1));
    assert_eq!(counter(&db, 1).await, Some(1));
}

async fn broken_after_the_commit_everything_is_kept(fresh: &Fresh) {
    let commits = Arc::new(Commits::default());
    let db = fresh.open_with_faults(commits.clone()).await;
    commits.fail_after.store(1, Ordering::SeqCst);
    let result: Result<u64, Error> = db.write(|tx| tx.execute(INSERT, params![1, 1])).await;
    assert!(matches!(result, Err(Error::CommitUnknown { .. })), "{result:?}");
    assert_eq!(counter(&db, 1).await, Some(1));
}
