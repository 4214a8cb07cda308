//! The key of a licence in an answer.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// A licence key in the clear, for whoever asked with it or may see it. `Debug` does not show it.
#[derive(Clone, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub(crate) struct ClearKey(String);

impl From<&str> for ClearKey {
    fn from(key: &str) -> Self {
        Self(key.to_owned())
    }
}

impl fmt::Debug for ClearKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClearKey(CRT-…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_and_not_shown() {
        let key = ClearKey::from("CRT-000000-000000-000000-000000-000000");
        assert_eq!(serde_json::to_value(&key).unwrap(), "CRT-000000-000000-000000-000000-000000");
        assert!(!format!("{key:?}").contains("000000"));
    }
}
