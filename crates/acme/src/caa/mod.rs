//! What CAA records allow (RFC 8659, RFC 8657): the decision over a relevant RRset that was found
//! before, with everything that is in doubt decided against issuance.

#[cfg(test)]
mod tests;
pub(crate) mod value;

use std::fmt;

use value::IssueValue;

use crate::problem::{Problem, ProblemType};

/// A CAA record as DNS gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The flags; only the issuer critical flag, 128, means anything (RFC 8659 §4.1).
    pub flags: u8,
    /// The property tag.
    pub tag: String,
    /// The property value.
    pub value: Vec<u8>,
}

/// Who wants to issue what.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The domain names by which this CA is named in CAA records (`caaIdentities`).
    pub issuer_domains: &'a [String],
    /// Whether the certificate is for a wildcard name.
    pub is_wildcard: bool,
    /// The URL of the account that asks (RFC 8657 §3.1).
    pub account_uri: &'a str,
    /// The name of the challenge type by which control was shown, such as `dns-01` (RFC 8657 §4).
    pub method: &'a str,
}

/// Why the records forbid issuance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaaRefusal {
    /// A critical property that is not known (RFC 8659 §4.5).
    #[error("a CAA record has the property `{0}`, which is marked critical and is not known here")]
    Critical(String),
    /// None of the records that count authorises this issuance.
    #[error("no CAA record with the property `{property}` allows it: {nearest}")]
    NotAllowed {
        /// The property that counts for the name: `issue` or `issuewild`.
        property: &'static str,
        /// What is wrong with the record that came nearest to allowing it.
        nearest: Mismatch,
    },
}

impl From<CaaRefusal> for Problem {
    fn from(refusal: CaaRefusal) -> Self {
        Self::new(ProblemType::Caa, refusal.to_string())
    }
}

/// Why one record does not authorise an issuance, from the farthest to the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Mismatch {
    /// The value does not follow the grammar, which forbids as much as naming nobody.
    Malformed,
    /// The value names nobody.
    Nobody,
    /// Another CA is named.
    Issuer,
    /// This CA is named with a parameter that nothing can satisfy: given twice, or not well formed.
    Unsatisfiable,
    /// This CA is named for another account.
    Account,
    /// This CA is named for other validation methods.
    Method,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the value is not well formed (RFC 8659 §4.2), which forbids issuance",
            Self::Nobody => "it forbids issuance by anybody",
            Self::Issuer => "another CA is named, and this one is not",
            Self::Unsatisfiable => {
                "this CA is named, but `accounturi` or `validationmethods` is given twice or is not well formed"
            }
            Self::Account => "this CA is named for another account only (`accounturi`)",
            Self::Method => "this CA is named for other validation methods only (`validationmethods`)",
        })
    }
}

/// RFC 8659 §4.1: the issuer critical flag is the highest bit.
const CRITICAL: u8 = 0b1000_0000;
const ISSUE: &str = "issue";
const ISSUEWILD: &str = "issuewild";
/// Properties that are known and say nothing about certificates for servers: where to report
/// (RFC 8659 §4.4), and who may certify mail addresses (RFC 9495).
const WITHOUT_EFFECT: [&str; 2] = ["iodef", "issuemail"];

/// Decides whether a relevant RRset (RFC 8659 §3), perhaps an empty one, allows an issuance.
///
/// Parameters other than `accounturi` and `validationmethods` have no meaning for this CA and are
/// ignored, as RFC 8659 §4.2 leaves it to each CA. The IETF's two are recognised in any case of
/// letters: to miss a restriction would be worse than to find one.
///
/// # Errors
/// A [`CaaRefusal`] that says which record stands in the way.
pub fn evaluate(records: &[Record], request: &Request<'_>) -> Result<(), CaaRefusal> {
    // RFC 8659 §4.1: tags are matched whatever the case of their letters.
    let is = |record: &&Record, tag: &str| record.tag.eq_ignore_ascii_case(tag);
    let known = |record: &&Record| {
        is(record, ISSUE) || is(record, ISSUEWILD) || WITHOUT_EFFECT.iter().any(|tag| is(record, tag))
    };
    if let Some(unknown) = records.iter().find(|record| record.flags & CRITICAL != 0 && !known(record)) {
        let tag = unknown.tag.chars().filter(|c| !c.is_control()).take(32).collect();
        return Err(CaaRefusal::Critical(tag));
    }
    // RFC 8659 §4.3: `issuewild` is for wildcards alone, and where it stands, `issue` is not.
    let for_wildcards = request.is_wildcard && records.iter().any(|record| is(&record, ISSUEWILD));
    let property = if for_wildcards { ISSUEWILD } else { ISSUE };
    let mut nearest = None;
    for record in records.iter().filter(|record| is(record, property)) {
        match authorises(&record.value, request) {
            Ok(()) => return Ok(()),
            Err(mismatch) => nearest = nearest.max(Some(mismatch)),
        }
    }
    // RFC 8659 §4.2: without a record of the property there is no restriction.
    nearest.map_or(Ok(()), |nearest| Err(CaaRefusal::NotAllowed { property, nearest }))
}

fn authorises(value: &[u8], request: &Request<'_>) -> Result<(), Mismatch> {
    let value = IssueValue::parse(value).ok_or(Mismatch::Malformed)?;
    let issuer = value.issuer.ok_or(Mismatch::Nobody)?;
    let ours = |domain: &String| domain.strip_suffix('.').unwrap_or(domain).eq_ignore_ascii_case(issuer);
    if !request.issuer_domains.iter().any(ours) {
        return Err(Mismatch::Issuer);
    }
    let account = value.parameter("accounturi")?;
    let methods = value.parameter("validationmethods")?.map(validation_methods).transpose()?;
    if account.is_some_and(|account| account != request.account_uri) {
        return Err(Mismatch::Account);
    }
    if methods.is_some_and(|mut methods| !methods.any(|method| method == request.method)) {
        return Err(Mismatch::Method);
    }
    Ok(())
}

/// RFC 8657 §4: `[*(label ",") label]`, each label of letters, digits and hyphens.
fn validation_methods(list: &str) -> Result<impl Iterator<Item = &str>, Mismatch> {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if list.is_empty() || list.split(',').all(is_label) {
        // The empty list has one empty entry, which is no method's name.
        Ok(list.split(','))
    } else {
        Err(Mismatch::Unsatisfiable)
    }
}
