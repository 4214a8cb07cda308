//! Which profile serves an order: a pure rule over the configuration, the names, and what the account may have.

mod account;
#[cfg(test)]
mod tests;

pub(crate) use account::AccountPolicy;

use chancery_acme::identifier::IdentifierSet;
use chancery_acme::{Identifier, Problem, ProblemType};

use crate::config::policy::Profile;

/// What an order asks for.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) identifiers: &'a IdentifierSet,
    /// The profile that the client names.
    pub(crate) profile: Option<&'a str>,
    /// Whether its account has an external account binding (RFC 8555 §7.3.4).
    pub(crate) is_bound: bool,
    /// What the binding allows; nothing beyond the profiles where there is none.
    pub(crate) account: Option<&'a AccountPolicy>,
}

/// The first profile in file order that may serve all names of an order: its index.
///
/// # Errors
/// `invalidProfile` where the client names one that there is not, `externalAccountRequired` where only
/// profiles for bound accounts are left, `rejectedIdentifier` with the names that no profile serves.
pub(crate) fn select(profiles: &[Profile], request: &Request<'_>) -> Result<usize, Problem> {
    let named = candidates(profiles, request.profile)?;
    let open: Vec<&(usize, &Profile)> = named.iter().filter(|(_, profile)| opens(profile, request)).collect();
    if open.is_empty() {
        return Err(closed(&named, request));
    }
    let refuses = |profile: &Profile, identifier: &Identifier| {
        !profile.serves(identifier) || request.account.is_some_and(|policy| !policy.allows(identifier))
    };
    let serves_all = |(_, profile): &&&(usize, &Profile)| {
        !request.identifiers.as_slice().iter().any(|identifier| refuses(profile, identifier))
    };
    if let Some((index, _)) = open.iter().find(serves_all) {
        return Ok(*index);
    }
    let refused_by_all =
        |identifier: &&Identifier| open.iter().all(|(_, profile)| refuses(profile, identifier));
    let refused: Vec<&Identifier> = request.identifiers.as_slice().iter().filter(refused_by_all).collect();
    Err(rejected(&refused, request.identifiers))
}

fn candidates<'a>(
    profiles: &'a [Profile],
    named: Option<&str>,
) -> Result<Vec<(usize, &'a Profile)>, Problem> {
    let all = profiles.iter().enumerate();
    let Some(name) = named else { return Ok(all.collect()) };
    let found: Vec<_> = all.filter(|(_, profile)| profile.name == name).collect();
    if found.is_empty() {
        let shown: String = name.chars().take(64).filter(|c| !c.is_control()).collect();
        let detail = format!("there is no profile `{shown}`: the directory lists those that there are");
        return Err(Problem::new(ProblemType::InvalidProfile, detail));
    }
    Ok(found)
}

fn opens(profile: &Profile, request: &Request<'_>) -> bool {
    (request.is_bound || !profile.require_eab)
        && request.account.is_none_or(|policy| policy.allows_profile(&profile.name))
}

/// Why no profile is open to the account.
fn closed(named: &[(usize, &Profile)], request: &Request<'_>) -> Problem {
    if !request.is_bound && named.iter().all(|(_, profile)| profile.require_eab) {
        return Problem::new(
            ProblemType::ExternalAccountRequired,
            "this profile serves accounts with an external account binding only: register with one",
        );
    }
    Problem::unauthorized(
        "the external account binding of this account does not allow the profile: ask for another key",
    )
}

/// The refusal of names, or of their company.
fn rejected(refused: &[&Identifier], all: &IdentifierSet) -> Problem {
    if refused.is_empty() {
        let detail = "no profile serves all of these names together: order them separately";
        return Problem::new(ProblemType::RejectedIdentifier, detail);
    }
    all.refused(
        ProblemType::RejectedIdentifier,
        refused,
        "is outside what this server issues for this account",
    )
}

impl Profile {
    /// Whether it serves a name, and offers a challenge that can prove it.
    pub(crate) fn serves(&self, identifier: &Identifier) -> bool {
        self.allow.as_ref().is_none_or(|allow| allow.iter().any(|scope| scope.covers(identifier)))
            && !self.deny.iter().any(|scope| scope.meets(identifier))
            && self.challenges.iter().any(|challenge| challenge.fits(identifier))
    }
}
