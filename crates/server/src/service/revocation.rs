//! Revocation of certificates (RFC 8555 §7.6).
//!
//! A certificate is revoked for whoever shows its key, for the account that ordered it, and for any other
//! account that holds valid authorizations for all of its names, under the profile that it was issued under.
//! Nobody else learns whether it was ever issued.

mod reason;

pub(crate) use reason::Reason;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_acme::identifier::IdentifierSet;
use chancery_acme::payload::RevokeCert;
use chancery_acme::{Identifier, Problem, ProblemType};
use chancery_db::{ReadTx, WriteTx};
use chancery_pki::certificate::EndEntity;
use chancery_time::Timestamp;
use serde_json::json;

use super::accounts::require_valid;
use super::failure::Abuse;
use super::{Failure, Signer};
use crate::app::App;
use crate::audit::{Entry, Origin, events};
use crate::hex::hex;
use crate::store::authorizations::{self, Found};
use crate::store::certificates::{self, Known};
use crate::store::revocations;

/// Who asks for a revocation.
#[derive(Debug, Clone)]
pub(crate) enum Petitioner {
    Account(Signer),
    /// Whoever holds the private half of this key, a DER SubjectPublicKeyInfo.
    Key {
        spki: Vec<u8>,
        origin: Arc<Origin>,
    },
}

/// By what right a certificate is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// The account ordered it.
    Account,
    /// The account answers for all of its names.
    OtherAccount,
    /// The request was signed with its key.
    Key,
    /// A command on the server's machine.
    Operator,
}

/// What came of a request that was understood.
enum Verdict {
    Revoked,
    /// It was, before.
    AlreadyRevoked,
    /// There is none like that.
    Unknown,
    /// Not for this petitioner, or there is none like that: they are not told which.
    Denied,
}

/// Revokes a certificate for a client.
pub(crate) async fn revoke(app: &App, by: Petitioner, request: RevokeCert) -> Result<(), Failure> {
    let reason = request
        .reason
        .map(Reason::from_code)
        .transpose()
        .map_err(|error| Problem::new(ProblemType::BadRevocationReason, format!("`reason`: {error}")))?;
    let der = Base64UrlUnpadded::decode_vec(&request.certificate)
        .map_err(|_| Problem::malformed("`certificate` is not unpadded base64url of a certificate in DER"))?;
    let certificate =
        EndEntity::from_der(&der).map_err(|error| Problem::malformed(format!("`certificate`: {error}")))?;
    // Where the audit log is required and cannot be written, this goes on all the same: a key that leaked cannot
    // wait. What is told of it waits in the store.
    // As it is told everywhere; one that is longer than any of ours, as it is.
    let serial =
        certificate.serial_number().map_or_else(|| hex(&certificate.serial), |serial| serial.to_string());
    let now = app.now();
    let verdict = match &by {
        Petitioner::Key { spki, .. } if *spki != certificate.spki_der => Verdict::Denied,
        _ => decide(app, by.clone(), certificate, der, reason, now).await?,
    };
    match verdict {
        Verdict::Revoked => Ok(()),
        Verdict::AlreadyRevoked => {
            let detail = "the certificate was revoked before, and stays so";
            Err(Problem::new(ProblemType::AlreadyRevoked, detail).into())
        }
        Verdict::Unknown => Err(Problem::not_found("the server did not issue this certificate").into()),
        Verdict::Denied => {
            note_denial(app, &by, serial, reason, now).await;
            Err(Failure::Abusive(Abuse::ForeignObject, denied(&by)))
        }
    }
}

/// Finds the certificate, and revokes it where the petitioner may ask for that.
async fn decide(
    app: &App,
    by: Petitioner,
    certificate: EndEntity,
    der: Vec<u8>,
    reason: Option<Reason>,
    now: Timestamp,
) -> Result<Verdict, Failure> {
    let (trail, profiles) = (app.trail.clone(), Arc::clone(&app.profiles));
    app.db
        .write(move |tx| {
            if let Petitioner::Account(signer) = &by {
                require_valid(tx, signer)?;
            }
            let known = match certificate.serial_number() {
                Some(serial) => certificates::by_serial(tx, &serial)?,
                None => None,
            };
            let Some(known) = known.filter(|known| known.der == der) else {
                return Ok(match &by {
                    Petitioner::Key { .. } => Verdict::Unknown,
                    Petitioner::Account(_) => Verdict::Denied,
                });
            };
            let right = match &by {
                Petitioner::Key { .. } => Some(Right::Key),
                Petitioner::Account(signer) => {
                    // Certificates from before there were several profiles are those of the first.
                    let profile = match &known.profile {
                        Some(profile) => Some(profile.as_str()),
                        None => profiles.rules().first().map(|rules| rules.name.as_str()),
                    };
                    right_of(tx, signer, &known, profile, now)?
                }
            };
            let Some(right) = right else { return Ok(Verdict::Denied) };
            if !apply(tx, &known, reason, right, now)? {
                return Ok(Verdict::AlreadyRevoked);
            }
            let entry = entry(&known, reason, right);
            let entry = match &by {
                Petitioner::Account(signer) => entry.account(signer.account_id).from(&signer.origin),
                Petitioner::Key { origin, .. } => entry.from(origin),
            };
            trail.tell(tx, &entry, now)?;
            Ok::<_, Failure>(Verdict::Revoked)
        })
        .await
}

