//! From the file as written to a configuration that the server can run with.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chancery_acme::identifier::DnsName;
use ipnet::IpNet;
use secrecy::SecretString;
use serde_saphyr::Spanned;

use super::error::Problems;
use super::raw::{
    RawAudit, RawAuthority, RawConfig, RawDatabase, RawLicense, RawProfile, RawServer, RawValidation,
};
use super::{
    Audit, Authority, BaseUrl, Config, ConfigError, License, PassphraseSource, Profile, Secrets, Server, Tls,
    Validation, duration,
};

const DEFAULT_VALIDITY: Duration = Duration::from_secs(90 * 86_400);
/// The longest lifetime that a profile may give; the PKI's own cap lies above it.
const MAX_VALIDITY: Duration = Duration::from_secs(825 * 86_400);
/// The age at which the audit log begins a new segment, and what it may be set to.
const DEFAULT_SEGMENT_AGE: Duration = Duration::from_secs(30 * 86_400);
const MIN_SEGMENT_AGE: Duration = Duration::from_secs(3_600);
const MAX_SEGMENT_AGE: Duration = Duration::from_secs(366 * 86_400);
/// Below this, a certificate could lapse between its issue and its first use.
const MIN_VALIDITY: Duration = Duration::from_secs(300);

/// Reads a configuration from its text.
///
/// # Errors
/// A [`ConfigError`]: the first fault of form, or else every fault of content.
pub(crate) fn check(file: &Path, text: &str, secrets: &Secrets) -> Result<Config, ConfigError> {
    let raw: RawConfig =
        serde_saphyr::from_str(text).map_err(|error| ConfigError::unparsable(file, &error))?;
    let mut problems = Problems::default();
    let server = server(file, &raw.server, &mut problems);
    let workdir = workdir(file, &raw.server);
    let database = database(&workdir, raw.database, secrets, &mut problems);
    let authorities = authorities(&workdir, &raw.authorities, secrets, &mut problems);
    let validations = validations(&raw.validation, &mut problems);
    let profile = profile(&raw.profiles, &authorities, &validations, &mut problems);
    let license = license(&raw.license, &mut problems);
    let audit = audit(&raw.audit, &mut problems);
    match (server, database, profile) {
        (Some(server), Some(database), Some(profile)) if problems.is_empty() => {
            Ok(Config { file: file.to_owned(), server, database, authorities, profile, license, audit })
        }
        _ => Err(problems.into_error(file)),
    }
}

/// The working directory; a relative one starts where the configuration file is.
fn workdir(file: &Path, raw: &RawServer) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(&raw.workdir.value)
}

fn server(file: &Path, raw: &RawServer, problems: &mut Problems) -> Option<Server> {
    let url = problems.accept(raw.url.referenced, "server.url", base_url(&raw.url.value));
    let listen = problems.accept(
        raw.listen.referenced,
        "server.listen",
        raw.listen.value.parse().map_err(|_| {
            format!("`{}` is not an address and port such as 127.0.0.1:14000 or [::]:443", raw.listen.value)
        }),
    );
    if raw.workdir.value.is_empty() {
        problems.add(raw.workdir.referenced, "server.workdir", "is empty: name a directory");
    }
    let workdir = workdir(file, raw);
    let tls = match &raw.tls {
        None => Tls::SelfIssued,
        Some(tls) => Tls::Files {
            certificate: path_in(&workdir, "server.tls.certificate", &tls.certificate, problems),
            key: path_in(&workdir, "server.tls.key", &tls.key, problems),
        },
    };
    let mut web_page = |field, page: &Option<Spanned<String>>| {
        let page = page.as_ref()?;
        if !page.value.starts_with("https://") && !page.value.starts_with("http://") {
            problems.add(page.referenced, field, format!("`{}` is not the URL of a web page", page.value));
        }
        Some(page.value.clone())
    };
    let terms_of_service = web_page("server.terms_of_service", &raw.terms_of_service);
    let website = web_page("server.website", &raw.website);
    Some(Server { url: url?, listen: listen?, workdir, tls, terms_of_service, website })
}

