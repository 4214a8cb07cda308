//! What a machine file says to an installation of `chancery`, so that it licenses it alone: the member `chancery` in the
//! metadata of the included licence. It is what a `.lic` says, but for what the file says itself.

use std::time::Duration;

use chancery_time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Contents, Metadata};
use crate::document::rules;
use crate::entitlements::Entitlements;
use crate::json::{self, Bounds, JsonError};
use crate::lic::{Holder, check_clock_tolerance};
use crate::limits::{self, Broken};
use crate::plan::Plan;
use crate::state::{AfterGrace, Edition, InvalidReason, LicenseTerms};
use crate::version::Version;

/// The member of the metadata.
pub const MEMBER: &str = "chancery";
/// The block, its entitlements, and a list in them.
const DEPTH: usize = 3;

/// What a machine file licenses an installation for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Names the licence through all its documents, as in a `.lic`.
    pub id: String,
    /// Rises with every document of any licence of the product, whichever its kind: the highest is the newest.
    pub serial: u64,
    /// What was bought; the entitlements say what it allows.
    #[serde(deserialize_with = "json::word")]
    pub plan: Plan,
    /// Who bought it.
    #[serde(deserialize_with = "json::object")]
    pub holder: Holder,
    /// What is allowed after the grace of the file.
    #[serde(deserialize_with = "json::word")]
    pub after_grace: AfterGrace,
    /// How many hours a clock may fall behind before it counts as set back: 0 to 720.
    pub clock_tolerance_hours: u16,
    /// What it allows.
    #[serde(deserialize_with = "json::object")]
    pub entitlements: Entitlements,
    /// The newest build date that its support covers; every build where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "json::optional_instant")]
    pub newest_build: Option<Timestamp>,
    /// The oldest version of the program that may use it; any where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "json::not_null")]
    pub minimum_version: Option<Version>,
}

/// Why a machine file licenses no installation, or a block does not get into one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// There is none.
    #[error(
        "it licenses no installation: it has no licence with `{MEMBER}` in its metadata; have the vendor make it of a \
         licence of this product"
    )]
    Missing,
    /// It is not the JSON that it must be.
    #[error("`{MEMBER}` in the metadata of the licence: {0}")]
    Json(JsonError),
    /// It breaks a rule.
    #[error("`{MEMBER}` in the metadata of the licence: {0}")]
    Rule(&'static str),
    /// With it the metadata is beyond its bounds.
    #[error("with `{MEMBER}` the {0}")]
    Metadata(#[from] Broken),
}

impl BlockError {
    /// What the error means for the state of the licence.
    pub const fn reason(&self) -> InvalidReason {
        match self {
            Self::Missing => InvalidReason::WrongType,
            Self::Json(_) | Self::Rule(_) | Self::Metadata(_) => InvalidReason::Malformed,
        }
    }
}

/// The metadata, of which only one member is of interest.
#[derive(Deserialize)]
struct Members {
    #[serde(default, rename = "chancery")]
    block: Option<Box<RawValue>>,
}

impl Block {
    /// The block in those contents.
    ///
    /// # Errors
    /// Where there is none, or it is not what it must be.
    pub fn of(contents: &Contents) -> Result<Self, BlockError> {
        let license = contents.license.as_ref().ok_or(BlockError::Missing)?;
        // Metadata is an object, so the fallback is never taken.
        let members = serde_json::from_str(license.metadata.as_str()).unwrap_or(Members { block: None });
        let text = members.block.ok_or(BlockError::Missing)?;
        let bounds = Bounds { bytes: limits::MAX_METADATA_BYTES, depth: DEPTH };
        let block: Self = json::read(text.get().as_bytes(), bounds).map_err(BlockError::Json)?;
        block.check().map_err(BlockError::Rule)?;
        Ok(block)
    }

    /// Metadata with this block beside what the licence has of its own; a member of that name gives way.
    ///
    /// # Errors
    /// A block that no installation would read, and metadata that is beyond its bounds with it.
    pub fn beside(&self, mut own: Map<String, Value>) -> Result<Metadata, BlockError> {
        self.check().map_err(BlockError::Rule)?;
        let block = serde_json::to_value(self)
            .map_err(|error| BlockError::Json(JsonError::Unexpected(error.to_string())))?;
        own.insert(MEMBER.to_owned(), block);
        Ok(Metadata::try_from(&own)?)
    }

    /// The terms for the state function, of the file that has this block. Nothing outlives the licence: neither the
    /// file nor its grace.
    pub fn terms(&self, contents: &Contents) -> LicenseTerms {
        let within = |end: Timestamp| contents.license_expires.map_or(end, |ended| ended.min(end));
        let expires = within(contents.expires);
        LicenseTerms {
            id: self.id.clone(),
            edition: Edition { serial: self.serial, issued: contents.issued },
            not_before: contents.not_before,
            expires,
            grace: within(contents.expires + contents.grace).since(expires),
            after_grace: self.after_grace,
            clock_tolerance: Duration::from_secs(u64::from(self.clock_tolerance_hours) * 3_600),
            minimum_version: self.minimum_version,
            newest_build: self.newest_build,
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        rules::id(&self.id)?;
        rules::number(self.serial, "serial is a number from 1 to 2^53 - 1")?;
        self.holder.check()?;
        check_clock_tolerance(self.clock_tolerance_hours)
    }
}

#[cfg(test)]
mod tests;
