//! `profiles`: which certificates are issued, to whom, and how.

use std::collections::HashSet;
use std::time::Duration;

use chancery_acme::challenge::ChallengeType;
use chancery_acme::scope::Scope;
use chancery_cli::config::{Problems, each, unique_names, within};
use serde_saphyr::{Location, Spanned};

use super::super::policy::{Profile, Strategy, Validation};
use super::super::raw::RawProfile;
use super::super::{Authority, Server};
use super::certificates;

/// What a profile offers unless the file says otherwise.
const DEFAULT_CHALLENGES: [ChallengeType; 3] =
    [ChallengeType::Http01, ChallengeType::TlsAlpn01, ChallengeType::Dns01];
/// How long a passed challenge speaks for its account unless the file says otherwise.
const DEFAULT_AUTHORIZATIONS_LAST: Duration = Duration::from_secs(30 * 86_400);
const MIN_AUTHORIZATIONS_LAST: Duration = Duration::from_secs(3_600);
const MAX_AUTHORIZATIONS_LAST: Duration = Duration::from_secs(398 * 86_400);
/// Names that stand where a profile's name does in the URLs of the server.
const RESERVED: [&str; 13] = [
    "account",
    "authorization",
    "certificate",
    "challenge",
    "directory",
    "key-change",
    "new-account",
    "new-authz",
    "new-nonce",
    "new-order",
    "order",
    "renewal-info",
    "revoke-cert",
];

pub(super) fn profiles(
    raw: &Spanned<Vec<RawProfile>>,
    authorities: &[Authority],
    validations: &[Validation],
    problems: &mut Problems,
) -> Vec<Profile> {
    if raw.value.is_empty() {
        problems.add(raw.referenced, "profiles", "is empty: without a profile nothing can be issued");
    }
    unique_names("profiles", raw.value.iter().map(|profile| &profile.name), problems);
    let context = Context { authorities, validations };
    let profiles = raw.value.iter().enumerate();
    profiles.filter_map(|(index, raw)| profile(index, raw, &context, problems)).collect()
}

/// Makes sure that records in the DNS can name this CA, where a profile looks for such.
pub(super) fn require_identities(
    raw: &Spanned<Vec<RawProfile>>,
    profiles: &[Profile],
    server: &Server,
    problems: &mut Problems,
) {
    if !server.caa_identities.is_empty() {
        return;
    }
    for (index, raw) in raw.value.iter().enumerate() {
        let mut need = |field: &str, what: &str| {
            let none = format!("needs `server.caa_identities`, the domains by which {what} name this CA");
            problems.add(raw.name.referenced, &format!("profiles[{index}].{field}"), none);
        };
        if raw.caa {
            need("caa", "CAA records");
        }
        let profile = profiles.iter().find(|profile| profile.name == raw.name.value);
        if profile.is_some_and(|profile| profile.challenges.contains(&ChallengeType::DnsPersist01)) {
            need("challenges", "the records of dns-persist-01");
        }
    }
}

/// What a profile may refer to.
struct Context<'a> {
    authorities: &'a [Authority],
    validations: &'a [Validation],
}

fn profile(
    index: usize,
    raw: &RawProfile,
    context: &Context<'_>,
    problems: &mut Problems,
) -> Option<Profile> {
    let field = |name: &str| format!("profiles[{index}].{name}");
    if let Err(fault) = check_name(&raw.name.value) {
        problems.add(raw.name.referenced, &field("name"), fault);
    }
    let scope = |text: &str| text.parse::<Scope>().map_err(|error| error.to_string());
    let allow = raw.allow.as_ref().map(|allow| (allow, each(&field("allow"), &allow.value, scope, problems)));
    let deny = each(&field("deny"), &raw.deny, scope, problems);
    let challenges = challenges(&field("challenges"), raw.challenges.as_ref(), problems);
    if let Some((written, allow)) = &allow {
        let rules = Rules { index, written, allow, deny: &deny, challenges: &challenges };
        rules.check_reachable(problems);
    }
    let validation = context.validations.iter().position(|known| known.name == raw.validation.value);
    if validation.is_none() {
        let dangling = format!("no entry of `validation` is named `{}`", raw.validation.value);
        problems.add(raw.validation.referenced, &field("validation"), dangling);
    }
    let authorities = authorities(index, raw, context, problems);
    let lasting = raw.authorizations_last.as_ref().and_then(|text| {
        let bounds = MIN_AUTHORIZATIONS_LAST..=MAX_AUTHORIZATIONS_LAST;
        let lasting = within(&text.value, "an authorization", bounds, "1h to 398d");
        problems.accept(text.referenced, &field("authorizations_last"), lasting)
    });
    let (certificates, requests) = certificates::certificates(index, raw, problems)?;
    let description = raw.description.as_ref().map(|text| text.value.clone());
    Some(Profile {
        name: raw.name.value.clone(),
        description: description.unwrap_or_else(|| format!("the profile `{}`", raw.name.value)),
        allow: allow.map(|(_, allow)| allow),
        deny,
        challenges,
        validation: validation?,
        authorities,
        strategy: strategy(&field("strategy"), raw.strategy.as_ref(), problems),
        certificates,
        requests,
        caa: raw.caa,
        authorizations_last: lasting.unwrap_or(DEFAULT_AUTHORIZATIONS_LAST),
        require_eab: raw.require_eab,
        require_approval: raw.require_approval,
    })
}

