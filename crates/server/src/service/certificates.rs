//! Certificates: what is kept of them, how they are told of, and how their accounts get them.

use anyhow::Context;
use chancery_acme::Problem;
use chancery_pki::certificate::Prepared;
use chancery_pki::name::San;
use chancery_pki::request::ValidatedRequest;
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::accounts::require_valid;
use super::authorities::Authority;
use super::{Failure, Signer};
use crate::app::App;
use crate::audit::{Entry, events};
use crate::store;
use crate::store::certificates::{Issued, PreparedRecord};

/// A certificate with one of its chains.
pub(crate) struct Download {
    /// PEM, the certificate first.
    pub(crate) pem: String,
    /// How many chains there are to choose from, the authority's own among them.
    pub(crate) chains: usize,
}

/// A certificate of the signer's account with a chain (RFC 8555 §7.4.2): 0 is the authority's own, the
/// others are alternates.
pub(crate) async fn download(app: &App, signer: Signer, id: i64, chain: usize) -> Result<Download, Failure> {
    let issued: Issued = app
        .db
        .read(move |tx| {
            require_valid(tx, &signer)?;
            store::certificates::issued_by_id(tx, id)?
                .filter(|issued| issued.account_id == signer.account_id)
                .ok_or_else(|| Failure::foreign("this account has no such certificate"))
        })
        .await?;
    if let Some(revoked_at) = issued.revoked_at {
        let at = revoked_at.whole_seconds();
        let detail =
            format!("the certificate was revoked at {at} and can no longer be had: order another one");
        return Err(Problem::not_found(detail).into());
    }
    // A chain that the authority no longer has, has no alternates.
    let authority = app.profiles.authority_of(issued.issuer_id);
    let alternates = authority.map_or(&[][..], |authority| authority.alternate_chains());
    let chosen = match chain.checked_sub(1) {
        None => &issued.chain_pem,
        Some(alternate) => alternates.get(alternate).ok_or_else(|| {
            Problem::not_found("the certificate has no such chain: follow the links of its own URL")
        })?,
    };
    Ok(Download { pem: chancery_pki::certificate::pem(&issued.der) + chosen, chains: 1 + alternates.len() })
}

/// Issues the server's own certificate under the first profile; returns its chain in PEM.
///
/// # Errors
/// When the store or the authority fails.
pub(crate) async fn issue_own(app: &App, request: &ValidatedRequest) -> anyhow::Result<String> {
    let now = app.now();
    let profile = app.profiles.of(None).context("there is no profile")?;
    let validity =
        profile.validity(now, None, None, None).map_err(|problem| anyhow::anyhow!("{}", problem.detail()))?;
    // Always under the same one, so that those who trust its root can reach the server, whoever's turn it is.
    let authority = profile.at_work.signers.leading(now).context("the profile has no authority")?;
    let prepared = profile.prepare_under(authority, request, validity, now)?;
    let record = record(authority, &prepared, now);
    let id = app.db.write(move |tx| store::certificates::insert_prepared(tx, &record)).await?;
    let details = facts(id, None, &prepared);
    let certificate = authority.issue(prepared, now)?;
    let (der, trail) = (certificate.der().to_vec(), app.trail.clone());
    app.db
        .write(move |tx| {
            store::certificates::set_issued(tx, id, &der, now)?;
            trail.tell(tx, &Entry::new(events::CERTIFICATE_ISSUE_OWN, details.clone()), now)
        })
        .await?;
    Ok(certificate.to_pem() + authority.local().chain_pem())
}

/// What is recorded before a signature, of a certificate that nobody ordered.
pub(super) fn record(authority: &Authority, prepared: &Prepared, now: Timestamp) -> PreparedRecord {
    let names: Vec<String> = prepared.names().iter().map(san_text).collect();
    PreparedRecord {
        issuer_id: authority.issuer_id(),
        ordered_by: None,
        profile: None,
        identifiers: names.join(","),
        serial: prepared.serial().as_bytes().to_vec(),
        not_before: prepared.not_before(),
        not_after: prepared.not_after(),
        prepared_at: now,
    }
}

/// What the audit log is told of a certificate.
pub(super) fn facts(id: i64, order_id: Option<i64>, prepared: &Prepared) -> Value {
    let identifiers: Vec<String> = prepared.names().iter().map(san_text).collect();
    let mut details = json!({
        "certificate": id,
        "serial": prepared.serial().to_string(),
        "identifiers": identifiers.join(","),
        "not_before": prepared.not_before(),
        "not_after": prepared.not_after(),
    });
    if let (Some(order_id), Value::Object(members)) = (order_id, &mut details) {
        members.insert("order".to_owned(), json!(order_id));
    }
    details
}

/// A name in the form of [`IdentifierSet::canonical`].
fn san_text(name: &San) -> String {
    match name {
        San::Dns(name) => format!("dns:{name}"),
        San::Ip(address) => format!("ip:{address}"),
    }
}
