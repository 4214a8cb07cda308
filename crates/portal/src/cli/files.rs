//! The files of the commands. Errors name the flag that named the file.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chancery_files::{self as files, Access};
use chancery_license::{Kind, PublicKey, SigningKey};
use zeroize::Zeroizing;

use super::IssuerArgs;
use crate::issue::Issuer;

/// More than any key takes in PEM, in bytes.
const MAX_KEY_LENGTH: u64 = 16 * 1_024;

impl IssuerArgs {
    /// The issuer of these arguments, whose key is read.
    pub(super) fn issuer(&self) -> anyhow::Result<Issuer> {
        Ok(Issuer::new(&self.product, self.env, signing_key(&self.key, "--key")?)?)
    }
}

/// Reads a private key.
pub(super) fn signing_key(path: &Path, flag: &str) -> anyhow::Result<SigningKey> {
    let read = files::read_text(path, MAX_KEY_LENGTH).map(Zeroizing::new);
    let pem = read.with_context(|| format!("the private key of {flag}"))?;
    SigningKey::from_pem(&pem).with_context(|| {
        format!("{} ({flag}) is no private key as `keys generate` makes them", path.display())
    })
}

/// Reads a public key.
pub(super) fn public_key(path: &Path, flag: &str) -> anyhow::Result<PublicKey> {
    let read = files::read_text(path, MAX_KEY_LENGTH).map(Zeroizing::new);
    let pem = read.with_context(|| format!("the public key of {flag}"))?;
    PublicKey::from_pem(&pem)
        .with_context(|| format!("{} ({flag}) is no public key as `keys export` writes them", path.display()))
}

/// Reads the text of a document of that kind.
pub(super) fn document(path: &Path, kind: Kind, flag: &str) -> anyhow::Result<String> {
    let limit = u64::try_from(kind.max_length()).unwrap_or(u64::MAX);
    files::read_text(path, limit).with_context(|| format!("the {kind} of {flag}"))
}

/// Writes a new file that its owner alone may read.
pub(super) fn create_private(path: &Path, text: &str) -> anyhow::Result<()> {
    Ok(files::create(path, text.as_bytes(), Access::Owner)?)
}

/// Writes a new file that everybody may read.
pub(super) fn create_public(path: &Path, text: &str) -> anyhow::Result<()> {
    Ok(files::create(path, text.as_bytes(), Access::Everybody)?)
}

/// Writes the public key to its place in a trust folder (`crates/license/trust/dev/README.md`), whose folders
/// are made where they are missing, and says where that is.
pub(super) fn create_anchor(folder: &Path, name: &str, pem: &str) -> anyhow::Result<PathBuf> {
    files::create_directory(folder)?;
    let path = folder.join(name);
    create_public(&path, pem)?;
    Ok(path)
}
