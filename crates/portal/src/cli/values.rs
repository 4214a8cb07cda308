//! The values that flags take, beyond those that read themselves.

use chancery_license::Limit;
use chancery_license::entitlements::{Named, Set};
use chancery_license::jwt::Tier;
use chancery_license::revocations::Reason;
use chancery_license::state::AfterGrace;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Map, Value};

use crate::domain::Change;
use crate::domain::integers::beyond_64_bits;

/// What a licence allows when the grace is over.
pub(super) fn after_grace() -> impl TypedValueParser<Value = AfterGrace> {
    one_of(&[("renewals-only", AfterGrace::RenewalsOnly), ("block", AfterGrace::Block)])
}

/// The tier of a licence JWT.
pub(super) fn tier() -> impl TypedValueParser<Value = Tier> {
    const fn named(tier: Tier) -> (&'static str, Tier) {
        (tier.name(), tier)
    }
    const TIERS: [(&str, Tier); 4] =
        [named(Tier::Trial), named(Tier::Starter), named(Tier::Pro), named(Tier::Enterprise)];
    one_of(&TIERS)
}

/// Why a licence is revoked, in the words of the revocation list.
pub(super) fn reason() -> impl TypedValueParser<Value = Reason> {
    one_of(&[
        ("cancelled", Reason::Cancelled),
        ("compromised", Reason::Compromised),
        ("misused", Reason::Misused),
        ("superseded", Reason::Superseded),
        ("unpaid", Reason::Unpaid),
        ("unspecified", Reason::Unspecified),
    ])
}

/// How many of a thing a licence allows.
pub(super) fn limit(text: &str) -> Result<Limit, String> {
    let number = match text {
        "unlimited" => return Ok(Limit::Unlimited),
        "forbidden" => return Ok(Limit::Forbidden),
        _ => text.parse().ok().filter(|number| (1..=Limit::MAX).contains(number)),
    };
    let refused = || format!("use a number from 1 to {}, `unlimited`, or `forbidden` for none", Limit::MAX);
    number.map(Limit::AtMost).ok_or_else(refused)
}

/// The same for a licence JWT, which knows numbers alone.
pub(super) fn count(text: &str) -> Result<u64, String> {
    match limit(text) {
        Ok(Limit::AtMost(number)) => Ok(number),
        Ok(Limit::Forbidden) => Ok(0),
        Ok(Limit::Unlimited) => Err(format!(
            "a licence JWT has no word for that: use a number up to {}, or mint a .lic",
            Limit::MAX
        )),
        Err(_) => Err(format!("use a number from 1 to {}, or `forbidden` for none", Limit::MAX)),
    }
}

/// Names with commas between them, or `none`.
pub(super) fn set<T: Named>(text: &str) -> Result<Set<T>, String> {
    let mut set = Set::EMPTY;
    if text == "none" {
        return Ok(set);
    }
    for name in text.split(',') {
        let Some(member) = T::named(name) else {
            let known: Vec<&str> = T::ALL.iter().map(|one| one.name()).collect();
            return Err(format!("`{name}` is no {}: use some of {}, or `none`", T::WHAT, known.join(",")));
        };
        if !set.insert(member) {
            return Err(format!("{name} is there twice"));
        }
    }
    Ok(set)
}

/// A JSON object.
pub(super) fn object(text: &str) -> Result<Map<String, Value>, String> {
    if beyond_64_bits(text.as_bytes()) {
        return Err("a whole number beyond 64 bits: give it as a text".to_owned());
    }
    serde_json::from_str(text)
        .map_err(|error| format!("use a JSON object such as {{\"tier\":\"gold\"}} ({error})"))
}

/// A number, or nothing where the flag names that: `unlimited` seats, days for `ever`.
pub(super) fn number_or(nothing: &'static str) -> impl TypedValueParser<Value = Change<i64>> {
    clap::builder::StringValueParser::new().try_map(move |text| match text.parse() {
        Ok(number) => Ok(Change::Set(number)),
        Err(_) if text == nothing => Ok(Change::Clear),
        Err(_) => Err(format!("use a number, or `{nothing}`")),
    })
}

/// One of the values, by its name.
fn one_of<T: Copy + Send + Sync + 'static>(
    table: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(table.iter().map(|(name, _)| *name)).try_map(move |text| {
        let found = table.iter().find(|(name, _)| *name == text);
        found.map(|(_, value)| *value).ok_or("not a known name")
    })
}

#[cfg(test)]
mod tests {
    use chancery_license::Feature;

    use super::*;

    #[test]
    fn limits_are_numbers_or_words() {
        assert_eq!(limit("25"), Ok(Limit::AtMost(25)));
        assert_eq!(limit("unlimited"), Ok(Limit::Unlimited));
        assert_eq!(limit("forbidden"), Ok(Limit::Forbidden));
        assert_eq!((count("25"), count("forbidden")), (Ok(25), Ok(0)));
        for text in ["", "0", "-1", "many", "9007199254740992", "Unlimited", "1.5"] {
            assert!(limit(text).unwrap_err().contains("`unlimited`"), "{text}");
            assert!(!count(text).unwrap_err().contains("unlimited"), "{text}");
        }
        assert!(count("unlimited").unwrap_err().contains(".lic"));
    }

    #[test]
    fn lists_name_each_thing_once() {
        assert_eq!(set("api,acme"), Ok(Set::from([Feature::Acme, Feature::Api])));
        assert_eq!(set::<Feature>("none"), Ok(Set::EMPTY));
        for (text, why) in
            [("", "`` is no feature"), ("acme, api", "` api`"), ("acme,acme", "twice"), ("Acme", "none")]
        {
            assert!(set::<Feature>(text).unwrap_err().contains(why), "{text}");
        }
    }
}
