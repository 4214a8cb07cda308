//! Who looks whether names are proven, as one entry of `validation` in the configuration says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chancery_acme::challenge::{
    ChallengeType, dns_account01_owner, dns_persist01_owner, dns01_owner, dns01_value, tls_alpn01_digest,
};
use chancery_acme::dns_persist::{self, Claim};
use chancery_acme::resource::DnsPersist;
use chancery_acme::{Problem, ProblemType};
use chancery_time::Timestamp;
use chancery_validation::caa::Caa;
use chancery_validation::dns01::Dns01;
use chancery_validation::egress::EgressPolicy;
use chancery_validation::http01::{Http01, Http01Settings};
use chancery_validation::resolver::{Protocol, Resolver, ResolverSettings, Zone};
use chancery_validation::tls_alpn01::{TlsAlpn01, TlsAlpn01Settings};
use chancery_validation::{Failure as Observed, FailureKind};
use tokio_util::sync::CancellationToken;

use super::challenges::Observation;
use crate::config::policy::{DnsOver, Validation};

/// How records in the DNS name this CA and its accounts.
#[derive(Debug)]
pub(crate) struct Issuer {
    /// The domain names of the CA.
    pub(crate) domains: Vec<String>,
    /// What the hashed account URIs of dns-persist-01 begin with.
    pub(crate) account_hash_prefix: String,
}

impl Issuer {
    /// The names that a record for dns-persist-01 can name the CA by.
    pub(crate) fn for_persist(&self) -> &[String] {
        self.domains.get(..DnsPersist::MAX_ISSUERS).unwrap_or(&self.domains)
    }
}

/// Why a challenge is not passed, or a name may not be certified.
#[derive(Debug)]
pub(crate) struct Unmet {
    /// What the client is told; `None` where it says something of this machine alone.
    pub(crate) problem: Option<Problem>,
    /// Whether another look a little later may find otherwise.
    pub(crate) may_pass: bool,
    /// What was found, for the log.
    pub(crate) found: String,
}

impl From<Observed> for Unmet {
    fn from(observed: Observed) -> Self {
        let found = observed.to_string();
        let problem = problem_type(observed.kind).map(|kind| Problem::new(kind, &*found));
        Self { problem, may_pass: observed.transient, found }
    }
}

/// What the client is told of what was observed (RFC 8555 §6.7); nothing of what is not its fault.
fn problem_type(observed: FailureKind) -> Option<ProblemType> {
    Some(match observed {
        FailureKind::Dns => ProblemType::Dns,
        FailureKind::Connection | FailureKind::Timeout | FailureKind::Egress | FailureKind::Redirect => {
            ProblemType::Connection
        }
        FailureKind::Tls => ProblemType::Tls,
        FailureKind::Response(_) | FailureKind::Protocol => ProblemType::Unauthorized,
        FailureKind::Mismatch => ProblemType::IncorrectResponse,
        FailureKind::Local => return None,
    })
}

/// Looks, and after each of the pauses again where that may help; `None` when `stop` came first.
pub(crate) async fn patiently<T, F>(
    pauses: &[Duration],
    stop: &CancellationToken,
    look: impl Fn() -> F,
) -> Option<Result<T, Unmet>>
where
    F: Future<Output = Result<T, Unmet>>,
{
    for pause in pauses {
        match look().await {
            Err(unmet) if unmet.may_pass => {
                tracing::debug!(found = unmet.found, "it is looked again in {pause:?}");
            }
            outcome => return Some(outcome),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(*pause) => {}
        }
    }
    Some(look().await)
}

/// The validators of one entry.
pub(crate) struct Observer {
    http01: Http01,
    tls_alpn01: TlsAlpn01,
    dns01: Dns01,
    pub(crate) caa: Caa,
    pub(crate) issuer: Arc<Issuer>,
}

impl Observer {
    /// The validators of `validation`, which never dial the server's own listener. Records in the DNS are read
    /// as those of `issuer`.
    ///
    /// # Errors
    /// When the resolver cannot be set up.
    pub(crate) fn new(
        validation: &Validation,
        own_listener: SocketAddr,
        issuer: Arc<Issuer>,
    ) -> anyhow::Result<Self> {
        let (allow, deny) = (validation.egress_allow.clone(), validation.egress_deny.clone());
        let egress = EgressPolicy::new(allow, deny, vec![own_listener]);
        let zone = |zone: &crate::config::policy::Zone| Zone {
            name: zone.name.clone(),
            servers: zone.resolvers.clone(),
        };
        let settings = ResolverSettings {
            servers: validation.resolvers.clone(),
            zones: validation.zones.iter().map(zone).collect(),
            authoritative: validation.authoritative,
            dnssec: validation.dnssec,
            protocol: match validation.dns_over {
                DnsOver::Udp => Protocol::Udp,
                DnsOver::Tcp => Protocol::Tcp,
            },
            timeout: validation.dns_timeout,
            ..ResolverSettings::default()
        };
        let resolver = Resolver::new(&settings, egress.clone())?;
        let http01 = Http01Settings {
            port: validation.http_port,
            https_port: validation.https_port,
            ..Http01Settings::default()
        };
        let tls_alpn01 = TlsAlpn01Settings { port: validation.tls_alpn_port, ..TlsAlpn01Settings::default() };
        Ok(Self {
            http01: Http01::new(resolver.clone(), egress.clone(), http01),
            tls_alpn01: TlsAlpn01::new(resolver.clone(), egress, tls_alpn01),
            dns01: Dns01::new(resolver.clone()),
            caa: Caa::new(resolver),
            issuer,
        })
    }

