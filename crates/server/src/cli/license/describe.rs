//! What a licence says, as several commands show it.

use std::time::Duration;

use chancery_cli::Lines;
use chancery_license::entitlements::Entitlements;
use chancery_license::state::AfterGrace;
use chancery_license::{Configuration, Limit, Usage};
use serde_json::{Value, json};

use crate::licensing::facts::{Facts, Form};

const SECONDS_PER_DAY: u64 = 86_400;

/// Plan, holder, which document it is, and its times.
pub(super) fn license(lines: &mut Lines, facts: &Facts) {
    let terms = &facts.terms;
    lines.add("Plan", facts.plan);
    lines.add("Holder", holder(facts));
    lines.add("Document", document(facts));
    lines.add("Bound to", facts.bound_to.as_ref().map_or("any installation", |key| key.as_str()));
    lines.add("Issued", terms.edition.issued.to_minutes());
    lines.add("Begins", terms.not_before.to_minutes());
    lines.add("Expires", terms.expires.to_minutes());
    lines.add(
        "Grace",
        format!(
            "{}, until {}; after that {}",
            length(terms.grace),
            terms.grace_ends().to_minutes(),
            after_grace(terms.after_grace)
        ),
    );
}

/// `Example Ltd (ops@example.com)`
pub(super) fn holder(facts: &Facts) -> String {
    format!("{} ({})", facts.organisation, facts.email)
}

/// `.lic, id lic-7, serial 3`; a JWT has no serial.
pub(super) fn document(facts: &Facts) -> String {
    let terms = &facts.terms;
    match facts.form {
        Form::Lic => format!(".lic, id {}, serial {}", terms.id, terms.edition.serial),
        Form::Jwt => format!("JWT, id {}", terms.id),
        Form::MachineFile => format!("machine file, id {}, serial {}", terms.id, terms.edition.serial),
    }
}

/// `7 days`; in hours where it is no whole number of days, as the end of a licence may leave of a machine file's grace.
fn length(grace: Duration) -> String {
    match (grace.as_secs() / SECONDS_PER_DAY, grace.as_secs() % SECONDS_PER_DAY) {
        (days, 0) => format!("{days} days"),
        _ => format!("{} hours", grace.as_secs() / 3_600),
    }
}

/// What is still allowed after the grace.
pub(super) const fn after_grace(then: AfterGrace) -> &'static str {
    match then {
        AfterGrace::Block => "nothing is issued",
        AfterGrace::RenewalsOnly => "renewals only",
    }
}

pub(super) fn license_json(facts: &Facts) -> Value {
    let terms = &facts.terms;
    json!({
        "form": facts.form.name(),
        "id": terms.id,
        "serial": terms.edition.serial,
        "plan": facts.plan,
        "holder": { "organisation": facts.organisation, "email": facts.email },
        "signed_by": facts.signer.to_string(),
        "bound_to": facts.bound_to,
        "issued": terms.edition.issued,
        "not_before": terms.not_before,
        "expires": terms.expires,
        "grace_days": terms.grace.as_secs() / SECONDS_PER_DAY,
        "grace_ends": terms.grace_ends(),
        "after_grace": terms.after_grace,
        "clock_tolerance_hours": terms.clock_tolerance.as_secs() / 3_600,
        "minimum_version": terms.minimum_version,
        "newest_build": terms.newest_build,
        "entitlements": facts.entitlements,
    })
}

/// Something that a licence limits.
struct Limited {
    label: &'static str,
    name: &'static str,
    limit: Limit,
    used: u64,
}

fn limited(allowed: &Entitlements, configuration: Configuration, usage: Usage) -> [Limited; 5] {
    let one = |label, name, limit, used| Limited { label, name, limit, used };
    [
        one("Authorities", "authorities", allowed.max_authorities, configuration.authorities),
        one("Managed servers", "managed_servers", allowed.max_managed_servers, usage.managed_servers),
        one("Certificates", "certificates", allowed.max_certificates, usage.certificates),
        one("Users", "users", allowed.max_users, usage.users),
        one("Profiles", "profiles", allowed.max_profiles, usage.profiles),
    ]
}

/// Each limit beside what is in use, then the databases and features.
pub(super) fn limits(lines: &mut Lines, allowed: &Entitlements, configuration: Configuration, usage: Usage) {
    for Limited { label, limit, used, .. } in limited(allowed, configuration, usage) {
        match limit {
            Limit::Forbidden => lines.add(label, format!("{used}, and none are allowed")),
            limit => lines.add(label, format!("{used} of {limit}")),
        }
    }
    lines.add("Databases", format!("{} (configured: {})", allowed.allowed_databases, configuration.database));
    lines.add("Features", allowed.features);
}

pub(super) fn limits_json(allowed: &Entitlements, configuration: Configuration, usage: Usage) -> Value {
    let mut limits = json!({
        "databases": { "configured": configuration.database.to_string(), "allowed": allowed.allowed_databases },
        "features": { "configured": configuration.features, "allowed": allowed.features },
    });
    for Limited { name, limit, used, .. } in limited(allowed, configuration, usage) {
        if let Value::Object(members) = &mut limits {
            members.insert(name.to_owned(), json!({ "used": used, "limit": limit }));
        }
    }
    limits
}

/// What is allowed, where nothing is in use.
pub(super) fn entitlements(lines: &mut Lines, allowed: &Entitlements) {
    lines.add("Authorities", allowed.max_authorities);
    lines.add("Managed servers", allowed.max_managed_servers);
    lines.add("Certificates", allowed.max_certificates);
    lines.add("Users", allowed.max_users);
    lines.add("Profiles", allowed.max_profiles);
    lines.add("Databases", allowed.allowed_databases);
    lines.add("Features", allowed.features);
}
