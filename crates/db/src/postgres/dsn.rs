//! Reading the connection string, and whether the connection is encrypted.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::describe;
use super::tls;
use crate::error::OpenError;

/// How long connecting, and data that nobody acknowledges, may take unless the string says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// After how long without traffic the connection is checked.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Where the server is and how to reach it.
pub(super) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Server {
    /// Makes a connection.
    pub(super) fn connect(&self) -> Result<Client, OpenError> {
        let connected = match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        };
        connected.map_err(|error| OpenError::Connect { message: describe(&error) })
    }
}

/// Reads a connection string.
///
/// `sslmode` is taken at its strictest, since in a string from a configuration a mode that an attacker
/// can turn off protects nothing: `verify-full` and `require` check the server's certificate and name
/// against the authorities in `sslrootcert`; `disable` does not encrypt; without `sslmode` only servers
/// on this machine are connected to.
pub(super) fn parse(dsn: &SecretString) -> Result<Server, OpenError> {
    let split = split_tls(dsn.expose_secret()).ok_or_else(malformed)?;
    // The driver's own message may repeat a part of the string.
    let mut config: Config = split.rest.expose_secret().parse().map_err(|_| malformed())?;
    let tls = match (split.mode.as_deref(), split.roots) {
        (Some("disable"), None) => None,
        (Some("verify-full" | "require") | None, Some(roots)) => Some(tls::connector(&roots)?),
        (None, None) if is_on_this_machine(&config) => None,
        (Some("disable"), Some(_)) => {
            return refused("sslmode=disable and sslrootcert exclude each other; leave one out");
        }
        (Some("verify-full" | "require"), None) => {
            return refused("sslmode=verify-full needs sslrootcert=/path/to/ca.pem, the server's authority");
        }
        (None, None) => {
            return refused(
                "the server is on another machine; add sslmode=verify-full and sslrootcert=/path/to/ca.pem \
                 (or sslmode=disable on a network that is trusted with every secret)",
            );
        }
        (Some(_), _) => return refused("sslmode is verify-full (with sslrootcert) or disable"),
    };
    config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(TIMEOUT);
    }
    config.keepalives_idle(KEEPALIVE);
    if config.get_application_name().is_none() {
        config.application_name("chancery");
    }
    Ok(Server { config, tls })
}

/// The places that a connection string names, `host:port` or the directory of a socket; none where it is malformed.
pub(super) fn places(dsn: &SecretString) -> Vec<String> {
    let split = split_tls(dsn.expose_secret());
    let Some(Ok(config)) = split.map(|split| split.rest.expose_secret().parse::<Config>()) else {
        return Vec::new();
    };
    let ports = config.get_ports();
    // libpq, "Specifying Multiple Hosts": one port is for all of them. An address is dialled in place of the name.
    let port = |place: usize| ports.get(place).or_else(|| ports.first()).copied().unwrap_or(5_432);
    let named = |(place, host): (usize, &Host)| match config.get_hostaddrs().get(place) {
        Some(address) => SocketAddr::new(*address, port(place)).to_string(),
        None => match host {
            Host::Unix(directory) => directory.display().to_string(),
            Host::Tcp(name) => format!("{name}:{}", port(place)),
        },
    };
    if config.get_hosts().is_empty() {
        let addresses = config.get_hostaddrs().iter().enumerate();
        return addresses
            .map(|(place, address)| SocketAddr::new(*address, port(place)).to_string())
            .collect();
    }
    config.get_hosts().iter().enumerate().map(named).collect()
}

/// A connection string without the two parameters that the driver does not read, or reads less strictly.
struct Split {
    rest: SecretString,
    mode: Option<String>,
    roots: Option<String>,
}

impl Split {
    fn from_pairs<'a>(
        start: &str,
        separator: char,
        pairs: impl Iterator<Item = (&'a str, String, &'a str)>,
    ) -> Self {
        let (mut mode, mut roots) = (None, None);
        let mut rest = start.to_owned();
        for (key, value, raw) in pairs {
            match key {
                "sslmode" => mode = Some(value),
                "sslrootcert" => roots = Some(value),
                _ => {
                    rest.push_str(raw);
                    rest.push(separator);
                }
            }
        }
        let rest = rest.trim_end_matches(['&', ' ']).to_owned();
        Self { rest: rest.into(), mode, roots }
    }
}

/// `None` when the string is malformed.
fn split_tls(dsn: &str) -> Option<Split> {
    if dsn.starts_with("postgres://") || dsn.starts_with("postgresql://") {
        let Some((start, query)) = dsn.split_once('?') else {
            return Some(Split::from_pairs(dsn, '&', std::iter::empty()));
        };
        let pairs: Option<Vec<_>> = query
            .split('&')
            .map(|raw| {
                let (key, value) = raw.split_once('=')?;
                // A path with `%` can be given in the other form of the string.
                let escaped = key == "sslrootcert" && value.contains('%');
                (!escaped).then(|| (key, value.to_owned(), raw))
            })
            .collect();
        return Some(Split::from_pairs(&format!("{start}?"), '&', pairs?.into_iter()));
    }
    let mut pairs = Vec::new();
    let mut rest = dsn.trim();
    while !rest.is_empty() {
        let (pair, after) = first_pair(rest)?;
        pairs.push(pair);
        rest = after.trim_start();
    }
    Some(Split::from_pairs("", ' ', pairs.into_iter()))
}

