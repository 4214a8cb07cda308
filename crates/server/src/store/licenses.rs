//! Licence documents, what was done about them, and the acknowledgement of a degraded state.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_license::LicenseKey;
use chancery_time::Timestamp;
use zeroize::Zeroizing;

use super::{named, time};

/// What a stored document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// A licence in armour.
    License,
    /// A licence JWT.
    LicenseJwt,
    /// A machine file.
    MachineFile,
    /// A revocation list.
    Revocations,
    /// A key manifest.
    Keys,
}

impl DocumentKind {
    pub(crate) const ALL: [Self; 5] =
        [Self::License, Self::LicenseJwt, Self::MachineFile, Self::Revocations, Self::Keys];

    /// Whether it is a licence, whatever its form.
    pub(crate) const fn is_license(self) -> bool {
        matches!(self, Self::License | Self::LicenseJwt | Self::MachineFile)
    }

    /// The name in the store and in the output of commands.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::License => "license",
            Self::LicenseJwt => "license_jwt",
            Self::MachineFile => "machine_file",
            Self::Revocations => "revocations",
            Self::Keys => "keys",
        }
    }
}

/// A document as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredDocument {
    pub(crate) id: i64,
    pub(crate) kind: DocumentKind,
    pub(crate) text: String,
    /// What a machine file opens with.
    pub(crate) license_key: Option<LicenseKey>,
}

/// Something that was done.
#[derive(Debug, Clone)]
pub(crate) struct Happened {
    pub(crate) at: Timestamp,
    pub(crate) event: String,
    /// A JSON object.
    pub(crate) details: String,
}

/// That the operator knows of a degraded state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    /// SHA-256 over what it is bound to, in hexadecimal.
    pub(crate) hash: String,
    /// The names of the reasons then.
    pub(crate) reasons: Vec<String>,
    pub(crate) at: Timestamp,
}

/// Every document, in the order of their arrival.
pub(crate) fn documents(tx: &mut ReadTx<'_>) -> Result<Vec<StoredDocument>, Error> {
    const SQL: &str = "SELECT id, kind, document, license_key FROM license_documents ORDER BY id";
    tx.query(SQL, params![], |row| {
        let kind = |name: &str| DocumentKind::ALL.into_iter().find(|kind| kind.name() == name);
        let license_key = row.get::<Option<String>>(3)?.map(Zeroizing::new);
        Ok(StoredDocument {
            id: row.get(0)?,
            kind: named(row, 1, kind)?,
            text: row.get(2)?,
            // One that was damaged opens nothing, as if it were gone.
            license_key: license_key.and_then(|key| key.parse().ok()),
        })
    })
}

pub(crate) fn insert_document(
    tx: &mut WriteTx<'_>,
    kind: DocumentKind,
    text: &str,
    license_key: Option<&LicenseKey>,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO license_documents (kind, document, license_key, installed_at) VALUES ($1, $2, $3, $4)",
        params![kind.name(), text, license_key.map(LicenseKey::reveal), now.unix_millis()],
    )?;
    Ok(())
}

pub(crate) fn delete_document(tx: &mut WriteTx<'_>, id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM license_documents WHERE id = $1", params![id])?;
    Ok(())
}

/// Adds to the history.
pub(crate) fn record(
    tx: &mut WriteTx<'_>,
    event: &str,
    details: &serde_json::Value,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO license_history (happened_at, event, details) VALUES ($1, $2, $3)",
        params![now.unix_millis(), event, &details.to_string()],
    )?;
    Ok(())
}

/// The newest entries of the history, newest first.
pub(crate) fn history(tx: &mut ReadTx<'_>, limit: i64) -> Result<Vec<Happened>, Error> {
    tx.query(
        "SELECT happened_at, event, details FROM license_history ORDER BY id DESC LIMIT $1",
        params![limit],
        |row| Ok(Happened { at: time(row, 0)?, event: row.get(1)?, details: row.get(2)? }),
    )
}

pub(crate) fn acknowledgement(tx: &mut ReadTx<'_>) -> Result<Option<Acknowledgement>, Error> {
    tx.query_opt("SELECT hash, reasons, acknowledged_at FROM acknowledgement", params![], |row| {
        let reasons: String = row.get(1)?;
        let reasons = reasons.split_whitespace().map(str::to_owned).collect();
        Ok(Acknowledgement { hash: row.get(0)?, reasons, at: time(row, 2)? })
    })
}

/// Takes the place of an earlier one.
pub(crate) fn acknowledge(tx: &mut WriteTx<'_>, new: &Acknowledgement) -> Result<(), Error> {
    clear_acknowledgement(tx)?;
    tx.execute(
        "INSERT INTO acknowledgement (id, hash, reasons, acknowledged_at) VALUES (1, $1, $2, $3)",
        params![&new.hash, &new.reasons.join(" "), new.at.unix_millis()],
    )?;
    Ok(())
}

/// `true` where there was one.
pub(crate) fn clear_acknowledgement(tx: &mut WriteTx<'_>) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM acknowledgement", params![])? > 0)
}
