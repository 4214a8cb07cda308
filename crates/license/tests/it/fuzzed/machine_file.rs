//! Machine files: whole, and their plaintext under a good envelope.

use std::sync::LazyLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_license::machine_file::block::Block;
use chancery_license::machine_file::{
    Contents, Expected, IssueError, MachineFile, MachineFileError, Standing, is_one, issue, open,
};
use chancery_license::{PublicKey, SigningKey};
use serde_json::{Map, Value, json as value};

use super::{armour, flipped, hold_reason, json};

pub(super) const LABEL: &str = "MACHINE FILE";
/// What the vectors are sealed for.
const LICENSE_KEY: &str = "CRT-000000-000000-000000-000000-000000";
const FINGERPRINT: &str = "machine-0001";
const PRODUCT: &str = "chancery";
const NONCE: [u8; 12] = [7; 12];
/// The levels of metadata, in the attributes of the included licence.
const DEPTH: usize = 24;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_ed25519_seed(&[1; 32]).expect("a key"));
static KEYS: LazyLock<[(String, PublicKey); 1]> =
    LazyLock::new(|| [(KEY.public().id().to_string(), KEY.public().clone())]);

/// Bytes that begin with an armour are opened as they are; all others are taken for an envelope.
pub fn machine_file(data: &[u8]) {
    match std::str::from_utf8(data) {
        Ok(text) if is_one(text) => drop(hold(text)),
        _ => drop(hold(&armour::write(LABEL, data))),
    }
}

/// The bytes are encrypted and signed as a plaintext.
pub fn machine_payload(data: &[u8]) {
    let text = sealed(data);
    let file = match hold(&text) {
        Ok(file) => file,
        Err(refusal) => {
            let of_what_is_around_it = [
                "too_large",
                "armour",
                "envelope",
                "algorithm",
                "unknown_key",
                "bad_signature",
                "sealed",
                "decryption_failed",
            ];
            let is_long = data.len() > 512 * 1_024;
            return assert!(is_long || !of_what_is_around_it.contains(&refusal.class()), "{refusal:?}");
        }
    };
    let mut said = json::hold_bounds(data, DEPTH);
    // What is absent is written out, and what an SDK notes of itself is not kept.
    said["meta"].as_object_mut().expect("an object").remove("sdk_version");
    said.as_object_mut().expect("an object").entry("included").or_insert(value!([]));
    match issue(file.contents(), LICENSE_KEY, &KEY, NONCE) {
        Ok(issued) => {
            let again = open(&issued.certificate, &expected()).expect("what is issued opens");
            assert_eq!((again.contents(), again.standing()), (file.contents(), file.standing()));
            let written = plaintext(&issued.certificate).expect("a plaintext");
            let written: Value = serde_json::from_slice(&written).expect("JSON");
            assert_eq!(written, said, "something was passed over, or read as what it is not");
        }
        Err(IssueError::TooLong | IssueError::OutlivesLicense) => {}
        Err(error) => panic!("{error}"),
    }
}

fn expected() -> Expected<'static> {
    Expected {
        license_key: LICENSE_KEY,
        fingerprint: FINGERPRINT,
        product_slug: PRODUCT,
        keys: KEYS.as_slice(),
        now: "2026-06-14T13:23:00Z".parse().expect("an instant"),
        watermark: None,
    }
}

/// Opens a text, and holds what comes of it to the crate's word.
fn hold(text: &str) -> Result<MachineFile, MachineFileError> {
    let file = open(text, &expected()).inspect_err(hold_reason)?;
    let contents = file.contents();
    assert!(text.len() <= 1_024 * 1_024);
    assert_eq!((file.signer(), contents.kid.as_str()), (KEY.public().id(), KEYS[0].0.as_str()));
    assert_eq!(
        (contents.machine.fingerprint.as_str(), contents.product_slug.as_str()),
        (FINGERPRINT, PRODUCT)
    );
    let now = expected().now;
    assert!(contents.issued <= contents.not_before && contents.not_before < contents.expires);
    assert!(now < contents.expires + contents.grace);
    assert!(contents.license_expires.is_none_or(|end| now < end));
    assert_eq!(file.standing() == Standing::Valid, now < contents.expires);
    hold_block(contents);
    let flipped = flipped(text);
    // A flipped bit outside of the armour may leave white space.
    if let Ok(again) = open(&flipped, &expected()) {
        assert_eq!(flipped.trim(), text.trim());
        assert_eq!(again, file);
    }
    Ok(file)
}

/// What licenses an installation is written as it was read, and never lengthens the file.
fn hold_block(contents: &Contents) {
    let Ok(block) = Block::of(contents) else { return };
    let mut again = contents.clone();
    let license = again.license.as_mut().expect("a block stands in the licence");
    license.metadata = block.beside(Map::new()).expect("what is read can be written");
    assert_eq!(Block::of(&again).as_ref(), Ok(&block));
    let terms = block.terms(contents);
    assert!(terms.grace_ends() <= contents.expires + contents.grace);
    assert!(contents.license_expires.is_none_or(|end| terms.grace_ends() <= end));
}

fn aes() -> LessSafeKey {
    let key = digest(&SHA256, format!("{LICENSE_KEY}{FINGERPRINT}").as_bytes());
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).expect("a key"))
}

fn sealed(plaintext: &[u8]) -> String {
    let mut text = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key(NONCE);
    let tag = aes().seal_in_place_separate_tag(nonce, Aad::empty(), &mut text).expect("a tag");
    let enc = [text.as_slice(), &NONCE, tag.as_ref()].map(Base64UrlUnpadded::encode_string).join(".");
    let signature = KEY.sign(format!("machine/{enc}").as_bytes()).expect("a signature");
    let (sig, kid) = (Base64UrlUnpadded::encode_string(&signature), &KEYS[0].0);
    let envelope = format!(r#"{{"enc":"{enc}","sig":"{sig}","alg":"aes-256-gcm+ed25519","kid":"{kid}"}}"#);
    armour::write(LABEL, envelope.as_bytes())
}

/// The plaintext of a file, where it was sealed for the machine of the vectors.
pub(super) fn plaintext(file: &str) -> Option<Vec<u8>> {
    let envelope: Value = serde_json::from_slice(&armour::read(LABEL, file)?).ok()?;
    let parts = envelope["enc"].as_str()?.split('.');
    let parts: Vec<Vec<u8>> =
        parts.map(|part| Base64UrlUnpadded::decode_vec(part).ok()).collect::<Option<_>>()?;
    let [text, nonce, tag] = parts.try_into().ok()?;
    let nonce = Nonce::try_assume_unique_for_key(&nonce).ok()?;
    let mut sealed = [text, tag].concat();
    aes().open_in_place(nonce, Aad::empty(), &mut sealed).ok().map(|plaintext| plaintext.to_vec())
}
