//! What is done for callers, by HTTP or at the command line: one file a subject. A function asks for its
//! [`Permission`](crate::domain::Permission) first and makes its change in one transaction.

pub(crate) mod activations;
pub(crate) mod api_keys;
pub(crate) mod claims;
pub(crate) mod deliveries;
pub(crate) mod failure;
pub(crate) mod idempotency;
pub(crate) mod installations;
pub(crate) mod licenses;
pub(crate) mod log;
pub(crate) mod machine_files;
pub(crate) mod manifests;
pub(crate) mod office;
pub(crate) mod organisations;
mod particulars;
pub(crate) mod plans;
pub(crate) mod products;
pub(crate) mod revocations;
pub(crate) mod scope;
pub(crate) mod seats;
pub(crate) mod signers;
pub(crate) mod signing;
pub(crate) mod sync;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod users;
pub(crate) mod validation;
pub(crate) mod webhooks;

pub(crate) use failure::Failure;
pub(crate) use office::{Note, Office};
pub(crate) use signers::Signers;
