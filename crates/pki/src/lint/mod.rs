//! The rules that every certificate is held against before it is signed in earnest.
//!
//! They read the bytes that are about to be signed anew, with a parser other than the builder's
//! structures, and compare them with what was asked for.

mod rules;
#[cfg(test)]
mod tests;

use der::Decode;
use x509_cert::Certificate;

use crate::certificate::{Issuer, Profile, SerialNumber, Validity};
use crate::request::ValidatedRequest;

/// A rule that a certificate breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the certificate was not signed, since it breaks the rule `{rule}`: {problem}")]
pub struct LintFailure {
    /// The rule's name.
    pub rule: &'static str,
    /// What is wrong, with the source of the rule.
    pub problem: &'static str,
}

/// What a certificate ought to say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The profile that it is issued under.
    pub profile: &'a Profile,
    /// The request that it answers.
    pub request: &'a ValidatedRequest,
    /// Its issuer.
    pub issuer: &'a Issuer,
    /// Its validity.
    pub validity: Validity,
    /// Its serial number.
    pub serial: SerialNumber,
}

/// Holds the DER of an end-entity certificate against every rule.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(der: &[u8], expected: &Expected<'_>) -> Result<(), LintFailure> {
    let unreadable = LintFailure { rule: "der", problem: "it is not the DER of a certificate" };
    let certificate = Certificate::from_der(der).map_err(|_| unreadable)?;
    for (rule, holds) in rules::ALL {
        holds(&certificate, expected).map_err(|problem| LintFailure { rule, problem })?;
    }
    Ok(())
}
