//! Secrets at rest: encrypted in the database under a master key that lies beside it, in a file.
//!
//! A copy of the database alone therefore tells no licence key and signs nothing. Each secret is bound to the row
//! that it belongs to, so that rows cannot be exchanged for one another.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use base64ct::{Base64, Encoding as _};
use chancery_files::{self as files, Access, read_text};
use chancery_license::LicenseKey;
use zeroize::Zeroizing;

use crate::random;

const MASTER_KEY_BYTES: usize = 32;
/// The key in base64 and a line end are far shorter.
const MAX_FILE_BYTES: u64 = 256;

/// What a sealed secret is. It is part of what is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The text of a licence document.
    Document,
    /// The key of a licence.
    LicenseKey,
    /// The private half of a signing key.
    SigningKey,
    /// The secret that a webhook's deliveries are signed with.
    WebhookSecret,
}

/// Seals, opens, and finds again.
pub(crate) struct Vault {
    sealing: LessSafeKey,
    lookup: hmac::Key,
}

/// A sealed secret does not open: another master key, or a row that somebody changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sealed secret in the database does not open: the master key (workdir/secrets/portal.key) is not the one that it was sealed under, or the row was changed"
)]
pub(crate) struct Unsealed;

/// Where the master key lies.
pub(crate) fn key_file(workdir: &Path) -> PathBuf {
    workdir.join("secrets").join("portal.key")
}

impl Vault {
    /// Makes a new master key. One that is there stays: the database depends on it.
    ///
    /// # Errors
    /// When the file cannot be written, or the random source fails.
    pub(crate) fn create(workdir: &Path) -> anyhow::Result<()> {
        let path = key_file(workdir);
        if path.exists() {
            return Ok(());
        }
        if let Some(directory) = path.parent() {
            files::create_directory(directory)?;
        }
        let key = Zeroizing::new(random::bytes::<MASTER_KEY_BYTES>()?);
        let text = Zeroizing::new(format!("{}\n", Base64::encode_string(key.as_slice())));
        Ok(files::create(&path, text.as_bytes(), Access::Owner)?)
    }

    /// Opens the vault with the master key of the working directory.
    ///
    /// # Errors
    /// When there is no such key: it names the file.
    pub(crate) fn open(workdir: &Path) -> anyhow::Result<Self> {
        let path = key_file(workdir);
        let text = read_text(&path, MAX_FILE_BYTES).map(Zeroizing::new).with_context(|| {
            format!(
                "the master key cannot be read: restore {} from your backup, or run `chancery-portal init`",
                path.display()
            )
        })?;
        let mut key = Zeroizing::new([0; MASTER_KEY_BYTES]);
        match Base64::decode(text.trim_end(), key.as_mut_slice()) {
            Ok(decoded) if decoded.len() == MASTER_KEY_BYTES => Self::new(&key),
            _ => bail!("{} is not 32 bytes in base64", path.display()),
        }
    }

