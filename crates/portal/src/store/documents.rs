//! The documents that were signed.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_license::Environment;
use chancery_time::Timestamp;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// A licence in armour.
    License,
    MachineFile,
}

impl DocumentKind {
    const fn name(self) -> &'static str {
        match self {
            Self::License => "license",
            Self::MachineFile => "machine_file",
        }
    }
}

/// A document that was signed.
#[derive(Debug)]
pub(crate) struct NewDocument<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: DocumentKind,
    pub(crate) product_id: &'a str,
    pub(crate) environment: Environment,
    pub(crate) license_id: &'a str,
    pub(crate) installation_id: Option<&'a str>,
    pub(crate) activation_id: Option<&'a str>,
    pub(crate) serial: Option<u64>,
    /// The revision of the licence that it was made of.
    pub(crate) revision: i64,
    /// The key that signed it.
    pub(crate) kid: &'a str,
    /// SHA-256 of the text.
    pub(crate) digest: &'a [u8],
    /// The text, sealed, where it is to be sent again as it is.
    pub(crate) body: Option<&'a [u8]>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
}

pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &NewDocument<'_>) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO documents (id, kind, product_id, environment, license_id, installation_id, activation_id, serial,
             revision, kid, digest, body_sealed, issued_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        params![
            new.id,
            new.kind.name(),
            new.product_id,
            new.environment.name(),
            new.license_id,
            new.installation_id,
            new.activation_id,
            new.serial.map(|serial| i64::try_from(serial).unwrap_or(i64::MAX)),
            new.revision,
            new.kid,
            new.digest,
            new.body,
            new.issued_at.unix_millis(),
            new.expires_at.map(Timestamp::unix_millis)
        ],
    )?;
    Ok(())
}

/// The sealed text of a document and its serial.
pub(crate) fn sealed_body(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<(Vec<u8>, u64)>, Error> {
    let found = tx.query_opt(
        "SELECT body_sealed, serial FROM documents WHERE id = $1 AND body_sealed IS NOT NULL AND serial IS NOT NULL",
        params![id],
        |row| Ok((row.get(0)?, row.get::<i64>(1)?)),
    )?;
    Ok(found.map(|(body, serial)| (body, u64::try_from(serial).unwrap_or_default())))
}

/// Whether a machine file of that licence has that serial.
pub(crate) fn is_machine_file(tx: &mut ReadTx<'_>, license_id: &str, serial: u64) -> Result<bool, Error> {
    let found = tx.query_opt(
        "SELECT id FROM documents WHERE license_id = $1 AND kind = $2 AND serial = $3",
        params![license_id, DocumentKind::MachineFile.name(), i64::try_from(serial).unwrap_or(i64::MAX)],
        |row| row.get::<String>(0),
    )?;
    Ok(found.is_some())
}

/// The licence documents that an installation was sent and that have not ended: serial and licence.
pub(crate) fn serials_of_installation(
    tx: &mut ReadTx<'_>,
    installation_id: &str,
    now: Timestamp,
) -> Result<Vec<(u64, String)>, Error> {
    tx.query(
        "SELECT serial, license_id FROM documents
         WHERE installation_id = $1 AND serial IS NOT NULL AND (expires_at IS NULL OR expires_at > $2) ORDER BY serial",
        params![installation_id, now.unix_millis()],
        |row| Ok((u64::try_from(row.get::<i64>(0)?).unwrap_or_default(), row.get(1)?)),
    )
}
