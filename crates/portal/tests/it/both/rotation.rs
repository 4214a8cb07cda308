//! Another key signs, for which the offline root vouches; and one is withdrawn.

use chancery_testkit::Engine;
use serde_json::json;

use super::stage::{Stage, accepted, count, text};
use crate::portal::{block_on, on_both_engines};

on_both_engines!(another_key_signs, a_withdrawn_key_is_replaced);

fn another_key_signs(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        let portal = stage.open_portal();
        let license = stage.licensed("pro", &[]);
        let server = stage.serve();
        let next = text(&stage.vendor(&["signing-key", "create", "--env", "dev"]), "key_id");

        // A key that no manifest lists signs nothing.
        let refused = stage.portal.run_at(&stage.clock, &["signing-key", "activate", &next]).exited_with(1);
        assert!(refused.stderr.contains("the newest key manifest does not list"), "{refused}");
        stage.vouch(2, &[&stage.kid, &next]);
        stage.vendor(&["signing-key", "activate", &next]);

        // The answer is signed by the new key, for which the manifest beside it vouches. The licence is the old
        // one, and counts.
        stage.next_poll(&server).await;
        let shown = stage.status();
        assert_eq!(
            (&shown["state"], &shown["key_manifest"], &shown["license"]["signed_by"], &shown["failing"]),
            (&json!("valid"), &json!(2), &json!(stage.kid), &json!(false))
        );
        let serial = shown["license"]["serial"].as_u64().unwrap();

        stage.vendor(&["license", "update", &license.id, "--plan", "enterprise"]);
        stage.next_poll(&server).await;
        let shown = stage.status();
        assert_eq!(
            (&shown["state"], &shown["license"]["plan"], &shown["license"]["signed_by"]),
            (&json!("valid"), &json!("enterprise"), &json!(next))
        );
        assert!(shown["license"]["serial"].as_u64().unwrap() > serial);
        assert_eq!(count(&server.log(), "a key manifest came from the portal"), 1);
        stage.close([portal, server]);
    });
}

/// A key came into the wrong hands. What it signed no longer counts from the manifest on that leaves it out, and who
/// asks gets the same licence by another key with it.
fn a_withdrawn_key_is_replaced(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        let portal = stage.open_portal();
        stage.licensed("pro", &[]);
        let serial = stage.status()["license"]["serial"].as_u64().unwrap();
        let server = stage.serve();
        let mut client = stage.client().await;
        let next = text(&stage.vendor(&["signing-key", "create", "--env", "dev"]), "key_id");
        stage.vouch(2, &[&next]);
        stage.vendor(&["signing-key", "activate", &next]);
        stage.vendor(&["signing-key", "withdraw", &stage.kid, "--reason", "found on a stick"]);

        // Carried in, the manifest alone ends what the old key signed.
        stage.customer(&["license", "install", &stage.manifest(2)]).succeeded();
        let shown = stage.status();
        assert_eq!((&shown["state"], &shown["key_manifest"]), (&json!("invalid"), &json!(2)));
        assert_eq!(shown["state_details"]["reason"], "unknown_key");

        stage.next_poll(&server).await;
        let shown = stage.status();
        assert_eq!(
            (&shown["state"], &shown["license"]["plan"], &shown["license"]["signed_by"]),
            (&json!("valid"), &json!("pro"), &json!(next))
        );
        assert!(shown["license"]["serial"].as_u64().unwrap() > serial);
        client.nonce().await;
        accepted(&client.new_order("new.localhost", json!({})).await);
        stage.close([portal, server]);
    });
}
