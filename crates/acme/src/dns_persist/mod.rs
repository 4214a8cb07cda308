//! What TXT records allow by dns-persist-01 (draft-ietf-acme-dns-persist-02): the decision over
//! records that were looked up before.
//!
//! The second draft knows an account by a hash of its URL, its key and the name. Those before it knew
//! it by its URL, and clients that follow them are in use, so both are accepted.

#[cfg(test)]
mod tests;

use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_time::Timestamp;

use crate::caa::value::IssueValue;
use crate::crypto::sha256;
use crate::identifier::DnsName;
use crate::problem::{Problem, ProblemType};

/// How long a record may be that is looked at: no honest one comes near it.
const MAX_RECORD: usize = 4096;

/// Who wants to be authorized for what.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The name whose records are looked at; for a wildcard its base.
    pub name: &'a DnsName,
    /// Whether the wildcard of the name, or the names below it, are wanted, too.
    pub is_wide: bool,
    /// The names by which the record can name this CA.
    pub issuer_domain_names: &'a [String],
    /// The URL of the account, which must be valid as long as the claim is looked at.
    pub account_url: &'a str,
    /// What the hashed account URIs of this CA begin with (`accountHashPrefix`).
    pub account_hash_prefix: &'a str,
    /// The thumbprints of the keys that the account has and had, its current one first.
    pub thumbprints: &'a [String],
}

/// Why no record authorizes a claim: what is wrong with the one that comes nearest to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum PersistRefusal {
    /// There are no records.
    #[error("there is no TXT record")]
    NoRecord,
    /// None names this CA.
    #[error("no TXT record begins with an issuer domain name that the challenge lists")]
    Issuer,
    /// The one that names it is no issue-value.
    #[error(
        "the TXT record must be `ISSUER; accounturi=URI` with further `; name=value` (the syntax of CAA, \
         RFC 8659 §4.2), and at most 4096 characters"
    )]
    Syntax,
    /// A parameter stands there twice.
    #[error("`accounturi`, `policy` and `persistUntil` may stand in the TXT record once each")]
    Twice,
    /// There is no account URI.
    #[error("the TXT record has no `accounturi`")]
    NoAccount,
    /// The account URI was made with a hash that is not known.
    #[error("the `accounturi` of the TXT record must be made with `sha-256`")]
    Hash,
    /// The time is none.
    #[error("the `persistUntil` of the TXT record must be a number of seconds since 1970")]
    Until,
    /// Another account is named.
    #[error("the `accounturi` of the TXT record is not of this account, or not for this name")]
    Account,
    /// Its time is over.
    #[error("the TXT record ended with its `persistUntil` of {0}")]
    Expired(Timestamp),
    /// It is for the name alone.
    #[error(
        "the TXT record is for the name alone: `policy=wildcard` must be added for wildcards and subdomains"
    )]
    Policy,
}

impl PersistRefusal {
    /// The problem for the client (draft-ietf-acme-dns-persist-02 §9.3.1); `owner` is where the records
    /// were looked for.
    pub fn problem(self, owner: &str) -> Problem {
        let kind = match self {
            Self::Syntax | Self::Twice | Self::NoAccount | Self::Hash | Self::Until => ProblemType::Malformed,
            Self::NoRecord | Self::Issuer | Self::Account | Self::Expired(_) | Self::Policy => {
                ProblemType::Unauthorized
            }
        };
        Problem::new(kind, format!("{owner}: {self}"))
    }
}

/// Whether one of the TXT records authorizes the claim. Each record is its strings put together.
///
/// Yields until when: an authorization that follows from it must not be relied on any longer (§4.1);
/// `None` where the record does not say. Of several records the one counts that holds longest.
///
/// # Errors
/// A [`PersistRefusal`] where none does.
pub fn authorises(
    records: &[String],
    claim: &Claim<'_>,
    now: Timestamp,
) -> Result<Option<Timestamp>, PersistRefusal> {
    let mut nearest = PersistRefusal::NoRecord;
    let mut longest: Option<Option<Timestamp>> = None;
    for record in records {
        match judge(record, claim, now) {
            Ok(until) => {
                let end = |until: Option<Timestamp>| until.unwrap_or(Timestamp::MAX);
                longest =
                    Some(longest.map_or(until, |other| if end(other) >= end(until) { other } else { until }));
            }
            Err(refusal) => nearest = nearest.max(refusal),
        }
    }
    longest.ok_or(nearest)
}

fn judge(record: &str, claim: &Claim<'_>, now: Timestamp) -> Result<Option<Timestamp>, PersistRefusal> {
    let issuer = record.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
    if !claim.issuer_domain_names.iter().any(|name| name.eq_ignore_ascii_case(issuer)) {
        return Err(PersistRefusal::Issuer);
    }
    let value = Some(record.as_bytes()).filter(|bytes| bytes.len() <= MAX_RECORD);
    let value = value.and_then(IssueValue::parse).ok_or(PersistRefusal::Syntax)?;
    let parameter = |tag| value.parameter(tag).map_err(|_| PersistRefusal::Twice);
    let (account, policy, until) =
        (parameter("accounturi")?, parameter("policy")?, parameter("persistUntil")?);
    let until = until.map(read_until).transpose()?;
    check_account(account.unwrap_or_default(), claim)?;
    if let Some(until) = until.filter(|until| now >= *until) {
        return Err(PersistRefusal::Expired(until));
    }
    // Any other policy counts as none (§4.1).
    if claim.is_wide && !policy.is_some_and(|policy| policy.eq_ignore_ascii_case("wildcard")) {
        return Err(PersistRefusal::Policy);
    }
    Ok(until)
}

fn read_until(text: &str) -> Result<Timestamp, PersistRefusal> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits).ok_or(PersistRefusal::Until)?;
    Ok(Timestamp::from_unix_seconds(seconds))
}

fn check_account(uri: &str, claim: &Claim<'_>) -> Result<(), PersistRefusal> {
    if uri.is_empty() {
        return Err(PersistRefusal::NoAccount);
    }
    if uri == claim.account_url {
        return Ok(());
    }
    let hashed = uri.strip_prefix(claim.account_hash_prefix).ok_or(PersistRefusal::Account)?;
    let hash = hashed.strip_prefix("sha-256/").ok_or(PersistRefusal::Hash)?;
    // A record can be for this name, or for whatever names the account is authorized for (§4.1).
    let known = claim.thumbprints.iter().any(|thumbprint| {
        [claim.name.as_str(), "*"]
            .into_iter()
            .any(|name| account_hash(name, thumbprint, claim.account_url) == hash)
    });
    if known { Ok(()) } else { Err(PersistRefusal::Account) }
}

/// `base64url(SHA-256(length || name || thumbprint || account URL))` (§4.1).
fn account_hash(name: &str, thumbprint: &str, account_url: &str) -> String {
    // A name has at most 253 characters.
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let input = [&[length], name.as_bytes(), thumbprint.as_bytes(), account_url.as_bytes()].concat();
    Base64UrlUnpadded::encode_string(&sha256(&input))
}
