//! Documents that are brought: what they are, and whether the installation takes them.

use std::path::Path;

use anyhow::Context as _;
use chancery_db::WriteTx;
use chancery_files::{FileError, read_text};
use chancery_license::document::DocumentError;
use chancery_license::state::{Edition, InvalidReason};
use chancery_license::{Kind, LicenseKey, RevocationList, State, machine_file, open};
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::boot::Reason;
use super::change::Office;
use super::facts::Facts;
use super::held::{self, Unbelieved};
use super::record::Record;
use super::snapshot::Snapshot;
use crate::audit::events;
use crate::store::licenses::DocumentKind;
use crate::store::{cold_start, licenses};

/// The longest document: a revocation list.
const MAX_BYTES: u64 = 4 * 1_024 * 1_024;

/// A document as it was brought, recognised by its content.
#[derive(Debug, Clone)]
pub(crate) struct Brought {
    pub(crate) kind: DocumentKind,
    pub(crate) text: String,
    /// What a machine file opens with.
    pub(crate) license_key: Option<LicenseKey>,
}

/// What became of a document.
#[derive(Debug, Clone)]
pub(crate) enum Taken {
    /// A licence, and the state that it brings about.
    License {
        facts: Box<Facts>,
        /// Whether it is the one in effect, or waits for its day.
        in_effect: bool,
        /// What does not fit, where that was overruled.
        overruled: Vec<Reason>,
    },
    /// A revocation list of that number; whether it revokes the installed licence.
    Revocations { sequence: u64, revokes_installed: bool },
    /// A key manifest of that number; whether the installed licence no longer counts under it.
    Keys { sequence: u64, withdraws_installed: bool },
    /// It was there already.
    Unchanged,
}

/// Why a document is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    NotBelieved(#[from] Unbelieved),
    #[error("it does not count in this build: {0}")]
    Build(InvalidReason),
    #[error(
        "a newer licence document was installed here before (serial {}, issued {}): this one (serial {}, issued {}) no longer counts; ask the vendor for a new one",
        .seen.serial, .seen.issued, .found.serial, .found.issued
    )]
    Older { found: Edition, seen: Edition },
    #[error(
        "another document of the same issue (serial {}, issued {}) is installed: ask the vendor for a new issue, or uninstall that one first",
        .0.serial, .0.issued
    )]
    SameIssue(Edition),
    #[error("the revocation list that is installed revokes it: ask the vendor for another")]
    Revoked,
    #[error("it would not count: {0}")]
    Invalid(InvalidReason),
    #[error(
        "it does not fit this installation: {}; change the configuration, get a larger licence, or install it all the same with --force",
        list(.0)
    )]
    Misfit(Vec<Reason>),
    #[error(
        "the record of what this installation has seen is missing or damaged, so that no licence would count: restore the database from a backup, or ask the vendor"
    )]
    RecordDamaged,
    #[error(transparent)]
    Store(#[from] chancery_db::Error),
}

impl Refusal {
    /// The class of the refusal, where the state function has a name for it.
    pub(crate) fn reason(&self) -> Option<InvalidReason> {
        match self {
            Self::NotBelieved(error) => Some(error.reason()),
            Self::Build(reason) | Self::Invalid(reason) => Some(*reason),
            _ => None,
        }
    }
}

/// Reads a file, and recognises what it is by its content.
///
/// # Errors
/// When it cannot be read, or is none of the documents that there are.
pub(crate) fn read(path: &Path) -> anyhow::Result<Brought> {
    let text = match read_text(path, MAX_BYTES) {
        Err(FileError::Io { source, .. }) if source.kind() == std::io::ErrorKind::InvalidData => {
            anyhow::bail!("{}: {NOT_RECOGNISED}", path.display())
        }
        read => read?,
    };
    match recognise(&text) {
        Some(kind) => Ok(Brought { kind, text, license_key: None }),
        None => anyhow::bail!("{}: {}", path.display(), not_recognised(&text)),
    }
}

const NOT_RECOGNISED: &str = "this is no licence (.lic, .jwt or machine file), revocation list or key manifest: install \
    the file as the vendor sent it, from its first line to its last";

/// What a text is that this program installs nothing of.
fn not_recognised(text: &str) -> &'static str {
    match Kind::of(text) {
        Some(Kind::Request) => "this is a request of an installation: it is the vendor who takes it",
        Some(Kind::Response) => "this is the vendor's response to a request, not a document to install",
        _ => NOT_RECOGNISED,
    }
}

