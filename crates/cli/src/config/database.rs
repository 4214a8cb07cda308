//! The `database` section: where the rows are.

use std::path::Path;

use secrecy::SecretString;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Problems, path_in};

/// The section as written. It may hold a password, so that there is no `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDatabase {
    /// `sqlite` or `postgres`.
    pub driver: Spanned<String>,
    /// The file of SQLite.
    pub path: Option<Spanned<String>>,
    /// The connection string of PostgreSQL.
    pub dsn: Option<Spanned<String>>,
}

/// Checks the section. `given` is the connection string that the environment carries in `variable`, which goes
/// before that of the file.
pub fn database(
    workdir: &Path,
    raw: RawDatabase,
    variable: &str,
    given: Option<&SecretString>,
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
            let dsn = given.cloned().or(raw.dsn.map(|dsn| SecretString::from(dsn.value)));
            if dsn.is_none() {
                let missing = format!("is missing: write it here, or set {variable}");
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

#[cfg(test)]
mod tests {
    use chancery_db::Config;
    use secrecy::ExposeSecret;

    use super::*;

    fn check(text: &str, given: Option<&str>) -> Result<Config, String> {
        let mut problems = Problems::default();
        let raw = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let given = given.map(SecretString::from);
        let database = database(Path::new("/w"), raw, "DSN", given.as_ref(), &mut problems);
        match database {
            Some(database) if problems.is_empty() => Ok(database),
            _ => Err(problems.into_error(Path::new("a.yml")).to_string()),
        }
    }

    #[test]
    fn a_file_or_a_connection_string_is_where_the_rows_are() {
        let sqlite = check("{driver: sqlite, path: a.db}", Some("host=elsewhere")).unwrap();
        assert!(matches!(sqlite, Config::Sqlite { path } if path == Path::new("/w/a.db")));
        for (text, given, expected) in [
            ("{driver: postgres, dsn: host=file}", None, "host=file"),
            ("{driver: postgres, dsn: host=file}", Some("host=environment"), "host=environment"),
            ("{driver: postgres}", Some("host=environment"), "host=environment"),
        ] {
            let Ok(Config::Postgres { dsn }) = check(text, given) else { panic!("{text}") };
            assert_eq!(dsn.expose_secret(), expected, "{text}");
        }
    }

    #[test]
    fn what_a_driver_lacks_or_cannot_use_is_refused() {
        for (text, told) in [
            ("{driver: sqlite}", "database.path: is missing"),
            ("{driver: sqlite, path: \"\"}", "database.path: is empty"),
            (
                "{driver: sqlite, path: a.db, dsn: host=secret}",
                "database.dsn: belongs to the driver postgres",
            ),
            ("{driver: postgres}", "database.dsn: is missing: write it here, or set DSN"),
            (
                "{driver: postgres, path: a.db, dsn: host=secret}",
                "database.path: belongs to the driver sqlite",
            ),
            ("{driver: mysql, dsn: host=secret}", "`mysql` is not a driver"),
        ] {
            let error = check(text, None).unwrap_err();
            assert!(error.contains(told) && !error.contains("host="), "{text}: {error}");
        }
    }
}
