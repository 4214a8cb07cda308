//! From the file as written to a configuration that the server can run with.

mod audit;
mod authorities;
mod certificates;
mod limits;
mod profiles;
mod server;
mod validation;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde_saphyr::Spanned;

use super::error::Problems;
use super::raw::{RawConfig, RawLicense, RawServer};
use super::{Config, ConfigError, License, Secrets, duration};

/// Reads a configuration from its text.
///
/// # Errors
/// A [`ConfigError`]: the first fault of form, or else every fault of content.
pub(crate) fn check(file: &Path, text: &str, secrets: &Secrets) -> Result<Config, ConfigError> {
    let raw: RawConfig =
        serde_saphyr::from_str(text).map_err(|error| ConfigError::unparsable(file, &error))?;
    let mut problems = Problems::default();
    let workdir = workdir(file, &raw.server);
    let server = server::server(file, &raw.server, &mut problems);
    let database = server::database(&workdir, raw.database, secrets, &mut problems);
    if let (Some(several), Some(chancery_db::Config::Sqlite { .. })) = (&raw.server.several_nodes, &database)
        && several.value
    {
        let alone = "several nodes share a PostgreSQL: change database.driver, or remove this key";
        problems.add(several.referenced, "server.several_nodes", alone);
    }
    let authorities = authorities::authorities(&workdir, &raw.authorities, secrets, &mut problems);
    let validations = validation::validations(&raw.validation, &mut problems);
    let profiles = profiles::profiles(&raw.profiles, &authorities, &validations, &mut problems);
    if let Some(server) = &server {
        profiles::require_identities(&raw.profiles, &profiles, server, &mut problems);
    }
    let limits = limits::limits(&raw.limits, &mut problems);
    let license = license(&raw.license, &mut problems);
    let audit = audit::audit(&raw.audit, &mut problems);
    match (server, database) {
        (Some(server), Some(database)) if problems.is_empty() => Ok(Config {
            file: file.to_owned(),
            server,
            database,
            authorities,
            validations,
            profiles,
            limits,
            license,
            audit,
        }),
        _ => Err(problems.into_error(file)),
    }
}

/// The working directory; a relative one starts where the configuration file is.
fn workdir(file: &Path, raw: &RawServer) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(&raw.workdir.value)
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

fn license(raw: &RawLicense, problems: &mut Problems) -> License {
    let environment = raw.environment.as_ref().and_then(|name| {
        let known = name.value.parse().map_err(|error| format!("`{}` is none: {error}", name.value));
        problems.accept(name.referenced, "license.environment", known)
    });
    License { environment }
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

fn network(text: &str) -> Result<IpNet, String> {
    text.parse().map_err(|_| format!("`{text}` is not a network such as 192.0.2.0/24 or \"2001:db8::/32\""))
}

/// A length of time within bounds; `what` says what it is the length of, and `range` what it may be.
fn within(
    text: &str,
    what: &str,
    range: std::ops::RangeInclusive<Duration>,
    written: &str,
) -> Result<Duration, String> {
    let length = duration::parse(text)?;
    if range.contains(&length) {
        return Ok(length);
    }
    Err(format!("`{text}` is outside what {what} may take: {written}"))
}
