//! `audit verify`, `audit checkpoint` and `audit list-nodes`.

use std::fs;
use std::path::Path;

use chancery_testkit::{Engine, Installation, Vendor, Workdir, run_program};
use serde_json::Value;

use super::{
    after_one_run, assert_refused, audit, copy_of, directory, file_name, json, run_once, segments, text,
};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    a_sound_log_and_its_checkpoint,
    nothing_is_there_before_the_first_run,
    a_log_that_is_gone_is_missed
);

fn a_sound_log_and_its_checkpoint(engine: Engine) {
    let installation = after_one_run(engine);
    let sound = audit(&installation, &["verify"]).succeeded();
    let node = node(&installation);
    assert!(sound.stdout.starts_with(&format!("sound: node {node}, ")), "{sound}");
    assert!(sound.stdout.contains(" in 1 segment, seq 1 to ") && sound.stderr.is_empty(), "{sound}");
    let report = json(&audit(&installation, &["verify", "--signatures", "--json"]).succeeded());
    let lines = report["lines"].as_u64().unwrap();
    assert_eq!(report["sound"], true, "{report}");
    assert_eq!((&report["last_seq"], &report["waiting"]), (&report["lines"], &Value::from(0)), "{report}");
    assert_eq!((&report["checkpoints"], &report["signed_to"]), (&Value::from(1), &Value::from(lines - 1)));

    let nodes = json(&audit(&installation, &["list-nodes", "--json"]).succeeded());
    let expected = serde_json::json!([{ "node": node, "last_seq": lines, "waiting": 0, "this": true }]);
    assert_eq!(nodes, expected);
    let listed = audit(&installation, &["list-nodes"]).succeeded().stdout;
    assert!(listed.lines().nth(1).unwrap().ends_with("  this node"), "{listed}");

    // Kept elsewhere, it holds for all that comes later.
    let elsewhere = Workdir::new();
    let note = audit(&installation, &["checkpoint"]).succeeded().stdout;
    let kept = elsewhere.write("kept.txt", &note);
    let key = audit(&installation, &["checkpoint", "--key"]).succeeded().stdout;
    assert!(note.starts_with(&format!("{}\n{lines}\n", key.split('+').next().unwrap())), "{note}");
    let both = json(&audit(&installation, &["checkpoint", "--json"]).succeeded());
    assert_eq!((both["key"].as_str(), both["size"].as_u64()), (Some(key.trim_end()), Some(lines)));
    run_once(&installation, "two.localhost");
    let extended = audit(&installation, &["verify", "--checkpoint", text(&kept)]).succeeded();
    assert!(
        extended.stdout.contains(&format!("It extends the checkpoint over {lines} lines.")),
        "{extended}"
    );

    // What commands tell waits for the next run.
    let strange = elsewhere.write("strange.lic", &Vendor::stranger().license().mint());
    installation.run(&["license", "install", text(&strange)]).exited_with(1);
    let waiting = audit(&installation, &["verify"]).succeeded();
    assert!(waiting.stdout.contains("\n  Waiting in the store: 1 event,"), "{waiting}");
}

fn nothing_is_there_before_the_first_run(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let empty = audit(&installation, &["verify"]).succeeded();
    assert!(empty.stdout.contains(", no lines\n  Waiting in the store: 1 event,"), "{empty}");
    assert_refused(audit(&installation, &["checkpoint"]), "there is nothing to sign yet");
    assert_refused(audit(&installation, &["query"]), "no log can be read there");
    assert_refused(audit(&installation, &["verify", "--node", "other"]), "no log of a node other");
}

fn a_log_that_is_gone_is_missed(engine: Engine) {
    let installation = after_one_run(engine);
    let elsewhere = Workdir::new();
    let kept = elsewhere.write("kept.txt", &audit(&installation, &["checkpoint"]).succeeded().stdout);
    fs::rename(directory(&installation), elsewhere.join("audit")).unwrap();
    let gone = audit(&installation, &["verify"]).exited_with(1);
    assert!(gone.stdout.contains("audit:1: cut off: the log ends with seq 0, the pinned head is"), "{gone}");
    installation.sql("DELETE FROM audit_heads");
    let gone = audit(&installation, &["verify", "--checkpoint", text(&kept)]).exited_with(1);
    assert!(gone.stdout.contains("the log ends with seq 0, but the checkpoint is about"), "{gone}");
}

