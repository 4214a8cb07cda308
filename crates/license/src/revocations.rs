//! The revocation list: the licences that the vendor took back. See `docs/formats/revocations.md`.

use std::fmt;

use chancery_time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document::{Body, Content, DocumentError, Kind, Verified, rules};
use crate::json;
use crate::manifest::Use;
use crate::state;

/// The body of a revocation list. Each list says everything: a newer one replaces an older one whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationList {
    /// Rises with every list of the product in the environment, from 1.
    pub sequence: u64,
    /// When the vendor means to have issued the next one. A list goes on counting after that.
    #[serde(deserialize_with = "json::instant")]
    pub next_update: Timestamp,
    /// The licences of which every issue is revoked, in ascending order of their ids.
    #[serde(deserialize_with = "json::objects")]
    pub licenses: Vec<Revoked<String>>,
    /// The single issues that are revoked, in ascending order of their serials.
    #[serde(deserialize_with = "json::objects")]
    pub serials: Vec<Revoked<u64>>,
}

/// An entry of a revocation list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked<T> {
    /// What is revoked: the id of a licence (a licence JWT's `jti`), or the serial of an issue.
    pub what: T,
    /// Since when.
    #[serde(deserialize_with = "json::instant")]
    pub at: Timestamp,
    /// Why.
    #[serde(deserialize_with = "json::word")]
    pub reason: Reason,
}

/// Why a licence was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The holder gave it back.
    Cancelled,
    /// Its key or document came into the wrong hands.
    Compromised,
    /// It was used against its terms.
    Misused,
    /// Another licence took its place.
    Superseded,
    /// It was not paid for.
    Unpaid,
    /// The vendor does not say.
    Unspecified,
}

impl RevocationList {
    /// The entry that revokes the licence of this id, or its issue of this serial.
    ///
    /// A licence JWT has no serial and passes 0, which is never on a list. The cost grows with the
    /// logarithm of the list's length.
    pub fn find(&self, id: &str, serial: u64) -> Option<(Timestamp, Reason)> {
        let whole = self.licenses.binary_search_by(|entry| entry.what.as_str().cmp(id)).ok();
        let issue = self.serials.binary_search_by(|entry| entry.what.cmp(&serial)).ok();
        let whole = whole.and_then(|index| self.licenses.get(index)).map(|entry| (entry.at, entry.reason));
        let issue = || issue.and_then(|index| self.serials.get(index)).map(|entry| (entry.at, entry.reason));
        whole.or_else(issue)
    }

    /// Whether this list may take the place of the one that is held.
    ///
    /// # Errors
    /// [`DocumentError::StaleSequence`] where its number is not higher: somebody may want an entry forgotten.
    pub fn replace(&self, held: &Self) -> Result<(), DocumentError> {
        if self.sequence > held.sequence {
            return Ok(());
        }
        Err(DocumentError::StaleSequence { found: self.sequence, held: held.sequence })
    }
}

impl From<&Verified<RevocationList>> for state::Revocations {
    fn from(list: &Verified<RevocationList>) -> Self {
        let list = list.body();
        Self {
            sequence: list.sequence,
            ids: list.licenses.iter().map(|entry| entry.what.clone()).collect(),
            serials: list.serials.iter().map(|entry| entry.what).collect(),
        }
    }
}

impl Content for RevocationList {
    const KIND: Kind = Kind::Revocations;
}

impl Body for RevocationList {
    const USE: Option<Use> = Some(Use::Revocations);
}

impl rules::Rules for RevocationList {
    fn check(&self) -> Result<(), &'static str> {
        rules::number(self.sequence, "sequence is a number from 1 to 2^53 - 1")?;
        for entry in &self.licenses {
            rules::revoked_id(&entry.what)?;
        }
        for entry in &self.serials {
            rules::number(entry.what, "a serial is a number from 1 to 2^53 - 1")?;
        }
        if !self.licenses.is_sorted_by(|one, next| one.what < next.what) {
            return Err("licenses is in ascending order and names nothing twice");
        }
        if !self.serials.is_sorted_by(|one, next| one.what < next.what) {
            return Err("serials is in ascending order and names nothing twice");
        }
        Ok(())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "the holder gave it back",
            Self::Compromised => "its key or document came into the wrong hands",
            Self::Misused => "it was used against its terms",
            Self::Superseded => "another licence took its place",
            Self::Unpaid => "it was not paid for",
            Self::Unspecified => "the vendor gives no reason",
        })
    }
}

#[cfg(test)]
mod tests;
