//! ACME (RFC 8555) as data and rules.
//!
//! Nothing here opens a socket, reads a clock or knows how anything is stored: a request's bytes go
//! in, a typed request or a [`Problem`] comes out.
//!
//! | room | what it holds |
//! |---|---|
//! | [`jws`] | the signed request: strict reading, then the signature (RFC 8555 §6.2) |
//! | [`jwk`] | account keys and their thumbprints (RFC 7517, RFC 7638) |
//! | [`eab`] | external account bindings and their secrets (RFC 8555 §7.3.4) |
//! | [`key_change`] | the change of an account's key (RFC 8555 §7.3.5) |
//! | [`nonce`], [`shared_nonce`] | anti-replay nonces (RFC 8555 §6.5), of one process or of several nodes |
//! | [`problem`] | every refusal a client can be told (RFC 8555 §6.7) |
//! | [`identifier`] | what a certificate can be ordered for, in canonical form |
//! | [`scope`] | which names a policy is for |
//! | [`state`] | the states of the objects and how one follows from another (RFC 8555 §7.1.6) |
//! | [`challenge`] | challenge types, tokens and what is shown for them (RFC 8555 §8) |
//! | [`dns_persist`] | what a standing TXT record authorizes (draft-ietf-acme-dns-persist) |
//! | [`caa`] | what CAA records allow (RFC 8659, RFC 8657) |
//! | [`renewal`] | names of certificates and when to renew them (RFC 9773) |
//! | [`payload`] | what clients send |
//! | [`resource`] | what clients are sent |
//! | [`object_id`] | the opaque last part of an object's URL |

pub mod caa;
pub mod challenge;
mod crypto;
pub mod dns_persist;
pub mod eab;
mod flattened;
pub mod identifier;
pub mod jwk;
pub mod jws;
pub mod key_change;
pub mod nonce;
mod object;
pub mod object_id;
pub mod payload;
pub mod problem;
pub mod renewal;
pub mod resource;
pub mod scope;
pub mod shared_nonce;
pub mod state;
#[cfg(test)]
mod test_client;

pub use identifier::Identifier;
pub use jwk::{AccountKey, Jwk, Thumbprint};
pub use jws::SignedRequest;
pub use nonce::Nonces;
pub use object_id::{ObjectId, ObjectKind, Sealer};
pub use problem::{Problem, ProblemType};
pub use shared_nonce::SharedNonces;