/// Revokes a certificate; `false` where it was revoked before. A key that was compromised gets no other
/// certificate and no account: but that is not for another account to say, which holds the names and not the key.
pub(crate) fn apply(
    tx: &mut WriteTx<'_>,
    certificate: &Known,
    reason: Option<Reason>,
    right: Right,
    now: Timestamp,
) -> Result<bool, chancery_db::Error> {
    if !revocations::revoke(tx, certificate, reason.map(Reason::code), now)? {
        return Ok(false);
    }
    if right.speaks_for_key()
        && let (Some(Reason::KeyCompromise), Ok(facts)) = (reason, EndEntity::from_der(&certificate.der))
    {
        revocations::note_compromised(tx, &key_digest(&facts.spki_der), now)?;
    }
    Ok(true)
}

/// Whether a key, a DER SubjectPublicKeyInfo, was compromised by what revocations say.
pub(crate) fn is_compromised(tx: &mut ReadTx<'_>, spki_der: &[u8]) -> Result<bool, chancery_db::Error> {
    revocations::is_compromised(tx, &key_digest(spki_der))
}

fn key_digest(spki_der: &[u8]) -> Vec<u8> {
    digest(&SHA256, spki_der).as_ref().to_vec()
}

/// What the audit log is told of a revocation.
pub(crate) fn entry(certificate: &Known, reason: Option<Reason>, right: Right) -> Entry {
    let details = json!({
        "certificate": certificate.id,
        "serial": certificate.serial.to_string(),
        "identifiers": certificate.identifiers,
        "owner": certificate.account_id,
        "by": right.name(),
        "reason": reason.map(Reason::name),
    });
    let entry = Entry::new(events::CERTIFICATE_REVOKE, details);
    match certificate.account_id {
        Some(account_id) => entry.account(account_id),
        None => entry,
    }
}

/// By what right an account may ask for the revocation of a certificate.
fn right_of(
    tx: &mut ReadTx<'_>,
    signer: &Signer,
    certificate: &Known,
    profile: Option<&str>,
    now: Timestamp,
) -> Result<Option<Right>, Failure> {
    let Some(owner) = certificate.account_id else {
        // The server's own is nobody's to revoke but its key's.
        return Ok(None);
    };
    if owner == signer.account_id {
        return Ok(Some(Right::Account));
    }
    let identifiers = IdentifierSet::from_canonical(&certificate.identifiers).ok_or_else(|| {
        anyhow::anyhow!("the names of certificate {} in the store are none", certificate.id)
    })?;
    let Some(profile) = profile else { return Ok(None) };
    for identifier in identifiers.as_slice() {
        if !answers_for(tx, signer.account_id, identifier, profile, now)? {
            return Ok(None);
        }
    }
    Ok(Some(Right::OtherAccount))
}

/// Whether an account has proven a name, and its authorization is valid: the name's own, or that of a name above it
/// which speaks for those below (RFC 9444). A wildcard lies below its base. RFC 8555 §7.6 has authorizations stand for
/// control over the names; one that was given without a proof shows none.
fn answers_for(
    tx: &mut ReadTx<'_>,
    account_id: i64,
    identifier: &Identifier,
    profile: &str,
    now: Timestamp,
) -> Result<bool, chancery_db::Error> {
    let own = authorizations::valid_for(tx, account_id, identifier, profile, false, now)?;
    if is_proven(tx, own)? {
        return Ok(true);
    }
    let Some(name) = identifier.dns_name() else { return Ok(false) };
    let above = authorizations::valid_above(tx, account_id, name, profile, now)?;
    is_proven(tx, above)
}

fn is_proven(tx: &mut ReadTx<'_>, found: Option<Found>) -> Result<bool, chancery_db::Error> {
    match found {
        Some(found) => revocations::is_proven(tx, found.id),
        None => Ok(false),
    }
}

fn denied(by: &Petitioner) -> Problem {
    Problem::unauthorized(match by {
        Petitioner::Account(_) => {
            "the account neither ordered this certificate here nor holds valid authorizations for all of its \
             names: sign with the account that ordered it, or with the certificate's own key as `jwk`"
        }
        Petitioner::Key { .. } => {
            "the request is not signed with the key of this certificate: sign with that key, or name by `kid` \
             an account that may revoke it"
        }
    })
}

async fn note_denial(app: &App, by: &Petitioner, serial: String, reason: Option<Reason>, now: Timestamp) {
    let details = json!({ "serial": serial, "reason": reason.map(Reason::name) });
    let entry = Entry::new(events::CERTIFICATE_REVOKE_REJECTED, details);
    let entry = match by {
        Petitioner::Account(signer) => {
            entry.account(signer.account_id).from(&signer.origin).denied("not_its_certificate")
        }
        Petitioner::Key { origin, .. } => entry.from(origin).denied("not_its_key"),
    };
    if let Err(error) = app.trail.tell_alone(&app.db, entry, now).await {
        tracing::error!(%error, "a refusal could not be told to the audit log");
    }
}

impl Right {
    /// Whether whoever has it can say that the key leaked: it is theirs.
    const fn speaks_for_key(self) -> bool {
        match self {
            Self::Account | Self::Key | Self::Operator => true,
            Self::OtherAccount => false,
        }
    }

    /// The name in the audit log.
    const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::OtherAccount => "other_account",
            Self::Key => "key",
            Self::Operator => "operator",
        }
    }
}

#[cfg(test)]
mod tests;
