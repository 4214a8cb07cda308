//! The steps of an order, taken one at a time by a client that is not ours.

use std::time::Duration;

use chancery_testkit::{HttpsClient, Installation, Responder};
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};

/// Long enough for a server that was just started again to take up its work.
const POLLS: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(20)).timeout(Duration::from_secs(60));

/// Runs an async scenario. Its blocking calls (starting a server, waiting for its end) hold up only
/// the scenario's own thread.
pub(crate) fn block_on(scenario: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(scenario);
}

/// A new account without contacts.
pub(crate) async fn register(
    installation: &Installation,
    https: &HttpsClient,
) -> (Account, AccountCredentials) {
    let new_account = NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
    Account::builder_with_http(Box::new(https.clone()))
        .create(&new_account, installation.directory_url(), None)
        .await
        .expect("the account is registered")
}

/// A new order for one name.
pub(crate) async fn order(account: &Account, name: &str) -> Order {
    let names = [Identifier::Dns(name.to_owned())];
    account.new_order(&NewOrder::new(&names)).await.expect("the order is accepted")
}

/// Puts the answers to the http-01 challenges of all pending authorizations in place, and tells
/// the server to look. Does not wait for what comes of it.
pub(crate) async fn answer_challenges(order: &mut Order, responder: &Responder) {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.expect("the authorization is fetched");
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let mut challenge = authorization.challenge(ChallengeType::Http01).expect("http-01 is offered");
        responder.serve(&challenge.token, challenge.key_authorization().as_str());
        challenge.set_ready().await.expect("the challenge is accepted");
    }
}

/// Waits until the order is ready to be finalized.
pub(crate) async fn wait_until_ready(order: &mut Order) {
    let status = order.poll_ready(&POLLS).await.expect("the order can be polled");
    assert_eq!(status, OrderStatus::Ready, "{:?}", order.state());
}

/// Waits until the order is valid, and fetches the chain.
pub(crate) async fn fetch_certificate(order: &mut Order) -> String {
    order.poll_certificate(&POLLS).await.expect("the certificate is issued")
}

/// Takes an order from wherever it stands to its certificate.
pub(crate) async fn complete(order: &mut Order, responder: &Responder) -> String {
    if order.state().status == OrderStatus::Pending {
        answer_challenges(order, responder).await;
        wait_until_ready(order).await;
    }
    if order.state().status == OrderStatus::Ready {
        order.finalize().await.expect("the order is finalized");
    }
    fetch_certificate(order).await
}
