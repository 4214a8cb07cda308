//! How a configuration that cannot be used is told of: every problem, with line and column.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use serde_saphyr::{Error as Fault, Location};

/// Everything that is wrong with a configuration file.
#[derive(Debug)]
pub struct ConfigError {
    file: PathBuf,
    problems: Vec<ConfigProblem>,
}

#[derive(Debug)]
struct ConfigProblem {
    place: Option<(u64, u64)>,
    message: String,
}

impl ConfigError {
    pub(super) fn unreadable(file: &Path, source: &io::Error, init: &str) -> Self {
        let help = match source.kind() {
            io::ErrorKind::NotFound => format!(". `{init} {}` writes a new one", file.display()),
            _ => String::new(),
        };
        let message = format!("cannot be read: {source}{help}");
        Self { file: file.to_owned(), problems: vec![ConfigProblem { place: None, message }] }
    }

    pub(super) fn unparsable(file: &Path, error: &Fault) -> Self {
        let place = error.location().and_then(place);
        let message = match error.without_snippet() {
            Fault::DuplicateMappingKey { key, .. } => {
                format!("the key `{}` stands twice: remove one", key.as_deref().unwrap_or("?"))
            }
            Fault::MultipleDocuments { .. } => {
                "a second document begins here: one file holds one configuration".to_owned()
            }
            Fault::InvalidScalar { ty: "i64", .. } => "this is not a whole number".to_owned(),
            other => {
                // The first line says what is wrong; the parser repeats the place behind it.
                let text = other.to_string();
                let message = text.lines().next().unwrap_or_default();
                message.split(" at line ").next().unwrap_or(message).to_owned()
            }
        };
        Self { file: file.to_owned(), problems: vec![ConfigProblem { place, message }] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", self.file.display())?;
            if let Some((line, column)) = problem.place {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Gathers problems, so that an operator sees all of them at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<ConfigProblem>);

impl Problems {
    /// Notes a problem with the value of `field` at `location`.
    pub fn add(&mut self, location: Location, field: &str, message: impl fmt::Display) {
        self.0.push(ConfigProblem { place: place(location), message: format!("{field}: {message}") });
    }

    /// The value of `result`, or a note of its error.
    pub fn accept<T, E: fmt::Display>(
        &mut self,
        location: Location,
        field: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(location, field, error)).ok()
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many problems there are so far.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them, in the order of the file.
    pub fn into_error(self, file: &Path) -> ConfigError {
        let mut problems = self.0;
        problems.sort_by_key(|problem| problem.place);
        ConfigError { file: file.to_owned(), problems }
    }
}

fn place(location: Location) -> Option<(u64, u64)> {
    (location != Location::UNKNOWN).then(|| (location.line(), location.column()))
}