    fn new(master: &[u8; MASTER_KEY_BYTES]) -> anyhow::Result<Self> {
        let derive = |label: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            let derived = Salt::new(HKDF_SHA256, b"chancery-portal 1").extract(master);
            let filled = derived.expand(&[label], Length).and_then(|okm| okm.fill(key.as_mut_slice()));
            filled.map(|()| key).map_err(|_| anyhow::anyhow!("the cryptographic library derived no key"))
        };
        let sealing = UnboundKey::new(&AES_256_GCM, derive(b"seal")?.as_slice());
        let sealing = sealing.map_err(|_| anyhow::anyhow!("the cryptographic library refused a key"))?;
        Ok(Self {
            sealing: LessSafeKey::new(sealing),
            lookup: hmac::Key::new(hmac::HMAC_SHA256, derive(b"look up")?.as_slice()),
        })
    }

    /// Encrypts a secret of the row `id`: the nonce, then the ciphertext with its tag.
    ///
    /// # Errors
    /// When the cryptographic library or the random source fails.
    pub(crate) fn seal(&self, purpose: Purpose, id: &str, secret: &[u8]) -> anyhow::Result<Vec<u8>> {
        let nonce = random::bytes::<NONCE_LEN>()?;
        let mut text = secret.to_vec();
        let aad = Aad::from(purpose.bound_to(id));
        let sealed =
            self.sealing.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text);
        sealed.map_err(|_| anyhow::anyhow!("the cryptographic library did not seal"))?;
        Ok([nonce.as_slice(), &text].concat())
    }

    /// Decrypts what was sealed for that row.
    ///
    /// # Errors
    /// [`Unsealed`].
    pub(crate) fn open_sealed(
        &self,
        purpose: Purpose,
        id: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unsealed> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Unsealed)?;
        let mut text = Zeroizing::new(text.to_vec());
        let aad = Aad::from(purpose.bound_to(id));
        let opened = self.sealing.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut text);
        let length = opened.map_err(|_| Unsealed)?.len();
        text.truncate(length);
        Ok(text)
    }

    /// As [`Vault::open_sealed`], of a secret that is a text.
    ///
    /// # Errors
    /// [`Unsealed`].
    pub(crate) fn open_text(
        &self,
        purpose: Purpose,
        id: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<String>, Unsealed> {
        let opened = self.open_sealed(purpose, id, sealed)?;
        std::str::from_utf8(&opened).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| Unsealed)
    }

    /// By what a licence is found from its key.
    pub(crate) fn key_hash(&self, key: &LicenseKey) -> Vec<u8> {
        hmac::sign(&self.lookup, key.reveal().as_bytes()).as_ref().to_vec()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Purpose {
    fn bound_to(self, id: &str) -> Vec<u8> {
        let name = match self {
            Self::Document => "document",
            Self::LicenseKey => "license key",
            Self::SigningKey => "signing key",
            Self::WebhookSecret => "webhook secret",
        };
        [name.as_bytes(), b"\0", id.as_bytes()].concat()
    }
}

/// The length of what HKDF shall make.
struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_in_its_row_alone() {
        let vault = Vault::new(&[1; 32]).unwrap();
        let sealed = vault.seal(Purpose::LicenseKey, "lic_1", b"secret").unwrap();
        assert_ne!(sealed, vault.seal(Purpose::LicenseKey, "lic_1", b"secret").unwrap());
        let open = |vault: &Vault, purpose, id, sealed: &[u8]| {
            vault.open_sealed(purpose, id, sealed).map(|opened| opened.to_vec())
        };
        assert_eq!(open(&vault, Purpose::LicenseKey, "lic_1", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(open(&vault, Purpose::LicenseKey, "lic_2", &sealed), Err(Unsealed));
        assert_eq!(open(&vault, Purpose::WebhookSecret, "lic_1", &sealed), Err(Unsealed));
        assert_eq!(
            open(&Vault::new(&[2; 32]).unwrap(), Purpose::LicenseKey, "lic_1", &sealed),
            Err(Unsealed)
        );
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert_eq!(open(&vault, Purpose::LicenseKey, "lic_1", &altered), Err(Unsealed), "byte {index}");
        }
        assert_eq!(open(&vault, Purpose::LicenseKey, "lic_1", &sealed[..10]), Err(Unsealed));
    }

    #[test]
    fn the_master_key_is_made_once_and_read_back() {
        let workdir = tempfile::tempdir().unwrap();
        assert!(Vault::open(workdir.path()).unwrap_err().to_string().contains("portal.key"));
        Vault::create(workdir.path()).unwrap();
        let sealed = Vault::open(workdir.path()).unwrap().seal(Purpose::Document, "doc_1", b"x").unwrap();
        Vault::create(workdir.path()).unwrap();
        let vault = Vault::open(workdir.path()).unwrap();
        assert_eq!(vault.open_text(Purpose::Document, "doc_1", &sealed).unwrap().as_str(), "x");
        std::fs::write(key_file(workdir.path()), "c2hvcnQ=\n").unwrap();
        assert!(Vault::open(workdir.path()).unwrap_err().to_string().contains("32 bytes"));
    }

    #[test]
    fn licences_are_found_by_their_key_under_this_master_key() {
        let key = LicenseKey::from_random(&[5; 29]);
        let (one, other) = (Vault::new(&[1; 32]).unwrap(), Vault::new(&[2; 32]).unwrap());
        assert_eq!(one.key_hash(&key), one.key_hash(&key));
        assert_ne!(one.key_hash(&key), other.key_hash(&key));
    }
}
