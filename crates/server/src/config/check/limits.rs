//! `limits`: what clients may ask for in a length of time.

use chancery_cli::config::Problems;
use chancery_rate::Rate;
use serde_saphyr::Spanned;

use super::super::policy::Limits;
use super::super::raw::RawLimits;

/// What switches a limit off.
const OFF: &str = "off";
/// The most authorizations of one account that may be pending.
const MAX_PENDING: u32 = 100_000;
const DEFAULT_PENDING: u32 = 300;

pub(super) fn limits(raw: &RawLimits, problems: &mut Problems) -> Limits {
    let mut rate = |name: &str, raw: Option<&Spanned<String>>, default: &str| match raw {
        Some(text) if is_off(&text.value) => None,
        Some(text) => problems.accept(text.referenced, &format!("limits.{name}"), read(&text.value)),
        None => default.parse().ok(),
    };
    Limits {
        requests_per_ip: rate("requests_per_ip", raw.requests_per_ip.as_ref(), "6000/1m"),
        accounts_per_ip: rate("accounts_per_ip", raw.accounts_per_ip.as_ref(), "50/3h"),
        orders_per_account: rate("orders_per_account", raw.orders_per_account.as_ref(), "300/3h"),
        names_per_account: rate("names_per_account", raw.names_per_account.as_ref(), "3000/1d"),
        certificates_per_names: rate("certificates_per_names", raw.certificates_per_names.as_ref(), "10/7d"),
        failed_validations: rate("failed_validations", raw.failed_validations.as_ref(), "10/1h"),
        abuse_per_ip: rate("abuse_per_ip", raw.abuse_per_ip.as_ref(), "60/10m"),
        pending_authorizations: pending(raw.pending_authorizations.as_ref(), problems),
    }
}

/// Whether a text switches a limit off. YAML 1.1 takes `off` for a truth value, and so do programs that write
/// configurations anew.
fn is_off(text: &str) -> bool {
    matches!(text, OFF | "false")
}

fn read(text: &str) -> Result<Rate, String> {
    text.parse().map_err(|error| format!("{error}; `{OFF}` switches the limit off"))
}

fn pending(raw: Option<&Spanned<String>>, problems: &mut Problems) -> Option<u32> {
    let Some(text) = raw else { return Some(DEFAULT_PENDING) };
    if is_off(&text.value) {
        return None;
    }
    let number = text.value.parse().ok().filter(|number| (1..=MAX_PENDING).contains(number));
    let number = number.ok_or_else(|| {
        format!("`{}` is not a number from 1 to {MAX_PENDING}; `{OFF}` switches the limit off", text.value)
    });
    problems.accept(text.referenced, "limits.pending_authorizations", number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Option<Rate> {
        Some(text.parse().unwrap())
    }

    fn spanned(text: &str) -> Option<Spanned<String>> {
        Some(serde_saphyr::from_str(&format!("\"{text}\"")).unwrap())
    }

    #[test]
    fn a_limit_is_a_rate_or_off_and_never_nothing() {
        for (text, expected) in [("5/1h", rate("5/1h")), ("off", None), ("false", None)] {
            let raw = RawLimits { abuse_per_ip: spanned(text), ..RawLimits::default() };
            let mut problems = Problems::default();
            assert_eq!(limits(&raw, &mut problems).abuse_per_ip, expected, "{text}");
            assert!(problems.is_empty(), "{text}");
        }
        for text in ["0", "0/1h", "5", "5/0h", "none", "", "OFF", "-1/1h"] {
            let raw = RawLimits { abuse_per_ip: spanned(text), ..RawLimits::default() };
            let mut problems = Problems::default();
            limits(&raw, &mut problems);
            let told = problems.into_error(std::path::Path::new("chancery.yml")).to_string();
            assert!(
                told.contains("limits.abuse_per_ip") && told.contains("`off` switches"),
                "{text}: {told}"
            );
        }
    }

    #[test]
    fn pending_authorizations_are_a_number_or_off() {
        for (text, expected) in [("1", Some(1)), ("100000", Some(100_000)), ("off", None)] {
            let raw = RawLimits { pending_authorizations: spanned(text), ..RawLimits::default() };
            let mut problems = Problems::default();
            assert_eq!(limits(&raw, &mut problems).pending_authorizations, expected, "{text}");
            assert!(problems.is_empty(), "{text}");
        }
        for text in ["0", "100001", "-1", "5/1h", "", "all"] {
            let raw = RawLimits { pending_authorizations: spanned(text), ..RawLimits::default() };
            let mut problems = Problems::default();
            limits(&raw, &mut problems);
            assert!(!problems.is_empty(), "{text}");
        }
    }

    #[test]
    fn every_limit_is_on_by_default() {
        let limits = limits(&RawLimits::default(), &mut Problems::default());
        assert_eq!(limits.orders_per_account, rate("300/3h"));
        assert_eq!(limits.pending_authorizations, Some(DEFAULT_PENDING));
        assert!(limits.off().is_empty(), "{:?}", limits.off());
    }
}