    /// Looks once whether a challenge is passed. Yields until when an authorization may rest on it at most, where
    /// what was found says so.
    pub(crate) async fn observe(
        &self,
        what: &Observation,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Unmet> {
        let Observation { token, key_authorization, .. } = what;
        let name = what.identifier.base();
        let name = name.value();
        match what.kind {
            ChallengeType::Http01 => self.http01.observe(&name, token, key_authorization).await?,
            ChallengeType::TlsAlpn01 => {
                self.tls_alpn01.observe(&name, &tls_alpn01_digest(key_authorization)).await?;
            }
            ChallengeType::Dns01 => {
                self.dns01.observe(&dns01_owner(&name), &dns01_value(key_authorization)).await?;
            }
            ChallengeType::DnsAccount01 => {
                let owner = dns_account01_owner(&what.account_url, &name);
                self.dns01.observe(&owner, &dns01_value(key_authorization)).await?;
            }
            ChallengeType::DnsPersist01 => return self.persisting(what, now).await,
        }
        Ok(None)
    }

    async fn persisting(&self, what: &Observation, now: Timestamp) -> Result<Option<Timestamp>, Unmet> {
        // No such challenge is made for an address.
        let Some(name) = what.identifier.dns_name() else {
            let found = "an address has no record".to_owned();
            return Err(Unmet { problem: Some(Problem::unauthorized(&*found)), may_pass: false, found });
        };
        let owner = dns_persist01_owner(name.as_str());
        let records = self.dns01.txt(&owner).await?;
        let claim = Claim {
            name,
            is_wide: what.identifier.is_wildcard() || what.with_subdomains,
            issuer_domain_names: self.issuer.for_persist(),
            account_url: &what.account_url,
            account_hash_prefix: &self.issuer.account_hash_prefix,
            thumbprints: std::slice::from_ref(&what.thumbprint),
        };
        dns_persist::authorises(&records, &claim, now).map_err(|refusal| {
            let problem = refusal.problem(&owner);
            let found = problem.detail().to_owned();
            // The record may not have reached the server that was asked.
            Unmet { problem: Some(problem), may_pass: true, found }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_answers_for_all_but_this_machine() {
        for (observed, told) in [
            (FailureKind::Dns, Some(ProblemType::Dns)),
            (FailureKind::Connection, Some(ProblemType::Connection)),
            (FailureKind::Timeout, Some(ProblemType::Connection)),
            (FailureKind::Egress, Some(ProblemType::Connection)),
            (FailureKind::Redirect, Some(ProblemType::Connection)),
            (FailureKind::Tls, Some(ProblemType::Tls)),
            (FailureKind::Response(404), Some(ProblemType::Unauthorized)),
            (FailureKind::Protocol, Some(ProblemType::Unauthorized)),
            (FailureKind::Mismatch, Some(ProblemType::IncorrectResponse)),
            (FailureKind::Local, None),
        ] {
            assert_eq!(problem_type(observed), told, "{observed:?}");
        }
    }

    #[test]
    fn as_many_names_are_told_for_persistent_records_as_clients_take() {
        for (count, told) in [(1, 1), (10, 10), (11, 10)] {
            let domains = (0..count).map(|n| format!("ca{n}.test")).collect();
            let issuer = Issuer { domains, account_hash_prefix: String::new() };
            assert_eq!(issuer.for_persist().len(), told);
        }
    }

    #[tokio::test]
    async fn it_is_looked_again_only_where_that_may_help() {
        let pauses = [Duration::ZERO, Duration::ZERO];
        let stop = CancellationToken::new();
        for (may_pass, looks) in [(true, 3), (false, 1)] {
            let count = std::cell::Cell::new(0);
            let outcome = patiently(&pauses, &stop, || async {
                count.set(count.get() + 1);
                Err::<(), _>(Unmet { problem: None, may_pass, found: String::new() })
            });
            assert!(outcome.await.unwrap().is_err());
            assert_eq!(count.get(), looks);
        }
        stop.cancel();
        let pauses = [Duration::from_hours(1)];
        let passing =
            || async { Err::<(), _>(Unmet { problem: None, may_pass: true, found: String::new() }) };
        assert!(patiently(&pauses, &stop, passing).await.is_none());
    }
}
