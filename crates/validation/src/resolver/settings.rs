//! What a resolver is told.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::Hosts;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::system_conf::parse_resolv_conf;

/// How the DNS is asked.
#[derive(Debug, Clone)]
pub struct ResolverSettings {
    /// The recursive servers to ask; empty for those of the machine, with its hosts file.
    pub servers: Vec<SocketAddr>,
    /// Zones whose names are asked for elsewhere; the longest one that fits counts.
    pub zones: Vec<Zone>,
    /// Whether TXT and CAA records are asked of the name servers of their zone itself, which no cache
    /// stands before. Addresses are asked of `servers` and `zones` all the same.
    pub authoritative: bool,
    /// The port of these name servers; 53 by RFC 1035 §4.2.
    pub authoritative_port: u16,
    /// Whether every answer has to be authenticated by DNSSEC: the servers asked validate, and their AD
    /// bit says so (RFC 4035 §3.2.3). A zone that is not signed then has no answers.
    ///
    /// The validation is the servers': they hold the trust anchors of private zones, which no root
    /// vouches for. The AD bit is worth what the way to them is worth (RFC 6840 §5.8), so they belong
    /// on this machine or on a network that the CA trusts.
    pub dnssec: bool,
    /// What carries the questions.
    pub protocol: Protocol,
    /// How long one question to one server may take.
    pub timeout: Duration,
    /// How often a server that does not answer is asked; at least once.
    pub attempts: u32,
}

impl Default for ResolverSettings {
    /// The servers of the machine, over UDP, three seconds and two attempts.
    fn default() -> Self {
        Self {
            servers: vec![],
            zones: vec![],
            authoritative: false,
            authoritative_port: 53,
            dnssec: false,
            protocol: Protocol::Udp,
            timeout: Duration::from_secs(3),
            attempts: 2,
        }
    }
}

/// A zone with servers of its own.
#[derive(Debug, Clone)]
pub struct Zone {
    /// The name of the zone; it and all names under it are asked for at `servers`.
    pub name: String,
    /// Recursive or authoritative servers; with DNSSEC, servers that validate.
    pub servers: Vec<SocketAddr>,
}

/// What carries questions to servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// UDP, and TCP for an answer that does not fit.
    Udp,
    /// TCP alone.
    Tcp,
}

/// Why no resolver could be set up.
#[derive(Debug, thiserror::Error)]
pub enum ResolverError {
    /// The system's configuration exists and cannot be read.
    #[error("cannot read {RESOLV_CONF}: {0}; make it readable or configure DNS servers")]
    Read(#[source] std::io::Error),
    /// The system's configuration is not valid.
    #[error("cannot use the DNS servers configured ({0}); correct {RESOLV_CONF} or configure DNS servers")]
    Configuration(#[source] Box<NetError>),
    /// The name of a zone is none.
    #[error("`{0}` is not the name of a zone: {1}")]
    ZoneName(String, String),
    /// A zone without servers.
    #[error("the zone `{0}` has no DNS servers; name one or leave the zone out")]
    ZoneServers(String),
    /// Two entries for one zone.
    #[error("the zone `{0}` is there twice; make one entry of the two")]
    ZoneTwice(String),
    /// Name servers of zones serve their data and do not validate.
    #[error(
        "DNSSEC and authoritative look-ups exclude each other: what validates is the configured DNS servers; \
         choose one"
    )]
    DnssecAuthoritative,
}

/// What is asked where.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) default: Vec<SocketAddr>,
    /// Longest first.
    zones: Vec<(Name, Vec<SocketAddr>)>,
    pub(super) hosts: Hosts,
}

