//! The configuration: one strict YAML file, checked as a whole before anything is done with it.
//!
//! [`raw`] is the file as written; [`check`] turns it into the types below, which hold no value that
//! the server could not run with. Environment variables override secrets only: `CHANCERY_DATABASE_DSN`
//! and `CHANCERY_KEY_PASSPHRASE`.

mod check;
pub(crate) mod duration;
mod error;
pub(crate) mod policy;
mod raw;
pub(crate) mod template;

use std::env::VarError;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use chancery_files::read_text;
use chancery_keycheck::CompromisedKeys;
use chancery_license::Environment;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

pub(crate) use check::check;
pub(crate) use error::ConfigError;
use policy::{Limits, Profile, Validation};

/// Longer than any configuration; what is behind that is not read.
const MAX_CONFIG_BYTES: u64 = 1_024 * 1_024;
/// Some four million keys, which take half of that in memory.
const MAX_COMPROMISED_BYTES: u64 = 256 * 1_024 * 1_024;
const MAX_PASSPHRASE_BYTES: u64 = 4_096;

/// A configuration that passed every check.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file that it came from, as the operator named it.
    pub(crate) file: PathBuf,
    pub(crate) server: Server,
    pub(crate) database: chancery_db::Config,
    /// At least one, each with a name of its own.
    pub(crate) authorities: Vec<Authority>,
    /// At least one, each with a name of its own.
    pub(crate) validations: Vec<Validation>,
    /// At least one, each with a name of its own, in the order of the file.
    pub(crate) profiles: Vec<Profile>,
    pub(crate) limits: Limits,
    pub(crate) license: License,
    pub(crate) audit: Audit,
}

/// How the audit log is kept.
#[derive(Debug)]
pub(crate) struct Audit {
    /// Whether nothing is issued while the log cannot be written.
    pub(crate) required: bool,
    /// How many events may wait for a log that cannot be written before nothing is issued any more.
    pub(crate) backlog: u64,
    /// When a new segment is begun: at that size in bytes, or that age.
    pub(crate) segment_bytes: u64,
    pub(crate) segment_age: Duration,
    /// After how many lines a checkpoint is signed.
    pub(crate) checkpoint_every: u64,
    /// Whether closed segments are compressed.
    pub(crate) compress: bool,
}

/// Which licences count.
#[derive(Debug)]
pub(crate) struct License {
    /// The environment that they have to be for; that of the build where the file names none.
    pub(crate) environment: Option<Environment>,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: BaseUrl,
    pub(crate) listen: SocketAddr,
    /// Where the server keeps its files; relative paths of the configuration start here.
    pub(crate) workdir: PathBuf,
    pub(crate) tls: Tls,
    pub(crate) terms_of_service: Option<String>,
    pub(crate) website: Option<String>,
    /// The names by which CAA records and dns-persist-01 know this CA; the host of `url` unless the file says
    /// otherwise, and empty where that is an address.
    pub(crate) caa_identities: Vec<String>,
    /// Whether other nodes share the database, which is a PostgreSQL then.
    pub(crate) several_nodes: bool,
    /// The networks of proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// A list of keys that nobody may use, beside those that are printed in RFCs.
    pub(crate) compromised_keys: Option<PathBuf>,
}

/// The `https` origin that every URL of the server starts with; it has no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    origin: String,
    host: String,
}

impl BaseUrl {
    /// `https://host[:port]`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The host alone.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

/// Where the listener's certificate comes from.
#[derive(Debug)]
pub(crate) enum Tls {
    /// From the authority of the first profile, renewed in time.
    SelfIssued,
    /// From files, read again when they change.
    Files { certificate: PathBuf, key: PathBuf },
}

#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) name: String,
    pub(crate) directory: PathBuf,
    pub(crate) passphrase: PassphraseSource,
    /// Files with other chains for the same issuing certificate's key, PEM (RFC 8555 §7.4.2).
    pub(crate) alternate_chains: Vec<PathBuf>,
}

/// Where the passphrase of an authority's keys comes from.
#[derive(Debug)]
pub(crate) enum PassphraseSource {
    /// From `CHANCERY_KEY_PASSPHRASE`.
    Environment(SecretString),
    File(PathBuf),
}

/// Reads and checks the file at `path`.
///
/// # Errors
/// A [`ConfigError`] with every problem that was found, each with its line and column.
pub(crate) fn load(path: &Path) -> anyhow::Result<Config> {
    let unreadable = |source| ConfigError::unreadable(path, &source);
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    file.take(MAX_CONFIG_BYTES)
        .read_to_string(&mut text)
        .map_err(|source| ConfigError::unreadable(path, &source))?;
    Ok(check(path, &text, &Secrets::from_environment()?)?)
}

/// The keys that nobody may use: those printed in RFCs, and those of the operator's list.
///
/// # Errors
/// When the list cannot be read, or a line of it is not the digest of a key.
pub(crate) fn compromised_keys(list: Option<&Path>) -> anyhow::Result<CompromisedKeys> {
    let Some(path) = list else { return Ok(CompromisedKeys::published()) };
    let listed = read_text(path, MAX_COMPROMISED_BYTES)
        .map_err(anyhow::Error::from)
        .and_then(|text| CompromisedKeys::with_list(&text).map_err(anyhow::Error::from));
    listed.with_context(|| format!("server.compromised_keys: {}", path.display()))
}

/// The passphrase in a file, without the newline at its end.
///
/// # Errors
/// When the file cannot be read, or is empty.
pub(crate) fn passphrase(path: &Path) -> anyhow::Result<SecretString> {
    let text = zeroize::Zeroizing::new(read_text(path, MAX_PASSPHRASE_BYTES)?);
    let passphrase = text.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(
        !passphrase.is_empty(),
        "{} is empty: it must hold the passphrase of the keys",
        path.display()
    );
    Ok(SecretString::from(passphrase))
}

/// Secrets that the environment may carry in place of the file.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    pub(crate) database_dsn: Option<SecretString>,
    pub(crate) key_passphrase: Option<SecretString>,
}

impl Secrets {
    /// # Errors
    /// When a variable is not UTF-8.
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        let secret = |name| match std::env::var(name) {
            Ok(value) => {
                Ok(Some(SecretString::from(value)).filter(|secret| !secret.expose_secret().is_empty()))
            }
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(anyhow::anyhow!("the variable {name} is not UTF-8")),
        };
        Ok(Self {
            database_dsn: secret("CHANCERY_DATABASE_DSN")?,
            key_passphrase: secret("CHANCERY_KEY_PASSPHRASE")?,
        })
    }
}
