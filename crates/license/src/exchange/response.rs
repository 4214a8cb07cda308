use std::fmt;

use serde::{Deserialize, Serialize};

use super::Nonce;
use crate::document::{Body, Content, Kind, rules};
use crate::json;
use crate::key::InstallationKey;
use crate::machine_file;
use crate::manifest::Use;

/// More documents than that no installation has use for at once.
const MAX_DOCUMENTS: usize = 8;
/// The documents of a response, in bytes altogether: a revocation list of the greatest length and 1 MiB besides.
const MAX_DOCUMENT_BYTES: usize = 5 * 1_024 * 1_024;
const MAX_WARNINGS: usize = 8;
const MAX_WARNING_LENGTH: usize = 300;

/// The body of a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The installation that it is for.
    pub installation_key: InstallationKey,
    /// The nonce of the request that it answers.
    pub nonce: Nonce,
    /// The counter of that request.
    pub counter: u64,
    /// Where the installation stands.
    #[serde(deserialize_with = "json::word")]
    pub verdict: Verdict,
    /// Documents for it, each in its own armour, in the order in which it takes them.
    pub documents: Vec<String>,
    /// What its operator should know: one line each.
    pub warnings: Vec<String>,
}

/// Where an installation stands with the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It has a licence.
    Licensed,
    /// No licence is linked to it.
    Unlinked,
    /// Its licence is suspended.
    Suspended,
    /// Its licence is revoked.
    Revoked,
    /// The vendor has retired it: its licence is for another installation now.
    Retired,
    /// Its licence has ended.
    Expired,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 6] =
        [Self::Licensed, Self::Unlinked, Self::Suspended, Self::Revoked, Self::Retired, Self::Expired];

    /// The name that documents and commands use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Licensed => "licensed",
            Self::Unlinked => "unlinked",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Retired => "retired",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Content for Response {
    const KIND: Kind = Kind::Response;
}

impl Body for Response {
    const USE: Option<Use> = Some(Use::License);
}

impl rules::Rules for Response {
    fn check(&self) -> Result<(), &'static str> {
        rules::number(self.counter, "counter is a number from 1 to 2^53 - 1")?;
        if self.documents.len() > MAX_DOCUMENTS {
            return Err("documents has at most 8 entries");
        }
        if self.documents.iter().map(String::len).sum::<usize>() > MAX_DOCUMENT_BYTES {
            return Err("documents has at most 5 MiB altogether");
        }
        if !self.documents.iter().all(|text| is_deliverable(text)) {
            return Err(
                "documents holds licences, revocation lists, key manifests and machine files in armour",
            );
        }
        if self.warnings.len() > MAX_WARNINGS {
            return Err("warnings has at most 8 entries");
        }
        let rule = "a warning is one line of 1 to 300 characters";
        self.warnings.iter().try_for_each(|warning| rules::line(warning, MAX_WARNING_LENGTH, rule))
    }
}

fn is_deliverable(text: &str) -> bool {
    matches!(Kind::of(text), Some(Kind::Keys | Kind::License | Kind::Revocations))
        || machine_file::is_one(text)
}
