//! The signers behind a certificate authority, and the durable files that they rest on.
//!
//! [`local`] keeps the issuing key in an encrypted file of its own.

pub mod local;
