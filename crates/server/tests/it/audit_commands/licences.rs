//! What is told of licences and of the cold start.

use chancery_license::{Limit, Plan};
use chancery_testkit::{Engine, Finished, Installation, RawClient, Responder, Vendor, Workdir};
use serde_json::json;

use super::{events, found, text};
use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(licences_leave_a_trail, a_cold_start_leaves_a_trail);

fn licences_leave_a_trail(engine: Engine) {
    block_on(async {
        let installation = Installation::without_window(CHANCERY, engine);
        installation.serve_refused(None).exited_with(3);
        let refused = &found(&installation, &["--event=license.boot_refused"])[0];
        assert_eq!(refused["decision"], "deny", "{refused}");
        assert!(!refused["details"]["reasons"].as_array().unwrap().is_empty(), "{refused}");

        install(&installation, &Vendor::stranger().license().mint()).exited_with(1);
        let vendor = Vendor::new();
        let licence = vendor.license().plan(Plan::Pro);
        let licence = licence.entitlements(|allowed| allowed.max_managed_servers = Limit::AtMost(1)).mint();
        install(&installation, &licence).succeeded();

        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut first = RawClient::new(&installation).await;
        assert_eq!(first.obtain(&responder, "one.localhost").await.status, 200);
        let mut second = first.another();
        second.register(&json!({})).await;
        second.new_order("two.localhost", json!({})).await.problem(403, "unauthorized");
        server.terminate();

        let lines = found(&installation, &["--event=license.*"]);
        assert_eq!(
            events(&lines),
            ["license.boot_refused", "license.install_rejected", "license.install", "license.deny"]
        );
        let [_, rejected, installed, denied] = &lines[..] else { unreachable!() };
        assert_eq!((&rejected["decision"], &installed["decision"]), (&json!("deny"), &json!("allow")));
        assert!(installed["actor"].as_str().unwrap().starts_with("operator"), "{installed}");
        assert_eq!(installed["details"]["plan"], "pro", "{installed}");
        assert_eq!((&denied["decision"], &denied["account_id"]), (&json!("deny"), &json!("2")), "{denied}");
        assert_eq!(denied["source_ip"], "127.0.0.1", "{denied}");
        assert_eq!(denied["details"]["reasons"], json!(["managed_servers_exceeded"]), "{denied}");
        let limits = denied["details"]["limits"].to_string();
        assert!(limits.contains('1'), "the figures: {denied}");
    });
}

fn a_cold_start_leaves_a_trail(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    installation.serve().terminate();
    let told = found(&installation, &["--event=cold_start.*"]);
    assert_eq!(events(&told), ["cold_start.init"]);
    assert_eq!((&told[0]["decision"], &told[0]["details"]["plan"]), (&json!("allow"), &json!("enterprise")));
    assert_eq!(told[0]["details"]["installation_key"], json!(installation.installation_key()));
    assert!(told[0]["actor"].as_str().unwrap().starts_with("operator uid="), "{}", told[0]);
}

fn install(installation: &Installation, document: &str) -> Finished {
    let files = Workdir::new();
    let file = files.write("document", document);
    installation.run(&["license", "install", text(&file)])
}
