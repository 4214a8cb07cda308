//! The clients that people use, run as `docs/clients` tells people to run them.

mod instant_acme;

use chancery_testkit::{
    Client, DnsServer, Engine, Installation, KnownClient, Step, certificate_serial, verify,
};
use serde_json::{Value, json};

use crate::CHANCERY;

/// Makes of each client, and of each scenario that it can play, a test on either engine.
macro_rules! clients {
    ($($client:ident: $known:ident [$($scenario:ident),+ $(,)?];)+) => {
        $(mod $client {
            $(mod $scenario {
                use chancery_testkit::{Engine, KnownClient};

                #[test]
                fn sqlite() {
                    crate::clients::$scenario(KnownClient::$known, Engine::Sqlite);
                }

                #[test]
                fn postgres() {
                    crate::clients::$scenario(KnownClient::$known, Engine::Postgres);
                }
            })+
        })+
    };
}

clients! {
    certbot: Certbot [
        issues_and_renews, renews_after_a_restart, revokes, obtains_a_wildcard, binds_an_account,
    ];
    certbot_debian: CertbotDebian [issues_and_renews, revokes, obtains_a_wildcard, binds_an_account];
    lego: Lego [issues_and_renews, revokes, obtains_a_wildcard, answers_tls_alpn, binds_an_account];
    uacme: Uacme [
        issues_and_renews, revokes, changes_the_account_key, obtains_a_wildcard, answers_tls_alpn,
        binds_an_account,
    ];
    dehydrated: Dehydrated [
        issues_and_renews, revokes, obtains_a_wildcard, answers_tls_alpn, binds_an_account,
    ];
    acme_tiny: AcmeTiny [issues_and_renews];
    caddy: Caddy [issues_and_renews, answers_tls_alpn, binds_an_account];
    caddy_debian: CaddyDebian [issues_and_renews, answers_tls_alpn, binds_an_account];
    mod_md: ModMd [issues_and_renews, obtains_a_wildcard, answers_tls_alpn, binds_an_account];
    acme_client: NpmAcmeClient [
        issues_and_renews, revokes, changes_the_account_key, obtains_a_wildcard, answers_tls_alpn,
        binds_an_account,
    ];
}

fn issues_and_renews(known: KnownClient, engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let mut server = installation.serve();
    let client = Client::new(&installation, known);

    client.run(Step::Issue).succeeded();
    let first = client.issued_after(Client::NAME, None);
    verify(installation.root(), &first, Client::NAME);
    let serial = certificate_serial(&first.certificate);

    client.run(Step::Renew).succeeded();
    let renewed = client.issued_after(Client::NAME, Some(&serial));
    verify(installation.root(), &renewed, Client::NAME);

    server.terminate();
}

/// The account and its order are there, and the nonces that the client kept are not.
fn renews_after_a_restart(known: KnownClient, engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let mut server = installation.serve();
    let client = Client::new(&installation, known);
    client.run(Step::Issue).succeeded();
    let first = certificate_serial(&client.issued_after(Client::NAME, None).certificate);

    server.terminate();
    server.restart();

    client.run(Step::Renew).succeeded();
    let renewed = client.issued_after(Client::NAME, Some(&first));
    verify(installation.root(), &renewed, Client::NAME);
    server.terminate();
}

fn revokes(known: KnownClient, engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let mut server = installation.serve();
    let client = Client::new(&installation, known);
    let revoked = || installation.query_i64("SELECT COUNT(*) FROM certificates WHERE revoked_at IS NOT NULL");
    client.run(Step::Issue).succeeded();
    assert_eq!(revoked(), 0);

    client.run(Step::Revoke).succeeded();
    assert_eq!(revoked(), 1);
    server.terminate();
}

/// RFC 8555 §7.3.5.
fn changes_the_account_key(known: KnownClient, engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let mut server = installation.serve();
    let client = Client::new(&installation, known);
    client.run(Step::Issue).succeeded();
    let first = certificate_serial(&client.issued_after(Client::NAME, None).certificate);

    client.run(Step::ChangeAccountKey).succeeded();
    client.run(Step::Renew).succeeded();
    client.issued_after(Client::NAME, Some(&first));
    assert_eq!(installation.query_i64("SELECT COUNT(*) FROM accounts"), 1, "it is the same account");
    server.terminate();
}

/// A name and the wildcard below it have their records under one name (RFC 8555 §8.4).
fn obtains_a_wildcard(known: KnownClient, engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let dns = DnsServer::start();
    installation.configure(|config| {
        config["validation"][0]["resolvers"] = json!([dns.address().to_string()]);
    });
    let mut server = installation.serve();
    let client = Client::new(&installation, known).publishing_in(dns.hook_directory());

    client.run(Step::IssueWildcard).succeeded();
    let issued = client.issued_after(Client::DOMAIN, None);
    verify(installation.root(), &issued, Client::DOMAIN);
    verify(installation.root(), &issued, &format!("any.{}", Client::DOMAIN));
    server.terminate();
}

/// RFC 8737.
fn answers_tls_alpn(known: KnownClient, engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let client = Client::new(&installation, known);
    installation.configure(|config| {
        config["validation"][0]["tls_alpn01"]["port"] = json!(client.tls_port());
    });
    let mut server = installation.serve();

    client.run(Step::IssueByTls).succeeded();
    verify(installation.root(), &client.issued_after(Client::NAME, None), Client::NAME);
    server.terminate();
}

/// RFC 8555 §7.3.4.
fn binds_an_account(known: KnownClient, engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    installation.configure(|config| config["profiles"][0]["require_eab"] = json!(true));
    let mut server = installation.serve();
    let (key_id, hmac_key) = new_external_account_key(&installation);
    let client = Client::new(&installation, known).bound(&key_id, &hmac_key);

    client.run(Step::IssueBound).succeeded();
    verify(installation.root(), &client.issued_after(Client::NAME, None), Client::NAME);
    let bound =
        installation.query_i64("SELECT COUNT(*) FROM accounts WHERE external_account_key_id IS NOT NULL");
    assert_eq!(bound, 1);
    server.terminate();
}

/// The identifier of a key that is good for one account, and its HMAC key in base64url.
fn new_external_account_key(installation: &Installation) -> (String, String) {
    let created = installation.run(&["eab", "create", "--json"]).succeeded();
    let key: Value = serde_json::from_str(&created.stdout).expect("JSON");
    let member = |name: &str| key[name].as_str().unwrap_or_else(|| panic!("no {name}: {key}")).to_owned();
    (member("kid"), member("hmac_key"))
}
