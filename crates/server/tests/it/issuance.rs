//! What is held against a certificate request at finalize.

use std::time::Duration;

use chancery_testkit::{
    Engine, Installation, MovableClock, RawClient, Responder, certificate_request, certificate_request_by,
};
use chancery_time::{Clock, SystemClock};
use instant_acme::{Account, Error, Key, OrderStatus};
use serde_json::json;

use crate::acme::{answer_challenges, block_on, fetch_certificate, order, wait_until_ready};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(no_certificate_for_the_key_of_an_account);

/// RFC 8555 §11.1.
fn no_certificate_for_the_key_of_an_account(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let (key, private) = Key::generate_pkcs8().unwrap();
        let own_key = certificate_request_by(private.secret_pkcs8_der(), "own-key.localhost");
        let builder = Account::builder_with_http(Box::new(installation.https_client()));
        let (account, _) =
            builder.create_from_key((key, private.into()), installation.directory_url()).await.unwrap();

        let mut order = order(&account, "own-key.localhost").await;
        answer_challenges(&mut order, &responder).await;
        wait_until_ready(&mut order).await;
        let refused = order.finalize_csr(&own_key).await;
        let Err(Error::Api(problem)) = refused else { panic!("{refused:?}") };
        assert_eq!(problem.r#type.as_deref(), Some("urn:ietf:params:acme:error:badCSR"), "{problem:?}");

        // The order is none the worse for it.
        order.finalize_csr(&certificate_request("own-key.localhost")).await.unwrap();
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

        let begins = client.ready_order(&responder, "begins.localhost", json!({"notBefore": now})).await;
        let ends = client.ready_order(&responder, "ends.localhost", json!({"notAfter": in_an_hour})).await;
        clock.advance(Duration::from_secs(2 * 3_600));

        let issued = client.finalize(&begins, "begins.localhost").await;
        assert_eq!(issued.status, 200, "{issued:?}");
        assert_eq!(issued.json()["status"], "valid");
        let detail = client.finalize(&ends, "ends.localhost").await.problem(400, "malformed");
        assert!(detail.contains("notAfter"), "{detail}");
        server.terminate();
    });
}
