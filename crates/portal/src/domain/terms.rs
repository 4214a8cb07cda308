//! The rules of the terms that plans and licences have.

use chancery_license::limits::{self, MAX_TTL_DAYS};
use chancery_license::state::AfterGrace;

use super::{Mode, Refusal, fields};
use crate::store::licenses::{Entitlement, Terms, after_grace_name};

/// More seats than anybody sells.
const MAX_SEATS: i64 = i32::MAX as i64;
/// As in licence documents.
const MAX_GRACE_DAYS: i64 = 366;
/// As in machine files.
const MAX_FILE_GRACE_DAYS: i64 = 30;

/// Holds terms to what documents can say.
///
/// # Errors
/// The first rule that is broken.
pub(crate) fn check(terms: &Terms) -> Result<(), Refusal> {
    if let Some(seats) = terms.seat_limit {
        fields::number("seat_limit", seats, 1, MAX_SEATS)?;
    }
    fields::number("grace_days", terms.grace_days, 0, MAX_GRACE_DAYS)?;
    fields::number("file_days", terms.file_days, 1, i64::from(MAX_TTL_DAYS))?;
    fields::number("file_grace_days", terms.file_grace_days, 0, MAX_FILE_GRACE_DAYS)?;
    limits::plan_key(&terms.plan_key)?;
    entitlements(&terms.entitlements)
}

/// What a seat stands for, by its name in the API.
///
/// # Errors
/// Another name.
pub(crate) fn mode(name: &str) -> Result<Mode, Refusal> {
    fields::one_of("mode", name, &Mode::ALL, Mode::name)
}

/// What is allowed after the grace, by its name in the API.
///
/// # Errors
/// Another name.
pub(crate) fn after_grace(name: &str) -> Result<AfterGrace, Refusal> {
    fields::one_of("after_grace", name, &[AfterGrace::RenewalsOnly, AfterGrace::Block], after_grace_name)
}

fn entitlements(entitlements: &[Entitlement]) -> Result<(), Refusal> {
    limits::entitlement_keys(entitlements.iter().map(|entitlement| entitlement.key.as_str()))?;
    for entitlement in entitlements {
        fields::metadata(entitlement.metadata.as_ref()).map_err(|refusal| {
            let message = format!(
                "entitlements: {} has metadata that breaks a rule: {}",
                entitlement.key, refusal.message
            );
            Refusal { message, ..refusal }.with("field", "entitlements".into())
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chancery_license::Plan;
    use serde_json::json;

    use super::*;
    use crate::domain::Code;
    use crate::service::testing::{chancery_terms, terms};

    fn entitlement(key: &str) -> Entitlement {
        Entitlement { key: key.to_owned(), expires_at: None, metadata: None }
    }

    #[test]
    fn each_rule_names_the_member_that_breaks_it() {
        type Alter = fn(&mut Terms);
        let cases: [(Alter, Option<&str>); 16] = [
            (|_| (), None),
            (|terms| terms.seat_limit = None, None),
            (|terms| terms.seat_limit = Some(MAX_SEATS), None),
            (|terms| terms.seat_limit = Some(0), Some("seat_limit")),
            (|terms| terms.seat_limit = Some(MAX_SEATS + 1), Some("seat_limit")),
            (|terms| terms.grace_days = 366, None),
            (|terms| terms.grace_days = 367, Some("grace_days")),
            (|terms| terms.grace_days = -1, Some("grace_days")),
            (|terms| terms.file_days = 0, Some("file_days")),
            (|terms| terms.file_days = 3_651, Some("file_days")),
            (|terms| terms.file_grace_days = 31, Some("file_grace_days")),
            (|terms| terms.plan_key = String::new(), Some("plan_key")),
            (|terms| terms.entitlements = vec![entitlement("a"), entitlement("b-1_x")], None),
            (|terms| terms.entitlements = vec![entitlement("a"), entitlement("a")], Some("entitlements")),
            (|terms| terms.entitlements = vec![entitlement("-a")], Some("entitlements")),
            (
                |terms| {
                    let metadata = json!({ "x": "x".repeat(200_000) }).as_object().cloned();
                    terms.entitlements = vec![Entitlement { metadata, ..entitlement("a") }];
                },
                Some("entitlements"),
            ),
        ];
        for (number, (alter, field)) in cases.into_iter().enumerate() {
            let mut terms = terms("pro");
            alter(&mut terms);
            let refused = check(&terms).err();
            assert_eq!(refused.as_ref().map(|refusal| refusal.code), field.map(|_| Code::InvalidArguments));
            let named = refused.map(|refusal| refusal.details["field"].clone());
            assert_eq!(named, field.map(|field| json!(field)), "case {number}");
        }
        assert_eq!(check(&chancery_terms("pro", Plan::Pro)), Ok(()));
    }

    #[test]
    fn words_are_those_of_the_api() {
        for one in Mode::ALL {
            assert_eq!(mode(one.name()), Ok(one));
        }
        assert_eq!(after_grace("renewals_only"), Ok(AfterGrace::RenewalsOnly));
        assert_eq!(
            after_grace("renewals-only").unwrap_err().message,
            "after_grace: is one of renewals_only, block"
        );
        assert_eq!(mode("").unwrap_err().code, Code::InvalidArguments);
    }
}
