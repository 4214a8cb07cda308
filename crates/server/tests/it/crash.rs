//! What the server acknowledged is there after `kill -9`, and what it did not, the client can
//! simply ask for again.

use chancery_testkit::{Engine, HttpsClient, Installation, Responder, TestServer, rounds};
use instant_acme::{Account, OrderStatus};

use crate::acme::{
    answer_challenges, block_on, complete, fetch_certificate, order, register, wait_until_ready,
};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    an_acknowledged_order_survives,
    a_validation_is_taken_up_again,
    new_orders_may_be_cut_off,
    finalizations_may_be_cut_off,
);

fn an_acknowledged_order_survives(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let https = installation.https_client();
        let (account, credentials) = register(&installation, &https).await;
        let url = order(&account, "crash.localhost").await.url().to_owned();

        server.kill_9();
        server.restart();

        let builder = Account::builder_with_http(Box::new(https));
        let restored = builder.from_credentials(credentials).await.expect("the directory is served");
        let mut order = restored.order(url).await.expect("the order is still there");
        assert_eq!(order.state().status, OrderStatus::Pending);
        complete(&mut order, &responder).await;
        server.terminate();
    });
}

/// The client need not answer the challenge a second time.
fn a_validation_is_taken_up_again(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let (account, _) = register(&installation, &installation.https_client()).await;

        for round in 0..rounds(2) {
            let mut order = order(&account, &format!("held-{round}.localhost")).await;
            let hold = responder.hold();
            let before = responder.requests();
            answer_challenges(&mut order, &responder).await;
            responder.wait_for_requests(before + 1).await;

            server.kill_9();
            drop(hold);
            server.restart();

            wait_until_ready(&mut order).await;
            complete(&mut order, &responder).await;
        }
        server.terminate();
    });
}

fn new_orders_may_be_cut_off(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let https = installation.https_client();
        let (account, _) = register(&installation, &https).await;

        for round in 0..rounds(3) {
            let name = format!("new-order-{round}.localhost");
            let cut = https.cut_next_post();
            let unanswered = tokio::spawn({
                let (account, name) = (account.clone(), name.clone());
                async move { order(&account, &name).await }
            });
            cut.sent().await;
            kill_some_time_after(round, &mut server, &installation, &https).await;
            unanswered.abort();
            server.restart();

            complete(&mut order(&account, &name).await, &responder).await;
        }
        server.terminate();
    });
}

fn finalizations_may_be_cut_off(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let https = installation.https_client();
        let (account, _) = register(&installation, &https).await;
        let mut acknowledged = Vec::new();

        for round in 0..rounds(6) {
            let mut order = order(&account, &format!("finalize-{round}.localhost")).await;
            let url = order.url().to_owned();
            answer_challenges(&mut order, &responder).await;
            wait_until_ready(&mut order).await;

            let cut = https.cut_next_post();
            let unanswered = tokio::spawn(async move { order.finalize().await });
            cut.sent().await;
            kill_some_time_after(round, &mut server, &installation, &https).await;
            unanswered.abort();
            server.restart();

            let mut order = account.order(url.clone()).await.expect("the order is still there");
            let status = order.state().status;
            assert!(
                matches!(status, OrderStatus::Ready | OrderStatus::Processing | OrderStatus::Valid),
                "after round {round} the order is {status:?}"
            );
            acknowledged.push((url, complete(&mut order, &responder).await));
        }

        for (url, chain) in acknowledged {
            let mut order = account.order(url).await.expect("the order is still there");
            assert_eq!(order.state().status, OrderStatus::Valid);
            assert_eq!(
                fetch_certificate(&mut order).await,
                chain,
                "the certificate is the one that was issued"
            );
        }
        server.terminate();
    });
}

/// Kills the server while it has a request in hand, or just after. How far it comes with that
/// request is different from round to round: it answers up to seven others before it is killed.
async fn kill_some_time_after(
    round: usize,
    server: &mut TestServer<'_>,
    installation: &Installation,
    https: &HttpsClient,
) {
    for _ in 0..round % 8 {
        https.get(&installation.directory_url()).await;
    }
    server.kill_9();
}
