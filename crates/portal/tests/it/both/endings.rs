//! What the vendor ends: a licence for good, and an installation.

use chancery_testkit::{Engine, Responder};
use serde_json::json;

use super::stage::{Stage, denied};
use crate::portal::{block_on, on_both_engines};

on_both_engines!(a_revocation_is_delivered, a_retired_installation_is_told_so);

fn a_revocation_is_delivered(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        let portal = stage.open_portal();
        let license = stage.licensed("pro", &[]);
        let mut server = stage.serve();
        let responder = Responder::start(stage.server.http01_port()).await;
        let mut client = stage.client().await;
        assert_eq!(client.obtain(&responder, "known.localhost").await.status, 200);

        stage.vendor(&["license", "revoke", &license.id, "--reason", "unpaid"]);
        stage.next_poll(&server).await;
        for name in ["new.localhost", "known.localhost"] {
            client.nonce().await;
            denied(&client.new_order(name, json!({})).await, "revoked");
        }
        let shown = stage.status();
        assert_eq!((&shown["state"], &shown["verdict"]), (&json!("revoked"), &json!("revoked")));

        // It is not started again, and no acknowledgement helps.
        server.terminate();
        let refused = stage.server.serve_refused(Some(&stage.clock)).exited_with(3);
        assert!(refused.stderr.contains("revoked"), "{refused}");
        stage.tells_no_key("a refused start", &refused.stderr);
        stage.customer(&["license", "acknowledge-degraded"]).exited_with(1);
        stage.server.serve_refused(Some(&stage.clock)).exited_with(3);
        stage.tells_no_key("a log", &server.log());
        stage.close([portal]);
    });
}

fn a_retired_installation_is_told_so(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        let portal = stage.open_portal();
        let license = stage.sell("pro", &["--seat-limit", "1"]);
        stage.register(&license.key, &[]).succeeded();
        let server = stage.serve();
        let mut client = stage.client().await;

        let retired = stage.vendor(&["installation", "retire", &stage.server.installation_key()]);
        assert_eq!(retired["license_id"], json!(null));
        assert_eq!(stage.seats(&license), 0);
        stage.next_poll(&server).await;
        assert!(server.log().contains("this installation is retired"));
        let shown = stage.status();
        assert_eq!(
            (&shown["verdict"], &shown["state"], &shown["revocation_list"]),
            (&json!("retired"), &json!("revoked"), &json!(1))
        );
        client.nonce().await;
        denied(&client.new_order("new.localhost", json!({})).await, "revoked");

        // It does not come back by itself.
        let refused = stage.register(&license.key, &[]).exited_with(1);
        assert!(refused.stderr.contains("retired"), "{refused}");
        assert_eq!(stage.seats(&license), 0);
        assert_eq!(stage.status()["state"], "revoked");

        // The vendor brings it back, by a document of another serial.
        stage.link(&license);
        stage.next_poll(&server).await;
        assert_eq!(stage.seats(&license), 1);
        let shown = stage.status();
        assert_eq!((&shown["verdict"], &shown["state"]), (&json!("licensed"), &json!("valid")));
        client.nonce().await;
        assert_eq!(client.new_order("new.localhost", json!({})).await.status, 201);
        stage.register(&license.key, &[]).succeeded();
        stage.close([portal, server]);
    });
}
