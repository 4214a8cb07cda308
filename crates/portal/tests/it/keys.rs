use std::os::unix::fs::PermissionsExt;

use chancery_license::{Method, PublicKey, SigningKey};

use crate::desk::Desk;

#[test]
fn a_new_key_is_private_and_tells_nothing_of_itself() {
    let desk = Desk::new();
    for (kind, method) in [("ed25519", Method::Ed25519), ("rsa", Method::RsaPkcs1Sha256)] {
        let name = format!("{kind}.key");
        let told = desk.run(&format!("keys generate --env prod --type {kind} -o @{name}")).succeeded();
        let mode = std::fs::metadata(desk.path(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let pem = desk.read(&name);
        let key = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(key.public().method(), method);
        assert!(told.stdout.contains(&key.public().id().to_string()), "{told}");
        assert!(told.stdout.contains("--trust-dir TRUST --env prod"), "{told}");
        for line in pem.lines() {
            assert!(!told.stdout.contains(line) && !told.stderr.contains(line), "{told}");
        }
    }
    assert_eq!(desk.names(), ["ed25519.key", "rsa.key"], "no temporary file is left");
}

#[test]
fn openssl_reads_the_keys() {
    let desk = Desk::with_keys();
    for name in ["root.key", "jwt.key"] {
        let path = desk.path(name);
        let arguments = ["pkey", "-in", path.to_str().unwrap(), "-pubout"];
        let public = chancery_testkit::run_program("openssl", &arguments).succeeded().stdout;
        assert_eq!(public, desk.public_key(name).to_pem());
    }
}

#[test]
fn no_key_is_ever_overwritten() {
    let desk = Desk::with_keys();
    let before = desk.read("root.key");
    desk.refuses("keys generate --env prod -o @root.key", 1, &["root.key exists already"]);
    desk.refuses("keys export --key @jwt.key -o @root.key", 1, &["root.key exists already"]);
    assert_eq!(desk.read("root.key"), before);
}

#[test]
fn public_keys_are_printed_written_or_put_into_a_trust_folder() {
    let desk = Desk::with_keys();
    let printed = desk.run("keys export --key @root.key").succeeded().stdout;
    let key = PublicKey::from_pem(&printed).unwrap();
    assert_eq!(SigningKey::from_pem(&desk.read("root.key")).unwrap().public(), &key);

    let told = desk.json("keys export --key @root.key -o @root.pem");
    assert_eq!(desk.read("root.pem"), printed);
    assert_eq!(
        (told["key_id"].as_str(), told["public_key"].as_str()),
        (Some(key.id().to_string().as_str()), Some(printed.as_str()))
    );

    for (name, kind) in [("root.key", "ed25519"), ("jwt.key", "rsa")] {
        let told = desk.json(&format!("keys export --key @{name} --trust-dir @trust --env uat"));
        let key = desk.public_key(name);
        let place = format!("trust/uat/{kind}-{}.pem", key.id());
        assert_eq!(told["path"].as_str(), desk.path(&place).to_str());
        assert_eq!(desk.read(&place), key.to_pem());
    }
    let again = "keys export --key @root.key --trust-dir @trust --env uat";
    desk.refuses(again, 1, &["exists already"]);
    let everywhere = [desk.read("root.key"), desk.read("jwt.key")].concat();
    for line in everywhere.lines().filter(|line| !line.starts_with('-')) {
        assert!(!printed.contains(line) && !told.to_string().contains(line));
    }
}

#[test]
fn what_is_no_private_key_is_refused_with_its_flag() {
    let desk = Desk::with_keys();
    desk.run("keys export --key @root.key -o @root.pem").succeeded();
    desk.write("cut.key", &desk.read("root.key").replace("-----END PRIVATE KEY-----", ""));
    desk.refuses("keys export --key @missing.key", 1, &["--key", "missing.key", "No such file"]);
    desk.refuses(
        "keys export --key @root.pem",
        1,
        &["root.pem (--key)", "`keys generate`", "BEGIN PRIVATE KEY"],
    );
    desk.refuses("keys export --key @cut.key", 1, &["cut.key (--key)", "cut off"]);
    desk.refuses("keys export --key @root.key --trust-dir @trust", 2, &["--env"]);
    desk.refuses("keys export --key @root.key --env prod", 2, &["--trust-dir"]);
    desk.refuses("keys generate --env production -o @new.key", 2, &["--env", "prod, dev, staging and uat"]);
    desk.refuses("keys generate --env prod --type p256 -o @new.key", 2, &["--type", "ed25519, rsa"]);

    // A cause that the error tells itself is not told again.
    let finished = desk.run("keys export --key @root.pem").exited_with(1);
    assert_eq!(finished.stderr.matches("BEGIN PRIVATE KEY").count(), 1, "{finished}");
}
