//! CAA records (RFC 8659, RFC 8657): what they allow, and when they are looked at.

use std::time::Duration;

use chancery_testkit::{DnsManner, Engine, MovableClock, RawClient};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::on_both_engines;
use crate::validation_site::*;

on_both_engines!(
    records_decide_once_a_challenge_is_passed,
    wildcards_have_records_of_their_own,
    a_look_is_made_again_after_eight_hours,
    names_that_need_no_proof_are_looked_at_before_issue,
    an_order_that_a_job_issues_is_looked_at_again,
    an_order_is_looked_at_for_one_request_at_a_time,
    of_many_names_that_are_refused_a_few_are_told,
    a_ca_without_a_name_cannot_look_at_records,
);

async fn site(engine: Engine) -> Site {
    let site = Site::new(engine, &[DNS_01, HTTP_01]).await;
    site.installation.configure(|config| {
        config["server"]["caa_identities"] = json!(["ca.test", "localhost"]);
        config["profiles"][0]["caa"] = json!(true);
    });
    site
}

/// The challenge for a name, once its right answer was looked at.
async fn passed(site: &Site, client: &mut RawClient, name: &str) -> (Order, Value) {
    let order = order(client, &[name]).await;
    let authorization = read(client, &authorizations(&order.object)[0]).await;
    site.show(client, &authorization, DNS_01);
    let settled = answer(client, &challenge(&authorization, DNS_01)).await;
    (order, settled)
}

/// Spares the one account every proof.
fn trust(site: &Site) {
    site.installation.sql(
        "INSERT INTO external_account_keys (id, kid, hmac_key, label, policy, created_at)
         SELECT 1, 'k', spki, 'trusted', '{\"skip_validation\":true}', 0 FROM accounts",
    );
    site.installation.sql("UPDATE accounts SET external_account_key_id = 1");
}

fn records_decide_once_a_challenge_is_passed(engine: Engine) {
    block_on(async {
        let site = site(engine).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let directory = site.installation.https_client().get(&site.installation.directory_url()).await.1;
        let meta = &serde_json::from_str::<Value>(&directory).unwrap()["meta"];
        assert_eq!(meta["caaIdentities"], json!(["ca.test", "localhost"]));

        let own = format!("ca.test; accounturi={}", client.account());
        for (name, value, allowed) in [
            ("free.test", None, true),
            ("named.test", Some("ca.test"), true),
            ("own.test", Some(own.as_str()), true),
            ("method.test", Some("localhost; validationmethods=tls-alpn-01,dns-01"), true),
            ("nobody.test", Some(";"), false),
            ("other.test", Some("other.example"), false),
            ("account.test", Some("ca.test; accounturi=https://localhost/acme/account/1"), false),
            ("http.test", Some("ca.test; validationmethods=http-01"), false),
        ] {
            if let Some(value) = value {
                site.dns.add_caa(name, 0, "issue", value);
            }
            // Records above a name count where it has none.
            let name = format!("below.{name}");
            let (order, settled) = passed(&site, &mut client, &name).await;
            if allowed {
                assert_eq!(settled["status"], "valid", "{name}: {settled}");
                assert_eq!(certified(&mut client, &order).await, format!("DNS:{name}"));
            } else {
                assert_eq!(settled["status"], "invalid", "{name}: {settled}");
                assert_eq!(kind(&settled["error"]), "caa", "{settled}");
                assert!(detail(&settled["error"]).contains(&name), "{settled}");
                assert_eq!(read(&mut client, &order.url).await["status"], "invalid");
            }
        }
        site.dns.misbehave("broken.test", DnsManner::ServFail);
        let (_, settled) = passed(&site, &mut client, "broken.test").await;
        assert_eq!(kind(&settled["error"]), "caa", "{settled}");
        assert!(detail(&settled["error"]).contains("cannot be found out"), "{settled}");
        site.dns.add_caa("critical.test", 128, "unheard", "of");
        let (_, settled) = passed(&site, &mut client, "critical.test").await;
        assert_eq!(kind(&settled["error"]), "caa", "{settled}");
        server.terminate();
    });
}

