use chancery_license::revocations::Reason;
use chancery_license::{RevocationList, open};

use crate::desk::Desk;

const REVOKE: &str = "revoke --key @root.key --env prod";

fn opened(desk: &Desk, name: &str) -> RevocationList {
    open(&desk.read(name), &desk.keyring(&["root.key"])).unwrap().into_document().body
}

#[test]
fn a_list_builds_on_the_one_before_it() {
    let desk = Desk::with_keys();
    let at = "2026-03-01T00:00:00Z";
    desk.run(&format!("{REVOKE} --license zeta --license acme-1 --reason unpaid --at {at} -o @1.rev"))
        .succeeded();
    let first = opened(&desk, "1.rev");
    assert_eq!(first.sequence, 1);
    assert_eq!(first.find("acme-1", 0), Some((at.parse().unwrap(), Reason::Unpaid)));

    let told = desk.json(&format!(
        "{REVOKE} --list @1.rev --serial 7 --license mid --reason compromised --next-update-days 90 -o @2.rev"
    ));
    assert_eq!(told["sequence"], 2);
    let document =
        open::<RevocationList>(&desk.read("2.rev"), &desk.keyring(&["root.key"])).unwrap().into_document();
    let second = &document.body;
    assert!(second.replace(&first).is_ok());
    assert_eq!(second.next_update.since(document.issued).as_secs(), 90 * 86_400);
    let ids: Vec<&str> = second.licenses.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(ids, ["acme-1", "mid", "zeta"]);
    assert_eq!(second.find("acme-1", 0), Some((at.parse().unwrap(), Reason::Unpaid)));
    assert_eq!(second.find("none", 7), Some((document.issued, Reason::Compromised)));

    // Nothing to revoke: the vendor still stands by the list.
    desk.run(&format!("{REVOKE} --list @2.rev -o @3.rev")).succeeded();
    let third = opened(&desk, "3.rev");
    assert_eq!((third.sequence, &third.licenses, &third.serials), (3, &second.licenses, &second.serials));
}

#[test]
fn a_list_of_an_earlier_key_is_built_on_when_that_key_is_named() {
    let desk = Desk::with_keys();
    desk.run(&format!("{REVOKE} --license acme-1 -o @1.rev")).succeeded();
    desk.run("keys generate --env prod -o @next.key").succeeded();
    desk.run("keys export --key @root.key -o @root.pem").succeeded();
    let by_next = "revoke --key @next.key --env prod --list @1.rev -o @2.rev";
    desk.refuses(by_next, 1, &["--list", "--list-key", &desk.public_key("root.key").id().to_string()]);
    desk.run(&format!("{by_next} --list-key @root.pem")).succeeded();
    let list = open::<RevocationList>(&desk.read("2.rev"), &desk.keyring(&["next.key"])).unwrap();
    assert_eq!((list.body().sequence, list.body().licenses.len()), (2, 1));
}

#[test]
fn a_list_that_is_not_this_vendors_or_says_things_twice_is_refused() {
    let desk = Desk::with_keys();
    desk.run(&format!("{REVOKE} --license acme-1 --serial 7 -o @1.rev")).succeeded();
    let altered = desk.read("1.rev");
    let middle = altered.lines().nth(3).unwrap();
    let swapped: String = middle.chars().rev().collect();
    desk.write("altered.rev", &altered.replace(middle, &swapped));
    for (words, code, named) in [
        (format!("{REVOKE} --list @altered.rev -o @2.rev"), 1, &["--list"][..]),
        (format!("{REVOKE} --list @missing.rev -o @2.rev"), 1, &["--list", "missing.rev"]),
        (format!("{REVOKE} --list @root.key -o @2.rev"), 1, &["--list", "BEGIN CHANCERY REVOCATIONS"]),
        (
            format!("{REVOKE} --list @1.rev -o @2.rev").replace("prod", "uat"),
            1,
            &["--list", "environment prod"],
        ),
        (
            format!("{REVOKE} --list @1.rev --license acme-1 -o @2.rev"),
            1,
            &["acme-1 is revoked already", "leave it out"],
        ),
        (format!("{REVOKE} --list @1.rev --serial 7 -o @2.rev"), 1, &["serial 7 is revoked already"]),
        (format!("{REVOKE} --serial 0 -o @2.rev"), 1, &["--serial 0"]),
        (
            format!("{REVOKE} --license acme-1 --reason because -o @2.rev"),
            2,
            &["--reason", "cancelled, compromised"],
        ),
        (format!("{REVOKE} --license acme-1 --next-update-days 0 -o @2.rev"), 2, &["--next-update-days"]),
        (format!("{REVOKE} --license acme-1 -o @1.rev"), 1, &["1.rev exists already"]),
        (format!("{REVOKE} -o @2.rev").replace("root.key", "jwt.key"), 1, &["--key", "RSA key"]),
    ] {
        desk.refuses(&words, code, named);
    }
}
