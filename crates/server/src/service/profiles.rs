//! The profiles of the running server: what the configuration says of each, and who works for it.

use chancery_acme::Problem;
use chancery_pki::certificate::{
    PrepareError, Prepared, Profile as CertificateProfile, SerialNumber, Validity,
};
use chancery_pki::request::ValidatedRequest;
use chancery_time::Timestamp;

use super::Failure;
use super::authorities::{Authority, Signers};
use super::observer::Observer;
use crate::config::policy;
use crate::policy::{Request, select};
use std::sync::Arc;

/// A profile at work.
pub(crate) struct Profile {
    /// What its certificates hold.
    certificates: CertificateProfile,
    pub(crate) signers: Signers,
    /// Who looks whether names are proven.
    pub(crate) observer: Arc<Observer>,
}

/// All profiles, in the order of the configuration.
pub(crate) struct Profiles {
    rules: Vec<policy::Profile>,
    at_work: Vec<Profile>,
}

/// Why a certificate cannot be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unprepared {
    /// The authority that signs now does not sign for the wanted time.
    #[error("`notBefore` and `notAfter`: {0}; ask for an earlier time")]
    OutsideIssuer(PrepareError),
    /// The fault is ours.
    #[error(transparent)]
    Fault(#[from] anyhow::Error),
}

impl From<Unprepared> for Failure {
    fn from(unprepared: Unprepared) -> Self {
        match unprepared {
            Unprepared::OutsideIssuer(_) => Problem::malformed(unprepared.to_string()).into(),
            Unprepared::Fault(fault) => fault.into(),
        }
    }
}

/// One of the profiles.
#[derive(Clone, Copy)]
pub(crate) struct ProfileRef<'a> {
    /// What the configuration says of it.
    pub(crate) rules: &'a policy::Profile,
    pub(crate) at_work: &'a Profile,
}

impl Profile {
    pub(crate) fn new(
        rules: &policy::Profile,
        signers: Signers,
        observer: Arc<Observer>,
    ) -> anyhow::Result<Self> {
        Ok(Self { certificates: CertificateProfile::new(rules.certificates.clone())?, signers, observer })
    }
}

impl Profiles {
    /// # Errors
    /// When there is none.
    pub(crate) fn new(profiles: Vec<(policy::Profile, Profile)>) -> anyhow::Result<Self> {
        anyhow::ensure!(!profiles.is_empty(), "there is no profile");
        let (rules, at_work) = profiles.into_iter().unzip();
        Ok(Self { rules, at_work })
    }

    pub(crate) fn rules(&self) -> &[policy::Profile] {
        &self.rules
    }

    /// The profile that serves an order.
    ///
    /// # Errors
    /// As [`select`].
    pub(crate) fn select(&self, request: &Request<'_>) -> Result<ProfileRef<'_>, Problem> {
        let index = select(&self.rules, request)?;
        self.at(index).ok_or_else(Problem::internal)
    }

    /// The profile with that name. Orders from before there were several have none, and belong to the first.
    pub(crate) fn of(&self, name: Option<&str>) -> Option<ProfileRef<'_>> {
        match name {
            Some(name) => {
                self.rules.iter().position(|rules| rules.name == name).and_then(|index| self.at(index))
            }
            None => self.at(0),
        }
    }

    /// Whether a new account needs an external account binding (RFC 8555 §7.3.4): for one of a profile's own
    /// directory, what the profile says; else only where every profile wants it.
    pub(crate) fn require_binding(&self, name: Option<&str>) -> bool {
        match name.and_then(|name| self.of(Some(name))) {
            Some(profile) => profile.rules.require_eab,
            None => self.rules.iter().all(|rules| rules.require_eab),
        }
    }

    /// The authority whose chain has that number in the store.
    pub(crate) fn authority_of(&self, issuer_id: i64) -> Option<&Arc<Authority>> {
        self.at_work.iter().find_map(|profile| profile.signers.with_issuer(issuer_id))
    }

    fn at(&self, index: usize) -> Option<ProfileRef<'_>> {
        Some(ProfileRef { rules: self.rules.get(index)?, at_work: self.at_work.get(index)? })
    }
}

impl ProfileRef<'_> {
    /// The lifetime of a certificate ordered at `now`, perhaps with wishes, and perhaps cut by what the
    /// account's binding allows.
    ///
    /// # Errors
    /// `malformed` where a wish is not granted.
    pub(crate) fn validity(
        self,
        now: Timestamp,
        not_before: Option<Timestamp>,
        not_after: Option<Timestamp>,
        at_most: Option<std::time::Duration>,
    ) -> Result<Validity, Problem> {
        let refused =
            |why: &dyn std::fmt::Display| Problem::malformed(format!("`notBefore` and `notAfter`: {why}"));
        let narrowed = match at_most {
            Some(longest) => Some(self.at_work.certificates.restricted(longest).map_err(|e| refused(&e))?),
            None => None,
        };
        let profile = narrowed.as_ref().unwrap_or(&self.at_work.certificates);
        profile.validity(now, not_before, not_after).map_err(|refusal| refused(&refusal))
    }

    /// Builds and lints a certificate under the authority whose turn it is.
    ///
    /// # Errors
    /// Why it cannot be built.
    pub(crate) fn prepare(
        self,
        request: &ValidatedRequest,
        validity: Validity,
        now: Timestamp,
    ) -> Result<(Arc<Authority>, Prepared), Unprepared> {
        let authority = self.at_work.signers.next(now).ok_or_else(|| anyhow::anyhow!("no authority"))?;
        Ok((Arc::clone(authority), self.prepare_under(authority, request, validity, now)?))
    }

    /// As [`prepare`](Self::prepare), under one of the profile's authorities.
    pub(crate) fn prepare_under(
        self,
        authority: &Authority,
        request: &ValidatedRequest,
        validity: Validity,
        now: Timestamp,
    ) -> Result<Prepared, Unprepared> {
        let serial = SerialNumber::random().map_err(anyhow::Error::from)?;
        let issuer = authority.local().issuer();
        let profile = &self.at_work.certificates;
        let prepared = chancery_pki::certificate::prepare(profile, request, issuer, validity, serial);
        prepared.map_err(|error| {
            let (from, until) = (issuer.validity().not_before(), issuer.validity().not_after());
            match error {
                // One that cannot sign at all is no matter of what the client wished for.
                PrepareError::OutsideIssuer(_) if (from..=until).contains(&now) => {
                    Unprepared::OutsideIssuer(error)
                }
                error => Unprepared::Fault(error.into()),
            }
        })
    }
}
