use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use chancery_time::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::entitlements::Named;
use crate::limits::{self, Broken};

/// What a machine file says. The licence key is no part of it: who opens a file knows it, and it is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The name of the key that signs: our own names are [`KeyId`](crate::KeyId)s.
    pub kid: String,
    /// When it is issued, in whole seconds.
    pub issued: Timestamp,
    /// From when on it counts: not before it is issued.
    pub not_before: Timestamp,
    /// When it runs out: after it begins to count.
    pub expires: Timestamp,
    /// For how long after that it counts all the same: whole seconds, at most 30 days.
    pub grace: Duration,
    /// When the licence ends, which ends the file too; `None` where it never does.
    pub license_expires: Option<Timestamp>,
    /// The product that it is for.
    pub product_slug: String,
    /// The machine that it is for.
    pub machine: Machine,
    /// The licence, where it was asked for.
    pub license: Option<IncludedLicense>,
}

/// The machine of a machine file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The id of its activation.
    pub activation_id: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// What the fingerprint was made of.
    pub fingerprint_components: BTreeMap<String, String>,
    /// The name that the device goes by.
    pub name: Option<String>,
    /// Its platform.
    pub platform: Option<String>,
    /// When it was activated.
    pub created: Timestamp,
    /// What the vendor or the client noted of it.
    pub metadata: Metadata,
}

/// The licence in a machine file. It is active, and its key, product and end are those of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncludedLicense {
    /// How it is bound.
    pub mode: Mode,
    /// How many seats it has; `None` where there is no bound.
    pub seat_limit: Option<NonZeroU32>,
    /// What was bought.
    pub plan_key: String,
    /// When it begins: not after the file is issued.
    pub starts_at: Option<Timestamp>,
    /// What it allows.
    pub entitlements: Vec<Entitlement>,
    /// What the vendor noted of it.
    pub metadata: Metadata,
}

/// One entitlement of a licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    /// What it is called.
    pub key: String,
    /// When it ends; `None` where it ends with the licence.
    pub expires_at: Option<Timestamp>,
}

/// How a licence is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// To machines, each of which takes a seat.
    HardwareLocked,
    /// To none: seats are taken and given back.
    Floating,
    /// To people.
    NamedUser,
}

impl Named for Mode {
    const ALL: &'static [Self] = &[Self::HardwareLocked, Self::Floating, Self::NamedUser];
    const WHAT: &'static str = "mode";

    fn name(self) -> &'static str {
        match self {
            Self::HardwareLocked => "hardware_locked",
            Self::Floating => "floating",
            Self::NamedUser => "named_user",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A JSON object within the bounds of [`limits::metadata`], kept as the text that it was written as: numbers
/// would change on the way through a floating point value.
#[derive(Clone)]
pub struct Metadata(Box<RawValue>);

impl Metadata {
    /// Reads the text of a JSON object.
    ///
    /// # Errors
    /// A text that is none, or beyond the bounds.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        limits::metadata(text)?;
        let raw: Result<Box<RawValue>, _> = serde_json::from_str(text);
        raw.map(Self).map_err(|_| Broken { field: "metadata", rule: "is a JSON object" })
    }

    /// The text of the object.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The members of the object.
    pub fn members(&self) -> Map<String, Value> {
        // It was read before, so the fallback is never taken.
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }

    pub(super) fn raw(&self) -> &RawValue {
        &self.0
    }
}

impl Default for Metadata {
    /// An object without members.
    fn default() -> Self {
        // An empty map is always written, so the fallback is never taken.
        Self(serde_json::value::to_raw_value(&Map::new()).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

impl TryFrom<&Map<String, Value>> for Metadata {
    type Error = Broken;

    fn try_from(members: &Map<String, Value>) -> Result<Self, Broken> {
        let text = serde_json::to_string(members);
        Self::parse(&text.map_err(|_| Broken { field: "metadata", rule: "is a JSON object" })?)
    }
}

impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Metadata {}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
