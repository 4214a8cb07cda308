//! How commands show a licence.

use chancery_cli::Lines;
use chancery_license::LicenseKey;
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::super::desk::Told;
use super::super::pages::or_dash;
use crate::service::licenses::Found;
use crate::store::licenses::{License, after_grace_name};

pub(super) const HEADINGS: [&str; 7] = ["LICENCE", "KEY", "STATUS", "PLAN", "SEATS", "ENDS", "REFERENCE"];

/// A licence without its key, of which the hint is left.
pub(super) fn hidden(found: Found) -> Found {
    Found { key: None, ..found }
}

pub(super) fn row(found: &Found) -> [String; 7] {
    let license = &found.license;
    [
        license.id.clone(),
        hint(license),
        license.status_at(found.at).name().to_owned(),
        license.terms.plan_key.clone(),
        seats(license),
        license.expires_at.map_or_else(|| "never".to_owned(), Timestamp::to_minutes),
        or_dash(license.reference.as_ref()),
    ]
}

pub(super) fn told(what: &str, found: &Found) -> anyhow::Result<Told> {
    let (license, terms) = (&found.license, &found.license.terms);
    let mut lines = Lines::default();
    lines.add("Licence", &license.id);
    lines.add(
        "Key",
        found.key.as_ref().map_or_else(|| hint(license), |key| LicenseKey::reveal(key).to_owned()),
    );
    lines.add("Product", format_args!("{}, {}", found.product.slug, license.environment));
    lines.add("Status", license.status_at(found.at).name());
    if let Some(reason) = &license.revocation_reason {
        lines.add("Revoked", format_args!("{}, {reason}", or_dash(license.revoked_at)));
    }
    lines.add("Plan", &terms.plan_key);
    lines.add("Organisation", or_dash(license.organisation_id.as_ref()));
    lines.add("Reference", or_dash(license.reference.as_ref()));
    lines.add("Begins", license.starts_at.map_or_else(|| "at once".to_owned(), |start| start.to_string()));
    lines.add("Ends", license.expires_at.map_or_else(|| "never".to_owned(), |end| end.to_string()));
    let after = after_grace_name(terms.after_grace);
    lines.add("Grace", format_args!("{} days, then {after}", terms.grace_days));
    lines.add("Seats", format_args!("{}, {}", seats(license), terms.mode.name()));
    let (days, grace) = (terms.file_days, terms.file_grace_days);
    lines.add("Machine files", format_args!("valid {days} days, {grace} days of grace"));
    let keys: Vec<&str> = terms.entitlements.iter().map(|entitlement| entitlement.key.as_str()).collect();
    lines.add("Entitlements", or_dash((!keys.is_empty()).then(|| keys.join(" "))));
    if let Some(allowed) = terms.chancery {
        lines.add("Chancery plan", format_args!("{}, {}", allowed.plan, json!(allowed.entitlements)));
    }
    if let Some(metadata) = &license.metadata {
        lines.add("Metadata", Value::from(metadata.clone()));
    }
    lines.add("Revision", license.revision);
    Ok(Told { text: format!("{what}{lines}"), json: serde_json::to_value(found.details())? })
}

fn hint(license: &License) -> String {
    format!("CRT-…{}", license.key_hint)
}

/// `2 of 5`
fn seats(license: &License) -> String {
    let limit = license.terms.seat_limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    format!("{} of {limit}", license.active_seats)
}
