//! Building and signing end-entity certificates.
//!
//! Every one has `CA:FALSE`; its key usages and purposes are the profile's, and so is its subject: empty, with
//! a critical subjectAltName (RFC 5280 §4.2.1.6), or a common name chosen here, whatever the request had.

mod ca;
mod end_entity;
mod extension;
mod facts;
mod issuer;
pub(crate) mod oid;
mod prepare;
mod profile;
mod self_signed;
mod serial;
mod usage;
mod validity;

pub use ca::{CaCertificate, CaCertificateError, ChainError, pem};
pub use end_entity::{EndEntity, EndEntityError, MAX_CERTIFICATE_LEN};
#[cfg(test)]
pub(crate) use extension::key_usage;
pub(crate) use extension::{authority_key_id, basic_constraints, encode, subject_key_id};
pub use facts::CertificateFacts;
pub use issuer::{Issuer, IssuerError};
pub use prepare::{Certificate, IssueError, PrepareError, Prepared, prepare};
pub use profile::{
    MAX_BACKDATE, MAX_VALIDITY, MustStaple, Profile, ProfileError, ProfileSpec, SubjectRule, ValidityRefusal,
};
pub use self_signed::{SelfSignedError, self_signed};
pub use serial::{SerialError, SerialNumber};
pub use usage::{EndEntityUsage, Purpose, PurposeError, UnknownUsage};
pub use validity::{Validity, ValidityError};
