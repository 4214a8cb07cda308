//! The real binary, from outside: its commands, its processes, and the clients that people use.
//!
//! `make test` provides what these need (PostgreSQL, the clients); without it they fail and say so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints see test code only within test functions; all of this binary is test code"
)]

mod account_commands;
mod acme;
mod approval;
mod arbitrary;
mod asked_again;
mod audit;
mod audit_commands;
mod authorities;
mod boot;
mod caa;
mod certificate_chains;
mod certificate_commands;
mod clients;
mod cold_start;
mod config;
mod crash;
mod error_types;
mod external_accounts;
mod hostile;
mod identifiers;
mod issuance;
mod key_change;
mod license_commands;
mod licensing;
mod limits;
mod obtained;
mod offline;
mod operator_tricks;
mod order_commands;
mod portal_client;
mod portal_site;
mod pre_authorization;
mod protocol;
mod races;
mod renewal_info;
mod revocation;
mod several_nodes;
mod shutdown;
mod subdomains;
mod tls;
mod validation;
mod validation_site;

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
