//! The configuration: one strict YAML file, checked as a whole before anything is done with it.
//!
//! The environment variable `CHANCERY_PORTAL_DATABASE_DSN` goes before the connection string of the file.

mod check;
pub(crate) mod template;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chancery_cli::config::{BaseUrl, TlsFiles, read, secret};
use chancery_rate::Rate;
use ipnet::IpNet;
use secrecy::SecretString;

pub(crate) use check::check;

/// The command that writes a new configuration when it is given a path.
const INIT: &str = "chancery-portal init -o";
const DATABASE_DSN: &str = "CHANCERY_PORTAL_DATABASE_DSN";

/// A configuration that passed every check.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) database: chancery_db::Config,
    pub(crate) limits: Limits,
    pub(crate) webhooks: Webhooks,
    pub(crate) revocations: Revocations,
}

/// Where the portal is, and how it is reached.
#[derive(Debug)]
pub(crate) struct Server {
    /// The origin under which its clients reach it.
    pub(crate) url: BaseUrl,
    pub(crate) listen: SocketAddr,
    /// Where the portal keeps its files; relative paths of the configuration start here.
    pub(crate) workdir: PathBuf,
    pub(crate) tls: Tls,
    /// The networks of proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

/// Who speaks TLS with the clients.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// The portal, with a certificate that it signs itself.
    SelfSigned,
    /// The portal, with a certificate that the operator brings.
    Files(TlsFiles),
    /// A proxy on the same machine.
    Proxy,
}

/// What callers may ask for in a length of time; `None` where there is no limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) requests_per_key: Option<Rate>,
    pub(crate) requests_per_ip: Option<Rate>,
}

/// Where webhooks may go.
#[derive(Debug, Clone)]
pub(crate) struct Webhooks {
    /// Networks that are allowed though they are private or the machine's own.
    pub(crate) allow: Vec<IpNet>,
    /// Networks that are never allowed.
    pub(crate) deny: Vec<IpNet>,
    /// The roots that receivers' certificates lead to; those of the system where there is none.
    pub(crate) ca_file: Option<PathBuf>,
}

/// How revocation lists are issued.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revocations {
    /// For how long a list says that it is the newest: a new one is signed when half of that has passed.
    pub(crate) next_update: Duration,
}

/// Reads and checks the configuration.
///
/// # Errors
/// Every fault, with its line and column.
pub(crate) fn load(path: &Path) -> anyhow::Result<Config> {
    let dsn: Option<SecretString> = secret(DATABASE_DSN)?;
    Ok(check(path, &read(path, INIT)?, dsn.as_ref())?)
}