type Tamper = fn(&mut Vec<String>);

/// Each kind of tampering, on a copy of its own, with the line that has to be named.
#[test]
fn tampering_is_named_with_file_and_line() {
    let installation = after_one_run(Engine::Sqlite);
    let log = directory(&installation);
    let last = fs::read_to_string(&segments(&log)[0]).unwrap().lines().count();
    let cases: [(&str, Tamper, usize, &str); 5] = [
        (
            "a byte",
            |lines| lines[4] = lines[4].replacen("127.0.0.1", "127.0.0.2", 1),
            5,
            "changed after it was",
        ),
        ("a line removed", |lines| drop(lines.remove(4)), 5, "seq 5 is missing before it"),
        ("the last line cut", |lines| drop(lines.pop()), last, "cut off: the log ends with seq"),
        ("two lines swapped", |lines| lines.swap(4, 5), 6, "was moved here from further up"),
        ("a line twice", |lines| lines.insert(5, lines[4].clone()), 6, "stands here once more"),
    ];
    for (what, tamper, line, words) in cases {
        let copy = copy_of(&log);
        let segment = &segments(copy.path())[0];
        let before = fs::read_to_string(segment).unwrap();
        let mut lines: Vec<String> = before.lines().map(|line| format!("{line}\n")).collect();
        tamper(&mut lines);
        fs::write(segment, lines.concat()).unwrap();
        assert_broken(&installation, copy.path(), &format!("{}:{line}: ", file_name(segment)), words, what);
    }

    let copy = copy_of(&log);
    let segment = &segments(copy.path())[0];
    let bytes = fs::read(segment).unwrap();
    fs::write(segment, &bytes[..bytes.len() - 300]).unwrap();
    assert_broken(&installation, copy.path(), &file_name(segment), "cut off", "the tail of a segment");

    let copy = copy_of(&log);
    fs::remove_file(&segments(copy.path())[0]).unwrap();
    assert_broken(&installation, copy.path(), "audit.", "cut off", "a segment");

    // The log itself is as it was.
    audit(&installation, &["verify"]).succeeded();
}

#[track_caller]
fn assert_broken(installation: &Installation, log: &Path, place: &str, words: &str, what: &str) {
    let broken = audit(installation, &["verify", "--log", text(log)]).exited_with(1);
    let named = |line: &str| line.starts_with(place) && line.contains(words);
    assert!(broken.stdout.lines().any(named), "{what}: expected `{place}… {words}`: {broken}");
    assert!(broken.stdout.contains("\nBROKEN in "), "{what}: {broken}");
    let report = json(&audit(installation, &["verify", "--log", text(log), "--json"]).exited_with(1));
    assert_eq!(report["sound"], false, "{what}: {report}");
    let finding = &report["findings"][0];
    assert!(
        finding["file"].is_string() && finding["line"].is_u64() && finding["what"].is_string(),
        "{report}"
    );
}

