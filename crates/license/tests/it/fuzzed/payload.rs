//! The payloads of documents: what is read once a signature was found right.

use chancery_license::{DocumentError, KeyManifest, Kind, License, Limit, RevocationList, SigningKey, open};
use serde_json::{Value, json};

use super::document::{Bounded, hold, hold_refusal_of_payload};
use super::json as reference;
use super::signer::{self, DEV, KEYRING};

/// The document, its body, a list in it, an entry, and a list in that.
pub(super) const DEPTH: usize = 5;
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The bytes are signed as a licence.
pub fn license(data: &[u8]) {
    signed::<License>(data);
}

/// The bytes are signed as a revocation list.
pub fn revocations(data: &[u8]) {
    signed::<RevocationList>(data);
}

/// The bytes are signed as a key manifest, which is admitted too: by the anchor, and by the root that it hands
/// over to where that one's seed is thirty-two sevens.
pub fn manifest(data: &[u8]) {
    let Some(manifest) = signed::<KeyManifest>(data) else { return };
    let next = SigningKey::from_ed25519_seed(&[7; 32]).expect("a key");
    let by_both = signer::document(Kind::Keys, data, &[&DEV, &next]);
    let admitted = match KEYRING.admit(&by_both) {
        Ok(admitted) => admitted,
        Err(error) => {
            let is_expected =
                matches!(error, DocumentError::KeyTwice(_) | DocumentError::NextRootDidNotSign(_));
            return assert!(is_expected, "{error:?}");
        }
    };
    assert!(manifest.next_root.is_none_or(|root| root == *next.public()));
    assert_eq!(admitted.sequence(), manifest.sequence);
    let of_jwt =
        manifest.keys.iter().filter(|key| key.uses.contains(&chancery_license::manifest::Use::LicenseJwt));
    let roots = KEYRING.jwt_keys().len();
    assert!((roots..=roots + 1).contains(&(admitted.jwt_keys().len() - of_jwt.count())));
    // It is not newer than itself; where it handed over, its first signer may sign no more manifests either.
    let again = admitted.admit(&by_both).expect_err("no manifest is admitted twice");
    assert!(matches!(again, DocumentError::StaleSequence { .. }), "{again:?}");
}

pub(super) fn signed<T: Bounded>(payload: &[u8]) -> Option<T> {
    let text = signer::document(T::KIND, payload, &[&DEV]);
    if text.len() <= T::KIND.max_length()
        && let Err(refusal) = open::<T>(&text, &KEYRING)
    {
        hold_refusal_of_payload(&refusal);
        return None;
    }
    let document = hold::<T>(&text)?;
    reference::hold_one_reading(payload, DEPTH);
    let found = serde_json::from_slice(payload).expect("JSON");
    let written = serde_json::to_value(&document).expect("JSON");
    assert_eq!(
        with_all_said(found),
        with_all_said(written),
        "something was passed over, or read as what it is not"
    );
    Some(document.body)
}

/// A payload with nothing left to defaults, and its sets in one order.
fn with_all_said(mut payload: Value) -> Value {
    let body = &mut payload["body"];
    if body.get("plan").is_some() {
        for (name, default) in [
            ("grace_days", json!(7)),
            ("after_grace", json!("renewals_only")),
            ("clock_tolerance_hours", json!(24)),
        ] {
            body.as_object_mut().expect("an object").entry(name).or_insert(default);
        }
        for name in ["allowed_databases", "features"] {
            reference::sort(&mut body["entitlements"][name]);
        }
    }
    payload
}

pub(super) fn hold_number(number: u64) {
    assert!((1..=MAX_NUMBER).contains(&number), "{number}");
}

pub(super) fn hold_line(line: &str, max_characters: usize) {
    assert!((1..=max_characters).contains(&line.chars().count()), "{line:?}");
    assert!(!line.chars().any(char::is_control) && line.trim() == line, "{line:?}");
}

impl Bounded for License {
    fn hold_bounds(&self) {
        assert!((1..=64).contains(&self.id.len()) && self.id.is_ascii(), "{:?}", self.id);
        hold_number(self.serial);
        hold_line(&self.holder.organisation, 200);
        hold_line(&self.holder.email, 254);
        assert!(self.holder.email.contains('@'));
        assert_eq!(self.license_key.reveal().parse().as_ref(), Ok(&self.license_key));
        assert!(self.installation_key.as_ref().is_none_or(|key| key.as_str().parse().as_ref() == Ok(key)));
        assert!(self.not_before < self.expires);
        assert!(self.grace_days <= 366 && self.clock_tolerance_hours <= 720);
        let allowed = &self.entitlements;
        for limit in [
            allowed.max_authorities,
            allowed.max_managed_servers,
            allowed.max_certificates,
            allowed.max_users,
            allowed.max_profiles,
        ] {
            if let Limit::AtMost(number) = limit {
                hold_number(number);
            }
        }
    }
}

impl Bounded for RevocationList {
    fn hold_bounds(&self) {
        hold_number(self.sequence);
        assert!(self.licenses.iter().all(|entry| (1..=256).contains(&entry.what.len())));
        assert!(self.licenses.iter().all(|entry| !entry.what.chars().any(char::is_control)));
        assert!(self.licenses.windows(2).all(|pair| pair[0].what < pair[1].what));
        self.serials.iter().for_each(|entry| hold_number(entry.what));
        assert!(self.serials.windows(2).all(|pair| pair[0].what < pair[1].what));
        // Every entry is found, and 0, the serial of every licence JWT, is none.
        for entry in &self.licenses {
            assert_eq!(self.find(&entry.what, 0), Some((entry.at, entry.reason)));
        }
        for entry in &self.serials {
            assert_eq!(self.find("", entry.what), Some((entry.at, entry.reason)));
        }
        assert_eq!(self.find("", 0), None);
    }
}

impl Bounded for KeyManifest {
    fn hold_bounds(&self) {
        hold_number(self.sequence);
        assert!(self.keys.len() <= 32);
        for issuing in &self.keys {
            assert!(issuing.not_before <= issuing.not_after);
            assert!(!issuing.uses.is_empty() && issuing.uses.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
