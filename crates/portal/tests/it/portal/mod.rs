//! The running portal, from outside, on both database engines.

mod api_keys;
mod api_rules;
mod catalogue;
mod crash;
mod document;
mod error_codes;
mod known_client;
mod licenses;
mod openapi;
mod seats;
mod secrets;
mod seed_workflow;
mod shop;
mod webhooks;

/// The binary under test.
pub(crate) const PORTAL: &str = env!("CARGO_BIN_EXE_chancery-portal");

/// Makes of each scenario, a function of an [`Engine`](chancery_testkit::Engine), two tests.
macro_rules! on_both_engines {
    ($($scenario:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $scenario() {
                super::$scenario(chancery_testkit::Engine::Sqlite);
            })+
        }
        mod postgres {
            $(#[test]
            fn $scenario() {
                super::$scenario(chancery_testkit::Engine::Postgres);
            })+
        }
    };
}
pub(crate) use on_both_engines;

/// Runs an async scenario. Its blocking calls (starting the portal, waiting for its end) hold up only
/// the scenario's own thread.
pub(crate) fn block_on(scenario: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(scenario);
}
