//! How a key for external account bindings is shown.

use std::fmt::Display;

use chancery_cli::Lines;
use chancery_time::Timestamp;
use serde_json::{Value, json};

use crate::licensing::cold_start::remaining;
use crate::policy::AccountPolicy;
use crate::store::external_accounts::{ExternalAccountKey, Listed};

/// All but the secret.
pub(super) fn lines(listed: &Listed, now: Timestamp) -> Lines {
    let Listed { key, accounts } = listed;
    let mut lines = Lines::default();
    lines.add("Key", &key.kid);
    lines.add("Label", if key.label.is_empty() { "-" } else { &key.label });
    lines.add("State", state(key, now));
    lines.add("Uses left", uses_left(key));
    lines.add("Expires", expires(key));
    lines.add("Made", key.created_at.to_minutes());
    lines.add("Accounts", accounts);
    let AccountPolicy { allow, deny, profiles, .. } = &key.policy;
    lines.add("Names", if allow.is_empty() { "what the profiles allow".to_owned() } else { list(allow) });
    if !deny.is_empty() {
        lines.add("But not", list(deny));
    }
    lines.add("Profiles", if profiles.is_empty() { "all".to_owned() } else { list(profiles) });
    if let Some(longest) = key.policy.max_validity() {
        lines.add("Validity", format!("at most {}", remaining(longest)));
    }
    if key.policy.skip_validation {
        lines.add("Proofs", "none: its accounts get every name that is allowed without one");
    }
    lines
}

/// All but the secret.
pub(super) fn json(listed: &Listed, now: Timestamp) -> Value {
    let Listed { key, accounts } = listed;
    json!({
        "kid": key.kid,
        "label": key.label,
        "state": key.standing(now).name(),
        "uses_left": key.uses_left,
        "expires": key.expires_at,
        "revoked": key.revoked_at,
        "created": key.created_at,
        "accounts": accounts,
        "policy": key.policy,
    })
}

/// Whether it can bind another account.
pub(super) fn state(key: &ExternalAccountKey, now: Timestamp) -> String {
    let name = key.standing(now).name();
    key.revoked_at.map_or_else(|| name.to_owned(), |at| format!("{name} at {}", at.to_minutes()))
}

pub(super) fn uses_left(key: &ExternalAccountKey) -> String {
    key.uses_left.map_or_else(|| "unlimited".to_owned(), |left| left.to_string())
}

pub(super) fn expires(key: &ExternalAccountKey) -> String {
    key.expires_at.map_or_else(|| "never".to_owned(), Timestamp::to_minutes)
}

fn list(entries: &[impl Display]) -> String {
    entries.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
