//! Accounts (RFC 8555 §7.3).

use std::sync::Arc;

use chancery_acme::eab::{EabError, ExternalAccountBinding};
use chancery_acme::jwk::KeyRefusal;
use chancery_acme::jws::JwsError;
use chancery_acme::payload::{AccountUpdate, NewAccount, check_contacts};
use chancery_acme::state::AccountStatus;
use chancery_acme::{AccountKey, Problem, ProblemType};
use chancery_db::{ReadTx, WriteTx};
use serde_json::json;

use super::failure::Abuse;
use super::{Failure, Signer, external_accounts, revocation};
use crate::app::App;
use crate::audit::{Entry, Origin, events};
use crate::licensing::change::note_first_account;
use crate::store::accounts::{self, Account};

/// A request for an account, its signature verified.
pub(crate) struct Registration {
    pub(crate) key: AccountKey,
    pub(crate) request: NewAccount,
    /// The URL that it was sent to.
    pub(crate) url: String,
    /// The profile whose own directory the client found, if it was one's own.
    pub(crate) profile: Option<String>,
    pub(crate) origin: Arc<Origin>,
}

/// What comes of a registration.
enum Outcome {
    Found(Account),
    Made(Account),
    /// The binding is not believed, and why.
    Unbound(&'static str),
}

/// Makes an account for a key, or finds the one that it has; says whether it is new.
pub(crate) async fn register(app: &App, registration: Registration) -> Result<(Account, bool), Failure> {
    if registration.request.only_return_existing {
        return Ok((existing(app, registration.key).await?, false));
    }
    let now = app.now();
    let acceptable = check_new(app, &registration);
    let Registration { key, request, origin, .. } = registration;
    let contact = request.contact.unwrap_or_default();
    let kid = acceptable.as_ref().ok().and_then(|binding| Some(binding.as_ref()?.kid().to_owned()));
    let unanchored = app.licensing.unanchored();
    let is_anchoring = unanchored.is_some();
    let (trail, limits, by) = (app.trail.clone(), Arc::clone(&app.limits), Arc::clone(&origin));
    super::require_audit(app)?;
    let outcome = app
        .db
        .write(move |tx| {
            // RFC 8555 §7.3.1: an account that exists is returned as it is, whatever else is asked for.
            if let Some(account) = accounts::by_thumbprint(tx, key.thumbprint())? {
                return Ok(Outcome::Found(usable(account)?));
            }
            if revocation::is_compromised(tx, key.spki_der())? {
                return Err(Problem::from(KeyRefusal::Compromised).into());
            }
            let bound_to = match acceptable.as_ref().map_err(Clone::clone)? {
                Some(binding) => match external_accounts::find(tx, binding, now)? {
                    Ok(key) => Some(key),
                    Err(why) => return Ok(Outcome::Unbound(why)),
                },
                None => None,
            };
            if let Some(installation) = &unanchored {
                note_first_account(tx, installation, now)?;
            }
            let row = bound_to.as_ref().map(|key| key.id);
            let (account, is_new) = accounts::insert_or_find(tx, &key, &contact, row, now)?;
            if !is_new {
                return Ok(Outcome::Found(usable(account)?));
            }
            limits.take_account(tx, by.ip, now)?;
            let details = json!({ "contacts": contact, "thumbprint": key.thumbprint().as_str() });
            let entry = Entry::new(events::ACCOUNT_CREATE, details).account(account.id).from(&by);
            trail.tell(tx, &entry, now)?;
            if let Some(key) = &bound_to {
                external_accounts::use_up(tx, key)?;
                let details = json!({ "kid": key.kid, "uses_left": key.uses_left.map(|left| left - 1) });
                let entry = Entry::new(events::EAB_USE, details).account(account.id).from(&by);
                trail.tell(tx, &entry, now)?;
            }
            Ok::<_, Failure>(Outcome::Made(account))
        })
        .await?;
    match outcome {
        Outcome::Found(account) => Ok((account, false)),
        Outcome::Made(account) => {
            if is_anchoring {
                app.licensing.set_anchored();
            }
            Ok((account, true))
        }
        Outcome::Unbound(why) => {
            let entry = Entry::new(events::EAB_REFUSE, json!({ "kid": kid })).from(&origin).denied(why);
            if let Err(error) = app.trail.tell_alone(&app.db, entry, now).await {
                tracing::error!(%error, "a refusal could not be told to the audit log");
            }
            // Whatever the reason, so that this does not tell which it was either.
            Err(Failure::Abusive(Abuse::BadSignature, EabError::Unauthorized.into()))
        }
    }
}

/// The account of a key (RFC 8555 §7.3.1).
async fn existing(app: &App, key: AccountKey) -> Result<Account, Failure> {
    let account = app.db.read(move |tx| accounts::by_thumbprint(tx, key.thumbprint())).await?;
    let account = account.ok_or_else(|| {
        Problem::new(
            ProblemType::AccountDoesNotExist,
            "no account has this key, and `onlyReturnExisting` was set",
        )
    })?;
    usable(account)
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
                let why = Problem::unauthorized("the account was deactivated");
                accounts::end(tx, signer.account_id, AccountStatus::Deactivated, &why)?;
                tell(tx, events::ACCOUNT_DEACTIVATE, json!({}))?;
            }
            accounts::by_id(tx, signer.account_id)?.ok_or_else(gone)
        })
        .await
}

