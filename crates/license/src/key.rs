//! The keys that people read out and type: `CRT-` names a licence, `INST-` an installation.
//!
//! Both are five groups of six Crockford base-32 characters, the last of which is a check digit (Luhn
//! mod 32): a key read out over a telephone is refused when one character was misheard or two
//! neighbours changed places. See `docs/formats/keys.md`.

mod installation;
mod license;

use std::fmt;

pub use installation::InstallationKey;
pub use license::LicenseKey;

/// How many random bytes a key is made of. Five bits of each are used: 145 bits altogether.
pub const RANDOM_BYTES: usize = GROUPS * GROUP_LENGTH - 1;

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS: usize = 5;
const GROUP_LENGTH: usize = 6;

/// What a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// An installation: `INST-`.
    Installation,
    /// A licence: `CRT-`.
    License,
}

impl KeyKind {
    /// What stands before the groups.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Installation => "INST-",
            Self::License => "CRT-",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Installation => "installation key",
            Self::License => "licence key",
        })
    }
}

/// Why a text is not the key that was asked for. It repeats nothing of the text but a character that
/// no key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It does not look like one.
    #[error(
        "every {kind} is {prefix} and five groups of six letters and digits, with hyphens between them",
        kind = .0, prefix = .0.prefix()
    )]
    Shape(KeyKind),
    /// It looks like a key of the other kind.
    #[error("this looks like the other kind of key: every {kind} begins with {prefix}", kind = .0, prefix = .0.prefix())]
    OtherKind(KeyKind),
    /// It has a character that is not used in keys.
    #[error("the character `{shown}` is in no {kind}", kind = .0, shown = .1.escape_debug())]
    Character(KeyKind, char),
    /// The check digit does not fit: a character was mistyped.
    #[error("the check digit of the {0} is wrong: some character was mistyped")]
    CheckDigit(KeyKind),
}

/// The canonical text of the key that these bytes make.
fn from_random(kind: KeyKind, random: &[u8; RANDOM_BYTES]) -> String {
    let payload = random.map(|byte| byte % 32);
    let digits = payload.iter().copied().chain([check_digit(&payload)]);
    let mut text = String::from(kind.prefix());
    for (position, digit) in digits.enumerate() {
        if position > 0 && position % GROUP_LENGTH == 0 {
            text.push('-');
        }
        text.push(character(digit));
    }
    text
}

/// The canonical text of the key that a person typed: in either case, with O for 0 and I or L for 1.
fn from_typed(kind: KeyKind, text: &str) -> Result<String, KeyError> {
    let upper = text.trim().to_ascii_uppercase();
    let Some(groups) = upper.strip_prefix(kind.prefix()) else {
        let other = [KeyKind::Installation, KeyKind::License].into_iter().find(|other| *other != kind);
        let is_other = other.is_some_and(|other| upper.starts_with(other.prefix()));
        return Err(if is_other { KeyError::OtherKind(kind) } else { KeyError::Shape(kind) });
    };
    let groups: Vec<&str> = groups.split('-').collect();
    if groups.len() != GROUPS || groups.iter().any(|group| group.chars().count() != GROUP_LENGTH) {
        return Err(KeyError::Shape(kind));
    }
    let digits = groups
        .iter()
        .flat_map(|group| group.chars())
        .map(|typed| digit(typed).ok_or(KeyError::Character(kind, typed)))
        .collect::<Result<Vec<u8>, _>>()?;
    let (check, payload) = digits.split_last().ok_or(KeyError::Shape(kind))?;
    let payload: &[u8; RANDOM_BYTES] = payload.try_into().map_err(|_| KeyError::Shape(kind))?;
    if check_digit(payload) != *check {
        return Err(KeyError::CheckDigit(kind));
    }
    Ok(from_random(kind, payload))
}

/// The text of a key in a document, where only the canonical form is a key.
fn from_document(kind: KeyKind, text: &str) -> Result<String, KeyError> {
    let canonical = from_typed(kind, text)?;
    if canonical == text { Ok(canonical) } else { Err(KeyError::Shape(kind)) }
}

fn character(digit: u8) -> char {
    ALPHABET.get(usize::from(digit)).map_or('0', |byte| char::from(*byte))
}

