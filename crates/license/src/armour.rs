//! The armour in which documents travel: `-----BEGIN LABEL-----`, base64 in lines of 64 characters,
//! `-----END LABEL-----` (the strict form of RFC 7468 §3).
//!
//! One content has one armour. Only white space may stand round it, and lines may end in CR LF, since
//! mail and editors see to both.

use base64ct::{Base64, Encoding};

const LINE_LENGTH: usize = 64;

/// What is wrong with an armoured text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArmourError {
    /// The text is longer than any such document.
    #[error("{length} bytes are too long: at most {max} can be read")]
    TooLong {
        /// How many bytes it has.
        length: usize,
        /// How many it may have.
        max: usize,
    },
    /// The first line is not the one expected.
    #[error("the first line is not `-----BEGIN {0}-----`")]
    Begin(&'static str),
    /// The last line is not the one expected.
    #[error("the last line is not `-----END {0}-----`: the file may have been cut off")]
    End(&'static str),
    /// A line between them is not 64 characters long, or the last is longer or empty.
    #[error("line {0}: a line of base64 has 64 characters, and only the last may be shorter")]
    Line(usize),
    /// The lines are not the base64 of anything.
    #[error("the lines are not canonical base64 with padding")]
    Base64,
}

/// The label of the armour that the text begins with, whatever follows.
pub fn label(text: &str) -> Option<&str> {
    let first = text.trim_ascii_start().lines().next()?;
    first.strip_prefix("-----BEGIN ")?.trim_ascii_end().strip_suffix("-----")
}

pub(crate) fn encode(label: &str, content: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (position, character) in Base64::encode_string(content).chars().enumerate() {
        if position > 0 && position % LINE_LENGTH == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

/// The content of a text in that armour and nothing else, of at most `max` bytes.
///
/// It is decoded in constant time, since private keys come in armour too.
pub(crate) fn decode(text: &str, label: &'static str, max: usize) -> Result<Vec<u8>, ArmourError> {
    Base64::decode_vec(&base64(text, label, max)?).map_err(|_| ArmourError::Base64)
}

/// What stands in that armour, its lines joined: base64, if the text is right.
pub(crate) fn base64(text: &str, label: &'static str, max: usize) -> Result<String, ArmourError> {
    if text.len() > max {
        return Err(ArmourError::TooLong { length: text.len(), max });
    }
    let lines: Vec<&str> =
        text.trim_ascii().split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let body = match lines.split_first() {
        Some((first, rest)) if *first == format!("-----BEGIN {label}-----") => rest,
        _ => return Err(ArmourError::Begin(label)),
    };
    let body = match body.split_last() {
        Some((last, body)) if *last == format!("-----END {label}-----") => body,
        _ => return Err(ArmourError::End(label)),
    };
    if body.is_empty() {
        return Err(ArmourError::Line(2));
    }
    let wrong = body.iter().enumerate().find(|(index, line)| {
        let is_last = index + 1 == body.len();
        line.is_empty() || line.len() > LINE_LENGTH || (line.len() < LINE_LENGTH && !is_last)
    });
    if let Some((index, _)) = wrong {
        return Err(ArmourError::Line(index + 2));
    }
    Ok(body.concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LABEL: &str = "CHANCERY LICENSE";

    fn read(text: &str) -> Result<Vec<u8>, ArmourError> {
        decode(text, LABEL, 4_096)
    }

    proptest! {
        #[test]
        fn contents_read_back_also_after_a_journey_by_mail(content in proptest::collection::vec(any::<u8>(), 1..300)) {
            let text = encode(LABEL, &content);
            prop_assert!(text.lines().all(|line| line.len() <= LINE_LENGTH));
            prop_assert_eq!(label(&text), Some(LABEL));
            prop_assert_eq!(read(&text), Ok(content.clone()));
            let mailed = format!("\r\n  {}\r\n\r\n", text.replace('\n', "\r\n"));
            prop_assert_eq!(label(&mailed), Some(LABEL));
            prop_assert_eq!(read(&mailed), Ok(content));
        }

        #[test]
        fn what_is_read_is_written_the_same_way(base64 in "[A-Za-z0-9+/]{0,70}={0,3}") {
            let text = format!("-----BEGIN {LABEL}-----\n{base64}\n-----END {LABEL}-----\n");
            if let Ok(content) = read(&text) {
                prop_assert_eq!(encode(LABEL, &content), text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "(-----BEGIN CHANCERY LICENSE-----)?\\PC{0,90}\n?\\PC{0,90}\n?(-----END CHANCERY LICENSE-----)?") {
            let _ = read(&text);
            let _ = label(&text);
        }
    }

    #[test]
    fn anything_but_the_one_form_is_refused() {
        let body = "B".repeat(64);
        let whole = format!("-----BEGIN {LABEL}-----\n{body}\nAAAA\n-----END {LABEL}-----\n");
        assert_eq!(read(&whole).unwrap().len(), 51);
        for (text, error) in [
            (String::new(), ArmourError::Begin(LABEL)),
            (whole.replace("LICENSE", "KEYS"), ArmourError::Begin(LABEL)),
            (format!("Dear customer,\n{whole}"), ArmourError::Begin(LABEL)),
            (format!("{whole}Regards\n"), ArmourError::End(LABEL)),
            (format!("{whole}{whole}"), ArmourError::Line(3)),
            (whole.replace("END", "END "), ArmourError::End(LABEL)),
            (whole.replace("\nAAAA", "\n\nAAAA"), ArmourError::Line(3)),
            (whole.replace("\nAAAA", "\nAAAA\nAAAA"), ArmourError::Line(3)),
            (whole.replace(&body, &format!("{body}AAAA")), ArmourError::Line(2)),
            (whole.replace("\nAAAA", "\nAAA "), ArmourError::Base64),
            (whole.replace("\nAAAA", "\nAAA"), ArmourError::Base64),
            (whole.replace("\nAAAA", "\nAAA_"), ArmourError::Base64),
            // The same byte in a second spelling: the unused bits are not zero.
            (whole.replace("\nAAAA", "\nAB=="), ArmourError::Base64),
            (format!("-----BEGIN {LABEL}-----\n\n-----END {LABEL}-----"), ArmourError::Line(2)),
            (format!("-----BEGIN {LABEL}-----\n-----END {LABEL}-----"), ArmourError::Line(2)),
            ("A".repeat(4_097), ArmourError::TooLong { length: 4_097, max: 4_096 }),
        ] {
            assert_eq!(read(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn texts_without_armour_have_no_label() {
        for text in ["", "eyJhbGciOiJFZERTQSJ9.e30.AA", "-----BEGIN \n-----", "-----BEGIN X----"] {
            assert_eq!(label(text), None, "{text}");
        }
    }
}