/// Reads `https://host[:port]`, with or without a slash behind it.
fn base_url(text: &str) -> Result<BaseUrl, String> {
    let wanted = "write https://HOST or https://HOST:PORT, as clients will use it";
    let uri: http::Uri = text.parse().map_err(|_| format!("`{text}` is not a URL: {wanted}"))?;
    if uri.scheme_str() != Some("https") {
        return Err(format!("`{text}` does not begin with https://, which RFC 8555 §6.1 demands: {wanted}"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains('#') {
        return Err(format!("`{text}` has a path, a query or a fragment: {wanted}"));
    }
    let authority = uri.authority().ok_or_else(|| format!("`{text}` has no host: {wanted}"))?;
    if authority.as_str().contains('@') {
        return Err(format!("the URL names a user: {wanted}"));
    }
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = match bare.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => DnsName::new(bare).map_err(|error| error.to_string())?.as_str().to_owned(),
    };
    let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
        return Err(format!("`{text}` has no port from 1 to 65535 behind its colon: {wanted}"));
    }
    // RFC 3986 §6.2.3: the default port is left out, so that URLs compare equal to those that clients write.
    let authority = authority.as_str().to_ascii_lowercase();
    let authority = authority.strip_suffix(":443").unwrap_or(&authority);
    Ok(BaseUrl { origin: format!("https://{authority}"), host })
}

fn database(
    workdir: &Path,
    raw: RawDatabase,
    secrets: &Secrets,
    problems: &mut Problems,
) -> Option<chancery_db::Config> {
    match raw.driver.value.as_str() {
        "sqlite" => {
            if let Some(dsn) = &raw.dsn {
                problems.add(
                    dsn.referenced,
                    "database.dsn",
                    "belongs to the driver postgres: remove it, or change the driver",
                );
            }
            let Some(path) = &raw.path else {
                problems.add(raw.driver.referenced, "database.path", "is missing: name the SQLite file");
                return None;
            };
            Some(chancery_db::Config::Sqlite { path: path_in(workdir, "database.path", path, problems) })
        }
        "postgres" => {
            if let Some(path) = &raw.path {
                problems.add(
                    path.referenced,
                    "database.path",
                    "belongs to the driver sqlite: remove it, or change the driver",
                );
            }
            let dsn = secrets.database_dsn.clone().or(raw.dsn.map(|dsn| SecretString::from(dsn.value)));
            if dsn.is_none() {
                let missing = "is missing: write it here, or set CHANCERY_DATABASE_DSN";
                problems.add(raw.driver.referenced, "database.dsn", missing);
            }
            Some(chancery_db::Config::Postgres { dsn: dsn? })
        }
        other => {
            let unknown = format!("`{other}` is not a driver: use sqlite or postgres");
            problems.add(raw.driver.referenced, "database.driver", unknown);
            None
        }
    }
}

fn authorities(
    workdir: &Path,
    raw: &Spanned<Vec<RawAuthority>>,
    secrets: &Secrets,
    problems: &mut Problems,
) -> Vec<Authority> {
    if raw.value.is_empty() {
        problems.add(raw.referenced, "authorities", "is empty: at least one authority must sign");
    }
    unique_names("authorities", raw.value.iter().map(|authority| &authority.name), problems);
    raw.value
        .iter()
        .enumerate()
        .filter_map(|(index, raw)| authority(workdir, index, raw, secrets, problems))
        .collect()
}

fn authority(
    workdir: &Path,
    index: usize,
    raw: &RawAuthority,
    secrets: &Secrets,
    problems: &mut Problems,
) -> Option<Authority> {
    let field = |name| format!("authorities[{index}].{name}");
    if raw.kind.value != "local" {
        let unknown = format!("`{}` is not a type of authority: use local", raw.kind.value);
        problems.add(raw.kind.referenced, &field("type"), unknown);
    }
    let directory = path_in(workdir, &field("directory"), &raw.directory, problems);
    let passphrase = match (&secrets.key_passphrase, &raw.passphrase_file) {
        (Some(passphrase), _) => PassphraseSource::Environment(passphrase.clone()),
        (None, Some(file)) => {
            PassphraseSource::File(path_in(workdir, &field("passphrase_file"), file, problems))
        }
        (None, None) => {
            let missing = "is missing: name a file, or set CHANCERY_KEY_PASSPHRASE";
            problems.add(raw.name.referenced, &field("passphrase_file"), missing);
            return None;
        }
    };
    Some(Authority { name: raw.name.value.clone(), directory, passphrase })
}

fn validations(raw: &Spanned<Vec<RawValidation>>, problems: &mut Problems) -> Vec<(String, Validation)> {
    if raw.value.is_empty() {
        problems.add(raw.referenced, "validation", "is empty: profiles need one to check names with");
    }
    unique_names("validation", raw.value.iter().map(|validation| &validation.name), problems);
    raw.value
        .iter()
        .enumerate()
        .map(|(index, raw)| (raw.name.value.clone(), validation(index, raw, problems)))
        .collect()
}

fn validation(index: usize, raw: &RawValidation, problems: &mut Problems) -> Validation {
    let field = |name: &str| format!("validation[{index}].{name}");
    Validation {
        http_port: port(&field("http01.port"), raw.http01.port.as_ref(), 80, problems),
        https_port: port(&field("http01.https_port"), raw.http01.https_port.as_ref(), 443, problems),
        resolvers: each(&field("resolvers"), &raw.resolvers, name_server, problems),
        egress_allow: each(&field("egress.allow"), &raw.egress.allow, network, problems),
        egress_deny: each(&field("egress.deny"), &raw.egress.deny, network, problems),
    }
}

fn port(field: &str, port: Option<&Spanned<i64>>, default: u16, problems: &mut Problems) -> u16 {
    let Some(port) = port else { return default };
    match u16::try_from(port.value) {
        Ok(number) if number != 0 => return number,
        _ => {}
    }
    let wrong = format!("{} is not a port: write 1 to 65535, or leave the key out for {default}", port.value);
    problems.add(port.referenced, field, wrong);
    default
}

/// Reads every text of a list; those that cannot be read are noted.
fn each<T>(
    field: &str,
    texts: &[Spanned<String>],
    read: impl Fn(&str) -> Result<T, String>,
    problems: &mut Problems,
) -> Vec<T> {
    let read_one = |(place, text): (usize, &Spanned<String>)| {
        problems.accept(text.referenced, &format!("{field}[{place}]"), read(&text.value))
    };
    texts.iter().enumerate().filter_map(read_one).collect()
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse().or_else(|_| text.parse().map(|address| SocketAddr::new(address, 53)));
    with_port.map_err(|_| format!("`{text}` is not an address such as 192.0.2.53 or 192.0.2.53:5353"))
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse().map_err(|_| format!("`{text}` is not a network such as 192.0.2.0/24 or \"2001:db8::/32\""))
}

fn profile(
    raw: &Spanned<Vec<RawProfile>>,
    authorities: &[Authority],
    validations: &[(String, Validation)],
    problems: &mut Problems,
) -> Option<Profile> {
    let [profile] = raw.value.as_slice() else {
        let count = raw.value.len();
        let wrong = format!("has {count} entries: this version serves exactly one profile");
        problems.add(raw.referenced, "profiles", wrong);
        return None;
    };
    let authority = authorities.iter().position(|authority| authority.name == profile.authority.value);
    if authority.is_none() {
        let dangling = format!("no authority is named `{}`", profile.authority.value);
        problems.add(profile.authority.referenced, "profiles[0].authority", dangling);
    }
    let validation = validations.iter().find(|(name, _)| *name == profile.validation.value);
    if validation.is_none() {
        let dangling = format!("no entry of `validation` is named `{}`", profile.validation.value);
        problems.add(profile.validation.referenced, "profiles[0].validation", dangling);
    }
    let validity = match &profile.validity {
        None => Some(DEFAULT_VALIDITY),
        Some(text) => problems.accept(text.referenced, "profiles[0].validity", validity(&text.value)),
    };
    Some(Profile {
        name: profile.name.value.clone(),
        authority: authority?,
        validation: validation?.1.clone(),
        validity: validity?,
    })
}

fn license(raw: &RawLicense, problems: &mut Problems) -> License {
    let environment = raw.environment.as_ref().and_then(|name| {
        let known = name.value.parse().map_err(|error| format!("`{}` is none: {error}", name.value));
        problems.accept(name.referenced, "license.environment", known)
    });
    License { environment }
}

fn audit(raw: &RawAudit, problems: &mut Problems) -> Audit {
    const MIB: u64 = 1_024 * 1_024;
    let mut number = |field: &str, given: Option<&Spanned<i64>>, most: u64, default: u64| {
        let Some(given) = given else { return default };
        match u64::try_from(given.value) {
            Ok(number) if (1..=most).contains(&number) => return number,
            _ => {}
        }
        let wrong = format!("{} is outside 1 to {most}; leave the key out for {default}", given.value);
        problems.add(given.referenced, field, wrong);
        default
    };
    let segment_mib = number("audit.segment_mib", raw.segment_mib.as_ref(), 65_536, 256);
    let checkpoint_every = number("audit.checkpoint_every", raw.checkpoint_every.as_ref(), 1_000_000, 1_000);
    let backlog = number("audit.backlog", raw.backlog.as_ref(), 100_000_000, 100_000);
    let age = raw.segment_age.as_ref();
    let age =
        age.and_then(|age| problems.accept(age.referenced, "audit.segment_age", segment_age(&age.value)));
    Audit {
        required: raw.required.unwrap_or(false),
        backlog,
        segment_bytes: segment_mib * MIB,
        segment_age: age.unwrap_or(DEFAULT_SEGMENT_AGE),
        checkpoint_every,
        compress: raw.compress.unwrap_or(false),
    }
}

fn segment_age(text: &str) -> Result<Duration, String> {
    let age = duration::parse(text)?;
    if (MIN_SEGMENT_AGE..=MAX_SEGMENT_AGE).contains(&age) {
        return Ok(age);
    }
    Err(format!("`{text}` is outside what a segment of the audit log may take: 1h to 366d"))
}

fn validity(text: &str) -> Result<Duration, String> {
    let validity = duration::parse(text)?;
    if (MIN_VALIDITY..=MAX_VALIDITY).contains(&validity) {
        return Ok(validity);
    }
    Err(format!("`{text}` is outside what a certificate may live: 5m to 825d"))
}

fn unique_names<'a>(field: &str, names: impl Iterator<Item = &'a Spanned<String>>, problems: &mut Problems) {
    let mut seen = HashSet::new();
    for (index, name) in names.enumerate() {
        let field = format!("{field}[{index}].name");
        if name.value.is_empty() {
            problems.add(name.referenced, &field, "is empty");
        }
        if !seen.insert(name.value.as_str()) {
            problems.add(name.referenced, &field, format!("`{}` is used twice", name.value));
        }
    }
}

/// A path of the configuration; a relative one starts in the working directory.
fn path_in(workdir: &Path, field: &str, raw: &Spanned<String>, problems: &mut Problems) -> PathBuf {
    if raw.value.is_empty() {
        problems.add(raw.referenced, field, "is empty: name a file");
    }
    workdir.join(&raw.value)
}
