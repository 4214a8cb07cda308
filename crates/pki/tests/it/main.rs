//! The crate against OpenSSL, and against bytes that mean no good.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, a panic is a verdict")]

mod chains;
mod key_files;
mod openssl;
mod requests;
