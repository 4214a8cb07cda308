//! The licence key that a machine file opens with: from a file, from the environment, or typed at a terminal. Never from
//! the command line, which every list of processes shows.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chancery_cli::config::secret;
use chancery_files::read_text;
use chancery_license::LicenseKey;
use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::licensing::intake::{self, Brought};
use crate::store::licenses::DocumentKind;

/// Longer than any key as a person writes it down.
pub(super) const MAX_KEY_BYTES: u64 = 4_096;
const VARIABLE: &str = "CHANCERY_LICENSE_KEY";

#[derive(Debug, Args)]
pub(in crate::cli) struct LicenseKeyArgs {
    /// Read the licence key that a machine file opens with from this file; otherwise it is taken from the environment
    /// (CHANCERY_LICENSE_KEY), or asked for.
    #[arg(long, value_name = "FILE", requires = "file")]
    license_key_file: Option<PathBuf>,
}

impl LicenseKeyArgs {
    /// Reads a document, and where that is a machine file the key that it opens with.
    pub(super) fn read(&self, document: &Path) -> anyhow::Result<Brought> {
        let brought = intake::read(document)?;
        match brought.kind {
            DocumentKind::MachineFile => Ok(Brought { license_key: Some(self.key()?), ..brought }),
            _ => Ok(brought),
        }
    }

    /// Whether a file was named.
    pub(super) const fn is_given(&self) -> bool {
        self.license_key_file.is_some()
    }

    /// The key, from wherever it is.
    pub(super) fn key(&self) -> anyhow::Result<LicenseKey> {
        if let Some(file) = &self.license_key_file {
            return parsed(&in_file(file)?).with_context(|| file.display().to_string());
        }
        if let Some(key) = secret(VARIABLE)? {
            return parsed(key.expose_secret()).context(VARIABLE);
        }
        anyhow::ensure!(
            io::stdin().is_terminal(),
            "a machine file opens with its licence key, and standard input is no terminal at which it could be asked for: \
             give --license-key-file FILE, or set {VARIABLE}"
        );
        parsed(&typed("Licence key (CRT-…, not shown): ")?)
    }
}

/// The text of a file that holds a licence key.
pub(super) fn in_file(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    Ok(Zeroizing::new(read_text(file, MAX_KEY_BYTES)?))
}

fn parsed(text: &str) -> anyhow::Result<LicenseKey> {
    text.trim().parse().context("this is no licence key")
}

/// What is typed at the terminal, which does not show it.
fn typed(question: &str) -> anyhow::Result<Zeroizing<String>> {
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let mut line = Zeroizing::new(String::new());
    let silence = Silence::begin()?;
    let read = io::stdin().read_line(&mut line);
    drop(silence);
    // The line break that was typed was not shown either.
    writeln!(terminal)?;
    read.context("the licence key cannot be read from the terminal")?;
    Ok(line)
}

/// While it lives, the terminal shows nothing of what is typed.
struct Silence {
    before: Termios,
}

impl Silence {
    fn begin() -> anyhow::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self { before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone needs no setting right.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_file_is_read_and_a_wrong_one_is_not_repeated() {
        let key = LicenseKey::from_random(&[9; 29]);
        let file = tempfile::NamedTempFile::new().unwrap();
        let args = LicenseKeyArgs { license_key_file: Some(file.path().to_owned()) };
        std::fs::write(file.path(), format!(" {}\n", key.reveal().to_lowercase())).unwrap();
        assert_eq!(args.key().unwrap(), key);
        let mistyped = key.reveal().replace("CRT-9", "CRT-8");
        for text in [mistyped.as_str(), "", "INST-000000-000000-000000-000000-000000", &"A".repeat(5_000)] {
            std::fs::write(file.path(), text).unwrap();
            let error = format!("{:#}", args.key().unwrap_err());
            assert!(error.contains(&file.path().display().to_string()), "{error}");
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }
}