/// Makes sure that the account still has the key that signed, and may be used.
pub(crate) fn require_valid(tx: &mut ReadTx<'_>, signer: &Signer) -> Result<(), Failure> {
    require_standing(tx, signer).map(drop)
}

/// As [`require_valid`]; says whether the account has an external account binding.
pub(crate) fn require_standing(tx: &mut ReadTx<'_>, signer: &Signer) -> Result<bool, Failure> {
    match accounts::standing(tx, signer.account_id, &signer.thumbprint)? {
        Some((status, is_bound)) => require_usable(status).map(|()| is_bound),
        // The key was changed since the signature was verified, by this node or by another: what signs is no key
        // of the account any more.
        None => Err(JwsError::Signature.into()),
    }
}

/// What is asked of a new account alone; gives its binding, of which all is checked but the MAC.
fn check_new(app: &App, registration: &Registration) -> Result<Option<ExternalAccountBinding>, Problem> {
    let Registration { key, request, url, profile, .. } = registration;
    check_contacts(request.contact.as_deref().unwrap_or_default())?;
    if app.terms_of_service && !request.terms_of_service_agreed {
        return Err(Problem::new(
            ProblemType::UserActionRequired,
            "agree to the terms of service that the directory names: set `termsOfServiceAgreed`",
        ));
    }
    key.refuse_compromised(&app.compromised_keys)?;
    if let Some(binding) = &request.external_account_binding {
        return Ok(Some(ExternalAccountBinding::parse(binding.get(), key, url)?));
    }
    if !app.profiles.require_binding(profile.as_deref()) {
        return Ok(None);
    }
    // RFC 8555 §7.3.4.
    Err(Problem::new(
        ProblemType::ExternalAccountRequired,
        "accounts are for those who were given a key here: ask the operator for one, and register with its `kid` \
         and HMAC key as external account binding",
    ))
}

fn usable(account: Account) -> Result<Account, Failure> {
    require_usable(account.status).map(|()| account)
}

/// Makes sure that an account may be used, where nobody signs for it at the moment.
pub(crate) fn require_open(tx: &mut ReadTx<'_>, account_id: i64) -> Result<(), Failure> {
    require_usable(accounts::by_id(tx, account_id)?.ok_or_else(gone)?.status)
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
    Problem::new(ProblemType::AccountDoesNotExist, "the account does not exist").into()
}
