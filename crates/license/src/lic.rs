//! The licence in armour, `.lic`: what a customer bought. See `docs/formats/lic.md`.

use std::time::Duration;

use chancery_time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document::{Body, Content, DocumentError, Kind, Verified, rules};
use crate::entitlements::Entitlements;
use crate::json;
use crate::key::{InstallationKey, LicenseKey};
use crate::manifest::Use;
use crate::plan::Plan;
use crate::state::{AfterGrace, DEFAULT_CLOCK_TOLERANCE, DEFAULT_GRACE, Edition, LicenseTerms};
use crate::version::Version;

/// The longest grace, in days.
const MAX_GRACE_DAYS: u16 = 366;
/// The widest clock tolerance, in hours: 30 days.
const MAX_CLOCK_TOLERANCE_HOURS: u16 = 720;

/// The body of a licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct License {
    /// Names the licence through all its issues: 1 to 64 letters, digits, hyphens, underscores, full stops.
    pub id: String,
    /// Rises with every issue of any licence of the product, from 1: the highest is the newest.
    pub serial: u64,
    /// What was bought; the entitlements say what it allows.
    #[serde(deserialize_with = "json::word")]
    pub plan: Plan,
    /// Who bought it.
    #[serde(deserialize_with = "json::object")]
    pub holder: Holder,
    /// The key that the holder registers with.
    pub license_key: LicenseKey,
    /// The one installation that may use it; any may where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "json::not_null")]
    pub installation_key: Option<InstallationKey>,
    /// When it begins.
    #[serde(deserialize_with = "json::instant")]
    pub not_before: Timestamp,
    /// When it ends. It is valid before that instant, not at it.
    #[serde(deserialize_with = "json::instant")]
    pub expires: Timestamp,
    /// For how many days after that everything still works: 0 to 366, 7 where it does not say.
    #[serde(default = "default_grace_days")]
    pub grace_days: u16,
    /// What is allowed after the grace; renewals where it does not say.
    #[serde(default = "default_after_grace", deserialize_with = "json::word")]
    pub after_grace: AfterGrace,
    /// How many hours a clock may fall behind before it counts as set back: 0 to 720, 24 where it does not say.
    #[serde(default = "default_clock_tolerance_hours")]
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

/// Who holds a licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// The organisation: one line of 1 to 200 characters.
    pub organisation: String,
    /// Where it is written to: one line of 3 to 254 characters with an `@` in it.
    pub email: String,
}

impl License {
    /// Whether this installation may use the licence.
    ///
    /// # Errors
    /// [`DocumentError::WrongInstallation`] where the licence is bound to another one.
    pub fn fit_installation(&self, installation: &InstallationKey) -> Result<(), DocumentError> {
        match &self.installation_key {
            Some(bound_to) if bound_to != installation => {
                Err(DocumentError::WrongInstallation { bound_to: bound_to.to_string() })
            }
            _ => Ok(()),
        }
    }
}

impl From<&Verified<License>> for LicenseTerms {
    /// The terms for the state function. Whether the licence fits the installation is asked before.
    fn from(license: &Verified<License>) -> Self {
        let (document, license) = (license.document(), license.body());
        Self {
            id: license.id.clone(),
            edition: Edition { serial: license.serial, issued: document.issued },
            not_before: license.not_before,
            expires: license.expires,
            grace: Duration::from_secs(u64::from(license.grace_days) * 86_400),
            after_grace: license.after_grace,
            clock_tolerance: Duration::from_secs(u64::from(license.clock_tolerance_hours) * 3_600),
            minimum_version: license.minimum_version,
            newest_build: license.newest_build,
        }
    }
}

impl Content for License {
    const KIND: Kind = Kind::License;
}

impl Body for License {
    const USE: Option<Use> = Some(Use::License);
}

impl rules::Rules for License {
    fn check(&self) -> Result<(), &'static str> {
        rules::id(&self.id)?;
        rules::number(self.serial, "serial is a number from 1 to 2^53 - 1")?;
        self.holder.check()?;
        if self.expires <= self.not_before {
            return Err("expires comes after not_before");
        }
        if self.grace_days > MAX_GRACE_DAYS {
            return Err("grace_days is 0 to 366");
        }
        check_clock_tolerance(self.clock_tolerance_hours)
    }
}

impl Holder {
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        rules::line(&self.organisation, 200, "organisation is one line of 1 to 200 characters")?;
        self.check_email()
    }

    fn check_email(&self) -> Result<(), &'static str> {
        const RULE: &str = "email is an address of at most 254 characters, with a name, an @ and a domain";
        rules::line(&self.email, 254, RULE)?;
        match self.email.rsplit_once('@') {
            Some((name, domain)) if !name.is_empty() && !domain.is_empty() => Ok(()),
            _ => Err(RULE),
        }
    }
}

pub(crate) fn check_clock_tolerance(hours: u16) -> Result<(), &'static str> {
    if hours > MAX_CLOCK_TOLERANCE_HOURS { Err("clock_tolerance_hours is 0 to 720") } else { Ok(()) }
}

fn default_grace_days() -> u16 {
    u16::try_from(DEFAULT_GRACE.as_secs() / 86_400).unwrap_or(MAX_GRACE_DAYS)
}

fn default_after_grace() -> AfterGrace {
    AfterGrace::RenewalsOnly
}

fn default_clock_tolerance_hours() -> u16 {
    u16::try_from(DEFAULT_CLOCK_TOLERANCE.as_secs() / 3_600).unwrap_or(MAX_CLOCK_TOLERANCE_HOURS)
}

#[cfg(test)]
mod tests;
