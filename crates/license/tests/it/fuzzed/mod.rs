//! What each fuzz target does with its bytes: one function a target, which panics where the crate breaks its
//! word. `fuzz/` runs them under libFuzzer; here they run over the committed corpus and in properties.
//!
//! They say more than that nothing panics. What is accepted was signed by whom the text says, reads back the
//! same when it is written again, and keeps within the bounds of `docs/formats`; an accepted text with one bit
//! flipped opens as nothing else; and what is refused is refused with a short, printable reason.

mod armour;
mod document;
mod exchange;
mod json;
mod jwt;
mod key;
mod machine_file;
mod payload;
pub mod seeds;
mod signer;

use std::fmt::Display;

pub use armour::armour;
pub use document::document;
pub use exchange::{request, response};
pub use jwt::{claims, jwt};
pub use key::key;
pub use machine_file::{machine_file, machine_payload};
pub use payload::{license, manifest, revocations};
pub use signer::{DEV, KEYRING, PRODUCT, TRUSTED};

/// A target: its name, which is that of its corpus too, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("armour", armour),
    ("claims", claims),
    ("document", document),
    ("jwt", jwt),
    ("key", key),
    ("license", license),
    ("machine_file", machine_file),
    ("machine_payload", machine_payload),
    ("manifest", manifest),
    ("request", request),
    ("response", response),
    ("revocations", revocations),
];

/// The longest reason that anything is refused with, in characters: eight key ids of 128 and some words.
const MAX_REASON: usize = 1_200;

/// Errors end on terminals and in logs: they are short, and nothing in them is obeyed there.
fn hold_reason(error: &impl Display) {
    let reason = error.to_string();
    assert!(!reason.is_empty(), "an error without a reason");
    assert!(reason.chars().count() <= MAX_REASON, "a reason of {} characters", reason.chars().count());
    assert!(!reason.chars().any(char::is_control), "a reason with a control character: {reason:?}");
}

/// The text with one bit flipped, and still ASCII where it was. Which bit, the text itself decides, so that
/// a finding can be run again.
fn flipped(text: &str) -> String {
    let mut hash: usize = 0xcbf2_9ce4;
    for byte in text.bytes() {
        hash = (hash ^ usize::from(byte)).wrapping_mul(0x0100_0193);
    }
    let mut bytes = text.as_bytes().to_vec();
    let place = (hash >> 8) % bytes.len();
    bytes[place] ^= 1 << (hash % 7);
    String::from_utf8(bytes).expect("a flipped low bit leaves ASCII")
}
