//! A member of a request that changes an object.

use serde::{Deserialize, Deserializer};

use super::Refusal;

/// What becomes of something that may be absent. A field of this type has `#[serde(default)]`: a member that is
/// missing leaves things as they are, `null` clears them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It goes.
    Clear,
    /// It is this from now on.
    Set(T),
}

impl<T> Change<T> {
    /// The change that a flag of a command asks for, and its counterpart that clears.
    pub(crate) fn of(value: Option<T>, clear: bool) -> Self {
        match value {
            Some(value) => Self::Set(value),
            None if clear => Self::Clear,
            None => Self::Keep,
        }
    }

    /// Makes the change; whether one was asked for.
    pub(crate) fn apply(self, to: &mut Option<T>) -> bool {
        match self {
            Self::Keep => return false,
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value),
        }
        true
    }

    /// Makes the change of something that is never absent; whether one was asked for.
    ///
    /// # Errors
    /// That it cannot be cleared, naming the member.
    pub(crate) fn apply_to(self, field: &str, to: &mut T) -> Result<bool, Refusal> {
        match self {
            Self::Keep => Ok(false),
            Self::Clear => Err(Refusal::field(field, "cannot be null: leave it out, and it stays as it is")),
            Self::Set(value) => {
                *to = value;
                Ok(true)
            }
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

/// The names of the members that differ.
pub(crate) fn differing<const N: usize>(members: [(&'static str, bool); N]) -> Vec<&'static str> {
    members.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        limit: Change<i64>,
    }

    #[test]
    fn missing_stays_and_null_clears() {
        for (body, expected, left) in [
            ("{}", Change::Keep, Some(1)),
            (r#"{"limit":null}"#, Change::Clear, None),
            (r#"{"limit":2}"#, Change::Set(2), Some(2)),
        ] {
            let change = serde_json::from_str::<Body>(body).unwrap().limit;
            assert_eq!(change, expected);
            let mut value = Some(1);
            assert_eq!(change.apply(&mut value), change != Change::Keep);
            assert_eq!(value, left);
        }
        assert_eq!(Change::of(None::<i64>, true), Change::Clear);
        let mut name = "a";
        assert_eq!(Change::Set("b").apply_to("name", &mut name), Ok(true));
        assert!(Change::Clear.apply_to("name", &mut name).is_err());
        assert_eq!(name, "b");
    }
}
