//! Whether a new order may be made.

use chancery_acme::Problem;
use chancery_db::WriteTx;
use chancery_license::{Limit, Misfit, Usage};
use chancery_time::Timestamp;

use super::basis::{Acme, Basis, Enabled, Standing};
use crate::store::{certificates, licensed};

/// The permission to make one order, or to record its certificate. Only [`Basis::admit`] hands it out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Licensed(Cause);

#[derive(Debug, PartialEq, Eq)]
enum Cause {
    /// The licence allows it.
    New { _acme: Enabled<Acme> },
    /// It renews a certificate, which is always allowed unless the state of the licence blocks it.
    Renewal,
}

/// One reason why a new order may not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// The licence expired, and so did its grace.
    Expired,
    /// The vendor revoked the licence.
    Revoked,
    /// There are documents, and none that counts.
    Invalid,
    /// The licence has not begun.
    NotYetValid,
    /// There is neither licence nor window.
    NoLicense,
    /// The cold-start window closed while the server ran.
    WindowElapsed,
    /// A limit.
    Beyond(Misfit),
}

/// Every reason why a new order may not be made; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denied(pub(super) Vec<Denial>);

/// What the store knows of the account that orders. It is asked only where the answer matters.
pub(crate) trait Applicant {
    type Error;

    /// Whether the order renews a certificate: the account holds an active one for the same names.
    fn is_renewal(&mut self) -> Result<bool, Self::Error>;
    /// Whether the account holds any active certificate.
    fn is_managed(&mut self) -> Result<bool, Self::Error>;
    /// How many accounts do.
    fn managed_servers(&mut self) -> Result<u64, Self::Error>;
    /// How many certificates are active.
    fn certificates(&mut self) -> Result<u64, Self::Error>;
}

impl Basis {
    /// Whether an order may be made.
    pub(crate) fn admit<A: Applicant>(
        &self,
        applicant: &mut A,
    ) -> Result<Result<Licensed, Denied>, A::Error> {
        let mut denials = match self.standing {
            Standing::Open => Vec::new(),
            Standing::RenewalsOnly(denial) => vec![denial],
            Standing::Closed(denial) => return Ok(Err(Denied(vec![denial]))),
        };
        denials.extend(self.misfits.iter().copied().map(Denial::Beyond));
        denials.extend(self.excesses(applicant)?.into_iter().map(Denial::Beyond));
        match self.feature::<Acme>() {
            Ok(acme) if denials.is_empty() => return Ok(Ok(Licensed(Cause::New { _acme: acme }))),
            Err(misfit) if !denials.contains(&Denial::Beyond(misfit)) => denials.push(Denial::Beyond(misfit)),
            _ => {}
        }
        if applicant.is_renewal()? {
            return Ok(Ok(Licensed(Cause::Renewal)));
        }
        Ok(Err(Denied(denials)))
    }

    /// The limits that one more certificate of the applicant would go beyond.
    fn excesses<A: Applicant>(&self, applicant: &mut A) -> Result<Vec<Misfit>, A::Error> {
        let (servers, certificates) =
            (self.entitlements.max_managed_servers, self.entitlements.max_certificates);
        let mut after = Usage::default();
        if counts(servers) && !applicant.is_managed()? {
            after.managed_servers = applicant.managed_servers()? + 1;
        }
        if certificates != Limit::Unlimited {
            after.certificates = applicant.certificates()? + 1;
        }
        Ok(self.entitlements.excesses(after))
    }
}

/// Whether a limit depends on how many there are.
fn counts(limit: Limit) -> bool {
    limit != Limit::Unlimited && !limit.allows_none()
}

/// The applicant of an order for these names.
pub(crate) struct StoredApplicant<'a, 'tx> {
    pub(crate) tx: &'a mut WriteTx<'tx>,
    pub(crate) account_id: i64,
    /// The canonical set of names.
    pub(crate) identifiers: &'a str,
    pub(crate) now: Timestamp,
}

