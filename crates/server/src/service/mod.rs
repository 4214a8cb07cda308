//! What the server does for its clients: one function for each thing they can ask, each at most a few
//! transactions. Nothing here knows HTTP.

pub(crate) mod account_keys;
pub(crate) mod accounts;
pub(crate) mod approval;
pub(crate) mod authorities;
pub(crate) mod authorizations;
pub(crate) mod caa;
pub(crate) mod certificates;
pub(crate) mod challenges;
pub(crate) mod external_accounts;
pub(crate) mod failure;
pub(crate) mod issuance;
pub(crate) mod key_change;
pub(crate) mod limits;
pub(crate) mod nonces;
pub(crate) mod observer;
pub(crate) mod orders;
pub(crate) mod pre_authorization;
pub(crate) mod profiles;
pub(crate) mod proofs;
pub(crate) mod renewals;
pub(crate) mod revocation;

pub(crate) use failure::Failure;

use std::sync::Arc;

use chancery_acme::Thumbprint;

use crate::app::App;
use crate::audit::Origin;

/// Makes sure that the audit log takes, sooner or later, what is about to be done.
pub(crate) fn require_audit(app: &App) -> Result<(), Failure> {
    if app.audit.allows_changes() { Ok(()) } else { Err(Failure::NoAudit) }
}

/// The account that a verified request was signed for.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) account_id: i64,
    /// The key that the signature was verified under.
    pub(crate) thumbprint: Thumbprint,
    /// Where the request came from.
    pub(crate) origin: Arc<Origin>,
}
