//! The secrets behind the audit log, made on first use and kept in the product's store.

use std::fmt;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use chancery_audit::{Head, HeadError, KeyError, Node, Secret, Signer};
use chancery_db::{Db, Error, ReadTx, WriteTx};
use zeroize::Zeroizing;

use crate::outbox;

/// The name under which the secret of the log is kept: 32 bytes.
const SECRET: &str = "audit_secret";
/// The name of the seed of the Ed25519 key that signs its checkpoints: 32 bytes.
const SIGNING_SEED: &str = "audit_signing_seed";

/// What a node's log is written, verified and signed with.
#[derive(Clone)]
pub struct Keys {
    secret: Zeroizing<[u8; 32]>,
    seed: Zeroizing<[u8; 32]>,
    installation: String,
}

/// Why the keys, or the end of a log, are not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// The system gives no randomness.
    #[error("the system's random source failed")]
    Random,
    /// The store holds something else under the name of a secret.
    #[error("the {what} in the store has not 32 bytes")]
    Length {
        /// Which of them.
        what: &'static str,
    },
    /// The store holds something else in the place of a log's end.
    #[error(transparent)]
    Head(#[from] HeadError),
}

impl Keys {
    /// The keys of the installation that has that key or name. `keep` gives the value that the store has under a
    /// name, which becomes the one it is given where there was none.
    ///
    /// # Errors
    /// When the store or the random source fails, or the store holds something else under the names of the keys.
    pub async fn open<F>(db: &Db, installation: &str, keep: F) -> Result<Self, KeysError>
    where
        F: Fn(&mut WriteTx<'_>, &str, &[u8]) -> Result<Vec<u8>, Error> + Send + 'static,
    {
        let (secret, seed) = (random()?, random()?);
        let (secret, seed) = db
            .write(move |tx| Ok::<_, Error>((keep(tx, SECRET, &*secret)?, keep(tx, SIGNING_SEED, &*seed)?)))
            .await?;
        Ok(Self {
            secret: exact(secret, "secret of the audit log")?,
            seed: exact(seed, "signing key of the audit log")?,
            installation: installation.to_owned(),
        })
    }

    /// What authenticates each line.
    pub fn secret(&self) -> Secret {
        Secret::new(&self.secret)
    }

    /// Where the log of a node begins.
    pub fn genesis(&self, node: &Node) -> Head {
        Head::genesis(&self.secret(), &self.installation, node)
    }

    /// What signs the checkpoints of a node.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn signer(&self, node: &Node) -> Result<Signer, KeyError> {
        Signer::new(&format!("chancery-audit/{}", self.installation), node, &self.seed)
    }

    /// Where the log of a node ends, by the store.
    ///
    /// # Errors
    /// When the store fails, or holds something else in its place.
    pub fn pinned(&self, tx: &mut ReadTx<'_>, node: &Node) -> Result<Head, KeysError> {
        match outbox::head(tx, node.as_str())? {
            Some(bytes) => Ok(Head::from_bytes(&bytes)?),
            None => Ok(self.genesis(node)),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({}, redacted)", self.installation)
    }
}

fn random() -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut bytes = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(bytes.as_mut_slice()).map_err(|_| KeysError::Random)?;
    Ok(bytes)
}

fn exact(bytes: Vec<u8>, what: &'static str) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let bytes = Zeroizing::new(bytes);
    let exact = bytes.as_slice().try_into().map_err(|_| KeysError::Length { what })?;
    Ok(Zeroizing::new(exact))
}
