//! The configuration: one strict YAML file, checked as a whole before anything is done with it.
//!
//! [`raw`] is the file as written; [`check`] turns it into the types below, which hold no value that
//! the server could not run with. Environment variables override secrets only: `CHANCERY_DATABASE_DSN`,
//! `CHANCERY_KEY_PASSPHRASE` and `CHANCERY_PROXY_PASSWORD`.

mod check;
pub(crate) mod license;
pub(crate) mod policy;
mod raw;
pub(crate) mod template;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use chancery_cli::config::{BaseUrl, read, secret};
use chancery_files::read_text;
use chancery_keycheck::CompromisedKeys;
use ipnet::IpNet;
use secrecy::SecretString;

pub(crate) use check::check;
pub(crate) use license::License;
use policy::{Limits, Profile, Validation};

/// Carries the connection string in place of `database.dsn`.
const DATABASE_DSN: &str = "CHANCERY_DATABASE_DSN";
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

/// Where a passphrase comes from.
#[derive(Debug, Clone)]
pub(crate) enum PassphraseSource {
    /// From the variable of the environment that is for it.
    Environment(SecretString),
    File(PathBuf),
}

/// Reads and checks the file at `path`.
///
/// # Errors
/// A [`ConfigError`](chancery_cli::config::ConfigError) with every problem that was found, each with its line
/// and column.
pub(crate) fn load(path: &Path) -> anyhow::Result<Config> {
    let text = read(path, "chancery init -o")?;
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

/// The passphrase of keys in a file, without the newline at its end.
///
/// # Errors
/// When the file cannot be read, or is empty.
pub(crate) fn passphrase(path: &Path) -> anyhow::Result<SecretString> {
    secret_in(path, "the passphrase of the keys")
}

/// A secret in a file, without the newline at its end; `what` it is.
///
/// # Errors
/// As [`passphrase`].
pub(crate) fn secret_in(path: &Path, what: &str) -> anyhow::Result<SecretString> {
    let text = zeroize::Zeroizing::new(read_text(path, MAX_PASSPHRASE_BYTES)?);
    let secret = text.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!secret.is_empty(), "{} is empty: it must hold {what}", path.display());
    Ok(SecretString::from(secret))
}

/// Secrets that the environment may carry in place of the file.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    pub(crate) database_dsn: Option<SecretString>,
    pub(crate) key_passphrase: Option<SecretString>,
    pub(crate) proxy_password: Option<SecretString>,
}

impl Secrets {
    /// # Errors
    /// When a variable is not UTF-8.
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        Ok(Self {
            database_dsn: secret(DATABASE_DSN)?,
            key_passphrase: secret("CHANCERY_KEY_PASSPHRASE")?,
            proxy_password: secret("CHANCERY_PROXY_PASSWORD")?,
        })
    }
}
