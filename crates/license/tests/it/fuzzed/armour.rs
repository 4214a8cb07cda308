//! The armour, held against a second reader that was written from `docs/formats/envelope.md` alone.

use base64ct::{Base64, Encoding};
use chancery_license::exchange::{Response, open_request};
use chancery_license::{
    ArmourError, DocumentError, KeyManifest, KeyRejected, Kind, License, PublicKey, RevocationList,
    armour as tested, open,
};

use super::hold_reason;
use super::signer::{KEYRING, PRODUCT};

const PUBLIC_KEY: &str = "PUBLIC KEY";
/// The longest key in PEM that is read, in bytes.
const MAX_PEM: usize = 16 * 1_024;

/// Bytes that are a text are read in the armour of every kind of document and of a public key; all bytes are
/// read as the content of a public key's armour.
pub fn armour(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        hold_label(text);
        for kind in Kind::ALL {
            hold_document(kind, text);
        }
        hold_public_key(text, read(PUBLIC_KEY, text));
    }
    if !data.is_empty() {
        hold_public_key(&write(PUBLIC_KEY, data), Some(data.to_vec()));
    }
}

fn hold_label(text: &str) {
    let Some(label) = tested::label(text) else { return };
    assert!(!label.contains('\n'), "a label of two lines: {label:?}");
    assert!(text.trim_ascii_start().starts_with(&format!("-----BEGIN {label}-----")), "{label:?}");
}

/// A document's armour is refused exactly where the second reader refuses it.
fn hold_document(kind: Kind, text: &str) {
    let refusal = match kind {
        Kind::License => open::<License>(text, &KEYRING).err(),
        Kind::Revocations => open::<RevocationList>(text, &KEYRING).err(),
        Kind::Request => open_request(text, PRODUCT).err(),
        Kind::Response => open::<Response>(text, &KEYRING).err(),
        _ => open::<KeyManifest>(text, &KEYRING).err(),
    };
    let is_other = Kind::of(text).is_some_and(|found| found != kind);
    assert_eq!(
        matches!(refusal, Some(DocumentError::WrongType { .. })) && read(kind.label(), text).is_none(),
        is_other
    );
    if is_other {
        return;
    }
    let refused = match &refusal {
        Some(DocumentError::Armour(error)) => Some(error),
        _ => None,
    };
    hold_armour(refused, text, kind.max_length(), read(kind.label(), text).is_some());
}

/// A public key reads back from what it is written as, and is written as the text that it was read from.
fn hold_public_key(text: &str, content: Option<Vec<u8>>) {
    let found = PublicKey::from_pem(text);
    let refused = match &found {
        Err(KeyRejected::Armour(error)) => Some(error),
        _ => None,
    };
    hold_armour(refused, text, MAX_PEM, content.is_some());
    let key = match found {
        Ok(key) => key,
        Err(error) => return hold_reason(&error),
    };
    assert_eq!(content.as_deref(), Some(key.spki()), "one key has one encoding");
    assert_eq!(key.to_pem(), write(PUBLIC_KEY, key.spki()));
    assert_eq!(PublicKey::from_pem(&key.to_pem()).as_ref(), Ok(&key));
    assert_eq!(PublicKey::from_spki(key.spki()).as_ref(), Ok(&key));
    assert_eq!(key.id().to_string().parse(), Ok(key.id()));
}

fn hold_armour(refused: Option<&ArmourError>, text: &str, max: usize, is_armour: bool) {
    let is_too_long = text.len() > max;
    assert_eq!(matches!(refused, Some(ArmourError::TooLong { .. })), is_too_long, "{refused:?}");
    assert_eq!(refused.is_none(), is_armour && !is_too_long, "{refused:?}: {text}");
    if let Some(error) = refused {
        hold_reason(error);
    }
}

/// The content of an armoured text.
pub(super) fn read(label: &str, text: &str) -> Option<Vec<u8>> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim_matches(|character: char| character.is_ascii_whitespace());
    let lines = text.strip_prefix(&format!("-----BEGIN {label}-----\n"))?;
    let lines = lines.strip_suffix(&format!("\n-----END {label}-----"))?;
    // The last line has 1 to 64 characters: there is no armour round nothing.
    let content = Base64::decode_vec(&lines.replace('\n', "")).ok().filter(|content| !content.is_empty())?;
    // One content has one armour.
    (format!("{text}\n") == write(label, &content)).then_some(content)
}

/// The armour of a content.
pub(super) fn write(label: &str, content: &[u8]) -> String {
    let base64 = Base64::encode_string(content);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
