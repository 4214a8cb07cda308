//! What the DNS says of a name.

mod exchange;
mod lookup;
mod settings;
mod trouble;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use self::lookup::Way;
use self::settings::Servers;
pub use self::settings::{Protocol, ResolverError, ResolverSettings, Zone};
use self::trouble::Trouble;
use crate::egress::EgressPolicy;
use crate::failure::{Failure, FailureKind};

/// Asks the DNS, anew each time: an answer kept from before the client published its record would
/// make a CA wrong for as long as that answer lives.
///
/// Names are always looked up as they stand; no search list applies. `localhost` and the names under
/// it are loopback without a query (RFC 6761 §6.3). A clone is the same resolver.
#[derive(Debug, Clone)]
pub struct Resolver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    servers: Servers,
    egress: EgressPolicy,
    authoritative: bool,
    authoritative_port: u16,
    dnssec: bool,
    protocol: Protocol,
    attempts: u32,
    /// For one question to one server.
    timeout: Duration,
    /// For a look-up altogether.
    total: Duration,
}

impl Resolver {
    /// A resolver that asks as `settings` say, and of the name servers of zones those that `egress`
    /// allows. A look-up takes at most four times `settings.timeout`, whatever it takes.
    ///
    /// # Errors
    /// When the settings contradict themselves, or those of the machine are wanted and cannot be read.
    pub fn new(settings: &ResolverSettings, egress: EgressPolicy) -> Result<Self, ResolverError> {
        if settings.dnssec && settings.authoritative {
            return Err(ResolverError::DnssecAuthoritative);
        }
        Ok(Self(Arc::new(Inner {
            servers: Servers::new(settings)?,
            egress,
            authoritative: settings.authoritative,
            authoritative_port: settings.authoritative_port,
            dnssec: settings.dnssec,
            protocol: settings.protocol,
            attempts: settings.attempts.max(1),
            timeout: settings.timeout,
            total: settings.timeout.saturating_mul(TOTAL),
        })))
    }

    /// The resolver of the machine: its hosts file and the servers in `/etc/resolv.conf`, read now.
    ///
    /// A machine without that file, or without a server in it, gets a resolver that knows the hosts
    /// file and `localhost`.
    ///
    /// # Errors
    /// When the file exists and cannot be read or understood.
    pub fn system() -> Result<Self, ResolverError> {
        Self::new(&ResolverSettings::default(), closed())
    }

    /// A resolver that asks these servers alone, over UDP and then TCP when an answer is truncated.
    ///
    /// A query without an answer within half of `timeout` is sent once more.
    ///
    /// # Errors
    /// When the resolver cannot be set up.
    pub fn with_servers(servers: &[SocketAddr], timeout: Duration) -> Result<Self, ResolverError> {
        let settings = ResolverSettings {
            servers: servers.to_vec(),
            timeout: timeout / 2,
            ..ResolverSettings::default()
        };
        Self::new(&settings, closed())
    }

