//! An appender that was cut off, one whose disk hangs, and one that fails as a whole.

use std::sync::mpsc;

use chancery_audit::{Filter, Log};
use chancery_db::{Config, Migration};
use chancery_time::SystemClock;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{Entry, Kind, Trail};

const NODE: &str = "ca1";
const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "audit", sql: include_str!("../../schema.sql") }];

const STOP: Kind = Kind { name: "server.stop", when: "The server has stopped.", details: &["n"] };

struct Broken;

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        panic!("the clock is broken")
    }
}

/// An appender with one event to write.
async fn appender(files: &TempDir, clock: Arc<dyn Clock>, required: bool) -> Appender {
    let db = Db::open(&Config::Sqlite { path: files.path().join("chancery.db") }, MIGRATIONS).await.unwrap();
    let policy = Policy {
        directory: crate::directory(files.path()),
        options: Options::default(),
        compress: false,
        required,
        backlog: 1_000,
    };
    let told = Entry::new(STOP, json!({ "n": 0 }));
    Trail::new(NODE).tell_alone(&db, told, Timestamp::MIN).await.unwrap();
    let keys = Keys::open(&db, "INST-1", |_, _, fresh| Ok(fresh.to_vec())).await.unwrap();
    Appender::new(db, NODE, keys, policy, clock).unwrap()
}

#[tokio::test]
async fn a_disk_that_hangs_is_told_of_and_waited_for() {
    for required in [false, true] {
        let files = tempfile::tempdir().unwrap();
        let mut appender = appender(&files, Arc::new(SystemClock), required).await;
        appender.patience = Duration::from_millis(10);
        let health = appender.health();
        let (release, released) = mpsc::channel();
        let hanging = appender.on_disk(move || released.recv());
        let noticed = async {
            while health.is_writing() {
                tokio::task::yield_now().await;
            }
            assert_eq!(health.allows_changes(), !required);
            release.send(7).unwrap();
        };
        let (answer, ()) = tokio::join!(hanging, noticed);
        assert_eq!(answer.unwrap(), Ok(7));
        assert!(!health.is_writing());

        appender.patience = DISK_PATIENCE;
        assert!(appender.attempt().await);
        assert!(health.is_writing() && health.allows_changes());
    }
}

#[tokio::test]
async fn nothing_is_issued_once_the_appender_has_failed_as_a_whole() {
    let files = tempfile::tempdir().unwrap();
    let appender = appender(&files, Arc::new(Broken), false).await;
    let health = appender.health();
    assert!(health.allows_changes() && !health.has_ended());
    appender.run(CancellationToken::new()).await;
    assert!(health.has_ended() && !health.allows_changes() && !health.is_writing());
}

#[tokio::test]
async fn an_orderly_end_is_no_failure() {
    let files = tempfile::tempdir().unwrap();
    let appender = appender(&files, Arc::new(SystemClock), false).await;
    let (health, stop) = (appender.health(), CancellationToken::new());
    stop.cancel();
    appender.run(stop).await;
    assert!(health.is_writing() && !health.has_ended());
}

/// The numbers in the details of the events in the log.
fn logged(files: &TempDir) -> Vec<i64> {
    let log = Log::open(&crate::directory(files.path())).unwrap();
    let wanted = Filter { event: Some(STOP.name.to_owned()), ..Filter::default() };
    let records = log.records(&wanted, None).unwrap().map(Result::unwrap);
    records.map(|record| record.details["n"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn what_is_told_is_in_the_log_once_even_after_a_crash_before_it_is_taken_out() {
    let files = tempfile::tempdir().unwrap();
    let appender = appender(&files, Arc::new(SystemClock), false).await;
    let (db, keys, policy) = (appender.db.clone(), appender.keys.clone(), appender.policy.clone());
    let open =
        || Appender::new(db.clone(), NODE, keys.clone(), policy.clone(), Arc::new(SystemClock)).unwrap();
    appender.finish().await;
    assert_eq!(logged(&files), [0]);

    // The lines are written and synced, and the process dies before the transaction that takes the events out.
    for n in [1, 2] {
        Trail::new(NODE).tell_alone(&db, Entry::new(STOP, json!({ "n": n })), Timestamp::MIN).await.unwrap();
    }
    let mut cut_off = open();
    cut_off.open().await.unwrap();
    let waiting = db.read(|tx| outbox::waiting(tx, NODE, 10)).await.unwrap();
    let events: Vec<Event> = waiting.into_iter().map(|waiting| event(waiting).unwrap()).collect();
    cut_off.journal.take().unwrap().append(&events, Timestamp::MIN).unwrap();
    drop(cut_off);
    assert_eq!(db.read(|tx| outbox::backlog(tx, NODE)).await.unwrap(), 2);

    open().finish().await;
    assert_eq!(db.read(|tx| outbox::backlog(tx, NODE)).await.unwrap(), 0);
    assert_eq!(logged(&files), [0, 1, 2]);
}

#[tokio::test]
async fn a_log_that_is_ahead_of_its_store_is_not_gone_on_with() {
    let files = tempfile::tempdir().unwrap();
    let mut appender = appender(&files, Arc::new(SystemClock), false).await;
    appender.open().await.unwrap();
    let told = Event::new(99, Timestamp::MIN, EventName::new(STOP.name).unwrap());
    appender.journal.take().unwrap().append(&[told], Timestamp::MIN).unwrap();
    let refused = appender.open().await.unwrap_err().to_string();
    assert!(refused.contains("the database is older than the log"), "{refused}");
    assert!(!appender.attempt().await);
}

#[tokio::test]
async fn keys_are_kept_and_are_of_one_length() {
    let files = tempfile::tempdir().unwrap();
    let db = appender(&files, Arc::new(SystemClock), false).await.db;
    let kept = Keys::open(&db, "INST-1", |_, name, _| Ok(vec![u8::from(name == "audit_secret"); 32])).await;
    let node = Node::new(NODE).unwrap();
    let genesis = Head::genesis(&chancery_audit::Secret::new(&[1; 32]), "INST-1", &node);
    assert_eq!(kept.unwrap().genesis(&node), genesis);
    let short = Keys::open(&db, "INST-1", |_, _, _| Ok(vec![0; 31])).await.unwrap_err().to_string();
    assert_eq!(short, "the secret of the audit log in the store has not 32 bytes");
}
