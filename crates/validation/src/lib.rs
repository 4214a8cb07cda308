//! What the network shows of an identifier.
//!
//! This crate dials, reads and reports. Whether an observation is worth an authorization is decided
//! by its caller; the one judgement made here is where the server may dial at all ([`egress`]).

mod capped;
mod dial;
mod failure;
mod tls;

pub mod caa;
pub mod dns01;
pub mod egress;
pub mod http01;
pub mod resolver;
pub mod tls_alpn01;

pub use failure::{Failure, FailureKind};