/// Whoever has the store can write a log that is sound in itself, but not the one that was signed for.
#[test]
fn a_kept_checkpoint_shows_what_the_store_cannot() {
    let installation = after_one_run(Engine::Sqlite);
    let elsewhere = Workdir::new();
    run_once(&installation, "two.localhost");
    let note = audit(&installation, &["checkpoint"]).succeeded().stdout;
    let kept = elsewhere.write("kept.txt", &note);
    let verify = ["verify", "--checkpoint", text(&kept)];
    audit(&installation, &verify).succeeded();

    // Forget everything, as if nothing had been: log, end and secrets.
    fs::remove_dir_all(directory(&installation)).unwrap();
    installation.sql("DELETE FROM audit_heads");
    run_once(&installation, "three.localhost");
    audit(&installation, &["verify"]).succeeded();
    let broken = audit(&installation, &verify).exited_with(1);
    assert!(
        broken.stdout.contains("the checkpoint is about")
            || broken.stdout.contains("are not those that the checkpoint was signed for"),
        "{broken}"
    );

    elsewhere.write("kept.txt", &note.replacen("\nnode ", "\nnode x", 1));
    assert_refused(audit(&installation, &verify), "was changed after it was signed");
    elsewhere.write("kept.txt", &note);
    installation.sql("DELETE FROM settings WHERE name = 'audit_signing_seed'");
    assert_refused(audit(&installation, &verify), "was signed with another key");
    elsewhere.write("kept.txt", "hello");
    assert_refused(audit(&installation, &verify), "this is no checkpoint");
    let stranger = after_one_run(Engine::Sqlite);
    elsewhere.write("kept.txt", &audit(&stranger, &["checkpoint"]).succeeded().stdout);
    assert_refused(audit(&installation, &verify), "another installation's log");
}

/// An auditor has a copy of the log and the public key, and neither configuration nor database.
#[test]
fn a_copy_verifies_by_its_signatures_alone() {
    let installation = after_one_run(Engine::Sqlite);
    let elsewhere = Workdir::new();
    let key = audit(&installation, &["checkpoint", "--key"]).succeeded().stdout;
    let key_file = elsewhere.write("key", &key);
    let note = elsewhere.write("note", &audit(&installation, &["checkpoint"]).succeeded().stdout);
    let copy = copy_of(&directory(&installation));
    let segment = segments(copy.path())[0].clone();
    drop(installation);

    let verify = |path: &Path, key: &str, more: &[&str]| {
        run_program(CHANCERY, &[&["audit", "verify", "--public", text(path), "--key", key], more].concat())
    };
    for path in [copy.path(), &segment] {
        for key in [key.trim_end(), text(&key_file)] {
            let sound = verify(path, key, &[]).succeeded();
            assert!(sound.stdout.contains("Signatures vouch for seq 1 to "), "{sound}");
            assert!(sound.stdout.contains("not yet for seq"), "{sound}");
        }
    }
    let whole = verify(copy.path(), text(&key_file), &["--checkpoint", text(&note)]).succeeded();
    assert!(whole.stdout.contains(": all of it."), "{whole}");

    let untouched = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, untouched.replacen("one.localhost", "two.localhost", 1)).unwrap();
    let broken = verify(copy.path(), text(&key_file), &["--json"]).exited_with(1);
    let what = json(&broken)["findings"][0]["what"].as_str().unwrap().to_owned();
    assert!(what.contains("signed for other lines: one of seq 1 to "), "{broken}");

    // Without its checkpoint anybody could have written it.
    let unsigned: Vec<&str> = untouched.split_inclusive('\n').collect();
    fs::write(&segment, unsigned[..unsigned.len() - 1].concat()).unwrap();
    let unproven = verify(copy.path(), text(&key_file), &[]).exited_with(1);
    assert!(
        unproven.stdout.contains("NOT PROVEN") && unproven.stdout.contains("nothing vouches"),
        "{unproven}"
    );

    fs::write(&segment, untouched).unwrap();
    let stranger = after_one_run(Engine::Sqlite);
    let other = audit(&stranger, &["checkpoint", "--key"]).succeeded().stdout;
    let broken = verify(copy.path(), other.trim_end(), &[]).exited_with(1);
    assert!(broken.stdout.contains("no signature by the wanted key"), "{broken}");
    assert_refused(verify(copy.path(), "no key", &[]), "--key takes a verifier key");
    assert_refused(verify(elsewhere.path(), text(&key_file), &[]), "there is no segment");
}

fn node(installation: &Installation) -> String {
    let named = fs::read_to_string(installation.server_workdir().join("node")).unwrap();
    named.split(' ').next().unwrap().to_owned()
}
