//! The documents that were signed.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_license::Environment;
use chancery_time::Timestamp;

use super::installations::Installation;
use super::optional_time;

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
    /// When no program takes it any longer, its grace included; missing for never.
    pub(crate) counts_until: Option<Timestamp>,
}

pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &NewDocument<'_>) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO documents (id, kind, product_id, environment, license_id, installation_id, activation_id, serial,
             revision, kid, digest, body_sealed, issued_at, expires_at, counts_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
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
            new.expires_at.map(Timestamp::unix_millis),
            new.counts_until.map(Timestamp::unix_millis)
        ],
    )?;
    Ok(())
}

/// A document that can be sent again as it is.
#[derive(Debug)]
pub(crate) struct SentDocument {
    /// The text, sealed.
    pub(crate) body: Vec<u8>,
    pub(crate) serial: u64,
    /// The key that signed it.
    pub(crate) kid: String,
    pub(crate) issued_at: Timestamp,
}

pub(crate) fn sent(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<SentDocument>, Error> {
    tx.query_opt(
        "SELECT body_sealed, serial, kid, issued_at FROM documents
         WHERE id = $1 AND body_sealed IS NOT NULL AND serial IS NOT NULL",
        params![id],
        |row| {
            Ok(SentDocument {
                body: row.get(0)?,
                serial: u64::try_from(row.get::<i64>(1)?).unwrap_or_default(),
                kid: row.get(2)?,
                issued_at: Timestamp::from_unix_millis(row.get(3)?),
            })
        },
    )
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

/// The machine files of one device, or of all devices of a licence, since some time: how many, and when the first was
/// signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) count: i64,
    pub(crate) first_at: Option<Timestamp>,
}

/// The machine files of that seat, and those of the whole licence, that were signed later than `since`.
pub(crate) fn machine_files_since(
    tx: &mut ReadTx<'_>,
    license_id: &str,
    activation_id: &str,
    since: Timestamp,
) -> Result<(Issued, Issued), Error> {
    let counted = tx.query_opt(
        "SELECT count(CASE WHEN activation_id = $1 THEN 1 END), min(CASE WHEN activation_id = $1 THEN issued_at END),
                count(*), min(issued_at)
         FROM documents WHERE license_id = $2 AND kind = $3 AND issued_at > $4",
        params![activation_id, license_id, DocumentKind::MachineFile.name(), since.unix_millis()],
        |row| {
            let of_seat = Issued { count: row.get(0)?, first_at: optional_time(row, 1)? };
            Ok((of_seat, Issued { count: row.get(2)?, first_at: optional_time(row, 3)? }))
        },
    )?;
    Ok(counted.unwrap_or_default())
}

/// Every issue that an installation was given and that still counts: serial and licence. Of a machine file that was
/// signed before the installation was known, its seat tells whose it is.
pub(crate) fn serials_of_installation(
    tx: &mut ReadTx<'_>,
    row: &Installation,
    now: Timestamp,
) -> Result<Vec<(u64, String)>, Error> {
    tx.query(
        "SELECT serial, license_id FROM documents
         WHERE installation_id = $1 AND serial IS NOT NULL AND (counts_until IS NULL OR counts_until > $2)
         UNION
         SELECT serial, license_id FROM documents
         WHERE activation_id IN (SELECT id FROM activations WHERE fingerprint = $3)
           AND product_id = $4 AND environment = $5
           AND serial IS NOT NULL AND (counts_until IS NULL OR counts_until > $2)
         ORDER BY 1",
        params![&row.id, now.unix_millis(), &row.installation_key, &row.product_id, row.environment.name()],
        issue,
    )
}

/// Every issue that the device of a seat was given and that still counts: serial and licence.
pub(crate) fn serials_of_seat(
    tx: &mut ReadTx<'_>,
    activation_id: &str,
    now: Timestamp,
) -> Result<Vec<(u64, String)>, Error> {
    tx.query(
        "SELECT serial, license_id FROM documents
         WHERE activation_id = $1 AND serial IS NOT NULL AND (counts_until IS NULL OR counts_until > $2)
         ORDER BY serial",
        params![activation_id, now.unix_millis()],
        issue,
    )
}

/// The same of all seats of a licence that are taken now.
pub(crate) fn serials_of_taken_seats(
    tx: &mut ReadTx<'_>,
    license_id: &str,
    now: Timestamp,
) -> Result<Vec<(u64, String)>, Error> {
    tx.query(
        "SELECT d.serial, d.license_id FROM documents d JOIN activations a ON a.id = d.activation_id
         WHERE a.license_id = $1 AND a.deactivated_at IS NULL
           AND d.serial IS NOT NULL AND (d.counts_until IS NULL OR d.counts_until > $2)
         ORDER BY d.serial",
        params![license_id, now.unix_millis()],
        issue,
    )
}

fn issue(row: &Row<'_>) -> Result<(u64, String), Error> {
    Ok((u64::try_from(row.get::<i64>(0)?).unwrap_or_default(), row.get(1)?))
}
