//! The key that names an installation: `INST-` and five groups of six Crockford base-32 characters.
//!
//! The last character is a check digit (Luhn mod 32), so a key read out over a telephone is refused
//! when one character was misheard or two neighbours changed places.

use std::fmt;
use std::str::FromStr;

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PREFIX: &str = "INST-";
const GROUPS: usize = 5;
const GROUP_LENGTH: usize = 6;
/// The characters before the check digit.
const PAYLOAD_LENGTH: usize = GROUPS * GROUP_LENGTH - 1;

/// An installation key whose check digit is right.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InstallationKey(String);

/// Why a text is no installation key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It does not look like one.
    #[error(
        "an installation key is INST- and five groups of six letters and digits, with hyphens between them"
    )]
    Shape,
    /// It has a character that is not used in keys.
    #[error("the character `{0}` is not used in installation keys")]
    Character(char),
    /// The check digit does not fit: a character was mistyped.
    #[error("the check digit is wrong: some character of the installation key was mistyped")]
    CheckDigit,
}

impl InstallationKey {
    /// A key made of 29 random bytes, of which five bits each are used.
    pub fn from_random(random: &[u8; PAYLOAD_LENGTH]) -> Self {
        let payload: Vec<u8> = random.iter().map(|byte| byte % 32).collect();
        let digits = payload.iter().copied().chain([check_digit(&payload)]);
        let mut text = String::from(PREFIX);
        for (position, digit) in digits.enumerate() {
            if position > 0 && position % GROUP_LENGTH == 0 {
                text.push('-');
            }
            text.push(character(digit));
        }
        Self(text)
    }

    /// The key in its canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstallationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for InstallationKey {
    type Err = KeyError;

    /// Reads a key as a person types it: in either case, with O for 0 and I or L for 1.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let upper = text.trim().to_ascii_uppercase();
        let groups: Vec<&str> = upper.strip_prefix(PREFIX).ok_or(KeyError::Shape)?.split('-').collect();
        if groups.len() != GROUPS || groups.iter().any(|group| group.chars().count() != GROUP_LENGTH) {
            return Err(KeyError::Shape);
        }
        let digits =
            groups.iter().flat_map(|group| group.chars()).map(digit).collect::<Result<Vec<_>, _>>()?;
        match digits.split_last() {
            Some((check, payload)) if check_digit(payload) == *check => {
                let mut random = [0; PAYLOAD_LENGTH];
                random.copy_from_slice(payload);
                Ok(Self::from_random(&random))
            }
            _ => Err(KeyError::CheckDigit),
        }
    }
}

fn character(digit: u8) -> char {
    ALPHABET.get(usize::from(digit)).map_or('0', |byte| char::from(*byte))
}

fn digit(character: char) -> Result<u8, KeyError> {
    let canonical = match character {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET
        .iter()
        .position(|byte| char::from(*byte) == canonical)
        .and_then(|position| u8::try_from(position).ok())
        .ok_or(KeyError::Character(character))
}

/// The Luhn check digit in base 32: from the right, every second digit is doubled and its base-32
/// digits are added up; the check digit brings the sum to a multiple of 32.
fn check_digit(payload: &[u8]) -> u8 {
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

    proptest! {
        #[test]
        fn keys_read_back_also_as_typed_by_a_person(random in any::<[u8; PAYLOAD_LENGTH]>()) {
            let key = InstallationKey::from_random(&random);
            prop_assert_eq!(key.as_str().len(), 39);
            prop_assert_eq!(key.as_str().parse(), Ok(key.clone()));
            let typed = format!("  {}\n", key.as_str().to_lowercase().replace('0', "o").replace('1', "l"));
            prop_assert_eq!(typed.parse(), Ok(key));
        }

        #[test]
        fn one_wrong_character_is_noticed(random in any::<[u8; PAYLOAD_LENGTH]>(), place in 0..30_usize, shift in 1..32_u8) {
            let key = InstallationKey::from_random(&random);
            let mut characters: Vec<char> = key.as_str().chars().collect();
            let place = PREFIX.len() + place + place / GROUP_LENGTH;
            characters[place] = character((digit(characters[place]).unwrap() + shift) % 32);
            let altered: String = characters.into_iter().collect();
            prop_assert_eq!(altered.parse::<InstallationKey>(), Err(KeyError::CheckDigit));
        }

        #[test]
        fn no_text_makes_it_panic(text in "(INST-)?\\PC{0,60}") {
            let _ = text.parse::<InstallationKey>();
        }
    }

    #[test]
    fn what_does_not_look_like_a_key_is_refused() {
        for text in
            ["", "INST-", "CRT-000000-000000-000000-000000-000000", "INST-000000-000000-000000-000000"]
        {
            assert_eq!(text.parse::<InstallationKey>(), Err(KeyError::Shape), "{text}");
        }
        let text = "INST-00000U-000000-000000-000000-000000";
        assert_eq!(text.parse::<InstallationKey>(), Err(KeyError::Character('U')));
    }
}
