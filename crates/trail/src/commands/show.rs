//! How values from the log are shown to people.
//!
//! Much in it was written by clients, so nothing is shown that could move the cursor or reorder text.

use chancery_time::Timestamp;
use serde_json::{Map, Value};

/// `1 line`, `3 lines`
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// An instant as the log has it: `2026-06-14T13:23:00.125Z`.
pub(super) fn instant(at: Timestamp) -> String {
    let seconds = at.to_string();
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), at.unix_millis().rem_euclid(1_000))
}

/// `name=value` for each member, one after the other.
pub(super) fn members(details: &Map<String, Value>) -> String {
    details.iter().map(|(name, value)| member(name, value)).collect::<Vec<_>>().join(" ")
}

/// `name=value`
pub(super) fn member(name: &str, value: &Value) -> String {
    let value = match value {
        // Without quotation marks where it is plain to see where the text ends.
        Value::String(text) if !text.is_empty() && !text.contains(['"', ' ', '=']) => text.clone(),
        value => value.to_string(),
    };
    format!("{}={}", visible(name), visible(&value))
}

/// The text with everything escaped that is not itself seen.
pub(super) fn visible(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if is_hidden(c) {
            shown.extend(c.escape_default())
        } else {
            shown.push(c)
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_and_instants_read_well() {
        assert_eq!((count(0, "line"), count(1, "line")), ("0 lines".to_owned(), "1 line".to_owned()));
        let at = Timestamp::from_unix_millis(1_781_443_380_025);
        assert_eq!(instant(at), "2026-06-14T13:23:00.025Z");
    }

    #[test]
    fn details_are_shown_in_one_line_that_harms_no_terminal() {
        let details = json!({
            "id": 3, "name": "a.test", "text": "two words", "none": "", "list": ["a", 1],
            "sly\u{1b}[2J": "a\u{202e}b\u{9b}31m\n",
        });
        let Value::Object(details) = details else { panic!() };
        assert_eq!(
            members(&details),
            "id=3 list=[\"a\",1] name=a.test none=\"\" sly\\u{1b}[2J=a\\u{202e}b\\u{9b}31m\\n text=\"two words\""
        );
    }
}
