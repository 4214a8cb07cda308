//! The log on real files: written, broken in every way, and read.

#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints see test code only within test functions; all of this binary is test code"
)]

mod checkpoints;
mod crash;
mod documented;
mod journal;
mod properties;
mod query;
mod site;
mod tampering;
