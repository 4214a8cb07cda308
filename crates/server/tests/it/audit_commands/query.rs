//! `audit query`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use chancery_testkit::{Engine, Installation, run_program};
use serde_json::Value;

use super::{ONE_RUN, after_one_run, audit, directory, events, found, run_once, segments, text};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(a_run_is_told_in_order);

fn a_run_is_told_in_order(engine: Engine) {
    let installation = after_one_run(engine);
    let lines = found(&installation, &[]);
    let told: Vec<&str> = events(&lines).into_iter().filter(|event| ONE_RUN.contains(event)).collect();
    assert_eq!(told, ONE_RUN, "{lines:#?}");
    let by_clients = ["account.create", "order.create", "challenge.answer", "certificate.issue"];
    for line in &lines {
        let event = line["event"].as_str().unwrap();
        if by_clients.contains(&event) {
            assert_eq!(line["source_ip"], "127.0.0.1", "{line}");
        }
        if by_clients.contains(&event) || event == "challenge.valid" {
            assert_eq!(line["account_id"], "1", "{line}");
        }
    }
    assert_eq!(found(&installation, &["--event=order.create"]).len(), 1);
    let issued = &found(&installation, &["--event=certificate.issue"])[0];
    assert_eq!(issued["details"]["identifiers"], "dns:one.localhost", "{issued}");
}

#[test]
fn conditions_narrow_it_down() {
    let installation = after_one_run(Engine::Sqlite);
    run_once(&installation, "two.localhost");
    let all = found(&installation, &[]);
    let count = |conditions: &[&str]| found(&installation, conditions).len();

    assert_eq!(
        events(&found(&installation, &["--event=challenge.*", "--account=2"])),
        ["challenge.answer", "challenge.valid"]
    );
    assert_eq!(
        events(&found(&installation, &["--name=TWO.localhost."])),
        ["order.create", "challenge.answer", "challenge.valid", "certificate.issue"]
    );
    let issued = &found(&installation, &["--event=certificate.issue", "--name=one.localhost"])[0];
    let serial = issued["details"]["serial"].as_str().unwrap();
    assert_eq!(found(&installation, &["--serial", &serial.to_uppercase()]), std::slice::from_ref(issued));
    assert_eq!(events(&found(&installation, &["--decision=allow"]))[0], "cold_start.init");
    assert_eq!(count(&["--decision=deny"]), 0);

    let at = issued["ts"].as_str().unwrap();
    let (before, after) = (count(&["--until", at]), count(&["--since", at]));
    assert!(before > 0 && after > 0 && before + after == all.len(), "{before} + {after}");
    assert_eq!(count(&["--since=2020-01-01", "--until=2021-01-01"]), 0);
    assert_eq!(found(&installation, &["--limit=2"]), all[all.len() - 2..]);

    let nothing = audit(&installation, &["query", "--event=order.created"]).succeeded();
    assert!(nothing.stderr.contains("no event is named \"order.created\""), "{nothing}");
    audit(&installation, &["query", "--since=yesterday"]).exited_with(2);
}

#[test]
fn the_forms_hold_the_same() {
    let installation = after_one_run(Engine::Sqlite);
    let all = found(&installation, &[]);
    let written = std::fs::read_to_string(&segments(&directory(&installation))[0]).unwrap();
    assert_eq!(audit(&installation, &["query", "--json"]).succeeded().stdout, written);

    let table = audit(&installation, &["query"]).succeeded().stdout;
    assert_eq!(table.lines().count(), all.len() + 1, "{table}");
    let row = table.lines().find(|row| row.contains("order.create")).unwrap();
    assert!(row.contains("127.0.0.1") && row.contains("identifiers=dns:one.localhost"), "{row}");

    let csv = audit(&installation, &["query", "--csv", "--event=order.create"]).succeeded().stdout;
    let rows: Vec<&str> = csv.split("\r\n").collect();
    assert!(rows[0].starts_with("ts,node,seq,event,account_id,source_ip,"), "{csv}");
    assert!(rows[1].contains(",order.create,1,127.0.0.1,"), "{csv}");
    let details = r#","{""identifiers"":""dns:one.localhost"",""order"":1,""profile"":""default""}""#;
    assert!(rows[1].ends_with(details), "{csv}");
    assert_eq!((rows.len(), rows[2]), (3, ""), "{csv}");
}

/// A copy needs no configuration, and lines that are none are told and passed over.
#[test]
fn a_copy_can_be_queried_and_damage_is_told() {
    let installation = after_one_run(Engine::Sqlite);
    let copy = super::copy_of(&directory(&installation));
    let segment = &segments(copy.path())[0];
    let lines = std::fs::read_to_string(segment).unwrap();
    drop(installation);
    let query = || run_program(CHANCERY, &["audit", "query", "--json", "--log", text(copy.path())]);
    assert_eq!(query().succeeded().stdout, lines);

    std::fs::write(segment, format!("garbage\n{lines}")).unwrap();
    let passed_over = query().exited_with(1);
    assert_eq!(passed_over.stdout, lines);
    assert!(passed_over.stderr.contains("jsonl:1: not a line of an audit log"), "{passed_over}");
}

/// What a client says cannot move the cursor of whoever looks at the log.
#[test]
fn what_clients_say_is_shown_without_effect() {
    let installation = Installation::new(CHANCERY, Engine::Sqlite);
    installation.sql(
        "INSERT INTO audit_outbox (node, happened_at, event, actor, details)
         SELECT node, happened_at, 'account.update', '=cmd' || char(27) || '[2J', '{}' FROM audit_outbox",
    );
    installation.serve().terminate();
    let shown = |form: &[&str]| {
        audit(&installation, &[&["query", "--event=account.update"], form].concat()).succeeded().stdout
    };
    assert!(shown(&[]).ends_with("actor=\"=cmd\\u001b[2J\"\n"), "{:?}", shown(&[]));
    assert!(shown(&["--csv"]).contains(",'=cmd"), "{:?}", shown(&["--csv"]));
    assert!(!shown(&["--json"]).contains('\u{1b}'));
}

#[test]
fn a_log_is_followed_as_it_grows() {
    let installation = after_one_run(Engine::Sqlite);
    let log = directory(&installation);
    let mut following = Command::new(CHANCERY)
        .args(["audit", "query", "--json", "--follow", "--limit=1", "--event=server.*", "--log", text(&log)])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        line["event"].as_str().unwrap().to_owned()
    };
    assert_eq!(next(), "server.stop");
    let mut server = installation.serve();
    assert_eq!(next(), "server.start");
    server.terminate();
    assert_eq!(next(), "server.stop");
    following.kill().unwrap();
    following.wait().unwrap();
}
