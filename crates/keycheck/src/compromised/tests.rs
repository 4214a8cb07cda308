//! The list of keys against the keys themselves.

use base64ct::{Base64, Encoding};

use super::*;

/// The keys that the list of digests was made from, in PEM with a line before each that names its RFC.
const KEYS: &str = include_str!("published.pem");

fn keys() -> Vec<Vec<u8>> {
    let blocks = KEYS.split("-----BEGIN PUBLIC KEY-----").skip(1);
    let bodies = blocks.map(|block| block.split_once("-----END").unwrap().0.replace('\n', ""));
    bodies.map(|body| Base64::decode_vec(&body).unwrap()).collect()
}

#[test]
fn every_published_key_is_known_and_nothing_else_is_listed() {
    let known = CompromisedKeys::published();
    let keys = keys();
    assert_eq!(known.count(), keys.len());
    assert_eq!(known.count(), PUBLISHED.lines().filter(|line| line.contains("# RFC ")).count());
    for key in keys {
        assert!(known.contains(&key));
        assert!(!known.contains(&key[1..]));
    }
}

#[test]
fn a_list_is_added_to_the_published_keys() {
    let hex: String =
        digest::digest(&digest::SHA256, b"a key").as_ref().iter().map(|o| format!("{o:02x}")).collect();
    let list = format!("# Lost in 2025\n\n  {} # the old balancer\n{hex}\r\n", hex.to_uppercase());
    let known = CompromisedKeys::with_list(&list).unwrap();
    assert!(known.contains(b"a key"));
    assert!(!known.contains(b"another key"));
    assert_eq!(known.count(), CompromisedKeys::published().count() + 1);
    assert_eq!(CompromisedKeys::with_list("# nothing").unwrap(), CompromisedKeys::published());
}

#[test]
fn lines_that_are_no_digests_are_named() {
    let hex = "0".repeat(64);
    for wrong in [&hex[1..], &format!("{hex}0"), &hex.replacen('0', "g", 1), "é", &format!("{hex} {hex}")] {
        let refused = CompromisedKeys::with_list(&format!("{hex}\n{wrong}\n")).unwrap_err();
        assert_eq!(refused, NotADigest { line: 2, found: wrong.chars().take(64).collect() });
    }
}
