use std::path::Path;

use super::*;
use crate::config::{Secrets, check};

fn client(license: &str) -> anyhow::Result<Option<Client>> {
    let text = format!(
        "server: {{url: https://ca.example, listen: \"127.0.0.1:1\", workdir: w}}\n\
         database: {{driver: sqlite, path: a.db}}\n\
         authorities: [{{name: a, type: local, directory: ca, passphrase_file: p}}]\n\
         validation: [{{name: v}}]\n\
         profiles: [{{name: p, authority: a, validation: v}}]\n\
         license: {{{license}}}\n"
    );
    Client::of(&check(Path::new("/etc/c.yml"), &text, &Secrets::default())?.license)
}

#[test]
fn there_is_a_client_only_where_somebody_is_to_be_asked() {
    let portal = "portal: {url: \"https://p.example/\"}";
    assert!(client("").unwrap().is_none());
    assert!(client("offline: true").unwrap().is_none());
    assert!(client(&format!("offline: true, {portal}")).unwrap().is_none());
    let client = client(portal).unwrap().unwrap();
    assert_eq!(format!("{client:?}"), r#"Client { base: "https://p.example", .. }"#);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let empty = file("empty", "\n");
    let key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
    let with_ca = |path: &str| format!("portal: {{url: \"https://p.example\", ca_file: \"{path}\"}}");
    let with_password = |path: &str| {
        format!(
            "portal: {{url: \"https://p.example\", proxy: {{url: \"http://x.example:1\", username: u, password_file: \"{path}\"}}}}"
        )
    };
    for (license, expected) in [
        (with_ca("/nowhere.pem"), "license.portal.ca_file: cannot open /nowhere.pem"),
        (with_ca(&empty), "holds no certificate in PEM"),
        (with_ca(&file("key.pem", key)), "holds no certificate in PEM"),
        (with_password("/nowhere"), "license.portal.proxy: cannot open /nowhere"),
        (with_password(&empty), "is empty: it must hold the password for the proxy"),
    ] {
        let error = format!("{:#}", client(&license).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
    assert!(client(&with_password(&file("password", "hunter2\n"))).unwrap().is_some());
}

#[test]
fn a_code_is_shown_only_if_it_looks_like_one() {
    for (code, shown) in [
        ("license_not_found", true),
        ("", false),
        ("CRT-000000", false),
        ("a b", false),
        ("\u{1b}[31m", false),
        (&"a".repeat(65), false),
    ] {
        assert_eq!(named(code.to_owned()).is_some(), shown, "{code:?}");
    }
}

#[test]
fn of_many_manifests_the_first_are_read() {
    let keys: Vec<String> = (1..=40).map(|number| number.to_string()).collect();
    let answer = |object: &str| json!({ "object": object, "response": "r", "keys": keys }).to_string();
    let sealed = Sealed::of(answer("installation_sync").as_bytes()).map_err(|failure| failure.to_string());
    assert_eq!(sealed.unwrap().keys, keys[..16]);
    assert!(matches!(Sealed::of(answer("license").as_bytes()), Err(Failure::NotAnAnswer)));
}

/// Whoever takes the connection and says nothing is not waited for without end.
#[tokio::test]
async fn silence_is_not_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let portal = Portal {
        url: format!("https://{}", silent.local_addr().unwrap()),
        host: "127.0.0.1".to_owned(),
        port: 443,
        ca_file: None,
        proxy: None,
        interval: Duration::from_secs(3_600),
    };
    let client = Client::calling(&portal, Duration::from_millis(50)).unwrap();
    let installation = InstallationKey::from_random(&[1; 29]);
    let failure = client.sync(&installation, "a").await.map(|_| ()).unwrap_err();
    assert!(matches!(failure, Failure::TimedOut), "{failure}");
}
