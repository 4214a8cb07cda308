//! An appender whose disk hangs, and one that fails as a whole.

use std::sync::mpsc;

use chancery_db::Config;
use chancery_license::InstallationKey;
use chancery_testkit::Workdir;
use chancery_time::SystemClock;
use serde_json::json;

use super::*;
use crate::audit::{Entry, Trail, events};
use crate::store::MIGRATIONS;

const NODE: &str = "ca1";

struct Broken;

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        panic!("the clock is broken")
    }
}

/// An appender with one event to write.
async fn appender(files: &Workdir, clock: Arc<dyn Clock>, required: bool) -> Appender {
    let db = Db::open(&Config::Sqlite { path: files.join("chancery.db") }, MIGRATIONS).await.unwrap();
    let policy = Policy {
        directory: files.join("audit"),
        options: Options::default(),
        compress: false,
        required,
        backlog: 1_000,
    };
    let told = Entry::new(events::SERVER_STOP, json!({}));
    Trail::new(NODE).tell_alone(&db, told, Timestamp::MIN).await.unwrap();
    let keys = Keys::open(&db, InstallationKey::from_random(&[1; 29])).await.unwrap();
    Appender::new(db, NODE, keys, policy, clock).unwrap()
}

#[tokio::test]
async fn a_disk_that_hangs_is_told_of_and_waited_for() {
    for required in [false, true] {
        let files = Workdir::new();
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
    let files = Workdir::new();
    let appender = appender(&files, Arc::new(Broken), false).await;
    let health = appender.health();
    assert!(health.allows_changes() && !health.has_ended());
    appender.run(CancellationToken::new()).await;
    assert!(health.has_ended() && !health.allows_changes() && !health.is_writing());
}

#[tokio::test]
async fn an_orderly_end_is_no_failure() {
    let files = Workdir::new();
    let appender = appender(&files, Arc::new(SystemClock), false).await;
    let (health, stop) = (appender.health(), CancellationToken::new());
    stop.cancel();
    appender.run(stop).await;
    assert!(health.is_writing() && !health.has_ended());
}