fn wildcards_have_records_of_their_own(engine: Engine) {
    block_on(async {
        let site = site(engine).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        site.dns.add_caa("a.test", 0, "issue", "ca.test");
        site.dns.add_caa("a.test", 0, "issuewild", ";");
        site.dns.add_caa("b.test", 0, "issue", ";");
        site.dns.add_caa("b.test", 0, "issuewild", "ca.test");
        for (name, status) in
            [("a.test", "valid"), ("*.a.test", "invalid"), ("b.test", "invalid"), ("*.b.test", "valid")]
        {
            let (_, settled) = passed(&site, &mut client, name).await;
            assert_eq!(settled["status"], status, "{name}: {settled}");
        }
        server.terminate();
    });
}

fn a_look_is_made_again_after_eight_hours(engine: Engine) {
    block_on(async {
        let site = site(engine).await;
        let clock = MovableClock::new();
        let mut server = site.installation.serve_under(&clock);
        let mut client = registered(RawClient::under(&clock, &site.installation).await).await;
        let (name, looks) = ("a.test", || site.dns.count("a.test", "CAA"));
        let (first, _) = passed(&site, &mut client, name).await;
        assert_eq!(looks(), 1);
        certified(&mut client, &first).await;
        let second = order(&mut client, &[name]).await;
        assert_eq!(second.object["status"], "ready", "{}", second.object);
        clock.advance(Duration::from_secs(8 * 3_600 - 60));
        certified(&mut client, &second).await;
        assert_eq!(looks(), 1, "a look that is not old counts");

        clock.advance(Duration::from_secs(120));
        let third = order(&mut client, &[name, "b.test"]).await;
        let pending = authorizations(&third.object);
        for url in pending {
            if read(&mut client, &url).await["status"] == "pending" {
                site.prove(&mut client, &url, DNS_01).await;
            }
        }
        site.dns.add_caa(name, 0, "issue", "other.example");
        let refused = finalize(&mut client, &third).await;
        refused.problem(403, "caa");
        let refused = refused.json();
        let subproblems = refused["subproblems"].as_array().unwrap();
        assert_eq!(subproblems.len(), 1, "{refused}");
        assert_eq!(subproblems[0]["identifier"], identifier(name));
        assert!(detail(&subproblems[0]).contains("another CA is named"), "{refused}");
        // Nothing was recorded, and the order waits for its client to mend it.
        assert_eq!(read(&mut client, &third.url).await["status"], "ready");
        assert_eq!(
            site.installation.query_i64("SELECT COUNT(*) FROM certificates WHERE order_id IS NOT NULL"),
            2
        );

        site.dns.clear(name);
        site.dns.misbehave(name, DnsManner::ServFail);
        let refused = finalize(&mut client, &third).await;
        refused.problem(403, "caa");
        assert!(refused.body.contains("cannot be found out"), "{refused:?}");

        site.dns.clear(name);
        let before = looks();
        assert_eq!(certified(&mut client, &third).await, "DNS:a.test, DNS:b.test");
        assert_eq!(looks(), before + 1);
        let fourth = order(&mut client, &[name]).await;
        certified(&mut client, &fourth).await;
        assert_eq!(looks(), before + 1, "the look of the order before counts");
        let denied = site.installation.query_i64("SELECT COUNT(*) FROM orders WHERE status = 'invalid'");
        assert_eq!(denied, 0);
        server.terminate();
    });
}

fn names_that_need_no_proof_are_looked_at_before_issue(engine: Engine) {
    block_on(async {
        let site = site(engine).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        trust(&site);
        site.dns.add_caa("a.test", 0, "issue", "other.example");
        let trusted = order(&mut client, &["a.test"]).await;
        assert_eq!(trusted.object["status"], "ready", "{}", trusted.object);
        let refused = finalize(&mut client, &trusted).await;
        refused.problem(403, "caa");
        assert_eq!(refused.json()["identifier"], identifier("a.test"));

        site.dns.clear("a.test");
        site.dns.add_caa("a.test", 0, "issue", "ca.test; validationmethods=dns-01");
        finalize(&mut client, &trusted).await.problem(403, "caa");
        site.dns.clear("a.test");
        site.dns.add_caa("a.test", 0, "issue", "ca.test; validationmethods=ca-external-account");
        assert_eq!(certified(&mut client, &trusted).await, "DNS:a.test");
        server.terminate();
    });
}

