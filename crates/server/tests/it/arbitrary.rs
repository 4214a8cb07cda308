//! Arbitrary bytes at every route: none of them is an error of the server, or its end.
//!
//! The number of cases is that of `PROPTEST_CASES`, which `make soak` sets, or else 256.

mod exchange;
mod flood;
mod requests;

use chancery_testkit::{Engine, Installation, RawClient, Responder};
use exchange::statuses;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{CHANCERY, on_both_engines};
use requests::{Routes, Signed};

on_both_engines!(bytes_at_every_route, signed_requests_with_anything_in_them);

/// A running server, a client with an account, and the objects that its routes name.
struct Bench<'a> {
    runtime: Runtime,
    installation: &'a Installation,
    client: RawClient,
    routes: Routes,
}

impl<'a> Bench<'a> {
    fn new(installation: &'a Installation) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (client, routes) = runtime.block_on(async {
            let mut client = RawClient::new(installation).await;
            let registered = client.register(&json!({})).await;
            assert_eq!(registered.status, 201, "{registered:?}");
            let routes = Routes::find(&mut client, installation).await;
            (client, routes)
        });
        Self { runtime, installation, client, routes }
    }

    /// Whether an ordinary client is served as if nothing had been.
    fn serves(self) {
        let Self { runtime, installation, client, .. } = self;
        runtime.block_on(async {
            let responder = Responder::start(installation.http01_port()).await;
            let issued = client.another().obtain(&responder, "after.localhost").await;
            assert_eq!(
                (issued.status.as_u16(), &issued.json()["status"]),
                (200, &json!("valid")),
                "{issued:?}"
            );
        });
    }
}

/// What fails is told with its input; no file is kept of it, since it says nothing without its server.
fn runner() -> TestRunner {
    TestRunner::new(Config { failure_persistence: None, max_shrink_iters: 64, ..Config::default() })
}

fn bytes_at_every_route(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let mut server = installation.serve();
    let bench = Bench::new(&installation);
    let https = installation.https_client();
    let outcome = runner().run(&requests::bytes(&bench.routes), |bytes| {
        let url = installation.url();
        let statuses = bench.runtime.block_on(async { statuses(https.connect(&url).await, &bytes).await });
        let bad: Vec<_> = statuses.into_iter().filter(|status| *status >= 500).collect();
        prop_assert_eq!(bad, Vec::<u16>::new(), "{}", String::from_utf8_lossy(&bytes));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    bench.serves();
    server.terminate();
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

fn signed_requests_with_anything_in_them(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let mut server = installation.serve();
    let mut bench = Bench::new(&installation);
    let strategy = requests::signed(&bench.routes);
    let client = std::cell::RefCell::new(&mut bench.client);
    let outcome = runner().run(&strategy, |request: Signed| {
        let mut client = client.borrow_mut();
        let answer = bench.runtime.block_on(request.send(&mut client));
        prop_assert!(!answer.status.is_server_error(), "{:?}", answer);
        prop_assert!(answer.header("replay-nonce").is_some(), "{:?}", answer);
        if answer.status.is_client_error() {
            prop_assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{:?}", answer);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    bench.serves();
    server.terminate();
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
