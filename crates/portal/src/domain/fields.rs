//! The rules of members that several requests have.

use chancery_license::limits::{self, Broken};
use serde_json::{Map, Value};

use super::Refusal;

impl From<Broken> for Refusal {
    fn from(broken: Broken) -> Self {
        Self::field(broken.field, broken.rule)
    }
}

/// A line that is shown to people, as licence documents want it.
pub(crate) fn line(field: &str, text: &str, max_characters: usize) -> Result<(), Refusal> {
    let is_line = (1..=max_characters).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control);
    let rule = || format!("is one line of 1 to {max_characters} characters, without space around it");
    if is_line { Ok(()) } else { Err(Refusal::field(field, rule())) }
}

/// An address as licence documents want it. Whether it exists, only a mail to it can tell.
pub(crate) fn email(field: &str, text: &str) -> Result<(), Refusal> {
    let is_address = text.len() <= 254
        && !text.chars().any(|character| character.is_control() || character.is_whitespace())
        && text.rsplit_once('@').is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty());
    if is_address { Ok(()) } else { Err(Refusal::field(field, "is an address such as it@example.com")) }
}

/// Metadata, held to what every client can read.
pub(crate) fn metadata(metadata: Option<&Map<String, Value>>) -> Result<(), Refusal> {
    match metadata {
        Some(members) => Ok(limits::metadata(&Value::from(members.clone()).to_string())?),
        None => Ok(()),
    }
}

/// A number between bounds.
pub(crate) fn number(field: &str, number: i64, min: i64, max: i64) -> Result<(), Refusal> {
    if (min..=max).contains(&number) {
        Ok(())
    } else {
        Err(Refusal::field(field, format_args!("is a number from {min} to {max}")))
    }
}

/// The value that a text names, out of those that there are.
pub(crate) fn one_of<T: Copy>(
    field: &str,
    text: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, Refusal> {
    all.iter().copied().find(|value| name(*value) == text).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|value| name(*value)).collect();
        Refusal::field(field, format_args!("is one of {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Code, Role};

    #[test]
    fn each_rule_refuses_what_breaks_it_and_names_the_member() {
        let field = |checked: Result<(), Refusal>| {
            let refusal = checked.unwrap_err();
            assert_eq!(refusal.code, Code::InvalidArguments);
            refusal.details["field"].as_str().unwrap().to_owned()
        };
        for text in ["", " x", "x ", "a\nb", &"x".repeat(11)] {
            assert_eq!(field(line("name", text, 10)), "name", "{text:?}");
        }
        assert_eq!(line("name", "Übung & Co", 10), Ok(()));
        for text in ["", "x", "@example.com", "a@", "a b@example.com", "a@example.com\n"] {
            assert_eq!(field(email("email", text)), "email", "{text:?}");
        }
        assert_eq!(email("email", "it@example.com"), Ok(()));
        assert_eq!(field(number("file_days", 0, 1, 3_650)), "file_days");
        assert_eq!(number("file_days", 3_650, 1, 3_650), Ok(()));
        let members = |value: Value| value.as_object().cloned();
        let large = json!({ "x": "x".repeat(200_000) });
        assert_eq!(field(metadata(members(large).as_ref())), "metadata");
        assert_eq!(metadata(members(json!({ "seats": [1, 2] })).as_ref()), Ok(()));
        assert_eq!(one_of("role", "admin", &Role::ALL, Role::name), Ok(Role::Admin));
        let refusal = one_of("role", "Admin", &Role::ALL, Role::name).unwrap_err();
        assert_eq!(refusal.message, "role: is one of owner, admin, support, viewer");
    }
}