fn an_order_that_a_job_issues_is_looked_at_again(engine: Engine) {
    block_on(async {
        let site = site(engine).await;
        // Such an order waits for a person, and time passes.
        site.installation.configure(|config| config["profiles"][0]["require_approval"] = json!(true));
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let (order, _) = passed(&site, &mut client, "a.test").await;
        let waiting = finalize(&mut client, &order).await;
        assert_eq!(waiting.json()["status"], "processing", "{waiting:?}");
        site.installation.sql("UPDATE authorizations SET caa_checked_at = 0");
        site.dns.add_caa("a.test", 0, "issue", ";");
        site.installation.sql("UPDATE orders SET approval = 'approved'");
        site.installation.sql(
            "INSERT INTO jobs (kind, subject_id, lease_owner, lease_until, attempts)
             SELECT 'issue', id, 'nobody', 0, 1 FROM orders",
        );
        let mut ended = read(&mut client, &order.url).await;
        for _ in 0..600 {
            if ended["status"] != "processing" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            ended = read(&mut client, &order.url).await;
        }
        assert_eq!(ended["status"], "invalid", "{ended}");
        assert_eq!(kind(&ended["error"]), "caa", "{ended}");
        assert!(detail(&ended["error"]).contains("forbids issuance by anybody"), "{ended}");
        server.terminate();
        let told = site.installation.run(&["audit", "query", "--event", "order.caa_deny"]).succeeded();
        assert_eq!(told.stdout.matches("order.caa_deny").count(), 1, "{told}");
    });
}

fn an_order_is_looked_at_for_one_request_at_a_time(engine: Engine) {
    block_on(async {
        let site = site(engine).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        let (order, _) = passed(&site, &mut client, "a.test").await;
        site.installation.sql("UPDATE authorizations SET caa_checked_at = 0");
        let before = site.dns.count("a.test", "CAA");
        site.dns.misbehave("a.test", DnsManner::Silent);
        let url = order.object["finalize"].as_str().unwrap();
        let header = client.header(url).await;
        let first = client.sign(&header, &finalization(&order));
        // Who sends it says nothing of who signed it.
        let mut courier = client.another();
        let both = tokio::join!(courier.send(url, &first), finalize(&mut client, &order));
        let (looked, refused) = if both.0.body.contains("orderNotReady") { (both.1, both.0) } else { both };
        looked.problem(403, "caa");
        refused.problem(403, "orderNotReady");
        assert!(refused.body.contains("being looked at"), "{refused:?}");
        assert!(site.dns.count("a.test", "CAA") > before);
        // The order is in nobody's hand any more.
        site.dns.clear("a.test");
        assert_eq!(certified(&mut client, &order).await, "DNS:a.test");
        server.terminate();
    });
}

fn of_many_names_that_are_refused_a_few_are_told(engine: Engine) {
    block_on(async {
        let site = site(engine).await;
        let mut server = site.installation.serve();
        let mut client = site.client().await;
        trust(&site);
        site.dns.add_caa("test", 0, "issue", "other.example");
        let names: Vec<String> = (0..25).map(|n| format!("n{n}.test")).collect();
        let many = order(&mut client, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let refused = finalize(&mut client, &many).await;
        refused.problem(403, "caa");
        let problem = refused.json();
        assert_eq!(problem["subproblems"].as_array().unwrap().len(), 20, "{problem}");
        assert!(detail(&problem).contains("25 names were refused"), "{problem}");
        server.terminate();
        let told =
            site.installation.run(&["audit", "query", "--json", "--event", "order.caa_deny"]).succeeded();
        let told: Value = serde_json::from_str(told.stdout.trim()).unwrap();
        let details = &told["details"];
        assert_eq!((&details["order"], &details["refused"]), (&json!(1), &json!(25)), "{told}");
        assert_eq!(details["errors"].as_array().unwrap().len(), 5, "{told}");
    });
}

fn a_ca_without_a_name_cannot_look_at_records(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &ALL).await;
        site.installation.configure(|config| {
            config["server"]["url"] = json!("https://127.0.0.1:14000");
            config["profiles"][0]["caa"] = json!(true);
        });
        let refused = site.installation.run(&["validate"]);
        assert_ne!(refused.code, Some(0), "{refused}");
        for field in ["profiles[0].caa", "profiles[0].challenges"] {
            assert!(refused.stderr.contains(field), "{field}: {refused}");
        }
        assert!(refused.stderr.contains("server.caa_identities"), "{refused}");
    });
}
