//! Organisations, products, plans, users and API keys at the command line.

use chancery_testkit::{Engine, PortalSite};
use serde_json::{Value, json};

use super::{PORTAL, on_both_engines};

on_both_engines!(
    a_product_of_the_kind_chancery_comes_with_its_plans,
    a_plan_is_made_changed_archived_and_brought_back,
    an_organisation_is_found_by_what_the_books_call_it,
    a_key_is_told_once_with_what_it_may,
    the_last_owner_stays,
);

/// The words of a command; `~` in a word stands for a space.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(|word| word.replace('~', " ")).collect()
}

fn said(site: &PortalSite, text: &str) -> String {
    let words = words(text);
    site.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).succeeded().stdout
}

fn object(site: &PortalSite, text: &str) -> Value {
    let words = words(text);
    site.json(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The command fails with that exit code, and says all of `named`.
#[track_caller]
fn refuses(site: &PortalSite, text: &str, code: i32, named: &[&str]) {
    let words = words(text);
    let finished = site.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).exited_with(code);
    assert_eq!(finished.stdout, "", "{finished}");
    for text in named {
        assert!(finished.stderr.contains(text), "`{text}` is missing: {finished}");
    }
}

fn a_product_of_the_kind_chancery_comes_with_its_plans(engine: Engine) {
    let site = PortalSite::new(PORTAL, engine);
    said(&site, "product create --slug chancery --name Chancery --kind chancery --with-plans");
    let plans = object(&site, "plan list --product chancery");
    let keys: Vec<&Value> = plans["data"].as_array().unwrap().iter().map(|plan| &plan["plan_key"]).collect();
    assert_eq!(keys, ["enterprise", "free", "pro", "starter"]);
    let part = object(&site, "plan list --product chancery --limit 1 --after free");
    assert_eq!((&part["data"][0]["plan_key"], &part["next"]), (&json!("pro"), &json!("pro")));

    // One flag changes one entitlement, and the rest stays.
    let before = object(&site, "plan show pro --product chancery");
    let after =
        object(&site, "plan update pro --product chancery --max-authorities 9 --seat-limit unlimited");
    let mut expected = before.clone();
    expected["chancery"]["entitlements"]["max_authorities"] = json!(9);
    expected["seat_limit"] = json!(null);
    assert_eq!(after, expected);
    assert_eq!(object(&site, "plan update pro --product chancery --max-authorities 9"), after);
    let text = said(&site, "plan update pro --product chancery --chancery-plan pro");
    assert!(text.contains("keep what they have") && text.contains(r#""max_authorities":3"#), "{text}");

    let gold = "plan create gold --product chancery --name Gold";
    refuses(&site, gold, 1, &["chancery", "which plan"]);
    let gold = object(&site, &format!("{gold} --chancery-plan free --features acme,oidc"));
    assert_eq!(gold["chancery"]["plan"], "free");
    assert_eq!(gold["chancery"]["entitlements"]["features"], json!(["acme", "oidc"]));
}

fn a_plan_is_made_changed_archived_and_brought_back(engine: Engine) {
    let site = PortalSite::new(PORTAL, engine);
    said(&site, "product create --slug app --name App");
    let made = object(
        &site,
        "plan create team --product app --name Team --seat-limit 10 --valid-days forever --after-grace renewals-only \
         --entitlement export --entitlement sso --file-days 20",
    );
    assert_eq!(
        (&made["seat_limit"], &made["valid_days"], &made["file_days"]),
        (&json!(10), &json!(null), &json!(20))
    );
    assert_eq!(made["entitlements"][1]["key"], "sso");
    assert_eq!(made["chancery"], Value::Null);
    let changed = object(&site, "plan update team --product app --entitlements [] --metadata {\"tier\":1}");
    assert_eq!((&changed["entitlements"], &changed["metadata"]), (&json!([]), &json!({ "tier": 1 })));
    assert!(object(&site, "plan archive team --product app")["archived_at"].is_string());
    assert_eq!(object(&site, "plan unarchive team --product app"), changed);
    assert!(object(&site, "product archive app")["archived_at"].is_string());
    assert!(said(&site, "product unarchive app").contains("back in the catalogue"));
    refuses(&site, "plan create team --product app --name Again", 1, &["plan_key", "already"]);
    refuses(&site, "plan create big --product app --name Big --max-users 5", 1, &["--chancery-plan"]);
    refuses(&site, "plan create pro --product app --name Pro --max-users 5", 1, &["kind chancery"]);
    refuses(&site, "plan create x --product app --name X --seat-limit many", 2, &["unlimited"]);
    refuses(&site, "plan show team --product none", 1, &["no product"]);
    // A key that happens to be the name of a plan means nothing for other products.
    assert_eq!(object(&site, "plan create pro --product app --name Pro")["chancery"], Value::Null);
}

fn an_organisation_is_found_by_what_the_books_call_it(engine: Engine) {
    let site = PortalSite::new(PORTAL, engine);
    let made = object(&site, "org create --name Example~Ltd --email it@example.com --reference C-1");
    said(&site, "org create --name Other~Ltd --email it@example.net");
    let found = object(&site, "org list --reference C-1");
    assert_eq!(found, json!({ "object": "list", "data": [made], "next": null }));
    let id = made["id"].as_str().unwrap();
    let changed = object(&site, &format!("org update {id} --no-reference --email new@example.com"));
    assert_eq!((&changed["reference"], &changed["email"]), (&json!(null), &json!("new@example.com")));
    assert_eq!(object(&site, &format!("org show {id}")), changed);
    assert!(said(&site, "org list").contains("Other Ltd"));
    refuses(&site, "org create --name X --email nobody", 1, &["email"]);
}

fn a_key_is_told_once_with_what_it_may(engine: Engine) {
    let site = PortalSite::new(PORTAL, engine);
    said(&site, "product create --slug app --name App");
    let text = said(
        &site,
        "api-key create --class secret --test --scopes licenses:read,log:read --name shop --product app",
    );
    let (key, rest) = text.split_once('\n').unwrap();
    assert!(key.starts_with("sk_test_") && key.len() == 40, "{text}");
    for told in ["only time", "test data", "licenses:read log:read", "app", "never"] {
        assert!(rest.contains(told), "{told}: {text}");
    }
    let made = object(&site, "api-key create --class publishable --live --name field");
    let digits = made["key"].as_str().unwrap().strip_prefix("pk_live_").unwrap();
    assert_eq!(made["scopes"], json!(["use"]));
    let id = made["id"].as_str().unwrap();
    let revoked = said(&site, &format!("api-key revoke {id}"));
    for text in [
        revoked,
        said(&site, "api-key list"),
        said(&site, "api-key list --json"),
        said(&site, &format!("api-key show {id}")),
    ] {
        assert!(text.contains("pk_live_") && !text.contains(digits), "{text}");
        assert!(!text.contains(key), "{text}");
    }
    refuses(&site, "api-key create --class secret --live --name x", 2, &["--scopes"]);
    refuses(&site, "api-key create --class publishable --name x", 2, &["--live"]);
    refuses(
        &site,
        "api-key create --class secret --live --scopes everything --name x",
        2,
        &["licenses:read"],
    );
}

fn the_last_owner_stays(engine: Engine) {
    let site = PortalSite::new(PORTAL, engine);
    let ann = object(&site, "user create --email Ann@example.com --name Ann --role owner");
    assert_eq!(ann["email"], "ann@example.com");
    refuses(&site, "user disable ann@example.com", 1, &["last owner"]);
    refuses(&site, "user update ann@example.com --role viewer", 1, &["last owner"]);
    said(&site, "user create --email bob@example.com --name Bob --role owner");
    assert_eq!(object(&site, "user update ann@example.com --role viewer")["role"], "viewer");
    assert!(object(&site, "user disable ann@example.com")["disabled_at"].is_string());
    assert!(said(&site, "user list").contains("bob@example.com"));
    assert!(said(&site, "user enable ann@example.com").contains("enabled"));
}
