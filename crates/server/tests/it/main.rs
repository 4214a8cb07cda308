//! The real binary, from outside: its commands, its processes, and the clients that people use.
//!
//! `make test` provides what these need (PostgreSQL, certbot, lego); without it they fail and say so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints see test code only within test functions; all of this binary is test code"
)]

mod acme;
mod audit;
mod audit_commands;
mod boot;
mod certbot;
mod cold_start;
mod config;
mod crash;
mod issuance;
mod lego;
mod license_commands;
mod licensing;
mod operator_tricks;
mod protocol;
mod shutdown;
mod tls;

/// The binary under test.
const CHANCERY: &str = env!("CARGO_BIN_EXE_chancery");

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
use on_both_engines;
