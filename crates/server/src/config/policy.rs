//! What the configuration says of issuance: profiles, how names are checked, and limits.

use std::net::SocketAddr;
use std::time::Duration;

use chancery_acme::challenge::ChallengeType;
use chancery_acme::scope::Scope;
use chancery_pki::certificate::ProfileSpec;
use chancery_pki::request::RequestRules;
use chancery_rate::Rate;
use ipnet::IpNet;

/// Which certificates are issued, to whom, and how. The first profile in file order whose scope holds all
/// names of an order serves it.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// Stands in URLs: lower-case letters, digits and hyphens.
    pub(crate) name: String,
    /// What clients are told of it in the directory.
    pub(crate) description: String,
    /// The names that it serves; `None` for all.
    pub(crate) allow: Option<Vec<Scope>>,
    /// The names that it does not serve, whatever `allow` says.
    pub(crate) deny: Vec<Scope>,
    /// The challenges that are offered, in this order.
    pub(crate) challenges: Vec<ChallengeType>,
    /// The index of its entry in [`Config::validations`](super::Config::validations).
    pub(crate) validation: usize,
    /// The indices of its authorities in [`Config::authorities`](super::Config::authorities); at least one.
    pub(crate) authorities: Vec<usize>,
    pub(crate) strategy: Strategy,
    /// What its certificates hold.
    pub(crate) certificates: ProfileSpec,
    /// What requests for them may hold.
    pub(crate) requests: RequestRules,
    /// Whether CAA records are held against every order (RFC 8659).
    pub(crate) caa: bool,
    /// How long a passed challenge speaks for its account.
    pub(crate) authorizations_last: Duration,
    /// Whether it serves only accounts with an external account binding (RFC 8555 §7.3.4).
    pub(crate) require_eab: bool,
    /// Whether a person has to approve every order.
    pub(crate) require_approval: bool,
}

/// Which of several authorities issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// The first that can.
    FirstAvailable,
    /// One after the other, those left out that cannot.
    RoundRobin,
}

/// How names are checked.
#[derive(Debug, Clone)]
pub(crate) struct Validation {
    pub(crate) name: String,
    pub(crate) http_port: u16,
    pub(crate) https_port: u16,
    pub(crate) tls_alpn_port: u16,
    /// Name servers to ask; empty for those of the system.
    pub(crate) resolvers: Vec<SocketAddr>,
    /// Zones whose names are asked for elsewhere; the longest that fits counts.
    pub(crate) zones: Vec<Zone>,
    /// Whether the name servers of a zone itself are asked for challenges and CAA records.
    pub(crate) authoritative: bool,
    /// Whether answers have to be validated by DNSSEC.
    pub(crate) dnssec: bool,
    pub(crate) dns_over: DnsOver,
    /// How long one question to a name server may take.
    pub(crate) dns_timeout: Duration,
    pub(crate) egress_allow: Vec<IpNet>,
    pub(crate) egress_deny: Vec<IpNet>,
}

/// A zone with name servers of its own.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) resolvers: Vec<SocketAddr>,
}

/// What carries questions to name servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DnsOver {
    /// UDP, and TCP for what does not fit.
    Udp,
    Tcp,
}

/// What clients may ask for in a length of time; `None` for no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Requests of one address.
    pub(crate) requests_per_ip: Option<Rate>,
    /// New accounts from one address.
    pub(crate) accounts_per_ip: Option<Rate>,
    /// Orders of one account.
    pub(crate) orders_per_account: Option<Rate>,
    /// Names in the orders of one account.
    pub(crate) names_per_account: Option<Rate>,
    /// Certificates for one set of names, those revoked left out.
    pub(crate) certificates_per_names: Option<Rate>,
    /// Failed validations of one name by one account.
    pub(crate) failed_validations: Option<Rate>,
    /// Pending authorizations of one account, at any one time.
    pub(crate) pending_authorizations: Option<u32>,
    /// Bad signatures and requests for objects of others, from one address.
    pub(crate) abuse_per_ip: Option<Rate>,
}

impl Limits {
    /// The names of the limits that are switched off.
    pub(crate) fn off(&self) -> Vec<&'static str> {
        let limits = [
            ("requests_per_ip", self.requests_per_ip.is_some()),
            ("accounts_per_ip", self.accounts_per_ip.is_some()),
            ("orders_per_account", self.orders_per_account.is_some()),
            ("names_per_account", self.names_per_account.is_some()),
            ("certificates_per_names", self.certificates_per_names.is_some()),
            ("failed_validations", self.failed_validations.is_some()),
            ("pending_authorizations", self.pending_authorizations.is_some()),
            ("abuse_per_ip", self.abuse_per_ip.is_some()),
        ];
        limits.into_iter().filter(|(_, on)| !on).map(|(name, _)| name).collect()
    }
}
