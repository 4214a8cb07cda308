//! `chancery audit`: what an operator and an auditor do with the log.

mod export;
mod licences;
mod query;
mod restored;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};

use chancery_testkit::{Engine, Finished, Installation, RawClient, Responder, Workdir};
use serde_json::Value;

use crate::CHANCERY;
use crate::acme::block_on;

/// What an installation tells of when its server starts, makes one certificate, and stops.
const ONE_RUN: [&str; 10] = [
    "cold_start.init",
    "certificate.issue_own",
    "server.start",
    "account.create",
    "order.create",
    "challenge.answer",
    "challenge.valid",
    "certificate.issue",
    "server.stop",
    "audit.checkpoint",
];

/// An installation whose server has made a certificate for `one.localhost` and was stopped.
fn after_one_run(engine: Engine) -> Installation {
    let installation = Installation::new(CHANCERY, engine);
    run_once(&installation, "one.localhost");
    installation
}

/// Starts the server, has it make a certificate, and stops it.
fn run_once(installation: &Installation, name: &str) {
    block_on(async {
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let issued = RawClient::new(installation).await.obtain(&responder, name).await;
        assert_eq!(issued.status, 200, "{issued:?}");
        server.terminate();
    });
}

/// `chancery audit ARGUMENTS… -f CONFIG`
fn audit(installation: &Installation, arguments: &[&str]) -> Finished {
    installation.run(&[&["audit"], arguments].concat())
}

/// The lines that a query finds.
#[track_caller]
fn found(installation: &Installation, conditions: &[&str]) -> Vec<Value> {
    let found = audit(installation, &[&["query", "--json"], conditions].concat()).succeeded();
    found.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["event"].as_str().unwrap()).collect()
}

/// Where the log of an installation is.
fn directory(installation: &Installation) -> PathBuf {
    installation.server_workdir().join("audit")
}

/// The segments in a directory, in their order.
fn segments(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl");
    let mut segments: Vec<PathBuf> = entries.filter(is_segment).collect();
    segments.sort();
    segments
}

/// A copy of a log in a directory of its own.
fn copy_of(directory: &Path) -> Workdir {
    let copy = Workdir::new();
    for segment in segments(directory) {
        fs::copy(&segment, copy.join(&file_name(&segment))).unwrap();
    }
    copy
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn json(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {finished}"))
}

/// Fails the test unless the command was refused with those words, and printed nothing else.
#[track_caller]
fn assert_refused(command: Finished, words: &str) {
    let refused = command.exited_with(1);
    assert!(refused.stdout.is_empty() && refused.stderr.contains(words), "{words}: {refused}");
}
