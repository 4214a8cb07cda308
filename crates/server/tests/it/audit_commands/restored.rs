//! What a database that is older than its log leads to.

use std::fs;
use std::path::PathBuf;

use chancery_testkit::{Engine, Installation};

use super::{after_one_run, audit, run_once};
use crate::CHANCERY;

/// Put back to an older state, the store no longer knows of lines that are in the log. That is never passed over,
/// before and after a server has told further events under the numbers of those.
#[test]
fn an_older_database_is_told() {
    let installation = after_one_run(Engine::Sqlite);
    let (database, copy) = (database(&installation), installation.server_workdir().join("copy.db"));
    fs::copy(&database, &copy).unwrap();
    run_once(&installation, "two.localhost");
    audit(&installation, &["verify"]).succeeded();
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", database.display()));
    }
    fs::rename(copy, database).unwrap();

    let words = "the log goes on beyond the pinned head";
    let broken = audit(&installation, &["verify"]).exited_with(1);
    assert!(broken.stdout.contains(words), "{broken}");
    let mut server = installation.serve();
    server.log_until("THE AUDIT LOG IS NOT WRITTEN");
    server.terminate();
    let broken = audit(&installation, &["verify"]).exited_with(1);
    assert!(broken.stdout.contains(words) && broken.stdout.contains(".jsonl:"), "{broken}");
}

/// What a crash between writing lines and pinning them leaves is no tampering: the events in those lines wait still.
/// Others under their numbers are not the same.
#[test]
fn lines_beyond_the_pinned_end_are_held_against_what_waits() {
    let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
    installation.serve_refused(None).exited_with(3);
    installation.sql("CREATE TABLE kept_heads AS SELECT * FROM audit_heads");
    installation.sql("CREATE TABLE kept_outbox AS SELECT * FROM audit_outbox");
    installation.sql(
        "CREATE TRIGGER keep BEFORE DELETE ON audit_outbox
         BEGIN INSERT INTO kept_outbox SELECT * FROM audit_outbox WHERE id = OLD.id; END",
    );
    installation.serve_refused(None).exited_with(3);
    installation.sql("DROP TRIGGER keep");
    installation.sql("DELETE FROM audit_heads");
    installation.sql("INSERT INTO audit_heads SELECT * FROM kept_heads");
    assert_eq!(installation.sql("INSERT INTO audit_outbox SELECT * FROM kept_outbox"), 1, "the refusal");

    let crashed = audit(&installation, &["verify"]).succeeded();
    assert!(
        crashed.stdout.contains("\n  Written right now, or when the server was killed: 1 event "),
        "{crashed}"
    );
    assert!(!crashed.stdout.contains("Waiting"), "{crashed}");

    installation.sql("UPDATE audit_outbox SET happened_at = happened_at + 1");
    let other = audit(&installation, &["verify"]).exited_with(1);
    assert!(other.stdout.contains("the log goes on beyond the pinned head"), "{other}");
}

/// Where the configuration that `init` writes puts it.
fn database(installation: &Installation) -> PathBuf {
    let entries = fs::read_dir(installation.server_workdir()).unwrap().map(|entry| entry.unwrap().path());
    let is_database = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "db");
    entries.filter(is_database).collect::<Vec<_>>().pop().expect("the database of SQLite")
}
