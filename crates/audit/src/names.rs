//! The names that stand in lines: of nodes and of events.

use std::borrow::Cow;
use std::fmt;

/// The most bytes of a name.
pub(crate) const MAX_NAME_LENGTH: usize = 64;
/// The line that begins a segment.
pub(crate) const SEGMENT_EVENT: &str = "audit.segment";
/// The line that carries a signed checkpoint.
pub(crate) const CHECKPOINT_EVENT: &str = "audit.checkpoint";

/// The name of the machine that a log is of: 1 to 64 characters `A-Z a-z 0-9 . _ -`, the first and the
/// last of them a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(String);

/// What happened: lower-case words with digits, `_` and `-`, joined by dots, at most 64 characters.
///
/// `audit.segment` and `audit.checkpoint` are the journal's own and refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventName(Cow<'static, str>);

/// A text that is no such name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It is no [`Node`].
    #[error("`{0}` is no name of a node: use 1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first and last")]
    Node(String),
    /// It is no [`EventName`].
    #[error("`{0}` is no name of an event: use lower-case words joined by dots, at most 64 characters")]
    Event(String),
    /// It is a name that only the journal writes.
    #[error("the journal alone writes events named `{0}`")]
    Reserved(String),
}

impl Node {
    /// Takes a name.
    ///
    /// # Errors
    /// [`NameError::Node`].
    pub fn new(name: &str) -> Result<Self, NameError> {
        if is_node(name.as_bytes()) { Ok(Self(name.to_owned())) } else { Err(NameError::Node(quoted(name))) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl EventName {
    /// Takes a name such as `license.install`.
    ///
    /// # Errors
    /// [`NameError::Event`] and [`NameError::Reserved`].
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, NameError> {
        let name = name.into();
        if name == SEGMENT_EVENT || name == CHECKPOINT_EVENT {
            return Err(NameError::Reserved(name.into_owned()));
        }
        if is_event(name.as_bytes()) { Ok(Self(name)) } else { Err(NameError::Event(quoted(&name))) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn is_node(name: &[u8]) -> bool {
    let ends = [name.first(), name.last()];
    name.len() <= MAX_NAME_LENGTH
        && ends.iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

pub(crate) fn is_event(name: &[u8]) -> bool {
    let in_word =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    name.len() <= MAX_NAME_LENGTH
        && name.split(|byte| *byte == b'.').all(|word| !word.is_empty() && word.iter().all(in_word))
}

fn quoted(name: &str) -> String {
    name.chars().take(MAX_NAME_LENGTH).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_their_alphabet() {
        for good in ["a", "ca1.example.net", "Node_1-b", &"x".repeat(64)] {
            assert_eq!(Node::new(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "-a", "a.", "a b", "a/b", "é", "a\n", &"x".repeat(65)] {
            assert!(Node::new(bad).is_err(), "{bad:?}");
        }
        for good in ["start", "license.install", "order.new_2", "a-b.c"] {
            assert_eq!(EventName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "a..b", "a.", "Start", "a b", "a\"", "é"] {
            assert!(EventName::new(bad).is_err(), "{bad:?}");
        }
        assert!(EventName::new("x".repeat(65)).is_err());
        assert!(matches!(EventName::new("audit.segment"), Err(NameError::Reserved(_))));
    }
}