fn digit(character: char) -> Option<u8> {
    let canonical = match character {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let position = ALPHABET.iter().position(|byte| char::from(*byte) == canonical)?;
    u8::try_from(position).ok()
}

/// The Luhn check digit in base 32: from the right, every second digit is doubled and its base-32
/// digits are added up; the check digit brings the sum to a multiple of 32.
fn check_digit(payload: &[u8; RANDOM_BYTES]) -> u8 {
    let sum: u32 = payload
        .iter()
        .rev()
        .enumerate()
        .map(|(position, digit)| {
            let weighted = u32::from(*digit) * if position % 2 == 0 { 2 } else { 1 };
            weighted / 32 + weighted % 32
        })
        .sum();
    u8::try_from((32 - sum % 32) % 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [KeyKind; 2] = [KeyKind::Installation, KeyKind::License];

    /// The position in the text of the `place`th character of the groups.
    fn position(kind: KeyKind, place: usize) -> usize {
        kind.prefix().len() + place + place / GROUP_LENGTH
    }

    proptest! {
        #[test]
        fn keys_read_back_also_as_typed_by_a_person(random in any::<[u8; RANDOM_BYTES]>()) {
            for kind in KINDS {
                let key = from_random(kind, &random);
                prop_assert_eq!(key.len(), kind.prefix().len() + 34);
                prop_assert_eq!(from_typed(kind, &key), Ok(key.clone()));
                prop_assert_eq!(from_document(kind, &key), Ok(key.clone()));
                let typed = format!("  {}\n", key.to_lowercase().replace('0', "o").replace('1', "l"));
                prop_assert_eq!(from_typed(kind, &typed), Ok(key));
                prop_assert_eq!(from_document(kind, &typed), Err(KeyError::Shape(kind)));
            }
        }

        #[test]
        fn one_wrong_character_is_noticed(
            random in any::<[u8; RANDOM_BYTES]>(), place in 0..30_usize, shift in 1..32_u8,
        ) {
            for kind in KINDS {
                let mut characters: Vec<char> = from_random(kind, &random).chars().collect();
                let place = position(kind, place);
                characters[place] = character((digit(characters[place]).unwrap() + shift) % 32);
                let altered: String = characters.into_iter().collect();
                prop_assert_eq!(from_typed(kind, &altered), Err(KeyError::CheckDigit(kind)));
            }
        }

        /// Luhn's one blind spot: the digits 0 and 31 as neighbours, whose weights add up alike.
        #[test]
        fn two_swapped_neighbours_are_noticed(random in any::<[u8; RANDOM_BYTES]>(), place in 0..29_usize) {
            for kind in KINDS {
                let mut characters: Vec<char> = from_random(kind, &random).chars().collect();
                let (left, right) = (position(kind, place), position(kind, place + 1));
                let pair = [digit(characters[left]).unwrap(), digit(characters[right]).unwrap()];
                prop_assume!(pair[0] != pair[1] && pair != [0, 31] && pair != [31, 0]);
                characters.swap(left, right);
                let altered: String = characters.into_iter().collect();
                prop_assert_eq!(from_typed(kind, &altered), Err(KeyError::CheckDigit(kind)));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "(INST-|CRT-)?\\PC{0,60}") {
            for kind in KINDS {
                let _ = from_typed(kind, &text);
            }
        }
    }

    #[test]
    fn what_does_not_look_like_a_key_is_refused() {
        for kind in KINDS {
            let prefix = kind.prefix();
            for groups in
                ["", "000000-000000-000000-000000", "00000-000000-000000-000000-000000", "000000 000000"]
            {
                assert_eq!(from_typed(kind, &format!("{prefix}{groups}")), Err(KeyError::Shape(kind)));
            }
            let text = format!("{prefix}00000U-000000-000000-000000-000000");
            assert_eq!(from_typed(kind, &text), Err(KeyError::Character(kind, 'U')));
        }
        let control =
            from_typed(KeyKind::License, "CRT-00000\u{1b}-000000-000000-000000-000000").unwrap_err();
        assert_eq!(control.to_string(), "the character `\\u{1b}` is in no licence key");
        assert_eq!(from_typed(KeyKind::License, ""), Err(KeyError::Shape(KeyKind::License)));
        assert_eq!(
            from_typed(KeyKind::License, "inst-000000-000000-000000-000000-000000"),
            Err(KeyError::OtherKind(KeyKind::License))
        );
    }
}
