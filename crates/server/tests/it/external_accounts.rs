//! External account bindings (RFC 8555 §7.3.4): which registrations need one, and which are believed.

mod commands;
mod refusals;

use chancery_testkit::{Answer, Engine, Installation, MovableClock, RawClient, rounds};
use instant_acme::{Account, ExternalAccountKey, NewAccount};
use serde_json::{Value, json};

use crate::acme::{block_on, complete, order};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    a_key_binds_an_account_once,
    one_of_many_that_race_for_one_use_wins,
    what_a_key_allows_holds_for_its_accounts,
);

fn a_key_binds_an_account_once(engine: Engine) {
    block_on(async {
        let installation = bound_only(engine);
        let key = create(&installation, &["--label", "web farm"]);
        let mut server = installation.serve();
        let mut client = RawClient::new(&installation).await;
        let directory = client.unsigned(http::Method::GET, &installation.directory_url()).await.json();
        assert_eq!(directory["meta"]["externalAccountRequired"], true, "{directory}");

        let detail = client.register(&json!({})).await.problem(403, "externalAccountRequired");
        assert!(detail.contains("ask the operator for one"), "{detail}");
        let made = key.register(&mut client).await;
        assert_eq!(made.status, 201, "{made:?}");
        let account = client.account();
        assert_eq!(client.new_order("a.localhost", json!({})).await.status, 201);

        // A key that has an account needs nothing else, and uses nothing up.
        for payload in
            [json!({}), json!({ "externalAccountBinding": {} }), json!({ "onlyReturnExisting": true })]
        {
            let found = client.register(&payload).await;
            assert_eq!(found.status, 200, "{payload}: {found:?}");
            assert_eq!(client.account(), account);
        }

        key.register(&mut client.another()).await.problem(403, "unauthorized");
        let shown = json(&installation, &["eab", "show", &key.kid]);
        assert_eq!((&shown["state"], &shown["accounts"]), (&json!("used up"), &json!(1)), "{shown}");
        server.terminate();

        let used = &events(&installation, "eab.use")[0];
        assert_eq!(used["details"], json!({ "kid": key.kid, "uses_left": 0 }), "{used}");
        assert_eq!((&used["account_id"], &used["source_ip"]), (&json!("1"), &json!("127.0.0.1")), "{used}");
    });
}

fn one_of_many_that_race_for_one_use_wins(engine: Engine) {
    const RACERS: usize = 16;
    block_on(async {
        let installation = bound_only(engine);
        installation.configure(|config| {
            config["limits"] =
                json!({ "requests_per_ip": "off", "accounts_per_ip": "off", "abuse_per_ip": "off" });
        });
        let mut server = installation.serve();
        for _ in 0..rounds(2) {
            let key = create(&installation, &[]);
            let first = RawClient::new(&installation).await;
            let mut racers = tokio::task::JoinSet::new();
            for _ in 0..RACERS {
                let (mut client, key) = (first.another(), key.clone());
                racers.spawn(async move { key.register(&mut client).await });
            }
            let answers = racers.join_all().await;
            let won = answers.iter().filter(|answer| answer.status == 201).count();
            assert_eq!(won, 1, "{answers:?}");
            for lost in answers.iter().filter(|answer| answer.status != 201) {
                lost.problem(403, "unauthorized");
            }
            let shown = json(&installation, &["eab", "show", &key.kid]);
            assert_eq!((&shown["uses_left"], &shown["accounts"]), (&json!(0), &json!(1)), "{shown}");
        }
        server.terminate();
    });
}

fn what_a_key_allows_holds_for_its_accounts(engine: Engine) {
    block_on(async {
        let installation = bound_only(engine);
        let trusted = create(
            &installation,
            &["--allow", ".trusted.localhost", "--deny", "=not.trusted.localhost", "--skip-validation"],
        );
        let mut server = installation.serve();
        let mut client = RawClient::new(&installation).await;
        assert_eq!(trusted.register(&mut client).await.status, 201);

        let ready = client.new_order("a.trusted.localhost", json!({})).await;
        assert_eq!((ready.status.as_u16(), &ready.json()["status"]), (201, &json!("ready")), "{ready:?}");
        for name in ["not.trusted.localhost", "a.localhost", "trusted.localhost"] {
            client.new_order(name, json!({})).await.problem(403, "rejectedIdentifier");
        }
        server.terminate();
    });
}

