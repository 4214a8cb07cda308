//! External account bindings (RFC 8555 §7.3.4): keys that operators hand out, and the accounts that
//! are registered with them.

use chancery_acme::eab::ExternalAccountBinding;
use chancery_db::{Error, ReadTx, WriteTx};
use chancery_time::Timestamp;

use crate::store::external_accounts::{self, ExternalAccountKey};

/// Whether a key can bind another account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Usable,
    Revoked,
    Expired,
    UsedUp,
}

impl Standing {
    /// What it is called, for operators and in the audit log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Usable => "usable",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::UsedUp => "used up",
        }
    }
}

impl ExternalAccountKey {
    /// Whether it can bind another account at `now`.
    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        if self.revoked_at.is_some() {
            Standing::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            Standing::Expired
        } else if self.uses_left.is_some_and(|left| left < 1) {
            Standing::UsedUp
        } else {
            Standing::Usable
        }
    }
}

/// The key that a binding was made with, or what the audit log shall know of why there is none. The client
/// is told the same whatever the reason.
pub(crate) fn find(
    tx: &mut ReadTx<'_>,
    binding: &ExternalAccountBinding,
    now: Timestamp,
) -> Result<Result<ExternalAccountKey, &'static str>, Error> {
    let found = external_accounts::by_kid(tx, binding.kid())?;
    let usable = match found {
        Some(key) => match key.standing(now) {
            Standing::Usable => Ok(key),
            standing => Err(standing.name()),
        },
        None => Err("unknown"),
    };
    let secret = match &usable {
        Ok(key) => Some(external_accounts::secret(tx, key.id)?),
        Err(_) => None,
    };
    // Without a secret the same work is done, and fails.
    let verified = binding.verify(secret.as_ref()).is_ok();
    Ok(usable.and_then(|key| if verified { Ok(key) } else { Err("wrong MAC") }))
}

/// Takes one of the uses of a key that [`find`] found in the same transaction.
pub(crate) fn use_up(tx: &mut WriteTx<'_>, key: &ExternalAccountKey) -> Result<(), Error> {
    if external_accounts::use_up(tx, key.id)? { Ok(()) } else { Err(Error::NoRow) }
}
