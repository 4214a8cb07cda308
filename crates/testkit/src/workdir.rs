//! A directory of a test's own.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A directory that goes away with the value, unless the test fails: then it stays for a look, and
/// its path is printed.
#[derive(Debug)]
pub struct Workdir {
    dir: Option<TempDir>,
}

impl Workdir {
    /// A new empty directory, readable by its owner alone.
    #[expect(clippy::new_without_default, reason = "it does something; it is no default value")]
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("chancery-test-").tempdir().expect("a temporary directory");
        Self { dir: Some(dir) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.as_ref().expect("there until dropped").path()
    }

    /// The path of an entry, which need not exist.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file and gives its path.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.join(name);
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
        path
    }
}

impl Drop for Workdir {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if let Some(dir) = self.dir.take() {
            eprintln!("the files of the failed test are kept in {}", dir.keep().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_away_when_the_test_passes() {
        let workdir = Workdir::new();
        let file = workdir.write("a.txt", "a");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "a");
        drop(workdir);
        assert!(!file.exists());
    }

    #[test]
    fn stays_when_the_test_fails() {
        let workdir = Workdir::new();
        let path = workdir.path().to_owned();
        std::thread::spawn(move || {
            let _kept = workdir;
            panic!("on purpose: the directory shall outlive this");
        })
        .join()
        .expect_err("it panicked");
        assert!(path.is_dir());
        std::fs::remove_dir(path).unwrap();
    }
}
