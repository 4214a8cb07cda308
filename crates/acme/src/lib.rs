//! ACME (RFC 8555) as data and rules.
//!
//! Nothing here opens a socket, reads a clock or knows how anything is stored: a request's bytes go
//! in, a typed request or a [`Problem`] comes out.
//!
//! | room | what it holds |
//! |---|---|
//! | [`jws`] | the signed request: strict reading, then the signature (RFC 8555 §6.2) |
//! | [`jwk`] | account keys and their thumbprints (RFC 7517, RFC 7638) |
//! | [`nonce`] | anti-replay nonces (RFC 8555 §6.5) |
//! | [`problem`] | every refusal a client can be told (RFC 8555 §6.7) |
//! | [`identifier`] | what a certificate can be ordered for, in canonical form |
//! | [`state`] | the states of the objects and how one follows from another (RFC 8555 §7.1.6) |
//! | [`challenge`] | tokens and key authorizations (RFC 8555 §8.1) |
//! | [`payload`] | what clients send |
//! | [`resource`] | what clients are sent |
//! | [`object_id`] | the opaque last part of an object's URL |

pub mod challenge;
mod crypto;
pub mod identifier;
pub mod jwk;
pub mod jws;
pub mod nonce;
mod object;
pub mod object_id;
pub mod payload;
pub mod problem;
pub mod resource;
pub mod state;

pub use identifier::Identifier;
pub use jwk::{AccountKey, Jwk, Thumbprint};
pub use jws::SignedRequest;
pub use nonce::Nonces;
pub use object_id::{ObjectId, ObjectKind, Sealer};
pub use problem::{Problem, ProblemType};
