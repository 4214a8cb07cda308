//! What the vendor changes, and the next question of the running server brings.

use chancery_testkit::{Engine, Responder};
use serde_json::json;

use super::DAY;
use super::stage::{Stage, accepted, count, denied, text};
use crate::portal::{block_on, on_both_engines};

on_both_engines!(
    a_linked_licence_is_delivered,
    an_upgrade_is_delivered,
    a_renewal_is_delivered,
    a_downgrade_that_does_not_fit_is_not_taken,
);

/// The vendor links a server that was never told of a licence, and whose window has closed meanwhile.
fn a_linked_licence_is_delivered(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        stage.server.open_window("enterprise");
        let portal = stage.open_portal();
        let server = stage.serve();
        server.log_until("the licence portal answered: this installation is unlinked");
        let mut client = stage.client().await;
        for _ in 0..7 {
            stage.next_poll(&server).await;
        }
        client.nonce().await;
        denied(&client.new_order("early.localhost", json!({})).await, "cold");

        stage.link(&stage.sell("pro", &[]));
        stage.next_poll(&server).await;
        client.nonce().await;
        accepted(&client.new_order("early.localhost", json!({})).await);
        let shown = stage.status();
        assert_eq!(
            (&shown["state"], &shown["license"]["plan"], &shown["cold_start"]),
            (&json!("valid"), &json!("pro"), &json!(null))
        );
        stage.close([portal, server]);
    });
}

fn an_upgrade_is_delivered(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        let portal = stage.open_portal();
        let license = stage.licensed("pro", &["--max-managed-servers", "1"]);
        let server = stage.serve();
        let responder = Responder::start(stage.server.http01_port()).await;
        let mut first = stage.client().await;
        assert_eq!(first.obtain(&responder, "first.localhost").await.status, 200);
        let mut second = stage.client().await;
        denied(&second.new_order("second.localhost", json!({})).await, "managed");

        stage.vendor(&[
            "license",
            "update",
            &license.id,
            "--plan",
            "enterprise",
            "--max-managed-servers",
            "2",
        ]);
        stage.next_poll(&server).await;
        second.nonce().await;
        let obtained = second.obtain(&responder, "second.localhost").await;
        assert_eq!(obtained.status, 200, "{obtained:?}");
        let mut third = stage.client().await;
        denied(&third.new_order("third.localhost", json!({})).await, "managed");
        let shown = stage.status();
        assert_eq!(
            (&shown["license"]["plan"], &shown["limits"]["managed_servers"]),
            (&json!("enterprise"), &json!({ "used": 2, "limit": 2 }))
        );
        stage.close([portal, server]);
    });
}

fn a_renewal_is_delivered(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        let portal = stage.open_portal();
        let end = |days: u32| (stage.clock.now() + days * DAY).whole_seconds().to_string();
        let license = stage.sell("pro", &["--expires", &end(5)]);
        stage.vendor(&["license", "update", &license.id, "--grace-days", "0"]);
        stage.link(&license);
        stage.customer(&["license", "refresh"]).succeeded();
        let server = stage.serve();
        let mut client = stage.client().await;
        for _ in 0..5 {
            stage.next_poll(&server).await;
        }
        server.log_until(r#"to="expired""#);
        client.nonce().await;
        denied(&client.new_order("late.localhost", json!({})).await, "license_expired");

        let end = end(365);
        stage.vendor(&["license", "renew", &license.id, "--expires", &end]);
        stage.next_poll(&server).await;
        client.nonce().await;
        accepted(&client.new_order("late.localhost", json!({})).await);
        let shown = stage.status();
        assert_eq!((&shown["state"], text(&shown["license"], "expires")), (&json!("valid"), end));
        assert_eq!(count(&server.log(), "a licence came from the portal"), 1);
        stage.close([portal, server]);
    });
}

/// The new plan does not allow the database that is configured.
fn a_downgrade_that_does_not_fit_is_not_taken(engine: Engine) {
    block_on(async {
        let stage = Stage::set(engine);
        let portal = stage.open_portal();
        let license = stage.licensed("enterprise", &[]);
        let server = stage.serve();
        let mut client = stage.client().await;
        let other = match engine {
            Engine::Sqlite => "postgres",
            Engine::Postgres => "sqlite",
        };
        let downgrade = ["license", "update", &license.id, "--plan", "starter", "--allow-database", other];
        stage.vendor(&downgrade);
        for _ in 0..3 {
            stage.next_poll(&server).await;
        }
        assert_eq!(count(&server.log(), "A DOCUMENT CAME FROM THE LICENCE PORTAL AND IS NOT TAKEN"), 1);
        assert_eq!(count(&server.log(), "db_not_allowed"), 1);
        client.nonce().await;
        accepted(&client.new_order("still.localhost", json!({})).await);
        let shown = stage.status();
        assert_eq!((&shown["state"], &shown["license"]["plan"]), (&json!("valid"), &json!("enterprise")));
        assert_eq!(shown["rejected"][0]["kind"], "license");
        let told = stage.customer(&["license", "status"]).succeeded();
        assert!(told.stdout.contains("is not taken") && told.stdout.contains("db_not_allowed"), "{told}");

        // Once it fits, it is taken, and nothing of the other is left.
        let both = ["license", "update", &license.id, "--allow-database", "sqlite,postgres"];
        stage.vendor(&both);
        stage.next_poll(&server).await;
        let shown = stage.status();
        assert_eq!((&shown["license"]["plan"], &shown["rejected"]), (&json!("starter"), &json!([])));
        stage.close([portal, server]);
        let rejected = stage.audited("license.refresh_rejected");
        assert_eq!(rejected.len(), 1, "{rejected:?}");
        assert_eq!(rejected[0]["details"]["reasons"], json!(["db_not_allowed"]));
        assert_eq!(rejected[0]["actor"], "portal");
    });
}
