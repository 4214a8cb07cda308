//! Secrets that the environment may carry in place of the file.

use std::env::VarError;

use secrecy::{ExposeSecret, SecretString};

/// A variable of the environment that is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the variable {name} is not UTF-8")]
pub struct VariableError {
    name: String,
}

/// The secret in the variable `name`; an empty one counts as none.
///
/// # Errors
/// When the variable is not UTF-8.
pub fn secret(name: &str) -> Result<Option<SecretString>, VariableError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(SecretString::from(value)).filter(|secret| !secret.expose_secret().is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(VariableError { name: name.to_owned() }),
    }
}