impl Applicant for StoredApplicant<'_, '_> {
    type Error = chancery_db::Error;

    fn is_renewal(&mut self) -> Result<bool, Self::Error> {
        certificates::covers(self.tx, self.account_id, self.identifiers, self.now)
    }

    fn is_managed(&mut self) -> Result<bool, Self::Error> {
        licensed::is_managed(self.tx, self.account_id, self.now)
    }

    fn managed_servers(&mut self) -> Result<u64, Self::Error> {
        licensed::managed_servers(self.tx, self.now)
    }

    fn certificates(&mut self) -> Result<u64, Self::Error> {
        licensed::certificates(self.tx, self.now)
    }
}

impl Denial {
    /// The name by which audit events and scripts know the reason.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Expired => "license_expired",
            Self::Revoked => "license_revoked",
            Self::Invalid => "license_invalid",
            Self::NotYetValid => "license_not_yet_valid",
            Self::NoLicense => "no_license",
            Self::WindowElapsed => "cold_start_elapsed",
            Self::Beyond(misfit) => misfit.reason(),
        }
    }

    /// What a client is told: which limit, and no figure of the operator's.
    const fn detail(self) -> &'static str {
        match self {
            Self::Expired => "the server's licence has expired (license_expired): its operator must renew it",
            Self::Revoked => {
                "the server's licence was revoked (license_revoked): its operator must get another"
            }
            Self::Invalid => {
                "the server has no licence that counts (license_invalid): its operator must install one"
            }
            Self::NotYetValid => "the server's licence has not begun yet (license_not_yet_valid)",
            Self::NoLicense => "the server has no licence (no_license): its operator must install one",
            Self::WindowElapsed => {
                "the server's cold-start window is over (cold_start_elapsed): its operator must install a licence"
            }
            Self::Beyond(Misfit::Database(_)) => {
                "the server's licence does not allow its database (db_not_allowed): its operator must change one of them"
            }
            Self::Beyond(Misfit::Authorities { .. }) => {
                "the server has more authorities than its licence allows (max_cas_exceeded): its operator must \
                 remove some or get a larger licence"
            }
            Self::Beyond(Misfit::Feature(_)) => {
                "the server's licence does not include a feature that is needed (feature_not_licensed): its \
                 operator must get a larger one"
            }
            Self::Beyond(Misfit::NoManagedServers) => {
                "the server's licence grants no managed servers (max_managed_servers_zero): its operator must get a larger one"
            }
            Self::Beyond(Misfit::ManagedServers { .. }) => {
                "no further account can hold certificates under the server's licence \
                 (managed_servers_exceeded): use an account that holds some, or ask its operator for a larger licence"
            }
            Self::Beyond(Misfit::Certificates { .. }) => {
                "no further certificate can be issued under the server's licence (certificates_exceeded): let \
                 unused ones expire, or ask its operator for a larger licence"
            }
            Self::Beyond(_) => {
                "the server is beyond what its licence allows: its operator must get a larger one"
            }
        }
    }
}

impl Denied {
    /// The names of the reasons.
    pub(crate) fn reasons(&self) -> Vec<&'static str> {
        self.0.iter().map(|denial| denial.reason()).collect()
    }

    /// The limits that were reached with their figures, for the operator: one sentence each.
    pub(crate) fn limits(&self) -> Vec<String> {
        let beyond = |denial: &Denial| match denial {
            Denial::Beyond(misfit) => Some(misfit.to_string()),
            _ => None,
        };
        self.0.iter().filter_map(beyond).collect()
    }
}

impl From<Denied> for Problem {
    /// HTTP 403 (spec/licensing, "Runtime").
    fn from(denied: Denied) -> Self {
        let details: Vec<&str> = denied.0.iter().map(|denial| denial.detail()).collect();
        Problem::unauthorized(format!("this order cannot be granted: {}", details.join("; ")))
    }
}

#[cfg(test)]
mod benchmark;
#[cfg(test)]
mod tests;
