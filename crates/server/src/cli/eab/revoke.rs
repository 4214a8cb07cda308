//! `chancery eab revoke`.

use serde_json::json;

use super::{Told, Visit, find, shown};
use crate::audit::operator;
use crate::audit::{Entry, events};
use crate::store::external_accounts::{self, Listed};

pub(super) async fn run(on: &Visit, kid: String) -> anyhow::Result<Told> {
    let (trail, now) = (on.office.trail.clone(), on.now);
    let revoked = on
        .office
        .db
        .write(move |tx| {
            let Listed { key, accounts } = find(tx, &kid)?;
            if let Some(at) = key.revoked_at {
                anyhow::bail!("the key `{kid}` was revoked already, at {}", at.to_minutes());
            }
            external_accounts::set_revoked(tx, key.id, now)?;
            let details = json!({ "kid": kid, "accounts": accounts });
            trail.tell(tx, &Entry::new(events::EAB_REVOKE, details).by(operator()), now)?;
            find(tx, &kid)
        })
        .await?;
    let stay = match revoked.accounts {
        0 => "No account is bound to it.".to_owned(),
        bound => format!(
            "{bound} account(s) are bound to it and stay: `chancery account list --eab '{}'` lists them, and \
             `chancery account revoke` revokes them.",
            revoked.key.kid
        ),
    };
    let text = format!("External account key revoked — kid={}\n  {stay}\n", revoked.key.kid);
    Ok(Told { text, json: shown::json(&revoked, on.now) })
}
