//! Checkpoints, segments that end, and their compression, under a running server.

use std::time::Duration;

use chancery_audit::Checkpoint;
use chancery_testkit::{Engine, Installation, MovableClock, RawClient, Responder};
use serde_json::json;

use super::{Auditor, directory, wait_until_written};
use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(a_kept_checkpoint_is_extended_over_segments);

fn a_kept_checkpoint_is_extended_over_segments(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        installation.configure(|config| {
            config["audit"] = json!({ "checkpoint_every": 5, "segment_age": "1h", "compress": true });
        });
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::under(&clock, &installation).await;
        let auditor = Auditor::new(&installation);
        let mut kept: Vec<Checkpoint> = Vec::new();

        for number in 0..3 {
            let answer = client.obtain(&responder, &format!("hour-{number}.localhost")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            wait_until_written(&installation).await;
            let newest = kept.last().map_or(0, Checkpoint::size);
            kept.push(published(&auditor, newest).await);
            clock.advance(Duration::from_secs(3_660));
        }
        server.terminate();

        let examined = auditor.examine_whole();
        for checkpoint in &kept {
            auditor.examine_against(Some(checkpoint));
        }
        let (lines, checkpoints) = (examined.report.lines, examined.report.checkpoints);
        assert!(checkpoints * 12 >= lines, "{checkpoints} checkpoints in {lines} lines");
        let last_line = examined.report.last_seq.unwrap();
        assert_eq!(published(&auditor, 0).await.size(), last_line - 1, "a stop leaves one over everything");

        let mut files: Vec<String> = std::fs::read_dir(directory(&installation))
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("audit."))
            .collect();
        files.sort();
        // The newest, and the one that ended when the server did.
        let plain = files.split_off(files.len() - 2);
        assert!(plain.iter().all(|name| name.ends_with(".jsonl")), "{plain:?}");
        assert!(files.len() >= 2, "{files:?}");
        assert!(
            files.iter().all(|name| name.ends_with(".jsonl.zst")),
            "the others are compressed: {files:?}"
        );
    });
}

/// The newest checkpoint in the file for them, once it is over more lines than that.
async fn published(auditor: &Auditor<'_>, lines: u64) -> Checkpoint {
    let file = directory(auditor.installation).join(format!("checkpoint.{}.txt", auditor.genesis.node()));
    let read = || {
        let note = std::fs::read_to_string(&file).ok()?;
        Some(Checkpoint::open(&note, &auditor.key).expect("the installation's own signature"))
    };
    // It is written after its line and after the head over it.
    let written = async {
        loop {
            match read() {
                Some(checkpoint) if checkpoint.size() > lines => return checkpoint,
                _ => tokio::time::sleep(super::PAUSE).await,
            }
        }
    };
    tokio::time::timeout(super::PATIENCE, written).await.expect("a checkpoint is written to its file")
}
