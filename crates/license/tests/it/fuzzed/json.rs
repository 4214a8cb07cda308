//! JSON looked at without the crate's reader, for what the reader promises.

use serde_json::Value;

/// A text that was read has one reading, and `null` nowhere.
pub(super) fn hold_one_reading(text: &[u8], max_depth: usize) {
    assert!(!has_null(&hold_bounds(text, max_depth)), "{}", text.escape_ascii());
}

/// What a text that was read stands for: it is UTF-8, no object in it has two members of one name, and nothing
/// in it stands too deep.
pub(super) fn hold_bounds(text: &[u8], max_depth: usize) -> Value {
    let text = std::str::from_utf8(text).expect("UTF-8");
    let value: Value = serde_json::from_str(text).expect("JSON");
    // A second member of one name takes the place of the first, and is missing from the count.
    assert_eq!(members(&value), colons_outside_of_texts(text), "a member stands twice: {text}");
    assert!(depth(&value) <= max_depth, "{text}");
    value
}

/// Puts a list of texts into their order.
pub(super) fn sort(list: &mut Value) {
    let texts = list.as_array_mut().expect("a list");
    texts.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        Value::Array(list) => list.iter().map(members).sum(),
        _ => 0,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(object) => 1 + object.values().map(depth).max().unwrap_or(0),
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(object) => object.values().any(has_null),
        Value::Array(list) => list.iter().any(has_null),
        _ => false,
    }
}

fn colons_outside_of_texts(json: &str) -> usize {
    let (mut colons, mut is_text, mut is_escaped) = (0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_text = !is_text,
            b':' if !is_text => colons += 1,
            _ => {}
        }
    }
    colons
}
