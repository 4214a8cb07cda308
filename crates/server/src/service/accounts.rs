//! Accounts (RFC 8555 §7.3).

use std::sync::Arc;

use chancery_acme::payload::{AccountUpdate, NewAccount, check_contacts};
use chancery_acme::state::AccountStatus;
use chancery_acme::{AccountKey, Problem, ProblemType};
use chancery_db::{ReadTx, WriteTx};
use serde_json::json;

use super::{Failure, Signer};
use crate::app::App;
use crate::audit::{Entry, Origin, events};
use crate::licensing::change::note_first_account;
use crate::store::accounts::{self, Account};

/// Makes an account for a key, or finds the one that it has; says whether it is new.
pub(crate) async fn register(
    app: &App,
    key: AccountKey,
    request: NewAccount,
    terms_of_service: bool,
    origin: Arc<Origin>,
) -> Result<(Account, bool), Failure> {
    if request.only_return_existing {
        let thumbprint = key.thumbprint().clone();
        let account = app.db.read(move |tx| accounts::by_thumbprint(tx, &thumbprint)).await?;
        let account = account.ok_or_else(|| {
            Problem::new(
                ProblemType::AccountDoesNotExist,
                "no account has this key, and `onlyReturnExisting` was set",
            )
        })?;
        return Ok((usable(account)?, false));
    }
    let now = app.now();
    let contact = request.contact.unwrap_or_default();
    let agreed = request.terms_of_service_agreed || !terms_of_service;
    let acceptable = check_new(&contact, agreed);
    let unanchored = app.licensing.unanchored();
    let is_anchoring = unanchored.is_some();
    let trail = app.trail.clone();
    super::require_audit(app)?;
    let registered = app
        .db
        .write(move |tx| {
            // RFC 8555 §7.3: an account that exists is returned as it is, whatever else is asked for.
            if let Some(account) = accounts::by_thumbprint(tx, key.thumbprint())? {
                return Ok((usable(account)?, false));
            }
            acceptable.clone()?;
            if let Some(installation) = &unanchored {
                note_first_account(tx, installation, now)?;
            }
            let (account, is_new) = accounts::insert_or_find(tx, &key, &contact, now)?;
            if is_new {
                let details = json!({ "contacts": contact, "thumbprint": key.thumbprint().as_str() });
                let entry = Entry::new(events::ACCOUNT_CREATE, details).account(account.id).from(&origin);
                trail.tell(tx, &entry, now)?;
            }
            Ok((account, is_new))
        })
        .await;
    if is_anchoring && matches!(registered, Ok((_, true))) {
        app.licensing.set_anchored();
    }
    registered
}

/// Makes sure that the signer's account may be used, where nothing else is asked of it.
pub(crate) async fn confirm(app: &App, signer: Signer) -> Result<(), Failure> {
    app.db.read(move |tx| require_valid(tx, &signer)).await
}

/// The account itself.
pub(crate) async fn view(app: &App, signer: Signer) -> Result<Account, Failure> {
    app.db
        .read(move |tx| {
            require_valid(tx, &signer)?;
            accounts::by_id(tx, signer.account_id)?.ok_or_else(gone)
        })
        .await
}

/// Changes the contacts of an account, or closes it.
pub(crate) async fn update(app: &App, signer: Signer, update: AccountUpdate) -> Result<Account, Failure> {
    // RFC 8555 §7.3.2: every other value of `status` is ignored.
    let deactivate = update.status.as_deref() == Some(AccountStatus::Deactivated.name());
    check_contacts(update.contact.as_deref().unwrap_or_default())?;
    let (now, trail) = (app.now(), app.trail.clone());
    app.db
        .write(move |tx| {
            require_valid(tx, &signer)?;
            let tell = |tx: &mut WriteTx<'_>, kind, details| {
                let entry = Entry::new(kind, details).account(signer.account_id).from(&signer.origin);
                trail.tell(tx, &entry, now)
            };
            if let Some(contact) = &update.contact {
                accounts::set_contact(tx, signer.account_id, contact)?;
                tell(tx, events::ACCOUNT_UPDATE, json!({ "contacts": contact }))?;
            }
            if deactivate {
                accounts::set_status(tx, signer.account_id, AccountStatus::Deactivated)?;
                tell(tx, events::ACCOUNT_DEACTIVATE, json!({}))?;
            }
            accounts::by_id(tx, signer.account_id)?.ok_or_else(gone)
        })
        .await
}

/// Makes sure that the account still has the key that signed, and may be used.
pub(crate) fn require_valid(tx: &mut ReadTx<'_>, signer: &Signer) -> Result<(), Failure> {
    match accounts::status(tx, signer.account_id, &signer.thumbprint)? {
        Some(status) => require_usable(status),
        // The key was changed since the signature was verified.
        None => Err(gone()),
    }
}

/// What is asked of a new account alone.
fn check_new(contact: &[String], agreed: bool) -> Result<(), Problem> {
    check_contacts(contact)?;
    if agreed {
        return Ok(());
    }
    Err(Problem::new(
        ProblemType::UserActionRequired,
        "agree to the terms of service that the directory names: set `termsOfServiceAgreed`",
    ))
}

fn usable(account: Account) -> Result<Account, Failure> {
    require_usable(account.status).map(|()| account)
}

fn require_usable(status: AccountStatus) -> Result<(), Failure> {
    let name = match status {
        AccountStatus::Valid => return Ok(()),
        AccountStatus::Deactivated => "deactivated",
        AccountStatus::Revoked => "revoked",
    };
    // RFC 8555 §7.3.6: status 401.
    let detail = format!("the account is {name}: register again with a new key");
    Err(Problem::unauthorized(detail).with_status(401).into())
}

fn gone() -> Failure {
    Problem::new(ProblemType::AccountDoesNotExist, "the account does not exist, or has another key by now")
        .into()
}
