//! `chancery eab`: what operators do with keys, and what they are told.

use std::io::Write as _;
use std::process::{Command, Stdio};

use chancery_testkit::{Engine, Installation, RawClient};
use serde_json::{Value, json};

use super::{Key, bound_only, create, events, json as said};
use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

const SECRET: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

on_both_engines!(keys_are_made_listed_shown_and_revoked, a_key_of_another_server_is_imported);

fn keys_are_made_listed_shown_and_revoked(engine: Engine) {
    block_on(async {
        let installation = bound_only(engine);
        let run = |arguments: &[&str]| installation.run(&[&["eab"], arguments].concat()).succeeded().stdout;
        let none = run(&["list"]);
        let plain = run(&["create"]);
        let rich = run(&[
            "create",
            "--label",
            "web farm",
            "--uses",
            "20",
            "--expires",
            "30d",
            "--profile",
            "default",
            "--allow",
            ".corp.example",
            "--allow",
            "*.corp.example",
            "--deny",
            "=no.corp.example",
            "--max-validity",
            "7d",
            "--skip-validation",
        ]);
        let key = create(&installation, &["--uses", "unlimited", "--label", "all"]);
        let mut server = installation.serve();
        let mut client = RawClient::new(&installation).await;
        assert_eq!(key.register(&mut client).await.status, 201);
        let shown = run(&["show", &key.kid]);
        let listed = run(&["list"]);
        let revoked = run(&["revoke", &key.kid]);
        let shown_revoked = run(&["show", &key.kid]);
        incidentals_aside(|| {
            insta::assert_snapshot!("eab_list_empty", none);
            insta::assert_snapshot!("eab_created", plain);
            insta::assert_snapshot!("eab_created_on_terms", rich);
            insta::assert_snapshot!("eab_shown", shown);
            insta::assert_snapshot!("eab_listed", listed);
            insta::assert_snapshot!("eab_revoked", revoked);
            insta::assert_snapshot!("eab_shown_revoked", shown_revoked);
        });

        // Who is bound stays.
        key.register(&mut client.another()).await.problem(403, "unauthorized");
        assert_eq!(client.new_order("a.localhost", json!({})).await.status, 201);
        let again = installation.run(&["eab", "revoke", &key.kid]).exited_with(1);
        assert!(again.stderr.contains("was revoked already"), "{again}");
        server.terminate();

        // The secret is in no answer but the first, and in no event.
        let told = installation.run(&["audit", "query", "--json"]).succeeded().stdout;
        for text in [&shown, &listed, &revoked, &told, &run(&["list", "--json"])] {
            assert!(!text.contains(&key.hmac_key), "{text}");
        }
        let made = events(&installation, "eab.create");
        assert_eq!(made.len(), 3, "{made:?}");
        let revoked = &events(&installation, "eab.revoke")[0];
        assert_eq!(revoked["details"], json!({ "kid": key.kid, "accounts": 1 }), "{revoked}");
        assert!(revoked["actor"].as_str().unwrap().starts_with("operator uid="), "{revoked}");
    });
}

fn a_key_of_another_server_is_imported(engine: Engine) {
    block_on(async {
        let installation = bound_only(engine);
        let file = file(&installation, &format!("{SECRET}\n"));
        let import = ["eab", "import", "kid-1", "--hmac-key-file", &file, "--uses=2"];
        let imported = installation.run(&import).succeeded().stdout;
        incidentals_aside(|| insta::assert_snapshot!("eab_imported", imported));
        let twice = installation.run(&import).exited_with(1);
        assert!(twice.stderr.contains("there is a key `kid-1` already"), "{twice}");
        let key = Key { kid: "kid-1".to_owned(), hmac_key: SECRET.to_owned() };
        let mut server = installation.serve();
        let mut client = RawClient::new(&installation).await;
        assert_eq!(key.register(&mut client).await.status, 201);
        server.terminate();
        let told = &events(&installation, "eab.import")[0];
        assert_eq!(
            (&told["details"]["kid"], &told["details"]["uses"]),
            (&json!("kid-1"), &json!(2)),
            "{told}"
        );
    });
}

