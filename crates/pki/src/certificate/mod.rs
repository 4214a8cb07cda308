//! Building and signing end-entity certificates.
//!
//! Every one has an empty subject and a critical subjectAltName (RFC 5280 §4.2.1.6), whatever common name
//! the request had; `CA:FALSE`; key usage digitalSignature (and keyEncipherment for RSA keys); extended
//! key usage serverAuth (and clientAuth where the profile says so).

mod ca;
mod extension;
mod facts;
mod issuer;
pub(crate) mod oid;
mod prepare;
mod profile;
mod serial;
mod validity;

pub use ca::{CaCertificate, CaCertificateError, ChainError, pem};
pub(crate) use extension::{authority_key_id, basic_constraints, encode, subject_key_id};
pub use facts::CertificateFacts;
pub use issuer::{Issuer, IssuerError};
pub use prepare::{Certificate, IssueError, PrepareError, Prepared, prepare};
pub use profile::{MAX_BACKDATE, MAX_VALIDITY, Profile, ProfileError, ProfileSpec, ValidityRefusal};
pub use serial::{SerialError, SerialNumber};
pub use validity::{Validity, ValidityError};
