//! What is secret shows nowhere: in no log, in no error, and in no copy of the database.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use chancery_testkit::{Engine, PortalSite};
use http::Method;
use serde_json::json;

use super::shop::{DEVICE, OTHER_PRODUCT, PRODUCT, Shop, Style, act, activate};
use super::{PORTAL, block_on, on_both_engines};

on_both_engines!(no_secret_is_told);

/// The files that everybody may read: what vouches for the portal is given to others, and the lock is empty.
const FOR_OTHERS: [&str; 2] = ["portal.pem", "lock"];

fn no_secret_is_told(engine: Engine) {
    block_on(async {
        let shop = Shop::stocked(PortalSite::new(PORTAL, engine).logging("debug"));
        let (sold, unused) = (shop.sell(&[]), shop.sell(&["--env", "dev"]));
        let (publishable, secret) = (shop.publishable_key(), shop.secret_key("--live"));
        let mut server = shop.serve();
        let client = shop.client(&publishable);
        let key = &sold.key;
        let mut secrets = vec![key.clone(), unused.key.clone(), publishable.clone(), secret.clone()];

        // What is right, in both styles.
        for style in Style::BOTH {
            for action in ["activate", "validate", "heartbeat", "machine-file", "deactivate"] {
                act(&client, style, action, key, DEVICE, json!({})).await.done();
            }
        }
        let vendor = shop.client(&secret);
        let made =
            vendor.post(&format!("/products/{PRODUCT}/licenses"), &json!({ "plan_key": "pro" })).await.done();
        secrets.push(made["key"].as_str().unwrap().to_owned());
        activate(&client, made["key"].as_str().unwrap(), DEVICE).await;

        // What is wrong, with a licence key in every place where somebody might put one.
        let action = format!("/api/v1/products/{PRODUCT}/licenses/validate");
        let mut refused = Vec::new();
        for body in [
            format!(r#"{{"license_key":"{key}""#),
            format!(r#"{{"license_key":"{key}","fingerprint":7}}"#),
            format!(r#"{{"license_key":"{key}","fingerprint":"short"}}"#),
            format!(r#"{{"license_key":"{key}x","fingerprint":"{DEVICE}"}}"#),
            format!(r#"{{"license_key":"{key}","license_key":"{key}"}}"#),
            format!(r#"{{"license_key":["{key}"],"fingerprint":"{DEVICE}"}}"#),
            format!(r#"{{"license_key":{{"{key}":"{key}"}}}}"#),
            format!(r#"{{"fingerprint":"{DEVICE}","telemetry":"{key}"}}"#),
            format!(r#""{key}""#),
            key.clone(),
        ] {
            refused.push(client.send(Method::POST, &action, &[], body).await);
        }
        for (style, action, product, device) in [
            (Style::Path, "nonsense", PRODUCT, DEVICE),
            (Style::Path, "validate", "no-such", DEVICE),
            (Style::Path, "validate", OTHER_PRODUCT, DEVICE),
            (Style::Body, "validate", OTHER_PRODUCT, DEVICE),
            (Style::Path, "validate", PRODUCT, "short"),
            (Style::Path, "heartbeat", PRODUCT, "never-activated"),
            (Style::Body, "machine-file", PRODUCT, "never-activated"),
        ] {
            refused.push(super::shop::act_on(&client, product, style, action, key, device, json!({})).await);
        }
        for path in [
            format!("/api/v1/products/{PRODUCT}/licenses/{key}"),
            format!("/api/v1/products/{key}/licenses"),
            format!("/api/v1/signing_keys/{key}"),
            format!("/api/v1/{key}"),
            format!("/api/v1/products/{PRODUCT}/licenses?limit={key}"),
            format!("/api/v1/products/{PRODUCT}/licenses?license_key={key}"),
        ] {
            for client in [&client, &vendor, &shop.anonymous(), &shop.client(key)] {
                refused.push(client.send(Method::GET, &path, &[], "").await);
            }
        }
        refused.retain(|answer| !answer.status.is_success());
        assert!(refused.len() > 30);
        for (number, answer) in refused.iter().enumerate() {
            assert!(answer.status.is_client_error(), "{}", answer.status);
            let what = format!("refusal {number} ({})", answer.status);
            assert_tells_none(&secrets, &what, answer.body.as_bytes());
            assert_tells_none(&secrets, &what, format!("{:?}", answer.headers).as_bytes());
        }
        server.terminate();
        let log = server.log();
        assert!(log.contains("stopped"), "{log}");
        assert_tells_none(&secrets, "the log", log.as_bytes());
        assert!(!log.contains("PRIVATE KEY"));

        let issuance = shop.run(&["log", "export"]);
        assert_tells_none(&secrets, "the issuance log", issuance.stdout.as_bytes());
        for file in files(&shop.workdir()) {
            let (name, content) = (file.display().to_string(), std::fs::read(&file).unwrap());
            assert_tells_none(&secrets, &name, &content);
            let mode = file.metadata().unwrap().permissions().mode() & 0o7777;
            let is_for_others = FOR_OTHERS.iter().any(|other| file.ends_with(other));
            assert!(mode == 0o600 || is_for_others && mode & 0o133 == 0, "{name} has mode {mode:o}");
            let is_own_key = file.starts_with(shop.workdir().join("tls"));
            assert!(is_own_key || !contains(&content, b"PRIVATE KEY"), "{name} holds a private key");
        }
        let mode = shop.config().metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "the configuration may hold a password");
        if engine == Engine::Postgres {
            for sql in [
                "SELECT l::text FROM licenses l",
                "SELECT k::text FROM api_keys k",
                "SELECT s::text FROM signing_keys s",
            ] {
                for row in shop.column::<String>(sql) {
                    assert_tells_none(&secrets, sql, row.as_bytes());
                }
            }
        }
    });
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// No secret, nor a licence key without its hyphens or in small letters.
#[track_caller]
fn assert_tells_none(secrets: &[String], what: &str, text: &[u8]) {
    for (number, secret) in secrets.iter().enumerate() {
        for form in
            [secret.clone(), secret.replace('-', ""), secret.to_lowercase(), secret.replace('-', "%2D")]
        {
            // The secret itself shall not be told here either.
            let told = String::from_utf8_lossy(text).replace(&form, "…");
            assert!(!contains(text, form.as_bytes()), "{what} tells secret {number}: {told:.2000}");
        }
    }
}
