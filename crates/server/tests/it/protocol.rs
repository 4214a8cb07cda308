//! The rules of RFC 8555 that no real client tries: what comes of requests that are good, and unusual. Those
//! that are refused for what they are stand in the catalogue of `hostile`.
//!
//! The rules do not depend on the database, so one engine is enough.

use chancery_testkit::{Answer, Engine, Installation, RawClient, Responder};
use http::Method;
use instant_acme::{Account, AuthorizationStatus, Error, Order, OrderStatus};
use serde_json::json;

use crate::CHANCERY;
use crate::acme::{answer_challenges, block_on, order, register, wait_until_ready};

#[test]
fn the_directory_and_new_nonce_are_read_by_post_as_get_too() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let mut client = registered(&installation).await;
        let (directory, new_nonce) = (installation.directory_url(), client.url("newNonce"));

        let read = client.post(&directory, "").await;
        assert_eq!(read.status, 200, "{read:?}");
        assert_eq!(read.header("content-type"), Some("application/json"));
        assert_eq!(read.body, client.unsigned(Method::GET, &directory).await.body);
        has_a_nonce(&read);

        let read = client.post(&new_nonce, "").await;
        assert_eq!((read.status.as_u16(), read.body.as_str()), (204, ""), "{read:?}");
        assert_eq!(read.header("cache-control"), Some("no-store"));
        has_a_nonce(&read);

        for url in [&directory, &new_nonce] {
            let detail = client.post(url, "{}").await.problem(400, "malformed");
            assert!(detail.contains("POST-as-GET"), "{detail}");
        }

        // RFC 8555 §7.3.6: no request of a deactivated account is accepted.
        let account = client.account();
        assert_eq!(client.post(&account, r#"{"status":"deactivated"}"#).await.status, 200);
        for url in [&directory, &new_nonce] {
            client.post(url, "").await.problem(401, "unauthorized");
        }
        server.terminate();
    });
}

/// RFC 8555 §7.3: contacts and terms are asked of a new account alone.
#[test]
fn a_known_key_has_its_account_back_whatever_else_is_asked() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        installation
            .configure(|config| config["server"]["terms_of_service"] = json!("https://ca.localhost/terms"));
        let mut server = installation.serve();
        let mut client = RawClient::new(&installation).await;

        let without_terms = json!({ "contact": ["mailto:a@b.test"] });
        client.register(&without_terms).await.problem(403, "userActionRequired");
        let with_phone = json!({ "termsOfServiceAgreed": true, "contact": ["tel:+1"] });
        client.register(&with_phone).await.problem(400, "unsupportedContact");
        let only_existing = json!({ "onlyReturnExisting": true });
        client.register(&only_existing).await.problem(400, "accountDoesNotExist");

        let good = json!({ "termsOfServiceAgreed": true, "contact": ["mailto:a@b.test"] });
        let made = client.register(&good).await;
        assert_eq!(made.status, 201, "{made:?}");
        let account = client.account();
        for payload in [&without_terms, &with_phone, &only_existing, &good, &json!({ "contact": null })] {
            let found = client.register(payload).await;
            assert_eq!(found.status, 200, "{payload}: {found:?}");
            assert_eq!(client.account(), account);
            assert_eq!(found.json(), made.json(), "{payload}");
        }

        let mut other = RawClient::new(&installation).await;
        let made = other.register(&json!({ "termsOfServiceAgreed": true, "contact": null })).await;
        assert_eq!((made.status.as_u16(), &made.json()["contact"]), (201, &json!([])), "{made:?}");
        server.terminate();
    });
}

/// RFC 8555 §7.3.2, §7.3.6.
#[test]
fn an_update_changes_contacts_and_closes_the_account_and_nothing_else() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let mut client = registered(&installation).await;
        let account = client.account();

        for (payload, contact) in [
            (json!({ "status": "revoked" }), json!([])),
            (json!({ "status": "valid", "contact": ["mailto:a@b.test"] }), json!(["mailto:a@b.test"])),
            (json!({ "status": "nonsense", "contact": null }), json!(["mailto:a@b.test"])),
            (json!({ "status": null }), json!(["mailto:a@b.test"])),
            (json!({ "orders": "x", "contact": [] }), json!([])),
        ] {
            let answer = client.post(&account, &payload.to_string()).await;
            assert_eq!(answer.status, 200, "{payload}: {answer:?}");
            let object = answer.json();
            assert_eq!((&object["status"], &object["contact"]), (&json!("valid"), &contact), "{payload}");
        }
        client.post(&account, r#"{"contact":["tel:+1"]}"#).await.problem(400, "unsupportedContact");

        let closed = client.post(&account, r#"{"status":"deactivated"}"#).await;
        assert_eq!(closed.json()["status"], "deactivated", "{closed:?}");
        client.post(&account, "").await.problem(401, "unauthorized");
        client.register(&json!({})).await.problem(401, "unauthorized");
        server.terminate();
    });
}

/// RFC 8555 §7.1.6: an order is ready only as long as all of its authorizations are valid.
#[test]
fn an_order_whose_authorization_is_given_up_cannot_be_finalized() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let (account, _) = register(&installation, &installation.https_client()).await;

        let mut order = ready_order(&account, &responder).await;
        let mut authorizations = order.authorizations();
        let mut authorization = authorizations.next().await.unwrap().expect("the authorization is fetched");
        assert_eq!(authorization.status, AuthorizationStatus::Valid);
        let given_up = authorization.deactivate().await.expect("a valid authorization can be given up");
        assert_eq!(given_up.status, AuthorizationStatus::Deactivated);

        let Err(Error::Api(problem)) = order.finalize().await else {
            panic!("the order was finalized: {:?}", order.state());
        };
        assert_eq!(problem.r#type.as_deref(), Some("urn:ietf:params:acme:error:orderNotReady"), "{problem}");
        let state = order.refresh().await.expect("the order is there");
        assert_eq!(state.status, OrderStatus::Invalid, "{state:?}");
        let error = state.error.as_ref().and_then(|error| error.detail.as_deref()).unwrap_or_default();
        assert!(error.contains("deactivated"), "{state:?}");
        assert_eq!(state.certificate, None);
        server.terminate();
    });
}

/// A client with an account without contacts.
async fn registered(installation: &Installation) -> RawClient {
    let mut client = RawClient::new(installation).await;
    let answer = client.register(&json!({})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    client
}

async fn ready_order(account: &Account, responder: &Responder) -> Order {
    let mut order = order(account, "given-up.localhost").await;
    answer_challenges(&mut order, responder).await;
    wait_until_ready(&mut order).await;
    order
}

fn has_a_nonce(answer: &Answer) {
    assert!(answer.header("replay-nonce").is_some(), "{answer:?}");
}
