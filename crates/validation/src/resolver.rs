//! The addresses of a name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::system_conf::parse_resolv_conf;

use crate::failure::{Failure, FailureKind};

/// Asks the DNS, anew each time: an answer kept from before the client published its record would
/// make a CA wrong for as long as that answer lives.
///
/// Names are always looked up as they stand; no search list applies. `localhost` and the names under
/// it are loopback without a query (RFC 6761 §6.3).
#[derive(Debug, Clone)]
pub struct Resolver {
    dns: TokioResolver,
    /// Whether there is any DNS server to ask.
    has_servers: bool,
    /// How long a look-up may take altogether.
    timeout: Duration,
}

/// Why no resolver could be set up.
#[derive(Debug, thiserror::Error)]
pub enum ResolverError {
    /// The system's configuration exists and cannot be read.
    #[error("cannot read {RESOLV_CONF}: {0}; make it readable or configure DNS servers")]
    Read(#[source] std::io::Error),
    /// The system's configuration, or the resolver made of it, is not valid.
    #[error("cannot use the DNS servers configured ({0}); correct {RESOLV_CONF} or configure DNS servers")]
    Configuration(#[source] Box<NetError>),
}

impl Resolver {
    /// The resolver of the machine: its hosts file and the servers in `/etc/resolv.conf`, read now.
    ///
    /// A machine without that file, or without a server in it, gets a resolver that knows the hosts
    /// file and `localhost`.
    ///
    /// # Errors
    /// When the file exists and cannot be read or understood.
    pub fn system() -> Result<Self, ResolverError> {
        let resolv_conf = match std::fs::read_to_string(RESOLV_CONF) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ResolverError::Read(error)),
        };
        Self::from_resolv_conf(&resolv_conf)
    }

    /// A resolver that asks these servers alone, over UDP and then TCP when an answer is truncated.
    ///
    /// `timeout` bounds a look-up altogether. Within it a query that gets no answer is sent once more.
    ///
    /// # Errors
    /// When the resolver cannot be set up.
    pub fn with_servers(servers: &[SocketAddr], timeout: Duration) -> Result<Self, ResolverError> {
        let servers = servers.iter().map(|server| {
            let on_port = |mut connection: ConnectionConfig| {
                connection.port = server.port();
                connection
            };
            let connections = vec![on_port(ConnectionConfig::udp()), on_port(ConnectionConfig::tcp())];
            NameServerConfig::new(server.ip(), true, connections)
        });
        Self::build(servers.collect(), ResolveHosts::Never, timeout)
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
        let mut fqdn = Name::from_ascii(name).map_err(|error| {
            Failure::lasting(FailureKind::Dns, format!("`{name}` is not a name the DNS can hold: {error}"))
        })?;
        fqdn.set_fqdn(true);
        let both =
            async { tokio::join!(self.dns.ipv6_lookup(fqdn.clone()), self.dns.ipv4_lookup(fqdn.clone())) };
        let (v6, v4) = tokio::time::timeout(self.timeout, both)
            .await
            .unwrap_or((Err(NetError::Timeout), Err(NetError::Timeout)));
        let addresses = alternate(&ips(&v6), &ips(&v4));
        if addresses.is_empty() { Err(self.failure(name, v6, v4)) } else { Ok(addresses) }
    }

    fn from_resolv_conf(text: &str) -> Result<Self, ResolverError> {
        if !text.lines().any(|line| line.trim_start().starts_with("nameserver")) {
            return Self::build(vec![], ResolveHosts::Always, SYSTEM_TIMEOUT);
        }
        let (config, _) = parse_resolv_conf(text).map_err(configuration)?;
        Self::build(config.name_servers().to_vec(), ResolveHosts::Always, SYSTEM_TIMEOUT)
    }

    fn build(
        servers: Vec<NameServerConfig>,
        hosts: ResolveHosts,
        timeout: Duration,
    ) -> Result<Self, ResolverError> {
        let mut options = ResolverOpts::default();
        options.cache_size = 0;
        options.use_hosts_file = hosts;
        options.attempts = 1;
        options.timeout = timeout / 2;
        let has_servers = !servers.is_empty();
        let config = ResolverConfig::from_parts(None, vec![], servers);
        let dns = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(options)
            .build()
            .map_err(configuration)?;
        Ok(Self { dns, has_servers, timeout })
    }

