//! A database that is older than its log, as after a restore.

use std::path::PathBuf;

use chancery_testkit::{Engine, Installation, RawClient};
use serde_json::json;

use super::{Auditor, backlog, wait_until_written};
use crate::CHANCERY;
use crate::acme::block_on;

/// The events that wait after a restore may have the numbers of those in the log beyond the restored head, but
/// are not the same ones.
#[test]
fn events_after_a_restore_are_not_taken_for_those_in_the_log() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let auditor = Auditor::new(&installation);
        wait_until_written(&installation).await;
        let copy = installation.server_workdir().join("copy.db");
        installation.sql(&format!("VACUUM INTO '{}'", copy.display()));
        register(&installation).await;
        wait_until_written(&installation).await;
        let in_log = auditor.examine().records.len();
        server.kill_9();

        let file = PathBuf::from(
            installation
                .column::<String>("SELECT file FROM pragma_database_list WHERE name = 'main'")
                .concat(),
        );
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
        }
        std::fs::rename(copy, file).unwrap();
        for _ in 0..2 {
            server.restart();
            let said = server.log_until("THE AUDIT LOG IS NOT WRITTEN");
            assert!(said.contains("the database is older than the log"), "{said}");
            register(&installation).await;
            // This tries once more.
            server.terminate();
        }
        assert!(!server.log().contains("the audit log is written again"), "{}", server.log());
        assert_eq!(backlog(&installation), 6, "two starts, two accounts and two stops wait");
        let log = chancery_audit::Log::open(&super::directory(&installation)).unwrap();
        let records = log.records(&chancery_audit::Filter::default(), None).unwrap();
        assert_eq!(records.count(), in_log, "the log is as it was");

        // As docs/audit.md says: the old log is put aside, and a new one is begun under another name.
        let workdir = installation.server_workdir();
        std::fs::rename(workdir.join("audit"), workdir.join("audit-before-restore")).unwrap();
        std::fs::remove_file(workdir.join("node")).unwrap();
        server.restart();
        register(&installation).await;
        server.terminate();
        let examined = Auditor::new(&installation).examine();
        let told: Vec<&str> = examined.records.iter().map(|record| record.event.as_str()).collect();
        let expected = ["audit.segment", "server.start", "account.create", "server.stop", "audit.checkpoint"];
        assert_eq!(told, expected);
    });
}

async fn register(installation: &Installation) {
    let mut client = RawClient::new(installation).await;
    let answer = client.register(&json!({ "termsOfServiceAgreed": true })).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}
