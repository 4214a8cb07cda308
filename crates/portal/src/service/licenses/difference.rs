//! What two states of a licence differ in.

use crate::store::licenses::License;

/// The members that a request may change and that differ, by their names in the API.
pub(super) fn changed(before: &License, after: &License) -> Vec<&'static str> {
    compared(before, after).into_iter().filter(|(.., differs)| *differs).map(|(name, ..)| name).collect()
}

/// Whether the documents of the licence show what differs.
pub(super) fn is_shown(before: &License, after: &License) -> bool {
    compared(before, after).into_iter().any(|(_, is_shown, differs)| is_shown && differs)
}

/// Every member: whether documents show it, and whether it differs.
fn compared(before: &License, after: &License) -> [(&'static str, bool, bool); 14] {
    let (old, new) = (&before.terms, &after.terms);
    let (shown, hidden) = (true, false);
    [
        ("organisation_id", shown, before.organisation_id != after.organisation_id),
        ("reference", hidden, before.reference != after.reference),
        ("metadata", shown, before.metadata != after.metadata),
        ("starts_at", shown, before.starts_at != after.starts_at),
        ("expires_at", shown, before.expires_at != after.expires_at),
        ("plan_key", shown, before.plan_id != after.plan_id || old.plan_key != new.plan_key),
        ("mode", shown, old.mode != new.mode),
        ("seat_limit", shown, old.seat_limit != new.seat_limit),
        ("entitlements", shown, old.entitlements != new.entitlements),
        ("grace_days", shown, old.grace_days != new.grace_days),
        ("after_grace", shown, old.after_grace != new.after_grace),
        ("file_days", hidden, old.file_days != new.file_days),
        ("file_grace_days", hidden, old.file_grace_days != new.file_grace_days),
        ("chancery", shown, old.chancery != new.chancery),
    ]
}