    /// The IPv6 and IPv4 addresses of `name`, alternating and IPv6 first (RFC 8305 §4); an address
    /// stands for itself.
    ///
    /// # Errors
    /// [`FailureKind::Dns`] when there is none: lasting when the DNS says so, transient when it did
    /// not answer or could not. [`FailureKind::Local`] when this machine could not ask.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        if let Ok(ip) = name.parse() {
            return Ok(vec![ip]);
        }
        if is_localhost(name) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let fqdn = fqdn(name)?;
        let (v6, v4) = tokio::join!(self.ips(&fqdn, RecordType::AAAA), self.ips(&fqdn, RecordType::A));
        match (v6, v4) {
            (Ok(v6), Ok(v4)) if v6.is_empty() && v4.is_empty() => {
                let detail = format!("the DNS has neither an A nor an AAAA record for `{name}`; publish one");
                Err(Failure::lasting(FailureKind::Dns, detail))
            }
            (Ok(some), Err(_)) | (Err(_), Ok(some)) if !some.is_empty() => Ok(some),
            (Ok(v6), Ok(v4)) => Ok(alternate(&v6, &v4)),
            (Err(trouble), other) => {
                let trouble = Trouble::telling(other.err(), trouble);
                Err(trouble.failure(&format!("the addresses of `{name}`")))
            }
            (Ok(_), Err(trouble)) => Err(trouble.failure(&format!("the addresses of `{name}`"))),
        }
    }

    /// The TXT records at `owner`, or where its aliases lead; the strings of one record are joined
    /// (RFC 8555 §8.4 has no separator between them). None when the DNS says so.
    ///
    /// # Errors
    /// When the DNS does not say.
    pub async fn txt(&self, owner: &str) -> Result<Vec<String>, Failure> {
        let records = self.challenge_records(owner, RecordType::TXT, "TXT").await?;
        let joined = |record| match record {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        Ok(records.into_iter().filter_map(joined).collect())
    }

    /// The records of this type at `owner`, from wherever records of the CA's interest are asked for.
    pub(crate) async fn challenge_records(
        &self,
        owner: &str,
        kind: RecordType,
        called: &str,
    ) -> Result<Vec<RData>, Failure> {
        let fqdn = fqdn(owner)?;
        let way = if self.0.authoritative { Way::Authoritative } else { Way::Recursive };
        self.find(&fqdn, kind, way)
            .await
            .map_err(|trouble| trouble.failure(&format!("the {called} records of `{owner}`")))
    }

    /// How long a look-up may take altogether.
    pub(crate) fn patience(&self) -> Duration {
        self.0.total
    }

    async fn ips(&self, name: &Name, kind: RecordType) -> Result<Vec<IpAddr>, Trouble> {
        if let Some(known) = self.0.servers.hosts.lookup_static_host(&Query::query(name.clone(), kind)) {
            return Ok(known.answers().iter().filter_map(|record| record.data.ip_addr()).collect());
        }
        let found = self.find(name, kind, Way::Recursive).await?;
        Ok(found.iter().filter_map(RData::ip_addr).collect())
    }

    async fn find(&self, name: &Name, kind: RecordType, way: Way) -> Result<Vec<RData>, Trouble> {
        tokio::time::timeout(self.0.total, self.0.find(name, kind, way))
            .await
            .unwrap_or(Err(Trouble::Silence))
    }
}

/// How many times longer than one question a look-up may take: for aliases, for several servers, for
/// finding the servers of a zone.
const TOTAL: u32 = 4;

/// The policy of a resolver that has no use for one.
fn closed() -> EgressPolicy {
    EgressPolicy::new(vec![], vec![], vec![])
}

fn fqdn(name: &str) -> Result<Name, Failure> {
    settings::fqdn(name).map_err(|error| {
        Failure::lasting(FailureKind::Dns, format!("`{name}` is not a name the DNS can hold: {error}"))
    })
}

/// Whether `name` is `localhost` or under it (RFC 6761 §6.3).
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.rsplit('.').next().is_some_and(|label| label.eq_ignore_ascii_case("localhost"))
}

fn alternate(first: &[IpAddr], second: &[IpAddr]) -> Vec<IpAddr> {
    let pairs = first.len().max(second.len());
    (0..pairs).flat_map(|i| [first.get(i), second.get(i)]).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_told_by_its_last_label() {
        for name in ["localhost", "localhost.", "LocalHost", "a.localhost", "a.b.localhost."] {
            assert!(is_localhost(name), "{name}");
        }
        for name in ["localhost.example", "notlocalhost", "", ".", "localhost.."] {
            assert!(!is_localhost(name), "{name}");
        }
    }

    #[test]
    fn families_alternate() {
        let v6: Vec<IpAddr> = ["2001:db8::1", "2001:db8::2"].map(|ip| ip.parse().unwrap()).to_vec();
        let v4: Vec<IpAddr> = vec!["192.0.2.1".parse().unwrap()];
        assert_eq!(alternate(&v6, &v4), [v6[0], v4[0], v6[1]]);
        assert_eq!(alternate(&[], &v4), v4);
        assert_eq!(alternate(&[], &[]), Vec::<IpAddr>::new());
    }

    #[tokio::test]
    async fn without_a_server_a_name_fails_with_advice() {
        let mut resolver =
            Resolver::with_servers(&["192.0.2.1:53".parse().unwrap()], Duration::from_secs(1)).unwrap();
        Arc::get_mut(&mut resolver.0).unwrap().servers.default.clear();
        for failure in [
            resolver.addresses("www.example.com").await.map(|_| ()).unwrap_err(),
            resolver.txt("www.example.com").await.map(|_| ()).unwrap_err(),
        ] {
            assert_eq!((failure.kind, failure.transient), (FailureKind::Dns, true));
            let said = "no DNS server is configured; check the DNS servers of the name and of the CA";
            assert!(failure.to_string().ends_with(said), "{failure}");
        }
    }
}
