//! What is held against a certificate request at finalize.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_testkit::{Engine, Installation, MovableClock, RawClient, Responder, Workdir, run_program};
use chancery_time::{Clock, SystemClock};
use instant_acme::{Account, Error, Key, OrderStatus};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};

use crate::acme::{answer_challenges, block_on, fetch_certificate, order, wait_until_ready};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(no_certificate_for_the_key_of_an_account);

/// RFC 8555 §11.1.
fn no_certificate_for_the_key_of_an_account(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let files = Workdir::new();

        let (key, private) = Key::generate_pkcs8().unwrap();
        let account_key = pem(&private, &files, "account");
        let builder = Account::builder_with_http(Box::new(installation.https_client()));
        let (account, _) =
            builder.create_from_key((key, private.into()), installation.directory_url()).await.unwrap();

        let mut order = order(&account, "own-key.localhost").await;
        answer_challenges(&mut order, &responder).await;
        wait_until_ready(&mut order).await;
        let refused = order.finalize_csr(&request(&account_key, "own-key.localhost", &files)).await;
        let Err(Error::Api(problem)) = refused else { panic!("{refused:?}") };
        assert_eq!(problem.r#type.as_deref(), Some("urn:ietf:params:acme:error:badCSR"), "{problem:?}");

        // The order is none the worse for it.
        let (_, other) = Key::generate_pkcs8().unwrap();
        let other_key = pem(&other, &files, "other");
        order.finalize_csr(&request(&other_key, "own-key.localhost", &files)).await.unwrap();
        fetch_certificate(&mut order).await;
        assert_eq!(order.state().status, OrderStatus::Valid);
        server.terminate();
    });
}

/// A wish for the certificate's lifetime is granted when the order is made, and the client may take its
/// time; one that time itself has overtaken is refused, not an error of the server.
#[test]
fn wishes_hold_until_time_overtakes_them() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        client.register(&json!({})).await;
        let now = SystemClock.now();
        let in_an_hour = now + Duration::from_secs(3_600);

        let begins =
            ready_order(&mut client, &responder, "begins.localhost", json!({"notBefore": now})).await;
        let ends =
            ready_order(&mut client, &responder, "ends.localhost", json!({"notAfter": in_an_hour})).await;
        clock.advance(Duration::from_secs(2 * 3_600));

        let issued = client.post(&begins, &finalize("begins.localhost")).await;
        assert_eq!(issued.status, 200, "{issued:?}");
        assert_eq!(issued.json()["status"], "valid");
        let detail = client.post(&ends, &finalize("ends.localhost")).await.problem(400, "malformed");
        assert!(detail.contains("notAfter"), "{detail}");
        server.terminate();
    });
}

/// Makes an order with wishes, and takes it to `ready`; returns where it is finalized.
async fn ready_order(client: &mut RawClient, responder: &Responder, name: &str, wishes: Value) -> String {
    let mut payload = wishes;
    payload["identifiers"] = json!([{"type": "dns", "value": name}]);
    let new_order = client.url("newOrder");
    let order = client.post(&new_order, &payload.to_string()).await;
    assert_eq!(order.status, 201, "{order:?}");
    let (url, order) = (order.header("location").unwrap().to_owned(), order.json());
    let authorization = client.post(text(&order["authorizations"][0]), "").await.json();
    let challenge = &authorization["challenges"][0];
    let token = text(&challenge["token"]);
    responder.serve(token, &client.key_authorization(token));
    client.post(text(&challenge["url"]), "{}").await;
    while client.post(&url, "").await.json()["status"] == "pending" {}
    text(&order["finalize"]).to_owned()
}

/// The payload that finalizes an order for one name with a new key.
fn finalize(name: &str) -> String {
    let files = Workdir::new();
    let key = pem(&Key::generate_pkcs8().unwrap().1, &files, "key");
    let csr = Base64UrlUnpadded::encode_string(&request(&key, name, &files));
    json!({ "csr": csr }).to_string()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Writes a private key where `openssl` can read it; returns the path.
fn pem(key: &PrivatePkcs8KeyDer<'_>, files: &Workdir, name: &str) -> String {
    let (der, pem) = (files.join(&format!("{name}.der")), files.join(&format!("{name}.pem")));
    std::fs::write(&der, key.secret_pkcs8_der()).unwrap();
    let (der, pem) = (der.display().to_string(), pem.display().to_string());
    run_program("openssl", &["pkey", "-inform", "DER", "-in", &der, "-out", &pem]).succeeded();
    pem
}

/// A certificate request of `openssl` for one name, DER.
fn request(key: &str, name: &str, files: &Workdir) -> Vec<u8> {
    let (out, names) = (files.join("request.der"), format!("subjectAltName=DNS:{name}"));
    let arguments = ["req", "-new", "-key", key, "-subj", "/", "-addext", &names, "-outform", "DER", "-out"];
    let out_text = out.display().to_string();
    run_program("openssl", &[arguments.as_slice(), &[out_text.as_str()]].concat()).succeeded();
    std::fs::read(out).unwrap()
}