/// Whether a text can name a profile, which stands in URLs and in audit events.
fn check_name(name: &str) -> Result<(), String> {
    if RESERVED.contains(&name) {
        return Err(format!("`{name}` stands for something else in the server's URLs: choose another name"));
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.is_empty() && (name.len() > 64 || !name.bytes().all(plain)) {
        return Err(format!(
            "`{name}` is not of 1 to 64 lower-case letters, digits and hyphens, as a part of URLs has to be"
        ));
    }
    Ok(())
}

fn challenges(
    field: &str,
    raw: Option<&Spanned<Vec<Spanned<String>>>>,
    problems: &mut Problems,
) -> Vec<ChallengeType> {
    let Some(raw) = raw else { return DEFAULT_CHALLENGES.to_vec() };
    if raw.value.is_empty() {
        problems.add(raw.referenced, field, "is empty: leave the key out for the usual ones");
    }
    let known = || ChallengeType::ALL.map(ChallengeType::name).join(", ");
    let challenge = |text: &str| {
        ChallengeType::named(text).ok_or_else(|| format!("`{text}` is not a challenge: use {}", known()))
    };
    let challenges = each(field, &raw.value, challenge, problems);
    let mut seen = HashSet::new();
    for (place, (challenge, text)) in challenges.iter().zip(&raw.value).enumerate() {
        if !seen.insert(challenge) {
            problems.add(text.referenced, &format!("{field}[{place}]"), "stands twice: remove one");
        }
    }
    challenges
}

/// The names of a profile that say what it allows.
struct Rules<'a> {
    index: usize,
    written: &'a Spanned<Vec<Spanned<String>>>,
    allow: &'a [Scope],
    deny: &'a [Scope],
    challenges: &'a [ChallengeType],
}

impl Rules<'_> {
    /// Notes every rule that no name can ever meet.
    fn check_reachable(&self, problems: &mut Problems) {
        if self.written.value.is_empty() {
            let field = format!("profiles[{}].allow", self.index);
            problems.add(self.written.referenced, &field, "is empty: leave the key out to allow every name");
        }
        for (place, (scope, text)) in self.allow.iter().zip(&self.written.value).enumerate() {
            let field = format!("profiles[{}].allow[{place}]", self.index);
            self.check_rule(place, scope, &field, text.referenced, problems);
        }
    }

    fn check_rule(
        &self,
        place: usize,
        scope: &Scope,
        field: &str,
        location: Location,
        problems: &mut Problems,
    ) {
        if let Some(wider) = self.deny.iter().find(|deny| deny.subsumes(scope)) {
            let dead = format!("`{scope}` can never be met: `{wider}` under `deny` covers all of it");
            problems.add(location, field, dead);
        }
        if let Some(wider) = self.allow.iter().take(place).find(|earlier| earlier.subsumes(scope)) {
            problems.add(
                location,
                field,
                format!("`{scope}` adds nothing to `{wider}` before it: remove one"),
            );
        }
        if !self.challenges.iter().any(|challenge| challenge.fits_scope(scope)) {
            let names: Vec<&str> = self.challenges.iter().map(|challenge| challenge.name()).collect();
            let dead = format!("`{scope}` can never be met: {} cannot prove such names", names.join(" and "));
            problems.add(location, field, dead);
        }
    }
}

fn authorities(index: usize, raw: &RawProfile, context: &Context<'_>, problems: &mut Problems) -> Vec<usize> {
    let (field, names): (String, &[Spanned<String>]) = match (&raw.authority, &raw.authorities) {
        (Some(name), None) => (format!("profiles[{index}].authority"), std::slice::from_ref(name)),
        (None, Some(names)) if !names.value.is_empty() => {
            (format!("profiles[{index}].authorities"), &names.value)
        }
        (Some(name), Some(_)) => {
            let both = "stands beside `authorities`: remove one of the two";
            problems.add(name.referenced, &format!("profiles[{index}].authority"), both);
            return Vec::new();
        }
        (None, _) => {
            let none = "is missing: name the authorities that sign for this profile";
            problems.add(raw.name.referenced, &format!("profiles[{index}].authorities"), none);
            return Vec::new();
        }
    };
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let known = context.authorities.iter().position(|authority| authority.name == name.value);
        match known {
            Some(known) if found.contains(&known) => {
                problems.add(name.referenced, &field, format!("`{}` stands twice: remove one", name.value));
            }
            Some(known) => found.push(known),
            None => {
                problems.add(name.referenced, &field, format!("no authority is named `{}`", name.value));
            }
        }
    }
    found
}

fn strategy(field: &str, raw: Option<&Spanned<String>>, problems: &mut Problems) -> Strategy {
    match raw.map(|raw| (raw, raw.value.as_str())) {
        None | Some((_, "first_available")) => Strategy::FirstAvailable,
        Some((_, "round_robin")) => Strategy::RoundRobin,
        Some((raw, other)) => {
            let unknown = format!("`{other}` is no strategy: use first_available or round_robin");
            problems.add(raw.referenced, field, unknown);
            Strategy::FirstAvailable
        }
    }
}