/// What a text is, by its first line or its form alone.
pub(crate) fn recognise(text: &str) -> Option<DocumentKind> {
    match Kind::of(text) {
        Some(Kind::License) => return Some(DocumentKind::License),
        Some(Kind::Revocations) => return Some(DocumentKind::Revocations),
        Some(Kind::Keys) => return Some(DocumentKind::Keys),
        _ if machine_file::is_one(text) => return Some(DocumentKind::MachineFile),
        _ => {}
    }
    // RFC 7515 §3.1: three parts in base64url.
    let token = text.trim();
    let is_base64url = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let is_jwt = token.split('.').count() == 3 && token.split('.').all(is_base64url);
    is_jwt.then_some(DocumentKind::LicenseJwt)
}

/// What a document is held against.
pub(crate) struct Intake<'a> {
    pub(crate) office: &'a Office,
    pub(crate) now: Timestamp,
    /// Whether a licence that does not fit is taken all the same.
    pub(crate) force: bool,
    /// Who brought it, for the audit log.
    pub(crate) by: String,
}

/// The text of a document but for white space, which says nothing.
pub(crate) fn plain(text: &str) -> String {
    text.split_whitespace().collect()
}

impl Intake<'_> {
    /// Takes a document into the store, or leaves everything as it was.
    pub(crate) fn take(&self, tx: &mut WriteTx<'_>, brought: &Brought) -> Result<Taken, Refusal> {
        let before = self.office.read(tx)?;
        let record = before.record.ok_or(Refusal::RecordDamaged)?;
        let text = plain(&brought.text);
        if licenses::documents(tx)?.iter().any(|document| plain(&document.text) == text) {
            return Ok(Taken::Unchanged);
        }
        let taken = match brought.kind {
            DocumentKind::License => {
                let facts =
                    held::read_lic(&brought.text, &before.held.keyring, &self.office.installation.key)?;
                self.take_license(tx, brought, facts, record)?
            }
            DocumentKind::LicenseJwt => {
                let facts = held::read_jwt(&brought.text, &before.held.keyring)?;
                self.take_license(tx, brought, facts, record)?
            }
            DocumentKind::MachineFile => {
                let (key, installation) = (brought.license_key.as_ref(), &self.office.installation.key);
                let facts = held::read_machine_file(&brought.text, key, &before.held.keyring, installation)?;
                self.take_license(tx, brought, facts, record)?
            }
            DocumentKind::Revocations => self.take_revocations(tx, brought, &before, record)?,
            DocumentKind::Keys => self.take_keys(tx, brought, &before, record)?,
        };
        Ok(taken)
    }

    fn take_license(
        &self,
        tx: &mut WriteTx<'_>,
        brought: &Brought,
        facts: Facts,
        record: Record,
    ) -> Result<Taken, Refusal> {
        facts.terms.fit_build(&self.office.build).map_err(Refusal::Build)?;
        if let Some(seen) = record.times.watermark.newest()
            && facts.terms.edition < seen
        {
            return Err(Refusal::Older { found: facts.terms.edition, seen });
        }
        let before = self.office.read(tx)?;
        if before.held.licenses.iter().any(|(_, held)| held.terms.edition == facts.terms.edition) {
            return Err(Refusal::SameIssue(facts.terms.edition));
        }
        self.insert(tx, brought)?;
        let after = self.office.read(tx)?;
        let judged = after.judge(self.now, &self.office.build);
        // What is kept, and what is thrown away, is settled by trustworthy time alone: the clock may be ahead.
        let trusted = after.judge(Timestamp::MIN, &self.office.build);
        let in_effect = judged.license == Some(&facts);
        let mut overruled = Vec::new();
        match judged.state {
            State::Revoked => return Err(Refusal::Revoked),
            State::Invalid(reason) => return Err(Refusal::Invalid(reason)),
            State::Expired { since, .. } if in_effect => {
                overruled.push(Reason::Expired { grace_ended: since })
            }
            _ => {}
        }
        let usage = self.office.usage(tx, self.now)?;
        overruled
            .extend(facts.entitlements.misfits(self.office.configuration).into_iter().map(Reason::Beyond));
        overruled.extend(facts.entitlements.excesses(usage).into_iter().map(Reason::Beyond));
        if !overruled.is_empty() && !self.force {
            return Err(Refusal::Misfit(overruled));
        }

        let is_revoked = record.is_revoked && !in_effect;
        self.keep(tx, &Record { is_revoked, ..record.remembering(trusted.watermark) })?;
        if !matches!(judged.state, State::NotYetValid { .. }) {
            cold_start::delete(tx)?;
        }
        if !matches!(trusted.state, State::NotYetValid { .. }) {
            discard_superseded(tx, &after, trusted.license)?;
        }
        let details = json!({
            "form": facts.form.name(),
            "id": facts.terms.id,
            "serial": facts.terms.edition.serial,
            "plan": facts.plan,
            "expires": facts.terms.expires,
            "overruled": overruled.iter().map(|reason| reason.name()).collect::<Vec<_>>(),
        });
        self.note(tx, details)?;
        Ok(Taken::License { facts: Box::new(facts), in_effect, overruled })
    }

    fn take_revocations(
        &self,
        tx: &mut WriteTx<'_>,
        brought: &Brought,
        before: &Snapshot,
        record: Record,
    ) -> Result<Taken, Refusal> {
        let list = open::<RevocationList>(&brought.text, &before.held.keyring).map_err(Unbelieved::from)?;
        let (found, held) = (list.body().sequence, record.times.watermark.revocations());
        // The list that was removed may be put back, which is why the same number is not refused.
        if found < held
            || before.held.documents.revocations.as_ref().is_some_and(|list| list.sequence >= found)
        {
            return Err(Unbelieved::from(DocumentError::StaleSequence { found, held }).into());
        }
        for document in licenses::documents(tx)? {
            if document.kind == DocumentKind::Revocations {
                licenses::delete_document(tx, document.id)?;
            }
        }
        self.insert(tx, brought)?;
        let after = self.office.read(tx)?;
        let judged = after.judge(self.now, &self.office.build);
        let revokes_installed = judged.state == State::Revoked;
        let trusted = after.judge(Timestamp::MIN, &self.office.build);
        let is_revoked = record.is_revoked || revokes_installed;
        self.keep(tx, &Record { is_revoked, ..record.remembering(trusted.watermark) })?;
        let details =
            json!({ "form": "revocations", "sequence": found, "revokes_installed": revokes_installed });
        self.note(tx, details)?;
        Ok(Taken::Revocations { sequence: found, revokes_installed })
    }

    fn take_keys(
        &self,
        tx: &mut WriteTx<'_>,
        brought: &Brought,
        before: &Snapshot,
        record: Record,
    ) -> Result<Taken, Refusal> {
        let keyring = before.held.keyring.admit(&brought.text).map_err(Unbelieved::from)?;
        let sequence = keyring.sequence();
        self.insert(tx, brought)?;
        self.keep(tx, &Record { key_manifest: record.key_manifest.max(sequence), ..record })?;
        let details = json!({ "form": "keys", "sequence": sequence });
        self.note(tx, details)?;
        let after = self.office.read(tx)?.judge(self.now, &self.office.build).state;
        let withdraws_installed = matches!(after, State::Invalid(_)) && !before.held.licenses.is_empty();
        Ok(Taken::Keys { sequence, withdraws_installed })
    }

    fn insert(&self, tx: &mut WriteTx<'_>, brought: &Brought) -> Result<(), chancery_db::Error> {
        let Brought { kind, text, license_key } = brought;
        licenses::insert_document(tx, *kind, text, license_key.as_ref(), self.now)
    }

    fn keep(&self, tx: &mut WriteTx<'_>, record: &Record) -> Result<(), chancery_db::Error> {
        self.office.installation.keep(tx, record)
    }

    fn note(&self, tx: &mut WriteTx<'_>, details: Value) -> Result<(), chancery_db::Error> {
        let (kind, by) = (events::LICENSE_INSTALL, self.by.clone());
        self.office.note_by(tx, kind, by, "verified", details, self.now)
    }
}

