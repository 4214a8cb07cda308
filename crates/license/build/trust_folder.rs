//! Which trust anchors a folder holds. It is part of the build script, and of the library in tests.

use std::fmt::Write as _;

use crate::armour::{self, ArmourError};

/// The folders that there may be: the names of the environments, each with its name in Rust.
pub(crate) const ENVIRONMENTS: [(&str, &str); 4] =
    [("prod", "Prod"), ("dev", "Dev"), ("staging", "Staging"), ("uat", "Uat")];

/// An anchor in PEM takes some 1400 characters at most, an RSA key of 8192 bits.
const MAX_LENGTH: usize = 16 * 1_024;
/// The SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410 §4).
const ED25519_SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The algorithm in the SubjectPublicKeyInfo of an RSA key: rsaEncryption with NULL (RFC 3279 §2.3.1).
const RSA_ALGORITHM: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A file of the folder.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its path in the folder, with `/` between its parts; that of an empty folder ends in one.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

/// A trust anchor that the folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor<'a> {
    /// The environment, as Rust names it.
    pub(crate) environment: &'static str,
    /// The public key in PEM.
    pub(crate) pem: &'a str,
}

/// Why a folder is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it holds no anchor: put public keys in PEM into prod/, staging/, uat/ or dev/")]
    NoAnchor,
    #[error("{0} lies in no environment: the folders are called prod, staging, uat and dev")]
    NoEnvironment(String),
    #[error("{0} is not called .pem, as every anchor is: rename it, or move it away")]
    NotPem(String),
    #[error(
        "{0} is a private key: put its public key there (chancery-portal keys export), and keep it elsewhere"
    )]
    PrivateKey(String),
    #[error("{path} is not a public key in PEM: {why}")]
    Armour { path: String, why: ArmourError },
    #[error("{0} is neither an Ed25519 public key nor an RSA public key of 2048 to 8192 bits")]
    Algorithm(String),
    #[error("{path} and {again} are the same key: each environment needs its own")]
    Twice { path: String, again: String },
}

/// The anchors of a folder: every `*.pem` in the folder of an environment. There is one exception, the
/// private keys `dev/*signing-key.pem`, which are public on purpose and are passed over.
pub(crate) fn anchors(entries: &[Entry]) -> Result<Vec<Anchor<'_>>, Refused> {
    let mut keys: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut anchors = Vec::new();
    for Entry { path, text } in entries {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name == "README.md" {
            continue;
        }
        let environment = ENVIRONMENTS.iter().find(|(environment, _)| *environment == folder);
        let Some((_, environment)) = environment else { return Err(Refused::NoEnvironment(path.clone())) };
        if name.is_empty() || (folder == "dev" && name.ends_with("signing-key.pem")) {
            continue;
        }
        let key = public_key(path, name, text)?;
        if let Some((before, _)) = keys.iter().find(|(_, before)| *before == key) {
            return Err(Refused::Twice { path: (*before).to_owned(), again: path.clone() });
        }
        keys.push((path, key));
        anchors.push(Anchor { environment, pem: text });
    }
    if anchors.is_empty() { Err(Refused::NoAnchor) } else { Ok(anchors) }
}

/// The table as a Rust expression: a slice of pairs of environment and PEM.
pub(crate) fn table(anchors: &[Anchor<'_>]) -> String {
    let mut table = String::from("&[\n");
    for Anchor { environment, pem } in anchors {
        // Writing to a String cannot fail.
        let _ = writeln!(table, "    (Environment::{environment}, {pem:?}),");
    }
    table.push_str("]\n");
    table
}

/// The SubjectPublicKeyInfo in that file. The library reads it strictly when the program starts; a build shall
/// fail early on what is plainly something else.
fn public_key(path: &str, name: &str, text: &str) -> Result<Vec<u8>, Refused> {
    if text.contains("PRIVATE KEY-----") {
        return Err(Refused::PrivateKey(path.to_owned()));
    }
    if !name.ends_with(".pem") {
        return Err(Refused::NotPem(path.to_owned()));
    }
    let key = armour::decode(text, "PUBLIC KEY", MAX_LENGTH)
        .map_err(|why| Refused::Armour { path: path.to_owned(), why })?;
    let is_ed25519 = key.len() == ED25519_SPKI.len() + 32 && key.starts_with(ED25519_SPKI);
    // Behind the tag of the outer sequence and its length, which takes four bytes for any RSA key.
    let is_rsa = key.get(4..).is_some_and(|rest| rest.starts_with(RSA_ALGORITHM));
    if is_ed25519 || is_rsa { Ok(key) } else { Err(Refused::Algorithm(path.to_owned())) }
}