    /// What two look-ups without an address say together.
    fn failure(&self, name: &str, v6: Answer, v4: Answer) -> Failure {
        let errors = [v6.err(), v4.err()];
        let mut errors = errors.iter().flatten();
        if errors.clone().any(NetError::is_nx_domain) {
            let detail = format!("the DNS has no name `{name}`; publish an A or AAAA record for it");
            return Failure::lasting(FailureKind::Dns, detail);
        }
        // Servers are asked over UDP, without a connection: that there is none means that no socket
        // could be opened. Why not is not handed on.
        if self.has_servers && errors.clone().any(|error| matches!(error, NetError::NoConnections)) {
            let detail = format!(
                "cannot look up the addresses of `{name}`: no socket could be opened; raise the limits of \
                 the CA's process or machine"
            );
            return Failure::passing(FailureKind::Local, detail);
        }
        match errors.find_map(no_answer) {
            None => Failure::lasting(
                FailureKind::Dns,
                format!("the DNS has neither an A nor an AAAA record for `{name}`; publish one"),
            ),
            Some(what) => Failure::passing(
                FailureKind::Dns,
                format!("cannot look up the addresses of `{name}`: {what}; check the DNS servers of the CA"),
            ),
        }
    }
}

type Answer = Result<Lookup, NetError>;

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Two tries of five seconds, as resolv.conf(5) has it.
const SYSTEM_TIMEOUT: Duration = Duration::from_secs(10);

fn configuration(error: NetError) -> ResolverError {
    ResolverError::Configuration(Box::new(error))
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.rsplit('.').next().is_some_and(|label| label.eq_ignore_ascii_case("localhost"))
}

fn ips(answer: &Answer) -> Vec<IpAddr> {
    let Ok(lookup) = answer else { return vec![] };
    lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect()
}

fn alternate(first: &[IpAddr], second: &[IpAddr]) -> Vec<IpAddr> {
    let pairs = first.len().max(second.len());
    (0..pairs).flat_map(|i| [first.get(i), second.get(i)]).flatten().copied().collect()
}

/// Why the DNS did not say anything about a name; `None` when it said that there is no such record.
fn no_answer(error: &NetError) -> Option<String> {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, .. })) => {
            (*response_code != ResponseCode::NoError).then(|| format!("the server answered {response_code}"))
        }
        NetError::Dns(DnsError::ResponseCode(code)) => Some(format!("the server answered {code}")),
        NetError::NoConnections => Some("no DNS server is configured".to_owned()),
        NetError::Timeout => Some("no answer came in time".to_owned()),
        other => Some(other.to_string()),
    }
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
    async fn localhost_and_addresses_need_no_server() {
        for text in ["", "# nothing here\n", "search example.com\n", "nameserver 192.0.2.1\n"] {
            let resolver = Resolver::from_resolv_conf(text).unwrap();
            let loopback: Vec<IpAddr> = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            assert_eq!(resolver.addresses("a.localhost").await.as_ref(), Ok(&loopback));
            assert_eq!(resolver.addresses("192.0.2.7").await, Ok(vec!["192.0.2.7".parse().unwrap()]));
            assert_eq!(resolver.addresses("2001:db8::7").await, Ok(vec!["2001:db8::7".parse().unwrap()]));
        }
    }

    #[tokio::test]
    async fn without_a_server_a_name_fails_with_advice() {
        let resolver = Resolver::from_resolv_conf("").unwrap();
        let failure = resolver.addresses("www.example.com").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Dns);
        assert!(failure.to_string().contains("no DNS server is configured"), "{failure}");
    }

    #[test]
    fn a_broken_resolv_conf_is_an_error() {
        assert!(Resolver::from_resolv_conf("nameserver none.of.your.business\n").is_err());
    }
}