impl Servers {
    /// The servers of the settings, or of this machine.
    pub(super) fn new(settings: &ResolverSettings) -> Result<Self, ResolverError> {
        let mut servers = if settings.servers.is_empty() {
            Self::system()?
        } else {
            Self { default: settings.servers.clone(), zones: vec![], hosts: Hosts::default() }
        };
        for zone in &settings.zones {
            let name = fqdn(&zone.name)
                .map_err(|error| ResolverError::ZoneName(zone.name.clone(), error.to_string()))?;
            if zone.servers.is_empty() {
                return Err(ResolverError::ZoneServers(zone.name.clone()));
            }
            if servers.zones.iter().any(|(other, _)| *other == name) {
                return Err(ResolverError::ZoneTwice(zone.name.clone()));
            }
            servers.zones.push((name, zone.servers.clone()));
        }
        servers.zones.sort_by_key(|(name, _)| std::cmp::Reverse(name.num_labels()));
        Ok(servers)
    }

    fn system() -> Result<Self, ResolverError> {
        let text = match std::fs::read_to_string(RESOLV_CONF) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ResolverError::Read(error)),
        };
        // A machine without a hosts file knows no more than the DNS.
        let hosts = Hosts::from_system().unwrap_or_default();
        Ok(Self { default: system_servers(&text)?, zones: vec![], hosts })
    }

    /// Whom to ask for `name`.
    pub(super) fn of(&self, name: &Name) -> &[SocketAddr] {
        let zone = self.zones.iter().find(|(zone, _)| zone.zone_of(name));
        zone.map_or(&self.default, |(_, servers)| servers)
    }
}

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The servers in a resolv.conf(5).
fn system_servers(resolv_conf: &str) -> Result<Vec<SocketAddr>, ResolverError> {
    if !resolv_conf.lines().any(|line| line.trim_start().starts_with("nameserver")) {
        return Ok(vec![]);
    }
    let (config, _) =
        parse_resolv_conf(resolv_conf).map_err(|error| ResolverError::Configuration(Box::new(error)))?;
    Ok(config.name_servers().iter().map(|server| SocketAddr::new(server.ip, 53)).collect())
}

/// A name as it stands; no search list applies.
pub(super) fn fqdn(name: &str) -> Result<Name, hickory_resolver::proto::ProtoError> {
    let mut fqdn = Name::from_ascii(name)?;
    fqdn.set_fqdn(true);
    Ok(fqdn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(settings: ResolverSettings) -> Result<Servers, ResolverError> {
        Servers::new(&ResolverSettings { servers: vec![server(1)], ..settings })
    }

    fn server(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 53))
    }

    fn zone(name: &str, last: u8) -> Zone {
        Zone { name: name.to_owned(), servers: vec![server(last)] }
    }

    #[test]
    fn the_longest_zone_that_fits_is_asked() {
        let zones = vec![zone("test", 2), zone("b.test.", 4), zone("A.b.Test", 3)];
        let servers = servers(ResolverSettings { zones, ..ResolverSettings::default() }).unwrap();
        for (name, last) in [
            ("example.com", 1),
            ("test", 2),
            ("ab.test", 2),
            ("b.test", 4),
            ("c.b.test", 4),
            ("a.b.test", 3),
            ("_acme-challenge.A.B.TEST", 3),
            ("notest", 1),
        ] {
            assert_eq!(servers.of(&fqdn(name).unwrap()), [server(last)], "{name}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let empty = Zone { name: "a.test".to_owned(), servers: vec![] };
        for (zones, said) in [
            (vec![zone("a..test", 2)], "`a..test` is not the name of a zone"),
            (vec![empty], "the zone `a.test` has no DNS servers"),
            (vec![zone("a.test", 2), zone("A.TEST.", 3)], "the zone `A.TEST.` is there twice"),
        ] {
            let error = servers(ResolverSettings { zones, ..ResolverSettings::default() }).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn a_resolv_conf_may_name_no_server_but_no_nonsense() {
        for text in ["", "# nothing here\n", "search example.com\n"] {
            assert_eq!(system_servers(text).unwrap(), []);
        }
        let servers = system_servers("nameserver 192.0.2.1\nnameserver 2001:db8::1\n").unwrap();
        assert_eq!(servers, [server(1), "[2001:db8::1]:53".parse().unwrap()]);
        assert!(system_servers("nameserver none.of.your.business\n").is_err());
    }
}
