//! The real binary, from outside: what it writes is opened with the library that installations use.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints see test code only within test functions; all of this binary is test code"
)]

mod both;
mod desk;
mod jwt;
mod keys;
mod manifest;
mod mint;
mod portal;
mod revoke;
