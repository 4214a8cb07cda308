//! The keys that people type, held against a second reader written from `docs/formats/keys.md` alone.

use chancery_license::key::{InstallationKey, KeyError, LicenseKey};

use super::hold_reason;

const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The bytes are typed as a licence key and as an installation key, and stand in a document as either.
pub fn key(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let license = text.parse::<LicenseKey>().map(|key| key.reveal().to_owned());
    hold("CRT-", text, license);
    let installation = text.parse::<InstallationKey>().map(|key| key.as_str().to_owned());
    hold("INST-", text, installation);

    let json = serde_json::Value::from(text);
    let in_document = serde_json::from_value::<LicenseKey>(json.clone()).map(|key| key.reveal().to_owned());
    hold_canonical("CRT-", text, in_document.map_err(|error| hold_reason(&error)).ok());
    let in_document = serde_json::from_value::<InstallationKey>(json).map(|key| key.as_str().to_owned());
    hold_canonical("INST-", text, in_document.map_err(|error| hold_reason(&error)).ok());
}

fn hold(prefix: &str, text: &str, found: Result<String, KeyError>) {
    assert_eq!(found.as_ref().ok(), read(prefix, text).as_ref(), "{text:?}");
    match found {
        Ok(canonical) => assert_eq!(read(prefix, &canonical), Some(canonical)),
        Err(error) => {
            hold_reason(&error);
            // A licence key is a secret, so no more of it than one character is repeated.
            assert!(error.to_string().chars().count() < 120, "{error}");
        }
    }
}

fn hold_canonical(prefix: &str, text: &str, found: Option<String>) {
    let canonical = read(prefix, text).filter(|canonical| canonical == text);
    assert_eq!(found, canonical, "{text:?}");
}

/// The canonical form of a key, where the text is one.
fn read(prefix: &str, text: &str) -> Option<String> {
    let typed = text.trim().to_ascii_uppercase();
    let groups = typed.strip_prefix(prefix)?.replace('O', "0").replace(['I', 'L'], "1");
    let digits: Vec<usize> = groups
        .chars()
        .filter(|character| *character != '-')
        .map(|character| ALPHABET.find(character))
        .collect::<Option<_>>()?;
    let has_shape = groups.len() == 34
        && groups.char_indices().all(|(place, character)| (character == '-') == (place % 7 == 6));
    if !has_shape {
        return None;
    }
    let weigh = |(place, digit): (usize, &usize)| {
        let value = digit * if place % 2 == 1 { 2 } else { 1 };
        value / 32 + value % 32
    };
    let sum: usize = digits.iter().rev().enumerate().map(weigh).sum();
    sum.is_multiple_of(32).then(|| format!("{prefix}{groups}"))
}
