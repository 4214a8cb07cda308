//! The listener's certificate: from the server's own authority, or from files.

use std::time::Duration;

use chancery_testkit::{Engine, HttpsClient, Installation, MovableClock};
use serde_json::json;

use crate::CHANCERY;
use crate::acme::block_on;

/// How long the server may take to notice, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn its_own_certificate_is_kept_over_restarts_and_renewed_in_time() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        installation.configure(|config| config["profiles"][0]["validity"] = json!("30m"));
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let first = shown(&installation).await;

        server.terminate();
        server.restart();
        assert_eq!(shown(&installation).await, first);

        let ahead = Duration::from_secs(25 * 60);
        clock.advance(ahead);
        let later = HttpsClient::ahead(installation.root(), ahead);
        let second = changed(&later, &installation, &first).await;

        server.kill_9();
        server.restart();
        assert_eq!(later.certificate(&installation.url()).await, second);
        server.terminate();
    });
}

#[test]
fn files_are_read_again_when_they_change() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let own = installation.server_workdir().join("tls").join("server.pem");
        let site = installation.server_workdir().join("site.pem");
        let fresh_certificate = || {
            let _ = std::fs::remove_file(&own);
            installation.serve().terminate();
            std::fs::read(&own).expect("the server keeps its certificate")
        };
        let (first, second) = (fresh_certificate(), fresh_certificate());
        assert_ne!(first, second);

        std::fs::write(&site, first).unwrap();
        installation.configure(|config| {
            config["server"]["tls"] = json!({"certificate": "site.pem", "key": "site.pem"})
        });
        let mut server = installation.serve();
        let before = shown(&installation).await;
        // Half a file is no reason to stop serving under the certificate of before.
        std::fs::write(&site, &second[..second.len() / 2]).unwrap();
        std::fs::write(&site, second).unwrap();
        changed(&installation.https_client(), &installation, &before).await;
        server.terminate();
    });
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let installation = Installation::new(CHANCERY, Engine::Sqlite);
    installation
        .configure(|config| config["server"]["tls"] = json!({"certificate": "none.pem", "key": "none.pem"}));
    let refused = installation.run(&["serve"]).exited_with(1);
    assert!(refused.stderr.contains("none.pem"), "{refused}");
}

async fn shown(installation: &Installation) -> Vec<u8> {
    installation.https_client().certificate(&installation.url()).await
}

/// Asks for the certificate until it is another than `old`.
async fn changed(https: &HttpsClient, installation: &Installation, old: &[u8]) -> Vec<u8> {
    let asking = async {
        loop {
            // The certificate of before may have ended for this client; then there is none to see yet.
            match https.try_certificate(&installation.url()).await {
                Some(shown) if shown != old => return shown,
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("the certificate changes")
}
