//! Writes machine files from their specification alone, the wrong ones too, with nothing of the crate but its
//! signing keys.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use chancery_license::SigningKey;
use serde_json::{Value, json};

use crate::vector::Vector;

pub(super) const FORMAT: &str = "machine-file";
/// The vectors that others made, which nothing here makes again.
pub(super) const FOREIGN: &str = "machine-file-foreign";

const LICENSE_KEY: &str = "CRT-000000-000000-000000-000000-000000";
const FINGERPRINT: &str = "machine-0001";

/// What a file is sealed with.
pub(super) struct Writer {
    pub(super) key: SigningKey,
    pub(super) kid: String,
}

impl Default for Writer {
    fn default() -> Self {
        let key = SigningKey::from_ed25519_seed(&[1; 32]).unwrap();
        Self { kid: key.public().id().to_string(), key }
    }
}

impl Writer {
    pub(super) fn file(&self, plaintext: &Value) -> String {
        self.file_of(plaintext.to_string().as_bytes())
    }

    pub(super) fn file_of(&self, plaintext: &[u8]) -> String {
        let enc = self.enc(plaintext);
        let (sig, kid) = (self.sig(&enc), &self.kid);
        armour(&format!(r#"{{"enc":"{enc}","sig":"{sig}","alg":"aes-256-gcm+ed25519","kid":"{kid}"}}"#))
    }

    pub(super) fn enc(&self, plaintext: &[u8]) -> String {
        let nonce = [7; 12];
        let mut text = plaintext.to_vec();
        let tag = aes(LICENSE_KEY, FINGERPRINT)
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text)
            .unwrap();
        [text.as_slice(), &nonce, tag.as_ref()].map(Base64UrlUnpadded::encode_string).join(".")
    }

    pub(super) fn sig(&self, enc: &str) -> String {
        self.signed(format!("machine/{enc}").as_bytes())
    }

    pub(super) fn signed(&self, bytes: &[u8]) -> String {
        Base64UrlUnpadded::encode_string(&self.key.sign(bytes).unwrap())
    }
}

fn aes(license_key: &str, fingerprint: &str) -> LessSafeKey {
    let key = digest(&SHA256, format!("{license_key}{fingerprint}").as_bytes());
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).unwrap())
}

/// The plaintext of a file, whatever it is.
pub(super) fn decrypted(file: &str, license_key: &str, fingerprint: &str) -> Vec<u8> {
    let lines: Vec<&str> = file.lines().collect();
    let envelope = Base64::decode_vec(&lines[1..lines.len() - 1].concat()).unwrap();
    let envelope: Value = serde_json::from_slice(&envelope).unwrap();
    let parts = envelope["enc"].as_str().unwrap().split('.');
    let [text, nonce, tag]: [Vec<u8>; 3] = parts
        .map(|part| Base64UrlUnpadded::decode_vec(part).unwrap())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let mut sealed = [text, tag].concat();
    let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
    let opened = aes(license_key, fingerprint).open_in_place(nonce, Aad::empty(), &mut sealed).unwrap();
    opened.to_vec()
}

/// Armour round a text, in lines of 64 characters and without a line break at the end.
pub(super) fn armour(envelope: &str) -> String {
    armour_of_lines(envelope, 64)
}

pub(super) fn armour_of_lines(envelope: &str, length: usize) -> String {
    let base64 = Base64::encode_string(envelope.as_bytes());
    let lines: Vec<&str> =
        base64.as_bytes().chunks(length).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN MACHINE FILE-----\n{}\n-----END MACHINE FILE-----", lines.join("\n"))
}

/// What a vector's file says where nothing else is wanted: June 2026, and seven days of grace.
pub(super) fn plaintext() -> Value {
    json!({
        "meta": {
            "schema_version": 2,
            "issued": "2026-06-01T00:00:00Z", "iat": 1_780_272_000, "expiry": "2026-07-01T00:00:00Z",
            "exp": 1_782_864_000, "nbf": 1_780_272_000, "ttl": 2_592_000, "grace_period": 604_800,
            "lic": LICENSE_KEY, "license_exp": 1_798_761_600, "kid": Writer::default().kid,
        },
        "data": {
            "type": "machines", "id": "act-0001",
            "attributes": {
                "fingerprint": FINGERPRINT, "fingerprint_components": {"platform": "linux"},
                "name": "Rack 4", "platform": null, "created": "2026-05-01T00:00:00Z",
                "metadata": {"site": "north", "racks": [4, 0.5]},
            },
            "relationships": {
                "license": {"data": {"type": "licenses", "id": LICENSE_KEY}},
                "product": {"data": {"type": "products", "id": "chancery"}},
            },
        },
        "included": [{
            "type": "licenses", "id": LICENSE_KEY,
            "attributes": {
                "key": LICENSE_KEY, "status": "active", "mode": "hardware_locked", "seat_limit": 5,
                "plan_key": "pro", "product_slug": "chancery", "starts_at": "2026-01-01T00:00:00Z",
                "ends_at": "2027-01-01T00:00:00Z",
                "entitlements": [{"key": "acme", "expires_at": null}], "metadata": {},
            },
        }],
    })
}

/// A vector with the header lines that all have, of which `changes` replaces some.
pub(super) fn vector(name: &str, expect: &str, changes: &[(&str, &str)], artefact: &str) -> Vector {
    let Writer { key, kid } = Writer::default();
    let public_key = Base64::encode_string(&key.public().to_ed25519().unwrap());
    let mut header = vec![
        ("format", FORMAT),
        ("expect", expect),
        ("license_key", LICENSE_KEY),
        ("fingerprint", FINGERPRINT),
        ("product", "chancery"),
        ("key_id", &kid),
        ("public_key", &public_key),
        ("now", "2026-06-14T13:23:00Z"),
    ];
    // What comes later under a name counts.
    header.extend(changes);
    Vector::new(&format!("machine-file-{name}"), &header, artefact)
}

pub(super) fn bytes_of_hex(digits: &str) -> Vec<u8> {
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap();
    digits.as_bytes().chunks(2).map(|pair| digit(&pair[0]) * 16 + digit(&pair[1])).collect()
}