#[test]
fn a_secret_is_read_from_standard_input_and_held_to_its_form() {
    let installation = bound_only(Engine::Sqlite);
    let import = |kid: &str, text: &str| {
        let mut command = Command::new(CHANCERY);
        let config = installation.server_workdir().with_file_name("chancery.yaml");
        command.args(["eab", "import", kid, "-f"]).arg(config);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = command.spawn().unwrap();
        running.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let ended = running.wait_with_output().unwrap();
        (ended.status.success(), String::from_utf8(ended.stderr).unwrap())
    };
    for (text, says) in [
        ("", "has 0 bytes: use 16 to 128"),
        ("YWJj", "has 3 bytes: use 16 to 128"),
        ("not base64url!", "is not base64url without padding"),
        (&"A".repeat(4_000), "the HMAC key"),
    ] {
        let (succeeded, stderr) = import("kid-1", text);
        assert!(!succeeded && stderr.contains("standard input") && stderr.contains(says), "{says}: {stderr}");
        assert!(text.is_empty() || !stderr.contains(text), "{stderr}");
    }
    assert_eq!(said(&installation, &["eab", "list"])["keys"], json!([]));
    assert_eq!(import("kid-1", &format!("{SECRET}\r\n")), (true, String::new()));
    assert_eq!(said(&installation, &["eab", "show", "kid-1"])["state"], "usable");
}

#[test]
fn terms_that_cannot_be_met_are_refused() {
    let installation = bound_only(Engine::Sqlite);
    installation.configure(|config| {
        config["profiles"][0]["allow"] = json!([".corp.example/2", "10.0.0.0/8"]);
        config["profiles"][0]["challenges"] = json!(["http-01"]);
    });
    for (arguments, code, says) in [
        (&["--profile", "other"] as &[&str], 1, "has no such profile; it has default"),
        (&["--allow", ".else.example"], 1, "no profile that the key allows serves such names"),
        (&["--allow", "*.corp.example"], 1, "no profile that the key allows serves such names"),
        (
            &["--allow", ".a.corp.example", "--deny", ".corp.example"],
            1,
            "--deny .corp.example covers all of it",
        ),
        (&["--expires", "2020-01-01T00:00:00Z"], 1, "is in the past"),
        (&["--allow", "corp.example"], 2, "is no scope"),
        (&["--uses", "0"], 2, "write 1 or more, or `unlimited`"),
        (&["--expires", "soon"], 2, "neither a length of time"),
        (&["--max-validity", "1m"], 2, "write 5m to 825d"),
        (&["--label", "a\nb"], 2, "printable characters"),
    ] {
        let refused = installation.run(&[&["eab", "create"], arguments].concat()).exited_with(code);
        assert!(refused.stdout.is_empty() && refused.stderr.contains(says), "{says}: {refused}");
    }
    assert_eq!(said(&installation, &["eab", "list"])["keys"], json!([]));
    create(
        &installation,
        &["--allow", ".corp.example", "--allow", "10.1.0.0/16", "--allow", "=a.corp.example"],
    );
    for command in ["show", "revoke"] {
        let unknown = installation.run(&["eab", command, "nobody's"]).exited_with(1);
        assert!(unknown.stderr.contains("`chancery eab list` lists"), "{unknown}");
    }
}

#[test]
fn a_long_list_comes_in_pages() {
    let installation = bound_only(Engine::Sqlite);
    let keys: Vec<String> = (0..5).map(|_| create(&installation, &[]).kid).collect();
    let kids = |page: &Value| -> Vec<String> {
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        page["keys"].as_array().unwrap().iter().map(kid).collect()
    };
    let first = said(&installation, &["eab", "list", "--limit=2"]);
    assert_eq!((kids(&first), &first["before"]), (vec![keys[4].clone(), keys[3].clone()], &json!(keys[3])));
    let last = said(&installation, &["eab", "list", "--limit=3", "--before", &keys[3]]);
    assert_eq!((kids(&last).len(), &last["before"]), (3, &json!(null)), "{last}");
    let text = installation.run(&["eab", "list", "--limit=2"]).succeeded().stdout;
    assert!(text.ends_with(&format!("There are more: give --before {}\n", keys[3])), "{text}");
}

fn file(installation: &Installation, text: &str) -> String {
    let path = installation.server_workdir().join("secret");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Leaves out of snapshots what differs from run to run.
fn incidentals_aside(check: impl FnOnce()) {
    insta::with_settings!({filters => vec![
        (r"\b[0-9a-f]{32}\b", "[KEY IDENTIFIER 32 DIGITS LONG ]"),
        (r"(?m)[0-9A-Za-z_-]{43}$", "[HMAC KEY]"),
        (r"https://localhost:\d+", "[URL]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[MINUTE]"),
    ]}, { check() });
}
