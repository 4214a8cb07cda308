//! Profiles with several authorities.

use chancery_testkit::{Engine, Installation, RawClient, Responder};
use serde_json::json;

use crate::CHANCERY;
use crate::acme::block_on;

#[test]
fn authorities_sign_in_turn() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let other = Installation::without_window(CHANCERY, Engine::Sqlite);
        installation.configure(|config| {
            config["authorities"].as_array_mut().unwrap().push(json!({
                "name": "other",
                "type": "local",
                "directory": other.server_workdir().join("ca"),
                "passphrase_file": other.server_workdir().join("secrets/ca-passphrase"),
            }));
            let profile = config["profiles"][0].as_object_mut().unwrap();
            profile.remove("authority");
            profile.insert("authorities".to_owned(), json!(["default", "other"]));
            profile.insert("strategy".to_owned(), json!("round_robin"));
        });
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        client.register(&json!({})).await;
        for name in ["a.localhost", "b.localhost", "c.localhost", "d.localhost"] {
            assert_eq!(client.obtain(&responder, name).await.json()["status"], "valid");
        }
        for authority in ["default", "other"] {
            let signed = installation.query_i64(&format!(
                "SELECT COUNT(*) FROM certificates c JOIN issuers i ON i.id = c.issuer_id
                 WHERE i.authority = '{authority}' AND c.account_id IS NOT NULL"
            ));
            assert_eq!(signed, 2, "{authority}");
        }
        server.terminate();
    });
}
