//! `audit export`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use chancery_testkit::{Engine, Finished, Installation, MovableClock, Workdir, run_program};
use serde_json::{Value, json};

use super::{after_one_run, assert_refused, audit, directory, file_name, segments, text};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(an_auditor_has_all_they_need);

fn an_auditor_has_all_they_need(engine: Engine) {
    let installation = after_one_run(engine);
    let elsewhere = Workdir::new();
    let key = audit(&installation, &["checkpoint", "--key"]).succeeded().stdout;
    let export = elsewhere.join("export");
    let exported = super::json(&audit(&installation, &["export", "--json", "-o", text(&export)]).succeeded());
    assert_eq!(fs::metadata(&export).unwrap().permissions().mode() & 0o777, 0o700);
    let names: Vec<String> =
        segments(&directory(&installation)).iter().map(|segment| file_name(segment)).collect();
    assert_eq!(exported["segments"], json!(names));
    assert_eq!(fs::read_to_string(export.join("verifier-key.txt")).unwrap(), key);

    // While the server goes on, what was exported stays vouched for to its last line.
    let mut server = installation.serve();
    let running = elsewhere.join("running");
    let told = audit(&installation, &["export", "-o", text(&running)]).succeeded();
    assert!(told.stdout.contains("An auditor verifies it with\n  chancery audit verify --public "), "{told}");
    server.terminate();
    for directory in [&export, &running] {
        let checkpoint = directory.join(exported["checkpoint"].as_str().unwrap());
        let verified = verify(directory, &key, &["--checkpoint", text(&checkpoint)]).succeeded();
        assert!(verified.stdout.contains(": all of it."), "{verified}");
    }

    assert_refused(audit(&installation, &["export", "-o", text(&export)]), "exists already");
    let nothing = elsewhere.join("nothing");
    let future = ["export", "--since=2999-01-01", "-o", text(&nothing)];
    assert_refused(audit(&installation, &future), "no event of that time");
    assert!(!nothing.exists());
    let mut left: Vec<_> =
        fs::read_dir(elsewhere.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["export", "running"], "no draft is left behind");
}

/// Three runs two hours apart, which make three segments, the first two of which are compressed as they end.
#[test]
fn whole_segments_cover_the_wanted_time() {
    let installation = Installation::new(CHANCERY, Engine::Sqlite);
    installation.configure(|config| config["audit"] = json!({ "segment_age": "1h", "compress": true }));
    let clock = MovableClock::new();
    let key = audit(&installation, &["checkpoint", "--key"]).succeeded().stdout;
    let mut between = Vec::new();
    for _ in 0..3 {
        installation.serve_under(&clock).terminate();
        clock.advance(Duration::from_secs(3_660));
        between.push(clock.now().to_string());
        clock.advance(Duration::from_secs(3_660));
    }
    let files = Workdir::new();
    let export = |name: &str, range: &[&str]| {
        let output = files.join(name);
        let told = audit(&installation, &[&["export", "--json", "-o", text(&output)], range].concat());
        (super::json(&told.succeeded()), output)
    };

    let (all, output) = export("all", &[]);
    assert_eq!(all["segments"].as_array().unwrap().len(), 3, "{all}");
    let whole = verify(&output, &key, &[]).succeeded();
    assert!(whole.stdout.contains(" in 3 segments, seq 1 to "), "{whole}");

    let (second, output) = export("second", &["--since", &between[0], "--until", &between[1]]);
    assert_eq!((&second["segments"], &second["checkpoint"]), (&json!([all["segments"][1]]), &Value::Null));
    let part = verify(&output, &key, &[]).succeeded();
    let earlier = all["segments"][0].as_str().unwrap().trim_end_matches(".zst");
    assert!(part.stdout.contains(&format!("the lines before were in {earlier}")), "{part}");

    let (last, output) = export("last", &["--since", &between[0]]);
    assert_eq!(last["segments"], json!([all["segments"][1], all["segments"][2]]));
    let checkpoint = output.join(last["checkpoint"].as_str().unwrap());
    verify(&output, &key, &["--checkpoint", text(&checkpoint)]).succeeded();

    // The oldest segments may be moved away.
    fs::remove_file(directory(&installation).join(all["segments"][0].as_str().unwrap())).unwrap();
    let shorter = audit(&installation, &["verify"]).succeeded();
    assert!(shorter.stdout.contains(" in 2 segments, seq "), "{shorter}");
}

fn verify(path: &Path, key: &str, more: &[&str]) -> Finished {
    let verify = ["audit", "verify", "--public", text(path), "--key", key.trim_end()];
    run_program(CHANCERY, &[&verify[..], more].concat())
}
