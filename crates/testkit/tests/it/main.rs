//! Tests of the project as a whole rather than of one crate.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the lint sees test code only within test functions; all of this file is test code"
)]

mod house;
