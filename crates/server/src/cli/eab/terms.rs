//! What a key for external account bindings is good for, as the command line says it.

use std::str::FromStr;
use std::time::Duration;

use chancery_acme::scope::Scope;
use chancery_cli::config::duration;
use chancery_pki::certificate::MAX_VALIDITY;
use chancery_time::Timestamp;
use clap::Args;

use crate::config::policy::Profile;
use crate::policy::AccountPolicy;

/// The shortest life of a certificate that the configuration allows, too.
const MIN_VALIDITY: Duration = Duration::from_secs(300);
/// How many characters a label may have.
const MAX_LABEL: usize = 200;

#[derive(Debug, Args)]
pub(in crate::cli) struct TermsArgs {
    /// What you call the key: whom it is for, say.
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = label)]
    label: String,
    /// How many accounts can be bound to the key: a number, or `unlimited`.
    #[arg(long, value_name = "N", default_value = "1")]
    uses: Uses,
    /// When the key stops to bind accounts: a length of time such as 30d, or 2027-01-31T12:00:00Z [default: never].
    #[arg(long, value_name = "TIME")]
    expires: Option<Expiry>,
    /// Names that its accounts may have, such as .corp.example; give it once for each [default: what the profiles
    /// allow].
    #[arg(long, value_name = "SCOPE")]
    allow: Vec<Scope>,
    /// Names that its accounts may not have, whatever is allowed; give it once for each.
    #[arg(long, value_name = "SCOPE")]
    deny: Vec<Scope>,
    /// A profile that its accounts may use; give it once for each [default: all].
    #[arg(long = "profile", value_name = "NAME")]
    profiles: Vec<String>,
    /// The longest life of a certificate of its accounts, such as 30d.
    #[arg(long, value_name = "LENGTH", value_parser = validity)]
    max_validity: Option<Duration>,
    /// Issue to its accounts without a proof of control over the names.
    #[arg(long)]
    skip_validation: bool,
}

/// What a key is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) label: String,
    pub(super) uses: Option<i64>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) policy: AccountPolicy,
}

impl TermsArgs {
    /// Holds them against the profiles of the configuration.
    ///
    /// # Errors
    /// What could never be met, or lies in the past.
    pub(super) fn check(&self, profiles: &[Profile], now: Timestamp) -> anyhow::Result<Terms> {
        for name in &self.profiles {
            let known =
                || profiles.iter().map(|profile| profile.name.as_str()).collect::<Vec<_>>().join(", ");
            anyhow::ensure!(
                profiles.iter().any(|profile| profile.name == *name),
                "--profile {name}: the configuration has no such profile; it has {}",
                known()
            );
        }
        let policy = AccountPolicy {
            allow: self.allow.clone(),
            deny: self.deny.clone(),
            profiles: self.profiles.clone(),
            max_validity_seconds: self.max_validity.map(|longest| longest.as_secs()),
            skip_validation: self.skip_validation,
        };
        for scope in &policy.allow {
            if let Some(wider) = policy.deny.iter().find(|deny| deny.subsumes(scope)) {
                anyhow::bail!("--allow {scope} can never be met: --deny {wider} covers all of it");
            }
            let may_serve = |profile: &Profile| policy.allows_profile(&profile.name) && meets(profile, scope);
            anyhow::ensure!(
                profiles.iter().any(may_serve),
                "--allow {scope} can never be met: no profile that the key allows serves such names"
            );
        }
        let expires_at = match self.expires {
            Some(Expiry::After(length)) => Some(now + length),
            Some(Expiry::At(end)) => {
                anyhow::ensure!(end > now, "--expires {end} is in the past");
                Some(end)
            }
            None => None,
        };
        Ok(Terms { label: self.label.clone(), uses: self.uses.0, expires_at, policy })
    }
}

/// Whether a profile serves names of the scope. It may be said of one that serves none, where two scopes
/// overlap in names that are denied.
fn meets(profile: &Profile, scope: &Scope) -> bool {
    let overlap = |allow: &Scope| allow.covers(&scope.example()) || scope.covers(&allow.example());
    profile.allow.as_ref().is_none_or(|allow| allow.iter().any(overlap))
        && !profile.deny.iter().any(|deny| deny.subsumes(scope))
        && profile.challenges.iter().any(|challenge| challenge.fits_scope(scope))
}

/// How many accounts; `None` for any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Uses(Option<i64>);

impl FromStr for Uses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unlimited" {
            return Ok(Self(None));
        }
        match text.parse::<u32>() {
            Ok(number @ 1..) => Ok(Self(Some(i64::from(number)))),
            _ => Err(format!("`{text}` is no number of accounts: write 1 or more, or `unlimited`")),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    After(Duration),
    At(Timestamp),
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(instant) = text.parse() {
            return Ok(Self::At(instant));
        }
        duration(text).map(Self::After).map_err(|_| {
            format!(
                "`{text}` is neither a length of time such as 30d nor a time such as 2027-01-31T12:00:00Z"
            )
        })
    }
}

fn validity(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(length) if (MIN_VALIDITY..=MAX_VALIDITY).contains(&length) => Ok(length),
        _ => Err(format!("`{text}` is no life of a certificate: write 5m to 825d")),
    }
}

fn label(text: &str) -> Result<String, String> {
    if text.chars().count() <= MAX_LABEL && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(format!("a label has at most {MAX_LABEL} printable characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_a_number_or_any() {
        assert_eq!("1".parse(), Ok(Uses(Some(1))));
        assert_eq!("4294967295".parse(), Ok(Uses(Some(4_294_967_295))));
        assert_eq!("unlimited".parse(), Ok(Uses(None)));
        for text in ["", "0", "-1", "1.5", "4294967296", "Unlimited", "all"] {
            assert!(text.parse::<Uses>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_end_is_an_instant_or_a_length_of_time() {
        let at = "2027-01-31T12:00:00Z";
        assert_eq!(at.parse(), Ok(Expiry::At(at.parse().unwrap())));
        assert_eq!("2w".parse(), Ok(Expiry::After(Duration::from_secs(14 * 86_400))));
        for text in ["", "0d", "never", "2027-01-31", "30"] {
            assert!(text.parse::<Expiry>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_life_is_what_a_profile_could_give() {
        assert_eq!(validity("5m"), Ok(MIN_VALIDITY));
        assert_eq!(validity("825d"), Ok(MAX_VALIDITY));
        for text in ["299s", "826d", "1", ""] {
            assert!(validity(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_label_fits_a_line() {
        assert_eq!(label("web farm – ü"), Ok("web farm – ü".to_owned()));
        assert!(label(&"x".repeat(MAX_LABEL)).is_ok());
        for text in ["a\nb", "\u{1b}[2J", &"x".repeat(MAX_LABEL + 1)] {
            assert!(label(text).is_err(), "{text:?}");
        }
    }
}
