use chancery_license::{License, open};

use crate::desk::Desk;

const MANIFEST: &str = "keys manifest --key @root.key --env prod";
const TIMES: &str = "from=2026-01-01T00:00:00Z,until=2099-12-31T00:00:00Z";

#[test]
fn a_root_vouches_for_a_key_and_hands_over() {
    let desk = Desk::with_keys();
    for key in ["day", "next"] {
        desk.run(&format!("keys generate --env prod -o @{key}.key")).succeeded();
        desk.run(&format!("keys export --key @{key}.key -o @{key}.pem")).succeeded();
    }
    let mint = "license mint lic --key @day.key --env prod --plan free --serial 1 --id a --organisation A --email a@a.example \
                --days 1 -o @a.lic";
    desk.run(mint).succeeded();
    let license = desk.read("a.lic");
    let anchors = desk.keyring(&["root.key"]);
    assert_eq!(open::<License>(&license, &anchors).unwrap_err().class(), "unknown_key");

    let told = desk.json(&format!("{MANIFEST} --sequence 1 --add @day.pem,use=license,{TIMES} -o @1.keys"));
    assert_eq!(told["keys"][0], desk.public_key("day.key").id().to_string());
    let vouched = anchors.admit(&desk.read("1.keys")).unwrap();
    assert!(open::<License>(&license, &vouched).is_ok());

    desk.run(&format!("{MANIFEST} --sequence 2 --next-root @next.key -o @2.keys")).succeeded();
    let handed_over = vouched.admit(&desk.read("2.keys")).unwrap();
    assert_eq!(open::<License>(&license, &handed_over).unwrap_err().class(), "unknown_key");
    desk.run("keys manifest --key @next.key --env prod --sequence 3 -o @3.keys").succeeded();
    assert_eq!(handed_over.admit(&desk.read("3.keys")).unwrap().sequence(), 3);
}

#[test]
fn a_manifest_that_no_program_would_take_is_not_signed() {
    let desk = Desk::with_keys();
    for key in ["root", "jwt"] {
        desk.run(&format!("keys export --key @{key}.key -o @{key}.pem")).succeeded();
    }
    let add = |words: &str| format!("{MANIFEST} --sequence 1 -o @1.keys --add {words}");
    for (words, code, named) in [
        (format!("{MANIFEST} --sequence 0 -o @1.keys"), 1, &["--sequence 0"][..]),
        (add(&format!("@root.pem,use=license,{TIMES}")), 1, &["listed twice, or is an anchor"]),
        (add(&format!("@jwt.pem,use=license,{TIMES}")), 1, &["licence JWTs alone"]),
        (add(&format!("@root.key,use=license,{TIMES}")), 1, &["root.key (--add)", "`keys export`"]),
        (add("@jwt.pem,use=license_jwt"), 2, &["--add", "from=TIME"]),
        (format!("{MANIFEST} --sequence 1 -o @1.keys --next-root @jwt.key"), 1, &["no Ed25519 key"]),
    ] {
        desk.refuses(&words, code, named);
    }
}
