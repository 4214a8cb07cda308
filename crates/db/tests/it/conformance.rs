//! One list of tests, run on each engine.

mod faults;
mod migrations;
mod statements;
mod transactions;

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
macro_rules! on_both_engines {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(&crate::engine::Fresh::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(&crate::engine::Fresh::postgres().await).await;
            })*
        }
    };
}
pub(crate) use on_both_engines;
