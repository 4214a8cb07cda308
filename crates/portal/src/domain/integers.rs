//! Whole numbers in JSON that would not be kept as they were sent.

/// Whether a JSON text holds a whole number beyond 64 bits, which the reader turns into the float next to it.
pub(crate) fn beyond_64_bits(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some((first, behind)) = rest.split_first() {
        let length = match first {
            b'"' => {
                rest = behind_text(behind);
                continue;
            }
            b'-' | b'0'..=b'9' => rest.iter().take_while(|byte| is_of_number(**byte)).count(),
            _ => 1,
        };
        let Some((token, behind)) = rest.split_at_checked(length) else { return false };
        if is_too_wide(token) {
            return true;
        }
        rest = behind;
    }
    false
}

/// What follows a text, whose opening quotation mark was read.
fn behind_text(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [b'"', behind @ ..] => return behind,
            [b'\\', _, behind @ ..] | [_, behind @ ..] => behind,
            [] => return rest,
        };
    }
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')
}

fn is_too_wide(token: &[u8]) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    let is_whole = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let fits = |text: &str| text.parse::<u64>().is_ok() || text.parse::<i64>().is_ok();
    is_whole && !std::str::from_utf8(token).is_ok_and(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn only_whole_numbers_beyond_64_bits_are_found() {
        for (json, found) in [
            ("18446744073709551615", false),
            ("18446744073709551616", true),
            ("-9223372036854775808", false),
            ("-9223372036854775809", true),
            (r#"{"a":{"b":[1,12345678901234567890123]}}"#, true),
            (r#"{"a":"12345678901234567890123"}"#, false),
            (r#"{"a":"\"12345678901234567890123"}"#, false),
            (r#"{"a":"\\","b":12345678901234567890123}"#, true),
            (r#"{"12345678901234567890123":null}"#, false),
            ("[12345678901234567890123.0, 1e30, 12345678901234567890123E0]", false),
            ("\"12345678901234567890123", false),
            ("", false),
        ] {
            assert_eq!(beyond_64_bits(json.as_bytes()), found, "{json}");
        }
    }

    proptest! {
        #[test]
        fn what_is_not_found_is_kept_as_it_was(number in "-?[1-9][0-9]{0,24}") {
            let kept = serde_json::from_str::<Value>(&number).unwrap().to_string();
            prop_assert_eq!(beyond_64_bits(number.as_bytes()), kept != number);
        }
    }
}
