//! Keys, certificate requests and certificates.
//!
//! The path of an end-entity certificate is one way: a [`request::CertificateRequest`] is read, held
//! against its order by [`request::check`], built, signed with a throw-away key and linted by
//! [`certificate::prepare`], and only then signed by [`certificate::Prepared::issue`].
//!
//! Nothing here opens a file or a socket, reads a clock, or knows ACME.

mod asn1;
mod crypto;

pub mod certificate;
pub mod hierarchy;
pub mod key;
pub mod lint;
pub mod name;
pub mod request;

pub use asn1::Malformed;
