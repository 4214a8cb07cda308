//! The formats, held to their vectors from outside the crate.

#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints see test code only within test functions; all of this binary is test code"
)]

mod document;
mod fuzz_corpus;
#[allow(unreachable_pub, reason = "the fuzz targets, a crate of its own, use it from outside")]
mod fuzzed;
mod jwt;
mod keys;
mod machine_file;
mod properties;
mod vector;