/// Removes the licences that are older than the one in effect: they never count again.
fn discard_superseded(
    tx: &mut WriteTx<'_>,
    snapshot: &Snapshot,
    in_effect: Option<&Facts>,
) -> Result<(), chancery_db::Error> {
    let Some(in_effect) = in_effect else { return Ok(()) };
    let older =
        snapshot.held.licenses.iter().filter(|(_, facts)| facts.terms.edition < in_effect.terms.edition);
    for (document_id, _) in older {
        licenses::delete_document(tx, *document_id)?;
    }
    Ok(())
}

pub(crate) fn list(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| format!("{reason} ({})", reason.name())).collect::<Vec<_>>().join("; ")
}

/// Reads the licence JWT that may lie in the working directory.
///
/// # Errors
/// When it is no regular file, cannot be read, or is no licence JWT.
pub(crate) fn read_jwt_file(path: &Path) -> anyhow::Result<Brought> {
    // To open a named pipe would wait for whoever writes to it.
    let is_file = std::fs::metadata(path).with_context(|| path.display().to_string())?.is_file();
    anyhow::ensure!(is_file, "{}: this is no file", path.display());
    let brought = read(path)?;
    let is_jwt = brought.kind == DocumentKind::LicenseJwt;
    anyhow::ensure!(
        is_jwt,
        "{}: this is no licence JWT; install it with `chancery license install`",
        path.display()
    );
    Ok(brought)
}

/// The licence JWT that may lie in the working directory, if there is one.
pub(crate) fn jwt_file(workdir: &Path) -> std::path::PathBuf {
    workdir.join("license.jwt")
}
