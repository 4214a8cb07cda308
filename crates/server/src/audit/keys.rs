//! The secrets behind the audit log, made on first use and kept in the store.

use chancery_audit::{Head, Node, Secret, Signer};
use chancery_db::{Db, Error, ReadTx};
use chancery_license::InstallationKey;

use crate::store::{audit, settings};

/// What a node's log is written, verified and signed with.
#[derive(Clone)]
pub(crate) struct Keys {
    secret: [u8; 32],
    seed: [u8; 32],
    installation: InstallationKey,
}

impl Keys {
    /// The keys of the installation.
    ///
    /// # Errors
    /// When the store or the random source fails, or the store holds something else under their names.
    pub(crate) async fn open(db: &Db, installation: InstallationKey) -> anyhow::Result<Self> {
        let (secret, seed): ([u8; 32], [u8; 32]) = (crate::random::bytes()?, crate::random::bytes()?);
        let kept = db
            .write(move |tx| {
                let secret = settings::find_or_insert(tx, settings::AUDIT_SECRET, &secret)?;
                let seed = settings::find_or_insert(tx, settings::AUDIT_SIGNING_SEED, &seed)?;
                Ok::<_, Error>((secret, seed))
            })
            .await?;
        let exact = |bytes: Vec<u8>, name| {
            bytes.try_into().map_err(|_| anyhow::anyhow!("the {name} in the store has not 32 bytes"))
        };
        Ok(Self {
            secret: exact(kept.0, "secret of the audit log")?,
            seed: exact(kept.1, "signing key of the audit log")?,
            installation,
        })
    }

    pub(crate) fn secret(&self) -> Secret {
        Secret::new(&self.secret)
    }

    /// Where the log of a node begins.
    pub(crate) fn genesis(&self, node: &Node) -> Head {
        Head::genesis(&self.secret(), self.installation.as_str(), node)
    }

    /// What signs the checkpoints of a node.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub(crate) fn signer(&self, node: &Node) -> anyhow::Result<Signer> {
        Ok(Signer::new(&format!("chancery-audit/{}", self.installation), node, &self.seed)?)
    }

    /// Where the log of a node ends, by the store.
    ///
    /// # Errors
    /// When the store fails, or holds something else in its place.
    pub(crate) fn pinned(&self, tx: &mut ReadTx<'_>, node: &Node) -> anyhow::Result<Head> {
        match audit::head(tx, node.as_str())? {
            Some(bytes) => Ok(Head::from_bytes(&bytes)?),
            None => Ok(self.genesis(node)),
        }
    }
}
