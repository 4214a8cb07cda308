//! What the crate promises, checked on both engines.
//!
//! Every test in [`conformance`] runs twice. The PostgreSQL half needs a server, named by
//! `CHANCERY_TEST_POSTGRES`; `make test` starts one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is all tests")]

mod conformance;
mod engine;
mod postgres;
mod sqlite;
