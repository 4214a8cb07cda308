//! From the file as written to a configuration that the server can run with.

mod audit;
mod authorities;
mod certificates;
mod license;
mod limits;
mod profiles;
mod server;
mod validation;

use std::path::Path;

use chancery_cli::config::{ConfigError, Problems, database, parse, workdir};

use super::raw::RawConfig;
use super::{Config, DATABASE_DSN, Secrets};

/// Reads a configuration from its text.
///
/// # Errors
/// A [`ConfigError`]: the first fault of form, or else every fault of content.
pub(crate) fn check(file: &Path, text: &str, secrets: &Secrets) -> Result<Config, ConfigError> {
    let raw: RawConfig = parse(file, text)?;
    let mut problems = Problems::default();
    let workdir = workdir(file, "server.workdir", &raw.server.workdir, &mut problems);
    let server = server::server(&workdir, &raw.server, &mut problems);
    let dsn = secrets.database_dsn.as_ref();
    let database = database(&workdir, raw.database, DATABASE_DSN, dsn, &mut problems);
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
    let license = license::license(&workdir, &raw.license, secrets, &mut problems);
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
