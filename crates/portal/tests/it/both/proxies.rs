//! The way to the portal through a proxy, and through none that nobody configured.

use chancery_testkit::{Engine, Finished};
use serde_json::{Value, json};

use super::proxy::{Kind, PASSWORD, Proxy, USERNAME};
use super::stage::Stage;
use crate::portal::on_both_engines;

on_both_engines!(the_portal_is_reached_through_a_proxy, no_proxy_of_the_environment_is_used);

/// Only a proxy leads there.
const NOWHERE: &str = "https://localhost:9";

impl Stage {
    /// `license refresh`, with a way there and variables in its environment.
    fn refresh_through(&self, proxy: Value, variables: &[(&str, &str)]) -> Finished {
        self.connect(|portal| {
            portal["url"] = json!(NOWHERE);
            portal["proxy"] = proxy;
        });
        self.server.run_with(variables, &["license", "refresh"])
    }
}

fn the_portal_is_reached_through_a_proxy(engine: Engine) {
    let stage = Stage::set(engine);
    stage.link(&stage.sell("pro", &[]));
    let portal = stage.open_portal();
    let file = stage.server.server_workdir().join("proxy-password");
    for kind in Kind::ALL {
        let proxy = Proxy::before(&stage.portal, kind);
        let by_file = json!({ "url": proxy.url(), "username": USERNAME, "password_file": "proxy-password" });
        let by_variable = json!({ "url": proxy.url(), "username": USERNAME });
        std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
        let right = stage.refresh_through(by_file.clone(), &[]).succeeded();
        assert!(right.stdout.contains("this installation is licensed"), "{right}");
        stage.refresh_through(by_variable, &[("CHANCERY_PROXY_PASSWORD", PASSWORD)]).succeeded();
        assert_eq!(proxy.asked(), ["localhost:9", "localhost:9"], "{kind:?}");

        // A wrong password is told, and not which.
        std::fs::write(&file, "mistaken-by-all\n").unwrap();
        for refused in [
            stage.refresh_through(by_file.clone(), &[]),
            stage.refresh_through(by_file, &[("CHANCERY_PROXY_PASSWORD", "mistaken-by-all")]),
        ] {
            let refused = refused.exited_with(1);
            let expected =
                if kind == Kind::Socks { "credentials not accepted" } else { "proxy authorization required" };
            assert!(refused.stderr.contains(expected), "{kind:?}: {refused}");
            assert!(!refused.stderr.contains("mistaken-by-all"), "{kind:?}: {refused}");
            let told = stage.status()["last_failure"]["reason"].to_string();
            assert!(told.contains(expected) && !told.contains("mistaken"), "{kind:?}: {told}");
        }
        assert_eq!(proxy.asked().len(), 2, "{kind:?}");
        let outbound = stage.customer(&["outbound"]).succeeded();
        let address = proxy.url().rsplit('/').next().unwrap().to_owned();
        assert!(outbound.stdout.contains(&address), "{outbound}");
        assert!(!outbound.stdout.contains("mistaken") && !outbound.stdout.contains(PASSWORD), "{outbound}");
    }
    stage.close([portal]);
}

fn no_proxy_of_the_environment_is_used(engine: Engine) {
    let stage = Stage::set(engine);
    stage.link(&stage.sell("pro", &[]));
    let portal = stage.open_portal();
    for kind in Kind::ALL {
        let proxy = Proxy::before(&stage.portal, kind);
        let url = proxy.url().replace("://", &format!("://{USERNAME}:{PASSWORD}@"));
        let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
        let variables = names.map(|name| (name, url.as_str()));
        stage.connect(|_| {});
        stage.server.run_with(&variables, &["license", "refresh"]).succeeded();
        // Where there is no other way there is none.
        stage.connect(|portal| portal["url"] = json!(NOWHERE));
        stage.server.run_with(&variables, &["license", "refresh"]).exited_with(1);
        assert_eq!(proxy.asked(), [] as [String; 0], "{kind:?}");
    }
    stage.close([portal]);
}