/// A profile's own resources are for the accounts that it wants; those of the server for anybody whom one
/// profile takes.
#[test]
fn each_profile_says_whether_it_needs_a_binding() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        installation.configure(|config| {
            let mut bound = config["profiles"][0].clone();
            bound["name"] = json!("bound");
            bound["require_eab"] = json!(true);
            config["profiles"].as_array_mut().unwrap().push(bound);
        });
        let key = create(&installation, &["--uses", "2"]);
        let mut server = installation.serve();
        let of_bound = format!("{}/acme/bound/new-account", installation.url());
        let mut client = RawClient::new(&installation).await;

        let required = |meta: &Value| meta["meta"]["externalAccountRequired"].clone();
        let of_server = client.unsigned(http::Method::GET, &installation.directory_url()).await.json();
        let own = format!("{}/acme/bound/directory", installation.url());
        let own = client.unsigned(http::Method::GET, &own).await.json();
        assert_eq!((required(&of_server), required(&own)), (json!(false), json!(true)));

        client.post(&of_bound, "{}").await.problem(403, "externalAccountRequired");
        // The binding is made for the URL that it is sent to.
        let elsewhere = json!({ "externalAccountBinding": key.binding(&client, &client.url("newAccount")) });
        client.post(&of_bound, &elsewhere.to_string()).await.problem(400, "malformed");
        let here = json!({ "externalAccountBinding": key.binding(&client, &of_bound) });
        let made = client.post(&of_bound, &here.to_string()).await;
        assert_eq!(made.status, 201, "{made:?}");

        // Where none is needed, none is asked for; one that is sent has to be good all the same.
        let mut other = client.another();
        let forged = Key { hmac_key: "A".repeat(43), ..key.clone() };
        forged.register(&mut other).await.problem(403, "unauthorized");
        let mut unbound = client.another();
        assert_eq!(unbound.register(&json!({})).await.status, 201);
        let wish = json!({ "profile": "bound" });
        unbound.new_order("a.localhost", wish.clone()).await.problem(403, "externalAccountRequired");
        assert_eq!(unbound.new_order("a.localhost", json!({})).await.status, 201);
        assert_eq!(key.register(&mut other).await.status, 201);
        assert_eq!(other.new_order("a.localhost", wish).await.status, 201);
        server.terminate();
    });
}

/// A client that is not ours: it registers with a binding, changes its key, and gets a certificate.
#[test]
fn instant_acme_binds_its_account_and_rolls_its_key_over() {
    block_on(async {
        let installation = bound_only(Engine::Sqlite);
        let key = create(&installation, &["--skip-validation"]);
        let mut server = installation.serve();
        let responder = chancery_testkit::Responder::start(installation.http01_port()).await;
        let https = installation.https_client();
        let new_account =
            NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
        let secret: Vec<u8> =
            <base64ct::Base64UrlUnpadded as base64ct::Encoding>::decode_vec(&key.hmac_key).unwrap();
        let external = ExternalAccountKey::new(key.kid.clone(), &secret);
        let (mut account, before) = Account::builder_with_http(Box::new(https.clone()))
            .create(&new_account, installation.directory_url(), Some(&external))
            .await
            .expect("the account is bound");
        let after = account.update_key().await.expect("the key is changed");

        let mut order = order(&account, "a.localhost").await;
        let chain = complete(&mut order, &responder).await;
        assert!(chain.starts_with("-----BEGIN CERTIFICATE-----"), "{chain}");
        let restored =
            |credentials| Account::builder_with_http(Box::new(https.clone())).from_credentials(credentials);
        let again = restored(after).await.expect("the new credentials are read");
        crate::acme::order(&again, "b.localhost").await;
        let old = restored(before).await.expect("the old credentials are read");
        let names = [instant_acme::Identifier::Dns("c.localhost".to_owned())];
        let Err(instant_acme::Error::Api(problem)) =
            old.new_order(&instant_acme::NewOrder::new(&names)).await
        else {
            panic!("the old key still works");
        };
        assert_eq!(problem.r#type.as_deref(), Some("urn:ietf:params:acme:error:malformed"), "{problem}");
        server.terminate();
    });
}

/// A key as `chancery eab create` shows it.
#[derive(Debug, Clone)]
struct Key {
    kid: String,
    hmac_key: String,
}

impl Key {
    fn binding(&self, client: &RawClient, new_account: &str) -> Value {
        client.binding(new_account, &self.kid, &self.hmac_key)
    }

    /// Registers at the server's own resource.
    async fn register(&self, client: &mut RawClient) -> Answer {
        let binding = self.binding(client, &client.url("newAccount"));
        client.register(&json!({ "externalAccountBinding": binding })).await
    }
}

/// An installation whose one profile serves bound accounts alone.
fn bound_only(engine: Engine) -> Installation {
    let installation = Installation::new(CHANCERY, engine);
    installation.configure(|config| config["profiles"][0]["require_eab"] = json!(true));
    installation
}

fn create(installation: &Installation, arguments: &[&str]) -> Key {
    key(&json(installation, &[&["eab", "create"], arguments].concat()))
}

fn create_at(clock: &MovableClock, installation: &Installation, arguments: &[&str]) -> Key {
    let created = installation.run_at(clock, &[&["eab", "create", "--json"], arguments].concat()).succeeded();
    key(&serde_json::from_str(&created.stdout).unwrap())
}

fn key(created: &Value) -> Key {
    let text = |name: &str| created[name].as_str().unwrap_or_else(|| panic!("{created}")).to_owned();
    Key { kid: text("kid"), hmac_key: text("hmac_key") }
}

/// The JSON that a command prints.
#[track_caller]
fn json(installation: &Installation, arguments: &[&str]) -> Value {
    let said = installation.run(&[arguments, &["--json"]].concat()).succeeded();
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {said}"))
}

/// The events of a kind, oldest first, without their numbers. The server has to have stopped.
fn events(installation: &Installation, kind: &str) -> Vec<Value> {
    let found = installation.run(&["audit", "query", "--json", "--event", kind]).succeeded();
    let event = |line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        event["details"].as_object_mut().unwrap().remove("event_id");
        event
    };
    found.stdout.lines().map(event).collect()
}