/// The first `key = value` of a string, as key, value and raw text, and what follows it. A value may be
/// in single quotes; `\` takes the next character as it is (PostgreSQL manual, "Connection Strings").
fn first_pair(text: &str) -> Option<((&str, String, &str), &str)> {
    let (key, after) = text.split_once('=')?;
    let after = after.trim_start();
    let quoted = after.starts_with('\'');
    let mut value = String::new();
    let mut characters = after.char_indices().skip(usize::from(quoted));
    let end = loop {
        match characters.next() {
            Some((_, '\\')) => value.push(characters.next()?.1),
            Some((place, '\'')) if quoted => break place + 1,
            Some((place, space)) if !quoted && space.is_whitespace() => break place,
            Some((_, character)) => value.push(character),
            None if quoted => return None,
            None => break after.len(),
        }
    };
    let rest = after.get(end..)?;
    let raw = text.get(..text.len() - rest.len())?;
    Some(((key.trim(), value, raw), rest))
}

fn is_on_this_machine(config: &Config) -> bool {
    let named = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
    });
    let addresses = config.get_hostaddrs();
    if addresses.is_empty() { named } else { addresses.iter().all(IpAddr::is_loopback) }
}

fn malformed() -> OpenError {
    OpenError::Dsn {
        message: "write `host=… port=… user=… password=… dbname=…`, a value with spaces in single quotes, \
                  or `postgres://user:password@host:port/dbname`; check for unknown parameters"
            .to_owned(),
    }
}

fn refused<T>(message: &str) -> Result<T, OpenError> {
    Err(OpenError::Dsn { message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_places_of_a_string_are_told_without_its_secrets() {
        for (dsn, expected) in [
            ("host=db.example.net user=a password=hunter2", vec!["db.example.net:5432"]),
            ("postgres://a:hunter2@db.example.net:6543/d?sslmode=disable", vec!["db.example.net:6543"]),
            ("host=/run/postgresql user=a", vec!["/run/postgresql"]),
            ("host=a,b port=1,2", vec!["a:1", "b:2"]),
            ("host=a hostaddr=2001:db8::1", vec!["[2001:db8::1]:5432"]),
            ("hunter2", vec![]),
        ] {
            assert_eq!(places(&dsn.to_owned().into()), expected, "{dsn}");
        }
    }

    fn message(dsn: &str) -> Option<String> {
        parse(&dsn.to_owned().into()).err().map(|error| error.to_string())
    }

    #[test]
    fn this_machine_needs_no_encryption() {
        for dsn in [
            "host=127.0.0.1 port=5432 user=a password='it''s' dbname=d",
            "host=127.0.0.1 user=a password='p \\' w'  dbname = d",
            "host=/run/postgresql user=a",
            "host=localhost user=a",
            "postgres://a:p@127.0.0.1:5432/d",
            "postgresql://a:p@[::1]/d?application_name=x",
            "host=db.example.net user=a sslmode=disable",
            "postgres://a:p@db.example.net/d?sslmode=disable&connect_timeout=3",
        ] {
            // `''` ends and reopens no quote in PostgreSQL's strings; the driver refuses it.
            let expected = dsn.contains("''").then_some("write `host=");
            match (message(dsn), expected) {
                (None, None) => {}
                (Some(message), Some(expected)) => assert!(message.contains(expected), "{dsn}: {message}"),
                (message, _) => panic!("{dsn}: {message:?}"),
            }
        }
    }

    #[test]
    fn refusals_say_what_to_do_and_nothing_secret() {
        let cases = [
            ("host=db.example.net user=a password=hunter2", "add sslmode=verify-full"),
            ("host=db.example.net user=a password=hunter2 sslmode=prefer", "sslmode is verify-full"),
            ("host=127.0.0.1 user=a password=hunter2 sslmode=require", "needs sslrootcert"),
            ("host=127.0.0.1 password=hunter2 sslmode=verify-full sslrootcert=/nowhere.pem", "/nowhere.pem"),
            ("host=127.0.0.1 password=ab hunter2", "single quotes"),
            ("host=127.0.0.1 hunter2=1", "unknown parameters"),
            ("postgres://a:hunter2@db.example.net/d", "add sslmode=verify-full"),
            ("postgres://a:hunter2@db/d?sslmode=disable&sslrootcert=/x", "exclude each other"),
            ("hunter2", "host="),
        ];
        for (dsn, part) in cases {
            let message = message(dsn).unwrap();
            assert!(message.contains(part), "{dsn}: {message}");
            assert!(!message.contains("hunter2"), "{dsn}: {message}");
        }
    }

    proptest! {
        #[test]
        fn any_string_is_read_or_refused(dsn in "\\PC{0,80}", pairs in "([a-z]{1,8} ?= ?'?[a-z\\\\ ]{0,6}'? ){0,4}") {
            let _ = message(&dsn);
            let _ = message(&pairs);
        }
    }
}
