//! The rules that existing client programs hold the API to.

mod answers;
mod limits;
mod requests;

use serde_json::Value;

/// The names of the members of an object, sorted.
#[track_caller]
fn members(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// RFC 3339 in UTC with `Z` and whole seconds.
#[track_caller]
fn assert_time(value: &Value) {
    let shape: String = value
        .as_str()
        .unwrap_or_else(|| panic!("no time: {value}"))
        .chars()
        .map(|character| if character.is_ascii_digit() { '9' } else { character })
        .collect();
    assert_eq!(shape, "9999-99-99T99:99:99Z", "{value}");
}
