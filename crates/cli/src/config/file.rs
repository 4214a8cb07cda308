//! From the file to what is written in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::de::DeserializeOwned;

use super::ConfigError;

/// Longer than any configuration; what is behind that is not read.
const MAX_BYTES: u64 = 1_024 * 1_024;

/// Reads the text of a configuration file. `init` is the command that writes a new one when it is given a path,
/// such as `chancery init -o`.
///
/// # Errors
/// A [`ConfigError`] when the file cannot be read.
pub fn read(path: &Path, init: &str) -> Result<String, ConfigError> {
    read_bounded(path).map_err(|source| ConfigError::unreadable(path, &source, init))
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Reads a configuration from its text. A key that stands twice, a second document, and keys that `Raw` does not
/// know are refused.
///
/// # Errors
/// A [`ConfigError`] with the first fault of form.
pub fn parse<Raw: DeserializeOwned>(file: &Path, text: &str) -> Result<Raw, ConfigError> {
    serde_saphyr::from_str(text).map_err(|error| ConfigError::unparsable(file, &error))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_saphyr::Spanned;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Raw {
        name: Spanned<String>,
        port: Option<i64>,
    }

    #[test]
    fn values_know_their_place() {
        let raw: Raw = parse(Path::new("a.yml"), "port: 7\nname: b\n").unwrap();
        assert_eq!((raw.name.value.as_str(), raw.port), ("b", Some(7)));
        assert_eq!((raw.name.referenced.line(), raw.name.referenced.column()), (2, 7));
    }

    #[test]
    fn faults_of_form_are_told_with_their_place() {
        for (text, told) in [
            ("name: a\nname: b\n", "a.yml:2:1: the key `name` stands twice: remove one"),
            ("name: a\nother: b\n", "a.yml:2:1: unknown field `other`, expected one of name, port"),
            ("name: a\nport: b\n", "a.yml:2:7: this is not a whole number"),
            ("name: a\n---\nname: b\n", "a.yml:3:1: a second document begins here"),
            ("port: 1\n", "missing field `name`"),
        ] {
            let error = parse::<Raw>(Path::new("a.yml"), text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_missing_file_names_the_command_that_writes_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("portal.yml");
        let told = read(&path, "chancery-portal init -o").unwrap_err().to_string();
        assert!(
            told.ends_with(&format!("`chancery-portal init -o {}` writes a new one", path.display())),
            "{told}"
        );
        // A directory is there, and is not a file.
        let told = read(directory.path(), "chancery-portal init -o").unwrap_err().to_string();
        assert!(told.contains("cannot be read") && !told.contains("init"), "{told}");

        std::fs::write(&path, "name: a\n").unwrap();
        assert_eq!(read(&path, "chancery-portal init -o").unwrap(), "name: a\n");
    }
}
