//! The change of an account's key (RFC 8555 §7.3.5).
//!
//! Authorizations and orders stay with the account. A challenge that waits for its client is answered under
//! the key of then: the key authorization (RFC 8555 §8.1) holds the key that signs the answer.

use std::sync::Arc;

use chancery_acme::jwk::KeyRefusal;
use chancery_acme::{AccountKey, Problem, key_change};
use serde_json::json;

use super::accounts::require_valid;
use super::{Failure, Signer, revocation};
use crate::app::App;
use crate::audit::{Entry, events};
use crate::store::accounts::{self, Account};

/// What comes of the wish for another key.
pub(crate) enum Outcome {
    Changed(Account, Arc<AccountKey>),
    /// That account has the key, whatever its status.
    Taken(i64),
}

/// Gives the signer's account the key that signs `inner`. `url` is that of the request.
pub(crate) async fn change(
    app: &App,
    signer: Signer,
    old_key: &AccountKey,
    inner: &[u8],
    url: &str,
) -> Result<Outcome, Failure> {
    let account_id = signer.account_id;
    let account_url = app.urls.account(&app.sealer, account_id);
    let new_key = key_change::verify(inner, url, &account_url, old_key).map_err(Problem::from)?;
    new_key.refuse_compromised(&app.compromised_keys).map_err(Problem::from)?;
    super::require_audit(app)?;
    let (now, trail, new_key) = (app.now(), app.trail.clone(), Arc::new(new_key));
    let key = Arc::clone(&new_key);
    let outcome = app
        .db
        .write(move |tx| {
            require_valid(tx, &signer)?;
            if let Some(other) = accounts::by_thumbprint(tx, key.thumbprint())? {
                return Ok(Outcome::Taken(other.id));
            }
            if revocation::is_compromised(tx, key.spki_der())? {
                return Err(Problem::from(KeyRefusal::Compromised).into());
            }
            accounts::set_key(tx, account_id, &key)?;
            let details = json!({ "from": signer.thumbprint.as_str(), "to": key.thumbprint().as_str() });
            let entry = Entry::new(events::ACCOUNT_KEY_CHANGE, details).account(account_id);
            trail.tell(tx, &entry.from(&signer.origin), now)?;
            let account = accounts::by_id(tx, account_id)?.ok_or(chancery_db::Error::NoRow)?;
            Ok::<_, Failure>(Outcome::Changed(account, Arc::clone(&key)))
        })
        .await?;
    if let Outcome::Changed(..) = &outcome {
        app.account_keys.keep(account_id, new_key);
    }
    Ok(outcome)
}
